/* SPDX-License-Identifier: Apache-2.0
 *
 * interim.c - see interim.h.
 *
 * The filter stays on the connection once it is there, for a filter of a connection lives in the
 * connection's pool: one for each request would fill it. Between the requests that are watched it
 * has no context. A request that is watched has sent its final head, or the bucket by which httpd
 * ends it, before it goes.
 */
#include "interim.h"

#include "../filter.h"
#include "../purge/purge_response.h"

#include "http_request.h"

#include <string.h>

static ap_filter_rec_t *interim_handle;

/* What was not complete when the brigade ended is waited for. In the request's pool. */
typedef struct interim_t {
    state_t            *state;
    apr_bucket_brigade *held;
} interim_t;

/* The head without the lines whose field is hidden. @return its length */
static apr_size_t drop_lines(const state_t *state, char *head, apr_size_t length)
{
    const char *from = head, *end = head + length;
    char *to = head;

    while (from < end) {
        const char *feed = memchr(from, '\n', (apr_size_t)(end - from));
        apr_size_t line = feed ? (apr_size_t)(feed + 1 - from) : (apr_size_t)(end - from);
        const char *colon = memchr(from, ':', line);

        if (!colon || !purge_response_hides(state, from, (apr_size_t)(colon - from))) {
            memmove(to, from, line);
            to += line;
        }
        from += line;
    }
    return (apr_size_t)(to - head);
}

static int is_whole(const char *head, apr_size_t length)
{
    return length >= 4 && memcmp(head + length - 4, "\r\n\r\n", 4) == 0;
}

static apr_status_t pass_head(ap_filter_t *filter, apr_bucket_brigade *brigade, interim_t *interim)
{
    request_rec *r = interim->state->r;
    apr_bucket_brigade *held = interim->held;
    apr_size_t length = 0;
    char *head = NULL;
    apr_status_t rv;

    APR_BRIGADE_CONCAT(held, brigade);
    rv = apr_brigade_pflatten(held, &head, &length, r->pool);
    if (rv != APR_SUCCESS || !is_whole(head, length)) {
        return rv;
    }
    (void)apr_brigade_cleanup(held);
    length = drop_lines(interim->state, head, length);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_heap_create(head, length, NULL,
                                                            brigade->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_flush_create(brigade->bucket_alloc));
    return ap_pass_brigade(filter->next, brigade);
}

static int ends_request(const apr_bucket_brigade *brigade)
{
    const apr_bucket *bucket = APR_BRIGADE_FIRST(brigade);

    while (bucket != APR_BRIGADE_SENTINEL(brigade) && !AP_BUCKET_IS_EOR(bucket)) {
        bucket = APR_BUCKET_NEXT(bucket);
    }
    return bucket != APR_BRIGADE_SENTINEL(brigade);
}

/* 101 (RFC 9110 section 15.2.2): what follows its head is another protocol's. */
static apr_status_t interim_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    interim_t *interim = filter->ctx;

    if (interim && ap_is_HTTP_INFO(interim->state->r->status)
        && interim->state->r->status != HTTP_SWITCHING_PROTOCOLS && !ends_request(brigade)) {
        return pass_head(filter, brigade, interim);
    }
    filter->ctx = NULL;
    return ap_pass_brigade(filter->next, brigade);
}

void interim_register(void)
{
    interim_handle = ap_register_output_filter("CACHE_STORER_INTERIM", interim_filter, NULL,
                                               AP_FTYPE_CONNECTION);
}

static int is_proxied(const request_rec *r)
{
    return r->proxyreq != PROXYREQ_NONE || (r->handler && strncmp(r->handler, "proxy", 5) == 0);
}

void interim_watch(state_t *state)
{
    request_rec *r = state->r;
    ap_filter_t *filter;
    interim_t *interim;

    if (r->main || !is_proxied(r)) {
        return;
    }
    interim = apr_palloc(r->pool, sizeof(*interim));
    interim->state = state;
    interim->held = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    filter = filter_find(r->connection->output_filters, interim_handle);
    if (filter) {
        filter->ctx = interim;
    }
    else {
        ap_add_output_filter_handle(interim_handle, interim, r, r->connection);
    }
}
