/* SPDX-License-Identifier: Apache-2.0
 *
 * finish.c - see finish.h.
 */
#include "finish.h"

#include "background.h"
#include "collapse.h"

#include "../provider.h"

#include <string.h>

/* How many times httpd's Timeout a background request may take in all. */
#define BACKGROUND_TIMEOUTS 10

/* Between two looks whether a request waits, which reads all places of waiters. */
#define ASK_AGAIN_BYTES (128 * 1024)

static const provider_writing_t *writing_of(const state_t *state)
{
    return state->storing ? state->storing->writing : NULL;
}

static apr_off_t received(const state_t *state)
{
    const provider_writing_t *writing = writing_of(state);

    return writing ? writing->received : 0;
}

void finish_client_served(state_t *state)
{
    state->fill.done = 1;
    if (state->fetch.phase == FETCH_STORING) {
        fetch_happens(&state->fetch, FETCH_EVENT_CLIENT_SERVED, apr_time_now());
    }
}

static apr_status_t leave_aborted(void *baton)
{
    state_t *state = baton;

    state->r->connection->aborted = 1;
    return APR_SUCCESS;
}

/* Another request waits for it, or what is to come is not more than the limit: it may not be known
 * beforehand, and is counted then. */
static int is_worth_it(const state_t *state)
{
    const provider_writing_t *writing = writing_of(state);
    apr_off_t limit = config_finish_fill(state->config);

    if (state->fetch.phase != FETCH_STORING || !writing || writing->complete) {
        return 0;
    }
    if (collapse_is_awaited(state)) {
        return 1;
    }
    return limit > 0 && (writing->announced < 0 || writing->announced - writing->received <= limit);
}

static void go_on_without(state_t *state, apr_off_t allowed, apr_interval_time_t time)
{
    finish_client_served(state);
    state->fill.gone = 1;
    state->fill.allowed = allowed;
    state->fill.deadline = apr_time_now() + time;
}

int finish_client_gone(state_t *state)
{
    conn_rec *c = state->r->connection;

    if (state->fill.gone) {
        return fetch_is_storing(&state->fetch);
    }
    if (!is_worth_it(state)) {
        return 0;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, state->r,
                  STORERNO(0711) "the client went away; %s is fetched to the end for the cache",
                  state->url_key);
    go_on_without(state, received(state) + config_finish_fill(state->config),
                  state->r->server->timeout);
    /* mod_proxy reads on only if the connection is said to live. Nothing is written to it: the rest of
     * the response is swallowed before. */
    c->aborted = 0;
    apr_pool_cleanup_register(state->r->pool, state, leave_aborted, apr_pool_cleanup_null);
    return 1;
}

void finish_begin(state_t *state)
{
    const background_t *task = background_of(state->r);

    if (task) {
        go_on_without(state, task->allowance, BACKGROUND_TIMEOUTS * state->r->server->timeout);
    }
}

/* A fetch without a client is over its limits. They hold only as long as nobody waits: to know that
 * takes a while, and is not asked for each piece of a body. */
static int is_over(state_t *state, fetch_event_e *event)
{
    state_fill_t *fill = &state->fill;
    int too_late = apr_time_now() > fill->deadline;

    if (!too_late && (fill->allowed < 0 || received(state) <= fill->allowed)) {
        return 0;
    }
    if (!too_late && fill->asked_at && received(state) - fill->asked_at < ASK_AGAIN_BYTES) {
        return 0;
    }
    fill->asked_at = received(state);
    *event = too_late ? FETCH_EVENT_TIMED_OUT : FETCH_EVENT_CLIENT_GONE;
    return !collapse_is_awaited(state);
}

/* Of the handlers only mod_proxy_http takes an error behind the end of a response for what it is; the
 * others might send an error page behind it. If there is no client that hurts nobody. */
static int may_stop_handler(const state_t *state)
{
    const request_rec *r = state->r;

    return state->fill.gone || (r->filename && strncmp(r->filename, "proxy:http", 10) == 0);
}

apr_status_t finish_verdict(state_t *state)
{
    fetch_event_e event = FETCH_EVENT_OVER;

    if (fetch_is_storing(&state->fetch) && state->fetch.phase != FETCH_STORED && state->fill.gone
        && is_over(state, &event)) {
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, state->r,
                      STORERNO(0831) "%s is not fetched to the end: %s", state->url_key,
                      event == FETCH_EVENT_TIMED_OUT ? "it takes too long"
                                                     : "more is missing than CacheStorerFinishFill");
        fetch_happens(&state->fetch, event, apr_time_now());
    }
    if (fetch_is_storing(&state->fetch) || !may_stop_handler(state)) {
        return APR_SUCCESS;
    }
    if (state->fill.gone) {
        state->r->connection->aborted = 1;
    }
    return APR_ECONNABORTED;
}

void finish_behind_head(const state_t *state, apr_off_t length)
{
    apr_off_t limit = config_finish_fill(state->config);

    if (limit > 0 && length <= limit && state->fetch.key.len > 0) {
        background_fetch(state, state->fetch.key, limit);
    }
}
