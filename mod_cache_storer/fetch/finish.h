/* SPDX-License-Identifier: Apache-2.0
 *
 * finish.h - a fetch that goes on for the store after its client needs no more of it: the client has
 * all that it asked for (fill.c), or has gone away.
 */
#ifndef FINISH_H
#define FINISH_H

#include "../state.h"

/** The client has all that it asked for. What else comes is for the store, if for anybody. */
void finish_client_served(state_t *state);

/** The client has gone away. @return 1: the fetch goes on for the store, and the caller swallows the
 * rest of the response; 0: it does not */
int finish_client_gone(state_t *state);

/** After either: whether the handler is to go on with the response.
 * @return APR_SUCCESS, or APR_ECONNABORTED: nobody needs the rest */
apr_status_t finish_verdict(state_t *state);

#endif /* FINISH_H */
