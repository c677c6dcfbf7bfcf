/* SPDX-License-Identifier: Apache-2.0
 *
 * status.h - tells what became of a request: Cache-Status (RFC 9211) for whoever sees the response,
 * the environment for LogFormat.
 *
 *   Cache-Status: storer; hit; ttl=59
 *   Cache-Status: storer; hit; ttl=60; collapsed
 *   Cache-Status: storer; fwd=uri-miss; stored; key="http://..."; detail="..."
 *
 * Environment: cache-storer-engine, -key, -age (of a hit, in seconds), -detail.
 */
#ifndef STATUS_H
#define STATUS_H

#include "state.h"

/** For a response out of the cache. headers: those that are sent. */
void status_add_hit(state_t *state, apr_table_t *headers);

/** Why a request that was not a hit went past the cache. */
state_forward_e status_forward(const state_t *state);

/** For a response from elsewhere. Does nothing where the request never came near the cache. */
void status_add_forwarded(state_t *state, apr_table_t *headers);

#endif /* STATUS_H */
