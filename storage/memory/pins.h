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
    int             told;          /* it was logged that there is no line for this process */
    memory_owner_t  self;          /* pid 0: not prepared yet */
} memory_pins_t;

/** For this process, none claimed yet. Allocates from pool; never again. */
apr_status_t pins_init(memory_pins_t *pins, memory_segment_t *segment, apr_pool_t *pool);

/** Give the lines back that are not in use; the process ends its use of the segment. */
void pins_leave(memory_pins_t *pins, memory_segment_t *segment);

/** Claim a slot of this process and set it to `value` (sequentially consistent); NULL: none is free
 * in the whole segment. Any thread. */
uint32_t *pins_claim(memory_pins_t *pins, memory_segment_t *segment, uint32_t value);

/** As many entries as pins_hold() looks for in one pass over all pins. */
#define PINS_BATCH 1024

/** Which of these entries does a reader hold? held[i] becomes 1 or 0. The lock is held, and the entries
 * have left the index before: from then on a pin on them can only go. At most PINS_BATCH, each once. */
void pins_hold(const memory_segment_t *segment, const memory_ref_t *refs, uint32_t count,
               unsigned char *held);

/** How many pins there are on that entry right now. */
uint32_t pins_count(const memory_segment_t *segment, memory_ref_t ref);

/** Show each reference in a slot, a reader's or a writer's, to `visit`: whatever it names. */
typedef void pins_visit_fn(memory_segment_t *segment, memory_ref_t ref, void *baton);
void pins_visit(memory_segment_t *segment, pins_visit_fn *visit, void *baton);

/** The lock is held: is nothing pinned, by anyone? */
int pins_all_free(memory_segment_t *segment);

/** Take back the lines of processes that are no more. What their writers had under way is passed to
 * `abandon`, with the lock held: it frees the entry and the slot in one transaction and returns 0
 * after damage. The lock is not held by the caller. */
typedef int pins_abandon_fn(memory_segment_t *segment, memory_ref_t ref, uint32_t *slot);
void pins_sweep(memory_segment_t *segment, pins_abandon_fn *abandon);

#endif /* STORER_MEMORY_PINS_H */
