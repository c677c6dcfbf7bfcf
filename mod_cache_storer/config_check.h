/* SPDX-License-Identifier: Apache-2.0
 *
 * config_check.h - what is wrong with a configuration as a whole, after all of it has been read:
 * directives that contradict each other, and those that can have no effect. What is wrong with one
 * directive is refused where it is read (directives/).
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "mod_cache_storer.h"

/**
 * Log what is wrong, with the place in the configuration and the cure.
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR if some of it must be changed before the server can start
 */
int config_check(server_rec *main_server, apr_pool_t *scratch);

#endif /* CONFIG_CHECK_H */
