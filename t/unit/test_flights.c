/* SPDX-License-Identifier: Apache-2.0
 *
 * test_flights.c - the table of flights as one process sees it: roles, memory of the uncacheable,
 * leases, limits, a table that is full, and one that is found again. Time is a parameter.
 */
#include "flights_fixture.h"
#include "tap.h"

#include <apr_general.h>

#include <string.h>
#include <unistd.h>

#define NOW   FIXTURE_NOW
#define SECOND apr_time_from_sec(1)

static void test_attach(apr_pool_t *pool)
{
    apr_size_t size = flights_size(100);
    char *memory = fixture_memory(size + 64);
    flights_flight_t flight;
    flights_stat_t stat;
    flights_t *flights = NULL;

    is_status(flights_attach(&flights, NULL, size, 1, NULL, pool), APR_EINVAL, "no memory");
    is_status(flights_attach(&flights, memory + 8, size, 1, NULL, pool), APR_EINVAL,
              "not aligned");
    is_status(flights_attach(&flights, memory, size + 64, 1, NULL, pool), APR_EINVAL,
              "no table has this size");
    is_status(flights_attach(&flights, memory, 64, 1, NULL, pool), APR_EINVAL, "too small");
    is_status(flights_attach(&flights, memory, 0, 1, NULL, pool), APR_EINVAL, "nothing");
    ok(flights == NULL, "no handle was written");
    is_status(flights_attach(&flights, memory, size, 1, NULL, pool), APR_SUCCESS, "a table");
    is_int(fixture_join(flights, 1, NOW, &flight), FLIGHTS_FULL, "FULL before flights_child_init");
    ok(flight.flights == NULL, "and no flight");
    is_status(flights_child_init(flights), APR_SUCCESS, "child_init");
    is_status(flights_child_init(flights), APR_SUCCESS, "child_init once more");
    is_int(fixture_join(flights, 1, NOW, &flight), FLIGHTS_LEAD, "then it leads");
    flights_stat(flights, NOW, &stat);
    is_int(stat.slots, 112, "slots are rounded up to whole sets");
    ok(flights_size(0) == flights_size(16) && flights_size(17) > flights_size(16),
       "16 slots at least");
    ok(flights_size(1000000) == flights_size(FLIGHTS_SLOTS_MAX), "so many at most");
}

static void test_roles(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(64, NULL, pool);
    flights_flight_t leader, copy, follower, again, other;

    is_int(fixture_peek(flights, 1, NOW), FLIGHTS_LEAD, "nothing is known of a key");
    is_int(fixture_join(flights, 1, NOW, &leader), FLIGHTS_LEAD, "the first one leads");
    is_int(fixture_peek(flights, 1, NOW), FLIGHTS_FOLLOW, "peek sees it");
    is_int(fixture_join(flights, 1, NOW, &follower), FLIGHTS_FOLLOW, "the second one follows");
    is_int(fixture_join(flights, 2, NOW, &other), FLIGHTS_LEAD, "another key has its own leader");
    ok(flights_same(&leader, &follower), "leader and follower: the same flight");
    ok(!flights_same(&leader, &other), "another key: another flight");
    copy = follower;
    flights_end(&copy, FLIGHTS_LANDED, NOW, 0);
    is_int(fixture_peek(flights, 1, NOW), FLIGHTS_FOLLOW, "a follower can't end it");
    is_int(flights_wait(&follower, NOW, 0), FLIGHTS_TIMEUP, "no time to wait");
    is_int(flights_wait(&follower, NOW, 2000), FLIGHTS_TIMEUP, "its own timeout");
    is_int(flights_waiters(&follower), 0, "nobody waits afterwards");
    copy = leader;
    flights_end(&leader, FLIGHTS_LANDED, NOW, 0);
    ok(leader.flights == NULL, "an ended flight is none");
    is_int(flights_wait(&follower, NOW, FIXTURE_LONG), FLIGHTS_LANDED, "landed");
    is_int(fixture_peek(flights, 1, NOW), FLIGHTS_LEAD, "nothing is left");
    is_int(fixture_join(flights, 1, NOW, &again), FLIGHTS_LEAD, "the next one leads");
    ok(!flights_same(&again, &copy), "which is another flight");
    flights_end(&copy, FLIGHTS_FAILED, NOW, 0);
    flights_end(&leader, FLIGHTS_FAILED, NOW, 0);
    is_int(fixture_peek(flights, 1, NOW), FLIGHTS_FOLLOW, "ending twice ends no other flight");
    is_int(fixture_join(flights, 1, NOW, &follower), FLIGHTS_FOLLOW, "it is followed");
    flights_end(&again, FLIGHTS_FAILED, NOW, 0);
    is_int(flights_wait(&follower, NOW, FIXTURE_LONG), FLIGHTS_FAILED, "given up");
    is_int(fixture_join(flights, 1, NOW, &again), FLIGHTS_LEAD, "somebody else may lead");
    is_int(fixture_join(flights, 1, NOW, &follower), FLIGHTS_FOLLOW, "and is followed");
    flights_end(&again, FLIGHTS_DIED, NOW, 0);
    is_int(flights_wait(&follower, NOW, FIXTURE_LONG), FLIGHTS_DIED, "of no account");
    is_int(fixture_join(flights, 1, NOW, &again), FLIGHTS_LEAD, "somebody else may lead");
    memset(&follower, 0, sizeof(follower));
    is_int(flights_wait(&follower, NOW, FIXTURE_LONG), FLIGHTS_FAILED, "no flight: no wait");
    is_int(flights_waiters(&follower), 0, "and no waiters");
    flights_renew(&follower, NOW, SECOND);
    flights_end(&follower, FLIGHTS_FAILED, NOW, 0);
    ok(!flights_same(&follower, &follower), "no flight is not even the same as itself");
}

static void test_uncacheable(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(64, NULL, pool);
    flights_flight_t leader, follower;
    char name[16];

    fixture_join(flights, 1, NOW, &leader);
    fixture_join(flights, 1, NOW, &follower);
    flights_end(&leader, FLIGHTS_UNCACHEABLE, NOW + 3 * SECOND, 10 * SECOND);
    is_int(flights_wait(&follower, NOW, FIXTURE_LONG), FLIGHTS_UNCACHEABLE, "waiters are told");
    is_int(fixture_join(flights, 1, NOW + 4 * SECOND, &leader), FLIGHTS_PASS, "remembered");
    ok(leader.flights == NULL, "PASS is no flight");
    is_int(fixture_peek(flights, 1, NOW + 13 * SECOND - 1), FLIGHTS_PASS,
           "until its time is over");
    is_int(fixture_peek(flights, 1, NOW + 13 * SECOND), FLIGHTS_LEAD, "and no longer");
    is_int(fixture_join(flights, 1, NOW + 13 * SECOND, &leader), FLIGHTS_LEAD, "led again");
    flights_end(&leader, FLIGHTS_UNCACHEABLE, NOW, SECOND);
    flights_forget(flights, fixture_key(name, 2));
    is_int(fixture_peek(flights, 1, NOW), FLIGHTS_PASS, "another key is not forgotten");
    flights_forget(flights, fixture_key(name, 1));
    is_int(fixture_peek(flights, 1, NOW), FLIGHTS_LEAD, "forgotten");
    fixture_join(flights, 1, NOW, &leader);
    flights_forget(flights, fixture_key(name, 1));
    is_int(fixture_peek(flights, 1, NOW), FLIGHTS_FOLLOW, "a flight is not");
    fixture_join(flights, 1, NOW, &follower);
    flights_end(&leader, FLIGHTS_UNCACHEABLE, NOW, 0);
    is_int(flights_wait(&follower, NOW, FIXTURE_LONG), FLIGHTS_UNCACHEABLE,
           "to be remembered for no time: told");
    is_int(fixture_peek(flights, 1, NOW), FLIGHTS_LEAD, "and not remembered");
}

static void test_lease(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(64, NULL, pool);
    flights_flight_t leader, follower;
    apr_time_t end = NOW + FIXTURE_LONG;

    fixture_join(flights, 1, NOW, &leader);
    is_int(fixture_join(flights, 1, end - 1, &follower), FLIGHTS_FOLLOW, "within the lease");
    flights_renew(&follower, NOW, 2 * FIXTURE_LONG);
    is_int(fixture_peek(flights, 1, end), FLIGHTS_LEAD, "a follower renews nothing");
    flights_renew(&leader, NOW, SECOND);
    is_int(fixture_peek(flights, 1, end - 1), FLIGHTS_FOLLOW, "no renewal shortens it");
    flights_renew(&leader, NOW + SECOND, FIXTURE_LONG);
    is_int(fixture_peek(flights, 1, end), FLIGHTS_FOLLOW, "renewed");
    is_int(fixture_peek(flights, 1, end + SECOND), FLIGHTS_LEAD, "for so long");
    is_int(flights_wait(&follower, end + SECOND, FIXTURE_LONG), FLIGHTS_RELIEVED,
           "a waiter who sees that a lease is over leads as well");
    is_int(fixture_peek(flights, 1, end + SECOND), FLIGHTS_FOLLOW, "for another lease");

    fixture_join(flights, 4, NOW, &leader);
    fixture_join(flights, 4, NOW, &follower);
    flights_end(&leader, FLIGHTS_LANDED, end + SECOND, 0);
    is_int(flights_wait(&follower, end + SECOND, FIXTURE_LONG), FLIGHTS_LANDED,
           "landed after its lease, and nobody had noticed");
}

/* A lease that is over brings one more leader, and the first to store it tells all. */
static void test_relief(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(64, NULL, pool);
    flights_flight_t first, second, third, follower, other;
    apr_time_t end = NOW + FIXTURE_LONG;

    fixture_join(flights, 1, NOW, &first);
    fixture_join(flights, 1, NOW, &follower);
    is_int(fixture_join(flights, 1, end, &second), FLIGHTS_LEAD, "the lease is over: one more leads");
    ok(flights_same(&first, &second), "the same flight");
    is_int(fixture_join(flights, 1, end, &other), FLIGHTS_FOLLOW, "and only one more");
    is_int(flights_wait(&follower, end, 0), FLIGHTS_TIMEUP, "who waits goes on waiting");
    flights_end(&first, FLIGHTS_FAILED, end, 0);
    is_int(flights_wait(&follower, end, 0), FLIGHTS_TIMEUP,
           "the first one fails: the second one is on its way");
    is_int(flights_wait(&follower, end + FIXTURE_LONG, FIXTURE_LONG), FLIGHTS_RELIEVED,
           "and after its lease a waiter");
    third = follower;
    is_int(flights_wait(&other, end + FIXTURE_LONG, 0), FLIGHTS_TIMEUP, "and only one of them");
    flights_end(&second, FLIGHTS_LANDED, end, 0);
    is_int(flights_wait(&other, end, FIXTURE_LONG), FLIGHTS_LANDED, "the first to store it tells all");
    flights_end(&third, FLIGHTS_UNCACHEABLE, end, FIXTURE_LONG);
    is_int(fixture_peek(flights, 1, end), FLIGHTS_LEAD, "who comes later tells nobody");

    fixture_join(flights, 2, NOW, &first);
    fixture_join(flights, 2, end, &second);
    fixture_join(flights, 2, end, &follower);
    flights_end(&first, FLIGHTS_UNCACHEABLE, end, FIXTURE_LONG);
    is_int(flights_wait(&follower, end, FIXTURE_LONG), FLIGHTS_UNCACHEABLE,
           "uncacheable, by whichever leader");

    fixture_join(flights, 3, NOW, &first);
    fixture_join(flights, 3, end, &second);
    fixture_join(flights, 3, end, &follower);
    flights_end(&second, FLIGHTS_FAILED, end, 0);
    is_int(flights_wait(&follower, end, FIXTURE_LONG), FLIGHTS_FAILED, "the last leader failed");
}

/* Of ten who wait longer than a lease each time one leads, and one fetch is enough. */
static void test_slow(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(64, NULL, pool);
    flights_flight_t leader, flight;
    follower_t follower[10];
    int relieved = 0, landed = 0, i;
    char name[16];

    flights_join(flights, fixture_key(name, 1), NOW, SECOND / 2, &leader);
    fixture_join(flights, 1, NOW, &flight);
    for (i = 0; i < 10; i++) {
        fixture_follow(&follower[i], &flight, FIXTURE_LONG);
    }
    while (fixture_have_ended(follower, 10) < 2) { /* one leaves at the end of each lease */
        apr_sleep(1000);
    }
    flights_end(&leader, FLIGHTS_LANDED, NOW, 0);
    for (i = 0; i < 10; i++) {
        flights_outcome_e outcome = fixture_followed(&follower[i]);

        relieved += outcome == FLIGHTS_RELIEVED;
        landed += outcome == FLIGHTS_LANDED;
    }
    is_int(relieved + landed, 10, "each of them leads, or is served: %d, %d", relieved, landed);
    ok(relieved >= 2 && landed >= 1, "one for each lease");
}

static void test_stream(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(64, NULL, pool);
    flights_flight_t leader, follower;
    apr_time_t end = NOW + FIXTURE_LONG;

    fixture_join(flights, 1, NOW, &leader);
    fixture_join(flights, 1, NOW, &follower);
    flights_stream(&leader, NOW + SECOND, FIXTURE_LONG);
    is_int(flights_wait(&follower, end, 0), FLIGHTS_TIMEUP, "a body of unknown length: waited for");
    is_int(flights_wait(&follower, end + SECOND, FIXTURE_LONG), FLIGHTS_UNCACHEABLE,
           "for one lease after its head");
    is_int(fixture_peek(flights, 1, end + SECOND), FLIGHTS_PASS, "then it counts as a stream");
    flights_end(&leader, FLIGHTS_LANDED, end + SECOND, 0);
    is_int(fixture_peek(flights, 1, end + SECOND), FLIGHTS_LEAD, "until it ends, and is stored");

    fixture_join(flights, 2, NOW, &leader);
    flights_stream(&leader, NOW, FIXTURE_LONG);
    flights_end(&leader, FLIGHTS_LANDED, NOW, 0);
    fixture_join(flights, 2, NOW, &leader);
    is_int(fixture_join(flights, 2, end, &follower), FLIGHTS_LEAD, "the next flight is none");
}

static void test_remember(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(64, NULL, pool);
    flights_flight_t leader;
    char name[16];

    flights_remember(flights, fixture_key(name, 1), NOW, SECOND);
    is_int(fixture_peek(flights, 1, NOW), FLIGHTS_PASS, "remembered without a leader");
    flights_remember(flights, fixture_key(name, 1), NOW, 2 * SECOND);
    is_int(fixture_peek(flights, 1, NOW + SECOND), FLIGHTS_PASS, "for longer");
    is_int(fixture_join(flights, 1, NOW + 2 * SECOND, &leader), FLIGHTS_LEAD, "its time is over");
    flights_remember(flights, fixture_key(name, 1), NOW, FIXTURE_LONG);
    is_int(fixture_peek(flights, 1, NOW + 2 * SECOND), FLIGHTS_FOLLOW, "if it is led its leader tells");
    flights_end(&leader, FLIGHTS_LANDED, NOW, 0);
    is_int(fixture_join(flights, 1, NOW + 3 * SECOND, &leader), FLIGHTS_LEAD, "and led again");
}

static void test_limits(apr_pool_t *pool)
{
    flights_limits_t limits = { 2, 3 };
    flights_t *flights = fixture_table(64, &limits, pool);
    flights_flight_t leader[2], flight;
    follower_t follower[3];
    flights_stat_t stat;
    int i;

    for (i = 0; i < 2; i++) {
        fixture_join(flights, (unsigned)i, NOW, &leader[i]);
    }
    fixture_follow(&follower[0], &leader[0], FIXTURE_LONG);
    fixture_follow(&follower[1], &leader[0], FIXTURE_LONG);
    fixture_await_waiters(&leader[0], 2);
    fixture_join(flights, 0, NOW, &flight);
    is_int(flights_wait(&flight, NOW, FIXTURE_LONG), FLIGHTS_CROWDED, "two wait for one key");
    fixture_follow(&follower[2], &leader[1], FIXTURE_LONG);
    fixture_await_waiters(&leader[1], 1);
    is_int(flights_wait(&leader[1], NOW, FIXTURE_LONG), FLIGHTS_CROWDED, "three in total");
    flights_stat(flights, NOW, &stat);
    is_int(stat.waiting, 3, "three are counted");
    is_int(stat.in_flight, 2, "and two flights");
    flights_end(&leader[0], FLIGHTS_LANDED, NOW, 0);
    is_int(fixture_followed(&follower[0]), FLIGHTS_LANDED, "woken");
    is_int(fixture_followed(&follower[1]), FLIGHTS_LANDED, "both");
    is_int(flights_wait(&leader[1], NOW, 1000), FLIGHTS_TIMEUP, "there is room again");
    flights_end(&leader[1], FLIGHTS_UNCACHEABLE, NOW, SECOND);
    is_int(fixture_followed(&follower[2]), FLIGHTS_UNCACHEABLE, "the other one's outcome");
    flights_stat(flights, NOW, &stat);
    is_int(stat.waiting, 0, "nobody waits");
    is_int(stat.in_flight, 0, "nothing is in flight");
    is_int(stat.remembered, 1, "one is remembered");
    flights_stat(flights, NOW + SECOND, &stat);
    is_int(stat.remembered, 0, "for its time");

    limits.per_key = 0;
    flights = fixture_table(16, &limits, pool);
    fixture_join(flights, 0, NOW, &flight);
    is_int(flights_wait(&flight, NOW, FIXTURE_LONG), FLIGHTS_CROWDED, "nobody may wait");
}

/* Without being woken a waiter would look once in 50 ms. One quick wait of twenty is enough. */
static void test_wake(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(16, NULL, pool);
    int quick = 0, i;

    for (i = 0; i < 20; i++) {
        flights_flight_t leader;
        follower_t follower;
        apr_time_t start;

        fixture_join(flights, 1, NOW, &leader);
        start = apr_time_now();
        fixture_follow(&follower, &leader, FIXTURE_LONG);
        fixture_await_waiters(&leader, 1);
        apr_sleep(1000);
        flights_end(&leader, FLIGHTS_LANDED, NOW, 0);
        fixture_followed(&follower);
        quick += apr_time_now() - start < 25000;
    }
    ok(quick > 0, "a waiter is woken");
}

static void test_full(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(16, NULL, pool);
    flights_flight_t leader[16], flight, follower;
    int i, led = 0, kept = 0;

    for (i = 0; i < 16; i++) {
        led += fixture_join(flights, (unsigned)i, NOW, &leader[i]) == FLIGHTS_LEAD;
    }
    is_int(led, 16, "a table of one set holds 16 flights");
    is_int(fixture_join(flights, 99, NOW, &flight), FLIGHTS_FULL, "and no more");
    is_int(fixture_join(flights, 7, NOW, &follower), FLIGHTS_FOLLOW, "each of them is followed");
    for (i = 0; i < 16; i++) {
        int order = (i * 5) % 16; /* the order in which they end is not that of the slots */

        flights_end(&leader[order], FLIGHTS_UNCACHEABLE, NOW, FIXTURE_LONG);
        fixture_join(flights, 100, NOW + i, &flight);
        flights_end(&flight, FLIGHTS_FAILED, NOW, 0);
    }
    for (i = 0; i < 16; i++) {
        kept += fixture_peek(flights, (unsigned)i, NOW) == FLIGHTS_PASS;
    }
    is_int(kept, 15, "the memory of one has given way to flights, which then used that slot again");

    flights = fixture_table(16, NULL, pool);
    for (i = 0; i < 16; i++) {
        unsigned key = (unsigned)(i * 5) % 16;

        fixture_join(flights, key, NOW + i, &flight);
        flights_end(&flight, FLIGHTS_UNCACHEABLE, NOW + i, FIXTURE_LONG);
    }
    for (i = 0; i < 8; i++) {
        fixture_join(flights, 100 + (unsigned)i, NOW + 100, &leader[i]);
    }
    kept = 0;
    for (i = 0; i < 16; i++) {
        kept += (fixture_peek(flights, (unsigned)(i * 5) % 16, NOW) == FLIGHTS_PASS) == (i >= 8);
    }
    is_int(kept, 16, "what was remembered gives way, the oldest first");
    for (i = 8; i < 16; i++) {
        fixture_join(flights, 100 + (unsigned)i, NOW + 100, &leader[i]);
    }
    is_int(fixture_join(flights, 99, NOW + 100, &flight), FLIGHTS_FULL, "flights do not");
    is_int(fixture_join(flights, 99, NOW + 100 + FIXTURE_LONG, &flight), FLIGHTS_LEAD,
           "unless their lease is over");
    for (i = 0; i < 16; i++) {
        flights_renew(&leader[i], NOW + 3 * FIXTURE_LONG, FIXTURE_LONG);
        flights_end(&leader[i], FLIGHTS_UNCACHEABLE, NOW, FIXTURE_LONG);
    }
    is_int(fixture_peek(flights, 99, NOW + 100 + FIXTURE_LONG), FLIGHTS_FOLLOW,
           "whose former leaders don't end what has taken their place");
    is_int(fixture_peek(flights, 99, NOW + 100 + 2 * FIXTURE_LONG), FLIGHTS_LEAD,
           "nor renew it");

    flights = fixture_table(16, NULL, pool);
    for (i = 0; i < 16; i++) {
        fixture_join(flights, (unsigned)i, NOW, &leader[i]);
    }
    fixture_join(flights, 3, NOW, &follower);
    flights_end(&leader[3], FLIGHTS_LANDED, NOW, 0);
    is_int(fixture_join(flights, 99, NOW, &flight), FLIGHTS_LEAD, "the place of one that landed");
    is_int(flights_wait(&follower, NOW, FIXTURE_LONG), FLIGHTS_FAILED,
           "an outcome that is overwritten: start again");
}

static void test_attach_again(apr_pool_t *pool)
{
    apr_size_t size = flights_size(16), i;
    unsigned char *memory = fixture_memory(size);
    flights_t *first = NULL, *second = NULL;
    flights_flight_t leader, flight;
    apr_uint64_t random = 4;

    for (i = 0; i < size; i++) {
        memory[i] = (unsigned char)(fixture_random(&random) >> 20);
    }
    is_status(flights_attach(&first, memory, size, 0, NULL, pool), APR_SUCCESS,
              "garbage is made a table");
    flights_child_init(first);
    is_int(fixture_join(first, 1, NOW, &leader), FLIGHTS_LEAD, "which works");
    fixture_join(first, 2, NOW, &flight);
    flights_end(&flight, FLIGHTS_UNCACHEABLE, NOW, FIXTURE_LONG);
    is_status(flights_attach(&second, memory, size, 0, NULL, pool), APR_SUCCESS, "found again");
    flights_child_init(second);
    is_int(fixture_join(second, 1, NOW, &flight), FLIGHTS_FOLLOW, "with its flights");
    ok(flights_same(&leader, &flight), "whatever the handle");
    is_int(fixture_peek(second, 2, NOW), FLIGHTS_PASS, "and what is remembered");
    flights_end(&leader, FLIGHTS_LANDED, NOW, 0);
    is_int(flights_wait(&flight, NOW, FIXTURE_LONG), FLIGHTS_LANDED, "both see the same");
    memory[16] ^= 1;
    flights_attach(&second, memory, size, 0, NULL, pool);
    is_int(fixture_peek(second, 2, NOW), FLIGHTS_LEAD, "another version is made anew");
    flights_child_init(second);
    fixture_join(second, 1, NOW, &leader);
    flights_attach(&second, memory, size, 1, NULL, pool);
    is_int(fixture_peek(second, 1, NOW), FLIGHTS_LEAD, "and so is a fresh one");

    /* A stamp that is right, and garbage behind it: no crash, no endless search. */
    for (i = 64; i < size; i++) {
        memory[i] = i % 960 >= 128 ? (unsigned char)(fixture_random(&random) >> 20) : memory[i];
    }
    flights_attach(&second, memory, size, 0, NULL, pool);
    flights_child_init(second);
    for (i = 0; i < 50; i++) {
        fixture_join(second, (unsigned)i, NOW, &flight);
        flights_wait(&flight, NOW, 1);
        flights_end(&flight, FLIGHTS_UNCACHEABLE, NOW, SECOND);
    }
    ok(1, "garbage behind a right stamp is survived");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    alarm(300);
    test_attach(pool);
    test_roles(pool);
    test_uncacheable(pool);
    test_lease(pool);
    test_relief(pool);
    test_slow(pool);
    test_stream(pool);
    test_remember(pool);
    test_limits(pool);
    test_wake(pool);
    test_full(pool);
    test_attach_again(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
