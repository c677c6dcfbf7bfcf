/* SPDX-License-Identifier: Apache-2.0
 *
 * hold.h - how much of the store may be *held*: kept from being used again, by the pins of readers
 * and of writers. Slow clients hold what they are sent for as long as they like, and all others share
 * the rest; so there is a bound, beyond which a value is not stored, or is copied for its reader, or
 * is not read.
 *
 * What is held is counted by a pass over all pins. That takes as long as there are pins, so it is
 * done for large values only; small ones may always be stored, because they are held by a copy once
 * too much is held.
 */
#ifndef STORER_MEMORY_HOLD_H
#define STORER_MEMORY_HOLD_H

#include "entry.h"

/** Prepare the process's handle. */
void hold_init(memory_segment_t *segment);

/** The lock is held: the units that pins hold at this moment, each entry once. */
uint64_t hold_count(memory_segment_t *segment);

/** The lock is held: may a writer take so many units more for a value of `bytes`? */
bool hold_allows_writer(memory_segment_t *segment, uint64_t bytes, uint64_t more);

/** Can `wanted` units be had at all, if everything goes that is not pinned? The lock is held. */
bool hold_leaves(memory_segment_t *segment, uint32_t wanted);

/** The lock is held: a writer has taken so much. Perhaps it is time to count. */
void hold_taken(memory_segment_t *segment, uint32_t units);

/** A reader has pinned an entry: must hold_allows_reader() be asked whether it may stay so? It need
 * not for small values while less than the bound is held. Any thread, no lock. */
static inline bool hold_concerns(const memory_segment_t *segment, const memory_entry_t *entry)
{
    return entry->length > segment->hold_small
           || __atomic_load_n(&segment->header->held, __ATOMIC_RELAXED) > segment->hold_readers;
}

/** May a reader keep the pin that it has on the entry? It may where others have it pinned as well. Any
 * thread, without the lock. */
bool hold_allows_reader(memory_segment_t *segment, const memory_entry_t *entry);

#endif /* STORER_MEMORY_HOLD_H */
