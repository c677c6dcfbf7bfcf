/* SPDX-License-Identifier: Apache-2.0
 *
 * stats_metrics.c - the handler cache-storer-metrics: all numbers in the text format 0.0.4 of
 * Prometheus. A virtual host's metrics are its own; the main server has those of all.
 */
#include "stats_figures.h"
#include "stats_report.h"

#include "../access/stranger.h"

#include "http_protocol.h"
#include "http_request.h"
#include "apr_strings.h"

#include <string.h>

#define PREFIX "cache_storer_"

/* The value of a label: backslash, quote and line feed are escaped. */
static const char *label_text(const char *text, apr_pool_t *pool)
{
    char *escaped = apr_palloc(pool, 2 * strlen(text) + 1), *to = escaped;

    for (; *text; text++) {
        if (*text == '\\' || *text == '"' || *text == '\n') {
            *to++ = '\\';
        }
        *to++ = *text == '\n' ? 'n' : *text;
    }
    *to = '\0';
    return escaped;
}

static void head(request_rec *r, const char *metric, const char *suffix, const char *type,
                 const char *help)
{
    (void)ap_rprintf(r, "# HELP " PREFIX "%s%s %s\n# TYPE " PREFIX "%s%s %s\n", metric, suffix, help,
                     metric, suffix, type);
}

/* @return the figure that begins the next metric */
static const stats_figure_t *put_metric(request_rec *r, const report_t *report,
                                        const stats_figure_t *first)
{
    const stats_figure_t *figure = first;
    int i;

    head(r, first->metric, "_total", "counter", first->help);
    for (; figure->metric && strcmp(figure->metric, first->metric) == 0; figure++) {
        for (i = 0; i < report->sites->nelts; i++) {
            const report_site_t *site = &APR_ARRAY_IDX(report->sites, i, report_site_t);
            double value = (double)site->sums[figure->counter] * figure->unit;

            (void)ap_rprintf(r, PREFIX "%s_total{site=\"%s\"", figure->metric,
                             label_text(site->name, r->pool));
            if (figure->label) {
                (void)ap_rprintf(r, ",%s=\"%s\"", figure->label, figure->value);
            }
            (void)ap_rprintf(r, figure->unit == 1 ? "} %.0f\n" : "} %.6f\n", value);
        }
    }
    return figure;
}

static void put_lookups(request_rec *r, const report_t *report)
{
    static const char metric[] = "lookup_duration_seconds";
    int i, bucket;

    head(r, metric, "", "histogram",
         "Time of a look-up in the store; one of sixteen is timed");
    for (i = 0; i < report->sites->nelts; i++) {
        const report_site_t *site = &APR_ARRAY_IDX(report->sites, i, report_site_t);
        const char *name = label_text(site->name, r->pool);
        uint64_t seen = 0;

        for (bucket = 0; bucket < STATS_BUCKETS; bucket++) {
            const char *bound = bucket == STATS_BUCKETS - 1 ? "+Inf"
                                : apr_psprintf(r->pool, "%.6f", (double)(1u << bucket) * 1e-6);

            seen += site->sums[STATS_LOOKUPS + bucket];
            (void)ap_rprintf(r, PREFIX "%s_bucket{site=\"%s\",le=\"%s\"} %" APR_UINT64_T_FMT "\n",
                             metric, name, bound, (apr_uint64_t)seen);
        }
        (void)ap_rprintf(r, PREFIX "%s_sum{site=\"%s\"} %.6f\n" PREFIX "%s_count{site=\"%s\"} %"
                         APR_UINT64_T_FMT "\n", metric, name,
                         (double)site->sums[STATS_LOOKUP_US] * 1e-6, metric, name,
                         (apr_uint64_t)seen);
    }
}

static void put_stores(request_rec *r, const report_t *report)
{
    const report_number_t *number;
    int i;

    for (number = report_numbers; number->name; number++) {
        head(r, number->name, number->is_counter ? "_total" : "",
             number->is_counter ? "counter" : "gauge", number->help);
        for (i = 0; i < report->stores->nelts; i++) {
            const report_store_t *store = &APR_ARRAY_IDX(report->stores, i, report_store_t);

            (void)ap_rprintf(r, PREFIX "%s%s{store=\"%s\"} %" APR_UINT64_T_FMT "\n", number->name,
                             number->is_counter ? "_total" : "", label_text(store->name, r->pool),
                             report_number(number, &store->stat));
        }
    }
}

static int handle(request_rec *r)
{
    const stats_figure_t *figure = stats_figures;
    report_t report;

    if (!r->handler || strcmp(r->handler, REPORT_METRICS_HANDLER) != 0) {
        return DECLINED;
    }
    stats_omit(r);
    if (r->method_number != M_GET) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if (!access_is_restricted(r, "cache-storer-metrics", ACCESS_CURE_LOCATION)
        || !access_is_own_name(r, "cache-storer-metrics")) {
        return HTTP_FORBIDDEN;
    }
    report_make(&report, r);
    ap_set_content_type(r, "text/plain; version=0.0.4; charset=utf-8");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    while (figure->metric) {
        figure = put_metric(r, &report, figure);
    }
    put_lookups(r, &report);
    put_stores(r, &report);
    return OK;
}

void report_metrics_register(void)
{
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}
