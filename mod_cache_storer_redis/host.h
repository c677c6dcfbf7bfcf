/* SPDX-License-Identifier: Apache-2.0
 *
 * host.h - what this engine asks of the host that loaded it, in one place.
 */
#ifndef HOST_H
#define HOST_H

#include <storer.h>

/** Our own bugs, always compiled in; never for what came from Redis. */
#define redis_assert(condition) \
    ((condition) ? (void)0 : host_assert_failed(#condition, __FILE__, __LINE__))
void host_assert_failed(const char *condition, const char *file, int line)
    __attribute__((noreturn));

/** printf to the host's log. */
void host_log(const storer_env_t *env, storer_log_level_e level, apr_status_t rv,
              const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif /* HOST_H */
