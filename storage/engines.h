/* SPDX-License-Identifier: Apache-2.0
 *
 * engines.h - what the registry asks of the table of built-in engines, beside the look-up itself
 * (storer_builtin_engine() in storer_private.h).
 */
#ifndef STORER_ENGINES_H
#define STORER_ENGINES_H

#include "storer.h"

/** The names of all built-in engines, for a message: "memory, disk". Allocated in pool. */
const char *storer_builtin_names(apr_pool_t *pool);

#endif /* STORER_ENGINES_H */
