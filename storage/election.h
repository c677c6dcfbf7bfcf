/* SPDX-License-Identifier: Apache-2.0
 *
 * election.h - which variant of a mapping fits a request. Pure: knows bytes, no store and no clock.
 */
#ifndef STORER_ELECTION_H
#define STORER_ELECTION_H

#include "mapping.h"

/** A variant that may be served. Bytes are borrowed from the mapping. */
typedef struct storer_candidate_t {
    storer_bytes_t     key;
    storer_bytes_t     etag;
    storer_timestamp_t stored_at;
    int                fresh;     /**< 1: now < fresh_time; 0: stale */
} storer_candidate_t;

/**
 * The best variant behind `after` (NULL: the best of all) in this order: fresh before stale, then
 * the latest stored_at, then the smallest key. Of variants that are past both their times, whose
 * varied headers are not the request's or whose ETag the validator does not allow none is a
 * candidate. The validator (NULL: no conditions) is left alone.
 * An entry that varies on more than 64 headers fits no request.
 * @return APR_SUCCESS; APR_NOTFOUND: none; APR_EINVAL: the mapping is damaged, or has so many
 *         entries of the same key that it must be meant to keep us busy
 */
apr_status_t storer_elect(storer_bytes_t mapping, const storer_request_t *request,
                          const storer_validator_t *validator, apr_time_t now,
                          const storer_candidate_t *after, storer_candidate_t *candidate);

/** Do the conditions allow a variant with this ETag (length 0: none) to be used? (validator.c) */
int storer_validator_allows(const storer_validator_t *validator, storer_bytes_t etag);

#endif /* STORER_ELECTION_H */
