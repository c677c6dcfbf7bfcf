/* SPDX-License-Identifier: Apache-2.0
 *
 * claim.h - who fetches for all machines that share a store. Called by collapse.c, for who leads on
 * this machine; knows the store, and nothing of requests.
 */
#ifndef CLAIM_H
#define CLAIM_H

#include "../../storage/storer_host.h"

#define CLAIM_TEXT_SIZE 40

/** A value: copied freely; whoever has the last copy ends it. All zero: none. */
typedef struct claim_t {
    storer_t *store;                   /**< NULL: none */
    char      key[CLAIM_TEXT_SIZE];    /**< the flight's, as a number of 128 bits */
    char      owner[CLAIM_TEXT_SIZE];  /**< the machine */
} claim_t;

/**
 * Claim a fetch. Blocks no longer than the store does.
 * @param owner of flights_identity()
 * @param lease the claim ends by itself after it
 * @return APR_SUCCESS: it is the caller's, who ends it; APR_EEXIST: another machine's; APR_ENOTIMPL:
 *         there are none; else it is not known: the caller goes on, and ends it, lest it be there
 */
apr_status_t claim_take(claim_t *claim, storer_t *store, storer_bytes_t key, apr_uint64_t owner,
                        apr_interval_time_t lease);

/** Nothing where there is none. */
void claim_end(claim_t *claim);

#endif /* CLAIM_H */
