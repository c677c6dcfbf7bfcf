/* SPDX-License-Identifier: Apache-2.0
 *
 * relayed.c - see relayed.h.
 */
#include "relayed.h"

#include "background.h"
#include "fill.h"
#include "finish.h"

#include "../bucket.h"
#include "../hit.h"

#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"
#include "apr_strings.h"

#define PIECE (32 * 1024)

static int is_possible(const state_t *state)
{
    const request_rec *r = state->r;

    return state->quick && !state->lookup && !r->main && !r->prev && fetch_leads(&state->fetch)
           && apr_is_empty_table(r->headers_out) && fill_is_wanted(state);
}

/* The head as the origin's answer to this request would have it. */
static void put_head(request_rec *r, const relay_head_t *head)
{
    r->headers_out = apr_table_clone(r->pool, head->headers);
    r->err_headers_out = apr_table_overlay(r->pool, r->err_headers_out,
                                           apr_table_clone(r->pool, head->errors));
    r->status = head->status;
    if (head->content_type) {
        ap_set_content_type(r, apr_pstrdup(r->pool, head->content_type));
    }
}

static void take_head_back(request_rec *r, apr_table_t *errors)
{
    r->headers_out = apr_table_make(r->pool, 12);
    r->err_headers_out = errors;
    r->status = HTTP_OK;
    r->status_line = NULL;
    ap_set_content_type(r, NULL);
}

/* One piece of the body, in a brigade, or its end. */
static apr_status_t read_piece(request_rec *r, relay_t *relay, apr_bucket_brigade *brigade)
{
    apr_bucket_alloc_t *list = brigade->bucket_alloc;
    char *bytes = apr_bucket_alloc(PIECE, list);
    apr_size_t length = PIECE;
    apr_status_t rv;

    rv = relay_read(relay, bytes, &length, r->server->timeout);
    if (rv == APR_SUCCESS) {
        APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_heap_create(bytes, length, apr_bucket_free, list));
        return APR_SUCCESS;
    }
    apr_bucket_free(bytes);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(list));
    if (rv != APR_EOF) {
        bucket_insert_failure(APR_BRIGADE_LAST(brigade), list);
    }
    return APR_EOF;
}

/* The body, or the part of it that is asked for, as it comes. */
static int send_body(state_t *state, relay_t *relay)
{
    request_rec *r = state->r;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_status_t rv = APR_SUCCESS, read = APR_SUCCESS;
    int result = OK;

    while (!state->fill.done && read == APR_SUCCESS && result == OK) {
        if (!state->fill.sliced || state->fill.take > 0) {
            read = read_piece(r, relay, brigade);
        }
        rv = fill_cut(state, brigade);
        if (rv != APR_SUCCESS) {
            return HTTP_INTERNAL_SERVER_ERROR;
        }
        if (!APR_BRIGADE_EMPTY(brigade)) {
            result = ap_pass_brigade_fchk(r, brigade, "cache_storer: a relayed response was not sent");
            (void)apr_brigade_cleanup(brigade);
        }
    }
    return result;
}

static int answer(state_t *state, relay_t *relay)
{
    int result;

    state->relayed = 1;
    ap_run_insert_filter(state->r);
    hit_skip_content_filters(state->r);
    result = send_body(state, relay);
    relay_leave(relay, 1);
    return result == OK ? DONE : result;
}

int relayed_serve(state_t *state)
{
    request_rec *r = state->r;
    apr_table_t *errors = r->err_headers_out;
    const relay_head_t *head = NULL;
    relay_t *relay = is_possible(state) ? background_relay(state) : NULL;
    apr_status_t rv;

    if (!relay) {
        return DECLINED;
    }
    rv = relay_wait(relay, r->server->timeout, &head);
    if (rv == APR_SUCCESS) {
        put_head(r, head);
        fill_judge(state);
        if (fill_leaves_little(state)) {
            return answer(state, relay);
        }
        take_head_back(r, errors);
        fill_forget(state);
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, rv, r,
                  STORERNO(0832) "%s is asked for as it came: %s", state->url_key,
                  rv == APR_SUCCESS ? "more would be fetched than CacheStorerFinishFill"
                                    : "it will not be stored");
    relay_leave(relay, 0);
    state->fetch.passes = 1;
    return DECLINED;
}
