/* SPDX-License-Identifier: Apache-2.0
 *
 * test_stats.c - counters as they lie in their file: where a thread writes, how they are added up and
 * told, and that a file which is none, or damaged, is refused.
 */
#include "../../mod_cache_storer/stats/stats_figures.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Memory like a file with so many sites in use. */
static stats_header_t *make(uint32_t site_max, uint32_t site_count, stats_map_t *map)
{
    uint32_t stripes = stats_stripes(site_max), i;
    uint64_t size = stats_size(site_max, stripes);
    stats_header_t *header = calloc(1, size);

    header->version = STATS_VERSION;
    header->site_max = site_max;
    header->site_count = site_count;
    header->stripes = stripes;
    header->size = size;
    header->since = (int64_t)1700000000 * APR_USEC_PER_SEC;
    header->magic = STATS_MAGIC;
    if (stats_map(map, header, size) != APR_SUCCESS) {
        bail_out("a new file is refused");
    }
    for (i = 0; i < site_count; i++) {
        map->sites[i].label = i + 100;
        snprintf(map->sites[i].name, STATS_NAME_MAX, "site-%u.example", i);
    }
    return header;
}

/* Connections of 16 children with 64 threads each are spread over all stripes. */
static void spread(void)
{
    unsigned used[STATS_STRIPES_MAX] = { 0 }, most = 0, least = ~0u, i;

    for (i = 0; i < 16 * 64; i++) {
        used[stats_stripe(i, STATS_STRIPES_MAX)]++;
    }
    for (i = 0; i < STATS_STRIPES_MAX; i++) {
        most = used[i] > most ? used[i] : most;
        least = used[i] < least ? used[i] : least;
    }
    ok(least >= 8 && most <= 32, "all threads: between %u and %u in a stripe", least, most);
    memset(used, 0, sizeof(used));
    for (i = 0; i < 16; i++) {
        used[stats_stripe(i * 64, STATS_STRIPES_MAX)]++;
    }
    for (most = 0, i = 0; i < STATS_STRIPES_MAX; i++) {
        most = used[i] > most ? used[i] : most;
    }
    ok(most <= 3, "the same thread of 16 children: at most %u in a stripe", most);
}

static void sizes(void)
{
    is_int(stats_stripes(1), STATS_STRIPES_MAX, "few sites: all stripes");
    is_int(stats_stripes(100000), STATS_STRIPES_MIN, "very many: the fewest");
    ok(stats_size(1000, stats_stripes(1000)) <= 4 << 20, "a thousand sites fit into 4 MB");
}

static void sums(void)
{
    stats_map_t map;
    stats_header_t *header = make(4, 2, &map);
    uint32_t stripe;
    stats_sums_t added;
    json_t *json;

    for (stripe = 0; stripe < map.stripes; stripe++) {
        stats_cells(&map, 0)[stripe * STATS_CELLS + STATS_HITS] = 3;
        stats_cells(&map, 1)[stripe * STATS_CELLS + STATS_MISS_URI] = 1;
    }
    memset(added, 0, sizeof(added));
    stats_add_up(&map, 0, added);
    is_int((long long)added[STATS_HITS], 3 * map.stripes, "the stripes of a site are added up");
    is_int((long long)stats_hits(added), 3 * map.stripes, "hits");
    is_int((long long)stats_misses(added), 0, "misses of another site are not");
    json = stats_json_of_map(&map, 0);
    is_int(json_integer_value(json_object_get(json_object_get(json, "total"), "misses")),
           map.stripes, "JSON: all sites");
    ok(json_real_value(json_object_get(json_object_get(json, "total"), "hit_ratio")) == 0.75,
       "JSON: the ratio");
    is_int((long long)json_array_size(json_object_get(json, "sites")), 2, "JSON: each site");
    json_decref(json);
    json = stats_json_of_map(&map, 101);
    is_int((long long)json_array_size(json_object_get(json, "sites")), 1, "JSON: one site");
    is_int(json_integer_value(json_object_get(json_object_get(json, "total"), "hits")), 0,
           "JSON: and the total is its own");
    json_decref(json);
    free(header);
}

static void percentiles(void)
{
    stats_sums_t counts;

    memset(counts, 0, sizeof(counts));
    ok(stats_lookup_percentile(counts, 0.5) == 0, "no look-up was timed");
    counts[STATS_LOOKUPS + 1] = 98;
    counts[STATS_LOOKUPS + 5] = 1;
    counts[STATS_LOOKUPS + STATS_BUCKETS - 1] = 1;
    ok(stats_lookup_percentile(counts, 0.5) == 2e-6, "half below 2 us");
    ok(stats_lookup_percentile(counts, 0.99) == 32e-6, "99 %% below 32 us");
    ok(stats_lookup_percentile(counts, 1) == 32768e-6, "the last bucket has no bound of its own");
}

/* Each figure tells another counter, under another name, and none is left out. */
static void figures(void)
{
    const stats_figure_t *figure, *other;
    int seen[STATS_COUNTERS] = { 0 }, twice = 0, missing = 0, i;

    for (figure = stats_figures; figure->metric; figure++) {
        seen[figure->counter]++;
        for (other = stats_figures; other < figure; other++) {
            twice += strcmp(other->json, figure->json) == 0;
        }
    }
    for (i = 0; i < STATS_LOOKUP_US; i++) {
        missing += seen[i] != 1;
    }
    is_int(twice, 0, "no name twice");
    is_int(missing, 0, "each counter is told once");
}

static void is_refused(const char *what, stats_header_t *header, uint64_t size)
{
    stats_map_t map;

    is_status(stats_map(&map, header, size), APR_EINVAL, "refused: %s", what);
}

static void damage(apr_pool_t *pool)
{
    stats_map_t map;
    stats_header_t *header = make(4, 2, &map), good = *header;
    char path[] = "stats-XXXXXX";
    int file = mkstemp(path);

    is_refused("too short for a header", header, sizeof(*header) - 1);
    is_refused("cut short", header, header->size - 1);
    header->magic++;
    is_refused("another magic", header, good.size);
    *header = good;
    header->version++;
    is_refused("another version", header, good.size);
    *header = good;
    header->site_count = 5;
    is_refused("more sites than places", header, good.size);
    *header = good;
    header->site_max = UINT32_MAX;
    is_refused("more places than bytes", header, good.size);
    *header = good;
    header->stripes = 0;
    is_refused("no stripes", header, good.size);
    header->stripes = UINT32_MAX;
    is_refused("too many stripes", header, good.size);
    *header = good;
    is_status(stats_open(&map, "/nonexistent/file", pool), APR_ENOENT, "no file");
    if (file < 0 || write(file, header, good.size) != (ssize_t)good.size) {
        bail_out("no file to write to");
    }
    is_status(stats_open(&map, path, pool), APR_SUCCESS, "a file");
    is_string(map.sites[1].name, "site-1.example", "is read");
    if (ftruncate(file, 10) != 0) {
        bail_out("it cannot be cut");
    }
    is_status(stats_open(&map, path, pool), APR_EINVAL, "a file that is cut short");
    close(file);
    unlink(path);
    free(header);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    spread();
    sizes();
    sums();
    percentiles();
    figures();
    damage(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
