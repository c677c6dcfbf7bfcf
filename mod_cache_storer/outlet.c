/* SPDX-License-Identifier: Apache-2.0
 *
 * outlet.c - see outlet.h.
 *
 *   handler -> intake -> CACHE_SAVE -> outlet -> ... -> network
 *
 * What mod_cache was shown is not what the client gets: the fields that intake.c has hidden are put
 * back, and so are the conditions that fill.c took off the request.
 */
#include "outlet.h"

#include "fetch/fill.h"
#include "fetch/finish.h"
#include "intake.h"
#include "stale.h"
#include "status.h"

#include "purge/purge_response.h"

#include "util_filter.h"

static ap_filter_rec_t *outlet_handle, *outlet_subrequest_handle;

static apr_status_t see_head(state_t *state, const apr_bucket_brigade *brigade)
{
    apr_status_t rv;

    if (!state->intake.restored) {
        intake_restore(state, state->r->headers_out);
    }
    rv = fill_answer(state, brigade);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    purge_response_see(state);
    status_add_forwarded(state, state->r->headers_out);
    finish_begin(state);
    return APR_SUCCESS;
}

static apr_status_t outlet_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    state_t *state = filter->ctx;
    apr_status_t rv;

    if (!state->outlet_seen) {
        state->outlet_seen = 1;
        stale_unguard(state);
        if (state->hit) {
            ap_remove_output_filter(filter);
            return ap_pass_brigade(filter->next, brigade);
        }
        rv = see_head(state, brigade);
        if (rv != APR_SUCCESS) {
            (void)apr_brigade_cleanup(brigade);
            return rv;
        }
    }
    finish_relay(state, brigade);
    rv = fill_cut(state, brigade);
    if (rv != APR_SUCCESS || APR_BRIGADE_EMPTY(brigade)) {
        return rv;
    }
    rv = ap_pass_brigade(filter->next, brigade);
    if (rv == APR_SUCCESS) {
        rv = fill_flush(state, filter->next, brigade);
    }
    if ((rv != APR_SUCCESS || filter->c->aborted) && finish_client_gone(state)) {
        return apr_brigade_cleanup(brigade);
    }
    return rv;
}

void outlet_register(void)
{
    outlet_handle = ap_register_output_filter("CACHE_STORER_OUT", outlet_filter, NULL,
                                              AP_FTYPE_CONTENT_SET + 2);
    outlet_subrequest_handle = ap_register_output_filter("CACHE_STORER_OUT_SUBREQ", outlet_filter,
                                                         NULL, AP_FTYPE_CONTENT_SET);
}

void outlet_insert(state_t *state)
{
    request_rec *r = state->r;

    ap_add_output_filter_handle(r->main ? outlet_subrequest_handle : outlet_handle, state, r,
                                r->connection);
}
