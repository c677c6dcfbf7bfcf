/* SPDX-License-Identifier: Apache-2.0
 *
 * tags.h - the tags an application gives its responses, by which they are purged together
 * (CacheStorerTagHeader: Surrogate-Key of Varnish and Fastly, Cache-Tag of Cloudflare).
 *
 * Tags are separated by white space and commas, and compared byte by byte. Calls nothing of httpd.
 */
#ifndef TAGS_H
#define TAGS_H

#include "../../storage/storer.h"

/**
 * Take the fields that carry tags out of a table.
 * @param fields of const char *: their names
 * @return the tags of all lines, each once, separated by a space, in pool; NULL: there are none
 */
const char *tags_take(apr_table_t *headers, const apr_array_header_t *fields, apr_pool_t *pool);

/** The next tag of a list; *cursor begins as the list. @return 0: there is none */
int tags_next(const char **cursor, storer_bytes_t *tag);

#endif /* TAGS_H */
