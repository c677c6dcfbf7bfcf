/* SPDX-License-Identifier: Apache-2.0
 *
 * background.c - see background.h.
 */
#include "background.h"

#include "collapse.h"
#include "refresh.h"

background_t *background_of(const request_rec *r)
{
    return r->main || r->prev ? NULL : refresh_of(r);
}

static int begin(void *baton, storer_bytes_t key)
{
    background_t *task = baton;

    return collapse_begin(&task->fetch, task->store, key, task->lease);
}

static void end(void *baton)
{
    background_t *task = baton;

    fetch_happens(&task->fetch, FETCH_EVENT_OVER, apr_time_now());
}

void background_fetch(const state_t *state, storer_bytes_t key, apr_off_t allowance)
{
    background_t task = { 0 };
    refresh_order_t order = { key, &task, sizeof(task), begin, end };
    apr_interval_time_t collapse = config_collapse(state->config);
    apr_status_t rv;

    if (!collapse_is_open() || collapse_is_settled(key)) {
        return;
    }
    task.store = state->config->store;
    task.lease = collapse > 0 ? collapse : state->r->server->timeout;
    task.allowance = allowance;
    rv = refresh_start(state->r, &order);
    if (rv != APR_SUCCESS && rv != APR_EEXIST) {
        /* a later request may have more luck */
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, rv, state->r,
                      STORERNO(0721) "%s cannot be fetched in the background now", state->url_key);
    }
}
