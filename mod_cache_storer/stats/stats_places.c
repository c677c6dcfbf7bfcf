/* SPDX-License-Identifier: Apache-2.0
 *
 * stats_places.c - see stats_places.h.
 */
#include "stats_places.h"

#include "../../storage/process.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_header(const stats_places_t *places)
{
    stats_header_t *header = places->base;

    header->version = STATS_VERSION;
    header->site_max = places->site_max;
    header->stripes = places->stripes;
    header->parent = places->parent;
    header->parent_start = places->parent_start;
    header->size = places->size;
    header->since = places->since;
    __atomic_store_n(&header->magic, STATS_MAGIC, __ATOMIC_RELEASE);
}

stats_places_t *stats_places_create(void *base, uint32_t site_max, apr_time_t now)
{
    stats_places_t *places = calloc(1, sizeof(*places) + site_max * sizeof(places->sites[0]));

    if (places) {
        places->base = base;
        places->site_max = site_max;
        places->stripes = stats_stripes(site_max);
        places->size = stats_size(site_max, places->stripes);
        places->parent = (uint32_t)getpid();
        places->parent_start = process_start(places->parent);
        places->since = now;
        write_header(places);
    }
    return places;
}

void stats_places_map(const stats_places_t *places, stats_map_t *map)
{
    map->header = places->base;
    map->sites = (stats_site_t *)(map->header + 1);
    map->cells = (uint64_t *)(map->sites + places->site_max);
    map->site_count = places->site_count;
    map->stripes = places->stripes;
}

static uint32_t find(const stats_places_t *places, uint64_t label)
{
    uint32_t i;

    for (i = 0; i < places->site_count && places->sites[i].label != label; i++) {
        ;
    }
    return i;
}

uint32_t stats_places_of(stats_places_t *places, uint64_t label, const char *name)
{
    uint32_t place = find(places, label);
    stats_site_t *site = &places->sites[place];
    stats_map_t map;

    if (place < places->site_count || place == places->site_max) {
        return place;
    }
    site->label = label;
    apr_cpystrn(site->name, name ? name : "-", sizeof(site->name));
    places->site_count++;
    stats_places_map(places, &map);
    map.sites[place] = *site;
    __atomic_store_n(&map.header->site_count, places->site_count, __ATOMIC_RELEASE);
    return place;
}

int stats_places_fit(const stats_places_t *places, const uint64_t *labels, uint32_t count)
{
    uint32_t i, missing = 0;

    for (i = 0; i < count; i++) {
        missing += find(places, labels[i]) == places->site_count;
    }
    return places->site_max - places->site_count >= missing;
}

void stats_places_carry_over(stats_places_t *to, const stats_places_t *from)
{
    stats_map_t old, map;
    uint32_t i;

    to->since = from->since;
    write_header(to);
    stats_places_map(from, &old);
    for (i = 0; i < from->site_count; i++) {
        uint32_t place = stats_places_of(to, from->sites[i].label, from->sites[i].name);

        if (place < to->site_max) {
            stats_places_map(to, &map);
            stats_add_up(&old, i, stats_cells(&map, place));
        }
    }
}

int stats_places_is_file(const stats_places_t *places, const char *path, apr_pool_t *pool)
{
    stats_map_t there;
    apr_pool_t *scratch;
    int same = 0;

    apr_pool_create(&scratch, pool);
    if (stats_open(&there, path, scratch) == APR_SUCCESS) {
        same = there.header->parent == places->parent
               && there.header->parent_start == places->parent_start;
    }
    apr_pool_destroy(scratch);
    return same;
}
