/* SPDX-License-Identifier: Apache-2.0
 *
 * interim.h - an answer to ap_send_interim_response(): it writes the fields of a 103 straight to
 * the connection, past every filter of the request. So the fields that the client is not to see are
 * taken out by a filter of the connection.
 */
#ifndef INTERIM_H
#define INTERIM_H

#include "../state.h"

/** Registers the filter; in register_hooks. */
void interim_register(void);

/** Watch the interim responses of a request that a proxy is about to answer; in insert_filter. */
void interim_watch(state_t *state);

#endif /* INTERIM_H */
