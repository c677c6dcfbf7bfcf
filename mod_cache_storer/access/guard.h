/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.h - CacheStorerAccess: a response that not every client might have had is not given to
 * every client.
 *
 * mod_cache's quick handler serves hits before httpd looks at any access control. So a response of
 * which access depends on the client is not stored while the quick handler is on, unless it says
 * "public". With CacheQuickHandler off each hit passes access control first: the response is
 * stored, with a mark by which a quick handler that is switched on later does not serve it.
 */
#ifndef ACCESS_GUARD_H
#define ACCESS_GUARD_H

#include "../provider.h"

/** Registers the hook; in register_hooks. */
void guard_register(void);

/** Whether httpd knows who sends the request, or sent the request that led to it: then the response
 * may have been made for this user, with or without an Authorization field. */
int guard_has_user(const request_rec *r);

/**
 * Why the response may not be stored; NULL: it may.
 * @param record its freshness is read; gets the flag RECORD_GUARDED, or loses it
 */
const char *guard_refusal(const state_t *state, record_t *record);

/** Whether a stored response may not be served now, since nobody has checked access yet. */
int guard_hides(const record_t *record, const state_t *state);

#endif /* ACCESS_GUARD_H */
