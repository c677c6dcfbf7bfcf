/* SPDX-License-Identifier: Apache-2.0
 *
 * urls.h - the URLs that warm is to fetch, from a list or a sitemap. Called by warm.c.
 */
#ifndef STORERCTL_URLS_H
#define STORERCTL_URLS_H

#include "storerctl.h"

/** The URLs of one source, and what could not be taken from it. */
typedef struct urls_t {
    apr_array_header_t *urls;     /**< of const char *: absolute http and https URLs, in order */
    int                 skipped;  /**< lines and elements that were no such URL; each was reported */
} urls_t;

/**
 * Read a source and all sitemaps that a sitemap index names.
 *
 * A source whose first character is "<" is a sitemap or a sitemap index (sitemaps.org, protocol 0.9),
 * with any prefix for its namespace. Any other source is a list: one URL a line, comments after "#" at
 * the beginning of a line. A source may be compressed with gzip, whatever its name. A relative
 * reference is resolved against the URL of its source (RFC 3986 section 5); a source that is a file has
 * none.
 *
 * @param tool   its pool holds the result
 * @param source a file's path, or a URL
 * @return TOOL_OK; otherwise the reason has been printed: TOOL_UNREACHABLE (the source cannot be read),
 *         TOOL_NO (it is not XML as sitemaps.org describes it)
 */
tool_exit_e urls_read(const tool_t *tool, const char *source, urls_t *urls);

#endif /* STORERCTL_URLS_H */
