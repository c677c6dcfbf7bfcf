/* SPDX-License-Identifier: Apache-2.0
 *
 * mask.c - see mask.h.
 */
#include "mask.h"

#include "http/lines.h"

#include "apr_strings.h"

#include <string.h>

int mask_is_unsafe(const request_rec *r)
{
    /* by name: for httpd some of them are unknown */
    static const char *const safe[] = {
        "GET", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "REPORT", "SEARCH", "QUERY"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(safe) / sizeof(safe[0]); i++) {
        if (strcmp(r->method, safe[i]) == 0) {
            return 0;
        }
    }
    return 1;
}

static int count_line(void *baton, const char *name, const char *value)
{
    (void)name;
    (void)value;
    (*(int *)baton)++;
    return 1;
}

/* Several lines are no credentials anybody defines: such a request is left as it is. */
static int is_single(const apr_table_t *headers, const char *name)
{
    int count = 0;

    (void)apr_table_do(count_line, &count, headers, name, NULL);
    return count == 1;
}

void mask_put(state_t *state)
{
    request_rec *r = state->r;

    if (r->method_number == M_GET) {
        const char *authorization = apr_table_get(r->headers_in, "Authorization");

        if (authorization && is_single(r->headers_in, "Authorization")) {
            state->mask.authorization = authorization;
            state->mask.hidden = 1;
            apr_table_unset(r->headers_in, "Authorization");
        }
    }
    else if (r->method_number != M_PUT && r->method_number != M_DELETE
             && r->method_number != M_POST && mask_is_unsafe(r)) {
        state->mask.method_number = r->method_number;
        state->mask.method = 1;
        r->method_number = M_POST;
    }
}

void mask_put_directives(state_t *state)
{
    apr_table_t *headers = state->r->headers_in;

    state->mask.directives = apr_table_make(state->r->pool, 2);
    (void)apr_table_do(lines_copy, state->mask.directives, headers, "Cache-Control", "Pragma", NULL);
    apr_table_unset(headers, "Cache-Control");
    apr_table_unset(headers, "Pragma");
    state->mask.undirected = 1;
}

static void remove_directives(state_t *state)
{
    if (state->mask.undirected) {
        (void)apr_table_do(lines_copy, state->r->headers_in, state->mask.directives, NULL);
        state->mask.undirected = 0;
    }
}

/* cache_get_providers() looks at r->parsed_uri and, as a handler, at r->uri. */
void mask_put_path(state_t *state)
{
    request_rec *r = state->r;
    const url_t *url = url_of(r);
    char *path;

    if (!url || !url->path || r->proxyreq == PROXYREQ_PROXY || state->mask.path) {
        return;
    }
    if (!r->parsed_uri.scheme && !r->parsed_uri.hostname
        && strcmp(url->path, state->quick ? (r->parsed_uri.path ? r->parsed_uri.path : "/") : r->uri)
           == 0) {
        return;
    }
    path = apr_pstrdup(r->pool, url->path);
    state->mask.path = 1;
    state->mask.parsed_uri = r->parsed_uri;
    state->mask.uri = r->uri;
    r->parsed_uri.scheme = NULL;
    r->parsed_uri.hostname = NULL;
    r->parsed_uri.path = path;
    if (!state->quick) {
        r->uri = path;
    }
}

static void remove_path(state_t *state)
{
    request_rec *r = state->r;

    if (state->mask.path) {
        r->parsed_uri = state->mask.parsed_uri;
        r->uri = state->mask.uri;
        state->mask.path = 0;
    }
}

void mask_remove(state_t *state)
{
    remove_path(state);
    remove_directives(state);
    if (state->mask.hidden) {
        apr_table_setn(state->r->headers_in, "Authorization", state->mask.authorization);
        state->mask.hidden = 0;
    }
    if (state->mask.method) {
        state->r->method_number = state->mask.method_number;
        state->mask.method = 0;
    }
}
