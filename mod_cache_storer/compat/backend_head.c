/* SPDX-License-Identifier: Apache-2.0
 *
 * backend_head.c - see backend_head.h.
 */
#include "backend_head.h"

#include "../state.h"

#include "mod_proxy.h"

#include "apr_lib.h"
#include "apr_optional_hooks.h"
#include "apr_strings.h"
#include "util_filter.h"

#include <string.h>

/* Of a line no more is kept: none of the fields that are looked at is longer. */
#define LINE_MAX_KEPT 512

typedef struct reader_t {
    backend_head_t *head;
    apr_pool_t     *pool;
    const char     *length;       /* Content-Length; NULL: none yet */
    apr_size_t      used;         /* of line */
    unsigned        in_fields:1;  /* the status line was read */
    unsigned        interim:1;    /* it is a 1xx: another head follows */
    unsigned        coded:1;      /* a Transfer-Encoding was read */
    unsigned        done:1;
    char            line[LINE_MAX_KEPT + 1];
} reader_t;

static ap_filter_rec_t *reader_handle;

/* HTTP/1.1 200 OK: as mod_proxy_http has it, and a status that is one. */
static void read_status_line(reader_t *reader)
{
    const char *line = reader->line;

    reader->in_fields = 1;
    if (strncmp(line, "HTTP/1.", 7) != 0 || !apr_isdigit(line[7]) || line[8] != ' '
        || !apr_isdigit(line[9]) || !apr_isdigit(line[10]) || !apr_isdigit(line[11])
        || (line[12] && line[12] != ' ') || line[9] == '0' || line[9] > '5') {
        reader->head->malformed = 1;
        reader->done = 1; /* what follows is a body, to mod_proxy_http */
        return;
    }
    reader->interim = line[9] == '1' && memcmp(line + 9, "101", 3) != 0;
}

/* The value of a field of this name; NULL: the line is another one. */
static char *value_of(char *line, const char *name)
{
    apr_size_t length = strlen(name);
    char *value = line + length, *end;

    if (ap_cstr_casecmpn(line, name, length) != 0 || *value != ':') {
        return NULL;
    }
    value += 1 + strspn(value + 1, " \t");
    end = value + strlen(value);
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        *--end = '\0';
    }
    return value;
}

/* RFC 9110 section 8.6: a list of the same number is that number. */
static int is_length(const char *value)
{
    apr_size_t digits = strspn(value, "0123456789");
    const char *next;

    for (next = value + digits; digits > 0 && *next;) {
        next += strspn(next, " \t");
        if (*next++ != ',') {
            return 0;
        }
        next += strspn(next, " \t");
        if (strncmp(next, value, digits) != 0 || apr_isdigit(next[digits])) {
            return 0;
        }
        next += digits;
    }
    return digits > 0;
}

static int is_same_length(const char *one, const char *other)
{
    apr_size_t digits = strspn(one, "0123456789");

    return digits == strspn(other, "0123456789") && strncmp(one, other, digits) == 0;
}

static void read_field(reader_t *reader)
{
    char *value = value_of(reader->line, "Expires");

    if (value) {
        reader->head->expires = apr_pstrdup(reader->pool, value);
    }
    value = value_of(reader->line, "Content-Length");
    if (value) {
        reader->head->malformed |= !is_length(value)
                                   || (reader->length && !is_same_length(reader->length, value));
        reader->length = apr_pstrdup(reader->pool, value);
    }
    if (value_of(reader->line, "Transfer-Encoding")) {
        reader->coded = 1;
    }
}

static void end_head(reader_t *reader)
{
    if (reader->interim) {
        reader->in_fields = reader->interim = reader->coded = 0;
        reader->length = reader->head->expires = NULL;
        return;
    }
    reader->head->malformed |= reader->coded && reader->length;
    reader->done = 1;
}

static void read_line(reader_t *reader)
{
    apr_size_t length = reader->used;

    if (length > 0 && reader->line[length - 1] == '\r') {
        length--;
    }
    reader->line[length] = '\0';
    reader->used = 0;
    if (!reader->in_fields) {
        if (length > 0) { /* a stray empty line before the head is passed over */
            read_status_line(reader);
        }
    }
    else if (length == 0) {
        end_head(reader);
    }
    else {
        read_field(reader);
    }
}

static void read_bytes(reader_t *reader, const char *data, apr_size_t length)
{
    apr_size_t i;

    for (i = 0; i < length && !reader->done; i++) {
        if (data[i] == '\n') {
            read_line(reader);
        }
        else if (reader->used < LINE_MAX_KEPT) {
            reader->line[reader->used++] = data[i];
        }
    }
}

static apr_status_t reader_filter(ap_filter_t *filter, apr_bucket_brigade *brigade,
                                  ap_input_mode_t mode, apr_read_type_e block, apr_off_t bytes)
{
    reader_t *reader = filter->ctx;
    apr_bucket *bucket;
    apr_status_t rv = ap_get_brigade(filter->next, brigade, mode, block, bytes);

    if (rv != APR_SUCCESS || mode != AP_MODE_GETLINE) {
        return rv;
    }
    for (bucket = APR_BRIGADE_FIRST(brigade);
         bucket != APR_BRIGADE_SENTINEL(brigade) && !reader->done; bucket = APR_BUCKET_NEXT(bucket)) {
        const char *data;
        apr_size_t length;

        if (!APR_BUCKET_IS_METADATA(bucket)
            && apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ) == APR_SUCCESS) {
            read_bytes(reader, data, length); /* what cannot be read fails its reader as well */
        }
    }
    if (reader->done) {
        ap_remove_input_filter(filter);
    }
    return APR_SUCCESS;
}

/* The request to the backend, as mod_proxy_http makes it for its own use: its filters are those of
 * the backend's connection. */
static int watch_backend(request_rec *r, request_rec *backend)
{
    state_t *state = state_find(r);
    reader_t *reader;

    if (!state || !state->forwarded || !backend->connection) {
        return OK;
    }
    memset(&state->backend, 0, sizeof(state->backend)); /* mod_proxy may try one after the other */
    reader = apr_pcalloc(r->pool, sizeof(*reader));
    reader->head = &state->backend;
    reader->pool = r->pool;
    ap_add_input_filter_handle(reader_handle, reader, backend, backend->connection);
    return OK;
}

void backend_head_register(void)
{
    reader_handle = ap_register_input_filter("CACHE_STORER_BACKEND", reader_filter, NULL,
                                             AP_FTYPE_PROTOCOL);
    APR_OPTIONAL_HOOK(proxy, create_req, watch_backend, NULL, NULL, APR_HOOK_MIDDLE);
}
