/* SPDX-License-Identifier: Apache-2.0
 *
 * host.c - see host.h.
 */
#include "host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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
