/* SPDX-License-Identifier: Apache-2.0
 *
 * election.h - which variant of a mapping fits a request. Pure: knows bytes, no store and no clock.
 * The election itself, storer_elect(), is in storer_api.h.
 */
#ifndef STORER_ELECTION_H
#define STORER_ELECTION_H

#include "mapping.h"

/** Do the conditions allow a variant with this ETag (length 0: none) to be used? (validator.c) */
int storer_validator_allows(const storer_validator_t *validator, storer_bytes_t etag);

#endif /* STORER_ELECTION_H */
