/* SPDX-License-Identifier: Apache-2.0
 *
 * freshness.h - until when a stored response is fresh, as mod_cache itself will judge it.
 */
#ifndef FRESHNESS_H
#define FRESHNESS_H

#include "mod_cache.h"

#include "../storage/storer.h"

/** How long the response is fresh from its date on (RFC 9111 section 4.2.1). */
apr_interval_time_t freshness_lifetime(const cache_info *info);

/** How old it is now (section 4.2.3): at least 0. */
apr_interval_time_t freshness_age(const cache_info *info, const apr_table_t *headers,
                                  apr_time_t now);

/** Whether it is fresh at that age, without regard to what a request may ask for. */
int freshness_holds(const cache_info *info, apr_interval_time_t age);

/** The end of freshness of a response, without regard to what a request may ask for. */
apr_time_t freshness_end(const cache_info *info, const apr_table_t *headers);

/** Make of an Age what it means (RFC 9111 section 5.1): of a list the first member; what is not a
 * number is no age. mod_cache takes a list for no age as well. */
void freshness_mend_age(apr_table_t *headers, apr_pool_t *pool);

/** The expiry to store a response with. @param stale kept this long past its freshness */
storer_expiry_t freshness_expiry(const cache_info *info, const apr_table_t *headers,
                                 apr_interval_time_t stale, apr_time_t now);

#endif /* FRESHNESS_H */
