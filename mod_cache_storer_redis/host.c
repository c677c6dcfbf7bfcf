/* SPDX-License-Identifier: Apache-2.0
 *
 * host.c - see host.h.
 */
#include "host.h"

#include <apr_strings.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void host_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "storer redis: assertion \"%s\" failed, %s line %d\n", condition, file, line);
    fflush(stderr);
    abort();
}

void host_log(const storer_env_t *env, storer_log_level_e level, apr_status_t rv,
              const char *format, ...)
{
    char line[1024];
    va_list args;
    char *c;

    if (!env->log) {
        return;
    }
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    for (c = line; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            *c = '?';
        }
    }
    env->log(env->baton, level, rv, line);
}

/* A bare number is seconds. What an option may be ends far below an overflow. */
apr_status_t host_parse_duration(const storer_env_t *env, const char *text,
                                 apr_interval_time_t *duration)
{
    static const struct {
        const char         *name;
        apr_interval_time_t factor;
    } units[] = {
        { "ms", 1000 }, { "s", APR_USEC_PER_SEC }, { "", APR_USEC_PER_SEC },
        { "min", 60 * APR_USEC_PER_SEC }, { "h", 3600 * APR_USEC_PER_SEC },
        { "d", 86400 * APR_USEC_PER_SEC },
    };
    apr_int64_t number = 0;
    apr_size_t digits = strspn(text, "0123456789"), i;

    (void)env;
    if (digits < 1 || digits > 7) {
        return APR_EINVAL;
    }
    number = apr_strtoi64(text, NULL, 10);
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].name, text + digits) == 0) {
            *duration = number * units[i].factor;
            return APR_SUCCESS;
        }
    }
    return APR_EINVAL;
}
