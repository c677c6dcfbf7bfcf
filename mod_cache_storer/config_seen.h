/* SPDX-License-Identifier: Apache-2.0
 *
 * config_seen.h - directives of httpd and of mod_cache that the module looks at as well. httpd gives
 * a directive to each module that has it in its table; what these mean is their owners' to say, who
 * refuse what is wrong with them.
 */
#ifndef CONFIG_SEEN_H
#define CONFIG_SEEN_H

#include "config.h"

/** Rows of config_directives[], in directives.c. */
const char *config_see_cache_enable(cmd_parms *cmd, void *dummy, const char *type, const char *prefix);
const char *config_see_key_base(cmd_parms *cmd, void *dummy, const char *url);
const char *config_see_ignore_query(cmd_parms *cmd, void *dummy, int flag);
const char *config_see_session_id(cmd_parms *cmd, void *dummy, const char *name);
const char *config_see_ignore_control(cmd_parms *cmd, void *dummy, int flag);
const char *config_see_quick(cmd_parms *cmd, void *dummy, int flag);
const char *config_see_server_name(cmd_parms *cmd, void *dummy, const char *name);

#define CONFIG_SEEN_DIRECTIVES \
    AP_INIT_TAKE12("CacheEnable", config_see_cache_enable, NULL, RSRC_CONF | ACCESS_CONF, \
                   "belongs to mod_cache; mod_cache_storer looks at it as well"), \
    AP_INIT_TAKE1("CacheKeyBaseURL", config_see_key_base, NULL, RSRC_CONF, \
                  "belongs to mod_cache; mod_cache_storer looks at it as well"), \
    AP_INIT_FLAG("CacheIgnoreQueryString", config_see_ignore_query, NULL, RSRC_CONF, \
                 "belongs to mod_cache; mod_cache_storer looks at it as well"), \
    AP_INIT_ITERATE("CacheIgnoreURLSessionIdentifiers", config_see_session_id, NULL, RSRC_CONF, \
                    "belongs to mod_cache; mod_cache_storer looks at it as well"), \
    AP_INIT_FLAG("CacheIgnoreCacheControl", config_see_ignore_control, NULL, RSRC_CONF, \
                 "belongs to mod_cache; mod_cache_storer looks at it as well"), \
    AP_INIT_FLAG("CacheQuickHandler", config_see_quick, NULL, RSRC_CONF, \
                 "belongs to mod_cache; mod_cache_storer looks at it as well"), \
    AP_INIT_TAKE1("ServerName", config_see_server_name, NULL, RSRC_CONF, \
                  "belongs to httpd; mod_cache_storer looks at it as well")

#endif /* CONFIG_SEEN_H */
