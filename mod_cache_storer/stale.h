/* SPDX-License-Identifier: Apache-2.0
 *
 * stale.h - when a response past its freshness may be served nevertheless (RFC 5861, RFC 9111
 * section 4.2.4): at once, while it is refreshed in the background; or later, if the origin fails.
 * Decides by changing the recalled copy of what mod_cache looks at; the stored one stays as it is.
 */
#ifndef STALE_H
#define STALE_H

#include "provider.h"
#include "state.h"

/** How long past its freshness a response may be wanted, as far as its own words and the
 * configuration say; negative: they say nothing. */
apr_interval_time_t stale_longest(const config_server_t *config, const freshness_t *response,
                                  const apr_table_t *headers, apr_pool_t *pool);

/**
 * A stale response was found: let mod_cache serve it at once, if that is allowed, and see to it that
 * exactly one request of all processes refreshes it.
 * @param key what the flight of the refresh is named after
 * @return 1: mod_cache will find it fresh
 */
int stale_serve(state_t *state, provider_object_t *object, storer_bytes_t key);

/** Forbid mod_cache to fall back on a stale response when the origin fails, where it must not; and
 * make it possible where it may. */
void stale_guard(state_t *state, provider_object_t *object);

/** Undo what stale_guard() did to the connection. Called when the response's head is there. */
void stale_unguard(state_t *state);

#endif /* STALE_H */
