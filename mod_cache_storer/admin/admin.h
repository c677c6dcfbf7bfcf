/* SPDX-License-Identifier: Apache-2.0
 *
 * admin.h - the admin API (SetHandler cache-storer): who may ask, what is asked for, and on which
 * entries. docs/admin-api.md describes it from outside; its resources are those of Souin's API.
 *
 *   admin.c      the handler: access, the place it is mounted at, and which file answers
 *   entries.c    a walk over what is stored, within the virtual host
 *   listing.c    keys, tags, the most popular of both
 *   entry.c      one URL with all its variants
 *   figures.c    numbers
 *   orders.c     purges
 *   count.c      how many responses a purge is about to meet
 *   selectors.c  what is meant by the URLs in them
 *   page.c       the same for people: an HTML page that uses the API
 *   answer.c     JSON on its way out
 *   ranking.c    the best few of many
 */
#ifndef ADMIN_H
#define ADMIN_H

#include "../mod_cache_storer.h"

#include "../purge/purge.h"

#include "../../storage/storer_host.h"

/** The name for SetHandler. */
#define ADMIN_HANDLER "cache-storer"

/** A response field of all answers: the ServerName of the virtual host whose entries the API sees; "*"
 * for the main server, which sees those of all. */
#define ADMIN_SCOPE_FIELD "Cache-Storer-Scope"

/** One request to the API. In r->pool. */
typedef struct admin_t {
    request_rec *r;
    const char  *base;       /**< the path it is mounted at, without a "/" at its end */
    const char  *rest;       /**< what follows, decoded and without "/" at its begin */
    apr_table_t *query;      /**< parameters, decoded */
    apr_uint64_t site;       /**< the virtual host it is limited to; 0: the main server's */
    const apr_array_header_t *stores;   /**< of storer_t * */
} admin_t;

/** Registers the handler; in register_hooks. */
void admin_register(void);

/** A parameter of the query; NULL: it is not there. */
const char *admin_parameter(const admin_t *admin, const char *name);

/** The pattern that is asked for, in the path or the parameter "pattern".
 * @return OK, with *pattern NULL where there is none; else the answer has been given */
int admin_pattern(const admin_t *admin, storer_pattern_t **pattern);

/** Looked at during long work: the client is gone, or the server wants to stop. Baton: admin_t. */
int admin_should_stop(void *baton);

/** listing.c. Each returns what a handler returns. */
int listing_keys(const admin_t *admin);
int listing_tags(const admin_t *admin);
int listing_top(const admin_t *admin);

/** entry.c */
int entry_show(const admin_t *admin);

/** orders.c: PURGE and POST */
int orders_purge(const admin_t *admin);
int orders_post(const admin_t *admin);

/** figures.c */
int figures_show(const admin_t *admin);

/** page.c */
int page_show(const admin_t *admin);

#endif /* ADMIN_H */
