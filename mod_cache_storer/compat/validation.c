/* SPDX-License-Identifier: Apache-2.0
 *
 * validation.c - see validation.h.
 */
#include "validation.h"

#include "../provider.h"
#include "../state.h"

#include "../http/sendable.h"

#include "apr_date.h"
#include "http_protocol.h"
#include "util_filter.h"

#include <string.h>

static ap_filter_rec_t *origin_handle;

/* Of no use for an update (RFC 9111 section 3.2): they are about a body, and a 304 has none. */
static const char *const body_fields[] = {
    "Content-Encoding", "Content-Length", "Content-MD5", "Content-Range", "Transfer-Encoding", NULL
};

/* Those of mod_cache's MOD_CACHE_ENTITY_HEADERS that may change while the body stays the same. */
static const char *const updatable_fields[] = {
    "Allow", "Content-Language", "Content-Location", "Content-Type", NULL
};

static const char *opaque_tag(const char *tag)
{
    return strncmp(tag, "W/", 2) == 0 ? tag + 2 : tag;
}

/* The weak comparison of RFC 9110 section 8.8.3.2. */
static int is_same_tag(const char *one, const char *other)
{
    return one && other && strcmp(opaque_tag(one), opaque_tag(other)) == 0;
}

static const char *field(const request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->err_headers_out, name);

    return value ? value : apr_table_get(r->headers_out, name);
}

/* ------------------------------------------------------------------------------------------------
 * The question
 * --------------------------------------------------------------------------------------------- */

/* RFC 9110 section 13.2.1: conditions are for what would be successful. */
static int is_confirmable(int status)
{
    return ap_is_HTTP_SUCCESS(status);
}

void validation_ask(state_t *state)
{
    const provider_object_t *found = state->found;
    apr_table_t *headers = state->r->headers_in;

    if (!found || state->hit || !state->asked) {
        return;
    }
    if (!is_confirmable(found->record.status)) {
        apr_table_unset(headers, "If-None-Match");
        apr_table_unset(headers, "If-Modified-Since");
    }
    else if (found->record.origin_etag && apr_table_get(headers, "If-None-Match")) {
        apr_table_setn(headers, "If-None-Match", found->record.origin_etag);
    }
}

/* ------------------------------------------------------------------------------------------------
 * The answer
 * --------------------------------------------------------------------------------------------- */

static apr_status_t origin_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    state_t *state = filter->ctx;

    state->validation.etag = field(state->r, "ETag");
    ap_remove_output_filter(filter);
    return ap_pass_brigade(filter->next, brigade);
}

static void set_aside(state_t *state, const char *name)
{
    request_rec *r = state->r;
    const char *value = apr_table_get(r->headers_out, name);
    const char *stored = apr_table_get(state->found->record.headers, name);

    if (!value || (stored && strcmp(value, stored) == 0)) {
        return;
    }
    if (!state->validation.updates) {
        state->validation.updates = apr_table_make(r->pool, 4);
    }
    apr_table_setn(state->validation.updates, name, value);
    apr_table_unset(r->headers_out, name);
}

/* A 304 without a validator is about the one that was asked with. */
static void complete(state_t *state, const char *name)
{
    const char *stored = apr_table_get(state->found->record.headers, name);

    if (stored && !field(state->r, name)) {
        apr_table_setn(state->r->headers_out, name, stored);
    }
}

/* @return whether the 304 is about the ETag that was asked with */
static int settle_etag(state_t *state)
{
    const record_t *record = &state->found->record;
    const char *stored = apr_table_get(record->headers, "ETag"), *etag = field(state->r, "ETag");

    if (!stored || !etag) {
        return 0;
    }
    if (!is_same_tag(etag, stored) && !is_same_tag(state->validation.etag, record->origin_etag)) {
        return 0;
    }
    apr_table_unset(state->r->err_headers_out, "ETag");
    apr_table_setn(state->r->headers_out, "ETag", stored);
    return 1;
}

static void settle_date(state_t *state)
{
    const char *date = field(state->r, "Date");
    const char *stored = apr_table_get(state->found->record.headers, "Date");
    apr_time_t time = date ? apr_date_parse_http(date) : APR_DATE_BAD;

    if (time == APR_DATE_BAD || time >= state->found->record.freshness.date) {
        return;
    }
    apr_table_unset(state->r->err_headers_out, "Date");
    apr_table_unset(state->r->headers_out, "Date");
    if (stored) {
        apr_table_setn(state->r->headers_out, "Date", stored);
    }
}

/* httpd has no answer to a 304 with a field that it does not send: mod_cache lets nothing pass by
 * behind it. */
static void drop_unsendable(apr_table_t *headers)
{
    const char *name = sendable_problem(headers);

    while (name) {
        apr_table_unset(headers, name);
        name = sendable_problem(headers);
    }
}

void validation_confirm(state_t *state)
{
    int i;

    if (!state->found || state->r->status != HTTP_NOT_MODIFIED) {
        return;
    }
    drop_unsendable(state->r->headers_out);
    drop_unsendable(state->r->err_headers_out);
    for (i = 0; body_fields[i]; i++) {
        apr_table_unset(state->r->headers_out, body_fields[i]);
    }
    for (i = 0; updatable_fields[i]; i++) {
        set_aside(state, updatable_fields[i]);
    }
    if (settle_etag(state)) {
        set_aside(state, "Last-Modified");
    }
    complete(state, "ETag");
    complete(state, "Last-Modified");
    settle_date(state);
}

static int replace_line(void *baton, const char *name, const char *value)
{
    apr_table_set(baton, name, value);
    return 1;
}

void validation_update(const state_t *state, apr_table_t *headers)
{
    const apr_table_t *updates = state->validation.updates;
    const char *type;

    if (!updates) {
        return;
    }
    (void)apr_table_do(replace_line, headers, updates, NULL);
    (void)apr_table_do(replace_line, state->r->headers_out, updates, NULL);
    type = apr_table_get(updates, "Content-Type");
    if (type) {
        ap_set_content_type(state->r, type);
        apr_table_unset(state->r->headers_out, "Content-Type");
    }
}

const char *validation_etag(const state_t *state, const apr_table_t *headers)
{
    const char *stored = apr_table_get(headers, "ETag"), *etag = state->validation.etag;

    return stored && etag && strcmp(stored, etag) != 0 ? etag : NULL;
}

void validation_register(void)
{
    origin_handle = ap_register_output_filter("CACHE_STORER_ORIGIN", origin_filter, NULL,
                                              AP_FTYPE_RESOURCE - 5);
}

void validation_insert(state_t *state)
{
    ap_add_output_filter_handle(origin_handle, state, state->r, state->r->connection);
}
