/* SPDX-License-Identifier: Apache-2.0
 *
 * commit.c - a variant is stored and entered into its URL's mapping in one round trip: behind the
 * head of the value goes the script that sets the variant's field, and its answer is all of the
 * mapping. Only where something in there is to go (expired, damaged, or one variant too many) there is
 * a second one. In a cluster the mapping of a variant may be on another node; then it is two.
 */
#include "mapping.h"
#include "router.h"
#include "write.h"

#include <stdlib.h>
#include <string.h>

typedef struct commit_t {
    redis_t                *redis;
    const storer_variant_t *variant;
    apr_time_t              now;
    clock_point_t           deadline;
    apr_pool_t             *pool;
    storer_bytes_t          key;        /* of the mapping */
    mapping_change_t        change;     /* the variant's entry */
    apr_int64_t             ttl;        /* of the mapping, for this variant */
    storer_bytes_t          value_key;
} commit_t;

/* The variant as the only entry of a mapping. */
static apr_status_t make_entry(commit_t *commit)
{
    static const storer_bytes_t none = { NULL, 0 };
    keyindex_cursor_t cursor;
    storer_bytes_t bytes;
    storer_expiry_t expiry;
    apr_status_t rv;

    rv = commit->redis->base.env->api->mapping_enter(NULL, none, commit->variant, commit->now, &bytes,
                                                     &expiry, NULL, NULL, commit->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    cursor.at = bytes.data;
    cursor.end = bytes.data + bytes.len;
    commit->ttl = value_ttl(value_end(expiry), commit->now);
    commit->change.set = apr_array_make(commit->pool, 1, sizeof(keyindex_t));
    commit->change.dropped = apr_array_make(commit->pool, 1, sizeof(storer_bytes_t));
    commit->change.damaged = NULL;
    return keyindex_next(&cursor, apr_array_push(commit->change.set));
}

static void add_change(batch_t *batch, void *baton)
{
    const commit_t *commit = baton;

    mapping_add_change(batch, commit->key, &commit->change, commit->ttl, 1);
}

static apr_status_t change_alone(commit_t *commit, reply_t **reply)
{
    batch_t batch;

    batch_begin(&batch, &commit->redis->names);
    add_change(&batch, commit);
    return router_run_one(commit->redis, &batch, EXCHANGE_WRITE, commit->deadline, reply);
}

/* One node has both: the mapping of a URL and what lies under the URL's own key (names.h). */
static int are_together(const commit_t *commit)
{
    return !commit->redis->cluster
           || storer_bytes_equal(commit->variant->base_key, commit->value_key);
}

static int is_tidy(const commit_t *commit, const mapping_t *mapping)
{
    int most = commit->variant->max_variants, i;
    apr_size_t size = 0;

    if (mapping->damaged->nelts > 0 || (most > 0 && mapping->entries->nelts > most)) {
        return 0;
    }
    for (i = 0; i < mapping->entries->nelts; i++) {
        const keyindex_t *index = &APR_ARRAY_IDX(mapping->entries, i, const keyindex_t);

        size += keyindex_size(index);
        if (value_end(index->expiry) <= commit->now) {
            return 0;
        }
    }
    return size <= MAPPING_MAX;
}

/* What the library would have let go of goes now. */
static apr_status_t tidy(commit_t *commit, const mapping_t *mapping)
{
    redis_t *redis = commit->redis;
    apr_array_header_t *dropped = apr_array_make(commit->pool, 4, sizeof(storer_bytes_t));
    storer_bytes_t old, edited;
    storer_expiry_t expiry;
    char *bytes = NULL;
    apr_status_t rv;
    int i;

    rv = mapping_join(mapping, &bytes, &old.len, &expiry);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    old.data = bytes;
    rv = redis->base.env->api->mapping_enter(&redis->base, old, commit->variant, commit->now, &edited,
                                             &expiry, dropped, NULL, commit->pool);
    if (rv == APR_SUCCESS) {
        rv = mapping_change(redis, commit->key, mapping, edited, expiry, commit->now,
                            commit->deadline, commit->pool);
    }
    for (i = 0; rv == APR_SUCCESS && i < dropped->nelts; i++) {
        (void)write_delete(redis, APR_ARRAY_IDX(dropped, i, storer_bytes_t), commit->now,
                           commit->deadline, NULL);
    }
    free(bytes);
    return rv;
}

static apr_status_t enter(commit_t *commit, reply_t **reply)
{
    mapping_t mapping;
    apr_status_t rv = APR_SUCCESS;

    if (!*reply) {
        rv = change_alone(commit, reply);
    }
    if (rv == APR_SUCCESS) {
        rv = mapping_read(commit->redis, commit->key, *reply, &mapping, commit->pool);
    }
    if (rv == APR_SUCCESS && !is_tidy(commit, &mapping)) {
        rv = tidy(commit, &mapping);
    }
    return rv;
}

apr_status_t redis_commit_variant(storer_writer_t *writer, const storer_variant_t *variant,
                                  apr_time_t now, apr_pool_t *scratch)
{
    redis_t *redis = redis_of(writer->store);
    commit_t commit = { .redis = redis, .variant = variant, .now = now,
                        .deadline = redis_deadline(redis), .pool = scratch };
    write_extra_t extra = { add_change, &commit, NULL };
    apr_status_t rv;

    commit.key = mapping_key(variant->base_key, scratch);
    commit.value_key = variant->varied_key;
    rv = make_entry(&commit);
    if (rv != APR_SUCCESS) {
        write_abort(writer);
        return rv;
    }
    if (commit.ttl == 0) {
        return write_commit(writer, NULL, commit.deadline); /* over already: nothing is to be found */
    }
    rv = write_commit(writer, are_together(&commit) ? &extra : NULL, commit.deadline);
    if (rv == APR_SUCCESS) {
        rv = enter(&commit, &extra.reply);
        reply_free(extra.reply);
    }
    if (rv != APR_SUCCESS) {
        (void)write_delete(redis, commit.value_key, now, commit.deadline, NULL);
    }
    return rv;
}
