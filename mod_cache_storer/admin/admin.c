/* SPDX-License-Identifier: Apache-2.0
 *
 * admin.c - see admin.h: access, the place, and who answers.
 */
#include "answer.h"

#include "../access/stranger.h"
#include "../stats/stats_report.h"

#include "ap_expr.h"
#include "ap_mpm.h"
#include "http_core.h"
#include "http_protocol.h"
#include "apr_escape.h"
#include "apr_portable.h"
#include "apr_strings.h"
#include "apr_uri.h"

#include <string.h>
#include <sys/socket.h>

/* ------------------------------------------------------------------------------------------------
 * Where it is, and what is asked for
 * --------------------------------------------------------------------------------------------- */

/* The length of a path without the slashes at its end. */
static apr_size_t bare_length(const char *path)
{
    apr_size_t length = strlen(path);

    while (length > 0 && path[length - 1] == '/') {
        length--;
    }
    return length;
}

static int sets_handler(request_rec *r, const core_dir_config *section)
{
    const char *name = section->handler, *error = NULL;

    if (section->expr_handler) {
        name = ap_expr_str_exec(r, section->expr_handler, &error);
    }
    return name && !error && strcmp(name, ADMIN_HANDLER) == 0;
}

/* The path of the last <Location> that covers the request and sets the handler. NULL: there is none.
 * What per_dir_config says is the path of the last section that covers the request, such as "/". */
static const char *location_of(request_rec *r)
{
    const core_server_config *server = ap_get_core_module_config(r->server->module_config);
    ap_conf_vector_t **sections = (ap_conf_vector_t **)server->sec_url->elts;
    int i;

    for (i = server->sec_url->nelts - 1; i >= 0; i--) {
        const core_dir_config *section = ap_get_core_module_config(sections[i]);
        apr_size_t length = section->d ? bare_length(section->d) : 0;

        if (length > 0 && !section->r && !section->d_is_fnmatch
            && strncmp(r->uri, section->d, length) == 0
            && (r->uri[length] == '/' || r->uri[length] == '\0') && sets_handler(r, section)) {
            return apr_pstrmemdup(r->pool, section->d, length);
        }
    }
    return NULL;
}

/* The path of the <Location> that sets the handler; if the handler is set for a directory or a file,
 * the request's path without the path_info. path_info need not be the end of the request's path: if
 * the DocumentRoot does not exist, core counts the missing folders in. */
static const char *base_of(request_rec *r)
{
    const char *place = location_of(r), *path_info = r->path_info ? r->path_info : "";
    apr_size_t length = strlen(r->uri), info_length = strlen(path_info);

    if (place) {
        return place;
    }
    if (info_length <= length && strcmp(r->uri + length - info_length, path_info) == 0) {
        length -= info_length;
    }
    place = apr_pstrmemdup(r->pool, r->uri, length);
    return apr_pstrmemdup(r->pool, place, bare_length(place));
}

/* A part of a URL, decoded; NULL: it is no text. */
static const char *decode(const char *text, apr_size_t length, int plus, apr_pool_t *pool)
{
    const char *copy = apr_pstrmemdup(pool, text, length);
    apr_size_t decoded = 0;
    const char *result = apr_punescape_url(pool, copy, NULL, NULL, plus);

    if (!result || apr_unescape_url(NULL, copy, APR_ESCAPE_STRING, NULL, NULL, plus, &decoded)
                   == APR_EINVAL) {
        return NULL;
    }
    return strlen(result) + 1 == decoded ? result : NULL; /* a NUL would cut it short */
}

/* httpd merges slashes in what it shows to handlers, and a pattern is often a URL: so the path comes
 * from the request line, as it came. */
static const char *path_of(const request_rec *r)
{
    const char *uri = r->unparsed_uri, *authority;

    if (!uri) {
        return "/";
    }
    if (*uri != '/') {
        authority = strstr(uri, "://");
        uri = authority ? strchr(authority + 3, '/') : NULL;
    }
    return uri ? uri : "/";
}

/* @return OK, or the status of a refusal */
static int locate(admin_t *admin)
{
    request_rec *r = admin->r;
    const char *path = path_of(r), *end = path + strcspn(path, "?");
    apr_size_t length;

    admin->base = base_of(r);
    length = strlen(admin->base);
    admin->rest = "";
    if (strncmp(path, admin->base, length) == 0 && path + length <= end) {
        path += length;
        while (*path == '/') {
            path++;
        }
        admin->rest = decode(path, (apr_size_t)(end - path), 0, r->pool);
    }
    else if (strncmp(r->uri, admin->base, length) == 0 && r->uri[length] == '/') {
        admin->rest = r->uri + length + 1; /* it came with escapes in the base itself */
    }
    return admin->rest ? OK : HTTP_BAD_REQUEST;
}

/* @return OK, or HTTP_BAD_REQUEST */
static int read_query(admin_t *admin)
{
    apr_pool_t *pool = admin->r->pool;
    const char *at = admin->r->args;

    admin->query = apr_table_make(pool, 4);
    while (at && *at) {
        apr_size_t length = strcspn(at, "&"), name_length = strcspn(at, "=&");
        const char *name = decode(at, name_length, 1, pool), *value = "";

        if (name_length < length) {
            value = decode(at + name_length + 1, length - name_length - 1, 1, pool);
        }
        if (!name || !value) {
            return HTTP_BAD_REQUEST;
        }
        apr_table_setn(admin->query, name, value);
        at += length + (at[length] == '&');
    }
    return OK;
}

const char *admin_parameter(const admin_t *admin, const char *name)
{
    return apr_table_get(admin->query, name);
}

int admin_pattern(const admin_t *admin, storer_pattern_t **pattern)
{
    const char *text = *admin->rest ? admin->rest : admin_parameter(admin, "pattern"), *errmsg;

    *pattern = NULL;
    if (text && *text && storer_pattern_compile(pattern, storer_bytes(text), &errmsg,
                                                admin->r->pool) != APR_SUCCESS) {
        (void)answer_error(admin, HTTP_BAD_REQUEST, "the pattern %s: %s", text, errmsg);
        return DONE;
    }
    return OK;
}

/* ------------------------------------------------------------------------------------------------
 * Whether to go on
 * --------------------------------------------------------------------------------------------- */

/* A closed connection reads as the end of what the client sends. */
static int has_gone(const request_rec *r)
{
    conn_rec *c = r->connection;
    apr_socket_t *socket = c->master ? NULL : ap_get_conn_socket(c);
    apr_os_sock_t descriptor;
    char byte;

    return c->aborted
           || (socket && apr_os_sock_get(&descriptor, socket) == APR_SUCCESS
               && recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0);
}

int admin_should_stop(void *baton)
{
    const admin_t *admin = baton;
    int state = AP_MPMQ_RUNNING;

    return (ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING)
           || has_gone(admin->r);
}

/* ------------------------------------------------------------------------------------------------
 * Who may
 * --------------------------------------------------------------------------------------------- */

static int is_change(const request_rec *r)
{
    return r->method_number == M_POST || strcmp(r->method, "PURGE") == 0;
}

static int may(const admin_t *admin)
{
    request_rec *r = admin->r;

    if (!access_is_restricted(r, "the cache's administration", ACCESS_CURE_LOCATION)
        || !access_is_own_name(r, "the cache's administration")) {
        return 0;
    }
    return !(is_change(r) && access_is_cross_site(r));
}

/* ------------------------------------------------------------------------------------------------
 * Who answers
 * --------------------------------------------------------------------------------------------- */

/* A browser asks for HTML first; programs for JSON or for anything. */
static int wants_page(const request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    return accept && strstr(accept, "text/html") && !strstr(accept, "application/json");
}

static int answer_get(const admin_t *admin)
{
    static const struct {
        const char *name;
        int       (*answer)(const admin_t *admin);
    } resources[] = {
        { "surrogate_keys", listing_tags },
        { "entry", entry_show },
        { "stats", figures_show },
        { "top", listing_top },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
        if (strcmp(admin->rest, resources[i].name) == 0) {
            return resources[i].answer(admin);
        }
    }
    return !*admin->rest && !admin->r->args && wants_page(admin->r) ? page_show(admin)
                                                                    : listing_keys(admin);
}

static int handle(request_rec *r)
{
    admin_t admin = { r, NULL, NULL, NULL, 0, NULL };

    if (!r->handler || strcmp(r->handler, ADMIN_HANDLER) != 0) {
        return DECLINED;
    }
    stats_omit(r);
    if (!may(&admin)) {
        return HTTP_FORBIDDEN;
    }
    if (locate(&admin) != OK || read_query(&admin) != OK) {
        return HTTP_BAD_REQUEST;
    }
    admin.stores = report_stores(r);
    admin.site = report_scope(r);
    if (strcmp(r->method, "PURGE") == 0) {
        return orders_purge(&admin);
    }
    if (r->method_number == M_POST) {
        return orders_post(&admin);
    }
    if (r->method_number == M_GET) {
        return answer_get(&admin);
    }
    apr_table_setn(r->err_headers_out, "Allow", "GET, HEAD, POST, PURGE");
    return answer_error(&admin, HTTP_METHOD_NOT_ALLOWED, "there are GET, HEAD, POST and PURGE");
}

void admin_register(void)
{
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}
