/* SPDX-License-Identifier: Apache-2.0
 *
 * record.h - how a response lies in a store: a fixed head, the header fields, then the body.
 *
 *   +-----------+--------------------------------------------+------------------------------+
 *   | head      | block: per field two lengths, name NUL,    | body, as it is or as one LZ4 |
 *   | fixed     | value NUL; the tags as a field "", the     | frame, to the value's end    |
 *   |           | origin's ETag as a field ":etag"           |                              |
 *   +-----------+--------------------------------------------+------------------------------+
 *
 * The body comes last so that it can be appended while its length is not known yet, and be served
 * from where it lies. Head and block carry a checksum; a body's length is compared with what the
 * head says, where that was known.
 */
#ifndef RECORD_H
#define RECORD_H

#include "freshness.h"

#include "../../storage/storer.h"

#define RECORD_LZ4     1u  /**< the body is an LZ4 frame */
#define RECORD_GUARDED 2u  /**< not every client may have it: see access/guard.h */

/** Longest block that is read or written: httpd itself accepts far less from an origin. */
#define RECORD_BLOCK_MAX (1024 * 1024)

/** Statuses that can be stored: those of final responses (RFC 9110 section 15). */
#define RECORD_STATUS_MIN 200
#define RECORD_STATUS_MAX 599

typedef struct record_t {
    int          status;       /**< of the response */
    freshness_t  freshness;
    unsigned     flags;        /**< RECORD_* */
    apr_off_t    body_length;  /**< before compression; -1: not known when the head was written */
    apr_off_t    body_limit;   /**< what body_length cannot exceed */
    apr_uint64_t checksum;     /**< of head and block; tells two versions of a response apart */
    apr_size_t   head_length;  /**< of head and block: where the body begins in the value */
    apr_size_t   skip;         /**< where the body begins in the view's current part */
    apr_off_t    stored_length;/**< of the body as it is stored */
    apr_table_t *headers;
    apr_uint64_t epoch;        /**< the store's, from before it was fetched */
    apr_uint64_t site;         /**< of the virtual host that stored it, see purge/labels.h */
    const char  *tags;         /**< separated by spaces; NULL: none */
    const char  *origin_etag;  /**< the origin's, where the stored ETag is one that a filter has made
                                    of it; NULL: it is the stored one, if any */
} record_t;

/**
 * Head and block of a response, in pool. Reads status, freshness, flags, body_length,
 * body_limit, epoch, site, tags and origin_etag of the record.
 * @return APR_SUCCESS, or APR_ENOSPC: more header fields than a record takes
 */
apr_status_t record_encode(const apr_table_t *headers, const record_t *record, storer_bytes_t *out,
                           apr_pool_t *pool);

/**
 * Read head and block from a view at its first part, and leave it at the part where the body
 * begins. The strings of the table and the tags are copied to pool in one piece: they outlive the view.
 * @return APR_SUCCESS; APR_EINVAL: damaged; or what storer_view_next() returned
 */
apr_status_t record_decode(storer_view_t *view, record_t *record, apr_pool_t *pool);

#endif /* RECORD_H */
