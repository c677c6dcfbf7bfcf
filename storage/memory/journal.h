/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.h - the segment's one lock, and the undo journal that makes what is done under it
 * all-or-nothing, even when the process is killed in the middle.
 *
 * Every word that the lock guards is changed by journal_set32, _set64 or _set_bucket: the old value
 * is noted before the new one is written. journal_commit forgets the notes, so that the changes
 * stand; journal_rollback undoes them. Whoever gets the lock of a dead process rolls back what that
 * one had not committed. A process that dies has executed a prefix of its instructions, so noting
 * before writing is enough: only the compiler must keep that order.
 */
#ifndef STORER_MEMORY_JOURNAL_H
#define STORER_MEMORY_JOURNAL_H

#include "layout.h"

/** Waits a bounded time. APR_SUCCESS, with *recovered = 1 where the previous owner died (its change
 * has been undone; what it held is still to be reclaimed); APR_TIMEUP; or why the lock is broken. */
apr_status_t journal_lock(memory_segment_t *segment, int *recovered);

/** The same without waiting; APR_EBUSY. */
apr_status_t journal_trylock(memory_segment_t *segment, int *recovered);

/** Nothing may be uncommitted. Logs what happened meanwhile, after the release. */
void journal_unlock(memory_segment_t *segment);

/** Prepare the lock of a new segment. */
apr_status_t journal_init(memory_segment_t *segment);

/* The lock is held. */
void journal_set32(memory_segment_t *segment, uint32_t *where, uint32_t value);
void journal_set64(memory_segment_t *segment, uint64_t *where, uint64_t value);
/** Set the head of a bucket's chain and raise its version. */
void journal_set_bucket(memory_segment_t *segment, uint64_t *bucket, memory_ref_t head);
/** Raise the version of a bucket whose chain changes behind the head. */
void journal_touch_bucket(memory_segment_t *segment, uint64_t *bucket);
void journal_commit(memory_segment_t *segment);
void journal_rollback(memory_segment_t *segment);

/** The lock is held: undo what is uncommitted and mark the contents as not to be trusted. Readers
 * miss from now on; segment_repair makes the heap anew once nobody uses it. */
void journal_damaged(memory_segment_t *segment);

#ifdef STORER_FAULT_POINTS
/** A test build calls this at every named point and journalled step; the test defines it and may
 * kill the process there. */
void memory_fault_point(const char *name);
#define MEMORY_FAULT_POINT(name) memory_fault_point(name)
#else
#define MEMORY_FAULT_POINT(name) ((void)0)
#endif

#endif /* STORER_MEMORY_JOURNAL_H */
