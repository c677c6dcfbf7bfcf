/* SPDX-License-Identifier: Apache-2.0
 *
 * staleness.h - for how long past its freshness a stored response may be served (RFC 9111 section
 * 4.2.4, RFC 5861). There is one rule, for responses that are served while they are refreshed
 * (stale-while-revalidate) and for those that are served because the origin fails (stale-if-error):
 *
 *   no-cache, must-revalidate, proxy-revalidate, s-maxage   not at all, whatever else it says
 *   the directive of that name                              as long as it says
 *   neither                                                 as long as the configuration says
 *
 * s-maxage implies proxy-revalidate (section 5.2.2.10), and is one of the directives by which a
 * response to a request with Authorization becomes everybody's (section 3.5).
 */
#ifndef STALENESS_H
#define STALENESS_H

#include "freshness.h"

/** Whether the response forbids to serve it stale. */
int staleness_is_forbidden(const freshness_t *response);

/**
 * How long past its freshness it may be served.
 * @param seconds    of its own directive; -1: it has none
 * @param configured for responses without one; negative: nothing is configured
 * @return negative: neither the response nor the configuration says anything
 */
apr_interval_time_t staleness_window(const freshness_t *response, apr_int64_t seconds,
                                     apr_interval_time_t configured);

#endif /* STALENESS_H */
