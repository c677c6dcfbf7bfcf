/* SPDX-License-Identifier: Apache-2.0
 *
 * pins.h - who uses which entry right now: slots in shared memory, claimed by processes in lines of
 * 32. A slot names an entry, so the memory of that entry is not given to anyone else (hazard
 * pointers: M. Michael, IEEE TPDS 15(6), 2004), and names its process, so that what a dead one held
 * can be told and taken back (LMDB's reader table does this for readers).
 *
 * A hit writes one slot, on a line of its own process: hits of different processes share nothing.
 */
#ifndef STORER_MEMORY_PINS_H
#define STORER_MEMORY_PINS_H

#include "journal.h"

/** Lines of this process; one for each store that it has open. */
typedef struct memory_pins_t {
    pthread_mutex_t lock;          /* of what follows, between the threads of this process */
    uint32_t        count;         /* atomic: grows only */
    uint32_t        capacity;
    uint32_t       *line;          /* numbers of the lines that are ours */
    uint64_t        start;         /* start time of this process */
    uint32_t        pid;
} memory_pins_t;

/** For this process, none claimed yet. Allocates from pool; never again. */
apr_status_t pins_init(memory_pins_t *pins, const memory_segment_t *segment, apr_pool_t *pool);

/** Give the lines back that are not in use; the process ends its use of the segment. */
void pins_leave(memory_pins_t *pins, memory_segment_t *segment);

/** Claim a slot of this process and set it to `value` (sequentially consistent); NULL: none is free
 * in the whole segment. Any thread. */
uint32_t *pins_claim(memory_pins_t *pins, memory_segment_t *segment, uint32_t value);

/** Which entries are pinned, as a small set that errs to the safe side (a Bloom filter of one
 *  hash). */
typedef struct pins_summary_t {
    uint64_t bits[64];
} pins_summary_t;

/** The lock is held, and entries that are asked for have left the index before: from then on a pin
 * on them can only go. */
void pins_summarise(const memory_segment_t *segment, pins_summary_t *summary);

/** Was ref pinned when the summary was made? Looks again where the summary alone can't tell. */
int pins_hold(const memory_segment_t *segment, const pins_summary_t *summary, memory_ref_t ref);

/** The lock is held: is nothing pinned, by anyone? */
int pins_all_free(memory_segment_t *segment);

/** Take back the lines of processes that are no more. What their writers had under way is passed to
 * `abandon`, with the lock held: it frees the entry and the slot in one transaction and returns 0
 * after damage. The lock is not held by the caller. */
typedef int pins_abandon_fn(memory_segment_t *segment, memory_ref_t ref, uint32_t *slot);
void pins_sweep(memory_segment_t *segment, pins_abandon_fn *abandon);

#endif /* STORER_MEMORY_PINS_H */
