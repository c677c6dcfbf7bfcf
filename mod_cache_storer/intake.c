/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.c - see intake.h.
 */
#include "intake.h"

#include "filter.h"
#include "provider.h"

#include "http/control.h"
#include "http/date.h"
#include "http/lines.h"
#include "http/storable.h"
#include "http/verdict.h"

#include "apr_date.h"

#include <string.h>

static ap_filter_rec_t *intake_handle, *intake_subrequest_handle;
static ap_filter_rec_t *intake_marked_handle, *restore_handle;

static const char *const hidden_fields[] = { "Cache-Control", "Expires", "Pragma", NULL };

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

    (void)apr_table_do(lines_copy, to, source, name, NULL);
    if (source == state->r->err_headers_out) {
        (void)apr_table_do(lines_copy, to, state->r->headers_out, name, NULL);
    }
}

/* The fields that decide about freshness. */
static apr_table_t *collect(const state_t *state)
{
    const apr_array_header_t *targeted = state->config->targeted;
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
 * What mod_cache is to see
 * --------------------------------------------------------------------------------------------- */

static const char *value_of(const state_t *state, const char *name)
{
    return apr_table_get(source_of(state, name), name);
}

/* mod_proxy_http makes a date of what is none: put back what the origin has sent. */
static void restore_expires(const state_t *state, apr_table_t *fields)
{
    const char *sent = state->backend.expires, *made = apr_table_get(fields, "Expires");
    apr_time_t time;
    char date[APR_RFC822_DATE_LEN];

    if (!sent || !made || date_read(sent, state->r->request_time, &time)) {
        return;
    }
    time = apr_date_parse_http(sent);
    if (time != APR_DATE_BAD && apr_rfc822_date(date, time) == APR_SUCCESS && strcmp(date, made) == 0) {
        apr_table_setn(fields, "Expires", sent);
    }
}

/* Whether the URL is longer than what the response is stored under, since some of it does not count. */
static int is_shortened(const state_t *state)
{
    const url_t *url = url_of(state->r);
    const apr_uri_t *uri = &url_first(state->r)->parsed_uri;
    key_parts_t parts;

    return url && url->text && key_take_apart(url->base_key, &parts)
           && ((uri->query && parts.query.len < strlen(uri->query))
               || (uri->path && parts.path.len < strlen(uri->path)));
}

static verdict_t verdict(const state_t *state, const apr_table_t *fields)
{
    request_rec *r = state->r;
    verdict_case_t response;

    memset(&response, 0, sizeof(response));
    response.fields = fields;
    response.targeted = state->config->targeted;
    response.ttl = state->config->ttl;
    response.confirmed = r->status == HTTP_NOT_MODIFIED && state->found;
    response.status = response.confirmed ? state->found->record.status : r->status;
    response.content_type = r->content_type ? r->content_type : value_of(state, "Content-Type");
    response.last_modified = value_of(state, "Last-Modified");
    response.date = value_of(state, "Date");
    response.form = storable_form(r->headers_in)
                    | (is_shortened(state) ? STORABLE_FORM_LONG : 0);
    response.has_query = r->args != NULL;
    response.now = apr_time_now();
    return verdict_of(&response, r->pool);
}

static int is_same(const char *one, const char *other)
{
    return one == other || (one && other && strcmp(one, other) == 0);
}

/* What is as mod_cache would see it anyway stays where it is. */
static int is_as_sent(const request_rec *r, const verdict_t *shown)
{
    return is_same(shown->control, control_lines(r->headers_out, "Cache-Control", r->pool))
           && is_same(shown->expires, apr_table_get(r->headers_out, "Expires"))
           && !apr_table_get(r->headers_out, "Pragma")
           && !apr_table_get(r->err_headers_out, "Pragma")
           && !apr_table_get(r->err_headers_out, "Cache-Control")
           && !apr_table_get(r->err_headers_out, "Expires");
}

static void show(state_t *state, apr_table_t *fields, const verdict_t *shown)
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
        (void)apr_table_do(lines_copy, headers, state->intake.hidden, hidden_fields[i], NULL);
    }
}

/* ------------------------------------------------------------------------------------------------
 * The filter
 * --------------------------------------------------------------------------------------------- */

/* RFC 9110 section 8.6: the same length twice is that length, and goes on as one. */
static void mend_length(apr_table_t *headers)
{
    const char *length = apr_table_get(headers, "Content-Length");

    if (length) {
        apr_table_setn(headers, "Content-Length", length);
    }
}

/* What ap_http_header_filter() of httpd 2.4.71 takes out behind CACHE_SAVE: a filter such as INCLUDES
 * has set this note, since the body is not that of the file any more whose ETag httpd has set. */
static void drop_etag(const request_rec *r)
{
    if (apr_table_get(r->notes, "no-etag")) {
        apr_table_unset(r->headers_out, "ETag");
    }
}

static void see_head(state_t *state)
{
    apr_table_t *fields;
    verdict_t shown;

    drop_etag(state->r);
    validation_confirm(state);
    if (!state->backend.malformed) {
        mend_length(state->r->headers_out);
    }
    if (state->found) {
        state->forward_status = state->r->status;
    }
    fields = collect(state);
    restore_expires(state, fields);
    shown = verdict(state, fields);
    state->intake.problem = state->backend.malformed
                            ? "the origin's head is malformed, or contradicts itself" : shown.problem;
    if (!is_as_sent(state->r, &shown)) {
        show(state, fields, &shown);
    }
}

/* Whether it is this filter or one behind it. */
static int is_behind(ap_filter_t *filter, const char *name)
{
    return filter_find(filter, ap_get_output_filter_handle(name)) != NULL;
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
