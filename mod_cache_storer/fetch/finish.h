/* SPDX-License-Identifier: Apache-2.0
 *
 * finish.h - a fetch that goes on for the store after its client needs no more of it: the client has
 * all that it asked for (fill.c), has gone away, or never was (background.h). It ends at the size limit
 * of the store; and unless a request waits for it, when more has come than CacheStorerFinishFill
 * allows, when it takes too long, or as soon as it is known not to be stored.
 */
#ifndef FINISH_H
#define FINISH_H

#include "../state.h"

#include "apr_buckets.h"

/** The client has all that it asked for. What else comes is for the store, if for anybody. */
void finish_client_served(state_t *state);

/** The client has gone away. @return 1: the fetch goes on for the store, and the caller swallows the
 * rest of the response; 0: it does not */
int finish_client_gone(state_t *state);

/** The head of a response is there: if the request is a background one, it has no client. */
void finish_begin(state_t *state);

/** Pass a piece of the body on to a client that gets its part through a relay. */
void finish_relay(state_t *state, apr_bucket_brigade *brigade);

/** Whether an error behind the end of what the client gets only ends the handler. */
int finish_may_stop_handler(const state_t *state);

/** After any of these, for each piece of the response: whether the handler is to go on with the
 * response.
 * @return APR_SUCCESS, or APR_ECONNABORTED: nobody needs the rest */
apr_status_t finish_verdict(state_t *state);

/** The response to a HEAD could be stored if it had its body: have that fetched.
 * @param length of the body; -1: not known */
void finish_behind_head(const state_t *state, apr_off_t length);

#endif /* FINISH_H */
