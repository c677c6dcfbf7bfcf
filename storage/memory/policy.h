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

/* The word `hits` of an entry: what the policy goes by, 0 to 3, and above it how often the entry was
 * hit at all, for people. */
#define POLICY_WORTH(hits)  ((hits) & 3u)
#define POLICY_TOTAL(hits)  ((hits) >> 2)
#define POLICY_TOTAL_MAX    (UINT32_MAX >> 2)

/* From this many hits on one of POLICY_SAMPLE is written, and counts for all of them: a line of memory
 * that every hit of every process writes would be what they all wait for. */
#define POLICY_EXACT   64u
#define POLICY_SAMPLE  16u

/** A hit: any thread, no lock. The time is what a sample is drawn by. */
static inline void policy_hit(memory_entry_t *entry, apr_time_t now)
{
    uint32_t hits = __atomic_load_n(&entry->hits, __ATOMIC_RELAXED);
    uint32_t total = POLICY_TOTAL(hits), worth = POLICY_WORTH(hits), step = 1;

    if (total >= POLICY_EXACT && worth == 3) {
        step = (uint64_t)now % POLICY_SAMPLE == 0 && total < POLICY_TOTAL_MAX - POLICY_SAMPLE
               ? POLICY_SAMPLE : 0;
        if (!step) {
            return;
        }
    }
    /* Two hits at once may count as one: what matters is that there were some. */
    __atomic_store_n(&entry->hits, (total + step) << 2 | (worth < 3 ? worth + 1 : 3),
                     __ATOMIC_RELAXED);
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
