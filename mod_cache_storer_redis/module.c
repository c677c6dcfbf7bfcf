/* SPDX-License-Identifier: Apache-2.0
 *
 * module.c - the record that httpd loads: it offers the engine to mod_cache_storer, whichever of the
 * two is loaded first, since the offer is looked up when the configuration is checked. The only file
 * here that knows httpd.
 */
#include "engine.h"

#include <httpd.h>
#include <http_config.h>
#include <ap_provider.h>

static void register_hooks(apr_pool_t *pool)
{
    ap_register_provider(pool, STORER_ENGINE_GROUP, redis_engine.name, STORER_ENGINE_GROUP_VERSION,
                         &redis_engine);
}

/* the only symbol that httpd looks for, hence visible where all others are hidden */
extern module AP_MODULE_DECLARE_DATA cache_storer_redis_module
    __attribute__((visibility("default")));

AP_DECLARE_MODULE(cache_storer_redis) =
{
    STANDARD20_MODULE_STUFF,
    NULL,                  /* create per-directory config */
    NULL,                  /* merge per-directory config */
    NULL,                  /* create per-server config */
    NULL,                  /* merge per-server config */
    NULL,                  /* directives: CacheStorer's, of mod_cache_storer */
    register_hooks,
    0                      /* flags */
};
