/* SPDX-License-Identifier: Apache-2.0
 *
 * breaker.c - see breaker.h. Called by node.c.
 */
#include "breaker.h"

void breaker_init(breaker_t *breaker, apr_interval_time_t interval)
{
    breaker->interval = interval;
    atomic_init(&breaker->open, 0);
    atomic_init(&breaker->trying, 0);
    atomic_init(&breaker->until, 0);
}

int breaker_is_closed(const breaker_t *breaker)
{
    return !atomic_load_explicit(&breaker->open, memory_order_relaxed);
}

int breaker_allows(breaker_t *breaker, clock_point_t now)
{
    if (breaker_is_closed(breaker)) {
        return 1;
    }
    if (now < atomic_load(&breaker->until)) {
        return 0;
    }
    return !atomic_exchange(&breaker->trying, 1);
}

int breaker_succeeded(breaker_t *breaker)
{
    int was_open;

    if (breaker_is_closed(breaker)) {
        return 0;
    }
    was_open = atomic_exchange(&breaker->open, 0);
    atomic_store(&breaker->trying, 0);
    return was_open;
}

/* First when, then that: nobody may see it open with a time that is over. */
int breaker_failed(breaker_t *breaker, clock_point_t now)
{
    int was_open;

    atomic_store(&breaker->until, now + breaker->interval);
    was_open = atomic_exchange(&breaker->open, 1);
    atomic_store(&breaker->trying, 0);
    return !was_open;
}

void breaker_skipped(breaker_t *breaker)
{
    atomic_store(&breaker->trying, 0);
}
