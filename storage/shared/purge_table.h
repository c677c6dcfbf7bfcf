/* SPDX-License-Identifier: Apache-2.0
 *
 * purge_table.h - purges that cost the same however much they purge: a table of labels in shared
 * memory, each with the epoch of its last purge. A value that was fetched in an earlier epoch and
 * has the label is purged, wherever it lies; a look-up of the value finds that out.
 *
 * Used by purge.c, and by the memory engine, which keeps a table in its segment. The table knows
 * labels and epochs; it knows nothing of keys, values or time. The memory is the caller's, and may
 * lie in a file: the table has no addresses in it.
 *
 *   +--------+-----------------------+-----+-----+
 *   | header | set: 8 labels, 256 B  | set | ... |
 *   +--------+-----------------------+-----+-----+
 *
 * An epoch is a number that rises by one with each purge, so that no clock has to be trusted. A
 * purge writes the marks of its labels with the next epoch, then makes that epoch the current one:
 *
 *   fetched in an epoch before the mark's   the fetch began before the purge returned: purged
 *   fetched in the mark's epoch, or later   the fetch began after the marks were in place: stands
 *
 * There are two kinds of marks. A *lasting* mark (STORER_PURGE_HARD, STORER_PURGE_SOFT) is needed
 * for as long as a value that it purges may be stored. A *passing* mark (STORER_PURGE_DROPPED) is
 * needed only while a fetch that began before the purge may be under way, because the caller has
 * dropped the stored values by himself.
 *
 * The table is bounded. A label can lie in two sets (two choices keep the sets evenly filled). If
 * both are full, a mark is displaced, and leaves its epochs as a *floor*, so that a table that is
 * too small purges too much and never too little:
 *
 *   displaced   everything that was fetched before its epoch and ...
 *   ----------------------------------------------------------------------------------------------
 *   a passing mark   ... is yet to be stored is purged: some fetches are not stored
 *   a lasting mark   ... is stored is purged, whatever its labels: the store is as good as empty
 *
 * So passing marks are displaced first, oldest first, and a lasting mark displaces another lasting
 * mark only if 6 of the 8 in each of its sets are lasting. Before it comes to that the table is
 * *crowded*, and is to be tidied: the caller looks at each stored value (purge_tidy_see()) and
 * drops those that are purged; marks that no stored value needs any more become passing ones.
 *
 * A table may also follow one that is elsewhere (purge.c): it learns that one's marks, with their
 * epochs, and takes its epoch when it has them all.
 *
 * Readers take no lock and may meet a change at any point: epochs are written before the label, and
 * the floor before a mark is displaced, so that what they miss in one place they find in the other.
 * A writer that dies leaves marks of an epoch that has not come yet; the next purge makes it come.
 */
#ifndef STORER_PURGE_TABLE_H
#define STORER_PURGE_TABLE_H

#include "storer.h"

#include <stdint.h>

/** Changes with the layout: belongs into the name under which the memory is retained. */
#define PURGE_TABLE_LAYOUT_VERSION 2

typedef struct purge_header_t purge_header_t;
typedef struct purge_set_t    purge_set_t;

/** A table, as one process sees it. */
typedef struct purge_table_t {
    purge_header_t *header;
    purge_set_t    *sets;
    uint32_t        set_count;
} purge_table_t;

/** Bytes for a table of at least that many marks: 32 for each, and a header. A multiple of 64. */
apr_size_t purge_table_size(uint32_t count);

/**
 * The table at base. Parent, one thread; each process uses the view it inherits.
 * @param base  aligned to 64
 * @param size  from purge_table_size(); also what bounds every access
 * @param fresh 1: zeroed memory, made a table. 0: taken over as it is
 * @return APR_SUCCESS, or why there is no lock
 */
apr_status_t purge_table_attach(purge_table_t *table, void *base, apr_size_t size, int fresh);

/** Parent, no other process uses it: after a process may have died with the lock in its hand in a
 * former life of the machine or of the file. */
apr_status_t purge_table_revive(purge_table_t *table);

/** The current epoch. Any thread and process; one load. */
apr_uint64_t purge_table_epoch(const purge_table_t *table);

/** The epoch of the last purge with a lasting mark: a value that was fetched then or later is
 * purged by passing marks at most. Any thread and process; one load. */
apr_uint64_t purge_table_lasting(const purge_table_t *table);

/**
 * What has become of a value that was fetched in that epoch. Any thread and process, no lock. One
 * comparison if nothing was purged since.
 * @param arriving 0: the value is stored; 1: it has been fetched, and is about to be stored
 */
storer_standing_e purge_table_judge(const purge_table_t *table, apr_uint64_t epoch,
                                    const apr_uint64_t *labels, int count, int arriving);

/**
 * Purge these labels in one epoch of their own. Any thread and process; effective for all of them
 * when it returns. STORER_PURGE_DROPPED without a label: every fetch that is under way.
 * @return APR_SUCCESS; APR_TIMEUP: the lock was held for too long, nothing was done
 */
apr_status_t purge_table_purge(const purge_table_t *table, const apr_uint64_t *labels, int count,
                               storer_purge_e kind);

/**
 * A purge of elsewhere, in an epoch that was given there: for a table that follows another one. Any
 * thread and process; counts for readers at once. Does nothing if the table has it, or a later one.
 * @param label NULL: everything that was fetched before that epoch
 * @return as purge_table_purge
 */
apr_status_t purge_table_learn(const purge_table_t *table, const apr_uint64_t *label,
                               storer_purge_e kind, apr_uint64_t epoch);

/** All purges up to this epoch were learned. Does nothing if it is not later than the current
 * one. */
void purge_table_advance(const purge_table_t *table, apr_uint64_t epoch);

/** Each purge that the table has: its floors with label NULL, and its marks; in no order. Without a
 * lock: who comes meanwhile may be missed. @return APR_SUCCESS, or what fn returned */
apr_status_t purge_table_each(const purge_table_t *table, storer_purged_fn *fn, void *baton);

typedef struct purge_stat_t {
    apr_uint64_t epoch;
    apr_uint64_t floor;          /**< everything stored that was fetched before this epoch is purged */
    apr_uint64_t floor_arriving; /**< everything fetched before this epoch is not stored any more */
    apr_uint32_t lasting, passing, size;
} purge_stat_t;

/** Counts marks. Reads the whole table. */
void purge_table_stat(const purge_table_t *table, purge_stat_t *stat);

/** Everything stored that was fetched before this epoch is purged, or stale. One or two loads. */
apr_uint64_t purge_table_floor(const purge_table_t *table);

/** Once in a minute, over all processes: the floor has risen, which is worth a line in the log. */
int purge_table_may_tell(const purge_table_t *table, apr_time_t now);

/* ---- tidying ---- */

/** So many lasting marks may be added before it is asked again whether the table is crowded. */
int purge_table_room(const purge_table_t *table);

/** There are so many lasting marks that the table is to be tidied, and it has not been in vain
 * lately. Any thread and process; a few loads. */
int purge_table_is_crowded(const purge_table_t *table);

/** A look at all stored values, in one thread. */
typedef struct purge_tidy_t {
    const purge_table_t *table;
    apr_uint64_t         epoch;   /**< marks up to this one are judged */
    unsigned char       *needed;  /**< a bit for each mark; malloc'ed */
} purge_tidy_t;

/** Begin. @return APR_SUCCESS: purge_tidy_end() must follow, in the same thread; APR_EBUSY: another
 * one does it already; APR_ENOMEM */
apr_status_t purge_tidy_begin(purge_tidy_t *tidy, const purge_table_t *table);

/** One value, of this epoch and with these labels. @return what has become of it: if it is GONE,
 * the caller is to drop it, since its marks may go */
storer_standing_e purge_tidy_see(purge_tidy_t *tidy, apr_uint64_t epoch, const apr_uint64_t *labels,
                                 int count);

/** End. complete: all values that were stored when it began were seen, and those that are gone were
 * dropped: marks that none of them needs become passing ones. Else all marks stay, and the table is
 * not crowded until there are some more. */
void purge_tidy_end(purge_tidy_t *tidy, int complete);

#endif /* STORER_PURGE_TABLE_H */
