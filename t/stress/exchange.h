/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange.h - one request of the load client and the judgement of its response. Called by load.c.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "wire.h"

#include <stdint.h>

/** What became of requests, counted. */
typedef struct counts_t {
    unsigned long requests; /**< that got a response and a judgement */
    unsigned long hits;
    unsigned long misses;
    unsigned long revalidated;
    unsigned long bytes;      /**< of bodies, verified */
    unsigned long complaints; /**< of what follows, written to standard error */
    /* what must not be */
    unsigned long wrong;     /**< the response of another URL, variant or version */
    unsigned long mixed;     /**< begins as the right one and goes on as something else */
    unsigned long too_short; /**< whole by its framing, and shorter than the content */
    unsigned long too_long;
    unsigned long failed; /**< another status */
    unsigned long malformed;
    unsigned long timeouts;
    /* connections that ended; whether they may is for the test to say */
    unsigned long broken; /**< in the middle of a response */
    unsigned long lost;   /**< before a response */
    unsigned long refused;
} counts_t;

/** A source of random numbers (xorshift), not 0. */
typedef uint64_t chance_t;

unsigned chance_below(chance_t *chance, unsigned limit);

/** Ask for one of the URLs, chosen by chance, check what comes, and count it. */
void exchange_run(wire_t *wire, unsigned urls, chance_t *chance, counts_t *counts);

/** Add the counts of one client to a sum. */
void counts_add(counts_t *sum, const counts_t *counts);

#endif /* EXCHANGE_H */
