/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.h - deadlines. They are told by the monotonic clock, which has nothing to do with the time
 * that expiry is about: that one is always a parameter.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <apr_time.h>

#include <time.h>

/** A point of the monotonic clock, in microseconds. */
typedef apr_time_t clock_point_t;

static inline clock_point_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (clock_point_t)now.tv_sec * APR_USEC_PER_SEC + now.tv_nsec / 1000;
}

/** Milliseconds left, rounded up, for poll(); 0: the time is over. */
static inline int clock_left(clock_point_t deadline)
{
    apr_interval_time_t left = deadline - clock_now();

    if (left <= 0) {
        return 0;
    }
    return left > 3600 * APR_USEC_PER_SEC ? 3600 * 1000 : (int)((left + 999) / 1000);
}

#endif /* CLOCK_H */
