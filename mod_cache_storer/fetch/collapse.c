/* SPDX-License-Identifier: Apache-2.0
 *
 * collapse.c - see collapse.h.
 *
 * What ends a fetch is told in fetch.h. A process that dies ends its own (storage/flights_table.c).
 */
#include "collapse.h"

#include "refresh.h"
#include "../retain.h"

#include "../http/control.h"

#include "ap_mpm.h"
#include "http_request.h"

#include <string.h>

#define COLLAPSE_SLOTS 4096

/* Fetches one after another that a request waits for if nothing comes of them, by a purge or by the end
 * of a process. */
#define AGAIN_MAX 3

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

        if (state && fetch_leads(&state->fetch)) {
            return 1;
        }
    }
    return 0;
}

/* The answer to these may be an error, a part, or the begin of another protocol, for this one
 * request only. */
static int is_its_own(const request_rec *r)
{
    return apr_table_get(r->headers_in, "If-Match")
           || apr_table_get(r->headers_in, "If-Unmodified-Since")
           || apr_table_get(r->headers_in, "Upgrade");
}

int collapse_is_open(void)
{
    return collapse_table != NULL;
}

int collapse_is_possible(const state_t *state)
{
    const request_rec *r = state->r;

    return collapse_table && state->config->collapse > 0 && !state->lookup
           && !state->bypass && !state->fetch.alone && !r->header_only && r->method_number == M_GET
           && !refresh_of(r) && !leads(r) && !is_its_own(r)
           && !control_of(r->headers_in, r->pool).only_if_cached;
}

/* The request ends, and with it whatever has become of the fetch. */
static apr_status_t end_with_request(void *baton)
{
    state_t *state = baton;

    fetch_happens(&state->fetch, FETCH_EVENT_OVER, apr_time_now());
    return APR_SUCCESS;
}

static void lead(state_t *state)
{
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, state->r, STORERNO(0732) "fetching %s for all",
                  state->url_key);
    fetch_happens(&state->fetch, FETCH_EVENT_ASK, apr_time_now());
    apr_pool_cleanup_register(state->r->pool, state, end_with_request, apr_pool_cleanup_null);
}

/* Nothing that this request can use came of its wait, and it waits for no other. Later requests for
 * the key do not wait at all, for so long. */
static void waited_in_vain(state_t *state, apr_interval_time_t remember, const char *why)
{
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, state->r,
                  STORERNO(0830) "waited in vain for %s: %s", state->url_key, why);
    state->fetch.alone = 1;
    state->fetch.passes = 1;
    flights_remember(collapse_table, state->fetch.key, apr_time_now(), remember);
}

/* A first wait may have told what the response varies on: then the request may wait once more, for
 * its own variant. */
static int may_wait(const fetch_t *fetch)
{
    return fetch->waits == 0
           || (fetch->waits == 1 && !storer_bytes_equal(fetch->waited_for, fetch->key));
}

collapse_role_e collapse_join(state_t *state)
{
    fetch_t *fetch = &state->fetch;

    fetch->flights = collapse_table;
    if (!may_wait(fetch)) {
        waited_in_vain(state, FETCH_REMEMBER_LONG, "what was stored is not for this request");
        return COLLAPSE_ALONE;
    }
    switch (flights_join(collapse_table, fetch->key, apr_time_now(), state->config->collapse,
                         &fetch->flight)) {
    case FLIGHTS_LEAD:
        lead(state);
        return COLLAPSE_LEAD;
    case FLIGHTS_FOLLOW:
        return COLLAPSE_FOLLOW;
    case FLIGHTS_PASS:
        fetch->passes = 1;
        return COLLAPSE_ALONE;
    case FLIGHTS_FULL:
    default:
        return COLLAPSE_ALONE;
    }
}

/* How long this request may wait yet, for whomever: its own fetch would end by httpd's Timeout,
 * too. */
static apr_interval_time_t time_left(state_t *state, apr_time_t now)
{
    apr_interval_time_t timeout = state->r->server->timeout;
    apr_interval_time_t collapse = state->config->collapse;

    if (!state->fetch.wait_until) {
        state->fetch.wait_until = now + (timeout > collapse ? timeout : collapse);
    }
    return state->fetch.wait_until - now;
}

static int is_claimed(fetch_t *fetch, storer_t *store, storer_bytes_t key,
                      apr_interval_time_t lease)
{
    return claim_take(&fetch->claim, store, key, flights_identity(collapse_table), lease)
           == APR_EEXIST;
}

int collapse_is_settled(storer_bytes_t key)
{
    return flights_is_led(collapse_table, key)
           || flights_peek(collapse_table, key, apr_time_now()) == FLIGHTS_PASS;
}

int collapse_begin(fetch_t *fetch, storer_t *store, storer_bytes_t key, apr_interval_time_t lease)
{
    if (!collapse_table || flights_is_led(collapse_table, key)) {
        return 0; /* whoever waits for a slow fetch relieves its leader; the background need not */
    }
    if (flights_join(collapse_table, key, apr_time_now(), lease, &fetch->flight) != FLIGHTS_LEAD) {
        memset(&fetch->flight, 0, sizeof(fetch->flight));
        return 0;
    }
    if (is_claimed(fetch, store, key, lease)) {
        fetch_happens(fetch, FETCH_EVENT_OVER, apr_time_now());
        return 0;
    }
    return 1;
}

/* Nobody wakes this machine, so it looks from time to time: once for all who wait here. */
int collapse_is_elsewhere(state_t *state)
{
    apr_interval_time_t lease = state->config->collapse, left;
    apr_time_t now = apr_time_now();
    fetch_t *fetch = &state->fetch;

    if (!is_claimed(fetch, state->config->store, fetch->key, lease)) {
        return 0;
    }
    left = time_left(state, now);
    if (left <= 0) {
        return 0;
    }
    if (!fetch->elsewhere_since) {
        fetch->elsewhere_since = now;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, state->r,
                  STORERNO(0734) "waiting for another machine to fetch %s", state->url_key);
    apr_sleep(left < CLAIM_PAUSE ? left : CLAIM_PAUSE);
    flights_renew(&fetch->flight, apr_time_now(), lease);
    return 1;
}

void collapse_not_elsewhere(state_t *state)
{
    fetch_t *fetch = &state->fetch;

    /* A claim that is over with its lease is a slow fetch: this machine fetches as well, for all
     * here. */
    if (fetch->elsewhere_since
        && apr_time_now() - fetch->elsewhere_since < state->config->collapse) {
        fetch_happens(fetch, FETCH_EVENT_WAITED_IN_VAIN, apr_time_now());
        fetch->passes = 1;
    }
}

static flights_outcome_e wait_for_flight(state_t *state)
{
    apr_time_t now = apr_time_now();
    flights_outcome_e outcome;

    fetch_happens(&state->fetch, FETCH_EVENT_WAIT, now);
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, state->r,
                  STORERNO(0731) "waiting for another request to fetch %s", state->url_key);
    outcome = flights_wait(&state->fetch.flight, now, time_left(state, now));
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, state->r,
                  STORERNO(0833) "waited %" APR_TIME_T_FMT " ms for another request to fetch %s",
                  apr_time_as_msec(apr_time_now() - now), state->url_key);
    if (outcome == FLIGHTS_RELIEVED) {
        lead(state);
    }
    else {
        fetch_happens(&state->fetch, FETCH_EVENT_WAKE, apr_time_now());
    }
    return outcome;
}

collapse_role_e collapse_wait(state_t *state)
{
    fetch_t *fetch = &state->fetch;

    switch (wait_for_flight(state)) {
    case FLIGHTS_LANDED:
        fetch->waits++;
        fetch->waited_for = fetch->key;
        return COLLAPSE_FOLLOW;
    case FLIGHTS_DIED:
        if (++fetch->waits_again <= AGAIN_MAX) {
            return COLLAPSE_FOLLOW;
        }
        waited_in_vain(state, FETCH_REMEMBER_SHORT, "nothing came of several fetches");
        return COLLAPSE_ALONE;
    case FLIGHTS_RELIEVED:
        return COLLAPSE_LEAD;
    case FLIGHTS_UNCACHEABLE:
        fetch->alone = 1;
        fetch->passes = 1;
        return COLLAPSE_ALONE;
    case FLIGHTS_FAILED:
        waited_in_vain(state, FETCH_REMEMBER_SHORT, "it was not fetched to its end");
        return COLLAPSE_ALONE;
    case FLIGHTS_TIMEUP:
        waited_in_vain(state, FETCH_REMEMBER_LONG, "it took too long");
        return COLLAPSE_ALONE;
    case FLIGHTS_CROWDED:
    default:
        fetch->alone = 1;
        return COLLAPSE_ALONE;
    }
}

void collapse_stream(state_t *state)
{
    if (fetch_leads(&state->fetch)) {
        flights_stream(&state->fetch.flight, apr_time_now(), state->config->collapse);
    }
}

void collapse_follow_redirect(state_t *state, state_t *before)
{
    state->fetch.wait_until = before->fetch.wait_until;
    state->fetch.elsewhere_since = before->fetch.elsewhere_since;
    state->fetch.waited_for = before->fetch.waited_for;
    state->fetch.waits = before->fetch.waits;
    state->fetch.waits_again = before->fetch.waits_again;
    state->fetch.alone = before->fetch.alone;
    state->fetch.passes = before->fetch.passes;
    state->url_key = before->url_key;
    if (fetch_leads(&before->fetch)) {
        collapse_adopt(state, &before->fetch);
    }
}

void collapse_end_redirected(const request_rec *r)
{
    for (r = r->prev; r; r = r->prev) {
        state_t *state = state_find(r);

        if (state) {
            fetch_happens(&state->fetch, r->status >= HTTP_INTERNAL_SERVER_ERROR
                                             ? FETCH_EVENT_ORIGIN_FAILED : FETCH_EVENT_REDIRECTED,
                          apr_time_now());
        }
    }
}

void collapse_forget(storer_bytes_t key)
{
    if (collapse_table) {
        flights_forget(collapse_table, key);
    }
}

void collapse_adopt(state_t *state, fetch_t *fetch)
{
    fetch_hand_over(fetch, &state->fetch);
    lead(state);
}

int collapse_is_awaited(const state_t *state)
{
    return fetch_leads(&state->fetch) && flights_waiters(&state->fetch.flight) > 0;
}
