/* SPDX-License-Identifier: Apache-2.0
 *
 * keys.c - delete, map_keys and reset: the operations on keys as such. They take the lock for one
 * bucket at a time.
 */
#include "memory.h"
#include "variants.h"

#include <apr_strings.h>
#include <apr_time.h>

/* A walk that takes the lock a million times a second leaves it to nobody: it stands aside for a moment
 * after so many buckets, a fifth of a millisecond or so. */
#define WALK_BUCKETS 256

apr_status_t memory_drop_locked(memory_t *memory, storer_bytes_t key, memory_entry_t *entry)
{
    memory_segment_t *segment = &memory->segment;

    if (entry && entry_unlink(segment, entry)) {
        variants_note(segment, key, NULL);
    }
    if (segment->header->damaged) {
        return APR_EGENERAL;
    }
    journal_commit(segment);
    entry_reap(segment);
    return APR_SUCCESS;
}

apr_status_t memory_delete(storer_t *self, storer_bytes_t key)
{
    memory_t *memory = memory_of(self);
    memory_segment_t *segment = &memory->segment;
    int recovered;
    apr_status_t rv = memory_enter(memory, &recovered);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = memory_drop_locked(memory, key,
                            index_find_locked(segment, key, index_hash(segment, key)));
    memory_leave(memory, recovered);
    return rv;
}

static bool is_empty(const memory_segment_t *segment, uint32_t bucket)
{
    return !MEMORY_BUCKET_HEAD(__atomic_load_n(&segment->buckets[bucket], __ATOMIC_ACQUIRE));
}

static bool begins_with(const memory_segment_t *segment, memory_entry_t *entry,
                        storer_bytes_t prefix)
{
    return entry->key_length >= prefix.len
           && memory_holds(segment, entry, sizeof(*entry) + (uint64_t)entry->key_length)
           && (prefix.len == 0 || memcmp(memory_entry_key(entry), prefix.data, prefix.len) == 0);
}

/* Copies of the keys in one bucket that begin with prefix. */
static apr_status_t copy_keys(memory_t *memory, uint32_t bucket, storer_bytes_t prefix,
                              apr_array_header_t *keys)
{
    memory_segment_t *segment = &memory->segment;
    memory_entry_t *entry;
    int recovered, steps = 0;
    apr_status_t rv = memory_enter(memory, &recovered);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (entry = index_first(segment, bucket); entry && steps < INDEX_CHAIN_LIMIT;
         entry = index_next(segment, entry), steps++) {
        if (begins_with(segment, entry, prefix)) {
            storer_bytes_t *key = apr_array_push(keys);

            key->len = entry->key_length;
            key->data = apr_pstrmemdup(keys->pool, memory_entry_key(entry), entry->key_length);
        }
    }
    memory_leave(memory, recovered);
    return APR_SUCCESS;
}

static void let_others_by(uint32_t *seen)
{
    if (++*seen % WALK_BUCKETS == 0) {
        apr_sleep(1); /* as short as the system makes it */
    }
}

static apr_status_t map_bucket(memory_t *memory, uint32_t bucket, storer_bytes_t prefix,
                               apr_time_t now, storer_key_fn *fn, void *baton, apr_pool_t *pool)
{
    apr_array_header_t *keys = apr_array_make(pool, 8, sizeof(storer_bytes_t));
    apr_status_t rv = copy_keys(memory, bucket, prefix, keys);
    int i;

    for (i = 0; i < keys->nelts && rv == APR_SUCCESS; i++) {
        storer_bytes_t key = APR_ARRAY_IDX(keys, i, storer_bytes_t);
        storer_view_t view = STORER_VIEW_EMPTY;

        rv = memory_look(memory, key, now, &view); /* a walk is no hit */
        if (rv == APR_SUCCESS) {
            rv = fn(baton, key, &view);
            storer_view_release(&view);
        }
        else if (rv == APR_NOTFOUND) {
            rv = APR_SUCCESS; /* expired, or gone meanwhile */
        }
    }
    return rv;
}

apr_status_t memory_map_keys(storer_t *self, storer_bytes_t prefix, apr_time_t now,
                             storer_key_fn *fn, void *baton, apr_pool_t *scratch)
{
    memory_t *memory = memory_of(self);
    uint32_t i, seen = 0, count = memory->segment.geometry.bucket_count;
    apr_status_t rv = APR_SUCCESS;
    apr_pool_t *pool;

    apr_pool_create(&pool, scratch);
    for (i = 0; i < count && rv == APR_SUCCESS; i++) {
        if (!is_empty(&memory->segment, i)) {
            apr_pool_clear(pool);
            rv = map_bucket(memory, i, prefix, now, fn, baton, pool);
            let_others_by(&seen);
        }
    }
    apr_pool_destroy(pool);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static apr_status_t empty_bucket(memory_t *memory, uint32_t bucket)
{
    memory_segment_t *segment = &memory->segment;
    memory_entry_t *entry;
    int recovered;
    apr_status_t rv = memory_enter(memory, &recovered);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (entry = index_first(segment, bucket); entry; entry = index_first(segment, bucket)) {
        if (!entry_unlink(segment, entry)) {
            break;
        }
        journal_commit(segment);
    }
    entry_reap(segment);
    if (segment->header->damaged) {
        rv = APR_EGENERAL;
    }
    memory_leave(memory, recovered);
    return rv;
}

apr_status_t memory_reset(storer_t *self)
{
    memory_t *memory = memory_of(self);
    uint32_t i, seen = 0, count = memory->segment.geometry.bucket_count;
    apr_status_t rv = APR_SUCCESS;

    for (i = 0; i < count && rv == APR_SUCCESS; i++) {
        if (!is_empty(&memory->segment, i)) {
            rv = empty_bucket(memory, i);
            let_others_by(&seen);
        }
    }
    return rv;
}
