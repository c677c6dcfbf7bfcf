/* SPDX-License-Identifier: Apache-2.0
 *
 * options.c - values as people write them in a configuration: sizes and durations.
 */
#include "storer_private.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

storer_bytes_t storer_bytes(const char *string)
{
    storer_bytes_t bytes = { string, strlen(string) };

    return bytes;
}

/* A number without sign, and what follows it. */
static apr_status_t read_number(const char *text, apr_int64_t *number, const char **unit)
{
    char *end;

    if (*text < '0' || *text > '9') {
        return APR_EINVAL;
    }
    errno = 0;
    *number = strtoll(text, &end, 10);
    *unit = end;
    return errno ? APR_EINVAL : APR_SUCCESS;
}

static apr_status_t multiply(apr_int64_t number, apr_int64_t factor, apr_int64_t *product)
{
    if (number > INT64_MAX / factor) {
        return APR_EINVAL;
    }
    *product = number * factor;
    return APR_SUCCESS;
}

typedef struct unit_t {
    const char *name;
    apr_int64_t factor;
} unit_t;

/* A number with one of the units; the list ends with a name of NULL. */
static apr_status_t read_with_unit(const char *text, const unit_t *units, apr_int64_t *result)
{
    const char *name;
    apr_int64_t number;
    apr_status_t rv = read_number(text, &number, &name);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (; units->name; units++) {
        if (strcmp(units->name, name) == 0) {
            return multiply(number, units->factor, result);
        }
    }
    return APR_EINVAL;
}

apr_status_t storer_parse_size(const char *text, apr_off_t *bytes)
{
    static const unit_t units[] = {
        { "", 1 }, { "K", 1 << 10 }, { "k", 1 << 10 }, { "M", 1 << 20 }, { "m", 1 << 20 },
        { "G", 1 << 30 }, { "g", 1 << 30 }, { "T", INT64_C(1) << 40 }, { "t", INT64_C(1) << 40 },
        { NULL, 0 }
    };
    apr_int64_t result;
    apr_status_t rv = read_with_unit(text, units, &result);

    if (rv == APR_SUCCESS) {
        *bytes = result;
    }
    return rv;
}

apr_status_t storer_parse_duration(const char *text, apr_interval_time_t *duration)
{
    static const unit_t units[] = {
        { "", APR_USEC_PER_SEC }, { "ms", 1000 }, { "s", APR_USEC_PER_SEC },
        { "min", 60 * APR_USEC_PER_SEC }, { "h", 3600 * APR_USEC_PER_SEC },
        { "d", 86400 * APR_USEC_PER_SEC }, { NULL, 0 }
    };
    apr_int64_t result;
    apr_status_t rv = read_with_unit(text, units, &result);

    if (rv == APR_SUCCESS) {
        *duration = result;
    }
    return rv;
}
