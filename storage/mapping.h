/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping.h - the wire form of a mapping: the protobuf message StorageMapper of darkweak/storages.
 *
 *   StorageMapper { map<string, KeyIndex> mapping = 1 }
 *   KeyIndex      { Timestamp stored_at = 1, fresh_time = 2, stale_time = 3;
 *                   map<string, stringList> varied_headers = 4; string etag = 5; string real_key =
 *                   6 }
 *   stringList    { repeated string list = 1 }        Timestamp { int64 seconds = 1; int32 nanos =
 *   2 }
 *
 * (A map is a repeated message of key = 1 and value = 2.) Read in place, without allocation: a
 * cursor steps over the entries, each of which borrows from the bytes it was read from. As in Go, a
 * field unknown to us is skipped and kept, a repeated one is merged or the last one counts, and a
 * bad tag, a truncation or a string that is not UTF-8 makes the whole mapping unreadable.
 */
#ifndef STORER_MAPPING_H
#define STORER_MAPPING_H

#include "storer.h"

/** A place in a mapping. Begin with storer_mapping_begin. */
typedef struct storer_mapping_cursor_t {
    const char *at, *end;
} storer_mapping_cursor_t;

/** A place among the varied headers of an entry. */
typedef struct storer_varied_cursor_t {
    storer_mapping_cursor_t entry, index;
} storer_varied_cursor_t;

/** One entry of the mapping: a KeyIndex with its key. All bytes are borrowed from the mapping. */
typedef struct storer_mapping_entry_t {
    storer_bytes_t     key;          /**< the varied key: where the value lies */
    storer_timestamp_t stored_at, fresh_time, stale_time;
    storer_bytes_t     etag;
    storer_bytes_t     real_key;
    int                varied_count; /**< varied headers, repeated ones counted again */
    storer_varied_cursor_t varied;   /**< the first of them, see storer_varied_begin */
    storer_bytes_t     raw;          /**< the map entry, without its tag and length */
} storer_mapping_entry_t;

void storer_mapping_begin(storer_mapping_cursor_t *cursor, storer_bytes_t mapping);

/** The next entry, checked in depth. APR_SUCCESS; APR_EOF: there are no more; APR_EINVAL: the
 *  mapping is
 * damaged, and nothing read from it so far may be used. */
apr_status_t storer_mapping_next(storer_mapping_cursor_t *cursor, storer_mapping_entry_t *entry);

/** Is there another entry with this key behind the cursor, which would count instead? */
int storer_mapping_is_superseded(storer_mapping_cursor_t cursor, storer_bytes_t key);

/** One varied header: its name, and its list of values in `raw`. */
typedef struct storer_varied_t {
    storer_bytes_t name;
    storer_bytes_t raw;
} storer_varied_t;

void storer_varied_begin(storer_varied_cursor_t *cursor, const storer_mapping_entry_t *entry);
/** APR_SUCCESS or APR_EOF. Headers of an entry that was read are sound. */
apr_status_t storer_varied_next(storer_varied_cursor_t *cursor, storer_varied_t *varied);
/** Is there another header of exactly this name behind the cursor, which would count instead? */
int storer_varied_is_superseded(storer_varied_cursor_t cursor, storer_bytes_t name);

/** A place among the values of a varied header. */
typedef storer_varied_cursor_t storer_value_cursor_t;
void storer_value_begin(storer_value_cursor_t *cursor, const storer_varied_t *varied);
apr_status_t storer_value_next(storer_value_cursor_t *cursor, storer_bytes_t *value);

/** Are the values, joined with ", ", this one? No values are the empty one. */
int storer_varied_equals(const storer_varied_t *varied, storer_bytes_t value);

/** As APR time, saturating; nanoseconds are cut off. */
apr_time_t storer_timestamp_time(storer_timestamp_t timestamp);
storer_timestamp_t storer_timestamp_of(apr_time_t time);

/** An entry to be written. Everything is borrowed. */
typedef struct storer_mapping_new_t {
    storer_bytes_t     key, real_key, etag;
    storer_timestamp_t stored_at, fresh_time, stale_time;
    const storer_header_t *varied_headers;  /**< each with one value */
    int                varied_count;
    storer_rank_fn    *rank;                /**< asked if there are too many; NULL: the age decides */
    storer_t          *store;               /**< for it */
} storer_mapping_new_t;

/**
 * Enter one variant into a mapping: takes the place of the entry with the same key; of the others
 * those that have expired at `now` go, and, where there are more than max_variants (0: any number),
 * those of least worth, of these the ones stored longest ago; so too where the mapping would get longer
 * than STORER_MAPPING_MAX. One that is damaged, or longer than that already, is replaced by one with
 * just the new entry.
 *
 * @param old     data NULL: there is none
 * @param out     in pool
 * @param dropped may be NULL; array of storer_bytes_t: keys of entries that went for expiry or
 *                number
 * @param expiry  may be NULL; when the last entry expires: the mapping is to be kept that long
 * @param damaged may be NULL; 1: old could not be read
 * @return APR_SUCCESS; APR_EINVAL: a string of the new entry is not UTF-8, which the format demands
 *         (a key may have any bytes in it: such a one can't be stored, as with upstream);
 *         APR_ENOSPC: the new entry alone is longer than a mapping may be
 */
apr_status_t storer_mapping_put(storer_bytes_t old, const storer_mapping_new_t *entry,
                                apr_time_t now, int max_variants, storer_bytes_t *out,
                                apr_array_header_t *dropped, apr_time_t *expiry, int *damaged,
                                apr_pool_t *pool);

#endif /* STORER_MAPPING_H */
