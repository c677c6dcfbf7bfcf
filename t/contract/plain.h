/* SPDX-License-Identifier: Apache-2.0
 *
 * plain.h - the smallest engine that keeps the contract: a hash table in the memory of one process.
 *
 * For tests: it has the required slots only, so that everything else is the library's own version,
 * and it is a second engine for the contract suite. It also reads as an example of an engine.
 *
 * Options:
 *   id=TEXT    tells instances apart (its uuid); default "0"
 *   size=SIZE  bytes of all keys and values together; default: no bound
 *   part=SIZE  a view hands a value out in parts of this length; default: in one
 */
#ifndef PLAIN_H
#define PLAIN_H

#include "storer.h"

extern const storer_engine_t plain_engine;

/** An initialised instance made without a registry. It lives as long as env->pool. */
apr_status_t plain_open(storer_t **out, const storer_option_t *options, const storer_env_t *env);

/** Versions of values that exist now, held by views included: 0 once all was deleted and released. */
apr_size_t plain_versions(storer_t *store);

#endif /* PLAIN_H */
