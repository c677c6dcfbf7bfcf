/* SPDX-License-Identifier: Apache-2.0
 *
 * api.c - see storerctl.h.
 */
#include "transfer.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

#define TIMEOUT 120L

#define SCOPE_FIELD "cache-storer-scope:"

typedef struct answer_t {
    transfer_text_t body;
    char            link[16384];
    char            scope[300];
} answer_t;

static size_t take_header(char *data, size_t size, size_t count, void *baton)
{
    answer_t *answer = baton;
    size_t length = size * count;

    if (length > 5 && length < sizeof(answer->link) && strncasecmp(data, "link:", 5) == 0) {
        memcpy(answer->link, data, length);
        answer->link[length] = '\0';
    }
    if (length > sizeof(SCOPE_FIELD) && length < sizeof(answer->scope)
        && strncasecmp(data, SCOPE_FIELD, sizeof(SCOPE_FIELD) - 1) == 0) {
        apr_size_t begin = sizeof(SCOPE_FIELD) - 1 + (data[sizeof(SCOPE_FIELD) - 1] == ' ');

        apr_cpystrn(answer->scope, data + begin, length - begin + 1);
        answer->scope[strcspn(answer->scope, "\r\n")] = '\0';
    }
    return length;
}

/* "<...?QUERY>; rel="next"" */
static const char *next_of(const answer_t *answer, apr_pool_t *pool)
{
    const char *query = strchr(answer->link, '?');
    const char *end = query ? strchr(query, '>') : NULL;

    return end && strstr(end, "rel=\"next\"") ? apr_pstrmemdup(pool, query, (apr_size_t)(end - query))
                                              : NULL;
}

/* Each virtual host sees its own entries only, and several of them are behind one address. */
static struct curl_slist *headers_of(const tool_t *tool, const char *body)
{
    struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");
    int i;

    list = curl_slist_append(list, "Sec-Cache-Storer: storerctl"); /* access/stranger.h */
    if (tool->host) {
        list = curl_slist_append(list, apr_pstrcat(tool->pool, "Host: ", tool->host, NULL));
    }
    if (body) {
        list = curl_slist_append(list, "Content-Type: application/json");
    }
    for (i = 0; i < tool->headers->nelts; i++) {
        list = curl_slist_append(list, APR_ARRAY_IDX(tool->headers, i, const char *));
    }
    return list;
}

static tool_exit_e judge(const tool_t *tool, long status, const char *url, const json_t *json)
{
    const char *error = json_string_value(json_object_get(json, "error"));

    (void)tool;
    if (status < 300) {
        return TOOL_OK;
    }
    if (status == 404 && json) {
        return TOOL_NO;
    }
    if (status == 401 || status == 403) {
        return tool_fail(TOOL_REFUSED, "%s: %ld: httpd does not let you; see its error log", url,
                         status);
    }
    return tool_fail(status == 400 ? TOOL_USAGE : TOOL_FAILED, "%s: %ld%s%s", url, status,
                     error ? ": " : "", error ? error : "");
}

static tool_exit_e perform(const tool_t *tool, CURL *curl, const char *method, const char *url,
                           const char *body, answer_t *answer, json_t **json)
{
    struct curl_slist *headers = headers_of(tool, body);
    long status = 0;
    CURLcode code;

    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
    curl_easy_setopt(curl, CURLOPT_USERPWD, tool->user);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        return tool_fail(TOOL_UNREACHABLE, "%s: %s", url, curl_easy_strerror(code));
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    *json = answer->body.data ? json_loadb(answer->body.data, answer->body.length, 0, NULL) : NULL;
    if (status == 200 && !*json) {
        return tool_fail(TOOL_FAILED, "%s: this is not the admin API of mod_cache_storer", url);
    }
    return judge(tool, status, url, *json);
}

tool_exit_e api_call(tool_t *tool, const char *method, const char *path, const char *body,
                     json_t **answer, const char **next)
{
    const char *url = apr_pstrcat(tool->pool, tool->url, path, NULL);
    answer_t got = { { NULL, 0 }, "", "" };
    CURL *curl = transfer_open(tool, url, TIMEOUT, transfer_take, &got.body);
    tool_exit_e result;

    *answer = NULL;
    if (!curl) {
        return tool_fail(TOOL_FAILED, "libcurl does not start");
    }
    result = perform(tool, curl, method, url, body, &got, answer);
    if (next) {
        *next = next_of(&got, tool->pool);
    }
    tool->scope = *got.scope ? apr_pstrdup(tool->pool, got.scope) : NULL;
    free(got.body.data);
    curl_easy_cleanup(curl);
    return result;
}

int api_is_local(const tool_t *tool)
{
    static const char *const names[] = { "localhost", "127.", "[::1]", NULL };
    const char *authority = strstr(tool->url, "://");
    int i;

    for (i = 0; authority && names[i]; i++) {
        if (strncasecmp(authority + 3, names[i], strlen(names[i])) == 0) {
            return 1;
        }
    }
    return 0;
}

void api_take_host(tool_t *tool, const char *url)
{
    const char *authority = strstr(url, "://"), *end;

    if (tool->host || !api_is_local(tool)) {
        return;
    }
    authority = authority ? authority + 3 : url;
    end = authority + strcspn(authority, "/?#");
    if (end > authority) {
        tool->host = apr_pstrmemdup(tool->pool, authority, (apr_size_t)(end - authority));
    }
}

const char *api_place(const tool_t *tool)
{
    if (!tool->scope || strcmp(tool->scope, "*") == 0) {
        return tool->url;
    }
    return apr_psprintf(tool->pool, "%s, which sees the virtual host %s only (--host NAME asks "
                        "another)", tool->url, tool->scope);
}

const char *api_escape(const tool_t *tool, const char *text)
{
    char *escaped = curl_easy_escape(NULL, text, 0);
    const char *copy = apr_pstrdup(tool->pool, escaped ? escaped : "");

    curl_free(escaped);
    return copy;
}
