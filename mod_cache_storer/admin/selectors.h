/* SPDX-License-Identifier: Apache-2.0
 *
 * selectors.h - what an admin writes to say which URLs he means, as keys of the store.
 */
#ifndef SELECTORS_H
#define SELECTORS_H

#include "admin.h"

/**
 * The base keys of a URL: "http://host/path?query", or "host/path" for http and https. More than one
 * also where virtual hosts keep queries in different ways (CacheStorerKeyQuery).
 * @return of storer_bytes_t, in r->pool; NULL: it is no URL
 */
const apr_array_header_t *selectors_url(const admin_t *admin, const char *text);

/** The beginnings of base keys for a URL's beginning, in the same forms, down to the host alone. */
const apr_array_header_t *selectors_prefix(const admin_t *admin, const char *text);

#endif /* SELECTORS_H */
