/* SPDX-License-Identifier: Apache-2.0
 *
 * seen.h - directives of httpd and of mod_cache that the module looks at as well. httpd gives a
 * directive to each module that has it in its table; what these mean is their owners' to say, who
 * refuse what is wrong with them. Each function reads the words of a directive (directive_parse_fn).
 */
#ifndef SEEN_H
#define SEEN_H

#include "directive.h"

directive_parse_fn seen_cache_enable;  /**< const apr_array_header_t *, of const char *: prefixes */
directive_parse_fn seen_key_base;      /**< const apr_uri_t * */
directive_parse_fn seen_session_ids;   /**< apr_array_header_t *, of const char * */
directive_parse_fn seen_server_name;   /**< int: 1 */

/** A virtual host has the CacheEnable directives of the main server as well as its own. */
directive_merge_fn seen_cache_enable_merge;

#endif /* SEEN_H */
