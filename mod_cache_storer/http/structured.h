/* SPDX-License-Identifier: Apache-2.0
 *
 * structured.h - structured fields (RFC 9651), as far as they are needed: dictionaries are read
 * (RFC 9213), strings and tokens are written (RFC 9211).
 *
 * Like everything in this folder it knows fields, and calls nothing of httpd.
 */
#ifndef STRUCTURED_H
#define STRUCTURED_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_tables.h>

typedef enum structured_type_e {
    STRUCTURED_INTEGER,
    STRUCTURED_DECIMAL,
    STRUCTURED_STRING,
    STRUCTURED_TOKEN,
    STRUCTURED_BYTES,
    STRUCTURED_BOOLEAN,
    STRUCTURED_DATE,
    STRUCTURED_DISPLAY,
    STRUCTURED_INNER_LIST
} structured_type_e;

/** A member of a dictionary. Its parameters have been checked and are dropped. */
typedef struct structured_member_t {
    const char       *key;
    structured_type_e type;
    apr_int64_t       integer;  /**< of an integer, a date (seconds) or a boolean (0, 1); else 0 */
    const char       *text;     /**< of a string or token, without quotes and escapes; else NULL */
} structured_member_t;

/**
 * Read a dictionary (section 4.2.2).
 * @param text    all lines of the field, joined with ", "
 * @param members array of structured_member_t in pool, in order; of a key that is repeated the last
 * @return APR_SUCCESS (also for an empty field), or APR_EINVAL: the field has to be ignored as a
 *         whole
 */
apr_status_t structured_dictionary(const char *text, apr_array_header_t **members,
                                   apr_pool_t *pool);

/** Any text as a string (section 4.1.6). What a string cannot hold is written as %XX. */
const char *structured_string(const char *text, apr_pool_t *pool);

/** A text as a token where it is one (section 4.1.7), else as a string. */
const char *structured_token_or_string(const char *text, apr_pool_t *pool);

#endif /* STRUCTURED_H */
