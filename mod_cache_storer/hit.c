/* SPDX-License-Identifier: Apache-2.0
 *
 * hit.c - see hit.h. In the order of cache_quick_handler(), cache_check_freshness(),
 * cache_accept_headers() and cache_out_filter() of mod_cache.
 */
#include "hit.h"

#include "http/number.h"

#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"

#define DAY apr_time_from_sec(86400)

/* RFC 9111 section 4.2.2: a freshness that nobody has announced. mod_cache adds a Warning to it. */
static int is_guess(const provider_object_t *object)
{
    const freshness_t *response = &object->record.freshness;

    return response->s_maxage == -1 && response->max_age == -1
           && !apr_table_get(object->record.headers, "Expires");
}

static int is_plain(const state_t *state)
{
    const request_rec *r = state->r;

    return state->quick && !state->lookup && !r->main && !r->prev && !state->found->stale
           && apr_is_empty_table(r->headers_out);
}

/* Whether mod_cache would find it fresh as well, and have nothing to add: by the response's own
 * words, whatever the store says. */
static int is_fresh(const provider_object_t *object, apr_interval_time_t age)
{
    return freshness_holds(&object->record.freshness, age) && !(age > DAY && is_guess(object));
}

/* The fields as they are stored, and the age; what httpd wants to know of them besides. */
static void put_fields(request_rec *r, const provider_object_t *object, apr_interval_time_t age)
{
    apr_table_t *headers = object->record.headers;
    char *digits = apr_palloc(r->pool, NUMBER_DIGITS);
    const char *type;

    apr_table_setn(headers, "Age", number_decimal(digits, apr_time_sec(age)));
    type = apr_table_get(headers, "Content-Type");
    if (type) {
        ap_set_content_type(r, type);
        apr_table_unset(headers, "Content-Type");
        apr_table_unset(r->err_headers_out, "Content-Type");
    }
    r->headers_out = headers;
    r->status = object->record.status;
}

/* A response is stored as it comes out of the content filters, so it goes in behind them. */
void hit_skip_content_filters(request_rec *r)
{
    while (r->output_filters && r->output_filters->r == r
           && r->output_filters->frec->ftype <= AP_FTYPE_CONTENT_SET + 1) {
        ap_remove_output_filter(r->output_filters);
    }
}

int hit_serve(state_t *state, cache_handle_t *handle)
{
    request_rec *r = state->r;
    const provider_object_t *object = state->found;
    apr_interval_time_t age;
    apr_bucket_brigade *brigade;
    int result;

    if (!is_plain(state)) {
        return OK;
    }
    age = freshness_age(&object->record.freshness, object->record.headers, r->request_time);
    if (!is_fresh(object, age)) {
        return OK;
    }
    (void)provider_recall_headers(handle, r); /* for who listens */
    put_fields(r, object, age);
    cache_run_cache_status(handle, r, r->headers_out, AP_CACHE_HIT, "cache hit");
    ap_run_insert_filter(r);
    hit_skip_content_filters(r);
    brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    (void)provider_recall_body(handle, r->pool, brigade); /* a failure is in the brigade */
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(brigade->bucket_alloc));
    result = ap_pass_brigade_fchk(r, brigade, "cache_storer: a hit could not be sent");
    return result == OK ? DONE : result;
}
