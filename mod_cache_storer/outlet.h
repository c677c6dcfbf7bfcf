/* SPDX-License-Identifier: Apache-2.0
 *
 * outlet.h - the filter behind mod_cache's CACHE_SAVE: the client's side of a response that comes
 * from the origin. Also the one place where such a response gets its Cache-Status.
 */
#ifndef OUTLET_H
#define OUTLET_H

#include "state.h"

/** Registers the filter; in register_hooks. */
void outlet_register(void);

/** Add the filter to a request; in insert_filter. */
void outlet_insert(state_t *state);

#endif /* OUTLET_H */
