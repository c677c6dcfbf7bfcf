/* SPDX-License-Identifier: Apache-2.0
 *
 * provider_read.c - look-ups: the election, the record, and the body as buckets. The hot path; it
 * formats nothing unless a log level asks for it.
 */
#include "provider.h"

#include "body.h"
#include "bucket.h"

#include "http_main.h"

/* Covers every way a request can end without recall_body: a 304, or a mere look-up. */
static apr_status_t release_view(void *baton)
{
    provider_object_t *object = baton;

    storer_view_release(&object->view);
    return APR_SUCCESS;
}

/* Whether mod_cache calls to invalidate, after an unsafe request: it passes no more than the
 * request, which an internal redirect may have turned into a GET meanwhile. */
static int is_unsafe(const request_rec *r)
{
    for (; r; r = r->prev) {
        if (r->method_number != M_GET) {
            return 1;
        }
    }
    return 0;
}

/* The frame's content is bounded by what was allowed when it was stored, and by what is now. */
static int is_too_large(const provider_object_t *object)
{
    const record_t *record = &object->record;

    return (record->flags & RECORD_LZ4)
           && (record->body_length >= 0 ? record->body_length : record->body_limit)
              > object->config->body_limit;
}

static apr_status_t read_variant(provider_object_t *object, request_rec *r, int *stale)
{
    storer_view_t stale_view = STORER_VIEW_EMPTY;
    storer_request_t request = request_of(r);
    apr_status_t rv;

    rv = storer_get_multi_level(object->store, object->base_key, &request, NULL, r->request_time,
                                &object->view, &stale_view, r->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *stale = 0;
    if (!object->view.ops) {
        storer_view_move(&object->view, &stale_view);
        *stale = 1;
    }
    storer_view_release(&stale_view);

    rv = record_decode(&object->view, &object->base.info, &object->record, r->pool);
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
    return APR_SUCCESS;
}

int provider_open_entity(cache_handle_t *handle, request_rec *r, const char *url_key)
{
    provider_object_t *object = provider_object_create(handle, r, url_key);
    cache_info *info;
    apr_status_t rv;
    int stale = 0;

    if (!object) {
        return DECLINED;
    }
    if (is_unsafe(r)) {
        /* Only the key matters, not which variant this request's headers would elect. Should it be
         * a look-up after all, recall_headers makes it a miss. */
        return OK;
    }
    rv = read_variant(object, r, &stale);
    if (rv != APR_SUCCESS) {
        handle->cache_obj = NULL;
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, APR_STATUS_IS_NOTFOUND(rv) ? 0 : rv, r,
                      STORERNO(0403) "nothing cached for %s fits the request", url_key);
        return provider_result(rv);
    }
    apr_pool_cleanup_register(r->pool, object, release_view, apr_pool_cleanup_null);
    object->opened = 1;
    object->whole = apr_table_get(r->headers_in, "Range") != NULL
                    || (r->header_only && object->record.body_length < 0);
    info = &object->base.info;
    if (stale && r->request_time < freshness_end(info, object->record.headers)) {
        /* The mapping ends earlier than the response itself says: a soft purge. */
        info->control.invalidated = 1;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, STORERNO(0404) "found a %s response for %s",
                  stale ? "stale" : "fresh", url_key);
    return OK;
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
        rv = bucket_insert_view(brigade, &object->view, object->record.skip,
                                object->record.stored_length, object->store->ops->in_place);
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
