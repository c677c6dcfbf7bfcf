/* SPDX-License-Identifier: Apache-2.0
 *
 * space.h - room for a value: allocates blocks, and evicts until there is one.
 */
#ifndef STORER_MEMORY_SPACE_H
#define STORER_MEMORY_SPACE_H

#include "entry.h"

/**
 * The lock is held and nothing uncommitted. A block of `wanted` units, or, where the free memory is
 * scattered, of less but at least `least`; the transaction is left open, so that what the block
 * becomes is committed with it.
 * @param units what the block has
 * @return 0: nothing more can be evicted now (all is pinned), or damage. Nothing is uncommitted
 *         then. *again is 1 where it was only enough for one turn of the lock: call again
 */
memory_ref_t space_take(memory_segment_t *segment, uint32_t wanted, uint32_t least, apr_time_t now,
                        uint32_t *units, int *again);

/** The lock is held and nothing uncommitted: one entry gives way (its memory follows when it is
 * reaped). @return the units it takes; 0: there is none, or damage */
uint32_t space_evict(memory_segment_t *segment, apr_time_t now);

#endif /* STORER_MEMORY_SPACE_H */
