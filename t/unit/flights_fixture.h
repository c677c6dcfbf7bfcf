/* SPDX-License-Identifier: Apache-2.0
 *
 * flights_fixture.h - what the tests of the table of flights share: a table in shared memory, keys,
 * threads that wait, and a board on which processes tell each other where they are.
 */
#ifndef FLIGHTS_FIXTURE_H
#define FLIGHTS_FIXTURE_H

#include "flights.h"

#include <pthread.h>

/** The fake clock's beginning; leases and timeouts that are never reached. */
#define FIXTURE_NOW   apr_time_from_sec(1700000000)
#define FIXTURE_LONG  apr_time_from_sec(3600)

/** Shared memory, zeroed. Ends the program when there is none. */
void *fixture_memory(apr_size_t size);

/** A new table, of which this process is a user. */
flights_t *fixture_table(apr_uint32_t slots, const flights_limits_t *limits, apr_pool_t *pool);

/** The key of that number; `name` of at least 16 bytes keeps it. */
storer_bytes_t fixture_key(char *name, unsigned number);

/** flights_join() by number, with FIXTURE_LONG. */
flights_role_e fixture_join(flights_t *flights, unsigned key, apr_time_t now,
                            flights_flight_t *flight);

/** flights_peek() by number. */
flights_role_e fixture_peek(const flights_t *flights, unsigned key, apr_time_t now);

/** A follower in a thread of its own. */
typedef struct follower_t {
    flights_flight_t    flight;
    apr_time_t          now;
    apr_interval_time_t timeout;
    flights_outcome_e   outcome;
    int                 ended;   /**< by fixture_get(): 1 once it waits no more */
    pthread_t           thread;
} follower_t;

/** Begin to wait, from FIXTURE_NOW. */
void fixture_follow(follower_t *follower, const flights_flight_t *flight,
                    apr_interval_time_t timeout);

/** How many of these followers wait no more. */
int fixture_have_ended(const follower_t *followers, int count);

/** What it got. */
flights_outcome_e fixture_followed(follower_t *follower);

/** Until that many wait for the flight. Hangs, until the alarm ends the test, if they never do. */
void fixture_await_waiters(const flights_flight_t *flight, unsigned count);

/** Until the shared number is at least that. */
void fixture_await(const int *number, int least);

/** xorshift; *state is not 0. */
apr_uint64_t fixture_random(apr_uint64_t *state);

/** A shared number. */
int  fixture_get(const int *number);
int  fixture_add(int *number, int value);

#endif /* FLIGHTS_FIXTURE_H */
