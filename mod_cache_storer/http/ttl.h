/* SPDX-License-Identifier: Apache-2.0
 *
 * ttl.h - freshness by status or content type (CacheStorerTTL), for responses that carry none.
 */
#ifndef TTL_H
#define TTL_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>

/** Read-only once complete; used by all threads. */
typedef struct ttl_rules_t ttl_rules_t;

/** No rules yet; lives as long as pool. */
ttl_rules_t *ttl_rules_create(apr_pool_t *pool);

/**
 * Add a rule.
 * @param what    a status (404), a class of them (4xx), a content type (text/html, or image/ with a
 *                star)
 * @param time    as storer_parse_duration() has it
 * @param problem set on failure; names the word
 * @return APR_SUCCESS or APR_EINVAL
 */
apr_status_t ttl_rules_add(ttl_rules_t *rules, const char *what, const char *time,
                           const char **problem);

/**
 * The time of the most special rule: status, class of statuses, type, any subtype; of equal ones the
 * last. Types are for successful responses (2xx) only.
 * @param content_type may be NULL and have parameters
 * @param named        set to whether the rule names the very status; may be NULL
 * @return -1: no rule
 */
apr_interval_time_t ttl_find(const ttl_rules_t *rules, int status, const char *content_type,
                             int *named);

#endif /* TTL_H */
