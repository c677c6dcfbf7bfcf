/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.h - the filter before mod_cache's CACHE_SAVE: shows mod_cache the head of a response as it
 * must look for mod_cache to judge it rightly.
 *
 *   handler -> intake -> CACHE_SAVE -> outlet -> ... -> network
 *
 * or, where the filter CACHE marks another place for CACHE_SAVE,
 *
 *   handler -> intake -> CACHE_SAVE -> restore -> ... -> outlet -> ... -> network
 *
 * mod_cache judges by Cache-Control, Expires and Pragma; it is shown the first two as http/verdict.h
 * makes them. What the client sees and what is stored are the fields the origin sent: see
 * intake_restore().
 */
#ifndef INTAKE_H
#define INTAKE_H

#include "state.h"

/** Registers the filter; in register_hooks. */
void intake_register(void);

/** Add the filter to a request; in insert_filter. */
void intake_insert(state_t *state);

/** Put back, in a copy of the response's head or in r->headers_out, what was hidden. */
void intake_restore(const state_t *state, apr_table_t *headers);

#endif /* INTAKE_H */
