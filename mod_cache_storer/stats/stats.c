/* SPDX-License-Identifier: Apache-2.0
 *
 * stats.c - see stats.h: the file, and what is counted of a request at its end.
 */
#include "stats.h"

#include "../provider.h"
#include "../status.h"

#include "../../storage/process.h"

#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_main.h"
#include "http_protocol.h"
#include "apr_file_io.h"
#include "apr_strings.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Places for sites that come with later configurations. */
#define SPARE_SITES 16

/* One per process and generation, written in post_config only. */
static stats_map_t stats_of_generation;
static uint64_t    stats_mapped;

/* ------------------------------------------------------------------------------------------------
 * The file
 * --------------------------------------------------------------------------------------------- */

/* The pages stay mapped in children: they may be counting while they end. */
static apr_status_t forget(void *baton)
{
    (void)baton;
    if (stats_of_generation.header
        && stats_of_generation.header->parent == (uint32_t)getpid()) {
        munmap(stats_of_generation.header, stats_mapped);
    }
    memset(&stats_of_generation, 0, sizeof(stats_of_generation));
    return APR_SUCCESS;
}

static void *map_file(int file, uint64_t size)
{
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

    return base == MAP_FAILED ? NULL : base;
}

static int is_mine(const stats_header_t *header)
{
    return header->parent == (uint32_t)getpid()
           && header->parent_start == process_start((uint32_t)getpid());
}

/* Somebody else's, who is still alive: then we share a runtime directory, but not its counters. */
static int is_taken(const stats_header_t *header)
{
    return !is_mine(header) && process_alive(header->parent, header->parent_start);
}

/* What this parent process has counted in before; NULL: nothing. */
static void *adopt_file(const char *path, uint32_t sites, int *taken)
{
    int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat stat;
    stats_map_t map;
    void *base;

    *taken = 0;
    if (file < 0) {
        return NULL;
    }
    base = fstat(file, &stat) == 0 && stat.st_size >= (off_t)sizeof(stats_header_t)
           ? map_file(file, (uint64_t)stat.st_size) : NULL;
    close(file);
    if (!base) {
        return NULL;
    }
    if (stats_map(&map, base, (uint64_t)stat.st_size) == APR_SUCCESS) {
        *taken = is_taken(map.header);
        if (is_mine(map.header) && map.header->site_max >= sites) {
            return base;
        }
    }
    munmap(base, (size_t)stat.st_size);
    return NULL;
}

static void begin(stats_header_t *header, uint32_t site_max)
{
    header->version = STATS_VERSION;
    header->site_max = site_max;
    header->parent = (uint32_t)getpid();
    header->parent_start = process_start(header->parent);
    header->size = stats_size(site_max);
    header->since = apr_time_now();
    __atomic_store_n(&header->magic, STATS_MAGIC, __ATOMIC_RELEASE);
}

static apr_status_t create_file(const char *path, uint32_t site_max, void **base)
{
    uint64_t size = stats_size(site_max);
    int file;

    (void)unlink(path); /* who still has the old one mapped keeps it */
    file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (file < 0) {
        return errno;
    }
    *base = ftruncate(file, (off_t)size) == 0 ? map_file(file, size) : NULL;
    if (!*base) {
        apr_status_t rv = errno;

        close(file);
        (void)unlink(path);
        return rv;
    }
    close(file);
    begin(*base, site_max);
    return APR_SUCCESS;
}

/* Memory without a file: nobody else can read it, but all processes of this server. */
static void *create_memory(uint32_t site_max)
{
    void *base = mmap(NULL, stats_size(site_max), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED) {
        return NULL;
    }
    begin(base, site_max);
    return base;
}

static uint32_t place_of_site(stats_map_t *map, uint64_t label, const server_rec *server)
{
    uint32_t i, count = map->header->site_count;

    for (i = 0; i < count; i++) {
        if (map->sites[i].label == label) {
            return i;
        }
    }
    if (count < map->header->site_max) {
        stats_site_t *site = &map->sites[count];

        site->label = label;
        apr_cpystrn(site->name, server->server_hostname ? server->server_hostname : "-",
                    sizeof(site->name));
        map->site_count = count + 1;
        __atomic_store_n(&map->header->site_count, count + 1, __ATOMIC_RELEASE);
    }
    return count;
}

static void *find_or_create(apr_pool_t *pconf, server_rec *main_server, uint32_t sites)
{
    const char *path = ap_runtime_dir_relative(pconf, STATS_FILE_NAME);
    void *base;
    int taken = 0;
    apr_status_t rv;

    base = path ? adopt_file(path, sites, &taken) : NULL;
    if (base) {
        return base;
    }
    rv = !path ? APR_EBADPATH : taken ? APR_EEXIST
         : create_file(path, sites + SPARE_SITES, &base);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, rv, main_server,
                     STORERNO(0561) "%s: counters are kept in memory, where storerctl cannot read "
                     "them%s", path ? path : STATS_FILE_NAME,
                     taken ? ": the file is another server's with the same DefaultRuntimeDir" : "");
        base = create_memory(sites + SPARE_SITES);
    }
    return base;
}

void stats_start(apr_pool_t *pconf, server_rec *main_server)
{
    server_rec *server;
    uint32_t sites = 0;
    void *base;

    for (server = main_server; server; server = server->next) {
        sites++;
    }
    base = find_or_create(pconf, main_server, sites);
    if (!base || stats_map(&stats_of_generation, base, ((stats_header_t *)base)->size)
                 != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, APR_ENOMEM, main_server,
                     STORERNO(0562) "no memory for counters: nothing is counted");
        memset(&stats_of_generation, 0, sizeof(stats_of_generation));
        return;
    }
    stats_mapped = stats_of_generation.header->size;
    apr_pool_cleanup_register(pconf, NULL, forget, apr_pool_cleanup_null);
    for (server = main_server; server; server = server->next) {
        config_server_t *config = config_of(server);
        uint32_t place = place_of_site(&stats_of_generation, config->site, server);

        config->counters = place < stats_of_generation.site_count
                           ? stats_of_generation.cells
                             + (uint64_t)place * STATS_STRIPES * STATS_CELLS : NULL;
    }
}

apr_status_t stats_here(stats_map_t *map)
{
    if (!stats_of_generation.header) {
        return APR_ENOENT;
    }
    *map = stats_of_generation;
    return APR_SUCCESS;
}

/* ------------------------------------------------------------------------------------------------
 * Requests
 * --------------------------------------------------------------------------------------------- */

void stats_timed(const config_server_t *config, const request_rec *r, apr_interval_time_t time)
{
    int bucket = 0;

    while (bucket < STATS_BUCKETS - 1 && time >> bucket) {
        bucket++;
    }
    stats_add(config, r, STATS_LOOKUPS + (stats_counter_e)bucket, 1);
    stats_add(config, r, STATS_LOOKUP_US, time > 0 ? (uint64_t)time : 0);
}

void stats_omit(request_rec *r)
{
    state_t *state = state_of(r);

    if (state) {
        state->management = 1;
    }
}

static stats_counter_e kind_of_hit(const state_t *state)
{
    /* past its time by our own account, or instead of an error of the origin */
    return state->forwarded || state->fresh_until <= state->r->request_time ? STATS_STALE_HITS
                                                                            : STATS_HITS;
}

static stats_counter_e kind_of_miss(const state_t *state)
{
    switch (status_forward(state)) {
    case STATE_FORWARD_URI_MISS:
        return STATS_MISS_URI;
    case STATE_FORWARD_VARY_MISS:
        return STATS_MISS_VARY;
    case STATE_FORWARD_STALE:
        return state->forward_status == HTTP_NOT_MODIFIED ? STATS_REVALIDATED : STATS_MISS_STALE;
    case STATE_FORWARD_REQUEST:
        return STATS_MISS_REQUEST;
    case STATE_FORWARD_METHOD:
        return STATS_MISS_METHOD;
    case STATE_FORWARD_NONE:
    case STATE_FORWARD_BYPASS:
    default:
        return STATS_MISS_BYPASS;
    }
}

static void count_hit(const state_t *state, request_rec *r)
{
    const cache_info *info = &state->found->base.info;

    stats_add(state->config, r, kind_of_hit(state), 1);
    stats_add(state->config, r, STATS_BYTES_CACHE, (uint64_t)r->bytes_sent);
    if (info->response_time > info->request_time) {
        stats_add(state->config, r, STATS_SAVED_US,
                  (uint64_t)(info->response_time - info->request_time));
    }
    if (state->collapsed) {
        stats_add(state->config, r, STATS_COLLAPSED, 1);
    }
}

static void count_forwarded(const state_t *state, request_rec *r)
{
    stats_counter_e kind = kind_of_miss(state);

    stats_add(state->config, r, kind, 1);
    stats_add(state->config, r, kind == STATS_REVALIDATED ? STATS_BYTES_CACHE : STATS_BYTES_ORIGIN,
              (uint64_t)r->bytes_sent);
}

/* The last of a chain of internal redirects is what was sent. */
static int count_request(request_rec *r)
{
    const state_t *state = NULL;
    request_rec *last = r;

    while (last->next) {
        last = last->next;
    }
    for (r = last; r && !state; r = r->prev) {
        state = state_find(r);
    }
    if (!state || state->management) {
        return DECLINED;
    }
    if (state->hit && state->found) {
        count_hit(state, last);
    }
    else if (state->forwarded || state->outlet_seen) {
        count_forwarded(state, last);
    }
    return DECLINED;
}

void stats_register(void)
{
    ap_hook_log_transaction(count_request, NULL, NULL, APR_HOOK_MIDDLE);
}
