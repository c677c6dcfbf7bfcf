/* SPDX-License-Identifier: Apache-2.0
 *
 * freshness.c - RFC 9111 section 4.2 with the choices mod_cache makes in cache_check_freshness().
 * The two must agree: an election that calls an entry stale which mod_cache calls fresh would
 * revalidate for nothing, and the other way round an expired variant might win over a fresh one.
 */
#include "freshness.h"

#include "apr_strings.h"

#include <string.h>

/* Longer than any cache keeps anything; keeps sums of times far from overflow. */
#define FRESHNESS_MAX_SECONDS (APR_INT64_C(100) * 365 * 86400)

static apr_interval_time_t duration(apr_int64_t seconds)
{
    if (seconds < 0) {
        return 0;
    }
    return apr_time_from_sec(seconds < FRESHNESS_MAX_SECONDS ? seconds : FRESHNESS_MAX_SECONDS);
}

/* Section 4.2.1. A value of -1 means that the directive is absent, whatever the flag says. */
apr_interval_time_t freshness_lifetime(const cache_info *info)
{
    const cache_control_t *control = &info->control;

    if (control->s_maxage_value != -1) {
        return duration(control->s_maxage_value);
    }
    if (control->max_age_value != -1) {
        return duration(control->max_age_value);
    }
    if (info->expire != APR_DATE_BAD) {
        return duration(apr_time_sec(info->expire - info->date));
    }
    return 0;
}

void freshness_mend_age(apr_table_t *headers, apr_pool_t *pool)
{
    const char *age = apr_table_get(headers, "Age");
    const char *first, *end;
    apr_size_t length;

    if (!age) {
        return;
    }
    first = age + strspn(age, " \t");
    end = first + strcspn(first, ",");
    while (end > first && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    length = (apr_size_t)(end - first);
    if (length == 0 || strspn(first, "0123456789") < length) {
        apr_table_unset(headers, "Age");
    }
    else if (age[length]) {
        apr_table_setn(headers, "Age", apr_pstrmemdup(pool, first, length));
    }
}

static apr_interval_time_t age_field(const apr_table_t *headers)
{
    const char *text = apr_table_get(headers, "Age");
    char *end = NULL;
    apr_off_t seconds = 0;
    apr_status_t rv;

    if (!text) {
        return 0;
    }
    rv = apr_strtoff(&seconds, text, &end, 10);
    if (rv != APR_SUCCESS || end == text || *end) {
        return 0;
    }
    return duration(seconds);
}

/* Section 4.2.3, at the time the response arrived. mod_cache calculates the same and cuts off the
 * fraction of a second; against a lifetime in whole seconds that makes no difference. */
static apr_interval_time_t initial_age(const cache_info *info, const apr_table_t *headers)
{
    apr_interval_time_t apparent = info->response_time - info->date;
    apr_interval_time_t received = age_field(headers);

    if (apparent < 0) {
        apparent = 0;
    }
    if (received < apparent) {
        received = apparent;
    }
    return received + (info->response_time - info->request_time);
}

apr_interval_time_t freshness_age(const cache_info *info, const apr_table_t *headers,
                                  apr_time_t now)
{
    apr_interval_time_t age = initial_age(info, headers) + (now - info->response_time);

    return age > 0 ? age : 0;
}

/* It is to be validated however young it is. */
static int is_never_fresh(const cache_info *info)
{
    return info->control.no_cache || info->control.invalidated;
}

int freshness_holds(const cache_info *info, apr_interval_time_t age)
{
    return !is_never_fresh(info) && age < freshness_lifetime(info);
}

apr_time_t freshness_end(const cache_info *info, const apr_table_t *headers)
{
    if (is_never_fresh(info)) {
        return 0;
    }
    return info->response_time + freshness_lifetime(info) - initial_age(info, headers);
}

storer_expiry_t freshness_expiry(const cache_info *info, const apr_table_t *headers,
                                 apr_interval_time_t stale, apr_time_t now)
{
    apr_time_t end = freshness_end(info, headers);
    storer_expiry_t expiry;

    expiry.fresh_until = end > now ? end : now;
    expiry.stale_until = expiry.fresh_until + stale;
    return expiry;
}
