/* SPDX-License-Identifier: Apache-2.0
 *
 * mask.h - shows mod_cache a request as it must look to be treated well, and puts it right behind it.
 *
 * mod_cache looks at two things before it asks a provider, and gives up where we would go on:
 *   - Authorization: its quick handler serves such a request nothing, though a response that says
 *     public, s-maxage or must-revalidate is for everyone (RFC 9111 section 3.5). It is hidden for
 *     as long as mod_cache looks.
 *   - the method: it invalidates after PUT, POST and DELETE, while every unsafe method must
 *     (section 4.4). The others pass as POST.
 *   - no-cache and max-age=0, for which it does not look, or not use what it finds (fetch/reload.h).
 *   - the path, for CacheEnable and CacheDisable: it takes that of an internal redirect's target, and
 *     none at all if the request line has a scheme and a host, which only requests to a forward proxy
 *     have for it. It is shown the path that the client asked for, decoded.
 */
#ifndef MASK_H
#define MASK_H

#include "state.h"

/** Before mod_cache. */
void mask_put(state_t *state);

/** Cache-Control and Pragma alone. */
void mask_put_directives(state_t *state);

/** The path alone, before mod_cache's handler and its quick handler. */
void mask_put_path(state_t *state);

/** Behind it, also where it serves the request. Does nothing where nothing is masked. */
void mask_remove(state_t *state);

/** Whether the method is one that changes something (RFC 9110 section 9.2.1). An unknown one may. */
int mask_is_unsafe(const request_rec *r);

#endif /* MASK_H */
