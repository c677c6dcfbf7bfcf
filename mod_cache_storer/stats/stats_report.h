/* SPDX-License-Identifier: Apache-2.0
 *
 * stats_report.h - all numbers of a moment, for whoever shows them: counters by site, and what the
 * stores say of themselves.
 */
#ifndef STATS_REPORT_H
#define STATS_REPORT_H

#include "stats.h"

#include "../../storage/storer_host.h"

/** The name for SetHandler. */
#define REPORT_METRICS_HANDLER "cache-storer-metrics"

typedef struct report_site_t {
    const char  *name;
    apr_uint64_t label;
    stats_sums_t sums;
} report_site_t;

typedef struct report_store_t {
    const char   *name;   /**< storer_registry_label() */
    storer_stat_t stat;   /**< 0 where the engine does not count, or does not answer */
} report_store_t;

typedef struct report_t {
    apr_array_header_t *sites;    /**< of report_site_t */
    stats_sums_t        total;
    apr_array_header_t *stores;   /**< of report_store_t */
} report_t;

/** A number of storer_stat_t: a metric without "cache_storer_". */
typedef struct report_number_t {
    const char *name;
    size_t      offset;
    int         is_counter;
    const char *help;
} report_number_t;

/** Ends with name NULL. */
extern const report_number_t report_numbers[];

apr_uint64_t report_number(const report_number_t *number, const storer_stat_t *stat);

/** What this request may see: its virtual host, or in the main server everything. In r->pool. */
void report_make(report_t *report, request_rec *r);

/** The virtual host that a request is limited to; 0: it is the main server's. */
apr_uint64_t report_scope(const request_rec *r);

/** The stores of that scope; of storer_t *, in r->pool. */
const apr_array_header_t *report_stores(request_rec *r);

/** Register the handler, and the section in mod_status; in register_hooks. */
void report_metrics_register(void);
void report_status_register(void);

#endif /* STATS_REPORT_H */
