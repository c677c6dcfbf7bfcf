/* SPDX-License-Identifier: Apache-2.0
 *
 * seen.c - see seen.h.
 */
#include "seen.h"

#include "apr_fnmatch.h"
#include "apr_strings.h"
#include "apr_uri.h"

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
const char *seen_cache_enable(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    const apr_array_header_t **prefixes = member;
    apr_array_header_t *added;

    if (strcmp(argv[0], "storer") != 0) {
        return NULL;
    }
    added = apr_array_make(use->pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(added, const char *) = use->cmd->path ? section_prefix(use->cmd)
                                                         : argc > 1 ? argv[1] : "/";
    *prefixes = *prefixes ? apr_array_append(use->pool, *prefixes, added) : added;
    return NULL;
}

void seen_cache_enable_merge(apr_pool_t *pool, void *merged, const void *base, const void *add)
{
    const apr_array_header_t *of_base = *(const apr_array_header_t *const *)base;
    const apr_array_header_t *of_add = *(const apr_array_header_t *const *)add;

    if (of_base && of_add) {
        *(const apr_array_header_t **)merged = apr_array_append(pool, of_base, of_add);
    }
    else if (of_base) {
        *(const apr_array_header_t **)merged = of_base;
    }
}

/* The origin of all keys of a server. mod_cache refuses what is no URL. */
const char *seen_key_base(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    apr_uri_t *base = apr_pcalloc(use->pool, sizeof(*base));

    (void)argc;
    if (apr_uri_parse(use->pool, argv[0], base) != APR_SUCCESS) {
        return "it is no URL";
    }
    *(const apr_uri_t **)member = base;
    return NULL;
}

/* "None" empties the list. */
const char *seen_session_ids(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    apr_array_header_t **names = member;
    int i;

    for (i = 0; i < argc; i++) {
        int none = ap_cstr_casecmp(argv[i], "None") == 0;

        if (!*names || none) {
            *names = apr_array_make(use->pool, 4, sizeof(const char *));
        }
        if (!none) {
            APR_ARRAY_PUSH(*names, const char *) = argv[i];
        }
    }
    return NULL;
}

const char *seen_server_name(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    (void)use;
    (void)argc;
    (void)argv;
    *(int *)member = 1;
    return NULL;
}
