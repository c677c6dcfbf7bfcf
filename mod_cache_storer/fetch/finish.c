/* SPDX-License-Identifier: Apache-2.0
 *
 * finish.c - see finish.h.
 */
#include "finish.h"

#include "background.h"
#include "collapse.h"

#include "../provider.h"

#include "ap_mpm.h"

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

static void send_head(relay_t *relay, const request_rec *r)
{
    relay_head_t head = { r->status, r->content_type, r->headers_out, r->err_headers_out };

    relay_send_head(relay, &head);
}

void finish_client_served(state_t *state)
{
    state->fill.done = 1;
    state->fill.allowed = received(state) + state->config->finish_fill;
    state->fill.deadline = apr_time_now() + state->r->server->timeout;
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
    apr_off_t limit = state->config->finish_fill;

    if (state->fetch.phase != FETCH_STORING || !writing || writing->complete) {
        return 0;
    }
    if (collapse_is_awaited(state)) {
        return 1;
    }
    if (writing->announced < 0) {
        return limit > 0 && !state->fetch.passes; /* else it may be a stream, and one is enough */
    }
    return limit > 0 && writing->announced - writing->received <= limit;
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
    finish_client_served(state);
    state->fill.gone = 1;
    /* mod_proxy reads on only if the connection is said to live. Nothing is written to it: the rest of
     * the response is swallowed before. */
    c->aborted = 0;
    apr_pool_cleanup_register(state->r->pool, state, leave_aborted, apr_pool_cleanup_null);
    return 1;
}

void finish_begin(state_t *state)
{
    background_t *task = background_of(state->r);

    if (!task) {
        return;
    }
    if (task->relay && fetch_is_storing(&state->fetch)) {
        send_head(task->relay, state->r);
    }
    finish_client_served(state);
    state->fill.gone = 1;
    state->fill.allowed = task->allowance;
    state->fill.deadline = apr_time_now() + BACKGROUND_TIMEOUTS * state->r->server->timeout;
}

static void write_bucket(relay_t *relay, apr_bucket *bucket, apr_interval_time_t timeout)
{
    const char *data;
    apr_size_t length;

    if (APR_BUCKET_IS_EOS(bucket)) {
        relay_complete(relay);
    }
    else if (!APR_BUCKET_IS_METADATA(bucket)
             && apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ) == APR_SUCCESS) {
        (void)relay_write(relay, data, length, timeout);
    }
}

void finish_relay(state_t *state, apr_bucket_brigade *brigade)
{
    background_t *task = background_of(state->r);
    apr_bucket *bucket;

    if (!task || !task->relay || !state->fill.done) {
        return;
    }
    for (bucket = APR_BRIGADE_FIRST(brigade);
         bucket != APR_BRIGADE_SENTINEL(brigade) && relay_is_attended(task->relay);
         bucket = APR_BUCKET_NEXT(bucket)) {
        write_bucket(task->relay, bucket, state->r->server->timeout);
    }
    if (!relay_is_attended(task->relay) && !state->fill.left) {
        /* from here on it is a fetch whose client has gone */
        state->fill.left = 1;
        finish_client_served(state);
    }
}

/* Whoever takes its part through a relay has no limit, and may say that the rest is not worth it. */
static int is_attended(const state_t *state)
{
    const background_t *task = background_of(state->r);

    return task && task->relay && relay_is_attended(task->relay);
}

static int is_unwanted(const state_t *state)
{
    const background_t *task = background_of(state->r);

    return task && task->relay && relay_is_unwanted(task->relay) && !collapse_is_awaited(state);
}

/* The child would wait for it. */
static int is_stopping(void)
{
    int mpm_state = AP_MPMQ_RUNNING;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &mpm_state) == APR_SUCCESS
           && mpm_state == AP_MPMQ_STOPPING;
}

/* A fetch without a client is over its limits. They hold only as long as nobody waits: to know that
 * takes a while, and is not asked for each piece of a body. */
static int is_over(state_t *state, fetch_event_e *event)
{
    state_fill_t *fill = &state->fill;
    int too_late = apr_time_now() > fill->deadline || is_stopping();

    if (is_unwanted(state)) {
        *event = FETCH_EVENT_UNWANTED;
        return 1;
    }
    if (is_attended(state)) {
        return 0;
    }
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
int finish_may_stop_handler(const state_t *state)
{
    const request_rec *r = state->r;

    return state->fill.gone || (r->filename && strncmp(r->filename, "proxy:http", 10) == 0);
}

apr_status_t finish_verdict(state_t *state)
{
    fetch_event_e event = FETCH_EVENT_OVER;

    if (fetch_is_storing(&state->fetch) && state->fetch.phase != FETCH_STORED
        && is_over(state, &event)) {
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, state->r,
                      STORERNO(0831) "%s is not fetched to the end: %s", state->url_key,
                      event == FETCH_EVENT_TIMED_OUT ? "it takes too long, or the child is to end"
                                                     : "more is missing than CacheStorerFinishFill");
        fetch_happens(&state->fetch, event, apr_time_now());
    }
    if (fetch_is_storing(&state->fetch) || !finish_may_stop_handler(state)) {
        return APR_SUCCESS;
    }
    if (state->fill.gone) {
        state->r->connection->aborted = 1;
    }
    return APR_ECONNABORTED;
}

void finish_behind_head(const state_t *state, apr_off_t length)
{
    apr_off_t limit = state->config->finish_fill;

    if (limit > 0 && length <= limit && state->fetch.key.len > 0) {
        background_fetch(state, state->fetch.key, limit);
    }
}
