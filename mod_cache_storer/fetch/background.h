/* SPDX-License-Identifier: Apache-2.0
 *
 * background.h - a fetch in the background (refresh.h) that leads its key while it runs: a refresh
 * of what is served stale, or what a request without a body leaves to be fetched.
 */
#ifndef BACKGROUND_H
#define BACKGROUND_H

#include "relay.h"

#include "../state.h"

/** What a background request knows of its task: refresh_of() finds it. */
typedef struct background_t {
    fetch_t             fetch;      /**< led from its begin until collapse_adopt() */
    storer_t           *store;
    apr_interval_time_t lease;
    relay_t            *relay;      /**< the fetcher's end; NULL: nobody gets it meanwhile */
    apr_off_t           allowance;  /**< bytes of the body that it may fetch; -1: any number */
} background_t;

/**
 * Have what this request asks for fetched in the background, unless it is being fetched, or is
 * remembered as not to be stored. Never blocks. The fetch leads nothing before it begins.
 * @param key what the flight is named after; copied
 */
void background_fetch(const state_t *state, storer_bytes_t key, apr_off_t allowance);

/**
 * The same, at once, for a client that gets its part meanwhile: what the request leads is handed over.
 * @return the client's end of the relay; NULL: it cannot be run now, and nothing has changed
 */
relay_t *background_relay(state_t *state);

/** The task of a background request itself, not of its subrequests and redirects; NULL: none. */
background_t *background_of(const request_rec *r);

#endif /* BACKGROUND_H */
