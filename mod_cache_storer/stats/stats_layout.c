/* SPDX-License-Identifier: Apache-2.0
 *
 * stats_layout.c - see stats_layout.h.
 */
#include "stats_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of all cells, as long as each site has the fewest stripes. */
#define BYTES_WANTED ((uint64_t)4 << 20)

uint32_t stats_stripes(uint32_t site_max)
{
    uint32_t stripes = STATS_STRIPES_MAX;

    while (stripes > STATS_STRIPES_MIN && stats_size(site_max, stripes) > BYTES_WANTED) {
        stripes /= 2;
    }
    return stripes;
}

uint64_t stats_size(uint32_t site_max, uint32_t stripes)
{
    return sizeof(stats_header_t)
           + (uint64_t)site_max * (sizeof(stats_site_t)
                                   + (uint64_t)stripes * STATS_CELLS * sizeof(uint64_t));
}

/* Each number is read once: who may write the file may change it between a comparison and its use. */
apr_status_t stats_map(stats_map_t *map, void *base, uint64_t size)
{
    stats_header_t *header = base;
    uint32_t site_max, site_count, stripes;

    if (size < sizeof(*header)
        || __atomic_load_n(&header->magic, __ATOMIC_ACQUIRE) != STATS_MAGIC
        || header->version != STATS_VERSION) {
        return APR_EINVAL;
    }
    site_max = __atomic_load_n(&header->site_max, __ATOMIC_RELAXED);
    stripes = __atomic_load_n(&header->stripes, __ATOMIC_RELAXED);
    site_count = __atomic_load_n(&header->site_count, __ATOMIC_ACQUIRE);
    if (stripes < STATS_STRIPES_MIN || stripes > STATS_STRIPES_MAX
        || stats_size(site_max, stripes) > size || site_count > site_max) {
        return APR_EINVAL;
    }
    map->header = header;
    map->sites = (stats_site_t *)(header + 1);
    map->cells = (uint64_t *)(map->sites + site_max);
    map->site_count = site_count;
    map->stripes = stripes;
    return APR_SUCCESS;
}

typedef struct mapping_t {
    void  *base;
    size_t size;
} mapping_t;

static apr_status_t unmap(void *baton)
{
    const mapping_t *mapping = baton;

    munmap(mapping->base, mapping->size);
    return APR_SUCCESS;
}

apr_status_t stats_open(stats_map_t *map, const char *path, apr_pool_t *pool)
{
    mapping_t *mapping = apr_palloc(pool, sizeof(*mapping));
    int file = open(path, O_RDONLY | O_CLOEXEC), error = 0;
    struct stat stat;

    if (file < 0) {
        return errno;
    }
    if (fstat(file, &stat) != 0) {
        error = errno;
    }
    else if (!S_ISREG(stat.st_mode) || stat.st_size < (off_t)sizeof(stats_header_t)) {
        error = APR_EINVAL;
    }
    else {
        mapping->size = (size_t)stat.st_size;
        mapping->base = mmap(NULL, mapping->size, PROT_READ, MAP_SHARED, file, 0);
        error = mapping->base == MAP_FAILED ? errno : 0;
    }
    close(file);
    if (error) {
        return error;
    }
    apr_pool_cleanup_register(pool, mapping, unmap, apr_pool_cleanup_null);
    return stats_map(map, mapping->base, mapping->size);
}

void stats_add_up(const stats_map_t *map, uint32_t site, stats_sums_t sums)
{
    const uint64_t *cells = stats_cells(map, site);
    uint32_t stripe, counter;

    for (stripe = 0; stripe < map->stripes; stripe++) {
        for (counter = 0; counter < STATS_COUNTERS; counter++) {
            sums[counter] += __atomic_load_n(&cells[stripe * STATS_CELLS + counter],
                                             __ATOMIC_RELAXED);
        }
    }
}

uint64_t stats_hits(const stats_sums_t sums)
{
    return sums[STATS_HITS] + sums[STATS_STALE_HITS] + sums[STATS_REVALIDATED];
}

uint64_t stats_misses(const stats_sums_t sums)
{
    return sums[STATS_MISS_URI] + sums[STATS_MISS_VARY] + sums[STATS_MISS_STALE]
           + sums[STATS_MISS_REQUEST] + sums[STATS_MISS_METHOD] + sums[STATS_MISS_BYPASS];
}
