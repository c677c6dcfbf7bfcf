/* SPDX-License-Identifier: Apache-2.0
 *
 * request.h - what a store may know of a request: the fields that a response varies on. Its URL is
 * url.h's.
 *
 * Folding (CacheStorerNormalize). Values that mean the same are one variant (RFC 9111 section 4.1).
 * White space around the members of a list never counts. A response that varies on Accept-Encoding
 * is stored under its own coding, together with the codings that were acceptable then: it fits a
 * request that accepts the coding and offers no others than were offered then - so the origin would
 * choose the same again. One that varies on Accept-Language and is in one language (Content-Language)
 * fits a request with the same languages, and one that prefers its language to all others.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "httpd.h"

#include "config.h"

#include "../storage/storer.h"

typedef struct request_variant_t {
    storer_bytes_t         key;      /**< of the variant; the base key where there is no Vary */
    const storer_header_t *headers;  /**< what the response varies on; values in normal form */
    int                    count;
} request_variant_t;

/** What one election remembers of its request. */
typedef struct request_look_t {
    request_rec           *r;
    const config_server_t *config;
    apr_array_header_t    *asked;           /**< of storer_header_t: what it was asked; NULL: nobody
                                                 wants to know */
    unsigned               codings;         /**< of Accept-Encoding, once codings_known */
    unsigned               codings_known:1;
} request_look_t;

/** What an election may ask of r. Results are allocated in r->pool. The look is used while the
 * election runs. */
storer_request_t request_of(request_look_t *look, request_rec *r, const config_server_t *config);

/** A name for what a request that found nothing fresh is about to fetch: its URL and, as far as the
 * stored variants tell, the variant. Two requests with the same name wait for the same response. */
storer_bytes_t request_flight_key(const config_server_t *config, storer_t *store,
                                  storer_bytes_t base_key, request_rec *r);

/**
 * The variant a response is for this request.
 * @param headers  of the response
 * @param modified 1: mod_cache has put conditions of its own into r->headers_in, so that a response
 *                 that varies on those fields cannot be told apart
 * @return NULL, or why the response has no variant: a text for the log
 */
const char *request_variant(const config_server_t *config, request_rec *r, storer_bytes_t base_key,
                            const apr_table_t *headers, int modified, request_variant_t *variant);

/** Whether some line of a response's Vary names a field. */
int request_varies_on(const apr_table_t *headers, const char *name);

/** Whether some line of a response's Vary contains "*". */
int request_varies_on_all(const apr_table_t *headers);

#endif /* REQUEST_H */
