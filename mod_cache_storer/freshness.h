/* SPDX-License-Identifier: Apache-2.0
 *
 * freshness.h - until when a stored response is fresh, as mod_cache itself will judge it.
 */
#ifndef FRESHNESS_H
#define FRESHNESS_H

#include "mod_cache.h"

#include "../storage/storer.h"

/** The end of freshness of a response, without regard to what a request may ask for. */
apr_time_t freshness_end(const cache_info *info, const apr_table_t *headers);

/** The expiry to store a response with. @param stale kept this long past its freshness */
storer_expiry_t freshness_expiry(const cache_info *info, const apr_table_t *headers,
                                 apr_interval_time_t stale, apr_time_t now);

#endif /* FRESHNESS_H */
