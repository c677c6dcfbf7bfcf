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
 */
#ifndef MASK_H
#define MASK_H

#include "state.h"

/** Before mod_cache. */
void mask_put(state_t *state);

/** Behind it, also where it serves the request. Does nothing where nothing is masked. */
void mask_remove(state_t *state);

/** Whether the method is one that changes something (RFC 9110 section 9.2.1). An unknown one may. */
int mask_is_unsafe(const request_rec *r);

#endif /* MASK_H */
