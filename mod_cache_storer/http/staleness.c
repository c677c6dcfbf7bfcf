/* SPDX-License-Identifier: Apache-2.0
 *
 * staleness.c - see staleness.h.
 */
#include "staleness.h"

int staleness_is_forbidden(const freshness_t *response)
{
    return response->no_cache || response->must_revalidate || response->proxy_revalidate
           || response->s_maxage != -1;
}

apr_interval_time_t staleness_window(const freshness_t *response, apr_int64_t seconds,
                                     apr_interval_time_t configured)
{
    if (staleness_is_forbidden(response)) {
        return 0;
    }
    return seconds >= 0 ? apr_time_from_sec(seconds) : configured;
}
