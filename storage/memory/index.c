/* SPDX-License-Identifier: Apache-2.0
 *
 * index.c - see index.h.
 *
 * How a look-up does without a lock: it reads the bucket's word (version and head), walks the
 * chain, and pins the entry it wants. If the word is then still the same, the chain was not
 * changed, so the entry was in it when the pin was set, and from then on nobody takes its memory.
 * If it is not, what was read may have been anything, and the look-up begins again. The memory of
 * the chain may be reused meanwhile, which is why each step is checked against the heap's bounds
 * and nothing is believed before the word has been read again. (A sequence lock, with a pin as its
 * last read.)
 */
#include "index.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define RETRY_LIMIT   1000

uint64_t index_hash(const memory_segment_t *segment, storer_bytes_t key)
{
    return XXH3_64bits_withSeed(key.data, key.len, segment->seed);
}

uint64_t *index_bucket(const memory_segment_t *segment, uint64_t hash)
{
    uint64_t count = segment->geometry.bucket_count;

    return &segment->buckets[(hash >> 32) * count >> 32];
}

static bool is_key_of(const memory_segment_t *segment, memory_entry_t *entry, storer_bytes_t key)
{
    return entry->key_length == key.len && memory_holds(segment, entry, sizeof(*entry) + key.len)
           && memcmp(memory_entry_key(entry), key.data, key.len) == 0;
}

/* One step of a walk through memory that may just be reused: relaxed loads of whatever is there.
 * The thread sanitizer can't know that the result is thrown away then. */
__attribute__((no_sanitize("thread")))
static memory_ref_t walk(const memory_segment_t *segment, memory_ref_t ref, uint64_t hash)
{
    const memory_geometry_t *geometry = &segment->geometry;
    int steps;

    for (steps = 0; ref && steps < INDEX_CHAIN_LIMIT; steps++) {
        memory_entry_t *entry;

        if (ref < geometry->first_block || ref >= geometry->end_block - 1) {
            return 0;
        }
        entry = memory_at(segment, ref);
        if (__atomic_load_n(&entry->hash, __ATOMIC_RELAXED) == hash) {
            return ref;
        }
        ref = __atomic_load_n(&entry->chain, __ATOMIC_RELAXED);
    }
    return 0;
}

typedef enum look_e { LOOK_FOUND, LOOK_ABSENT, LOOK_CHANGED, LOOK_NO_PIN } look_e;

static look_e look(memory_segment_t *segment, memory_pins_t *pins, storer_bytes_t key,
                   uint64_t hash, uint32_t **slot, memory_entry_t **out)
{
    uint64_t *bucket = index_bucket(segment, hash);
    uint64_t word = __atomic_load_n(bucket, __ATOMIC_SEQ_CST);
    memory_ref_t ref = walk(segment, MEMORY_BUCKET_HEAD(word), hash);

    while (ref) {
        uint32_t *pin = pins_claim(pins, segment, ref);
        memory_entry_t *entry;

        if (!pin) {
            return LOOK_NO_PIN;
        }
        /* In this order: after a repair, which ends damage, the word is another one. */
        if (__atomic_load_n(&segment->header->damaged, __ATOMIC_SEQ_CST)) {
            __atomic_store_n(pin, 0, __ATOMIC_RELEASE);
            return LOOK_ABSENT;
        }
        if (__atomic_load_n(bucket, __ATOMIC_SEQ_CST) != word) {
            __atomic_store_n(pin, 0, __ATOMIC_RELEASE);
            return LOOK_CHANGED;
        }
        entry = memory_entry_at(segment, ref);
        if (entry && is_key_of(segment, entry, key)) {
            *slot = pin;
            *out = entry;
            return LOOK_FOUND;
        }
        /* Another key of the same 64-bit hash: as good as never, but the chain goes on. */
        ref = entry ? walk(segment, __atomic_load_n(&entry->chain, __ATOMIC_RELAXED), hash) : 0;
        __atomic_store_n(pin, 0, __ATOMIC_RELEASE);
    }
    return __atomic_load_n(bucket, __ATOMIC_SEQ_CST) == word ? LOOK_ABSENT : LOOK_CHANGED;
}

apr_status_t index_find(memory_segment_t *segment, memory_pins_t *pins, storer_bytes_t key,
                        uint64_t hash, uint32_t **slot, memory_entry_t **out)
{
    int tries;

    for (tries = 0; tries < RETRY_LIMIT; tries++) {
        switch (look(segment, pins, key, hash, slot, out)) {
        case LOOK_FOUND:
            return APR_SUCCESS;
        case LOOK_ABSENT:
            return APR_NOTFOUND;
        case LOOK_NO_PIN:
            return APR_EAGAIN;
        case LOOK_CHANGED:
            break;
        }
    }
    return APR_EAGAIN;
}

memory_entry_t *index_find_locked(memory_segment_t *segment, storer_bytes_t key, uint64_t hash)
{
    memory_ref_t ref = MEMORY_BUCKET_HEAD(*index_bucket(segment, hash));
    int steps;

    for (steps = 0; ref && steps < INDEX_CHAIN_LIMIT; steps++) {
        memory_entry_t *entry = memory_entry_at(segment, ref);

        if (!entry || MEMORY_STATE(entry->place) != MEMORY_LIVE) {
            break;
        }
        if (entry->hash == hash && is_key_of(segment, entry, key)) {
            return entry;
        }
        ref = entry->chain;
    }
    if (ref) {
        journal_damaged(segment);
    }
    return NULL;
}

void index_insert(memory_segment_t *segment, memory_entry_t *entry)
{
    uint64_t *bucket = index_bucket(segment, entry->hash);

    journal_set32(segment, &entry->chain, MEMORY_BUCKET_HEAD(*bucket));
    journal_set_bucket(segment, bucket, memory_ref_of(segment, entry));
}

bool index_remove(memory_segment_t *segment, memory_entry_t *entry)
{
    uint64_t *bucket = index_bucket(segment, entry->hash);
    memory_ref_t wanted = memory_ref_of(segment, entry);
    memory_entry_t *before = NULL;
    memory_ref_t ref = MEMORY_BUCKET_HEAD(*bucket);
    int steps;

    for (steps = 0; ref && ref != wanted && steps < INDEX_CHAIN_LIMIT; steps++) {
        before = memory_entry_at(segment, ref);
        if (!before) {
            break;
        }
        ref = before->chain;
    }
    if (ref != wanted) {
        journal_damaged(segment);
        return false;
    }
    if (before) {
        /* In this order: who reads the new version must not find the entry any more. */
        journal_set32(segment, &before->chain, entry->chain);
        journal_touch_bucket(segment, bucket);
    }
    else {
        journal_set_bucket(segment, bucket, entry->chain);
    }
    return true;
}

memory_entry_t *index_first(memory_segment_t *segment, uint32_t number)
{
    return memory_entry_at(segment, MEMORY_BUCKET_HEAD(segment->buckets[number]));
}

memory_entry_t *index_next(memory_segment_t *segment, const memory_entry_t *entry)
{
    return memory_entry_at(segment, entry->chain);
}
