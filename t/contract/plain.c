/* SPDX-License-Identifier: Apache-2.0
 *
 * plain.c - an engine over malloc and one mutex, see plain.h. Used by tests only.
 *
 * What a key has at one time is an immutable *version*, counted by the table, by each view and by
 * whoever works on it without the lock. A change never touches a version: it puts another one in
 * its place. So views stay what they are, and update can tell by the version's address that it lost
 * a race (the address is not reused while it is counted).
 */
#include "plain.h"
#include "storer_private.h"

#include <apr_strings.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BUCKET_COUNT 1024
#define UPDATE_TRIES 1000

typedef struct version_t version_t;

struct version_t {
    atomic_uint count;
    storer_expiry_t expiry;
    apr_size_t key_len, value_len;
    version_t *next;    /* in its bucket; guarded by lock */
    char bytes[];       /* the key, then the value */
};

typedef struct plain_t {
    storer_t base;
    const char *id;
    apr_off_t size;             /* 0: no bound */
    apr_off_t part;             /* 0: values in one part */
    atomic_size_t versions;
    pthread_mutex_t lock;
    /* guarded by lock */
    apr_uint64_t used;
    version_t *buckets[BUCKET_COUNT];
} plain_t;

static const storer_ops_t plain_ops;
static const storer_view_ops_t plain_view_ops;

static plain_t *plain_of(storer_t *self)
{
    storer_assert(self->ops == &plain_ops);
    return (plain_t *)self;
}

/* ---- versions ---- */

static storer_bytes_t key_of(const version_t *version)
{
    return (storer_bytes_t){ version->bytes, version->key_len };
}

static storer_bytes_t value_of(const version_t *version)
{
    return (storer_bytes_t){ version->bytes + version->key_len, version->value_len };
}

static apr_uint64_t cost_of(const version_t *version)
{
    return version->key_len + version->value_len;
}

static version_t *version_make(plain_t *plain, storer_bytes_t key, storer_bytes_t value,
                               storer_expiry_t expiry)
{
    version_t *version = malloc(sizeof(*version) + key.len + value.len + 1);

    if (version) {
        atomic_init(&version->count, 1);
        version->expiry = expiry;
        version->key_len = key.len;
        version->value_len = value.len;
        version->next = NULL;
        memcpy(version->bytes, key.data, key.len);
        memcpy(version->bytes + key.len, value.data, value.len);
        atomic_fetch_add(&plain->versions, 1);
    }
    return version;
}

static version_t *version_hold(version_t *version)
{
    atomic_fetch_add(&version->count, 1);
    return version;
}

static void version_drop(plain_t *plain, version_t *version)
{
    if (version && atomic_fetch_sub(&version->count, 1) == 1) {
        free(version);
        atomic_fetch_sub(&plain->versions, 1);
    }
}

static int is_live(const version_t *version, apr_time_t now)
{
    return now < version->expiry.fresh_until || now < version->expiry.stale_until;
}

/* ---- the table; the caller holds the lock ---- */

/* The link that points to the key's version, or to the NULL where it would go. */
static version_t **slot_locked(plain_t *plain, storer_bytes_t key)
{
    version_t **link;
    unsigned hash = 2166136261u;

    for (apr_size_t i = 0; i < key.len; i++) {
        hash = (hash ^ (unsigned char)key.data[i]) * 16777619u;
    }
    link = &plain->buckets[hash % BUCKET_COUNT];
    while (*link && !storer_bytes_equal(key_of(*link), key)) {
        link = &(*link)->next;
    }
    return link;
}

/* The table's count of it passes to the caller. */
static version_t *unlink_locked(plain_t *plain, version_t **link)
{
    version_t *version = *link;

    if (version) {
        *link = version->next;
        version->next = NULL;
        plain->used -= cost_of(version);
    }
    return version;
}

static void reap_locked(plain_t *plain, apr_time_t now)
{
    for (int i = 0; i < BUCKET_COUNT; i++) {
        version_t **link = &plain->buckets[i];

        while (*link) {
            if (is_live(*link, now)) {
                link = &(*link)->next;
            }
            else {
                version_drop(plain, unlink_locked(plain, link));
            }
        }
    }
}

static int fits_locked(const plain_t *plain, const version_t *version, const version_t *old)
{
    apr_uint64_t used = plain->used - (old ? cost_of(old) : 0);

    return plain->size == 0 || used + cost_of(version) <= (apr_uint64_t)plain->size;
}

/* Put version in the place of what the key has, and take its count over. */
static apr_status_t replace_locked(plain_t *plain, version_t *version, apr_time_t now)
{
    version_t **link = slot_locked(plain, key_of(version));

    if (!fits_locked(plain, version, *link)) {
        reap_locked(plain, now);
        link = slot_locked(plain, key_of(version));
        if (!fits_locked(plain, version, *link)) {
            return APR_ENOSPC;
        }
    }
    version_drop(plain, unlink_locked(plain, link));
    version->next = *link;
    *link = version;
    plain->used += cost_of(version);
    return APR_SUCCESS;
}

/* ---- views ---- */

static storer_bytes_t part_at(const plain_t *plain, const version_t *version, apr_size_t offset)
{
    storer_bytes_t part = value_of(version);

    part.data += offset;
    part.len -= offset;
    if (plain->part > 0 && part.len > (apr_uint64_t)plain->part) {
        part.len = (apr_size_t)plain->part;
    }
    return part;
}

/* The view takes over the caller's count of version. */
static void view_fill(storer_view_t *view, plain_t *plain, version_t *version)
{
    view->ops = &plain_view_ops;
    view->store = &plain->base;
    view->lease = version;
    view->length = (apr_off_t)version->value_len;
    view->expiry = version->expiry;
    view->in_place = 1;
    view->part = part_at(plain, version, 0);
    view->cursor = view->part.len;
}

static apr_status_t plain_view_next(storer_view_t *view)
{
    const version_t *version = view->lease;

    if (view->cursor >= version->value_len) {
        return APR_EOF;
    }
    view->part = part_at(plain_of(view->store), version, (apr_size_t)view->cursor);
    view->cursor += view->part.len;
    return APR_SUCCESS;
}

static void plain_view_release(storer_view_t *view)
{
    version_drop(plain_of(view->store), view->lease);
}

static const storer_view_ops_t plain_view_ops = { plain_view_next, plain_view_release, NULL };

/* ---- the slots ---- */

static storer_uuid_fn plain_uuid;
static storer_init_fn plain_init;
static storer_get_fn plain_get;
static storer_set_fn plain_set;
static storer_delete_fn plain_delete;
static storer_update_fn plain_update;
static storer_map_keys_fn plain_map_keys;
static storer_reset_fn plain_reset;

static const char *plain_uuid(storer_t *self)
{
    return plain_of(self)->id;
}

static apr_status_t plain_fini(void *data)
{
    plain_t *plain = data;

    (void)plain_reset(&plain->base);
    pthread_mutex_destroy(&plain->lock);
    return APR_SUCCESS;
}

static apr_status_t plain_init(storer_t *self, const char **errmsg)
{
    plain_t *plain = plain_of(self);
    int failed = pthread_mutex_init(&plain->lock, NULL);

    if (failed) {
        *errmsg = "cannot make a mutex";
        return failed;
    }
    apr_pool_cleanup_register(self->env->pool, plain, plain_fini, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

static version_t *find(plain_t *plain, storer_bytes_t key)
{
    version_t *version;

    pthread_mutex_lock(&plain->lock);
    version = *slot_locked(plain, key);
    if (version) {
        version_hold(version);
    }
    pthread_mutex_unlock(&plain->lock);
    return version;
}

static apr_status_t plain_get(storer_t *self, storer_bytes_t key, apr_time_t now,
                              storer_view_t *view, apr_pool_t *pool)
{
    plain_t *plain = plain_of(self);
    version_t *version = find(plain, key);

    (void)pool;
    if (!version) {
        return APR_NOTFOUND;
    }
    if (!is_live(version, now)) {
        version_drop(plain, version);
        return APR_NOTFOUND;
    }
    view_fill(view, plain, version);
    return APR_SUCCESS;
}

static apr_status_t plain_set(storer_t *self, storer_bytes_t key, storer_bytes_t value,
                              storer_expiry_t expiry, apr_time_t now)
{
    plain_t *plain = plain_of(self);
    version_t *version = version_make(plain, key, value, expiry);
    apr_status_t rv;

    if (!version) {
        return APR_ENOMEM;
    }
    pthread_mutex_lock(&plain->lock);
    rv = replace_locked(plain, version, now);
    pthread_mutex_unlock(&plain->lock);
    if (rv != APR_SUCCESS) {
        version_drop(plain, version);
    }
    return rv;
}

static apr_status_t plain_delete(storer_t *self, storer_bytes_t key)
{
    plain_t *plain = plain_of(self);
    version_t *version;

    pthread_mutex_lock(&plain->lock);
    version = unlink_locked(plain, slot_locked(plain, key));
    pthread_mutex_unlock(&plain->lock);
    version_drop(plain, version);
    return APR_SUCCESS;
}

/* Put version (NULL: nothing) where old (NULL: nothing) was, if it still is. */
static apr_status_t exchange(plain_t *plain, storer_bytes_t key, const version_t *old,
                             version_t *version, apr_time_t now)
{
    version_t **link;
    version_t *gone = NULL;
    apr_status_t rv = APR_SUCCESS;

    pthread_mutex_lock(&plain->lock);
    link = slot_locked(plain, key);
    if (*link != old) {
        rv = APR_EAGAIN;
    }
    else if (version) {
        rv = replace_locked(plain, version, now);
    }
    else {
        gone = unlink_locked(plain, link);
    }
    pthread_mutex_unlock(&plain->lock);
    version_drop(plain, gone);
    return rv;
}

/* *lost: another change came first. An edit may itself fail with APR_EAGAIN, which is no lost race. */
static apr_status_t update_once(plain_t *plain, storer_bytes_t key, const version_t *old,
                                storer_edit_fn *edit, void *baton, apr_time_t now, int *lost,
                                apr_pool_t *scratch)
{
    storer_bytes_t old_value = { NULL, 0 }, value = { NULL, 0 };
    storer_expiry_t expiry = { 0, 0 };
    version_t *version = NULL;
    apr_status_t rv;

    *lost = 0;
    if (old && is_live(old, now)) {
        old_value = value_of(old);
        expiry = old->expiry;
    }
    rv = edit(baton, old_value, &value, &expiry, scratch);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (value.data) {
        version = version_make(plain, key, value, expiry);
        if (!version) {
            return APR_ENOMEM;
        }
    }
    rv = exchange(plain, key, old, version, now);
    *lost = rv == APR_EAGAIN;
    if (rv != APR_SUCCESS) {
        version_drop(plain, version);
    }
    return rv;
}

static apr_status_t plain_update(storer_t *self, storer_bytes_t key, storer_edit_fn *edit,
                                 void *baton, apr_time_t now, apr_pool_t *scratch)
{
    plain_t *plain = plain_of(self);
    apr_status_t rv = APR_SUCCESS;
    int lost = 1;

    for (int i = 0; lost && i < UPDATE_TRIES; i++) {
        version_t *old = find(plain, key);

        rv = update_once(plain, key, old, edit, baton, now, &lost, scratch);
        version_drop(plain, old);
    }
    return rv;
}

static int has_prefix(const version_t *version, storer_bytes_t prefix)
{
    return version->key_len >= prefix.len
           && (prefix.len == 0 || memcmp(version->bytes, prefix.data, prefix.len) == 0);
}

/* All live versions with the prefix, counted; *found is freed by the caller. */
static apr_size_t snapshot(plain_t *plain, storer_bytes_t prefix, apr_time_t now,
                           version_t ***found)
{
    apr_size_t count = 0;

    *found = NULL;
    pthread_mutex_lock(&plain->lock);
    *found = malloc((atomic_load(&plain->versions) + 1) * sizeof(**found));
    for (int i = 0; *found && i < BUCKET_COUNT; i++) {
        for (version_t *version = plain->buckets[i]; version; version = version->next) {
            if (has_prefix(version, prefix) && is_live(version, now)) {
                (*found)[count++] = version_hold(version);
            }
        }
    }
    pthread_mutex_unlock(&plain->lock);
    return count;
}

static apr_status_t plain_map_keys(storer_t *self, storer_bytes_t prefix, apr_time_t now,
                                   storer_key_fn *fn, void *baton, apr_pool_t *scratch)
{
    plain_t *plain = plain_of(self);
    version_t **found;
    apr_size_t count = snapshot(plain, prefix, now, &found);
    apr_status_t rv = APR_SUCCESS;

    (void)scratch;
    if (!found) {
        return APR_ENOMEM;
    }
    for (apr_size_t i = 0; i < count; i++) {
        if (rv == APR_SUCCESS) {
            storer_view_t view = STORER_VIEW_EMPTY;

            view_fill(&view, plain, version_hold(found[i]));
            rv = fn(baton, key_of(found[i]), &view);
            storer_view_release(&view);
        }
        version_drop(plain, found[i]);
    }
    free(found);
    return rv;
}

static apr_status_t plain_reset(storer_t *self)
{
    plain_t *plain = plain_of(self);

    pthread_mutex_lock(&plain->lock);
    for (int i = 0; i < BUCKET_COUNT; i++) {
        while (plain->buckets[i]) {
            version_drop(plain, unlink_locked(plain, &plain->buckets[i]));
        }
    }
    pthread_mutex_unlock(&plain->lock);
    return APR_SUCCESS;
}

static const storer_ops_t plain_ops = {
    .name = "PLAIN",
    .in_place = 1,
    .uuid = plain_uuid,
    .init = plain_init,
    .get = plain_get,
    .set = plain_set,
    .delete_ = plain_delete,
    .update = plain_update,
    .map_keys = plain_map_keys,
    .reset = plain_reset,
};

/* ---- making one ---- */

static apr_status_t take_option(plain_t *plain, const storer_option_t *option)
{
    if (strcmp(option->name, "id") == 0) {
        plain->id = apr_pstrdup(plain->base.env->pool, option->value);
        return *plain->id ? APR_SUCCESS : APR_EINVAL;
    }
    if (strcmp(option->name, "size") == 0) {
        return storer_parse_size(option->value, &plain->size);
    }
    if (strcmp(option->name, "part") == 0) {
        return storer_parse_size(option->value, &plain->part);
    }
    return APR_EINVAL;
}

static apr_status_t plain_create(storer_t **out, const storer_option_t *options,
                                 const storer_env_t *env, const char **errmsg)
{
    plain_t *plain = apr_pcalloc(env->pool, sizeof(*plain));

    plain->base.ops = &plain_ops;
    plain->base.env = env;
    plain->id = "0";
    for (; options->name; options++) {
        apr_status_t rv = take_option(plain, options);

        if (rv != APR_SUCCESS) {
            *errmsg = apr_psprintf(env->pool, "%s=%s: unknown option or bad value", options->name,
                                   options->value);
            return rv;
        }
    }
    *out = &plain->base;
    return APR_SUCCESS;
}

const storer_engine_t plain_engine = { STORER_ABI_VERSION, "plain", plain_create };

apr_status_t plain_open(storer_t **out, const storer_option_t *options, const storer_env_t *env)
{
    const char *errmsg = NULL;
    storer_t *store;
    apr_status_t rv;

    rv = plain_create(&store, options, env, &errmsg);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = store->ops->init(store, &errmsg);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *out = store;
    return APR_SUCCESS;
}

apr_size_t plain_versions(storer_t *store)
{
    return atomic_load(&plain_of(store)->versions);
}
