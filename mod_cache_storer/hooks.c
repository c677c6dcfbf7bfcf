/* SPDX-License-Identifier: Apache-2.0
 *
 * hooks.c - see hooks.h. In the order of a request's life:
 *
 *   quick_handler  before_quick    mask.c, invalidate.c
 *                  (mod_cache)     provider_open_entity, which serves plain hits; adds CACHE_SAVE
 *                  after_quick     what was masked is put back
 *   insert_filter  insert_filters  intake.c and outlet.c around CACHE_SAVE
 *   handler        before_handler  the same as above, where CacheQuickHandler is off
 *                  (mod_cache)
 *                  after_handler
 *   cache_status   see_status      mod_cache tells how it decided
 *   error filters  see_error       a response that httpd makes itself, which passes no filter of ours
 */
#include "hooks.h"

#include "fetch/collapse.h"
#include "fetch/reload.h"
#include "fetch/fill.h"
#include "intake.h"
#include "invalidate.h"
#include "mask.h"
#include "outlet.h"
#include "provider.h"
#include "stale.h"
#include "state.h"
#include "status.h"

#include "access/guard.h"
#include "admin/admin.h"
#include "compat/backend_head.h"
#include "compat/nested_subrequest.h"
#include "compat/interim.h"
#include "compat/rewrite.h"
#include "compat/validation.h"
#include "purge/purge_method.h"
#include "purge/purge_response.h"
#include "stats/stats_report.h"

#include "http_protocol.h"
#include "http_request.h"
#include "mod_cache.h"
#include "apr_strings.h"

static const char *const mod_cache[] = { "mod_cache.c", NULL };

static void before(state_t *state)
{
    mask_put(state);
    if (state->r->method_number != M_GET && mask_is_unsafe(state->r)) {
        invalidate_watch(state->r);
    }
}

/* An internal redirect goes on for the same URL: with the fields that the client sent, and with what
 * the request before it was about to fetch. */
static void follow_redirect(state_t *state, int goes_on)
{
    state_t *before = state->r->prev ? state_find(state->r->prev) : NULL;

    if (!before || state->redirected) {
        return;
    }
    state->redirected = 1;
    fill_withdraw(before);
    if (before->found && before->asked) { /* conditions are added for a stored response only */
        state->r->headers_in = before->asked;
        if (before->mask.authorization) {
            apr_table_setn(before->asked, "Authorization", before->mask.authorization);
        }
        if (before->mask.directives) {
            apr_table_overlap(before->asked, before->mask.directives, APR_OVERLAP_TABLES_SET);
        }
    }
    if (goes_on && !provider_is_passing_error(state->r)) {
        collapse_follow_redirect(state, before);
    }
    else {
        collapse_end_redirected(state->r);
    }
}

/* mod_dir looks up what it may put in a request's place, and takes it only if httpd has found a file
 * for it: which it has not if mod_cache says that it could serve it. mod_include looks up what it then
 * runs, as a part of a response that is being made. */
static int looks_for_file(const request_rec *r)
{
    const state_t *whole = r->main ? state_find(r->main) : NULL;

    return whole && !whole->handling;
}

static int before_quick(request_rec *r, int lookup)
{
    state_t *state = state_of(r);

    if (state) {
        state->quick = 1;
        state->lookup = lookup != 0;
        state->file_lookup = lookup && looks_for_file(r);
        follow_redirect(state, 1);
        mask_put_path(state);
        if (state->credentials || r->method_number != M_GET) { /* else there is nothing to mask */
            before(state);
        }
        if (state->directives) {
            reload_begin(state);
        }
    }
    return DECLINED;
}

static int after_quick(request_rec *r, int lookup)
{
    state_t *state = state_find(r);

    (void)lookup;
    if (state) {
        state->quick = 0;
        state->save = negotiation_keep(r);
        mask_remove(state);
        validation_ask(state);
    }
    return DECLINED;
}

/* With CacheQuickHandler off mod_cache serves what it finds to a request with Authorization: httpd
 * has checked that by now. So only the method is masked. */
static int before_handler(request_rec *r)
{
    state_t *state = state_of(r);

    if (state) {
        state->handling = 1;
        /* after ap_internal_redirect_handler() there is no quick handler, and so no mod_cache */
        follow_redirect(state, !state->config->quick);
        mask_put_path(state);
        if (r->method_number != M_GET) {
            mask_put(state);
        }
        if (state->directives && !state->config->quick) {
            reload_begin(state);
        }
    }
    return DECLINED;
}

static int after_handler(request_rec *r)
{
    state_t *state = state_find(r);

    if (state) {
        mask_remove(state);
        if (!state->config->quick) {
            validation_ask(state);
        }
    }
    return DECLINED;
}

/* Whether mod_cache may be at work: other responses are none of our business. It looks at the path
 * that was asked for, and at the sections for what that was rewritten to. */
static int is_covered(const state_t *state)
{
    request_rec *r = state->r;
    const url_t *url = url_of(r);

    return (url && url->path && config_covers(state->config, url->path))
           || config_covers(state->config, r->parsed_uri.path) || config_covers(state->config, r->uri);
}

static void insert_filters(request_rec *r)
{
    state_t *state = state_of(r);

    nested_subrequest_insert(r);
    if (state) {
        negotiation_restore(r, state->save);
    }
    if (!state || state->hit) {
        return;
    }
    if (purge_response_matters(state)) {
        interim_watch(state);
    }
    if (!is_covered(state)) {
        if (purge_response_matters(state)) {
            purge_response_watch(state);
        }
        return;
    }
    state->forwarded = 1;
    if (state->relayed) {
        return; /* what is sent has passed the filters in the background */
    }
    if (r->method_number == M_GET) {
        validation_insert(state);
        intake_insert(state);
    }
    outlet_insert(state);
}

static int is_error(int status)
{
    return status >= HTTP_INTERNAL_SERVER_ERROR;
}

static fetch_event_e declined_by_mod_cache(int status)
{
    if (status == HTTP_PARTIAL_CONTENT || status == HTTP_NOT_MODIFIED) {
        return FETCH_EVENT_PARTIAL;
    }
    return is_error(status) ? FETCH_EVENT_ORIGIN_FAILED : FETCH_EVENT_NOT_STORABLE;
}

/* mod_cache's reasons for not storing come before the first byte of the response is passed on. */
static void see_miss(state_t *state, const char *reason)
{
    if (fetch_is_storing(&state->fetch)) {
        return;
    }
    if (!state->detail) {
        state->detail = reason;
        if (!state->management) {
            stats_count(state->r, STATS_DECLINED_HEADERS);
        }
    }
    if (state->found && state->r->status == HTTP_NOT_MODIFIED) {
        /* mod_cache asks again, by an internal redirect, and may well store what it gets then */
        fetch_happens(&state->fetch, FETCH_EVENT_CONTRADICTED, apr_time_now());
        return;
    }
    fetch_happens(&state->fetch, declined_by_mod_cache(state->r->status), apr_time_now());
}

/* A status that httpd has no words for would be sent as a 500. */
static void name_status(request_rec *r, int status)
{
    if (status != HTTP_OK && status != HTTP_INTERNAL_SERVER_ERROR
        && ap_index_of_response(status) == ap_index_of_response(HTTP_INTERNAL_SERVER_ERROR)) {
        r->status_line = apr_psprintf(r->pool, "%d Unknown", status);
    }
}

/* What httpd would otherwise make up: the Date, from which the age is counted. */
static void keep_as_stored(request_rec *r, const cache_handle_t *handle, const apr_table_t *headers)
{
    if (r->proxyreq == PROXYREQ_NONE && apr_table_get(headers, "Date")) {
        r->proxyreq = PROXYREQ_REVERSE;
    }
    name_status(r, handle->cache_obj->info.status);
}

static int see_status(cache_handle_t *handle, request_rec *r, apr_table_t *headers,
                      ap_cache_status_e status, const char *reason)
{
    state_t *state = state_find(r);

    if (!state || !state->url_key || (status == AP_CACHE_HIT && !state->found)) {
        return DECLINED; /* another provider's */
    }
    switch (status) {
    case AP_CACHE_HIT:
        if (state->forwarded) {
            state->detail = reason; /* the origin has failed, and this takes its place */
            fetch_happens(&state->fetch, FETCH_EVENT_ORIGIN_FAILED, apr_time_now());
        }
        state->hit = 1;
        mask_remove(state);
        keep_as_stored(r, handle, headers);
        status_add_hit(state, headers);
        break;
    case AP_CACHE_MISS:
        see_miss(state, reason);
        break;
    case AP_CACHE_REVALIDATE:
        name_status(r, handle->cache_obj->info.status);
        break;
    case AP_CACHE_INVALIDATE:
        state->detail = reason;
        break;
    default:
        break;
    }
    return OK;
}

/* RFC 9110 section 14.4: httpd's byterange filter answers a range that is not there with a bare 416. */
static void tell_length(const state_t *state)
{
    const record_t *record = &state->found->record;
    apr_off_t length = record->body_length;

    if (length < 0 && !(record->flags & RECORD_LZ4)) {
        length = record->stored_length;
    }
    if (length >= 0) {
        fill_tell_length(state->r->err_headers_out, length);
    }
}

/* After mod_cache, which may replace the error with what is stored. */
static void see_error(request_rec *r)
{
    state_t *state = state_find(r);

    if (!state) {
        return;
    }
    mask_remove(state);
    stale_unguard(state);
    if (state->hit) {
        if (r->status == HTTP_RANGE_NOT_SATISFIABLE) {
            tell_length(state);
        }
        if (state->dated) {
            apr_table_unset(r->headers_out, "Last-Modified");
        }
        return;
    }
    fetch_happens(&state->fetch, FETCH_EVENT_ORIGIN_FAILED, apr_time_now());
    if (!state->outlet_seen && is_covered(state)) {
        state->outlet_seen = 1;
        purge_response_see(state);
        status_add_forwarded(state, r->err_headers_out);
    }
    else if (!state->outlet_seen && purge_response_matters(state)) {
        purge_response_see(state);
    }
}

void hooks_register(void)
{
    backend_head_register();
    validation_register();
    intake_register();
    outlet_register();
    interim_register();
    purge_response_register();
    invalidate_register();
    ap_hook_quick_handler(before_quick, NULL, mod_cache, APR_HOOK_REALLY_FIRST);
    ap_hook_quick_handler(after_quick, mod_cache, NULL, APR_HOOK_FIRST);
    ap_hook_handler(before_handler, NULL, mod_cache, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(after_handler, mod_cache, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_insert_filter(insert_filters, NULL, NULL, APR_HOOK_LAST);
    ap_hook_insert_error_filter(see_error, mod_cache, NULL, APR_HOOK_MIDDLE);
    guard_register();
    purge_method_register();
    admin_register();
    nested_subrequest_register();
    rewrite_register();
    stats_register();
    report_metrics_register();
    report_status_register();
    cache_hook_cache_status(see_status, NULL, NULL, APR_HOOK_MIDDLE);
}
