/* SPDX-License-Identifier: Apache-2.0
 *
 * entry.c - see entry.h.
 */
#include "entry.h"

memory_entry_t *entry_begin(memory_segment_t *segment, memory_ref_t ref, storer_bytes_t key,
                            uint64_t hash, storer_expiry_t expiry, uint32_t *slot)
{
    memory_entry_t *entry = memory_at(segment, ref);

    /* These two overlay the links of a free block, which an undo needs back. */
    journal_set32(segment, &entry->magic, memory_magic(segment, MEMORY_ENTRY_MAGIC, ref));
    journal_set32(segment, &entry->chain, 0);
    __atomic_store_n(&entry->hash, hash, __ATOMIC_RELAXED);
    entry->ring_next = entry->ring_prev = 0;
    entry->extent = 0;
    entry->key_length = (uint32_t)key.len;
    entry->length = 0;
    entry->fresh_until = expiry.fresh_until;
    entry->stale_until = expiry.stale_until;
    entry->inline_length = 0;
    entry->stamp = 0;
    __atomic_store_n(&entry->place, MEMORY_PLACE(MEMORY_WRITING, 0), __ATOMIC_RELAXED);
    entry->hits = 0;
    entry->wheel_next = entry->wheel_prev = entry->wheel_slot = 0;
    entry->marks = 0;
    journal_set32(segment, slot, MEMORY_PIN_WRITER | ref);
    return entry;
}

bool entry_publish(memory_segment_t *segment, memory_entry_t *entry, uint64_t bytes,
                   apr_time_t now, uint32_t *slot)
{
    memory_header_t *header = segment->header;

    if (!policy_insert(segment, entry, bytes) || !wheel_insert(segment, entry, now)) {
        return false;
    }
    journal_set64(segment, &header->entries, header->entries + 1);
    journal_set64(segment, &header->payload, header->payload + entry->length);
    index_insert(segment, entry);
    journal_set32(segment, slot, 0);
    return true;
}

/* Limbo is a list: what came last is first, what is kept is behind all that is not. */
static bool to_limbo(memory_segment_t *segment, memory_entry_t *entry)
{
    memory_header_t *header = segment->header;
    memory_ref_t ref = memory_ref_of(segment, entry);

    if (header->limbo) {
        memory_entry_t *first = memory_entry_at(segment, header->limbo);

        if (!first) {
            journal_damaged(segment);
            return false;
        }
        journal_set32(segment, &first->ring_prev, ref);
    }
    journal_set32(segment, &entry->ring_next, header->limbo);
    journal_set32(segment, &entry->ring_prev, 0);
    journal_set32(segment, &entry->place, MEMORY_PLACE(MEMORY_DEAD, 0));
    journal_set32(segment, &header->limbo, ref);
    journal_set32(segment, &header->limbo_count, header->limbo_count + 1);
    return true;
}

bool entry_unlink(memory_segment_t *segment, memory_entry_t *entry)
{
    memory_header_t *header = segment->header;

    if (!index_remove(segment, entry) || !policy_remove(segment, entry)
        || !wheel_remove(segment, entry)) {
        return false;
    }
    journal_set64(segment, &header->entries, header->entries - 1);
    journal_set64(segment, &header->payload, header->payload - entry->length);
    return to_limbo(segment, entry);
}

int entry_abandon(memory_segment_t *segment, memory_ref_t ref, uint32_t *slot)
{
    memory_entry_t *entry = memory_entry_at(segment, ref);

    if (!entry || MEMORY_STATE(entry->place) != MEMORY_WRITING) {
        journal_damaged(segment);
        return 0;
    }
    if (!to_limbo(segment, entry)) {
        return 0;
    }
    journal_set32(segment, slot, 0);
    journal_commit(segment);
    return 1;
}

static bool from_limbo(memory_segment_t *segment, memory_entry_t *entry)
{
    memory_header_t *header = segment->header;
    memory_ref_t ref = memory_ref_of(segment, entry);
    memory_entry_t *newer = memory_entry_at(segment, entry->ring_prev);
    memory_entry_t *older = memory_entry_at(segment, entry->ring_next);

    if ((entry->ring_prev ? !newer || newer->ring_next != ref : header->limbo != ref)
        || (entry->ring_next && (!older || older->ring_prev != ref))) {
        journal_damaged(segment);
        return false;
    }
    journal_set32(segment, newer ? &newer->ring_next : &header->limbo, entry->ring_next);
    if (older) {
        journal_set32(segment, &older->ring_prev, entry->ring_prev);
    }
    journal_set32(segment, &header->limbo_count, header->limbo_count - 1);
    if (MEMORY_RING(entry->place) == MEMORY_LIMBO_KEPT) {
        journal_set32(segment, &header->limbo_kept, header->limbo_kept - 1);
    }
    return true;
}

/* May the kernel still have pages of it? *units: of its blocks. */
static bool is_sent(memory_segment_t *segment, const memory_entry_t *entry, uint64_t *units)
{
    memory_ref_t ref = entry->extent;
    bool sent = false;

    *units = heap_block_units((const memory_block_t *)entry);
    while (ref && *units < segment->geometry.end_block) {
        const memory_extent_t *extent = memory_extent_at(segment, ref);

        if (!extent) {
            return false; /* found to be damage when it is freed */
        }
        sent = sent || (__atomic_load_n(&extent->kind, __ATOMIC_SEQ_CST) & MEMORY_SENT);
        *units += heap_block_units((const memory_block_t *)extent);
        ref = extent->next;
    }
    return sent;
}

/* The extents of an entry become free, each in a transaction of its own. */
static bool free_extents(memory_segment_t *segment, memory_entry_t *entry)
{
    while (entry->extent) {
        memory_ref_t ref = entry->extent;
        memory_extent_t *extent = memory_extent_at(segment, ref);

        if (!extent) {
            journal_damaged(segment);
            return false;
        }
        journal_set32(segment, &entry->extent, extent->next);
        journal_set32(segment, &extent->magic, 0);
        if (!heap_free(segment, ref)) {
            return false;
        }
        journal_commit(segment);
    }
    return true;
}

static bool spend(memory_segment_t *segment, memory_entry_t *entry, uint64_t units)
{
    memory_header_t *header = segment->header;

    if (!from_limbo(segment, entry)) {
        return false;
    }
    journal_set32(segment, &entry->place, MEMORY_PLACE(MEMORY_SPENT, 0));
    journal_set32(segment, &entry->ring_next, header->spent);
    journal_set32(segment, &header->spent, memory_ref_of(segment, entry));
    journal_set64(segment, &header->spent_units, header->spent_units + units);
    journal_commit(segment);
    return true;
}

/* Free an entry that nobody can reach, or file it as spent. */
static bool release(memory_segment_t *segment, memory_entry_t *entry)
{
    uint64_t units;

    if (is_sent(segment, entry, &units)) {
        return spend(segment, entry, units);
    }
    if (!free_extents(segment, entry) || !from_limbo(segment, entry)) {
        return false;
    }
    journal_set32(segment, &entry->magic, 0);
    if (!heap_free(segment, memory_ref_of(segment, entry))) {
        return false;
    }
    journal_commit(segment);
    return true;
}

memory_entry_t *entry_claim(memory_segment_t *segment, uint32_t *slot)
{
    memory_header_t *header = segment->header;
    memory_entry_t *entry = memory_entry_at(segment, header->spent);
    uint64_t units;

    if (!header->spent) {
        return NULL;
    }
    if (!entry || MEMORY_STATE(entry->place) != MEMORY_SPENT) {
        journal_damaged(segment);
        return NULL;
    }
    (void)is_sent(segment, entry, &units);
    journal_set32(segment, &header->spent, entry->ring_next);
    journal_set64(segment, &header->spent_units,
                  header->spent_units - (units < header->spent_units ? units : header->spent_units));
    journal_set32(segment, &entry->place, MEMORY_PLACE(MEMORY_WRITING, 0));
    journal_set32(segment, slot, MEMORY_PIN_WRITER | memory_ref_of(segment, entry));
    journal_commit(segment);
    return entry;
}

/* A reader has it yet: its last one frees it, see entry_unpinned(). */
static void keep(memory_segment_t *segment, memory_entry_t *entry)
{
    memory_header_t *header = segment->header;

    if (MEMORY_RING(entry->place) != MEMORY_LIMBO_KEPT) {
        journal_set32(segment, &entry->place, MEMORY_PLACE(MEMORY_DEAD, MEMORY_LIMBO_KEPT));
        journal_set32(segment, &header->limbo_kept, header->limbo_kept + 1);
        journal_commit(segment);
    }
}

/* The dead entry at ref, or NULL after damage. */
static memory_entry_t *dead_at(memory_segment_t *segment, memory_ref_t ref)
{
    memory_entry_t *entry = memory_entry_at(segment, ref);

    if (!entry || MEMORY_STATE(entry->place) != MEMORY_DEAD) {
        journal_damaged(segment);
        return NULL;
    }
    return entry;
}

/* Up to PINS_BATCH entries of limbo, from `ref` on: free them, or keep them. The next one, 0: there
 * is none, or damage. */
static memory_ref_t reap_batch(memory_segment_t *segment, memory_ref_t ref, uint32_t count)
{
    memory_ref_t refs[PINS_BATCH];
    unsigned char held[PINS_BATCH];
    uint32_t i, found = 0;

    refs[0] = ref;
    while (ref && found < count) {
        const memory_entry_t *entry = dead_at(segment, ref);

        if (!entry) {
            return 0;
        }
        refs[found++] = ref;
        ref = entry->ring_next;
    }
    pins_hold(segment, refs, found, held);
    /* The oldest first, so that what is kept stays behind what is not, at whatever step we die. */
    for (i = found; i-- > 0;) {
        memory_entry_t *entry = memory_at(segment, refs[i]);

        if (held[i]) {
            keep(segment, entry);
        }
        else if (!release(segment, entry)) {
            return 0;
        }
    }
    return ref;
}

void entry_reap(memory_segment_t *segment)
{
    memory_header_t *header = segment->header;
    int all = __atomic_exchange_n(&header->left_over, 0, __ATOMIC_SEQ_CST);
    uint32_t count = all ? header->limbo_count : header->limbo_count - header->limbo_kept;
    memory_ref_t ref = header->limbo;

    while (count && ref) {
        uint32_t batch = count < PINS_BATCH ? count : PINS_BATCH;

        ref = reap_batch(segment, ref, batch);
        count -= batch;
    }
}

void entry_unpinned(memory_segment_t *segment, memory_ref_t ref)
{
    memory_entry_t *entry = memory_entry_at(segment, ref);
    unsigned char held;

    if (!entry || MEMORY_STATE(entry->place) != MEMORY_DEAD) {
        return;
    }
    pins_hold(segment, &ref, 1, &held);
    if (!held) {
        (void)release(segment, entry);
    }
}
