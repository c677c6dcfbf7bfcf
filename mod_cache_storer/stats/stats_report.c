/* SPDX-License-Identifier: Apache-2.0
 *
 * stats_report.c - see stats_report.h.
 */
#include "stats_report.h"

#include "../lifecycle.h"

#include "apr_strings.h"

#include <string.h>

const report_number_t report_numbers[] = {
    { "store_size_bytes", offsetof(storer_stat_t, size), 0, "Bytes the store may use" },
    { "store_used_bytes", offsetof(storer_stat_t, used), 0, "Bytes in use, metadata included" },
    { "store_keys", offsetof(storer_stat_t, entries), 0, "Keys in the store, mappings included" },
    { "store_evictions", offsetof(storer_stat_t, evictions), 1, "Values dropped for want of room" },
    { "store_expirations", offsetof(storer_stat_t, expirations), 1,
      "Values dropped because their time was over" },
    { "store_recoveries", offsetof(storer_stat_t, recoveries), 1,
      "Repairs after a process died in the store" },
    { "store_damages", offsetof(storer_stat_t, damages), 1, "Damage found and dropped" },
    { NULL, 0, 0, NULL }
};

apr_uint64_t report_number(const report_number_t *number, const storer_stat_t *stat)
{
    apr_uint64_t value;

    memcpy(&value, (const char *)stat + number->offset, sizeof(value));
    return value;
}

apr_uint64_t report_scope(const request_rec *r)
{
    return r->server->is_virtual ? config_of(r->server)->site : 0;
}

const apr_array_header_t *report_stores(request_rec *r)
{
    storer_registry_t *registry = lifecycle_stores();
    apr_array_header_t *stores;

    if (!r->server->is_virtual && registry) {
        return storer_registry_list(registry);
    }
    stores = apr_array_make(r->pool, 1, sizeof(storer_t *));
    if (config_of(r->server)->store) {
        APR_ARRAY_PUSH(stores, storer_t *) = config_of(r->server)->store;
    }
    return stores;
}

static void add_sites(report_t *report, request_rec *r)
{
    apr_uint64_t only = report_scope(r);
    stats_map_t map;
    uint32_t i;
    int k;

    if (stats_here(&map) != APR_SUCCESS) {
        return;
    }
    for (i = 0; i < map.site_count; i++) {
        report_site_t *site;

        if (only && map.sites[i].label != only) {
            continue;
        }
        site = apr_array_push(report->sites);
        memset(site, 0, sizeof(*site));
        site->name = apr_pstrndup(r->pool, map.sites[i].name, STATS_NAME_MAX);
        site->label = map.sites[i].label;
        stats_add_up(&map, i, site->sums);
        for (k = 0; k < STATS_COUNTERS; k++) {
            report->total[k] += site->sums[k];
        }
    }
}

void report_make(report_t *report, request_rec *r)
{
    const apr_array_header_t *stores = report_stores(r);
    int i;

    memset(report->total, 0, sizeof(report->total));
    report->sites = apr_array_make(r->pool, 8, sizeof(report_site_t));
    report->stores = apr_array_make(r->pool, stores->nelts + 1, sizeof(report_store_t));
    add_sites(report, r);
    for (i = 0; i < stores->nelts; i++) {
        storer_t *store = APR_ARRAY_IDX(stores, i, storer_t *);
        report_store_t *told = apr_array_push(report->stores);

        memset(told, 0, sizeof(*told));
        told->name = storer_registry_label(lifecycle_stores(), store);
        if (storer_stat(store, &told->stat) != APR_SUCCESS) {
            memset(&told->stat, 0, sizeof(told->stat));
        }
    }
}
