/* SPDX-License-Identifier: Apache-2.0
 *
 * stats_places.h - which virtual host counts at which place of the file, as the parent process knows
 * it. Calls nothing of httpd.
 *
 * Every child can write to the whole file, and the parent runs as root: so the parent keeps all bounds
 * and the names of the sites in memory of its own, and follows nothing that is in the file. From there
 * it takes the values of counters, and nothing else.
 */
#ifndef STATS_PLACES_H
#define STATS_PLACES_H

#include "stats_layout.h"

#include <apr_time.h>

/** malloc'ed, plain data: it outlives the module, which is unloaded at each restart. */
typedef struct stats_places_t {
    void        *base;         /**< the file, mapped by the caller */
    uint64_t     size;
    uint32_t     site_max, site_count, stripes;
    uint32_t     parent;       /**< this process */
    uint64_t     parent_start;
    apr_time_t   since;
    stats_site_t sites[];
} stats_places_t;

/** Make zeroed memory a file of counters.
 * @param base stats_size() bytes for so many sites
 * @return NULL: no memory; nothing was written */
stats_places_t *stats_places_create(void *base, uint32_t site_max, apr_time_t now);

/** The place of a site, which may be a new one. @return site_max: there is none left */
uint32_t stats_places_of(stats_places_t *places, uint64_t label, const char *name);

/** Whether so many sites that are not among those with a place could have one. */
int stats_places_fit(const stats_places_t *places, const uint64_t *labels, uint32_t count);

/** For those who count and add up. */
void stats_places_map(const stats_places_t *places, stats_map_t *map);

/** What was counted so far goes on. Children of the generation before still count in the old memory;
 * what they add from now on is lost. */
void stats_places_carry_over(stats_places_t *to, const stats_places_t *from);

/** Whether the file with this name is the one that is mapped. */
int stats_places_is_file(const stats_places_t *places, const char *path, apr_pool_t *pool);

#endif /* STATS_PLACES_H */
