/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.c - see rules.h.
 */
#include "rules.h"

#include "../config.h"

#include "apr_strings.h"

/* mod_authz_core: a section with a Require, or with AuthMerging, replaces the sections before it,
 * unless AuthMerging says And or Or. Which of the merged conditions let a client in is not looked
 * at. */
static void merge_require(access_rules_t *merged, const access_rules_t *base,
                          const access_rules_t *add)
{
    if (add->merging == ACCESS_MERGING_UNSET && !add->has_require) {
        merged->required = base->required;
        merged->has_require = base->has_require;
        merged->merging = base->merging;
    }
    else if (add->merging == ACCESS_MERGING_ON) {
        merged->required |= base->required;
        merged->has_require |= base->has_require;
    }
}

access_rules_t access_rules_merge(const access_rules_t *base, const access_rules_t *add,
                                  apr_pool_t *pool)
{
    access_rules_t merged = *add;

    merge_require(&merged, base, add);
    if (!add->has_order) { /* mod_access_compat merges nothing: the last section with any wins */
        merged.listed = base->listed;
        merged.has_order = base->has_order;
    }
    merged.has_other |= base->has_other;
    merged.rewrites = access_rewrites_merge(&base->rewrites, &add->rewrites, pool);
    return merged;
}

int access_rules_depend_on_client(const access_rules_t *rules, const request_rec *r)
{
    apr_uint64_t method = (apr_uint64_t)AP_METHOD_BIT << r->method_number;

    return rules->has_other || ((rules->required | rules->listed) & method) != 0
           || access_rewrites_match(&rules->rewrites, r);
}

int access_rules_any(const access_rules_t *rules)
{
    return rules->has_require || rules->has_order || rules->has_other
           || rules->merging != ACCESS_MERGING_UNSET || rules->rewrites.patterns;
}

/* ------------------------------------------------------------------------------------------------
 * Directives
 * --------------------------------------------------------------------------------------------- */

/* That this module has a directive in its table must not make httpd accept it where its owner is
 * not loaded, and nobody obeys it: the words are httpd's own. */
static const char *owner_problem(const cmd_parms *cmd)
{
    const directive_t *directive = cmd->info;

    if (ap_find_linked_module(directive->owner)) {
        return NULL;
    }
    return apr_pstrcat(cmd->pool, "Invalid command '", cmd->directive->directive,
                       "', perhaps misspelled or defined by a module not included in the server "
                       "configuration", NULL);
}

static access_rules_t *rules_of(void *directory)
{
    return &((config_directory_t *)directory)->rules;
}

const char *access_rules_see_require(cmd_parms *cmd, void *directory, const char *arguments)
{
    access_rules_t *rules = rules_of(directory);
    const char *word = ap_getword_conf(cmd->temp_pool, &arguments);

    if (ap_cstr_casecmp(word, "not") == 0) {
        word = ap_getword_conf(cmd->temp_pool, &arguments);
    }
    rules->has_require = 1;
    if (ap_cstr_casecmp(word, "all") != 0) {
        rules->required |= (apr_uint64_t)cmd->limited;
    }
    return owner_problem(cmd);
}

const char *access_rules_see_merging(cmd_parms *cmd, void *directory, const char *how)
{
    rules_of(directory)->merging = ap_cstr_casecmp(how, "Off") == 0 ? ACCESS_MERGING_OFF
                                                                    : ACCESS_MERGING_ON;
    return owner_problem(cmd);
}

const char *access_rules_see_order(cmd_parms *cmd, void *directory, const char *ignored)
{
    (void)ignored;
    rules_of(directory)->has_order = 1;
    return owner_problem(cmd);
}

const char *access_rules_see_list(cmd_parms *cmd, void *directory, const char *from,
                                  const char *client)
{
    access_rules_t *rules = rules_of(directory);

    (void)from;
    rules->has_order = 1;
    if (ap_cstr_casecmp(client, "all") != 0) {
        rules->listed |= (apr_uint64_t)cmd->limited;
    }
    return owner_problem(cmd);
}

/* Of a whole virtual host the certificate is asked for before there is a request. */
const char *access_rules_see_certificate(cmd_parms *cmd, void *directory, const char *level)
{
    if (cmd->path && ap_cstr_casecmp(level, "none") != 0) {
        rules_of(directory)->has_other = 1;
    }
    return owner_problem(cmd);
}

const char *access_rules_see_condition(cmd_parms *cmd, void *directory, const char *arguments)
{
    access_rewrites_see_condition(&rules_of(directory)->rewrites, arguments, cmd->temp_pool);
    return owner_problem(cmd);
}

const char *access_rules_see_rule(cmd_parms *cmd, void *directory, const char *arguments)
{
    access_rewrites_see_rule(&rules_of(directory)->rewrites, arguments, cmd->pool);
    return owner_problem(cmd);
}

const char *access_rules_see_other(cmd_parms *cmd, void *directory, const char *arguments)
{
    (void)arguments;
    rules_of(directory)->has_other = 1;
    return owner_problem(cmd);
}
