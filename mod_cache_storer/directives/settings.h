/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.h - the words that one or two directives alone take. Each function reads the words of a
 * directive (directive_parse_fn); the type of the member is written behind it.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "directive.h"

directive_parse_fn setting_storage;   /**< config_storage_t */
directive_parse_fn setting_collapse;  /**< apr_interval_time_t; off: 0 */
directive_parse_fn setting_grace;     /**< config_grace_t */
directive_parse_fn setting_query;     /**< const query_rules_t * */
directive_parse_fn setting_ttl;       /**< ttl_rules_t *; each further one adds a rule */
directive_parse_fn setting_bypass;    /**< apr_array_header_t *, of ap_expr_info_t *; each further one
                                           adds an expression */
directive_parse_fn setting_status;    /**< config_status_t */

#endif /* SETTINGS_H */
