/* SPDX-License-Identifier: Apache-2.0
 *
 * warm.c - fetch each URL of a list or a sitemap (urls.h), so that the cache has it.
 */
#include "transfer.h"
#include "urls.h"

#include <apr_strings.h>
#include <apr_time.h>


#define TIMEOUT 60L

static size_t drop(char *data, size_t size, size_t count, void *baton)
{
    (void)data;
    (void)baton;
    return size * count;
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
    CURL *curl = transfer_open(tool, url, TIMEOUT, drop, NULL);
    CURLcode code = CURLE_FAILED_INIT;
    long status = 0;

    if (curl) {
        curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
        code = curl_easy_perform(curl);
    }
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

static void print_result(const tool_t *tool, const progress_t *progress, int skipped)
{
    int fetched = progress->done - progress->failed;

    if (tool->json) {
        printf("{\"fetched\":%d,\"failed\":%d,\"skipped\":%d}\n", fetched, progress->failed, skipped);
        return;
    }
    printf("%sfetched %d, failed %d", tool_is_terminal() ? "\n" : "", fetched, progress->failed);
    printf(skipped ? ", skipped %d\n" : "\n", skipped);
}

tool_exit_e warm_run(tool_t *tool)
{
    apr_interval_time_t pause = (apr_interval_time_t)(APR_USEC_PER_SEC / tool->rate);
    progress_t progress = { 0, 0, 0 };
    tool_exit_e result;
    urls_t urls;

    if (tool->argc != 1) {
        return tool_fail(TOOL_USAGE, "warm: expected a file or a URL, of a list or a sitemap");
    }
    result = urls_read(tool, tool->argv[0], &urls);
    if (result != TOOL_OK) {
        return result;
    }
    if (urls.urls->nelts == 0) {
        return tool_fail(TOOL_NO, "%s: there are no URLs in it", tool->argv[0]);
    }
    progress.all = urls.urls->nelts;
    while (progress.done < progress.all) {
        apr_time_t begin = apr_time_now(), taken;

        fetch(tool, APR_ARRAY_IDX(urls.urls, progress.done, const char *), &progress);
        draw(tool, &progress);
        taken = apr_time_now() - begin;
        if (taken < pause && progress.done < progress.all) {
            apr_sleep(pause - taken);
        }
    }
    print_result(tool, &progress, urls.skipped);
    return progress.failed || urls.skipped ? TOOL_NO : TOOL_OK;
}
