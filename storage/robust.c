/* SPDX-License-Identifier: Apache-2.0
 *
 * robust.c - see robust.h.
 */
#include "robust.h"

#include <errno.h>
#include <time.h>

int robust_init(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;
    int error = pthread_mutexattr_init(&attributes);

    if (error) {
        return error;
    }
    error = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (!error) {
        error = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    }
    if (!error) {
        error = pthread_mutex_init(mutex, &attributes);
    }
    pthread_mutexattr_destroy(&attributes);
    return error;
}

/* ThreadSanitizer knows pthread_mutex_clocklock() from GCC 13 on only: before, it takes the mutex for
 * unlocked, and everything under it for a race. */
#if defined(__SANITIZE_THREAD__)
#define HAVE_CLOCKLOCK 0
#elif defined(__GLIBC__) && (__GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 30))
#define HAVE_CLOCKLOCK 1
#else
#define HAVE_CLOCKLOCK 0
#endif

#if HAVE_CLOCKLOCK

static int wait_until(pthread_mutex_t *mutex, const struct timespec *until)
{
    return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, until);
}

#else

/* pthread_mutex_timedlock() goes by the time of day, which may be set meanwhile. */
static int wait_until(pthread_mutex_t *mutex, const struct timespec *until)
{
    const struct timespec pause = { 0, 1000000 };
    int error = pthread_mutex_trylock(mutex);

    while (error == EBUSY) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > until->tv_sec
            || (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec)) {
            return ETIMEDOUT;
        }
        nanosleep(&pause, NULL);
        error = pthread_mutex_trylock(mutex);
    }
    return error;
}

#endif

int robust_lock(pthread_mutex_t *mutex, long milliseconds)
{
    struct timespec until;
    int error = pthread_mutex_trylock(mutex);

    if (error != EBUSY) {
        return error;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += milliseconds % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return wait_until(mutex, &until);
}
