/* SPDX-License-Identifier: Apache-2.0
 *
 * request.h - what a store may know of a request: keys, and the fields that a response varies on.
 *
 * Keys. The base key is mod_cache's key for the URL. The key of a variant is the base key, then
 * "{-VARY-}", then name ":" value for each field of Vary, joined by ";" - names in lower case, in
 * order and without repetition, so that two spellings of one Vary do not make two entries. Without
 * Vary it is the base key itself. So that no URL or header value can imitate the structure, and
 * because the mapping takes UTF-8 only, "{" and bytes from 0x80 on are written as "{" two hex
 * digits "}" wherever they come from outside; so are ";" and ":" in names and values of a key.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "httpd.h"

#include "../storage/storer.h"

/** Keys longer than this are not cached. The rest of STORER_KEY_MAX is room for prefixes. */
#define REQUEST_KEY_MAX (STORER_KEY_MAX / 2)

typedef struct request_variant_t {
    storer_bytes_t         key;      /**< of the variant; the base key where there is no Vary */
    const storer_header_t *headers;  /**< what the response varies on; values in normal form */
    int                    count;
} request_variant_t;

/** The base key for mod_cache's key: the same string, or an escaped copy in pool.
 * @return APR_SUCCESS or APR_ENOSPC: too long */
apr_status_t request_base_key(const char *url_key, storer_bytes_t *base_key, apr_pool_t *pool);

/** What an election may ask of r. Results are allocated in r->pool. */
storer_request_t request_of(request_rec *r);

/**
 * The variant a response is for this request.
 * @param headers  of the response
 * @param modified 1: mod_cache has put conditions of its own into r->headers_in, so that a response
 *                 that varies on those fields cannot be told apart
 * @return NULL, or why the response has no variant: a text for the log
 */
const char *request_variant(request_rec *r, storer_bytes_t base_key, const apr_table_t *headers,
                            int modified, request_variant_t *variant);

/** Whether some line of a response's Vary contains "*". */
int request_varies_on_all(const apr_table_t *headers);

#endif /* REQUEST_H */
