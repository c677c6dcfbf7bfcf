/* SPDX-License-Identifier: Apache-2.0
 *
 * stats.c - see stats.h: the file, and what is counted of a request at its end.
 */
#include "stats.h"
#include "stats_places.h"

#include "../provider.h"
#include "../status.h"

#include "../../storage/process.h"

#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_main.h"
#include "http_protocol.h"
#include "apr_strings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Places for sites that come with later configurations. */
#define SPARE_SITES 16

#define RETAIN_KEY "mod_cache_storer-stats-2"

/* What stays from one configuration to the next, also while this module is unloaded; in memory that
 * children cannot write. */
typedef struct kept_t {
    stats_places_t *places;  /* NULL: none yet */
} kept_t;

/* One per process and generation, written in post_config only. */
static stats_map_t stats_of_generation;

/* ------------------------------------------------------------------------------------------------
 * The file
 * --------------------------------------------------------------------------------------------- */

static apr_status_t forget(void *baton)
{
    (void)baton;
    memset(&stats_of_generation, 0, sizeof(stats_of_generation));
    return APR_SUCCESS;
}

/* Is this file another server's, which is alive? Then we share a runtime directory with it. */
static int is_taken(const char *path, apr_pool_t *pool)
{
    apr_pool_t *scratch;
    stats_map_t map;
    int taken = 0;

    apr_pool_create(&scratch, pool);
    if (stats_open(&map, path, scratch) == APR_SUCCESS) {
        taken = map.header->parent != (uint32_t)getpid()
                && process_alive(map.header->parent, map.header->parent_start);
    }
    apr_pool_destroy(scratch);
    return taken;
}

/* For the user who starts httpd: the names of all virtual hosts, and what they do, are not for
 * everybody on the machine. Room is taken now: a page that cannot be written later would be a
 * SIGBUS. */
static apr_status_t create_file(const char *path, uint64_t size, void **base)
{
    int file, error;

    (void)unlink(path); /* who still has the old one mapped keeps it */
    file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        return errno;
    }
    error = posix_fallocate(file, 0, (off_t)size);
    if (!error) {
        *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        error = *base == MAP_FAILED ? errno : 0;
    }
    close(file);
    if (error) {
        (void)unlink(path);
    }
    return error;
}

/* In a file of the runtime directory; where that is not possible in memory, which all processes of this
 * server have, but no tool can read. */
static stats_places_t *create(apr_pool_t *pconf, server_rec *main_server, uint32_t site_max)
{
    const char *path = ap_runtime_dir_relative(pconf, STATS_FILE_NAME);
    uint64_t size = stats_size(site_max, stats_stripes(site_max));
    int taken = path && is_taken(path, pconf);
    apr_status_t rv = !path ? APR_EBADPATH : taken ? APR_EEXIST : APR_SUCCESS;
    stats_places_t *places;
    void *base = NULL;

    if (rv == APR_SUCCESS) {
        rv = create_file(path, size, &base);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, rv, main_server,
                     STORERNO(0561) "%s: counters are kept in memory, where storerctl cannot read "
                     "them%s", path ? path : STATS_FILE_NAME,
                     taken ? ": the file is another server's with the same DefaultRuntimeDir" : "");
        base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    }
    if (!base || base == MAP_FAILED) {
        return NULL;
    }
    places = stats_places_create(base, site_max, apr_time_now());
    if (!places) {
        munmap(base, size);
    }
    return places;
}

/* The labels of all servers. Sites that are not configured any more keep their places, while there is
 * room. */
static apr_array_header_t *labels_of(server_rec *main_server, apr_pool_t *pool)
{
    apr_array_header_t *labels = apr_array_make(pool, 16, sizeof(uint64_t));
    server_rec *server;

    for (server = main_server; server; server = server->next) {
        APR_ARRAY_PUSH(labels, uint64_t) = config_of(server)->site;
    }
    return labels;
}

/* The memory of the generation before, or new memory with what was counted in it. */
static stats_places_t *find_or_create(stats_places_t *old, apr_pool_t *pconf,
                                      server_rec *main_server)
{
    const char *path = ap_runtime_dir_relative(pconf, STATS_FILE_NAME);
    const apr_array_header_t *labels = labels_of(main_server, pconf);
    uint32_t count = (uint32_t)labels->nelts;
    stats_places_t *places;

    if (old && stats_places_fit(old, (const uint64_t *)labels->elts, count)
        && path && stats_places_is_file(old, path, pconf)) {
        return old;
    }
    places = create(pconf, main_server, count + SPARE_SITES);
    if (places && old) {
        stats_places_carry_over(places, old);
        munmap(old->base, old->size);
        free(old);
    }
    return places;
}

void stats_start(apr_pool_t *pconf, server_rec *main_server)
{
    kept_t *kept = ap_retained_data_get(RETAIN_KEY);
    stats_places_t *places = NULL;
    server_rec *server;

    if (!kept) {
        kept = ap_retained_data_create(RETAIN_KEY, sizeof(*kept));
    }
    if (kept) {
        places = find_or_create(kept->places, pconf, main_server);
    }
    if (!places) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, APR_ENOMEM, main_server,
                     STORERNO(0562) "no memory for counters: nothing is counted");
        memset(&stats_of_generation, 0, sizeof(stats_of_generation));
        return;
    }
    kept->places = places;
    apr_pool_cleanup_register(pconf, NULL, forget, apr_pool_cleanup_null);
    for (server = main_server; server; server = server->next) {
        config_server_t *config = config_of(server);
        uint32_t place = stats_places_of(places, config->site, server->server_hostname);

        stats_places_map(places, &stats_of_generation);
        config->stripes = places->stripes;
        config->counters = place < places->site_max ? stats_cells(&stats_of_generation, place) : NULL;
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
    const freshness_t *response = &state->found->record.freshness;

    stats_add(state->config, r, kind_of_hit(state), 1);
    stats_add(state->config, r, STATS_BYTES_CACHE, (uint64_t)r->bytes_sent);
    if (response->response_time > response->request_time) {
        stats_add(state->config, r, STATS_SAVED_US,
                  (uint64_t)(response->response_time - response->request_time));
    }
    if (state->fetch.collapsed) {
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
