/* SPDX-License-Identifier: Apache-2.0
 *
 * policy.h - which entry gives way when room is needed: S3-FIFO (J. Yang et al., "FIFO queues are
 * all you need for cache eviction", SOSP 2023) with a greedy-dual weight for the size (N. Young
 * 1994; L. Cherkasova, HPL-98-69), so that a large object must earn its room. storage/README.md
 * explains.
 *
 * All functions need the lock and run in the caller's transaction, but for policy_hit.
 */
#ifndef STORER_MEMORY_POLICY_H
#define STORER_MEMORY_POLICY_H

#include "journal.h"

#include <stdbool.h>

/** A hit: any thread, no lock. Writes nothing once the counter is full. */
static inline void policy_hit(memory_entry_t *entry)
{
    uint32_t hits = __atomic_load_n(&entry->hits, __ATOMIC_RELAXED);

    /* Two hits at once may count as one: what matters is that there were some. */
    if (hits < 3) {
        __atomic_store_n(&entry->hits, hits + 1, __ATOMIC_RELAXED);
    }
}

/** Prepare the process's handle. */
void policy_init(memory_segment_t *segment);

/** A new entry enters and becomes live; `bytes`: what it takes of the heap. false: damage. */
bool policy_insert(memory_segment_t *segment, memory_entry_t *entry, uint64_t bytes);

/** A live entry leaves its ring. false: damage. */
bool policy_remove(memory_segment_t *segment, memory_entry_t *entry);

/** A live entry that was to be evicted is to stay: it goes to the main ring, as if it had been hit.
 * false: damage. */
bool policy_keep(memory_segment_t *segment, memory_entry_t *entry);

/** The live entry to evict next, still in its ring; NULL: there is none, or damage. Begins with
 * nothing uncommitted and commits what it moved on the way. */
memory_entry_t *policy_evict(memory_segment_t *segment);

#endif /* STORER_MEMORY_POLICY_H */
