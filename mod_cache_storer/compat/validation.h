/* SPDX-License-Identifier: Apache-2.0
 *
 * validation.h - what mod_cache asks the origin about a stale response, and how it reads the answer.
 *
 * Answers cache_select() and cache_save_filter() of mod_cache (httpd 2.4.71):
 *   - cache_select() asks conditionally with the validators of whatever is stored. An origin answers
 *     304 by what a 200 would be (RFC 9110 section 15.4.5), so that a stored 404 would be confirmed for
 *     ever once there is a page of that age; only successful responses are asked about so.
 *   - It asks with the ETag that is stored. A filter before the cache may have changed that
 *     (mod_deflate appends "-gzip"), and the origin does not know it.
 *   - cache_save_filter() takes each difference between the fields of a 304 and of what is stored for a
 *     contradiction, drops the stored response, and fetches it again. RFC 9111 section 3.2 has the
 *     stored fields updated instead. The same goes for a 304 whose Date is older than the stored one.
 */
#ifndef VALIDATION_H
#define VALIDATION_H

#include "apr_tables.h"

struct state_t;

/** In a request's state. All zero: nothing. */
typedef struct validation_t {
    const char  *etag;     /**< of the response as it left the handler; NULL: none was seen */
    apr_table_t *updates;  /**< fields of a 304 that replace the stored ones; NULL: none */
} validation_t;

/** Registers a filter; in register_hooks. */
void validation_register(void);

/** Add the filter that sees what the handler has made; in insert_filter. */
void validation_insert(struct state_t *state);

/** mod_cache has looked up and goes on to the origin: mend the conditions that it has added. */
void validation_ask(struct state_t *state);

/** Before mod_cache sees it: make a 304 that confirms the stored response look as if it did. */
void validation_confirm(struct state_t *state);

/** Put what a 304 has changed into the fields to store, and into those for the client. */
void validation_update(const struct state_t *state, apr_table_t *headers);

/** The ETag to ask the origin with about a response that is stored with these fields; NULL: the one in
 * them, or none. */
const char *validation_etag(const struct state_t *state, const apr_table_t *headers);

#endif /* VALIDATION_H */
