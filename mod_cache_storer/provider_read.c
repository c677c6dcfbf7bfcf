/* SPDX-License-Identifier: Apache-2.0
 *
 * provider_read.c - look-ups: the election, the record, and the body as buckets. The hot path; it
 * formats nothing unless a log level asks for it.
 */
#include "provider.h"

#include "body.h"
#include "bucket.h"
#include "access/guard.h"
#include "fetch/background.h"
#include "fetch/collapse.h"
#include "fetch/fill.h"
#include "fetch/relayed.h"
#include "fetch/reload.h"
#include "hit.h"
#include "http/accept.h"
#include "info.h"
#include "sendfile.h"
#include "stale.h"

#include "http/control.h"

#include "purge/purge.h"
#include "stats/stats.h"

#include "http_main.h"
#include "http_protocol.h"
#include "apr_date.h"
#include "apr_strings.h"

#include <string.h>

/* Covers every way a request can end without recall_body: a 304, or a mere look-up. */
static apr_status_t release_view(void *baton)
{
    provider_object_t *object = baton;

    storer_view_release(&object->view);
    return APR_SUCCESS;
}

/* The frame's content is bounded by what was allowed when it was stored, and by what is now. */
static int is_too_large(const provider_object_t *object)
{
    const record_t *record = &object->record;

    return (record->flags & RECORD_LZ4)
           && (record->body_length >= 0 ? record->body_length : record->body_limit)
              > object->config->body_limit;
}

/* A response in a coding that the client says it cannot read (RFC 9110 section 12.5.3), of an
 * origin that does not say that it chooses the coding: without Vary it would fit everybody. A
 * client that names no codings takes any. */
static int is_unreadable(const provider_object_t *object, const request_rec *r)
{
    const char *coding = apr_table_get(object->record.headers, "Content-Encoding");
    const char *accepted;

    if (!coding || request_varies_on(object->record.headers, "Accept-Encoding")) {
        return 0;
    }
    accepted = apr_table_get(r->headers_in, "Accept-Encoding");
    return accepted && !accept_coding_is_readable(accept_coding_of(coding), accept_codings(accepted));
}

/* What is purged goes when it is replaced, or when its room is wanted. */
static int is_purged(provider_object_t *object, request_rec *r)
{
    switch (purge_standing(object->store, &object->record, object->base_key, r->request_time,
                           r->pool)) {
    case STORER_GONE:
        return 1;
    case STORER_STALE:
        object->stale = 1;
        object->soft = 1;
        return 0;
    case STORER_STANDS:
    default:
        return 0;
    }
}

static apr_status_t read_variant(provider_object_t *object, const state_t *state)
{
    request_rec *r = state->r;
    storer_view_t stale_view = STORER_VIEW_EMPTY;
    request_look_t look;
    storer_request_t request = request_of(&look, r, object->config);
    apr_time_t begin;
    apr_status_t rv;

    begin = stats_times(object->config, r) ? apr_time_now() : 0;
    rv = storer_get_multi_level(object->store, object->base_key, &request, NULL, r->request_time,
                                &object->view, &stale_view, r->pool);
    if (begin) {
        stats_timed(object->config, r, apr_time_now() - begin);
    }
    if (rv != APR_SUCCESS) {
        if (!APR_STATUS_IS_NOTFOUND(rv)) {
            stats_add(object->config, r, STATS_ERRORS, 1);
        }
        return rv;
    }
    object->stale = 0;
    object->soft = 0;
    if (!object->view.ops) {
        storer_view_move(&object->view, &stale_view);
        object->stale = 1;
    }
    storer_view_release(&stale_view);

    rv = record_decode(&object->view, &object->record, r->pool);
    if (rv != APR_SUCCESS) {
        storer_view_release(&object->view);
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, rv, r,
                      STORERNO(0401) "the cached response for %s is damaged, dropping it",
                      object->base.key);
        (void)provider_drop(object, r); /* logs by itself; the look-up is a miss either way */
        return APR_NOTFOUND;
    }
    if (is_too_large(object)) {
        storer_view_release(&object->view);
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r,
                      STORERNO(0402) "not served: the cached body of %s may exceed "
                      "CacheStorerMaxFileSize", object->base.key);
        return APR_NOTFOUND;
    }
    if (!provider_is_shared(&object->record.freshness, state) || guard_hides(&object->record, state)
        || is_unreadable(object, r) || is_purged(object, r)) {
        storer_view_release(&object->view);
        return APR_NOTFOUND;
    }
    return APR_SUCCESS;
}

int provider_is_found(const provider_object_t *stored, request_rec *r)
{
    storer_view_t fresh = STORER_VIEW_EMPTY, stale = STORER_VIEW_EMPTY;
    request_look_t look;
    storer_request_t request = request_of(&look, r, stored->config);
    int result;

    result = storer_get_multi_level(stored->store, stored->base_key, &request, NULL, r->request_time,
                                    &fresh, &stale, r->pool) == APR_SUCCESS && fresh.ops;
    storer_view_release(&fresh);
    storer_view_release(&stale);
    return result;
}

/* A stale response that mod_cache will be able to use once it is validated, by whomever. */
static int is_refreshable(const provider_object_t *object)
{
    const freshness_t *response = &object->record.freshness;

    return !response->no_cache && freshness_lifetime(response) > 0;
}

static int is_missing(const provider_object_t *object, apr_status_t rv)
{
    return APR_STATUS_IS_NOTFOUND(rv) || (rv == APR_SUCCESS && object->stale);
}

/* The store judges by the time of the request, which may be before that of a response that came
 * while it waited; mod_cache judges by the age. */
static int is_stale_by_age(const provider_object_t *object, const request_rec *r)
{
    const freshness_t *response = &object->record.freshness;

    return !freshness_holds(response, freshness_age(response, object->record.headers, r->request_time));
}

static apr_status_t read_again(provider_object_t *object, state_t *state)
{
    apr_status_t rv;

    storer_view_release(&object->view);
    rv = reload_judge(state, object, read_variant(object, state));
    if (rv == APR_SUCCESS && !object->stale && is_stale_by_age(object, state->r)) {
        object->stale = 1;
    }
    state->fetch.collapsed = !is_missing(object, rv);
    return rv;
}

/* Credentials for which there is nothing stand in line among themselves: what they get is mostly
 * not to be stored, and that must not keep the others from a common fetch, or a refresh. */
static storer_bytes_t flight_key(const provider_object_t *object, state_t *state, int missing)
{
    static const char mark[] = "\nauthorization";
    request_rec *r = state->r;
    storer_bytes_t key = request_flight_key(object->config, object->store, object->base_key, r);

    /* where the election asked for a header, there were variants */
    state->forward = key.len > object->base_key.len ? STATE_FORWARD_VARY_MISS
                                                    : STATE_FORWARD_URI_MISS;
    if (missing && state->credentials) {
        key = storer_bytes(apr_pstrcat(r->pool, apr_pstrmemdup(r->pool, key.data, key.len), mark,
                                       NULL));
    }
    return key;
}

/* The request leads. Another one may have stored the response between the look and the lead, and
 * another machine may fetch it now. */
static apr_status_t read_once_more(provider_object_t *object, state_t *state)
{
    apr_status_t rv;
    int elsewhere;

    do {
        elsewhere = collapse_is_elsewhere(state);
        rv = read_again(object, state);
    } while (elsewhere && is_missing(object, rv));
    if (is_missing(object, rv)) {
        collapse_not_elsewhere(state);
    }
    else {
        fetch_happens(&state->fetch, FETCH_EVENT_FOUND, apr_time_now());
    }
    return rv;
}

/* The response is not there, or stale: serve it stale, fetch it, or wait for another request that
 * fetches it and look again. Each round ends with a fetch; collapse.c sees to it that no wait is in
 * vain twice. */
static apr_status_t read_together(provider_object_t *object, state_t *state, apr_status_t rv)
{
    state->forward = STATE_FORWARD_URI_MISS;
    while (is_missing(object, rv)) {
        storer_bytes_t key = reload_key(state, flight_key(object, state, rv != APR_SUCCESS));
        collapse_role_e role;

        state->fetch.key = key;
        if (rv == APR_SUCCESS && stale_serve(state, object, key)) {
            object->stale = 0;
            break;
        }
        if ((rv == APR_SUCCESS && !is_refreshable(object)) || !collapse_is_possible(state)) {
            break;
        }
        role = collapse_join(state);
        if (role == COLLAPSE_FOLLOW) {
            storer_view_release(&object->view); /* nothing is held while it waits */
            role = collapse_wait(state);
            if (role != COLLAPSE_LEAD) {
                rv = read_again(object, state);
                continue;
            }
        }
        return role == COLLAPSE_LEAD ? read_once_more(object, state) : rv;
    }
    return rv;
}

#define ASKS_RANGE      1u
#define ASKS_CONDITION  2u /* If-..., RFC 9110 section 13.1 */
#define ASKS_DIRECTIVE  4u /* RFC 9111 sections 5.2.1 and 5.4 */
#define ASKS_UPGRADE    8u

/* Whether there is one in Cache-Control or Pragma that a cache minds. */
static int has_directive(const request_rec *r)
{
    control_t control = control_of(r->headers_in, r->pool);
    const char *pragma = apr_table_get(r->headers_in, "Pragma");

    return control.max_age >= 0 || control.max_stale >= 0 || control.min_fresh >= 0
           || control.no_cache || control.no_store || control.only_if_cached
           || (pragma && ap_strcasestr(pragma, "no-cache"));
}

/* What a request asks for beyond a response as it is, in one look at its fields. */
static unsigned asks_for(const request_rec *r)
{
    const apr_array_header_t *fields = apr_table_elts(r->headers_in);
    unsigned asks = 0;
    int i;

    for (i = 0; i < fields->nelts; i++) {
        const char *name = APR_ARRAY_IDX(fields, i, apr_table_entry_t).key;

        switch (name[0] | 0x20) {
        case 'i':
            if (ap_cstr_casecmpn(name, "If-", 3) == 0) {
                asks |= ASKS_CONDITION;
            }
            break;
        case 'r':
            if (ap_cstr_casecmp(name, "Range") == 0) {
                asks |= ASKS_RANGE;
            }
            break;
        case 'c':
        case 'p':
            if (ap_cstr_casecmp(name, "Cache-Control") == 0
                || ap_cstr_casecmp(name, "Pragma") == 0) {
                asks |= ASKS_DIRECTIVE;
            }
            break;
        case 'u':
            if (ap_cstr_casecmp(name, "Upgrade") == 0) {
                asks |= ASKS_UPGRADE;
            }
            break;
        default:
            break;
        }
    }
    return asks;
}

/* RFC 9111 section 4.3.2: a response without Last-Modified is judged by its Date, which is its
 * Last-Modified to httpd then; see_error() takes that off the answer. httpd takes a time after the
 * response's Date for none, so a condition that holds is put as one that just holds. */
static void settle_since(const provider_object_t *object, request_rec *r)
{
    apr_table_t *headers = r->headers_in, *stored = object->record.headers;
    apr_time_t since = apr_date_parse_http(apr_table_get(headers, "If-Modified-Since"));
    apr_time_t modified = apr_date_parse_http(apr_table_get(stored, "Last-Modified"));
    int is_known = modified != APR_DATE_BAD;
    char *text;

    if (!is_known) {
        modified = object->record.freshness.date;
    }
    if (since == APR_DATE_BAD || since > r->request_time
        || apr_time_sec(since) < apr_time_sec(modified)) {
        apr_table_unset(headers, "If-Modified-Since");
        return;
    }
    text = apr_palloc(r->pool, APR_RFC822_DATE_LEN);
    apr_rfc822_date(text, modified);
    apr_table_setn(headers, "If-Modified-Since", text);
    apr_table_unset(headers, "Range"); /* it is not asked for any more; httpd would not answer 304 */
    if (!is_known) {
        apr_table_setn(stored, "Last-Modified", text);
        state_of(r)->dated = 1;
    }
}

/* RFC 9110 section 13.1.3, and section 13.2.2: conditions that the stored response does not meet
 * are answered with all of it. To mod_cache they would be a reason to ask the origin. */
static void settle_conditions(const provider_object_t *object, request_rec *r, unsigned asks)
{
    apr_table_t *headers = r->headers_in, *stored = object->record.headers;

    if (apr_table_get(headers, "If-None-Match")) {
        apr_table_unset(headers, "If-Modified-Since");
        if (ap_condition_if_none_match(r, stored) == AP_CONDITION_NOMATCH) {
            apr_table_unset(headers, "If-None-Match");
        }
    }
    else if (apr_table_get(headers, "If-Modified-Since")
             && (apr_table_get(stored, "Last-Modified")
                 || (!object->stale && !((asks & ASKS_DIRECTIVE) && has_directive(r))))) {
        settle_since(object, r);
    }
    if (object->whole && apr_table_get(headers, "If-Range")
        && ap_condition_if_range(r, stored) == AP_CONDITION_NOMATCH) {
        apr_table_unset(headers, "If-Range");
        apr_table_unset(headers, "Range");
    }
}

/* RFC 6455 section 4.1: what answers it is no response to a GET of the same URL, nor the reverse. */
static int is_handshake(request_rec *r)
{
    return ap_find_token(r->pool, apr_table_get(r->headers_in, "Upgrade"), "websocket");
}

static int pass_by(state_t *state, cache_handle_t *handle)
{
    fetch_happens(&state->fetch, FETCH_EVENT_UPGRADED, apr_time_now());
    state->bypass = 1;
    state->bypass_known = 1;
    state->forward = STATE_FORWARD_BYPASS;
    state->detail = "it asks for another protocol";
    handle->cache_obj = NULL;
    return DECLINED;
}

static int found(provider_object_t *object, state_t *state, cache_handle_t *handle)
{
    request_rec *r = state->r;
    unsigned asks = asks_for(r);
    int result;

    apr_pool_cleanup_register(r->pool, object, release_view, apr_pool_cleanup_null);
    if ((asks & ASKS_UPGRADE) && is_handshake(r)) {
        return pass_by(state, handle);
    }
    object->opened = 1;
    object->whole = (asks & ASKS_RANGE) || (r->header_only && object->record.body_length < 0);
    state->found = object;
    /* for the case that mod_cache does not serve it */
    state->forward = object->stale && !state->reload ? STATE_FORWARD_STALE : STATE_FORWARD_REQUEST;
    if (!object->stale) {
        if (!state->fresh_until) { /* else it is stale, and served so */
            state->fresh_until = object->view.expiry.fresh_until;
        }
    }
    else {
        state->fresh_until = freshness_end(&object->record.freshness, object->record.headers);
        if (!state->lookup) {
            stale_guard(state, object);
        }
    }
    object->base.info.status = object->record.status; /* all that a plain hit is asked about */
    if ((asks & ASKS_CONDITION) && !r->main) { /* a subrequest shares the table with its main request */
        settle_conditions(object, r, asks);
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, STORERNO(0404) "found a %s response for %s",
                  object->stale ? "stale" : "fresh", object->base.key);
    result = asks & (ASKS_CONDITION | ASKS_DIRECTIVE) ? OK : hit_serve(state, handle);
    if (result == OK) {
        info_write(&object->record, &object->base.info);
        /* the mapping may end earlier than the response itself says: a soft purge */
        object->base.info.control.invalidated = object->stale
                                                && r->request_time < state->fresh_until;
        /* mod_cache may add conditions of its own, which are not for an internal redirect */
        state->asked = apr_table_copy(r->pool, r->headers_in);
    }
    return result;
}

/* What wants less than all of a response fills the cache nevertheless, one way or the other. */
static int begin_fill(state_t *state)
{
    int result = DECLINED;

    if (!state->fetch.passes && !state->reload) {
        result = relayed_serve(state);
    }
    if (result == DECLINED && !state->fetch.passes) {
        fill_prepare(state);
    }
    return result;
}

static int missed(provider_object_t *object, state_t *state, cache_handle_t *handle,
                  apr_status_t rv)
{
    request_rec *r = state->r;

    if (is_handshake(r)) {
        return pass_by(state, handle);
    }
    if (state->reload) {
        state->forward = STATE_FORWARD_REQUEST;
    }
    handle->cache_obj = NULL;
    if (APR_STATUS_IS_NOTFOUND(rv)) {
        rv = APR_SUCCESS;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, rv, r,
                  STORERNO(0403) "nothing cached for %s fits the request", object->base.key);
    if (state->lookup) {
        return DECLINED;
    }
    state->asked = apr_table_copy(r->pool, r->headers_in);
    return begin_fill(state);
}

int provider_open_entity(cache_handle_t *handle, request_rec *r, const char *mod_cache_key)
{
    provider_object_t *object = provider_object_create(handle, r);
    state_t *state;
    background_t *task;
    apr_status_t rv;

    (void)mod_cache_key;
    if (!object) {
        return DECLINED;
    }
    if (url_is_unsafe(r)) {
        /* Only the key matters, not which variant this request's headers would elect. Should it be
         * a look-up after all, recall_headers makes it a miss. */
        return OK;
    }
    state = state_of(r);
    state->url_key = object->base.key;
    if (state_bypasses(state) || url_is_error_page(r) || state->file_lookup) {
        handle->cache_obj = NULL;
        return DECLINED;
    }
    task = background_of(r); /* its parts are other fetches */
    if (task && fetch_leads(&task->fetch)) {
        collapse_adopt(state, &task->fetch);
    }
    rv = reload_judge(state, object, read_variant(object, state));
    rv = read_together(object, state, rv);
    if (task && fetch_leads(&state->fetch) && !is_missing(object, rv)) {
        fetch_happens(&state->fetch, FETCH_EVENT_FOUND, apr_time_now());
    }
    /* Once more: this request may have waited for another one, and begins a fetch now if any; and of
     * what other machines have purged it was the look-up that told. */
    (void)storer_epoch(object->store, r->request_time, &state->epoch);
    if (state->fetch.phase == FETCH_IDLE && !state->lookup && is_missing(object, rv)) {
        fetch_happens(&state->fetch, FETCH_EVENT_ASK, apr_time_now());
    }
    else if (state->fetch.phase == FETCH_ASKING && !is_missing(object, rv)) {
        /* what this request took over, and another one has stored meanwhile */
        fetch_happens(&state->fetch, FETCH_EVENT_FOUND, apr_time_now());
    }
    return rv == APR_SUCCESS ? found(object, state, handle) : missed(object, state, handle, rv);
}

apr_status_t provider_recall_headers(cache_handle_t *handle, request_rec *r)
{
    provider_object_t *object = provider_object_of(handle);

    if (!object || !object->opened) {
        return APR_NOTFOUND;
    }
    handle->resp_hdrs = object->record.headers;
    /* mod_cache compares these with the request's for each field of Vary. The election did that,
     * for every line of a field; the request's own are equal by definition. */
    handle->req_hdrs = r->headers_in;
    return APR_SUCCESS;
}

/* The stored bytes are the body. */
static apr_status_t insert_plain(provider_object_t *object, apr_bucket_brigade *brigade)
{
    const record_t *record = &object->record;
    apr_status_t rv = APR_ENOTIMPL;

    if (sendfile_is_possible(object->r, record->stored_length)) {
        rv = sendfile_insert_view(brigade, &object->view, record->skip, record->stored_length,
                                  object->r);
    }
    if (rv == APR_ENOTIMPL) {
        rv = bucket_insert_view(brigade, &object->view, record->skip, record->stored_length,
                                object->store->ops->in_place);
    }
    return rv;
}

apr_status_t provider_recall_body(cache_handle_t *handle, apr_pool_t *pool,
                                  apr_bucket_brigade *brigade)
{
    provider_object_t *object = provider_object_of(handle);
    apr_status_t rv;

    (void)pool;
    if (!object || !object->opened) {
        return APR_NOTFOUND;
    }
    if (object->record.stored_length == 0) {
        storer_view_release(&object->view);
        return APR_SUCCESS;
    }
    if (object->view.in_place && !(object->record.flags & RECORD_LZ4)) {
        rv = insert_plain(object, brigade);
    }
    else {
        rv = body_insert_stream(brigade, &object->view, &object->record, object->whole,
                                object->store, object->base_key);
    }
    if (rv != APR_SUCCESS) {
        /* mod_cache ignores the status, and would send an empty body as if it were whole */
        bucket_insert_failure(APR_BRIGADE_SENTINEL(brigade), brigade->bucket_alloc);
        storer_view_release(&object->view);
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, ap_server_conf,
                     STORERNO(0405) "the cached body of %s cannot be read", object->base.key);
    }
    return rv;
}
