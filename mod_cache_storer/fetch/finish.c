/* SPDX-License-Identifier: Apache-2.0
 *
 * finish.c - see finish.h.
 */
#include "finish.h"

#include "collapse.h"

#include "../provider.h"

#include <string.h>

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

/* What is still to come is known, and not more than the limit; or another request waits for it. */
static int is_worth_it(const state_t *state)
{
    const provider_writing_t *writing = state->storing ? state->storing->writing : NULL;

    if (state->fetch.phase != FETCH_STORING || !writing || writing->complete) {
        return 0;
    }
    if (collapse_is_awaited(state)) {
        return 1;
    }
    return writing->announced >= 0
           && writing->announced - writing->received <= config_finish_fill(state->config);
}

int finish_client_gone(state_t *state)
{
    conn_rec *c = state->r->connection;

    if (state->fill.done) {
        return state->fill.gone;
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

/* Of the handlers only mod_proxy_http takes an error behind the end of a response for what it is; the
 * others might send an error page behind it. If the client has gone that hurts nobody. */
static int may_stop_handler(const state_t *state)
{
    const request_rec *r = state->r;

    return state->fill.gone || (r->filename && strncmp(r->filename, "proxy:http", 10) == 0);
}

apr_status_t finish_verdict(state_t *state)
{
    if (fetch_is_storing(&state->fetch) || !may_stop_handler(state)) {
        return APR_SUCCESS;
    }
    if (state->fill.gone) {
        state->r->connection->aborted = 1;
    }
    return APR_ECONNABORTED;
}
