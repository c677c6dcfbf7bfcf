/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.c - the memory engine's table and factory: one segment of shared memory for all processes.
 * See storage/README.md for how it works.
 */
#include "backing.h"
#include "pages.h"

#include <apr_strings.h>

#define SIZE_DEFAULT ((apr_off_t)64 << 20)

apr_status_t memory_enter(memory_t *memory, int *recovered)
{
    apr_status_t rv = journal_lock(&memory->segment, recovered);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (memory->segment.header->damaged && !segment_repair(&memory->segment)) {
        /* Unless it is the dead who still use them. */
        memory_leave(memory, 1);
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

void memory_leave(memory_t *memory, int recovered)
{
    journal_unlock(&memory->segment);
    if (recovered) {
        pins_sweep(&memory->segment, entry_abandon);
    }
}

void memory_found_damage(memory_t *memory)
{
    int recovered;

    if (journal_lock(&memory->segment, &recovered) == APR_SUCCESS) {
        journal_damaged(&memory->segment);
        memory_leave(memory, recovered);
    }
}

static const char *memory_uuid(storer_t *self)
{
    return memory_of(self)->uuid;
}

static apr_status_t memory_init(storer_t *self, const char **errmsg)
{
    memory_t *memory = memory_of(self);
    const storer_env_t *env = self->env;
    int adopted, fresh = 1;
    char reason[120];
    void *base = NULL;
    apr_status_t rv = backing_open(memory, &base, &fresh, errmsg);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = segment_open(&memory->segment, base, memory->size, fresh, env, &adopted);
    if (rv == APR_SUCCESS && adopted && memory->path) {
        rv = segment_revive(&memory->segment);
    }
    if (rv != APR_SUCCESS) {
        *errmsg = apr_psprintf(env->pool, "the shared memory can't be used: %s",
                               apr_strerror(rv, reason, sizeof(reason)));
        return rv;
    }
    storer_log(env, STORER_LOG_INFO, APR_SUCCESS, "memory: %s a store of %" APR_SIZE_T_FMT
               " bytes", adopted ? "took over" : "created", memory->size);
    return APR_SUCCESS;
}

static apr_status_t leave(void *data)
{
    memory_t *memory = data;

    pins_leave(&memory->pins, &memory->segment);
    return APR_SUCCESS;
}

static apr_status_t memory_child_init(storer_t *self, apr_pool_t *pchild)
{
    memory_t *memory = memory_of(self);
    apr_status_t rv = pins_init(&memory->pins, &memory->segment, pchild);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* A new child often takes the place of one that was killed. */
    pins_sweep(&memory->segment, entry_abandon);
    apr_pool_cleanup_register(pchild, memory, leave, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

/* Free what has been used last, so that it is not counted as used. */
static apr_status_t reap(memory_t *memory)
{
    int recovered;
    apr_status_t rv = memory_enter(memory, &recovered);

    if (rv == APR_SUCCESS) {
        entry_reap(&memory->segment);
        memory_leave(memory, recovered);
        while (pages_renew(memory)) {
        }
    }
    return rv;
}

static apr_status_t memory_stat(storer_t *self, storer_stat_t *stat)
{
    memory_t *memory = memory_of(self);
    memory_header_t *header = memory->segment.header;
    int recovered;
    apr_status_t rv;

    stat->size = memory->size;
    stat->largest = segment_largest(&memory->segment);
    stat->resident = memory->resident;
    if (!memory->pins.pid) {
        return APR_SUCCESS; /* the parent: it reads nothing that a child can write, and takes no lock */
    }
    rv = reap(memory);
    if (rv == APR_SUCCESS) {
        rv = memory_enter(memory, &recovered);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    stat->used = segment_used(&memory->segment);
    stat->entries = header->entries;
    stat->evictions = header->evictions;
    stat->expirations = header->expirations;
    stat->recoveries = header->recoveries;
    stat->damages = header->damages;
    memory_leave(memory, recovered);
    return APR_SUCCESS;
}

const storer_ops_t memory_ops = {
    .name = "MEMORY",
    .in_place = 1,
    .uuid = memory_uuid,
    .init = memory_init,
    .get = memory_get,
    .set = memory_set,
    .delete_ = memory_delete,
    .update = memory_update,
    .map_keys = memory_map_keys,
    .reset = memory_reset,
    .child_init = memory_child_init,
    .open_writer = memory_open_writer,
    .get_multi_level = memory_get_multi_level,
    .stat = memory_stat,
    .rank = memory_rank,
    .epoch = memory_epoch,
    .judge = memory_judge,
    .purge = memory_purge,
};

/* What they are for is in README.md. */
static apr_status_t set_option(memory_t *memory, const storer_option_t *option,
                               const char **name, const char **errmsg)
{
    apr_pool_t *pool = memory->base.env->pool;
    apr_off_t size;

    if (strcmp(option->name, "size") == 0) {
        if (storer_parse_size(option->value, &size) != APR_SUCCESS || size < MEMORY_SIZE_MIN
            || size > MEMORY_SIZE_MAX) {
            *errmsg = apr_psprintf(pool, "size=%s: expected 1M to 64G, such as size=256M",
                                   option->value);
            return APR_EINVAL;
        }
        memory->size = (apr_size_t)size / MEMORY_UNIT * MEMORY_UNIT;
        return APR_SUCCESS;
    }
    if (strcmp(option->name, "name") == 0 && *option->value) {
        *name = option->value;
        return APR_SUCCESS;
    }
    if (strcmp(option->name, "path") == 0) {
        if (*option->value != '/') {
            *errmsg = apr_psprintf(pool, "path=%s: expected an absolute path",
                                   option->value);
            return APR_EINVAL;
        }
        memory->path = option->value;
        return APR_SUCCESS;
    }
    *errmsg = apr_psprintf(pool, "%s=%s: unknown option; there are size=, name= and path=",
                           option->name, option->value);
    return APR_EINVAL;
}

static apr_status_t memory_create(storer_t **out, const storer_option_t *options,
                                  const storer_env_t *env, const char **errmsg)
{
    memory_t *memory = apr_pcalloc(env->pool, sizeof(*memory));
    const char *name = NULL;
    apr_status_t rv;

    memory->base.ops = &memory_ops;
    memory->base.env = env;
    memory->size = SIZE_DEFAULT;
    for (; options && options->name; options++) {
        rv = set_option(memory, options, &name, errmsg);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    if (memory->path) {
        name = memory->path; /* a file is one store, whatever it is called */
    }
    memory->uuid = apr_psprintf(env->pool, "%s%s%" APR_SIZE_T_FMT, name ? name : "",
                                name ? "-" : "", memory->size);
    *out = &memory->base;
    return APR_SUCCESS;
}

const storer_engine_t storer_memory_engine = { STORER_ABI_VERSION, "memory", memory_create };
