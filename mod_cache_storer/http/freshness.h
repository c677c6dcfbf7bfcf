/* SPDX-License-Identifier: Apache-2.0
 *
 * freshness.h - how old a stored response is and until when it is fresh (RFC 9111 section 4.2), with
 * the choices that mod_cache makes in cache_check_freshness(): the two must agree. An election that
 * calls a response stale which mod_cache calls fresh would revalidate for nothing; the other way round
 * an expired variant might win over a fresh one.
 */
#ifndef FRESHNESS_H
#define FRESHNESS_H

#include <apr_tables.h>
#include <apr_time.h>

#include "../../storage/storer.h"

/** What a stored response says of its freshness, and when it came. Stored with it. */
typedef struct freshness_t {
    apr_time_t  date;              /**< Date, or when the response came */
    apr_time_t  expires;           /**< by Expires, by a heuristic or by configuration; 0: not known */
    apr_time_t  request_time;      /**< of the request that the origin answered */
    apr_time_t  response_time;
    apr_int64_t max_age, s_maxage; /**< seconds; -1: absent */
    unsigned    no_cache:1;        /**< to be validated before each use */
    unsigned    must_revalidate:1;
    unsigned    proxy_revalidate:1;
    unsigned    is_public:1;
} freshness_t;

/** How long the response is fresh from its date on (RFC 9111 section 4.2.1). */
apr_interval_time_t freshness_lifetime(const freshness_t *response);

/** How old it is now (section 4.2.3): at least 0. */
apr_interval_time_t freshness_age(const freshness_t *response, const apr_table_t *headers,
                                  apr_time_t now);

/** Whether it is fresh at that age, without regard to what a request may ask for. */
int freshness_holds(const freshness_t *response, apr_interval_time_t age);

/** The end of its freshness, without regard to what a request may ask for. A response that is to be
 * validated before each use (no-cache) was fresh until it was asked for. */
apr_time_t freshness_end(const freshness_t *response, const apr_table_t *headers);

/**
 * Make of an Age what it means: of a list the first member (RFC 9111 section 5.1), a number that is
 * too large counts as the largest (section 1.2.2), anything else is no age. mod_cache takes the first
 * two for no age as well.
 */
void freshness_mend_age(apr_table_t *headers, apr_pool_t *pool);

/** The expiry to store a response with. @param stale kept this long past its freshness */
storer_expiry_t freshness_expiry(const freshness_t *response, const apr_table_t *headers,
                                 apr_interval_time_t stale, apr_time_t now);

#endif /* FRESHNESS_H */
