/* SPDX-License-Identifier: Apache-2.0
 *
 * stats_layout.h - the counters as they lie in a file in httpd's runtime directory, and how they are
 * read. Calls nothing of httpd: the command line tool reads the file itself, also when httpd is busy.
 *
 *   +--------+----------------+----------------------------------------------------------+
 *   | header | sites: a name  | cells: for each site STATS_STRIPES stripes of STATS_CELLS |
 *   |        | and a label    | counters                                                  |
 *   +--------+----------------+----------------------------------------------------------+
 *
 * A thread adds to the stripe of its connection, so that two threads rarely write one line of memory;
 * who reads adds the stripes up. All counters only grow, from the start of the parent process on.
 */
#ifndef STATS_LAYOUT_H
#define STATS_LAYOUT_H

#include <apr_errno.h>
#include <apr_pools.h>

#include <stdint.h>

#define STATS_FILE_NAME "cache_storer.stats"

#define STATS_MAGIC     UINT64_C(0x3173746174537453)
#define STATS_VERSION   1u
#define STATS_STRIPES   64u
#define STATS_CELLS     64u
#define STATS_NAME_MAX  112u

/** Of the time of look-ups: bucket n is for less than 2^n microseconds, the last one for all others. */
#define STATS_BUCKETS   16

/** One look-up of so many is timed. */
#define STATS_SAMPLE    16

typedef enum stats_counter_e {
    STATS_HITS,              /**< fresh, without a question to the origin */
    STATS_STALE_HITS,        /**< stale, while it is fetched again or since the origin fails */
    STATS_REVALIDATED,       /**< served after the origin has confirmed it */
    STATS_MISS_URI,          /**< nothing was stored for the URL */
    STATS_MISS_VARY,         /**< no variant was for this request */
    STATS_MISS_STALE,        /**< what is stored was not fresh, and is not any more */
    STATS_MISS_REQUEST,      /**< the request forbids to use what is stored */
    STATS_MISS_METHOD,
    STATS_MISS_BYPASS,       /**< by configuration */
    STATS_COLLAPSED,         /**< of the hits: fetched by another request, which this one waited for */
    STATS_STORES,
    STATS_DECLINED_HEADERS,  /**< not stored: mod_cache says so, by the response's header */
    STATS_DECLINED_RULES,    /**< not stored: a directive of ours, or Vary */
    STATS_DECLINED_CUT,      /**< not stored: it did not come to its end */
    STATS_DECLINED_STORE,    /**< not stored: the store did not take it */
    STATS_REFRESHES,         /**< fetched in the background */
    STATS_PURGES_HARD,
    STATS_PURGES_SOFT,
    STATS_INVALIDATIONS,     /**< by unsafe requests */
    STATS_BYTES_CACHE,       /**< of bodies sent, from the store */
    STATS_BYTES_ORIGIN,      /**< of bodies sent that were not */
    STATS_SAVED_US,          /**< what the origin took for what was served, each time */
    STATS_ERRORS,            /**< a store has failed */
    STATS_LOOKUP_US,         /**< of all look-ups that were timed */
    STATS_LOOKUPS,           /**< the first of STATS_BUCKETS */
    STATS_COUNTERS = STATS_LOOKUPS + STATS_BUCKETS
} stats_counter_e;

_Static_assert(STATS_COUNTERS <= STATS_CELLS, "they fit into a stripe");

typedef struct stats_header_t {
    uint64_t magic;          /**< written last */
    uint32_t version;
    uint32_t site_max;       /**< places for sites */
    uint32_t site_count;     /**< in use */
    uint32_t parent;         /**< pid of the parent process */
    uint64_t parent_start;   /**< process_start() of it */
    uint64_t size;           /**< bytes of the file */
    int64_t  since;          /**< apr_time_t: when counting began */
    uint64_t reserved[2];
} stats_header_t;

typedef struct stats_site_t {
    uint64_t label;          /**< purge/labels.h */
    uint64_t reserved;
    char     name[STATS_NAME_MAX];   /**< ends with a NUL */
} stats_site_t;

_Static_assert(sizeof(stats_header_t) == 64, "stored layout");
_Static_assert(sizeof(stats_site_t) == 128, "stored layout");

/** A file that is mapped. Counts are copies: nothing in it leads out of bounds. */
typedef struct stats_map_t {
    stats_header_t *header;
    stats_site_t   *sites;
    uint64_t       *cells;
    uint32_t        site_count;
} stats_map_t;

typedef uint64_t stats_sums_t[STATS_COUNTERS];

/** Bytes of a file with so many places. */
uint64_t stats_size(uint32_t site_max);

/** Look at size bytes of memory as such a file.
 * @return APR_SUCCESS, or APR_EINVAL: it is none of this version, or is damaged */
apr_status_t stats_map(stats_map_t *map, void *base, uint64_t size);

/** Map a file to read it. Unmapped with pool. */
apr_status_t stats_open(stats_map_t *map, const char *path, apr_pool_t *pool);

/** Add a site's counters to sums. */
void stats_add_up(const stats_map_t *map, uint32_t site, stats_sums_t sums);

/** The requests that are hits (of every kind), and those that are misses. */
uint64_t stats_hits(const stats_sums_t sums);
uint64_t stats_misses(const stats_sums_t sums);

#endif /* STATS_LAYOUT_H */
