/* SPDX-License-Identifier: Apache-2.0
 *
 * query.h - the query part of a key (CacheStorerKeyQuery): which parameters make a difference, and
 * whether their order does.
 */
#ifndef QUERY_H
#define QUERY_H

#include <apr_errno.h>
#include <apr_pools.h>

/** Read-only once parsed; used by all threads. */
typedef struct query_rules_t query_rules_t;

/**
 * Read rules: any of `sort`, `drop=GLOB,...` and `keep=GLOB,...` (not both of these), or `none`
 * alone: the whole query is dropped. Globs are those of apr_fnmatch, without regard to '/'.
 * @param words   not needed afterwards
 * @param problem set on failure; names the word
 * @return the rules, in pool; NULL: a word is none
 */
const query_rules_t *query_rules_parse(int count, const char *const *words, const char **problem,
                                       apr_pool_t *pool);

/**
 * The normal form of a query (what follows the "?"). Parameters are separated by "&"; empty ones are
 * dropped. Their bytes stay as they are, with their percent-encoding, which names are matched with as
 * well. Sorting is by name; parameters of the same name keep their order.
 */
const char *query_normal_form(const query_rules_t *rules, const char *query, apr_pool_t *pool);

#endif /* QUERY_H */
