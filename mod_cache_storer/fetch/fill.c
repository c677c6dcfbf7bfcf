/* SPDX-License-Identifier: Apache-2.0
 *
 * fill.c - see fill.h.
 */
#include "fill.h"

#include "finish.h"

#include "../http/lines.h"

#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "apr_lib.h"
#include "apr_strings.h"

#include <string.h>

static const char *const fields[] = {
    "If-None-Match", "If-Modified-Since", "If-Range", "Range", NULL
};

/* It was asked for without conditions before, by the request of which this is a redirect. */
static int was_asked_again(const request_rec *r)
{
    const state_t *before = r->prev ? state_find(r->prev) : NULL;

    return before && before->fill.again;
}

#define BYTES_UNIT "bytes="

/* RFC 9110 section 14.1: other units are the origin's. */
static int is_of_bytes(const char *range)
{
    return ap_cstr_casecmpn(range, BYTES_UNIT, sizeof(BYTES_UNIT) - 1) == 0;
}

/* A failed If-Match or If-Unmodified-Since is an error, which the origin is to tell. */
static int is_fillable(const request_rec *r)
{
    const char *range = apr_table_get(r->headers_in, "Range");

    return !r->main && !r->header_only && !was_asked_again(r) && (!range || is_of_bytes(range))
           && (range || apr_table_get(r->headers_in, "If-None-Match")
               || apr_table_get(r->headers_in, "If-Modified-Since"))
           && !apr_table_get(r->headers_in, "If-Match")
           && !apr_table_get(r->headers_in, "If-Unmodified-Since");
}

int fill_is_wanted(const state_t *state)
{
    return is_fillable(state->r) && state->config->finish_fill > 0;
}

void fill_prepare(state_t *state)
{
    apr_table_t *headers = state->r->headers_in, *saved;
    int i;

    if (state->fill.conditions || !fill_is_wanted(state)) {
        return;
    }
    saved = apr_table_make(state->r->pool, 4);
    for (i = 0; fields[i]; i++) {
        (void)apr_table_do(lines_copy, saved, headers, fields[i], NULL);
        apr_table_unset(headers, fields[i]);
    }
    state->fill.conditions = saved;
}

static void put_back(state_t *state)
{
    (void)apr_table_do(lines_copy, state->r->headers_in, state->fill.conditions, NULL);
    state->fill.conditions = NULL;
}

void fill_withdraw(state_t *state)
{
    if (state->fill.conditions) {
        put_back(state);
    }
}

/* ------------------------------------------------------------------------------------------------
 * What the client gets
 * --------------------------------------------------------------------------------------------- */

/* Digits only: apr_strtoff would take signs and spaces. */
static int parse_position(const char **text, apr_off_t *position)
{
    apr_off_t value = 0;
    const char *begin = *text;

    while (apr_isdigit(**text)) {
        if (value > (APR_INT64_MAX - 9) / 10) {
            return 0;
        }
        value = value * 10 + (**text - '0');
        (*text)++;
    }
    *position = value;
    return *text > begin;
}

typedef enum range_e {
    RANGE_NONE,           /**< none, or none that we answer */
    RANGE_SATISFIABLE,
    RANGE_UNSATISFIABLE   /**< behind the end */
} range_e;

/* "MaxRanges none": this server answers no ranges. */
static int ranges_are_ignored(const request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);

    return core->max_ranges == AP_MAXRANGES_NORANGES;
}

/* One range of RFC 9110 section 14.1.2 without its unit, as [first, last]. */
static range_e parse_range(const char *text, apr_off_t length, apr_off_t *first, apr_off_t *last)
{
    apr_off_t number;

    if (length <= 0) {
        return RANGE_NONE;
    }
    *last = length - 1;
    if (*text == '-') {
        text++;
        if (!parse_position(&text, &number) || *text) {
            return RANGE_NONE;
        }
        *first = number < length ? length - number : 0;
        return number > 0 ? RANGE_SATISFIABLE : RANGE_UNSATISFIABLE;
    }
    if (!parse_position(&text, first) || *text++ != '-') {
        return RANGE_NONE;
    }
    if (*text) {
        if (!parse_position(&text, &number) || *text || number < *first) {
            return RANGE_NONE;
        }
        *last = number < *last ? number : *last;
    }
    return *first < length ? RANGE_SATISFIABLE : RANGE_UNSATISFIABLE;
}

void fill_tell_length(apr_table_t *headers, apr_off_t length)
{
    apr_table_setn(headers, "Content-Range",
                   apr_psprintf(apr_table_elts(headers)->pool, "bytes */%" APR_OFF_T_FMT, length));
}

static void answer_without_body(state_t *state, int status)
{
    state->r->status = status;
    state->r->status_line = NULL;
    state->fill.sliced = 1;
    state->fill.take = 0;
}

/* Cut the range out of the body as it streams by, for which its length must be known beforehand.
 * All else is left to httpd's own filter: it can do more, but needs the whole body in one piece. */
static void answer_range(state_t *state)
{
    request_rec *r = state->r;
    const char *range = apr_table_get(r->headers_in, "Range");
    apr_off_t length = state->fill.length, first = 0, last = 0;

    if (!range || length < 0 || !is_of_bytes(range) || ranges_are_ignored(r)
        || apr_table_get(r->headers_out, "Content-Range")
        || ap_condition_if_range(r, r->headers_out) == AP_CONDITION_NOMATCH) {
        return;
    }
    switch (parse_range(range + sizeof(BYTES_UNIT) - 1, length, &first, &last)) {
    case RANGE_SATISFIABLE:
        state->fill.skip = first;
        state->fill.take = last - first + 1;
        state->fill.sliced = 1;
        r->status = HTTP_PARTIAL_CONTENT;
        r->status_line = NULL;
        apr_table_setn(r->headers_out, "Content-Range",
                       apr_psprintf(r->pool, "bytes %" APR_OFF_T_FMT "-%" APR_OFF_T_FMT "/%"
                                    APR_OFF_T_FMT, first, last, length));
        ap_set_content_length(r, state->fill.take);
        break;
    case RANGE_UNSATISFIABLE:
        answer_without_body(state, HTTP_RANGE_NOT_SATISFIABLE);
        fill_tell_length(r->headers_out, length);
        ap_set_content_length(r, 0);
        break;
    case RANGE_NONE:
    default:
        break;
    }
}

/* Content-Length of the whole body; -1: not known. */
static apr_off_t length_of(const request_rec *r)
{
    const char *text = apr_table_get(r->headers_out, "Content-Length");
    apr_off_t length;

    return text && ap_parse_strict_length(&length, text) ? length : -1;
}

void fill_judge(state_t *state)
{
    request_rec *r = state->r;

    state->fill.take = -1;
    state->fill.length = length_of(r);
    if (r->status != HTTP_OK) {
        return;
    }
    if (ap_meets_conditions(r) == HTTP_NOT_MODIFIED) {
        answer_without_body(state, HTTP_NOT_MODIFIED);
        return;
    }
    answer_range(state);
}

int fill_leaves_little(const state_t *state)
{
    const state_fill_t *fill = &state->fill;

    return !fill->sliced || fill->length < 0
           || fill->length - fill->take <= state->config->finish_fill;
}

void fill_forget(state_t *state)
{
    state->fill.sliced = 0;
    state->fill.skip = 0;
    state->fill.take = -1;
}

/* mod_cache does the same after a 304 that it cannot use. */
static void ask_again(state_t *state)
{
    request_rec *r = state->r;

    fetch_happens(&state->fetch, FETCH_EVENT_UNWANTED, apr_time_now());
    state->fill.again = 1;
    r->status = HTTP_OK;
    r->status_line = NULL;
    ap_internal_redirect(r->unparsed_uri, r);
    finish_client_served(state);
}

static int is_all_here(const apr_bucket_brigade *brigade)
{
    return !APR_BRIGADE_EMPTY(brigade) && APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade));
}

/* What lies before the range would be read for nobody. */
static int is_far(const state_t *state)
{
    int stored = fetch_is_storing(&state->fetch) && fill_leaves_little(state);

    return !stored && state->fill.skip > state->config->finish_fill
           && finish_may_stop_handler(state);
}

/* The origin was asked for a range, and may have sent all of a response that is not stored. */
static int may_be_ignored(const state_t *state)
{
    const request_rec *r = state->r;

    return !r->main && r->status == HTTP_OK && apr_table_get(r->headers_in, "Range")
           && (state->fetch.passes || was_asked_again(r));
}

apr_status_t fill_answer(state_t *state, const apr_bucket_brigade *brigade)
{
    conn_rec *c = state->r->connection;
    int stripped = state->fill.conditions != NULL;

    if (stripped) {
        put_back(state);
    }
    else if (!may_be_ignored(state)) {
        return APR_SUCCESS;
    }
    fill_judge(state);
    if (!state->fill.sliced || is_all_here(brigade)) {
        return APR_SUCCESS;
    }
    if (stripped && is_far(state)) {
        ask_again(state);
        return APR_ECONNABORTED;
    }
    if (!c->master && c->keepalive == AP_CONN_UNKNOWN) {
        c->keepalive = AP_CONN_CLOSE; /* its next request would wait for the rest of the body */
    }
    return APR_SUCCESS;
}

/* A data bucket of known length; what is cut off is deleted. */
static apr_status_t cut_bucket(state_fill_t *fill, apr_bucket *bucket)
{
    apr_bucket *rest;
    apr_status_t rv;

    if (fill->skip >= (apr_off_t)bucket->length || fill->take == 0) {
        fill->skip -= fill->take == 0 ? 0 : (apr_off_t)bucket->length;
        apr_bucket_delete(bucket);
        return APR_SUCCESS;
    }
    if (fill->skip > 0) {
        rv = apr_bucket_split(bucket, (apr_size_t)fill->skip);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rest = APR_BUCKET_NEXT(bucket);
        apr_bucket_delete(bucket);
        bucket = rest;
        fill->skip = 0;
    }
    if ((apr_off_t)bucket->length > fill->take) {
        rv = apr_bucket_split(bucket, (apr_size_t)fill->take);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        apr_bucket_delete(APR_BUCKET_NEXT(bucket));
    }
    fill->take -= (apr_off_t)bucket->length;
    return APR_SUCCESS;
}

/* Cut every data bucket. One of unknown length turns into what was read and a rest behind it. */
static apr_status_t cut_data(state_fill_t *fill, apr_bucket_brigade *brigade)
{
    apr_bucket *bucket, *next;
    apr_status_t rv = APR_SUCCESS;
    const char *data;
    apr_size_t length;

    for (bucket = APR_BRIGADE_FIRST(brigade);
         bucket != APR_BRIGADE_SENTINEL(brigade) && rv == APR_SUCCESS; bucket = next) {
        if (!APR_BUCKET_IS_METADATA(bucket) && bucket->length == (apr_size_t)-1) {
            rv = apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ);
        }
        next = APR_BUCKET_NEXT(bucket);
        if (rv == APR_SUCCESS && !APR_BUCKET_IS_METADATA(bucket)) {
            rv = cut_bucket(fill, bucket);
        }
    }
    return rv;
}

apr_status_t fill_flush(state_t *state, ap_filter_t *next, apr_bucket_brigade *brigade)
{
    apr_status_t rv;

    if (!state->fill.early) {
        return APR_SUCCESS;
    }
    state->fill.early = 0;
    (void)apr_brigade_cleanup(brigade);
    rv = ap_fflush(next, brigade);
    return rv == APR_SUCCESS ? finish_verdict(state) : rv;
}

apr_status_t fill_cut(state_t *state, apr_bucket_brigade *brigade)
{
    state_fill_t *fill = &state->fill;
    apr_status_t rv;

    if (fill->done) {
        (void)apr_brigade_cleanup(brigade);
        return finish_verdict(state);
    }
    if (!fill->sliced) {
        return APR_SUCCESS;
    }
    rv = cut_data(fill, brigade);
    if (rv == APR_SUCCESS && fill->take == 0) {
        /* the client need not wait for the rest: it has what it asked for */
        if (APR_BRIGADE_EMPTY(brigade) || !APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade))) {
            APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(brigade->bucket_alloc));
            fill->early = 1;
        }
        finish_client_served(state);
    }
    return rv;
}
