/* SPDX-License-Identifier: Apache-2.0
 *
 * key.h - the grammar of cache keys, and the only place that knows it. The functions take and make
 * bytes; which URL a request asks for is ../url.c's to say.
 *
 *   url       scheme "://" host ":" port path "?" query      as the client wrote path and query
 *   base key  a url, in which "{" and each byte from 0x80 on are written as "{" two hex digits "}"
 *   variant   base key "{-VARY-}" name ":" value *( ";" name ":" value )
 *   mapping   "IDX_" base key                                the library's, which lists the variants
 *
 * Host and scheme are in lower case, an IPv6 address is in brackets, and the "?" is there without a
 * query as well. A response without Vary is stored under the base key itself. The names of a variant
 * are in lower case, in order and without repetition, so that two spellings of one Vary do not make two
 * entries; in names and values ";" and ":" are escaped as well. So no URL and no header value can
 * imitate the structure, and all keys are ASCII, as the mapping demands.
 */
#ifndef KEY_H
#define KEY_H

#include "../../storage/storer.h"

/** Longer keys are not cached. The rest of STORER_KEY_MAX is room for prefixes. */
#define KEY_MAX (STORER_KEY_MAX / 2)

/** The parts of a URL or of a base key. Each is borrowed from the text it was taken from. */
typedef struct key_parts_t {
    storer_bytes_t scheme;   /**< "http" */
    storer_bytes_t host;     /**< "www.example.org" or "[::1]" */
    storer_bytes_t port;     /**< digits; length 0: none */
    storer_bytes_t path;     /**< with the "/" at its begin; length 0: none */
    storer_bytes_t query;    /**< without the "?"; data NULL: there is no "?" */
} key_parts_t;

/** Take a URL or a base key apart. A fragment belongs to the last part.
 * @return 1; 0: there is no scheme, no host, or a user, or the authority is malformed */
int key_take_apart(storer_bytes_t text, key_parts_t *parts);

/** The url of these parts, with the "/" and the "?" that every key has. NUL-terminated, in pool. */
const char *key_put_together(const key_parts_t *parts, apr_pool_t *pool);

/** The beginning of a url that these parts are: as they stand, with "?" if there is a query.
 * NUL-terminated, in pool. */
const char *key_put_prefix(const key_parts_t *parts, apr_pool_t *pool);

/** A value in the form that keys and mappings have: the same bytes, or an escaped copy in pool. */
storer_bytes_t key_escape(storer_bytes_t text, apr_pool_t *pool);

/** The base key of a url: the same bytes, or an escaped copy in pool.
 * @return APR_SUCCESS, or APR_ENOSPC: longer than KEY_MAX */
apr_status_t key_of_url(storer_bytes_t url, storer_bytes_t *base_key, apr_pool_t *pool);

/** The key of a variant.
 * @param headers names in lower case, in order, each once; values in the form of key_escape()
 * @return APR_SUCCESS, or APR_ENOSPC: longer than KEY_MAX */
apr_status_t key_of_variant(storer_bytes_t base_key, const storer_header_t *headers, int count,
                            storer_bytes_t *key, apr_pool_t *pool);

/** The base key in the key of a stored response; length 0: the key is a mapping's, or a foreign one. */
storer_bytes_t key_base(storer_bytes_t key);

/** A base key for people: without a default port and an empty query. In place, or in pool. */
storer_bytes_t key_show(storer_bytes_t base_key, apr_pool_t *pool);

/** The url that a person wrote, with or without the scheme's default port and the "?". A fragment is
 * dropped. NUL-terminated in pool; NULL: the text is no URL with a scheme and a host. */
const char *key_read(const char *text, apr_pool_t *pool);

/** The same for the beginning of a URL: scheme and host are whole, the rest may end anywhere. */
const char *key_read_prefix(const char *text, apr_pool_t *pool);

/** The text with each escape replaced by its byte, for a key that was copied from where key_show()
 * has put it. NUL-terminated in pool; NULL: there is no escape in it. */
const char *key_unescape(const char *text, apr_pool_t *pool);

#endif /* KEY_H */
