/* SPDX-License-Identifier: Apache-2.0
 *
 * transfer.h - requests by libcurl, and a text that grows while it comes. Called by api.c and warm.c.
 */
#ifndef STORERCTL_TRANSFER_H
#define STORERCTL_TRANSFER_H

#include "storerctl.h"

#include <curl/curl.h>

/** Longest text that is taken, in bytes. */
#define TRANSFER_MAX ((size_t)256 << 20)

/** Starts all zero; ended with a NUL. The caller frees data. */
typedef struct transfer_text_t {
    char  *data;      /**< NULL: nothing has come */
    size_t length;
} transfer_text_t;

/**
 * A request that goes past all proxies, for curl_easy_cleanup().
 * @param timeout of all of it, in seconds
 * @param take    gets the body, with baton
 * @return NULL: libcurl does not start
 */
CURL *transfer_open(const tool_t *tool, const char *url, long timeout, curl_write_callback take,
                    void *baton);

/** A curl_write_callback that appends to a transfer_text_t. @return less than what came: too long */
size_t transfer_take(char *data, size_t size, size_t count, void *baton);

#endif /* STORERCTL_TRANSFER_H */
