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
    entry->alone = 0;
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

static void to_limbo(memory_segment_t *segment, memory_entry_t *entry)
{
    memory_header_t *header = segment->header;

    journal_set32(segment, &entry->ring_next, header->limbo);
    journal_set32(segment, &entry->place, MEMORY_PLACE(MEMORY_DEAD, 0));
    journal_set32(segment, &header->limbo, memory_ref_of(segment, entry));
    journal_set32(segment, &header->limbo_count, header->limbo_count + 1);
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
    to_limbo(segment, entry);
    return true;
}

int entry_abandon(memory_segment_t *segment, memory_ref_t ref, uint32_t *slot)
{
    memory_entry_t *entry = memory_entry_at(segment, ref);

    if (!entry || MEMORY_STATE(entry->place) != MEMORY_WRITING) {
        journal_damaged(segment);
        return 0;
    }
    to_limbo(segment, entry);
    journal_set32(segment, slot, 0);
    journal_commit(segment);
    return 1;
}

/* Free an entry that nobody can reach, its extents first, each in a transaction of its own. `link`
 * is the word that leads to it. */
static bool release(memory_segment_t *segment, memory_entry_t *entry, memory_ref_t *link)
{
    memory_header_t *header = segment->header;

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
    journal_set32(segment, link, entry->ring_next);
    journal_set32(segment, &header->limbo_count, header->limbo_count - 1);
    journal_set32(segment, &entry->magic, 0);
    if (!heap_free(segment, memory_ref_of(segment, entry))) {
        return false;
    }
    journal_commit(segment);
    return true;
}

void entry_reap(memory_segment_t *segment)
{
    memory_header_t *header = segment->header;
    uint32_t count = header->limbo_count, i;
    memory_ref_t *link = &header->limbo;
    pins_summary_t pinned;

    if (!count) {
        return;
    }
    pins_summarise(segment, &pinned);
    for (i = 0; i < count && *link; i++) {
        memory_entry_t *entry = memory_entry_at(segment, *link);

        if (!entry || MEMORY_STATE(entry->place) != MEMORY_DEAD) {
            journal_damaged(segment);
            return;
        }
        if (pins_hold(segment, &pinned, *link)) {
            link = &entry->ring_next;
        }
        else if (!release(segment, entry, link)) {
            return;
        }
    }
}
