/* SPDX-License-Identifier: Apache-2.0
 *
 * stats.h - counting what the cache does: for each virtual host, in memory that all processes share
 * and that outlives a graceful restart (stats_layout.h).
 */
#ifndef STATS_H
#define STATS_H

#include "stats_layout.h"

#include "../config.h"
#include "../state.h"

#include "httpd.h"

/** Registers the hooks: a request is counted when it is logged. */
void stats_register(void);

/** Finds the counters of each server, or makes them. Parent, post_config; where it fails, which is
 * logged, nothing is counted. */
void stats_start(apr_pool_t *pconf, server_rec *main_server);

/** The counters of this generation. @return APR_ENOENT: there are none */
apr_status_t stats_here(stats_map_t *map);

/** Add to a counter of the request's virtual host. Any thread; a handful of instructions. */
static inline void stats_add(const config_server_t *config, const request_rec *r,
                             stats_counter_e counter, uint64_t number)
{
    if (config->counters) {
        uint64_t *stripe = config->counters
                           + ((uint64_t)r->connection->id % STATS_STRIPES) * STATS_CELLS;

        __atomic_fetch_add(&stripe[counter], number, __ATOMIC_RELAXED);
    }
}

static inline void stats_count(const request_rec *r, stats_counter_e counter)
{
    stats_add(config_of(r->server), r, counter, 1);
}

/** The request is for the module itself, and none of those that are counted. */
void stats_omit(request_rec *r);

/** Whether the look-up of this request is one of those that are timed. */
static inline int stats_times(const config_server_t *config, const request_rec *r)
{
    return (uint64_t)r->request_time % STATS_SAMPLE == 0 && config->counters;
}

/** A look-up that took so long. */
void stats_timed(const config_server_t *config, const request_rec *r, apr_interval_time_t time);

#endif /* STATS_H */
