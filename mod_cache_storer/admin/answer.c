/* SPDX-License-Identifier: Apache-2.0
 *
 * answer.c - see answer.h.
 */
#include "answer.h"

#include "http_protocol.h"
#include "apr_strings.h"

#include <stdlib.h>

void answer_fields(const admin_t *admin)
{
    apr_table_t *headers = admin->r->err_headers_out;

    apr_table_setn(headers, "Cache-Control", "no-store");
    apr_table_setn(headers, "Vary", "Accept");
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
    apr_table_setn(headers, "X-Frame-Options", "DENY");
    apr_table_setn(headers, "Referrer-Policy", "no-referrer");
    apr_table_setn(headers, ADMIN_SCOPE_FIELD, admin->site ? admin->r->server->server_hostname : "*");
}

static apr_status_t free_text(void *text)
{
    free(text);
    return APR_SUCCESS;
}

int answer_json(const admin_t *admin, int status, json_t *json)
{
    request_rec *r = admin->r;
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    json_decref(json);
    if (!text) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, APR_ENOMEM, r,
                      STORERNO(0541) "no memory for the answer to %s", r->unparsed_uri);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    apr_pool_cleanup_register(r->pool, text, free_text, apr_pool_cleanup_null);
    answer_fields(admin);
    r->status = status;
    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, (apr_off_t)strlen(text) + 1);
    (void)ap_rputs(text, r);
    (void)ap_rputc('\n', r);
    return OK;
}

int answer_error(const admin_t *admin, int status, const char *format, ...)
{
    apr_pool_t *pool = admin->r->pool;
    const char *text;
    va_list arguments;
    json_t *json = json_object();

    va_start(arguments, format);
    text = apr_pvsprintf(pool, format, arguments);
    va_end(arguments);
    json_object_set_new(json, "error", answer_text(storer_bytes(text)));
    return answer_json(admin, status, json);
}

int answer_nothing(const admin_t *admin)
{
    answer_fields(admin);
    admin->r->status = HTTP_NO_CONTENT;
    return OK;
}

/* Each byte a character. */
static json_t *text_of_latin1(storer_bytes_t bytes)
{
    char *utf8 = calloc(bytes.len, 2), *to = utf8;
    json_t *text;
    apr_size_t i;

    if (!utf8) {
        return NULL;
    }
    for (i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];

        if (byte < 0x80) {
            *to++ = (char)byte;
        }
        else {
            *to++ = (char)(0xc0 | byte >> 6);
            *to++ = (char)(0x80 | (byte & 0x3f));
        }
    }
    text = json_stringn(utf8, (apr_size_t)(to - utf8));
    free(utf8);
    return text;
}

json_t *answer_text(storer_bytes_t bytes)
{
    json_t *text;

    if (!bytes.data || bytes.len == 0) {
        return json_string("");
    }
    text = json_stringn(bytes.data, bytes.len);
    return text ? text : text_of_latin1(bytes);
}

json_t *answer_time(apr_time_t time)
{
    apr_time_exp_t parts;
    char text[64];

    if (time <= 0 || apr_time_exp_gmt(&parts, time) != APR_SUCCESS) {
        return json_null();
    }
    apr_snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                 (int)(parts.tm_usec / 1000));
    return json_string(text);
}
