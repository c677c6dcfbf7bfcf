/* SPDX-License-Identifier: Apache-2.0
 *
 * transfer.c - see transfer.h.
 */
#include "transfer.h"

#include <stdlib.h>
#include <string.h>

CURL *transfer_open(const tool_t *tool, const char *url, long timeout, curl_write_callback take,
                    void *baton)
{
    CURL *curl = curl_easy_init();

    if (!curl) {
        return NULL;
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, baton);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, timeout);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "storerctl");
    if (tool->insecure) {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return curl;
}

size_t transfer_take(char *data, size_t size, size_t count, void *baton)
{
    transfer_text_t *text = baton;
    size_t length = size * count;
    char *grown;

    if (length > TRANSFER_MAX - text->length) {
        return 0;
    }
    grown = realloc(text->data, text->length + length + 1);
    if (!grown) {
        return 0;
    }
    memcpy(grown + text->length, data, length);
    text->data = grown;
    text->length += length;
    grown[text->length] = '\0';
    return length;
}
