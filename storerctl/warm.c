/* SPDX-License-Identifier: Apache-2.0
 *
 * warm.c - fetch URLs, so that the cache has them: those of a list, one a line, or of a sitemap
 * (sitemaps.org: <loc>), from a file or a URL.
 */
#include "transfer.h"

#include <apr_strings.h>
#include <apr_time.h>

#include <stdlib.h>
#include <string.h>

#define TIMEOUT 60L

static size_t drop(char *data, size_t size, size_t count, void *baton)
{
    (void)data;
    (void)baton;
    return size * count;
}

static int is_url(const char *text)
{
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

static CURL *new_request(const tool_t *tool, const char *url, curl_write_callback take, void *baton)
{
    CURL *curl = transfer_open(tool, url, TIMEOUT, take, baton);

    if (curl) {
        curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    }
    return curl;
}

static tool_exit_e read_file(const char *path, transfer_text_t *text)
{
    FILE *file = fopen(path, "r");
    char buffer[65536];
    size_t got, taken;
    int failed;

    if (!file) {
        return tool_fail(TOOL_UNREACHABLE, "%s cannot be read", path);
    }
    do {
        got = fread(buffer, 1, sizeof(buffer), file);
        taken = transfer_take(buffer, 1, got, text);
    } while (got > 0 && taken == got);
    failed = ferror(file) || taken < got;
    fclose(file);
    return failed ? tool_fail(TOOL_FAILED, "%s cannot be read to its end", path) : TOOL_OK;
}

static tool_exit_e read_source(const tool_t *tool, const char *source, transfer_text_t *text)
{
    tool_exit_e result = TOOL_OK;
    CURL *curl;
    CURLcode code;

    if (!is_url(source)) {
        return read_file(source, text);
    }
    curl = new_request(tool, source, transfer_take, text);
    if (!curl) {
        return TOOL_FAILED;
    }
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        result = tool_fail(TOOL_UNREACHABLE, "%s: %s", source, curl_easy_strerror(code));
    }
    curl_easy_cleanup(curl);
    return result;
}

/* In a sitemap "&" is written as an entity, and so are quotes. */
static void decode_entities(char *text)
{
    static const char *const entities[][2] = {
        { "&amp;", "&" }, { "&apos;", "'" }, { "&quot;", "\"" }, { "&gt;", ">" }, { "&lt;", "<" }
    };
    char *to = text;
    size_t i;

    while (*text) {
        size_t length = 0;

        for (i = 0; *text == '&' && i < sizeof(entities) / sizeof(entities[0]) && !length; i++) {
            if (strncmp(text, entities[i][0], strlen(entities[i][0])) == 0) {
                length = strlen(entities[i][0]);
                *to++ = *entities[i][1];
            }
        }
        if (!length) {
            *to++ = *text;
            length = 1;
        }
        text += length;
    }
    *to = '\0';
}

static void add(apr_array_header_t *urls, const char *begin, size_t length)
{
    char *url;

    while (length > 0 && strchr(" \t\r\n", begin[length - 1])) {
        length--;
    }
    while (length > 0 && strchr(" \t\r\n", *begin)) {
        begin++;
        length--;
    }
    url = apr_pstrmemdup(urls->pool, begin, length);
    if (is_url(url)) {
        APR_ARRAY_PUSH(urls, const char *) = url;
    }
}

static apr_array_header_t *urls_of(char *text, apr_pool_t *pool)
{
    apr_array_header_t *urls = apr_array_make(pool, 64, sizeof(const char *));
    char *at = text, *end;

    if (strstr(text, "<loc>")) {
        while ((at = strstr(at, "<loc>")) != NULL && (end = strstr(at, "</loc>")) != NULL) {
            *end = '\0';
            decode_entities(at);
            add(urls, at + 5, strlen(at + 5));
            at = end + 1;
        }
        return urls;
    }
    for (; *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, "\n");
        if (*at != '#') {
            add(urls, at, (size_t)(end - at));
        }
    }
    return urls;
}

typedef struct progress_t {
    int done, all, failed;
} progress_t;

static void draw(const tool_t *tool, const progress_t *progress)
{
    enum { WIDTH = 40 };
    int full = progress->all ? WIDTH * progress->done / progress->all : WIDTH, i;

    if (!tool_is_terminal() || tool->json) {
        return;
    }
    fputs("\r[", stdout);
    for (i = 0; i < WIDTH; i++) {
        putchar(i < full ? '#' : '.');
    }
    printf("] %d/%d, %d failed ", progress->done, progress->all, progress->failed);
    fflush(stdout);
}

static void fetch(const tool_t *tool, const char *url, progress_t *progress)
{
    CURL *curl = new_request(tool, url, drop, NULL);
    CURLcode code = curl ? curl_easy_perform(curl) : CURLE_FAILED_INIT;
    long status = 0;

    if (code == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    if (code != CURLE_OK || status >= 400) {
        progress->failed++;
        fprintf(stderr, "%sstorerctl: %s: %s\n", tool_is_terminal() ? "\n" : "", url,
                code != CURLE_OK ? curl_easy_strerror(code) : apr_itoa(tool->pool, (int)status));
    }
    curl_easy_cleanup(curl);
    progress->done++;
}

tool_exit_e warm_run(tool_t *tool)
{
    apr_interval_time_t pause = (apr_interval_time_t)(APR_USEC_PER_SEC / tool->rate);
    progress_t progress = { 0, 0, 0 };
    apr_array_header_t *urls;
    transfer_text_t text = { NULL, 0 };
    tool_exit_e result;

    if (tool->argc != 1) {
        return tool_fail(TOOL_USAGE, "warm: expected a file or the URL of a sitemap");
    }
    result = read_source(tool, tool->argv[0], &text);
    if (result != TOOL_OK) {
        free(text.data);
        return result;
    }
    urls = text.data ? urls_of(text.data, tool->pool) : apr_array_make(tool->pool, 1, sizeof(char *));
    free(text.data);
    if (urls->nelts == 0) {
        return tool_fail(TOOL_NO, "%s: there are no URLs in it", tool->argv[0]);
    }
    progress.all = urls->nelts;
    while (progress.done < progress.all) {
        apr_time_t begin = apr_time_now(), taken;

        fetch(tool, APR_ARRAY_IDX(urls, progress.done, const char *), &progress);
        draw(tool, &progress);
        taken = apr_time_now() - begin;
        if (taken < pause && progress.done < progress.all) {
            apr_sleep(pause - taken);
        }
    }
    printf(tool->json ? "%s{\"fetched\":%d,\"failed\":%d}\n" : "%sfetched %d, failed %d\n",
           tool_is_terminal() && !tool->json ? "\n" : "", progress.done - progress.failed,
           progress.failed);
    return progress.failed ? TOOL_NO : TOOL_OK;
}
