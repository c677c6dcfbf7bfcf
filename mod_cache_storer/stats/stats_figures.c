/* SPDX-License-Identifier: Apache-2.0
 *
 * stats_figures.c - see stats_figures.h.
 */
#include "stats_figures.h"

#include <apr_time.h>

#include <string.h>

#define REQUESTS "Requests that passed the module, by what became of them"
#define DECLINED "Responses that were not stored"
#define PURGES   "Purges and invalidations that were asked for"
#define SENT     "Bytes of bodies sent"

const stats_figure_t stats_figures[] = {
    { STATS_HITS, "requests", "result", "hit", "fresh_hits", 1, REQUESTS },
    { STATS_STALE_HITS, "requests", "result", "stale", "stale_hits", 1, REQUESTS },
    { STATS_REVALIDATED, "requests", "result", "revalidated", "revalidated", 1, REQUESTS },
    { STATS_MISS_URI, "requests", "result", "uri-miss", "misses_uri", 1, REQUESTS },
    { STATS_MISS_VARY, "requests", "result", "vary-miss", "misses_vary", 1, REQUESTS },
    { STATS_MISS_STALE, "requests", "result", "stale-miss", "misses_stale", 1, REQUESTS },
    { STATS_MISS_REQUEST, "requests", "result", "request", "misses_request", 1, REQUESTS },
    { STATS_MISS_METHOD, "requests", "result", "method", "misses_method", 1, REQUESTS },
    { STATS_MISS_BYPASS, "requests", "result", "bypass", "misses_bypass", 1, REQUESTS },
    { STATS_COLLAPSED, "collapsed", NULL, NULL, "collapsed", 1,
      "Hits on what another request fetched while they waited" },
    { STATS_STORES, "stores", NULL, NULL, "stores", 1, "Responses stored or refreshed" },
    { STATS_DECLINED_HEADERS, "declined", "reason", "headers", "declined_headers", 1, DECLINED },
    { STATS_DECLINED_RULES, "declined", "reason", "rules", "declined_rules", 1, DECLINED },
    { STATS_DECLINED_CUT, "declined", "reason", "cut", "declined_cut", 1, DECLINED },
    { STATS_DECLINED_STORE, "declined", "reason", "store", "declined_store", 1, DECLINED },
    { STATS_REFRESHES, "refreshes", NULL, NULL, "refreshes", 1, "Fetches in the background" },
    { STATS_PURGES_HARD, "purges", "kind", "hard", "purges_hard", 1, PURGES },
    { STATS_PURGES_SOFT, "purges", "kind", "soft", "purges_soft", 1, PURGES },
    { STATS_INVALIDATIONS, "purges", "kind", "invalidation", "invalidations", 1, PURGES },
    { STATS_BYTES_CACHE, "sent_bytes", "source", "cache", "bytes_from_cache", 1, SENT },
    { STATS_BYTES_ORIGIN, "sent_bytes", "source", "origin", "bytes_from_origin", 1, SENT },
    { STATS_SAVED_US, "origin_seconds_saved", NULL, NULL, "origin_seconds_saved", 1e-6,
      "What the origin took for the responses that were served, once for each hit" },
    { STATS_ERRORS, "errors", NULL, NULL, "errors", 1, "Look-ups that the store failed" },
    { STATS_COUNTERS, NULL, NULL, NULL, NULL, 0, NULL }
};

double stats_lookup_percentile(const stats_sums_t sums, double part)
{
    uint64_t count = 0, seen = 0;
    int bucket;

    for (bucket = 0; bucket < STATS_BUCKETS; bucket++) {
        count += sums[STATS_LOOKUPS + bucket];
    }
    if (count == 0) {
        return 0;
    }
    for (bucket = 0; bucket < STATS_BUCKETS - 1; bucket++) {
        seen += sums[STATS_LOOKUPS + bucket];
        if ((double)seen >= part * (double)count) {
            break;
        }
    }
    return (double)(UINT64_C(1) << bucket) * 1e-6;
}

json_t *stats_json(const stats_sums_t sums)
{
    uint64_t hits = stats_hits(sums), misses = stats_misses(sums);
    const stats_figure_t *figure;
    json_t *json = json_object();

    json_object_set_new(json, "hits", json_integer((json_int_t)hits));
    json_object_set_new(json, "misses", json_integer((json_int_t)misses));
    json_object_set_new(json, "hit_ratio", hits + misses == 0 ? json_null()
                        : json_real((double)hits / (double)(hits + misses)));
    for (figure = stats_figures; figure->metric; figure++) {
        uint64_t value = sums[figure->counter];

        json_object_set_new(json, figure->json, figure->unit == 1
                            ? json_integer((json_int_t)value)
                            : json_real((double)value * figure->unit));
    }
    json_object_set_new(json, "lookup", json_pack("{s:f, s:f, s:f}",
                        "p50_seconds", stats_lookup_percentile(sums, 0.50),
                        "p90_seconds", stats_lookup_percentile(sums, 0.90),
                        "p99_seconds", stats_lookup_percentile(sums, 0.99)));
    return json;
}

json_t *stats_json_of_map(const stats_map_t *map, uint64_t only)
{
    json_t *sites = json_array();
    stats_sums_t total;
    uint32_t i;

    memset(total, 0, sizeof(total));
    for (i = 0; i < map->site_count; i++) {
        stats_sums_t sums;
        json_t *site;
        int k;

        if (only && map->sites[i].label != only) {
            continue;
        }
        memset(sums, 0, sizeof(sums));
        stats_add_up(map, i, sums);
        for (k = 0; k < STATS_COUNTERS; k++) {
            total[k] += sums[k];
        }
        site = stats_json(sums);
        json_object_set_new(site, "site", json_stringn(map->sites[i].name,
                            strnlen(map->sites[i].name, STATS_NAME_MAX)));
        json_array_append_new(sites, site);
    }
    return json_pack("{s:o, s:o, s:f}", "total", stats_json(total), "sites", sites, "since_epoch",
                     (double)map->header->since / APR_USEC_PER_SEC);
}
