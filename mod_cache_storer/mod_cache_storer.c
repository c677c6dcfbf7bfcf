/* SPDX-License-Identifier: Apache-2.0
 *
 * mod_cache_storer.c - the module record, the hooks, the table of provider callbacks; nothing else.
 */
#define MOD_CACHE_STORER_RECORD
#include "mod_cache_storer.h"

#include "config.h"
#include "directives/directives.h"
#include "hooks.h"
#include "lifecycle.h"
#include "provider.h"
#include "fetch/refresh.h"

#include "ap_provider.h"

static const cache_provider provider_table = {
    provider_remove_entity,
    provider_store_headers,
    provider_store_body,
    provider_recall_headers,
    provider_recall_body,
    provider_create_entity,
    provider_open_entity,
    provider_remove_url,
    provider_commit_entity,
    provider_invalidate_entity
};

static void register_hooks(apr_pool_t *pool)
{
    ap_hook_check_config(lifecycle_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(lifecycle_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(lifecycle_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    hooks_register();
    refresh_register();
    ap_register_provider(pool, CACHE_PROVIDER_GROUP, "storer", "0", &provider_table);
}

AP_DECLARE_MODULE(cache_storer) =
{
    STANDARD20_MODULE_STUFF,
    config_create_directory,
    config_merge_directory,
    config_create_server,
    config_merge_server,
    config_directives,
    register_hooks,
    AP_MODULE_FLAG_ALWAYS_MERGE /* so that each virtual host has a configuration of its own */
};
