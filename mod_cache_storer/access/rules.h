/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.h - whether access to a directory depends on the client: by the access control directives
 * that are in force there, those of .htaccess files included.
 *
 * The modules that own these directives keep their configuration to themselves. httpd hands a
 * directive to every module that has it in its table, so this module has them in its own table as
 * well, and merges sections as their owners do. What does not depend on the client does not count:
 * "Require all granted", "Require all denied", "Allow from all", "Deny from all".
 */
#ifndef ACCESS_RULES_H
#define ACCESS_RULES_H

#include "../directives/directive.h"

#include "rewrites.h"

typedef enum access_merging_e {
    ACCESS_MERGING_UNSET,
    ACCESS_MERGING_OFF,        /**< AuthMerging Off: Require of earlier sections does not apply */
    ACCESS_MERGING_ON          /**< AuthMerging And, or Or: it applies as well */
} access_merging_e;

/** The access control of one section, as far as it matters. All zero: there is none. */
typedef struct access_rules_t {
    apr_uint64_t     required;       /**< methods for which a Require asks for more than "all" */
    apr_uint64_t     listed;         /**< methods for which an Allow or a Deny names clients */
    access_merging_e merging;
    access_rewrites_t rewrites;
    unsigned         has_require:1;  /**< there is some Require */
    unsigned         has_order:1;    /**< there is some directive of mod_access_compat */
    unsigned         has_other:1;    /**< another module asks for a certificate, or runs a script */
} access_rules_t;

access_rules_t access_rules_merge(const access_rules_t *base, const access_rules_t *add,
                                  apr_pool_t *pool);

/** Whether access to this request depends on who sends it. */
int access_rules_depend_on_client(const access_rules_t *rules, const request_rec *r);

/** Whether a section has any access control at all. */
int access_rules_any(const access_rules_t *rules);

/* What the table of directives calls. */
const char *access_rules_see_require(cmd_parms *cmd, void *directory, const char *arguments);
const char *access_rules_see_merging(cmd_parms *cmd, void *directory, const char *how);
const char *access_rules_see_order(cmd_parms *cmd, void *directory, const char *ignored);
const char *access_rules_see_list(cmd_parms *cmd, void *directory, const char *from,
                                  const char *client);
const char *access_rules_see_certificate(cmd_parms *cmd, void *directory, const char *level);
const char *access_rules_see_condition(cmd_parms *cmd, void *directory, const char *arguments);
const char *access_rules_see_rule(cmd_parms *cmd, void *directory, const char *arguments);
const char *access_rules_see_other(cmd_parms *cmd, void *directory, const char *arguments);

/* One row of the table: how httpd reads the arguments, name, function, contexts, owner. These set no
 * member of their own: access_rules_merge() is what merges them. */
#define ACCESS_RULES_ROW(how, name_, see, context, owner_)                                         \
    AP_INIT_##how(name_, access_rules_see_##see,                                                   \
                  ((void *)&(const directive_t){ .name = (name_), .owner = (owner_) }), context,   \
                  "belongs to " owner_ "; mod_cache_storer looks at it as well")

#define ACCESS_RULES_DIRECTIVES                                                                    \
    ACCESS_RULES_ROW(RAW_ARGS, "Require", require, OR_AUTHCFG, "mod_authz_core.c"),                \
    ACCESS_RULES_ROW(TAKE1, "AuthMerging", merging, OR_AUTHCFG, "mod_authz_core.c"),               \
    ACCESS_RULES_ROW(TAKE1, "Order", order, OR_LIMIT, "mod_access_compat.c"),                      \
    ACCESS_RULES_ROW(TAKE1, "Satisfy", order, OR_AUTHCFG, "mod_access_compat.c"),                  \
    ACCESS_RULES_ROW(ITERATE2, "Allow", list, OR_LIMIT, "mod_access_compat.c"),                    \
    ACCESS_RULES_ROW(ITERATE2, "Deny", list, OR_LIMIT, "mod_access_compat.c"),                     \
    ACCESS_RULES_ROW(RAW_ARGS, "RewriteCond", condition, OR_FILEINFO, "mod_rewrite.c"),            \
    ACCESS_RULES_ROW(RAW_ARGS, "RewriteRule", rule, OR_FILEINFO, "mod_rewrite.c"),                 \
    ACCESS_RULES_ROW(RAW_ARGS, "SSLRequire", other, OR_AUTHCFG, "mod_ssl.c"),                      \
    ACCESS_RULES_ROW(TAKE1, "SSLVerifyClient", certificate, RSRC_CONF | OR_AUTHCFG, "mod_ssl.c"),  \
    ACCESS_RULES_ROW(RAW_ARGS, "LuaHookAccessChecker", other, OR_ALL, "mod_lua.c"),                \
    ACCESS_RULES_ROW(RAW_ARGS, "LuaHookAuthChecker", other, OR_ALL, "mod_lua.c"),                  \
    ACCESS_RULES_ROW(RAW_ARGS, "LuaHookCheckUserID", other, OR_ALL, "mod_lua.c"),                  \
    ACCESS_RULES_ROW(RAW_ARGS, "PerlAccessHandler", other, OR_ALL, "mod_perl.c"),                  \
    ACCESS_RULES_ROW(RAW_ARGS, "PerlAuthenHandler", other, OR_ALL, "mod_perl.c"),                  \
    ACCESS_RULES_ROW(RAW_ARGS, "PerlAuthzHandler", other, OR_ALL, "mod_perl.c")

#endif /* ACCESS_RULES_H */
