/* SPDX-License-Identifier: Apache-2.0
 *
 * relayed.h - a request that wants less than all of a response that is not cached: the background
 * fetches all of it for the store, and the client gets its part through a relay, as it comes. So
 * one fetch serves both, and the client's connection and worker are free as soon as the client has
 * what it asked for.
 *
 * If that is not possible - without threads, with CacheQuickHandler off, for a subrequest, or if as
 * many background requests run as may - the request fills the cache itself, see fill.h.
 */
#ifndef RELAYED_H
#define RELAYED_H

#include "../state.h"

/**
 * In open_entity, for a miss that the request leads.
 * @return DONE, or the status with which it failed: the client is answered; DECLINED: it is not.
 * Then the
 *         request goes on as it came if state->fetch.passes is set, which it is if the response
 *         will not be
 *         stored, or is so large that a part of it is better had from the origin
 */
int relayed_serve(state_t *state);

#endif /* RELAYED_H */
