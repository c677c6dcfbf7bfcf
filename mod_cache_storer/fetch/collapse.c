/* SPDX-License-Identifier: Apache-2.0
 *
 * collapse.c - see collapse.h.
 *
 * A flight ends with the first of these: the response is stored (provider_commit_entity), mod_cache
 * or the provider says that it will not be (hooks.c, provider_write.c), an internal redirect goes on
 * under another key, the request is over (a cleanup of its pool), or its process is
 * (storage/flights.c notices).
 */
#include "collapse.h"

#include "refresh.h"
#include "../retain.h"

#include "../fields/control.h"

#include "ap_mpm.h"
#include "http_request.h"

#include <string.h>

#define COLLAPSE_SLOTS 4096

/* Between two looks whether another machine is done. */
#define CLAIM_PAUSE (APR_INT64_C(20) * 1000)

/* Processes of two layouts must not share a table. */
#define FLIGHTS_NAME "flights-" APR_STRINGIFY(FLIGHTS_LAYOUT_VERSION)

/* One per process and generation, read-only after post_config, nulled when pconf goes. */
static flights_t *collapse_table;

static apr_status_t forget_table(void *baton)
{
    (void)baton;
    collapse_table = NULL;
    return APR_SUCCESS;
}

/* Waiting requests hold a worker each. A few of them must stay free for those who need not wait. */
static flights_limits_t limits(void)
{
    flights_limits_t result;
    int threads = 1, daemons = 1;
    unsigned workers;

    (void)ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    (void)ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &daemons);
    workers = (unsigned)(threads > 0 ? threads : 1) * (unsigned)(daemons > 0 ? daemons : 1);
    result.in_total = workers - workers / 10 - (workers > 1);
    result.per_key = workers - workers / 5 - (workers > 1);
    return result;
}

apr_status_t collapse_open(apr_pool_t *pconf)
{
    apr_size_t size = flights_size(COLLAPSE_SLOTS);
    flights_limits_t limit = limits();
    flights_t *table = NULL;
    void *base = NULL;
    int fresh = 0;
    apr_status_t rv;

    rv = retain_segment(NULL, FLIGHTS_NAME, size, &base, &fresh);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = flights_attach(&table, base, size, fresh, &limit, pconf);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    collapse_table = table;
    apr_pool_cleanup_register(pconf, NULL, forget_table, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

void collapse_child_init(server_rec *main_server)
{
    apr_status_t rv;

    if (!collapse_table) {
        return;
    }
    rv = flights_child_init(collapse_table);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, main_server,
                     STORERNO(0733) "CacheStorerCollapse does not work in this process");
    }
}

/* Who leads a flight waits for none: two such requests might wait for each other. */
static int leads(const request_rec *r)
{
    for (; r; r = r->main ? r->main : r->prev) {
        const state_t *state = state_find(r);

        if (state && state->flight.leading) {
            return 1;
        }
    }
    return 0;
}

/* The answer to these may be an error, or a part, for this one request only. */
static int has_precondition(const request_rec *r)
{
    return apr_table_get(r->headers_in, "If-Match")
           || apr_table_get(r->headers_in, "If-Unmodified-Since");
}

int collapse_is_open(void)
{
    return collapse_table != NULL;
}

int collapse_is_possible(const state_t *state)
{
    const request_rec *r = state->r;

    return collapse_table && config_collapse(state->config) > 0 && !state->lookup
           && !state->bypass && !r->header_only && r->method_number == M_GET && !refresh_of(r)
           && !leads(r) && !has_precondition(r) && !control_of(r->headers_in, r->pool).only_if_cached;
}

/* The request ends, and with it whatever has become of the fetch. */
static apr_status_t end_with_request(void *baton)
{
    collapse_end(baton, FLIGHTS_FAILED, 0);
    return APR_SUCCESS;
}

static void lead(state_t *state)
{
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, state->r, STORERNO(0732) "fetching %s for all",
                  state->url_key);
    state->flight.leading = 1;
    apr_pool_cleanup_register(state->r->pool, state, end_with_request, apr_pool_cleanup_null);
}

collapse_role_e collapse_join(state_t *state, storer_bytes_t key, apr_interval_time_t lease)
{
    switch (flights_join(collapse_table, key, apr_time_now(), lease, &state->flight.flight)) {
    case FLIGHTS_LEAD:
        lead(state);
        return COLLAPSE_LEAD;
    case FLIGHTS_FOLLOW:
        return COLLAPSE_FOLLOW;
    case FLIGHTS_PASS:
        state->uncacheable = 1;
        return COLLAPSE_ALONE;
    case FLIGHTS_FULL:
    default:
        return COLLAPSE_ALONE;
    }
}

/* How long this request may wait yet, for whomever. */
static apr_interval_time_t time_left(state_t *state, apr_time_t now)
{
    if (!state->wait_until) {
        state->wait_until = now + config_collapse(state->config);
    }
    return state->wait_until - now;
}

int collapse_is_claimed(state_t *state, storer_bytes_t key, apr_interval_time_t lease)
{
    return claim_take(&state->flight.claim, state->config->store, key,
                      flights_identity(collapse_table), lease) == APR_EEXIST;
}

/* Nobody wakes this machine, so it looks from time to time: once for all who wait here. */
int collapse_is_elsewhere(state_t *state, storer_bytes_t key)
{
    apr_interval_time_t lease = config_collapse(state->config), left;

    if (!collapse_is_claimed(state, key, lease)) {
        return 0;
    }
    left = time_left(state, apr_time_now());
    if (left <= 0) {
        return 0;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, state->r,
                  STORERNO(0734) "waiting for another machine to fetch %s", state->url_key);
    apr_sleep(left < CLAIM_PAUSE ? left : CLAIM_PAUSE);
    flights_renew(&state->flight.flight, apr_time_now(), lease);
    return 1;
}

int collapse_wait(state_t *state)
{
    apr_time_t now = apr_time_now();
    apr_interval_time_t left = time_left(state, now);

    if (left <= 0) {
        return 0;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, state->r,
                  STORERNO(0731) "waiting for another request to fetch %s",
                  state->url_key);
    switch (flights_wait(&state->flight.flight, now, left)) {
    case FLIGHTS_LANDED:
    case FLIGHTS_FAILED:
        return 1;
    case FLIGHTS_UNCACHEABLE:
        state->uncacheable = 1;
        return 0;
    case FLIGHTS_TIMEUP:
    case FLIGHTS_CROWDED:
    default:
        return 0;
    }
}

void collapse_end(state_t *state, flights_outcome_e outcome, apr_interval_time_t remember)
{
    if (!state->flight.leading) {
        return;
    }
    state->flight.leading = 0;
    claim_end(&state->flight.claim);
    flights_end(&state->flight.flight, outcome, apr_time_now(), remember);
}

void collapse_end_redirected(const request_rec *r)
{
    for (r = r->prev; r; r = r->prev) {
        state_t *state = state_find(r);

        if (state) {
            collapse_end(state, FLIGHTS_UNCACHEABLE, r->status >= HTTP_INTERNAL_SERVER_ERROR
                                                     ? COLLAPSE_REMEMBER_ERROR : COLLAPSE_REMEMBER);
        }
    }
}

void collapse_forget(storer_bytes_t key)
{
    if (collapse_table) {
        flights_forget(collapse_table, key);
    }
}

void collapse_adopt(state_t *state, const state_flight_t *flight)
{
    state->flight = *flight;
    lead(state);
}

state_flight_t collapse_hand_over(state_t *state)
{
    state_flight_t flight = state->flight;

    memset(&state->flight, 0, sizeof(state->flight));
    return flight;
}

void collapse_abandon(state_flight_t *flight)
{
    claim_end(&flight->claim);
    flights_end(&flight->flight, FLIGHTS_FAILED, apr_time_now(), 0);
}

int collapse_is_awaited(const state_t *state)
{
    return state->flight.leading && flights_waiters(&state->flight.flight) > 0;
}
