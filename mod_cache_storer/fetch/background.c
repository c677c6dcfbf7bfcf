/* SPDX-License-Identifier: Apache-2.0
 *
 * background.c - see background.h.
 */
#include "background.h"

#include "collapse.h"
#include "refresh.h"

#include <string.h>

background_t *background_of(const request_rec *r)
{
    return r->main || r->prev ? NULL : refresh_of(r);
}

static int begin(void *baton, storer_bytes_t key)
{
    background_t *task = baton;

    return fetch_leads(&task->fetch)
           || collapse_begin(&task->fetch, task->store, key, task->lease);
}

static void end(void *baton)
{
    background_t *task = baton;

    fetch_happens(&task->fetch, FETCH_EVENT_OVER, apr_time_now());
    if (task->relay) {
        relay_close(task->relay);
    }
}

static void prepare(const state_t *state, background_t *task, apr_off_t allowance)
{
    apr_interval_time_t collapse = state->config->collapse;

    memset(task, 0, sizeof(*task));
    task->store = state->config->store;
    task->lease = collapse > 0 ? collapse : state->r->server->timeout;
    task->allowance = allowance;
}

void background_fetch(const state_t *state, storer_bytes_t key, apr_off_t allowance)
{
    background_t task;
    refresh_order_t order = { key, &task, sizeof(task), begin, end, 0 };
    apr_status_t rv;

    if (!collapse_is_open() || collapse_is_settled(key)) {
        return;
    }
    prepare(state, &task, allowance);
    rv = refresh_start(state->r, &order);
    if (rv != APR_SUCCESS && rv != APR_EEXIST) {
        /* a later request may have more luck */
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, rv, state->r,
                      STORERNO(0721) "%s cannot be fetched in the background now", state->url_key);
    }
}

relay_t *background_relay(state_t *state)
{
    background_t task;
    refresh_order_t order = { state->fetch.key, &task, sizeof(task), begin, end, 1 };

    prepare(state, &task, -1);
    task.relay = relay_create();
    if (!task.relay) {
        return NULL;
    }
    fetch_hand_over(&state->fetch, &task.fetch);
    if (refresh_start(state->r, &order) != APR_SUCCESS) {
        fetch_hand_over(&task.fetch, &state->fetch);
        relay_close(task.relay);
        relay_leave(task.relay, 1);
        return NULL;
    }
    return task.relay;
}
