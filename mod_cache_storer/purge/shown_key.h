/* SPDX-License-Identifier: Apache-2.0
 *
 * shown_key.h - a key as people read and write it. "http://www.example.org:80/news?" is the key of
 * mod_cache; what is shown, searched and matched is "http://www.example.org/news".
 */
#ifndef SHOWN_KEY_H
#define SHOWN_KEY_H

#include "../../storage/storer.h"

/** The base key in the key of a stored variant. Empty: it is none (a mapping, a foreign key). */
storer_bytes_t shown_key_base(storer_bytes_t key);

/** A base key without a default port and an empty query; in place or in pool. */
storer_bytes_t shown_key(storer_bytes_t base_key, apr_pool_t *pool);

/** The base key for what somebody wrote: a URL with or without scheme's default port and "?".
 * NULL-terminated in pool; NULL: it is no URL with a scheme and a host. */
const char *shown_key_parse(const char *text, apr_pool_t *pool);

/** The same for the beginning of a URL: scheme and host are whole, the rest may end anywhere. */
const char *shown_key_parse_prefix(const char *text, apr_pool_t *pool);

#endif /* SHOWN_KEY_H */
