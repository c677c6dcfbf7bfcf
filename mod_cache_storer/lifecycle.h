/* SPDX-License-Identifier: Apache-2.0
 *
 * lifecycle.h - start, restart and child start of the module; the owner of the registry of stores.
 */
#ifndef LIFECYCLE_H
#define LIFECYCLE_H

#include "mod_cache_storer.h"

#include "../storage/storer_host.h"

/** Hook: engine names and options of every server, also in `httpd -t`. */
int lifecycle_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                           server_rec *main_server);

/** Hook: opens the stores. Parent, one thread. */
int lifecycle_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                          server_rec *main_server);

/** Hook. Child, before its threads start. */
void lifecycle_child_init(apr_pool_t *pchild, server_rec *main_server);

/** All stores of this generation; NULL before post_config. */
storer_registry_t *lifecycle_stores(void);

#endif /* LIFECYCLE_H */
