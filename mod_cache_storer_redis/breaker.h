/* SPDX-License-Identifier: Apache-2.0
 *
 * breaker.h - leaves a server in trouble alone for a while, so that it costs a request at most the
 * timeout once per interval. Shared by the threads of a process; knows no clock and no log.
 *
 *   closed --failure--> open --interval over--> half-open: one caller may try, the others not
 *     ^                  ^                          |    |
 *     |                  +--------failure-----------+    |
 *     +--------------------success-----------------------+
 */
#ifndef BREAKER_H
#define BREAKER_H

#include "clock.h"

#include <stdatomic.h>

typedef struct breaker_t {
    /* immutable after init */
    apr_interval_time_t interval;
    /* atomic */
    atomic_int       open;
    atomic_int       trying;      /* half-open: someone tries */
    _Atomic apr_int64_t until;    /* not before then */
} breaker_t;

void breaker_init(breaker_t *breaker, apr_interval_time_t interval);

/** May the caller try? Then it must say how it went: by one of the three below. */
int breaker_allows(breaker_t *breaker, clock_point_t now);

/** Would it, without taking a turn? */
int breaker_is_closed(const breaker_t *breaker);

/** @return 1: this was a transition, to be logged by the caller */
int breaker_succeeded(breaker_t *breaker);
int breaker_failed(breaker_t *breaker, clock_point_t now);

/** The turn was not used; nothing is known. */
void breaker_skipped(breaker_t *breaker);

#endif /* BREAKER_H */
