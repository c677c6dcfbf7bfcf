/* SPDX-License-Identifier: Apache-2.0
 *
 * marks.h - purges that cost the same however much they purge: a table of labels in shared memory,
 * each with the epoch of its last purge. What was fetched in an earlier epoch and has the label is
 * purged, wherever it lies; that is found out when it is looked up.
 *
 * Used by the engines' purge slots. Knows labels and epochs; nothing of keys, values or time. The
 * memory is the caller's, and may lie in a file: the table has no addresses in it.
 *
 *   +--------+----------------------+-----+-----+
 *   | header | set: 8 marks, 256 B  | set | ... |
 *   +--------+----------------------+-----+-----+
 *
 * An epoch is a number that rises by one with each purge, so that no clock has to be trusted. A
 * purge writes the marks with the next epoch, then makes that the current one:
 *
 *   fetched in an epoch before the mark's   the fetch began before the purge returned: purged
 *   fetched in the mark's epoch, or later   it began after the marks were in place: stands
 *
 * Bounded: a label can lie in one set only. Where that is full, the mark with the oldest epoch gives
 * way and leaves its epochs as the *floor*: everything fetched before is purged, whatever its labels.
 * So a table that is too small purges too much, never too little.
 *
 * A table may also follow one that is elsewhere (storage/purge.c): it learns that one's marks, with
 * their epochs, and takes its epoch when it has them all.
 *
 * Readers take no lock and may meet a change at any point: epochs are written before the label, and
 * the floor before a mark is given up, so that what they miss in one place they find in the other.
 * A writer that dies leaves marks of an epoch that has not come yet; the next purge makes it come.
 */
#ifndef STORER_MARKS_H
#define STORER_MARKS_H

#include "storer.h"

#include <stdint.h>

typedef struct marks_header_t marks_header_t;
typedef struct marks_set_t    marks_set_t;

/** A table, as one process sees it. */
typedef struct marks_t {
    marks_header_t *header;
    marks_set_t    *sets;
    uint32_t        set_count;
} marks_t;

/** Bytes for a table of at least that many marks: 32 for each, and a header. A multiple of 64. */
apr_size_t marks_size(uint32_t count);

/**
 * The table at base. Parent, one thread; each process uses the view it inherits.
 * @param base  aligned to 64
 * @param size  from marks_size(); also what bounds every access
 * @param fresh 1: zeroed memory, made a table. 0: taken over as it is
 * @return APR_SUCCESS, or why there is no lock
 */
apr_status_t marks_attach(marks_t *marks, void *base, apr_size_t size, int fresh);

/** Parent, no other process uses it: after a process may have died with the lock in its hand in a
 * former life of the machine or of the file. */
apr_status_t marks_revive(marks_t *marks);

/** The current epoch. Any thread and process; one load. */
apr_uint64_t marks_epoch(const marks_t *marks);

/** What has become of something that was fetched in that epoch. Any thread and process, no lock.
 * One comparison where nothing was purged since. */
storer_standing_e marks_judge(const marks_t *marks, apr_uint64_t epoch, const apr_uint64_t *labels,
                              int count);

/**
 * Purge these labels, hard or soft, in one epoch of their own. Any thread and process; effective for
 * all of them when it returns.
 * @return APR_SUCCESS; APR_TIMEUP: the lock was held for too long, nothing was done
 */
apr_status_t marks_purge(const marks_t *marks, const apr_uint64_t *labels, int count, int hard);

/**
 * What was purged elsewhere, in an epoch that somebody else gave: of a table that follows others'. Any
 * thread and process; counts for readers at once. Nothing where the table knows that or better.
 * @param label NULL: everything that was fetched before that epoch
 * @return as marks_purge
 */
apr_status_t marks_learn(const marks_t *marks, const apr_uint64_t *label, int hard,
                         apr_uint64_t epoch);

/** All purges up to this epoch were learned. Nothing where it is not later than the current one. */
void marks_advance(const marks_t *marks, apr_uint64_t epoch);

typedef struct marks_stat_t {
    apr_uint64_t epoch;
    apr_uint64_t floor;   /* everything fetched before this epoch is purged */
    apr_uint32_t used, size;
} marks_stat_t;

/** Counts marks. Reads the whole table. */
void marks_stat(const marks_t *marks, marks_stat_t *stat);

#endif /* STORER_MARKS_H */
