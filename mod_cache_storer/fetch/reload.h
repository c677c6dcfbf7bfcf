/* SPDX-License-Identifier: Apache-2.0
 *
 * reload.h - a request that wants nothing older than itself: Cache-Control: no-cache or max-age=0, or
 * Pragma: no-cache (RFC 9111 sections 5.2.1 and 5.4). Twenty reloads of one URL at a time are one
 * fetch: what was fetched after a request came is not older than the request.
 *
 * mod_cache declines such a request before it looks, or asks the origin whatever it finds. So it is not
 * shown the directives while it looks (mask.c), and the look-up takes what is older for missing.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "../provider.h"
#include "../state.h"

/** Before mod_cache, for a request with directives: if it is a reload, hide them. */
void reload_begin(state_t *state);

/**
 * What was found for a reload counts if it is not older than the request. Else it is stale, to be
 * validated (max-age=0), or as if it was not there (no-cache).
 * @param rv of the look-up
 * @return what rv is then
 */
apr_status_t reload_judge(state_t *state, provider_object_t *object, apr_status_t rv);

/** Reloads lead and follow their like only: an earlier fetch may have asked before the request came. */
storer_bytes_t reload_key(const state_t *state, storer_bytes_t key);

#endif /* RELOAD_H */
