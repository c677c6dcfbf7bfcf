/* SPDX-License-Identifier: Apache-2.0
 *
 * provider_write.c - stores responses: what is stored at all, the record, the commit; and the new
 * record for a body that a 304 has confirmed. The body is provider_body.c's.
 *
 * A response that cannot be stored is never the client's problem: each way out leaves every bucket
 * in one of the two brigades, and the writer closed.
 */
#include "provider.h"

#include "body.h"
#include "access/guard.h"
#include "fetch/collapse.h"
#include "fetch/finish.h"
#include "info.h"
#include "intake.h"
#include "stale.h"

#include "http/sendable.h"

#include "purge/purge.h"
#include "purge/purge_response.h"
#include "stats/stats.h"

#include "http_connection.h"
#include "http_protocol.h"
#include "apr_strings.h"

#include <string.h>

static apr_status_t end_writing(void *baton)
{
    provider_writing_t *writing = baton;

    storer_writer_abort(&writing->writer);
    storer_encoder_destroy(writing->encoder);
    writing->encoder = NULL;
    return APR_SUCCESS;
}

/* Under which counter a response that is not stored is shown. */
static stats_counter_e counter_of(fetch_event_e event)
{
    switch (event) {
    case FETCH_EVENT_NOT_STORABLE:
    case FETCH_EVENT_TOO_LARGE:
    case FETCH_EVENT_PARTIAL:
        return STATS_DECLINED_RULES;
    case FETCH_EVENT_STORE_FAILED:
        return STATS_DECLINED_STORE;
    default:
        return STATS_DECLINED_CUT;
    }
}

apr_status_t provider_decline(const provider_object_t *object, request_rec *r, apr_status_t rv,
                              fetch_event_e event, const char *reason)
{
    state_t *state = state_of(r);

    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, rv, r, STORERNO(0411) "%s is not stored: %s",
                  object->base.key, reason);
    if (object->writing) {
        (void)end_writing(object->writing);
    }
    stats_add(object->config, r, counter_of(event), 1);
    if (state) {
        state->detail = reason;
        fetch_happens(&state->fetch, event, apr_time_now());
    }
    return rv == APR_SUCCESS ? APR_EGENERAL : rv;
}

apr_status_t provider_store_failed(const provider_object_t *object, request_rec *r,
                                   apr_status_t rv)
{
    return provider_decline(object, r, rv, FETCH_EVENT_STORE_FAILED, "the store does not take it");
}

static provider_writing_t *start_writing(provider_object_t *object, request_rec *r)
{
    provider_writing_t *writing = apr_pcalloc(r->pool, sizeof(*writing));

    writing->size_hint = -1;
    writing->announced = -1;
    object->writing = writing;
    apr_pool_cleanup_register(r->pool, writing, end_writing, apr_pool_cleanup_null);
    return writing;
}

/* ------------------------------------------------------------------------------------------------
 * create_entity
 * --------------------------------------------------------------------------------------------- */

int provider_create_entity(cache_handle_t *handle, request_rec *r, const char *mod_cache_key,
                           apr_off_t length, apr_bucket_brigade *brigade)
{
    provider_object_t *object = provider_object_create(handle, r);
    state_t *state = state_of(r);
    const char *reason;

    (void)mod_cache_key;
    (void)brigade;
    if (!object || !state) {
        return DECLINED;
    }
    reason = provider_refusal(state, length);
    state->url_key = object->base.key;
    if (state_bypasses(state)) {
        handle->cache_obj = NULL;
        return DECLINED;
    }
    if (reason) {
        handle->cache_obj = NULL;
        if (strcmp(reason, PROVIDER_REFUSAL_HEAD) == 0) {
            finish_behind_head(state, length);
        }
        return provider_result(provider_decline(
            object, r, APR_SUCCESS, r->status == HTTP_PARTIAL_CONTENT ? FETCH_EVENT_PARTIAL
                                                                      : FETCH_EVENT_NOT_STORABLE,
            reason));
    }
    start_writing(object, r)->size_hint = length;
    state->storing = object;
    return OK;
}

/* ------------------------------------------------------------------------------------------------
 * store_headers
 * --------------------------------------------------------------------------------------------- */

static storer_bytes_t etag_of(const apr_table_t *headers)
{
    const char *etag = apr_table_get(headers, "ETag");

    return storer_bytes(etag ? etag : "");
}

/* Length that the body must have in the end; -1: nobody can tell yet. */
static apr_off_t announced_length(const request_rec *r, const apr_table_t *headers,
                                  apr_off_t size_hint)
{
    const char *text = apr_table_get(headers, "Content-Length");
    apr_off_t length;

    if (AP_STATUS_IS_HEADER_ONLY(r->status)) {
        return -1; /* a Content-Length is not about this response */
    }
    if (!text) {
        return size_hint;
    }
    return ap_parse_strict_length(&length, text) ? length : -1;
}

/* For as long as it may be wanted. */
static apr_interval_time_t kept_stale(const config_server_t *config, const freshness_t *response,
                                      const apr_table_t *headers, apr_pool_t *pool)
{
    apr_interval_time_t configured = config->stale;
    apr_interval_time_t wanted = stale_longest(config, response, headers, pool);

    return wanted > configured ? wanted : configured;
}

/* The fields to store: those the origin sent, without what is for one client only. */
static apr_table_t *stored_headers(const provider_object_t *object, request_rec *r)
{
    apr_table_t *headers = ap_cache_cacheable_headers_out(r);
    const state_t *state = state_of(r);

    if (state) {
        intake_restore(state, headers);
    }
    if (object->config->cookies != CONFIG_COOKIES_STORE) {
        apr_table_unset(headers, "Set-Cookie");
        apr_table_unset(headers, "Set-Cookie2");
    }
    freshness_mend_age(headers, r->pool);
    return headers;
}

/* Open a writer under the variant's key, and write head and header fields.
 * body_size: what will follow, as it is stored; -1: not known. */
static apr_status_t write_head(provider_object_t *object, const apr_table_t *headers,
                               const record_t *record, apr_off_t body_size, apr_pool_t *pool)
{
    provider_writing_t *writing = object->writing;
    const freshness_t *response = &record->freshness;
    apr_off_t size_hint = -1;
    storer_bytes_t head;
    apr_status_t rv;

    rv = record_encode(headers, record, &head, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (body_size >= 0) {
        size_hint = (apr_off_t)head.len + body_size;
    }
    writing->expiry = freshness_expiry(response, headers,
                                       kept_stale(object->config, response, headers, pool),
                                       response->response_time);
    writing->etag = etag_of(headers);
    rv = storer_open_writer(object->store, writing->variant.key, writing->expiry, size_hint,
                            response->response_time, &writing->writer, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return storer_writer_append(&writing->writer, head);
}

static void head_stored(request_rec *r)
{
    state_t *state = state_of(r);

    if (state) {
        fetch_happens(&state->fetch, FETCH_EVENT_HEAD_STORED, apr_time_now());
    }
}

/* What it can be purged by. A 304 without tags leaves those there are. */
static void note_labels(const provider_object_t *object, request_rec *r, apr_table_t *headers,
                        record_t *record)
{
    const state_t *state = state_of(r);
    const char *tags = purge_response_take(object->config, headers, r->pool);

    record->tags = tags || !object->opened ? tags : object->record.tags;
    record->epoch = state ? state->epoch : 0;
    record->site = object->config->site;
}

/* What httpd refuses to send becomes a 500; stored, it would be one for everybody. */
static int is_unsendable(const request_rec *r, const apr_table_t *headers)
{
    const char *coding = apr_table_get(r->headers_out, "Transfer-Encoding");

    return sendable_problem(headers) || sendable_problem(r->headers_out)
           || sendable_problem(r->err_headers_out) || (coding && !ap_is_chunked(r->pool, coding));
}

/* A store in this process's memory takes the room for a body of known length when it is opened. */
static void note_room(const provider_object_t *object, state_t *state)
{
    if (state) {
        state->reserved = object->writing->record.body_length >= 0 && !object->writing->encoder
                          && object->store->ops->in_place;
    }
}

static apr_status_t store_new(provider_object_t *object, request_rec *r)
{
    provider_writing_t *writing = object->writing;
    apr_table_t *headers = stored_headers(object, r);
    record_t *record = &writing->record;
    const char *reason;
    apr_status_t rv;

    info_read(&object->base.info, record);
    reason = is_unsendable(r, headers)
             ? "httpd does not send such a field"
             : request_variant(object->config, r, object->base_key, headers, 0, &writing->variant);
    if (!reason) {
        reason = guard_refusal(state_of(r), record);
    }
    if (reason) {
        return provider_decline(object, r, APR_SUCCESS, FETCH_EVENT_NOT_STORABLE, reason);
    }
    writing->announced = announced_length(r, headers, writing->size_hint);
    note_labels(object, r, headers, record);
    record->origin_etag = validation_etag(state_of(r), headers);
    record->body_length = writing->announced;
    record->body_limit = object->config->body_limit;
    if (body_is_compressed(object->config, headers, record->body_length)) {
        rv = storer_encoder_create(&writing->encoder);
        if (rv != APR_SUCCESS) {
            return provider_decline(object, r, rv, FETCH_EVENT_STORE_FAILED,
                                    "no memory to compress it");
        }
        record->flags |= RECORD_LZ4;
    }
    rv = write_head(object, headers, record,
                    writing->encoder ? -1 : record->body_length, r->pool);
    if (rv != APR_SUCCESS) {
        return provider_store_failed(object, r, rv);
    }
    head_stored(r);
    if (record->body_length < 0) {
        collapse_stream(state_of(r));
    }
    note_room(object, state_of(r));
    return APR_SUCCESS;
}

/* An Age that came with the stored response says nothing about the 304: without one of its own the
 * confirmed response is as old as the exchange (RFC 9111 section 4.3.4). mod_cache has merged the
 * two tables; a value out of the stored one is still the same string. */
static void drop_old_age(apr_table_t *headers, const apr_table_t *stored)
{
    const char *age = apr_table_get(headers, "Age");

    if (age && age == apr_table_get(stored, "Age")) {
        apr_table_unset(headers, "Age");
    }
}

/* A second view of the stored response: the first one is needed for the client yet. APR_NOTFOUND
 * also where another version has taken its place: that one is as new as ours would be. */
static apr_status_t view_again(provider_object_t *object, request_rec *r, storer_view_t *view)
{
    record_t record;
    request_variant_t variant;
    const char *reason;
    apr_status_t rv;

    reason = request_variant(object->config, r, object->base_key, object->record.headers, 1, &variant);
    if (reason) {
        return APR_NOTFOUND;
    }
    rv = storer_get(object->store, variant.key, r->request_time, view, r->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = record_decode(view, &record, r->pool);
    if (rv == APR_SUCCESS && record.checksum != object->record.checksum) {
        rv = APR_NOTFOUND;
    }
    if (rv == APR_SUCCESS) {
        /* at its first part again, for the copy */
        storer_view_release(view);
        rv = storer_get(object->store, variant.key, r->request_time, view, r->pool);
    }
    if (rv != APR_SUCCESS) {
        storer_view_release(view);
    }
    return rv;
}

/* New headers for the body that is stored. Whatever goes wrong, the entry of before stays, is
 * served now and revalidated again; so mod_cache, which would drop it, is not told. */
static void store_refreshed(provider_object_t *object, request_rec *r)
{
    provider_writing_t *writing = start_writing(object, r);
    apr_table_t *headers = stored_headers(object, r);
    const state_t *state = state_of(r);
    storer_view_t view = STORER_VIEW_EMPTY;
    record_t *record = &writing->record;
    const char *reason;
    apr_status_t rv;

    *record = object->record;
    info_read(&object->base.info, record);
    reason = guard_refusal(state_of(r), record);
    if (reason) {
        /* access is not open to everybody any more: nor may be what was stored when it was */
        (void)provider_drop(object, r);
        (void)provider_decline(object, r, APR_SUCCESS, FETCH_EVENT_NOT_STORABLE, reason);
        return;
    }
    note_labels(object, r, headers, record);
    drop_old_age(headers, object->record.headers);
    if (state) {
        validation_update(state, headers);
    }
    reason = is_unsendable(r, headers)
             ? "httpd does not send such a field"
             : request_variant(object->config, r, object->base_key, headers, 1, &writing->variant);
    if (!reason && state) {
        reason = state->intake.problem;
    }
    if (reason) {
        (void)provider_decline(object, r, APR_SUCCESS, FETCH_EVENT_BROKEN_OFF, reason);
        return;
    }
    rv = view_again(object, r, &view);
    if (rv != APR_SUCCESS) {
        (void)provider_decline(object, r, rv, FETCH_EVENT_STORE_FAILED,
                      "the response that was confirmed is not there any more");
        return;
    }
    rv = write_head(object, headers, record, record->stored_length, r->pool);
    if (rv == APR_SUCCESS) {
        rv = storer_writer_append_view(&writing->writer, &view, (apr_off_t)record->head_length);
    }
    storer_view_release(&view);
    if (rv != APR_SUCCESS) {
        (void)provider_store_failed(object, r, rv);
        return;
    }
    head_stored(r);
    writing->complete = 1;
}

apr_status_t provider_store_headers(cache_handle_t *handle, request_rec *r, cache_info *info)
{
    provider_object_t *object = provider_object_of(handle);
    state_t *state = state_of(r);
    record_t judged;

    if (!object) {
        return APR_EINVAL;
    }
    if (info != &object->base.info) {
        object->base.info = *info;
    }
    info_read(info, &judged);
    if (state) {
        state->fresh_until = freshness_end(&judged.freshness, r->headers_out);
    }
    if (object->opened) {
        store_refreshed(object, r);
        return APR_SUCCESS;
    }
    if (!object->writing) {
        return APR_EINVAL;
    }
    if (state && guard_has_user(r)) {
        state->credentials = 1;
    }
    if (state && !provider_is_shared(&judged.freshness, state)) {
        return provider_decline(object, r, APR_SUCCESS, FETCH_EVENT_NOT_STORABLE,
                       "it was made for somebody's credentials");
    }
    return store_new(object, r);
}

/* ------------------------------------------------------------------------------------------------
 * commit_entity
 * --------------------------------------------------------------------------------------------- */

/* Times that a commit is tried again because there was a purge in between, of whatever. */
#define COMMIT_TRIES 16

/* Nothing is published that a purge has met: each purge is asked for before, and the store
 * publishes only if there was no other one meanwhile. *purged: there was, and it is not stored. */
static apr_status_t publish(provider_object_t *object, request_rec *r, storer_variant_t *variant,
                            int *purged)
{
    provider_writing_t *writing = object->writing;
    apr_time_t now = variant->stored_at;
    apr_uint64_t epoch;
    apr_status_t rv = APR_EBUSY;
    int tries;

    for (tries = 0; tries < COMMIT_TRIES && rv == APR_EBUSY; tries++) {
        *purged = purge_meets(object->store, &writing->record, object->base_key, &variant->epoch, now,
                              r->pool);
        if (*purged) {
            return APR_SUCCESS;
        }
        rv = storer_commit_variant(&writing->writer, variant, now, r->pool);
    }
    if (rv == APR_EBUSY) {
        *purged = 1; /* there are so many of them that nobody can tell */
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS && variant->epoch
        && (storer_epoch(object->store, now, &epoch) != APR_SUCCESS || epoch != variant->epoch)) {
        /* for a store that cannot tell at that moment */
        *purged = purge_meets(object->store, &writing->record, object->base_key, &epoch, now, r->pool);
        if (*purged) {
            (void)storer_delete(object->store, writing->variant.key); /* else it expires, as it would */
        }
    }
    return rv;
}

static void describe(const provider_object_t *object, storer_variant_t *variant)
{
    const provider_writing_t *writing = object->writing;

    memset(variant, 0, sizeof(*variant));
    variant->base_key = object->base_key;
    variant->varied_key = writing->variant.key;
    variant->real_key = writing->variant.key;
    variant->etag = writing->etag;
    variant->varied_headers = writing->variant.headers;
    variant->varied_count = writing->variant.count;
    variant->stored_at = apr_time_now();
    variant->expiry = writing->expiry;
    variant->max_variants = object->config->max_variants;
}

static apr_status_t commit(provider_object_t *object, request_rec *r)
{
    const char *reason = provider_objection(object, r);
    state_t *state = state_of(r);
    storer_variant_t variant;
    apr_status_t rv;
    int purged = 0;

    if (reason) {
        return provider_decline(object, r, APR_SUCCESS,
                                r->connection->aborted ? FETCH_EVENT_CLIENT_GONE
                                                       : FETCH_EVENT_BROKEN_OFF, reason);
    }
    reason = provider_lasting_objection(object, r);
    if (reason) {
        return provider_decline(object, r, APR_SUCCESS, FETCH_EVENT_NOT_STORABLE, reason);
    }
    describe(object, &variant);
    rv = publish(object, r, &variant, &purged);
    if (rv != APR_SUCCESS) {
        return provider_store_failed(object, r, rv);
    }
    if (purged) {
        return provider_decline(object, r, APR_SUCCESS, FETCH_EVENT_PURGED,
                                "it was fetched before a purge");
    }
    if (state) {
        fetch_happens(&state->fetch, FETCH_EVENT_STORED, apr_time_now());
        if (state->fetch.passes && variant.expiry.fresh_until > variant.stored_at
            && provider_is_found(object, r)) {
            collapse_forget(state->fetch.key);
        }
    }
    stats_add(object->config, r, STATS_STORES, 1);
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r,
                  STORERNO(0412) "%s %s", object->opened ? "refreshed" : "stored",
                  object->base.key);
    return APR_SUCCESS;
}

apr_status_t provider_commit_entity(cache_handle_t *handle, request_rec *r)
{
    provider_object_t *object = provider_object_of(handle);
    apr_status_t rv;

    if (!object || !object->writing) {
        return APR_EINVAL;
    }
    if (!object->writing->writer.ops) {
        /* given up before, with the reason in the log; see store_refreshed() */
        return object->opened ? APR_SUCCESS : APR_EGENERAL;
    }
    rv = commit(object, r);
    return object->opened ? APR_SUCCESS : rv;
}
