/* SPDX-License-Identifier: Apache-2.0
 *
 * stats_status.c - the section in mod_status's page, and its lines in ?auto. Like all of that page it
 * is the server's, whichever virtual host it is asked of.
 */
#include "stats_figures.h"
#include "stats_report.h"

#include "mod_status.h"
#include "http_core.h"
#include "http_main.h"
#include "http_protocol.h"
#include "apr_strings.h"

static void put_auto(request_rec *r, const report_t *report)
{
    const stats_figure_t *figure;
    const report_number_t *number;
    int i;

    for (figure = stats_figures; figure->metric; figure++) {
        (void)ap_rprintf(r, figure->unit == 1 ? "CacheStorer_%s: %.0f\n" : "CacheStorer_%s: %.6f\n",
                         figure->json, (double)report->total[figure->counter] * figure->unit);
    }
    for (number = report_numbers; number->name; number++) {
        apr_uint64_t sum = 0;

        for (i = 0; i < report->stores->nelts; i++) {
            sum += report_number(number, &APR_ARRAY_IDX(report->stores, i, report_store_t).stat);
        }
        (void)ap_rprintf(r, "CacheStorer_%s: %" APR_UINT64_T_FMT "\n", number->name, sum);
    }
}

static const char *percent(uint64_t part, uint64_t of, apr_pool_t *pool)
{
    return of ? apr_psprintf(pool, "%.1f %%", 100.0 * (double)part / (double)of) : "-";
}

static void put_site(request_rec *r, const char *name, const stats_sums_t sums)
{
    uint64_t hits = stats_hits(sums), misses = stats_misses(sums);
    char cache[5], origin[5];

    (void)ap_rprintf(r, "<tr><td>%s</td><td>%" APR_UINT64_T_FMT "</td><td>%s</td><td>%"
                     APR_UINT64_T_FMT "</td><td>%" APR_UINT64_T_FMT "</td><td>%" APR_UINT64_T_FMT
                     "</td><td>%s</td><td>%s</td><td>%.1f s</td></tr>\n",
                     ap_escape_html(r->pool, name), (apr_uint64_t)(hits + misses),
                     percent(hits, hits + misses, r->pool), (apr_uint64_t)sums[STATS_STALE_HITS],
                     (apr_uint64_t)sums[STATS_COLLAPSED], (apr_uint64_t)sums[STATS_STORES],
                     apr_strfsize((apr_off_t)sums[STATS_BYTES_CACHE], cache),
                     apr_strfsize((apr_off_t)sums[STATS_BYTES_ORIGIN], origin),
                     (double)sums[STATS_SAVED_US] * 1e-6);
}

static void put_html(request_rec *r, const report_t *report)
{
    int i;

    (void)ap_rputs("<hr>\n<h2>mod_cache_storer</h2>\n<table border=\"1\"><tr><th>site</th><th>requests"
                   "</th><th>hits</th><th>stale</th><th>collapsed</th><th>stored</th><th>from the "
                   "cache</th><th>from the origin</th><th>origin time saved</th></tr>\n", r);
    for (i = 0; i < report->sites->nelts; i++) {
        const report_site_t *site = &APR_ARRAY_IDX(report->sites, i, report_site_t);

        if (stats_hits(site->sums) + stats_misses(site->sums) > 0) {
            put_site(r, site->name, site->sums);
        }
    }
    put_site(r, "all", report->total);
    (void)ap_rputs("</table>\n<table border=\"1\"><tr><th>store</th><th>used</th><th>of</th><th>keys"
                   "</th><th>evictions</th><th>expirations</th></tr>\n", r);
    for (i = 0; i < report->stores->nelts; i++) {
        const report_store_t *store = &APR_ARRAY_IDX(report->stores, i, report_store_t);
        char used[5], size[5];

        (void)ap_rprintf(r, "<tr><td>%s</td><td>%s</td><td>%s</td><td>%" APR_UINT64_T_FMT "</td><td>%"
                         APR_UINT64_T_FMT "</td><td>%" APR_UINT64_T_FMT "</td></tr>\n",
                         ap_escape_html(r->pool, store->name),
                         apr_strfsize((apr_off_t)store->stat.used, used),
                         apr_strfsize((apr_off_t)store->stat.size, size), store->stat.entries,
                         store->stat.evictions, store->stat.expirations);
    }
    (void)ap_rputs("</table>\n", r);
}

static int show(request_rec *r, int flags)
{
    request_rec server = *r;
    report_t report;

    server.server = ap_server_conf;
    report_make(&report, &server);
    if (flags & AP_STATUS_SHORT) {
        put_auto(r, &report);
    }
    else {
        put_html(r, &report);
    }
    return OK;
}

void report_status_register(void)
{
    APR_OPTIONAL_HOOK(ap, status_hook, show, NULL, NULL, APR_HOOK_MIDDLE);
}
