/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.c - the memory engine's table and factory: one segment of shared memory for all processes.
 * See storage/README.md for how it works.
 */
#include "backing.h"
#include "file.h"
#include "outside.h"
#include "pages.h"

#include <apr_strings.h>

#include <sys/stat.h>

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

static const char *memory_place(storer_t *self)
{
    return memory_of(self)->path;
}

/* Not each process that may come has place for a pin: such a process could not use the store. */
static void tell_places(const memory_t *memory)
{
    const storer_env_t *env = memory->base.env;
    uint32_t places = memory->segment.geometry.line_count;

    if (env->processes > places) {
        storer_log(env, STORER_LOG_WARNING, APR_SUCCESS, "memory: size=%" APR_SIZE_T_FMT " has places "
                   "for %u processes, but there may be %u at a time (ServerLimit, with those of a "
                   "graceful restart): the others find nothing in the store; give it a larger size=",
                   memory->size, (unsigned)places, (unsigned)env->processes);
    }
}

static apr_status_t memory_init(storer_t *self, const char **errmsg)
{
    memory_t *memory = memory_of(self);
    int adopted = 0;
    apr_status_t rv = backing_open(memory, &adopted, errmsg);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    self->host = &memory->segment.purges;
    storer_log(self->env, STORER_LOG_INFO, APR_SUCCESS, "memory: %s a store of %" APR_SIZE_T_FMT
               " bytes", adopted ? "took over" : "created", memory->size);
    tell_places(memory);
    return APR_SUCCESS;
}

/* The file of a store that is in use was cut, or something else was written over it. A process that
 * touches what is missing ends by SIGBUS, and its successor must not. */
static int is_lost(const memory_t *memory)
{
    struct stat info;

    if (memory->segment.users.file < 0) {
        return 0;
    }
    return fstat(memory->segment.users.file, &info) != 0 || (uint64_t)info.st_size < memory->size
           || !segment_is_whole(&memory->segment);
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
    apr_status_t rv;

    if (is_lost(memory)) {
        storer_log(self->env, STORER_LOG_ERROR, APR_SUCCESS, "memory: %s was cut or overwritten while "
                   "it is in use; restart httpd to begin with a new one", memory->path);
        return APR_EGENERAL;
    }
    rv = pins_init(&memory->pins, &memory->segment, pchild);
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
    if (!memory->pins.self.pid) {
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
    .place = memory_place,
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
};

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

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
        if (strspn(option->value, NAME_BYTES) != strlen(option->value)) {
            *errmsg = apr_psprintf(pool, "name=%s: expected letters, digits, '.', '-' and '_', such as "
                                   "name=images", option->value);
            return APR_EINVAL;
        }
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

/* The file that nobody else may use, and whether there could be a store in it. */
static apr_status_t find_file(memory_t *memory, const char **errmsg)
{
    const storer_env_t *env = memory->base.env;
    apr_status_t rv = file_resolve(&memory->path, memory->path, env->pool, errmsg);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    return file_check(memory->path, backing_known_file(env, memory->path), env->pool, errmsg);
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
        rv = find_file(memory, errmsg);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    memory->uuid = apr_psprintf(env->pool, "%s%s%s%s%" APR_SIZE_T_FMT, memory->path ? memory->path : "",
                                memory->path ? "-" : "", name ? name : "", name ? "-" : "",
                                memory->size);
    *out = &memory->base;
    return APR_SUCCESS;
}

const storer_engine_t storer_memory_engine = { STORER_ABI_VERSION, "memory", memory_create };
