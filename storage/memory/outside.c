/* SPDX-License-Identifier: Apache-2.0
 *
 * outside.c - see outside.h.
 */
#include "outside.h"

#include <apr_strings.h>

/* A bucket that changes all the time is given up. */
#define TRIES 1000

/* A copy of an entry and of where it lay; nothing in it changes any more. */
typedef struct copy_t {
    memory_entry_t entry;
    memory_ref_t   ref;
    const char    *bytes;         /* of the entry in the segment: key and value */
} copy_t;

static apr_status_t view_next(storer_view_t *view)
{
    view->part.data = NULL;
    view->part.len = 0;
    return APR_EOF;
}

static void view_release(storer_view_t *view)
{
    (void)view;
}

static const storer_view_ops_t view_ops = { view_next, view_release, NULL };

/* The entry at ref, if its key and the first part of its value lie in it. */
static bool copy_entry(const memory_segment_t *segment, memory_ref_t ref, copy_t *copy)
{
    const memory_entry_t *entry = memory_entry_at(segment, ref);
    uint64_t bytes;

    if (!entry) {
        return false;
    }
    copy->entry = *entry;
    copy->ref = ref;
    copy->bytes = (const char *)(entry + 1);
    bytes = sizeof(*entry) + (uint64_t)copy->entry.key_length + copy->entry.inline_length;
    return copy->entry.block_size < segment->geometry.end_block - ref
           && bytes <= (uint64_t)copy->entry.block_size * MEMORY_UNIT
           && copy->entry.length <= segment_largest(segment)
           && copy->entry.inline_length <= copy->entry.length;
}

/* The extents of an entry, behind what is in `to` already. false: they are not what they should be. */
static bool copy_extents(const memory_segment_t *segment, const copy_t *copy, char *to)
{
    uint64_t at = copy->entry.inline_length;
    memory_ref_t ref = copy->entry.extent;

    while (ref) {
        memory_extent_t *place = memory_extent_at(segment, ref), extent;

        if (!place) {
            return false;
        }
        extent = *place;
        if (extent.length == 0 || extent.length > copy->entry.length - at
            || extent.block_size >= segment->geometry.end_block - ref
            || sizeof(extent) + (uint64_t)extent.length > (uint64_t)extent.block_size * MEMORY_UNIT) {
            return false;
        }
        memcpy(to + at, place + 1, extent.length);
        at += extent.length;
        ref = extent.next;
    }
    return at == copy->entry.length;
}

static bool has_key(const copy_t *copy, storer_bytes_t key)
{
    return copy->entry.key_length == key.len && memcmp(copy->bytes, key.data, key.len) == 0;
}

/* The entry of this key in a chain. */
static bool find(const memory_segment_t *segment, memory_ref_t ref, storer_bytes_t key, copy_t *copy)
{
    int steps;

    for (steps = 0; ref && steps < INDEX_CHAIN_LIMIT && copy_entry(segment, ref, copy); steps++) {
        if (has_key(copy, key)) {
            return true;
        }
        ref = copy->entry.chain;
    }
    return false;
}

/* Is the bucket as it was? Whatever was read before this call was read in that state then. */
static bool is_unchanged(const uint64_t *bucket, uint64_t word)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(bucket, __ATOMIC_SEQ_CST) == word;
}

static void fill_view(storer_t *self, const copy_t *copy, const char *value, storer_view_t *view)
{
    view->length = (apr_off_t)copy->entry.length;
    view->part.data = value;
    view->part.len = (apr_size_t)copy->entry.length;
    view->expiry.fresh_until = copy->entry.fresh_until;
    view->expiry.stale_until = copy->entry.stale_until;
    view->ops = &view_ops;
    view->store = self;
    view->hits = POLICY_TOTAL(copy->entry.hits);
}

static apr_status_t outside_get(storer_t *self, storer_bytes_t key, apr_time_t now,
                                storer_view_t *view, apr_pool_t *pool)
{
    const memory_segment_t *segment = &memory_of(self)->segment;
    const uint64_t *bucket = index_bucket(segment, index_hash(segment, key));
    int tries;

    for (tries = 0; tries < TRIES; tries++) {
        uint64_t word = __atomic_load_n(bucket, __ATOMIC_SEQ_CST);
        char *value = NULL;
        copy_t copy;
        bool whole = find(segment, MEMORY_BUCKET_HEAD(word), key, &copy), found = whole;

        if (found) {
            value = apr_palloc(pool, (apr_size_t)copy.entry.length + 1);
            memcpy(value, copy.bytes + copy.entry.key_length, copy.entry.inline_length);
            whole = copy_extents(segment, &copy, value);
        }
        if (is_unchanged(bucket, word)) {
            if (!found || memory_entry_end(&copy.entry) <= now) {
                return APR_NOTFOUND;
            }
            if (!whole) {
                return APR_EGENERAL;
            }
            fill_view(self, &copy, value, view);
            return APR_SUCCESS;
        }
    }
    return APR_EAGAIN;
}

/* The keys of a bucket that begin with prefix. false: it changed meanwhile. */
static bool copy_keys(const memory_segment_t *segment, const uint64_t *bucket, storer_bytes_t prefix,
                      apr_array_header_t *keys)
{
    uint64_t word = __atomic_load_n(bucket, __ATOMIC_SEQ_CST);
    memory_ref_t ref = MEMORY_BUCKET_HEAD(word);
    int steps;
    copy_t copy;

    for (steps = 0; ref && steps < INDEX_CHAIN_LIMIT && copy_entry(segment, ref, &copy); steps++) {
        if (copy.entry.key_length >= prefix.len && memcmp(copy.bytes, prefix.data, prefix.len) == 0) {
            storer_bytes_t *key = apr_array_push(keys);

            key->len = copy.entry.key_length;
            key->data = apr_pstrmemdup(keys->pool, copy.bytes, key->len);
        }
        ref = copy.entry.chain;
    }
    return is_unchanged(bucket, word);
}

static apr_status_t map_bucket(storer_t *self, uint32_t number, storer_bytes_t prefix, apr_time_t now,
                               storer_key_fn *fn, void *baton, apr_pool_t *pool)
{
    const memory_segment_t *segment = &memory_of(self)->segment;
    apr_array_header_t *keys = apr_array_make(pool, 8, sizeof(storer_bytes_t));
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < TRIES && !copy_keys(segment, &segment->buckets[number], prefix, keys); i++) {
        keys->nelts = 0;
    }
    for (i = 0; i < keys->nelts && rv == APR_SUCCESS; i++) {
        storer_bytes_t key = APR_ARRAY_IDX(keys, i, storer_bytes_t);
        storer_view_t view = STORER_VIEW_EMPTY;

        rv = outside_get(self, key, now, &view, pool);
        rv = rv == APR_SUCCESS ? fn(baton, key, &view)
             : rv == APR_EGENERAL ? rv : APR_SUCCESS; /* gone meanwhile */
    }
    return rv;
}

static apr_status_t outside_map_keys(storer_t *self, storer_bytes_t prefix, apr_time_t now,
                                     storer_key_fn *fn, void *baton, apr_pool_t *scratch)
{
    uint32_t i, count = memory_of(self)->segment.geometry.bucket_count;
    apr_status_t rv = APR_SUCCESS;
    apr_pool_t *pool;

    apr_pool_create(&pool, scratch);
    for (i = 0; i < count && rv == APR_SUCCESS; i++) {
        apr_pool_clear(pool);
        rv = map_bucket(self, i, prefix, now, fn, baton, pool);
    }
    apr_pool_destroy(pool);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* ---- what changes a store ---- */

static apr_status_t outside_set(storer_t *self, storer_bytes_t key, storer_bytes_t value,
                                storer_expiry_t expiry, apr_time_t now)
{
    (void)self;
    (void)key;
    (void)value;
    (void)expiry;
    (void)now;
    return APR_ENOTIMPL;
}

static apr_status_t outside_delete(storer_t *self, storer_bytes_t key)
{
    (void)self;
    (void)key;
    return APR_ENOTIMPL;
}

static apr_status_t outside_update(storer_t *self, storer_bytes_t key, storer_edit_fn *edit,
                                   void *baton, apr_time_t now, apr_pool_t *scratch)
{
    (void)self;
    (void)key;
    (void)edit;
    (void)baton;
    (void)now;
    (void)scratch;
    return APR_ENOTIMPL;
}

static apr_status_t outside_reset(storer_t *self)
{
    (void)self;
    return APR_ENOTIMPL;
}

static apr_status_t outside_init(storer_t *self, const char **errmsg)
{
    (void)self;
    (void)errmsg;
    return APR_ENOTIMPL;
}

static const char *outside_uuid(storer_t *self)
{
    return memory_of(self)->uuid;
}

const storer_ops_t memory_outside_ops = {
    .name = "MEMORY",
    .uuid = outside_uuid,
    .init = outside_init,
    .get = outside_get,
    .set = outside_set,
    .delete_ = outside_delete,
    .update = outside_update,
    .map_keys = outside_map_keys,
    .reset = outside_reset,
};
