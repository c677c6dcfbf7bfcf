/* SPDX-License-Identifier: Apache-2.0
 *
 * space.h - room for a value: allocates blocks, and evicts until there is one.
 */
#ifndef STORER_MEMORY_SPACE_H
#define STORER_MEMORY_SPACE_H

#include "entry.h"

/** What a value needs, over all its blocks. */
typedef struct space_request_t {
    uint64_t   need;      /**< units that the value has, and those that it wants now */
    uint64_t   evicted;   /**< units of live entries that have given way for it; space_take counts */
    uint32_t   wanted;    /**< units of the next block */
    uint32_t   least;     /**< or of less than that, where memory is scattered */
    uint32_t   must;      /**< or even so few, before too much gives way */
    uint32_t   pages;     /**< not 0: so many pages are preferred (heap_alloc_paged), if they can be
                               had without evicting more than the value needs. 0 afterwards: the block
                               has none */
    bool       stuck;     /**< spent entries can't be made free */
    apr_time_t now;
} space_request_t;

/**
 * The lock is held and nothing uncommitted. A block of the units that are wanted, or of less; the
 * transaction is left open, so that what the block becomes is committed with it. No more gives way
 * than a small multiple of what the value needs, and nothing where all of it would not be enough.
 * @param units what the block has
 * @return 0: nothing more may be evicted (all is pinned), or damage. Nothing is uncommitted then.
 *         *again is 1 where it was only enough for one turn of the lock, or entries are spent: renew
 *         their pages, or say that it can't be done, and call again
 */
memory_ref_t space_take(memory_segment_t *segment, space_request_t *request, uint32_t *units,
                        int *again);

/** The lock is held and nothing uncommitted: one entry gives way (its memory follows when it is
 * reaped). @return the units it takes; 0: there is none, or damage */
uint32_t space_evict(memory_segment_t *segment, apr_time_t now);

#endif /* STORER_MEMORY_SPACE_H */
