/* SPDX-License-Identifier: Apache-2.0
 *
 * heap.h - the blocks of the segment: two-level segregated fit (M. Masmano et al., "TLSF: a new
 * dynamic memory allocator for real-time systems", ECRTS 2004). Constant time, neighbours that are
 * free are always merged, what is left over is given back. All functions need the lock and run in
 * the caller's journal transaction; they know nothing of keys and values.
 *
 * A function that returns 0 (no reference) or false after it found the heap inconsistent has called
 * journal_damaged().
 */
#ifndef STORER_MEMORY_HEAP_H
#define STORER_MEMORY_HEAP_H

#include "journal.h"

#include <stdbool.h>

/** Make one free block of everything. No transaction; for a segment nobody uses. */
void heap_format(memory_segment_t *segment);

/** A block of exactly `units`; 0: none that large is free. */
memory_ref_t heap_alloc(memory_segment_t *segment, uint32_t units);

/** A block of a unit and so many pages, which begin at a multiple of a page in the segment; 0: there is
 * none that could be cut so. */
memory_ref_t heap_alloc_paged(memory_segment_t *segment, uint32_t pages);

/** Its units, and the pages that can be had for sure from a free block of so many units. */
static inline uint32_t heap_paged_units(uint32_t pages)
{
    return 1 + pages * MEMORY_PAGE_UNITS;
}

static inline uint32_t heap_paged_fit(uint32_t units)
{
    return units < MEMORY_PAGE_UNITS ? 0 : (units - MEMORY_PAGE_UNITS) / MEMORY_PAGE_UNITS;
}

/** The units of a free block that is among the largest; 0: nothing is free. */
uint32_t heap_largest(memory_segment_t *segment);

bool heap_free(memory_segment_t *segment, memory_ref_t ref);

/** Cut an allocated block to `units` and free the rest. */
bool heap_trim(memory_segment_t *segment, memory_ref_t ref, uint32_t units);

/** The block that lies behind ref, or 0 past the last one (or past damage). */
memory_ref_t heap_after(memory_segment_t *segment, memory_ref_t ref);

static inline uint32_t heap_units(uint64_t bytes)
{
    return (uint32_t)((bytes + MEMORY_UNIT - 1) / MEMORY_UNIT);
}

static inline bool heap_is_free(const memory_block_t *block)
{
    return (block->size & MEMORY_BLOCK_FREE) != 0;
}

static inline uint32_t heap_block_units(const memory_block_t *block)
{
    return block->size & ~MEMORY_BLOCK_FREE;
}

/** The list a block of that many units is filed in. */
void heap_class(uint32_t units, uint32_t *first, uint32_t *second);

#endif /* STORER_MEMORY_HEAP_H */
