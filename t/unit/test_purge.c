/* SPDX-License-Identifier: Apache-2.0
 *
 * test_purge.c - purging by label as a host sees it: for the memory engine, whose table lasts as long
 * as its file, for an engine that knows nothing of purges, and for one that several machines share.
 */
#include "memory_fixture.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static storer_uuid_fn plain_uuid;
static storer_init_fn plain_init;
static storer_get_fn plain_get;
static storer_set_fn plain_set;
static storer_delete_fn plain_delete;
static storer_update_fn plain_update;
static storer_map_keys_fn plain_map_keys;
static storer_reset_fn plain_reset;
static storer_epoch_fn plain_epoch;

static const char *plain_uuid(storer_t *self)
{
    (void)self;
    return "plain";
}

static apr_status_t plain_init(storer_t *self, const char **errmsg)
{
    (void)self;
    (void)errmsg;
    return APR_SUCCESS;
}

static apr_status_t plain_get(storer_t *self, storer_bytes_t key, apr_time_t now,
                              storer_view_t *view, apr_pool_t *pool)
{
    (void)self, (void)key, (void)now, (void)view, (void)pool;
    return APR_NOTFOUND;
}

static apr_status_t plain_set(storer_t *self, storer_bytes_t key, storer_bytes_t value,
                              storer_expiry_t expiry, apr_time_t now)
{
    (void)self, (void)key, (void)value, (void)expiry, (void)now;
    return APR_ENOSPC;
}

static apr_status_t plain_delete(storer_t *self, storer_bytes_t key)
{
    (void)self, (void)key;
    return APR_SUCCESS;
}

static apr_status_t plain_update(storer_t *self, storer_bytes_t key, storer_edit_fn *edit,
                                 void *baton, apr_time_t now, apr_pool_t *scratch)
{
    (void)self, (void)key, (void)edit, (void)baton, (void)now, (void)scratch;
    return APR_ENOSPC;
}

static apr_status_t plain_map_keys(storer_t *self, storer_bytes_t prefix, apr_time_t now,
                                   storer_key_fn *fn, void *baton, apr_pool_t *scratch)
{
    (void)self, (void)prefix, (void)now, (void)fn, (void)baton, (void)scratch;
    return APR_SUCCESS;
}

static apr_status_t plain_reset(storer_t *self)
{
    (void)self;
    return APR_SUCCESS;
}

static const storer_ops_t plain_ops = {
    .name = "PLAIN", .uuid = plain_uuid, .init = plain_init, .get = plain_get, .set = plain_set,
    .delete_ = plain_delete, .update = plain_update, .map_keys = plain_map_keys,
    .reset = plain_reset,
};

static apr_status_t plain_epoch(storer_t *self, apr_uint64_t known, apr_time_t now,
                                apr_uint64_t *epoch)
{
    (void)self, (void)known, (void)now;
    *epoch = 1;
    return APR_SUCCESS;
}

static const storer_ops_t half_ops = {
    .name = "HALF", .uuid = plain_uuid, .init = plain_init, .get = plain_get, .set = plain_set,
    .delete_ = plain_delete, .update = plain_update, .map_keys = plain_map_keys,
    .reset = plain_reset, .epoch = plain_epoch,
};

/* What several machines share. */
typedef struct shared_t {
    apr_uint64_t epoch, highest_known;
    int          count;
    struct { apr_uint64_t label, epoch; int is_floor; } purges[16];
} shared_t;

static shared_t shared;

static storer_epoch_fn shared_epoch;
static storer_purge_fn shared_purge;
static storer_list_purges_fn shared_list;

static apr_status_t shared_epoch(storer_t *self, apr_uint64_t known, apr_time_t now,
                                 apr_uint64_t *epoch)
{
    (void)self, (void)known, (void)now;
    *epoch = shared.epoch;
    return APR_SUCCESS;
}

static void share_purge(apr_uint64_t label, int is_floor)
{
    shared.epoch++;
    shared.purges[shared.count].label = label;
    shared.purges[shared.count].is_floor = is_floor;
    shared.purges[shared.count++].epoch = shared.epoch;
}

static apr_status_t shared_purge(storer_t *self, const apr_uint64_t *labels, int count,
                                 storer_purge_e kind, apr_uint64_t known, apr_time_t now)
{
    (void)self, (void)kind, (void)now;
    shared.highest_known = known;
    if (count > 0) {
        share_purge(labels[0], 0);
    }
    return APR_SUCCESS;
}

static apr_status_t shared_list(storer_t *self, apr_uint64_t since, storer_purged_fn *fn, void *baton)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    (void)self;
    for (i = 0; i < shared.count && rv == APR_SUCCESS; i++) {
        if (shared.purges[i].epoch > since) {
            rv = fn(baton, shared.purges[i].is_floor ? NULL : &shared.purges[i].label,
                    STORER_PURGE_HARD, shared.purges[i].epoch);
        }
    }
    return rv;
}

static const storer_ops_t shared_ops = {
    .name = "SHARED", .uuid = plain_uuid, .init = plain_init, .get = plain_get, .set = plain_set,
    .delete_ = plain_delete, .update = plain_update, .map_keys = plain_map_keys,
    .reset = plain_reset, .epoch = shared_epoch, .purge = shared_purge, .list_purges = shared_list,
};

static const storer_ops_t *plain_made = &plain_ops;

static apr_status_t plain_create(storer_t **out, const storer_option_t *options,
                                 const storer_env_t *env, const char **errmsg)
{
    storer_t *store = apr_pcalloc(env->pool, sizeof(*store));

    (void)options;
    (void)errmsg;
    store->ops = plain_made;
    store->env = env;
    *out = store;
    return APR_SUCCESS;
}

static const storer_engine_t plain_engine = { STORER_ABI_VERSION, "plain", plain_create };

/* With the smallest engine beside those that are built in. */
static storer_registry_t *registry_with_plain(const storer_env_t *env)
{
    storer_registry_t *registry = storer_registry_create(env);
    const char *errmsg;

    if (storer_registry_add_engine(registry, "plain", &plain_engine, &errmsg) != APR_SUCCESS) {
        bail_out("%s", errmsg);
    }
    return registry;
}

/* As httpd's host does it: the memory of a name is there again after a restart. */
static apr_status_t retain(void *baton, const char *uuid, apr_size_t size, void **base, int *fresh)
{
    apr_hash_t *kept = baton;

    *base = apr_hash_get(kept, uuid, APR_HASH_KEY_STRING);
    *fresh = !*base;
    if (*fresh) {
        *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        apr_hash_set(kept, apr_pstrdup(apr_hash_pool_get(kept), uuid), APR_HASH_KEY_STRING, *base);
    }
    return APR_SUCCESS;
}

static storer_t *open_store(const char *engine, const storer_option_t *options, apr_hash_t *kept,
                            apr_pool_t *pool)
{
    storer_env_t *env = apr_pcalloc(pool, sizeof(*env));
    const char *errmsg = NULL;
    storer_t *store = NULL;

    env->pool = pool;
    env->retain = kept ? retain : NULL;
    env->baton = kept;
    if (storer_registry_open(registry_with_plain(env), engine, options, &store,
                             &errmsg) != APR_SUCCESS) {
        bail_out("%s", errmsg);
    }
    return store;
}

static void purges(const char *name, storer_t *store)
{
    apr_uint64_t it = storer_label("tag", storer_bytes("it")), before = 0, after = 0;

    is_status(storer_epoch(store, FIXTURE_NOW, &before), APR_SUCCESS, "%s: an epoch", name);
    is_int(storer_judge(store, before, &it, 1, 0, FIXTURE_NOW), STORER_STANDS, "%s: stands", name);
    is_status(storer_purge(store, &it, 1, STORER_PURGE_SOFT, FIXTURE_NOW), APR_SUCCESS,
              "%s: softly", name);
    is_int(storer_judge(store, before, &it, 1, 0, FIXTURE_NOW), STORER_STALE, "%s: stale", name);
    is_status(storer_purge(store, &it, 1, STORER_PURGE_HARD, FIXTURE_NOW), APR_SUCCESS,
              "%s: hard", name);
    is_int(storer_judge(store, before, &it, 1, 0, FIXTURE_NOW), STORER_GONE, "%s: gone", name);
    is_status(storer_epoch(store, FIXTURE_NOW, &after), APR_SUCCESS, "%s: an epoch", name);
    is_int((long long)(after - before), 2, "%s: two purges later", name);
}

static void test_kept(const char *engine, apr_pool_t *pool)
{
    apr_hash_t *kept = apr_hash_make(pool);
    apr_uint64_t it = storer_label("tag", storer_bytes("it"));
    apr_pool_t *first, *second;
    storer_t *store;

    apr_pool_create(&first, pool);
    purges(engine, open_store(engine, NULL, kept, first));
    apr_pool_destroy(first);
    apr_pool_create(&second, pool);
    store = open_store(engine, NULL, kept, second);
    is_int(storer_judge(store, 1, &it, 1, 0, FIXTURE_NOW), STORER_GONE,
           "%s: still so after a restart of the configuration", engine);
    apr_pool_destroy(second);
}

static void test_file(apr_pool_t *pool)
{
    char path[] = "/tmp/storer-purge-XXXXXX";
    storer_option_t options[3] = { { "size", "1M" }, { "path", path }, { NULL, NULL } };
    apr_uint64_t it = storer_label("tag", storer_bytes("it"));
    apr_pool_t *first;
    int file = mkstemp(path);

    if (file < 0) {
        bail_out("no temporary file");
    }
    close(file);
    unlink(path);
    apr_pool_create(&first, pool);
    purges("memory in a file", open_store("memory", options, NULL, first));
    apr_pool_destroy(first);
    is_int(storer_judge(open_store("memory", options, NULL, pool), 1, &it, 1, 0, FIXTURE_NOW),
           STORER_GONE, "memory in a file: still so when it is opened again");
    unlink(path);
}

static void test_without(apr_pool_t *pool)
{
    storer_t *store = open_store("plain", NULL, NULL, pool);
    apr_uint64_t it = 1, epoch;

    is_status(storer_epoch(store, FIXTURE_NOW, &epoch), APR_ENOTIMPL, "no memory: no epoch");
    is_status(storer_purge(store, &it, 1, STORER_PURGE_HARD, FIXTURE_NOW), APR_ENOTIMPL, "no purge");
    is_int(storer_judge(store, 0, &it, 1, 0, FIXTURE_NOW), STORER_STANDS, "and nothing is purged");
}

static void test_half(apr_pool_t *pool)
{
    storer_env_t *env = apr_pcalloc(pool, sizeof(*env));
    const char *errmsg = NULL;

    env->pool = pool;
    plain_made = &half_ops;
    is_status(storer_registry_check(registry_with_plain(env), "plain", NULL,
                                    &errmsg), APR_EINVAL, "one of three slots");
    is_string(errmsg, "plain: it has some of epoch, purge and list_purges, but not all",
              "says which");
    plain_made = &plain_ops;
}

/* ---- a purge between the question and the commit ---- */

static storer_variant_t variant_of(apr_uint64_t epoch)
{
    storer_variant_t variant;

    memset(&variant, 0, sizeof(variant));
    variant.base_key = variant.varied_key = variant.real_key = storer_bytes("url");
    variant.stored_at = FIXTURE_NOW;
    variant.expiry = fixture_expiry();
    variant.epoch = epoch;
    return variant;
}

static int is_stored(storer_t *store, apr_pool_t *pool)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    int found = storer_get(store, storer_bytes("url"), FIXTURE_NOW, &view, pool) == APR_SUCCESS;

    storer_view_release(&view);
    return found;
}

static void test_commit(apr_pool_t *pool)
{
    storer_t *store = &fixture_open(pool, "1M")->base;
    storer_writer_t writer = STORER_WRITER_CLOSED;
    apr_uint64_t it = storer_label("tag", storer_bytes("it")), epoch = 0;
    storer_variant_t variant;

    (void)storer_epoch(store, FIXTURE_NOW, &epoch);
    is_status(storer_open_writer(store, storer_bytes("url"), fixture_expiry(), -1, FIXTURE_NOW, &writer,
                                 pool), APR_SUCCESS, "a writer");
    is_status(storer_writer_append(&writer, storer_bytes("value")), APR_SUCCESS, "a value");
    is_status(storer_purge(store, &it, 1, STORER_PURGE_DROPPED, FIXTURE_NOW), APR_SUCCESS, "a purge");
    variant = variant_of(epoch);
    is_status(storer_commit_variant(&writer, &variant, FIXTURE_NOW, pool), APR_EBUSY,
              "no commit in an epoch that is over");
    is_int(is_stored(store, pool), 0, "nothing is stored");
    writer.epoch = epoch;
    is_status(storer_writer_commit(&writer), APR_EBUSY, "the engine itself looks at the epoch");
    is_int(is_stored(store, pool), 0, "and stores nothing");
    (void)storer_epoch(store, FIXTURE_NOW, &epoch);
    variant = variant_of(epoch);
    is_status(storer_commit_variant(&writer, &variant, FIXTURE_NOW, pool), APR_SUCCESS,
              "the writer is still open, for a commit in this epoch");
    is_int(is_stored(store, pool), 1, "which stores it");
    ok(!writer.ops, "and ends it");
}

/* ---- more purges than are remembered ---- */

static int said_forgotten;

static void count_lines(void *baton, storer_log_level_e level, apr_status_t rv, const char *message)
{
    (void)baton, (void)rv;
    said_forgotten += level == STORER_LOG_WARNING && strstr(message, "counts as purged") != NULL;
}

static apr_status_t purge_many(storer_t *store, unsigned from, unsigned count, storer_purge_e kind)
{
    apr_status_t rv = APR_SUCCESS;
    unsigned i;

    for (i = 0; i < count && rv == APR_SUCCESS; i++) {
        storer_bytes_t text = { (const char *)&from, sizeof(from) };
        apr_uint64_t it = storer_label("tag", text);

        from++;
        rv = storer_purge(store, &it, 1, kind, FIXTURE_NOW);
    }
    return rv;
}

static void test_forgotten(apr_pool_t *pool)
{
    storer_option_t options[2] = { { "size", "64M" }, { NULL, NULL } };
    storer_t *store = open_store("memory", options, apr_hash_make(pool), pool);
    apr_uint64_t other = storer_label("tag", storer_bytes("other"));
    storer_env_t *env = (storer_env_t *)store->env;

    env->log = count_lines;
    is_status(purge_many(store, 0, 20000, STORER_PURGE_DROPPED), APR_SUCCESS,
              "20,000 purges of what is not stored");
    is_int(said_forgotten, 0, "are no reason to say anything");
    is_int(storer_judge(store, 1, &other, 1, 0, FIXTURE_NOW), STORER_STANDS, "other things stand");
    is_int(storer_tidy_is_due(store), 0, "and there is nothing to tidy");
    is_status(purge_many(store, 20000, 1600, STORER_PURGE_HARD), APR_SUCCESS, "1,600 to remember");
    is_int(storer_tidy_is_due(store), 1, "make it due to tidy");
    is_int(said_forgotten, 0, "without a word");
    is_status(purge_many(store, 30000, 4000, STORER_PURGE_HARD), APR_SUCCESS, "4,000 more");
    is_int(said_forgotten, 1, "are said to be too many, once");
    is_int(storer_judge(store, 1, &other, 1, 0, FIXTURE_NOW), STORER_GONE, "and count for all");
    env->log = NULL;
}

/* ---- a store of several machines ---- */

static storer_standing_e judge(storer_t *store, apr_uint64_t epoch, apr_uint64_t it)
{
    return storer_judge(store, epoch, &it, 1, 0, FIXTURE_NOW);
}

/* The store comes back as it was before a purge. Whatever process looks then, the machine knows. */
static void test_older(apr_pool_t *pool)
{
    apr_hash_t *kept = apr_hash_make(pool);
    apr_uint64_t it = storer_label("tag", storer_bytes("it")), other = it + 1, before, now = 0;
    storer_t *store;
    shared_t earlier;

    plain_made = &shared_ops;
    memset(&shared, 0, sizeof(shared));
    shared.epoch = 10;
    store = open_store("plain", NULL, kept, pool);
    is_status(storer_epoch(store, FIXTURE_NOW, &before), APR_SUCCESS, "shared: an epoch");
    is_int((long long)before, 10, "shared: the store's");
    earlier = shared;
    is_status(storer_purge(store, &it, 1, STORER_PURGE_HARD, FIXTURE_NOW), APR_SUCCESS, "a purge");
    is_int(judge(store, before, it), STORER_GONE, "counts");
    is_int(judge(store, before, other), STORER_STANDS, "for its label");
    is_int(judge(store, 500, other), STORER_GONE, "what is later than the present cannot be");

    shared = earlier;
    is_int(judge(store, before, it), STORER_GONE, "a store that has lost the purge: it counts");
    store = open_store("plain", NULL, kept, pool);
    (void)storer_epoch(store, FIXTURE_NOW, &now);
    is_int((long long)now, 11, "a new process begins with the epoch that the machine has heard of");
    is_int(judge(store, before, it), STORER_GONE, "and the purge counts for it");
    is_int(judge(store, before, other), STORER_STANDS, "as for its label only");
    is_int(judge(store, now, it), STORER_STANDS, "what is fetched now stands");
    (void)storer_purge(store, &other, 1, STORER_PURGE_HARD, FIXTURE_NOW);
    is_int((long long)shared.highest_known, 11, "the next purge tells the store");
    plain_made = &plain_ops;
}

static void test_floor_of_others(apr_pool_t *pool)
{
    storer_t *store;
    storer_env_t *env;

    plain_made = &shared_ops;
    memset(&shared, 0, sizeof(shared));
    shared.epoch = 5;
    share_purge(0, 1);
    store = open_store("plain", NULL, apr_hash_make(pool), pool);
    env = (storer_env_t *)store->env;
    env->log = count_lines;
    said_forgotten = 0;
    share_purge(7, 0);
    is_int(judge(store, 6, 8), STORER_STANDS, "a store with a floor is new to this machine");
    is_int(said_forgotten, 0, "which is not worth a word");
    share_purge(0, 1);
    is_int(judge(store, 6, 8), STORER_GONE, "when the floor rises everything before is purged");
    is_int(said_forgotten, 1, "and the log says so");
    env->log = NULL;
    plain_made = &plain_ops;
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_kept("memory", pool);
    test_kept("plain", pool);
    test_file(pool);
    test_without(pool);
    test_half(pool);
    test_commit(pool);
    test_forgotten(pool);
    test_older(pool);
    test_floor_of_others(pool);
    apr_pool_destroy(pool);
    return done_testing();
}
