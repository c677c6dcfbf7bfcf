/* SPDX-License-Identifier: Apache-2.0
 *
 * purge_response.h - what an application says of purging in the fields of its responses: the client
 * never sees it.
 */
#ifndef PURGE_RESPONSE_H
#define PURGE_RESPONSE_H

#include "../state.h"

/** Before the head of a response that no store has served is sent: drops the fields with tags, and
 * purges what the application asks for after an unsafe request that succeeded
 * (CacheStorerPurgeHeader). */
void purge_response_see(state_t *state);

#endif /* PURGE_RESPONSE_H */
