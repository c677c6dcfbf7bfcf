/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_fifo.c - plain FIFO in place of storage/memory/policy.c, for the bench alone: its miss
 * ratios are known to the last digit, so they prove that harness and accounting count right.
 */
#include "memory/policy.h"

void policy_init(memory_segment_t *segment)
{
    memset(segment->weight, 0, sizeof(segment->weight));
}

bool policy_insert(memory_segment_t *segment, memory_entry_t *entry, uint64_t bytes)
{
    memory_ring_t *ring = &segment->header->ring[0];
    memory_ref_t ref = memory_ref_of(segment, entry);
    memory_entry_t *newest = memory_entry_at(segment, ring->newest);

    (void)bytes;
    if (newest) {
        journal_set32(segment, &newest->ring_prev, ref);
    }
    else {
        journal_set32(segment, &ring->oldest, ref);
    }
    journal_set32(segment, &entry->ring_next, ring->newest);
    journal_set32(segment, &entry->ring_prev, 0);
    journal_set32(segment, &entry->place, MEMORY_PLACE(MEMORY_LIVE, 0));
    journal_set32(segment, &ring->newest, ref);
    return true;
}

bool policy_remove(memory_segment_t *segment, memory_entry_t *entry)
{
    memory_ring_t *ring = &segment->header->ring[0];
    memory_entry_t *newer = memory_entry_at(segment, entry->ring_prev);
    memory_entry_t *older = memory_entry_at(segment, entry->ring_next);

    journal_set32(segment, newer ? &newer->ring_next : &ring->newest, entry->ring_next);
    journal_set32(segment, older ? &older->ring_prev : &ring->oldest, entry->ring_prev);
    return true;
}

bool policy_keep(memory_segment_t *segment, memory_entry_t *entry)
{
    return policy_remove(segment, entry) && policy_insert(segment, entry, 0);
}

memory_entry_t *policy_evict(memory_segment_t *segment)
{
    return memory_entry_at(segment, segment->header->ring[0].oldest);
}
