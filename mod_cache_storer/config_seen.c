/* SPDX-License-Identifier: Apache-2.0
 *
 * config_seen.c - see config_seen.h.
 */
#include "config_seen.h"

#include "apr_fnmatch.h"
#include "apr_strings.h"

/* What a section covers: the paths that begin so. Of a pattern nothing is known; then it may be any.
 * mod_cache takes all that the section covers, whatever path stands in the directive itself. */
static const char *section_prefix(const cmd_parms *cmd)
{
    const ap_directive_t *section = cmd->directive->parent;

    if (!section || ap_cstr_casecmp(section->directive, "<Location") != 0
        || ap_strchr_c(section->args, '~') || apr_fnmatch_test(cmd->path)) {
        return "";
    }
    return cmd->path;
}

/* To know which URLs may be the cache's. */
const char *config_see_cache_enable(cmd_parms *cmd, void *dummy, const char *type, const char *prefix)
{
    config_server_t *config = config_of(cmd->server);

    (void)dummy;
    if (strcmp(type, "storer") == 0) {
        apr_array_header_t *prefixes = apr_array_make(cmd->pool, 1, sizeof(const char *));

        APR_ARRAY_PUSH(prefixes, const char *) = cmd->path ? section_prefix(cmd)
                                                           : prefix ? prefix : "/";
        config->prefixes = config->prefixes
                           ? apr_array_append(cmd->pool, config->prefixes, prefixes) : prefixes;
    }
    return DECLINE_CMD;
}

/* The origin of all keys of a server. mod_cache refuses what is no URL. */
const char *config_see_key_base(cmd_parms *cmd, void *dummy, const char *url)
{
    apr_uri_t *base = apr_pcalloc(cmd->pool, sizeof(*base));

    (void)dummy;
    if (apr_uri_parse(cmd->pool, url, base) == APR_SUCCESS) {
        config_of(cmd->server)->key_base = base;
    }
    return DECLINE_CMD;
}

const char *config_see_ignore_query(cmd_parms *cmd, void *dummy, int flag)
{
    (void)dummy;
    config_of(cmd->server)->ignore_query = flag;
    return DECLINE_CMD;
}

/* "None" empties the list. */
const char *config_see_session_id(cmd_parms *cmd, void *dummy, const char *name)
{
    config_server_t *config = config_of(cmd->server);

    (void)dummy;
    if (!config->session_ids || ap_cstr_casecmp(name, "None") == 0) {
        config->session_ids = apr_array_make(cmd->pool, 4, sizeof(const char *));
    }
    if (ap_cstr_casecmp(name, "None") != 0) {
        APR_ARRAY_PUSH(config->session_ids, const char *) = name;
    }
    return DECLINE_CMD;
}

const char *config_see_ignore_control(cmd_parms *cmd, void *dummy, int flag)
{
    (void)dummy;
    config_of(cmd->server)->ignore_control = flag;
    return DECLINE_CMD;
}

const char *config_see_quick(cmd_parms *cmd, void *dummy, int flag)
{
    (void)dummy;
    config_of(cmd->server)->quick = flag;
    return DECLINE_CMD;
}

const char *config_see_server_name(cmd_parms *cmd, void *dummy, const char *name)
{
    (void)dummy;
    (void)name;
    config_of(cmd->server)->named = 1;
    return DECLINE_CMD;
}
