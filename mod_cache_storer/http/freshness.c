/* SPDX-License-Identifier: Apache-2.0
 *
 * freshness.c - see freshness.h.
 */
#include "freshness.h"

#include "control.h"

#include <apr_strings.h>

#include <string.h>

static apr_interval_time_t duration(apr_int64_t seconds)
{
    if (seconds < 0) {
        return 0;
    }
    return apr_time_from_sec(seconds < CONTROL_SECONDS_MAX ? seconds : CONTROL_SECONDS_MAX);
}

/* Section 4.2.1 */
apr_interval_time_t freshness_lifetime(const freshness_t *response)
{
    if (response->s_maxage != -1) {
        return duration(response->s_maxage);
    }
    if (response->max_age != -1) {
        return duration(response->max_age);
    }
    if (response->expires != 0) {
        return duration(apr_time_sec(response->expires - response->date));
    }
    return 0;
}

/* Digits and nothing else, without white space around them. -1: it is not a number. */
static apr_int64_t seconds_of(const char *digits, apr_size_t length)
{
    apr_int64_t seconds = 0;
    apr_size_t i;

    for (i = 0; i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return -1;
        }
        seconds = seconds * 10 + (digits[i] - '0');
        if (seconds > CONTROL_SECONDS_MAX) {
            seconds = CONTROL_SECONDS_MAX;
        }
    }
    return length > 0 ? seconds : -1;
}

void freshness_mend_age(apr_table_t *headers, apr_pool_t *pool)
{
    const char *age = apr_table_get(headers, "Age");
    const char *first, *end;
    apr_int64_t seconds;

    if (!age) {
        return;
    }
    first = age + strspn(age, " \t");
    end = first + strcspn(first, ",");
    while (end > first && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    seconds = seconds_of(first, (apr_size_t)(end - first));
    if (seconds < 0) {
        apr_table_unset(headers, "Age");
    }
    else {
        apr_table_setn(headers, "Age", apr_psprintf(pool, "%" APR_INT64_T_FMT, seconds));
    }
}

static apr_interval_time_t age_field(const apr_table_t *headers)
{
    const char *text = apr_table_get(headers, "Age");

    return text ? duration(seconds_of(text, strlen(text))) : 0;
}

/* Section 4.2.3, at the time the response arrived. mod_cache calculates the same and cuts off the
 * fraction of a second; against a lifetime in whole seconds that makes no difference. */
static apr_interval_time_t initial_age(const freshness_t *response, const apr_table_t *headers)
{
    apr_interval_time_t apparent = response->response_time - response->date;
    apr_interval_time_t received = age_field(headers);

    if (apparent < 0) {
        apparent = 0;
    }
    if (received < apparent) {
        received = apparent;
    }
    return received + (response->response_time - response->request_time);
}

apr_interval_time_t freshness_age(const freshness_t *response, const apr_table_t *headers,
                                  apr_time_t now)
{
    apr_interval_time_t age = initial_age(response, headers) + (now - response->response_time);

    return age > 0 ? age : 0;
}

int freshness_holds(const freshness_t *response, apr_interval_time_t age)
{
    return !response->no_cache && age < freshness_lifetime(response);
}

apr_time_t freshness_end(const freshness_t *response, const apr_table_t *headers)
{
    if (response->no_cache) {
        return response->request_time;
    }
    return response->response_time + freshness_lifetime(response) - initial_age(response, headers);
}

storer_expiry_t freshness_expiry(const freshness_t *response, const apr_table_t *headers,
                                 apr_interval_time_t stale, apr_time_t now)
{
    apr_time_t end = freshness_end(response, headers);
    storer_expiry_t expiry;

    expiry.fresh_until = end > now ? end : now;
    expiry.stale_until = expiry.fresh_until + stale;
    return expiry;
}
