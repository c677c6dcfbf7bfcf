/* SPDX-License-Identifier: Apache-2.0
 *
 * rewrites.h - rules of mod_rewrite that ask who the client is: by a condition (RewriteCond) on its
 * address, its name, its user or its certificate. What they refuse or replace depends on the client
 * as much as it does by a Require.
 *
 * Conditions on request fields (%{HTTP_COOKIE}) are not looked at: mod_rewrite adds the field to
 * Vary. Whether a rule's other conditions hold, and whether RewriteEngine is on, is not looked at
 * either: a rule counts if its pattern matches.
 */
#ifndef ACCESS_REWRITES_H
#define ACCESS_REWRITES_H

#include "httpd.h"
#include "apr_tables.h"

/** The rules of one section. All zero: there are none. */
typedef struct access_rewrites_t {
    apr_array_header_t *patterns;   /**< of ap_regex_t *; a NULL in it matches every URL */
    unsigned            asks:1;     /**< a RewriteCond for the next RewriteRule asks who it is */
} access_rewrites_t;

/** A section below another one: the rules of both may be in force. */
access_rewrites_t access_rewrites_merge(const access_rewrites_t *base, const access_rewrites_t *add,
                                        apr_pool_t *pool);

/** Whether a rule may act on this request. */
int access_rewrites_match(const access_rewrites_t *rewrites, const request_rec *r);

/** The arguments of a RewriteCond. */
void access_rewrites_see_condition(access_rewrites_t *rewrites, const char *arguments,
                                   apr_pool_t *pool);

/** The arguments of a RewriteRule. */
void access_rewrites_see_rule(access_rewrites_t *rewrites, const char *arguments, apr_pool_t *pool);

#endif /* ACCESS_REWRITES_H */
