/* SPDX-License-Identifier: Apache-2.0
 *
 * numbers.c - stats and top. The counters come from their file, which needs no child of httpd to have
 * time; what stores say of themselves, and what is popular, from the API, where its URL is given.
 */
#include "storerctl.h"

#include "../mod_cache_storer/stats/stats_figures.h"

#include <apr_strings.h>
#include <apr_time.h>

#include <stdlib.h>
#include <string.h>

/* The counters, and where they were read; "stores" and more by the API. @return a new reference */
static tool_exit_e read_stats(tool_t *tool, json_t **stats)
{
    apr_pool_t *pool;
    stats_map_t map;
    char reason[120];
    apr_status_t rv;

    if (tool->url_given) {
        return api_call(tool, "GET", "/stats", NULL, stats, NULL);
    }
    apr_pool_create(&pool, tool->pool);
    rv = stats_open(&map, tool->stats_file, pool);
    *stats = rv == APR_SUCCESS ? stats_json_of_map(&map, 0) : NULL;
    apr_pool_destroy(pool);
    if (rv == APR_SUCCESS) {
        return TOOL_OK;
    }
    if (APR_STATUS_IS_EACCES(rv)) {
        return tool_fail(TOOL_UNREACHABLE, "%s: only the user who starts httpd may read it; --url asks "
                         "httpd instead", tool->stats_file);
    }
    return tool_fail(TOOL_UNREACHABLE, "%s: %s; is httpd running, with mod_cache_storer? --stats or "
                     "--url say where else to look", tool->stats_file,
                     rv == APR_EINVAL ? "not a file of counters of this release"
                                      : apr_strerror(rv, reason, sizeof(reason)));
}

static double value_of(const json_t *json, const char *name)
{
    return json_number_value(json_object_get(json, name));
}

static void print_line(const char *name, const char *value)
{
    printf("%-22s %s\n", name, value);
}

/* A bound on the time of a look-up. One look-up in sixteen is timed, so at first there is none. */
static const char *lookup_time(const json_t *total, const char *percentile, apr_pool_t *pool)
{
    double seconds = value_of(json_object_get(total, "lookup"), percentile);

    return seconds > 0 ? apr_psprintf(pool, "below %.0f us", 1e6 * seconds) : "not known yet";
}

static void print_total(const json_t *total, apr_pool_t *pool)
{
    const stats_figure_t *figure;

    print_line("hit ratio", json_is_number(json_object_get(total, "hit_ratio"))
               ? apr_psprintf(pool, "%.1f %%", 100 * value_of(total, "hit_ratio")) : "-");
    for (figure = stats_figures; figure->metric; figure++) {
        double value = value_of(total, figure->json);

        print_line(figure->json, figure->unit != 1 ? apr_psprintf(pool, "%.3f", value)
                   : strncmp(figure->json, "bytes_", 6) == 0 ? tool_size(value, pool)
                   : apr_psprintf(pool, "%.0f", value));
    }
    print_line("look-up", apr_pstrcat(pool, "half ", lookup_time(total, "p50_seconds", pool), ", 99 % ",
                                      lookup_time(total, "p99_seconds", pool), NULL));
}

static void print_sites(const json_t *sites, apr_pool_t *pool)
{
    const json_t *site;
    size_t i;

    printf("\n%-30s %12s %12s %8s\n", "site", "hits", "misses", "ratio");
    json_array_foreach(sites, i, site) {
        if (value_of(site, "hits") + value_of(site, "misses") > 0) {
            printf("%-30s %12.0f %12.0f %7.1f%%\n", tool_string(json_object_get(site, "site"), pool),
                   value_of(site, "hits"), value_of(site, "misses"),
                   100 * value_of(site, "hit_ratio"));
        }
    }
}

static void print_stores(const json_t *stores, apr_pool_t *pool)
{
    const json_t *store;
    size_t i;

    if (json_array_size(stores) == 0) {
        return;
    }
    printf("\n%-30s %8s %8s %10s %10s\n", "store", "used", "of", "keys", "evictions");
    json_array_foreach(stores, i, store) {
        printf("%-30s %8s %8s %10.0f %10.0f\n", tool_string(json_object_get(store, "name"), pool),
               tool_size(value_of(store, "used_bytes"), pool),
               tool_size(value_of(store, "size_bytes"), pool), value_of(store, "keys"),
               value_of(store, "evictions"));
    }
}

tool_exit_e numbers_stats(tool_t *tool)
{
    json_t *stats;
    tool_exit_e result = read_stats(tool, &stats);

    if (result == TOOL_OK && tool->json) {
        json_dumpf(stats, stdout, JSON_COMPACT);
        putchar('\n');
    }
    else if (result == TOOL_OK) {
        print_total(json_object_get(stats, "total"), tool->pool);
        print_sites(json_object_get(stats, "sites"), tool->pool);
        print_stores(json_object_get(stats, "stores"), tool->pool);
    }
    json_decref(stats);
    return result;
}

/* ------------------------------------------------------------------------------------------------
 * top
 * --------------------------------------------------------------------------------------------- */

typedef struct look_t {
    json_t    *stats;
    apr_time_t at;
} look_t;

static double rate(const look_t *now, const look_t *then, const char *name)
{
    double seconds = (double)(now->at - then->at) / APR_USEC_PER_SEC;
    double grown = value_of(json_object_get(now->stats, "total"), name)
                   - value_of(json_object_get(then->stats, "total"), name);

    return seconds > 0 && grown > 0 ? grown / seconds : 0;
}

static void print_popular(tool_t *tool, const char *list, const char *name, apr_pool_t *pool)
{
    json_t *top;
    const json_t *one;
    size_t i;

    if (!tool->url_given || api_call(tool, "GET", "/top?limit=10", NULL, &top, NULL) != TOOL_OK) {
        return;
    }
    printf("\n%12s  %s\n", "hits", name);
    json_array_foreach(json_object_get(top, list), i, one) {
        printf("%12.0f  %.100s\n", value_of(one, "hits"),
               tool_string(json_object_get(one, name), pool));
    }
    json_decref(top);
}

static void print_rates(const tool_t *tool, const look_t *now, const look_t *then, apr_pool_t *pool)
{
    double hits = rate(now, then, "hits"), misses = rate(now, then, "misses");
    const json_t *total = json_object_get(now->stats, "total");

    if (tool->json) {
        printf("{\"time\":%.3f,\"hits_per_second\":%.3f,\"misses_per_second\":%.3f,"
               "\"bytes_per_second\":%.0f,\"stores_per_second\":%.3f}\n",
               (double)now->at / APR_USEC_PER_SEC, hits, misses,
               rate(now, then, "bytes_from_cache"), rate(now, then, "stores"));
        return;
    }
    printf("requests   %10.1f /s    hits     %10.1f /s   hit ratio %5.1f %%   (in all %.1f %%)\n",
           hits + misses, hits, hits + misses > 0 ? 100 * hits / (hits + misses) : 0,
           100 * value_of(total, "hit_ratio"));
    printf("from cache %10s/s    from origin %7s/s   stored %8.1f /s   stale %6.1f /s\n",
           tool_size(rate(now, then, "bytes_from_cache"), pool),
           tool_size(rate(now, then, "bytes_from_origin"), pool), rate(now, then, "stores"),
           rate(now, then, "stale_hits"));
    printf("collapsed  %10.1f /s    purges   %10.1f /s   look-up: 99 %% %s\n",
           rate(now, then, "collapsed"), rate(now, then, "purges_hard"),
           lookup_time(total, "p99_seconds", pool));
}

tool_exit_e numbers_top(tool_t *tool)
{
    look_t then = { NULL, apr_time_now() }, now;
    tool_exit_e result = read_stats(tool, &then.stats);
    int redraws = tool_is_terminal() && !tool->json;
    long round;

    for (round = 0; result == TOOL_OK && (!tool->count || round < tool->count); round++) {
        apr_pool_t *pool;

        apr_sleep((apr_interval_time_t)(tool->interval * APR_USEC_PER_SEC));
        now.at = apr_time_now();
        result = read_stats(tool, &now.stats);
        if (result == TOOL_OK) {
            apr_pool_create(&pool, tool->pool);
            if (redraws) {
                fputs("\033[H\033[2J", stdout); /* home, and all that is below is erased */
            }
            print_rates(tool, &now, &then, pool);
            if (redraws) {
                print_popular(tool, "keys", "key", pool);
                print_popular(tool, "tags", "tag", pool);
            }
            fflush(stdout);
            apr_pool_destroy(pool);
        }
        json_decref(then.stats);
        then = now;
    }
    json_decref(then.stats);
    return result;
}
