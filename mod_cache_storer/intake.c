/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.c - see intake.h.
 */
#include "intake.h"

#include "provider.h"

#include "http/control.h"
#include "http/ttl.h"

#include "apr_date.h"
#include "apr_lib.h"
#include "apr_strings.h"
#include "util_filter.h"

#include <string.h>

/* RFC 9111 section 4.2.2 leaves the heuristic open and mentions a tenth of the age; mod_cache's
 * CacheLastModifiedFactor and CacheMaxExpire have these as defaults. */
#define HEURISTIC_DIVISOR 10
#define HEURISTIC_MAX     (24 * 60 * 60)

static ap_filter_rec_t *intake_handle, *intake_subrequest_handle;
static ap_filter_rec_t *intake_marked_handle, *restore_handle;

static const char *const hidden_fields[] = { "Cache-Control", "Expires", "Pragma", NULL };

static int copy_line(void *baton, const char *name, const char *value)
{
    apr_table_addn(baton, name, value);
    return 1;
}

/* A 304 says what has changed: what it does not mention is as it was stored (section 3.2). */
static const apr_table_t *source_of(const state_t *state, const char *name)
{
    const request_rec *r = state->r;

    if (apr_table_get(r->err_headers_out, name)) {
        return r->err_headers_out;
    }
    if (r->status == HTTP_NOT_MODIFIED && state->found && !apr_table_get(r->headers_out, name)) {
        return state->found->record.headers;
    }
    return r->headers_out;
}

/* The client gets the lines of both tables ("Header always" writes to the one, a handler to the other),
 * so both of them count. mod_cache looks at the first one only. */
static void copy_field(const state_t *state, apr_table_t *to, const char *name)
{
    const apr_table_t *source = source_of(state, name);

    (void)apr_table_do(copy_line, to, source, name, NULL);
    if (source == state->r->err_headers_out) {
        (void)apr_table_do(copy_line, to, state->r->headers_out, name, NULL);
    }
}

/* The fields that decide about freshness. */
static apr_table_t *collect(const state_t *state)
{
    const apr_array_header_t *targeted = config_targeted(state->config);
    apr_table_t *fields = apr_table_make(state->r->pool, 8);
    int i;

    for (i = 0; hidden_fields[i]; i++) {
        copy_field(state, fields, hidden_fields[i]);
    }
    for (i = 0; i < targeted->nelts; i++) {
        copy_field(state, fields, APR_ARRAY_IDX(targeted, i, const char *));
    }
    return fields;
}

/* ------------------------------------------------------------------------------------------------
 * Freshness for responses that carry none
 * --------------------------------------------------------------------------------------------- */

static const char *value_of(const state_t *state, const char *name)
{
    return apr_table_get(source_of(state, name), name);
}

static int status_of(const state_t *state)
{
    if (state->r->status == HTTP_NOT_MODIFIED && state->found) {
        return state->found->record.status;
    }
    return state->r->status;
}

/* RFC 9110 section 15.1 calls these heuristically cacheable; mod_cache knows the others itself. */
static int is_heuristic(int status)
{
    static const int statuses[] = { 204, 308, 404, 405, 410, 414, 501 };
    apr_size_t i;

    for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (status == statuses[i]) {
            return 1;
        }
    }
    return 0;
}

static apr_int64_t heuristic_seconds(const state_t *state)
{
    const char *modified = value_of(state, "Last-Modified"), *date = value_of(state, "Date");
    apr_time_t then = modified ? apr_date_parse_http(modified) : APR_DATE_BAD;
    apr_time_t now = date ? apr_date_parse_http(date) : APR_DATE_BAD;
    apr_int64_t seconds;

    if (then == APR_DATE_BAD || !is_heuristic(status_of(state)) || state->r->args) {
        return -1;
    }
    if (now == APR_DATE_BAD) {
        now = apr_time_now();
    }
    seconds = now > then ? apr_time_sec(now - then) / HEURISTIC_DIVISOR : 0;
    return seconds < HEURISTIC_MAX ? seconds : HEURISTIC_MAX;
}

/* Seconds; -1: none. */
static apr_int64_t default_lifetime(const state_t *state)
{
    const char *type = state->r->content_type;
    apr_interval_time_t ttl = -1;

    if (state->config->ttl) {
        ttl = ttl_find(state->config->ttl, status_of(state),
                       type ? type : value_of(state, "Content-Type"));
    }
    return ttl >= 0 ? apr_time_sec(ttl) : heuristic_seconds(state);
}

static int is_explicit(const control_t *control)
{
    return control->max_age >= 0 || control->s_maxage >= 0;
}

static int is_refused(const control_t *control)
{
    return control->no_store || control->is_private || control->no_cache;
}

/* What mod_cache is to see in place of the hidden fields. NULL: nothing of that name. */
typedef struct shown_t {
    const char *control, *expires;
} shown_t;

/* Section 5.2.2.3: a cache that knows what a status means for storing need not mind no-store. */
static int is_understood(int status)
{
    return is_heuristic(status) || status == HTTP_OK || status == HTTP_NON_AUTHORITATIVE
           || status == HTTP_MULTIPLE_CHOICES || status == HTTP_MOVED_PERMANENTLY
           || status == HTTP_MOVED_TEMPORARILY || status == HTTP_SEE_OTHER
           || status == HTTP_TEMPORARY_REDIRECT;
}

/* Section 4.2: dates are read without regard to case. mod_cache minds that of the month. */
static const char *readable_date(const char *date, apr_pool_t *pool)
{
    char *copy, *byte;
    int inside = 0;

    if (!date || apr_date_parse_http(date) != APR_DATE_BAD) {
        return date;
    }
    copy = apr_pstrdup(pool, date);
    for (byte = copy; *byte; byte++) {
        *byte = (char)(inside ? apr_tolower(*byte) : apr_toupper(*byte));
        inside = apr_isalpha(*byte);
    }
    byte = strstr(copy, "Gmt");
    if (byte) {
        byte[1] = 'M';
        byte[2] = 'T';
    }
    return apr_date_parse_http(copy) != APR_DATE_BAD ? copy : date;
}

/* By a targeted field, if there is one; else Cache-Control and Expires. */
static shown_t written(const state_t *state, const apr_table_t *fields, control_t *control)
{
    apr_pool_t *pool = state->r->pool;
    shown_t shown = { NULL, NULL };

    if (control_of_targeted(fields, config_targeted(state->config), control, pool)) {
        shown.control = control_text(control, pool);
        return shown;
    }
    *control = control_of(fields, pool);
    shown.control = control_lines(fields, "Cache-Control", pool);
    shown.expires = readable_date(apr_table_get(fields, "Expires"), pool);
    return shown;
}

static shown_t effective(const state_t *state, const apr_table_t *fields)
{
    apr_pool_t *pool = state->r->pool;
    control_t control;
    shown_t shown = written(state, fields, &control);

    if (control.must_understand) {
        control.no_store = !is_understood(status_of(state));
        shown.control = control_text(&control, pool);
    }
    if (!is_explicit(&control) && !is_refused(&control) && !shown.expires) {
        apr_int64_t seconds = default_lifetime(state);

        if (seconds >= 0) {
            shown.control = apr_psprintf(pool, "%s%smax-age=%" APR_INT64_T_FMT,
                                         shown.control ? shown.control : "",
                                         shown.control && *shown.control ? ", " : "", seconds);
        }
    }
    return shown;
}

static int is_same(const char *one, const char *other)
{
    return one == other || (one && other && strcmp(one, other) == 0);
}

/* What is as mod_cache would see it anyway stays where it is. */
static int is_as_sent(const request_rec *r, const shown_t *shown)
{
    return is_same(shown->control, control_lines(r->headers_out, "Cache-Control", r->pool))
           && is_same(shown->expires, apr_table_get(r->headers_out, "Expires"))
           && !apr_table_get(r->err_headers_out, "Cache-Control")
           && !apr_table_get(r->err_headers_out, "Expires");
}

static void show(state_t *state, apr_table_t *fields, const shown_t *shown)
{
    request_rec *r = state->r;
    int i;

    state->intake.hidden = fields;
    for (i = 0; hidden_fields[i]; i++) {
        apr_table_unset(r->headers_out, hidden_fields[i]);
        apr_table_unset(r->err_headers_out, hidden_fields[i]);
    }
    if (shown->control) {
        apr_table_setn(r->headers_out, "Cache-Control", shown->control);
    }
    if (shown->expires) {
        apr_table_setn(r->headers_out, "Expires", shown->expires);
    }
}

void intake_restore(const state_t *state, apr_table_t *headers)
{
    int i;

    if (!state->intake.hidden) {
        return;
    }
    for (i = 0; hidden_fields[i]; i++) {
        apr_table_unset(headers, hidden_fields[i]);
        (void)apr_table_do(copy_line, headers, state->intake.hidden, hidden_fields[i], NULL);
    }
}

/* ------------------------------------------------------------------------------------------------
 * The filter
 * --------------------------------------------------------------------------------------------- */

/* RFC 9111 section 3.2: of no use for an update, and to mod_cache a contradiction. */
static void drop_body_fields(state_t *state)
{
    request_rec *r = state->r;

    if (r->status == HTTP_NOT_MODIFIED && state->found) {
        apr_table_unset(r->headers_out, "Content-Length");
        apr_table_unset(r->headers_out, "Content-Encoding");
        apr_table_unset(r->headers_out, "Content-Range");
        apr_table_unset(r->headers_out, "Transfer-Encoding");
    }
}

static void see_head(state_t *state)
{
    apr_table_t *fields;
    shown_t shown;

    drop_body_fields(state);
    if (state->found) {
        state->forward_status = state->r->status;
    }
    fields = collect(state);
    shown = effective(state, fields);
    if (!is_as_sent(state->r, &shown)) {
        show(state, fields, &shown);
    }
}

/* Whether it is this filter or one behind it. */
static int is_behind(const ap_filter_t *filter, const char *name)
{
    const ap_filter_rec_t *wanted = ap_get_output_filter_handle(name);

    while (filter && filter->frec != wanted) {
        filter = filter->next;
    }
    return wanted && filter;
}

static apr_status_t intake_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    if (is_behind(filter->next, "CACHE_SAVE") || is_behind(filter->next, "CACHE_SAVE_SUBREQ")) {
        see_head(filter->ctx);
    }
    ap_remove_output_filter(filter);
    return ap_pass_brigade(filter->next, brigade);
}

static apr_status_t restore_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    state_t *state = filter->ctx;

    if (!state->hit) {
        intake_restore(state, filter->r->headers_out);
        state->intake.restored = 1;
    }
    ap_remove_output_filter(filter);
    return ap_pass_brigade(filter->next, brigade);
}

void intake_register(void)
{
    intake_handle = ap_register_output_filter("CACHE_STORER_IN", intake_filter, NULL,
                                              AP_FTYPE_CONTENT_SET);
    intake_subrequest_handle = ap_register_output_filter("CACHE_STORER_IN_SUBREQ", intake_filter,
                                                         NULL, AP_FTYPE_CONTENT_SET - 2);
    intake_marked_handle = ap_register_output_filter("CACHE_STORER_IN_MARKED", intake_filter, NULL,
                                                     AP_FTYPE_RESOURCE - 1);
    restore_handle = ap_register_output_filter("CACHE_STORER_RESTORE", restore_filter, NULL,
                                               AP_FTYPE_RESOURCE);
}

/* With CacheQuickHandler off the filter CACHE, of type RESOURCE, marks the place that CACHE_SAVE is
 * going to have; with on CACHE_SAVE is there already, and CACHE means nothing. */
static int is_marked(const request_rec *r)
{
    return is_behind(r->output_filters, "CACHE") && !is_behind(r->output_filters, "CACHE_SAVE")
           && !is_behind(r->output_filters, "CACHE_SAVE_SUBREQ");
}

void intake_insert(state_t *state)
{
    request_rec *r = state->r;
    ap_filter_rec_t *handle = r->main ? intake_subrequest_handle : intake_handle;

    if (is_marked(r)) {
        /* what others behind it make of the fields is theirs, so they see those of the origin */
        handle = intake_marked_handle;
        ap_add_output_filter_handle(restore_handle, state, r, r->connection);
    }
    ap_add_output_filter_handle(handle, state, r, r->connection);
}
