/* SPDX-License-Identifier: Apache-2.0
 *
 * flights_fixture.c - see flights_fixture.h.
 */
#include "flights_fixture.h"
#include "tap.h"

#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

void *fixture_memory(apr_size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        bail_out("no memory");
    }
    return memory;
}

flights_t *fixture_table(apr_uint32_t slots, const flights_limits_t *limits, apr_pool_t *pool)
{
    apr_size_t size = flights_size(slots);
    flights_t *flights;

    if (flights_attach(&flights, fixture_memory(size), size, 1, limits, pool) != APR_SUCCESS
        || flights_child_init(flights) != APR_SUCCESS) {
        bail_out("no table");
    }
    return flights;
}

storer_bytes_t fixture_key(char *name, unsigned number)
{
    storer_bytes_t key = { name, (apr_size_t)sprintf(name, "key-%u", number) };

    return key;
}

flights_role_e fixture_join(flights_t *flights, unsigned key, apr_time_t now,
                            flights_flight_t *flight)
{
    char name[16];

    return flights_join(flights, fixture_key(name, key), now, FIXTURE_LONG, flight);
}

flights_role_e fixture_peek(const flights_t *flights, unsigned key, apr_time_t now)
{
    char name[16];

    return flights_peek(flights, fixture_key(name, key), now);
}

static void *follow(void *data)
{
    follower_t *follower = data;

    follower->outcome = flights_wait(&follower->flight, follower->now, follower->timeout);
    fixture_add(&follower->ended, 1);
    return NULL;
}

void fixture_follow(follower_t *follower, const flights_flight_t *flight,
                    apr_interval_time_t timeout)
{
    follower->flight = *flight;
    follower->now = FIXTURE_NOW;
    follower->timeout = timeout;
    follower->ended = 0;
    if (pthread_create(&follower->thread, NULL, follow, follower) != 0) {
        bail_out("no thread");
    }
}

flights_outcome_e fixture_followed(follower_t *follower)
{
    pthread_join(follower->thread, NULL);
    return follower->outcome;
}

int fixture_have_ended(const follower_t *followers, int count)
{
    int i, ended = 0;

    for (i = 0; i < count; i++) {
        ended += fixture_get(&followers[i].ended);
    }
    return ended;
}

static void pause_briefly(void)
{
    struct timespec pause = { 0, 200000 };

    nanosleep(&pause, NULL);
}

void fixture_await_waiters(const flights_flight_t *flight, unsigned count)
{
    while (flights_waiters(flight) != count) {
        pause_briefly();
    }
}

int fixture_get(const int *number)
{
    return __atomic_load_n(number, __ATOMIC_SEQ_CST);
}

int fixture_add(int *number, int value)
{
    return __atomic_add_fetch(number, value, __ATOMIC_SEQ_CST);
}

void fixture_await(const int *number, int least)
{
    while (fixture_get(number) < least) {
        pause_briefly();
    }
}

apr_uint64_t fixture_random(apr_uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}
