/* SPDX-License-Identifier: Apache-2.0
 *
 * test_flights_threads.c - eight processes of eight threads each join, wait and end at full speed: a
 * key never has two leaders, everybody gets an outcome, nothing is left. Under the thread sanitizer
 * it shows that what is read without a lock is read in order.
 *
 * Also built as test_flights_poll, for systems without a futex.
 */
#include "flights_fixture.h"
#include "tap.h"

#include <apr_general.h>

#include <sched.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#define PROCESSES 8
#define THREADS   8
#define KEYS      5

/* Who joins or waits gives a lock up after a time, which a slow machine may well need: so it tries
 * again, but a table that is really full stays so. */
#define TRIES 100

/* Shared by all. */
typedef struct board_t {
    int leaders[KEYS];
    int turns, led, landed, uncacheable, failed;
    int passed, two_leaders, wrong_outcome, full;
} board_t;

typedef struct worker_t {
    flights_t   *flights;
    board_t     *board;
    apr_uint64_t random;
    int          turns;
    pthread_t    thread;
} worker_t;

static void lead(worker_t *worker, unsigned key, flights_flight_t *flight)
{
    int *leaders = &worker->board->leaders[key];
    unsigned dice = (unsigned)(fixture_random(&worker->random) % 16), i;

    if (fixture_add(leaders, 1) != 1) {
        fixture_add(&worker->board->two_leaders, 1);
    }
    for (i = 0; i < dice; i++) {
        sched_yield();
    }
    flights_renew(flight, FIXTURE_NOW + dice, FIXTURE_LONG);
    fixture_add(&worker->board->led, 1);
    fixture_add(leaders, -1);
    flights_end(flight, dice < 10 ? FLIGHTS_LANDED : dice < 13 ? FLIGHTS_FAILED
                                                               : FLIGHTS_UNCACHEABLE,
                FIXTURE_NOW, dice % 2 ? FIXTURE_LONG : 0);
}

static flights_outcome_e await(flights_flight_t *flight)
{
    flights_outcome_e outcome;
    int tries = 0;

    do {
        outcome = flights_wait(flight, FIXTURE_NOW, FIXTURE_LONG);
        tries++;
    } while (outcome == FLIGHTS_CROWDED && tries < TRIES);
    return outcome;
}

static void follow(board_t *board, flights_flight_t *flight)
{
    switch (await(flight)) {
    case FLIGHTS_LANDED:
        fixture_add(&board->landed, 1);
        break;
    case FLIGHTS_UNCACHEABLE:
        fixture_add(&board->uncacheable, 1);
        break;
    case FLIGHTS_FAILED:
        fixture_add(&board->failed, 1);
        break;
    default:
        fixture_add(&board->wrong_outcome, 1);
        break;
    }
}

static flights_role_e join(const worker_t *worker, unsigned key, flights_flight_t *flight)
{
    flights_role_e role;
    int tries = 0;

    do {
        role = fixture_join(worker->flights, key, FIXTURE_NOW, flight);
        tries++;
    } while (role == FLIGHTS_FULL && tries < TRIES);
    return role;
}

static void turn(worker_t *worker)
{
    unsigned key = (unsigned)(fixture_random(&worker->random) % KEYS);
    flights_flight_t flight;
    char name[16];

    switch (join(worker, key, &flight)) {
    case FLIGHTS_LEAD:
        lead(worker, key, &flight);
        break;
    case FLIGHTS_FOLLOW:
        follow(worker->board, &flight);
        break;
    case FLIGHTS_PASS:
        fixture_add(&worker->board->passed, 1);
        flights_forget(worker->flights, fixture_key(name, key));
        break;
    default:
        fixture_add(&worker->board->full, 1);
        break;
    }
    fixture_add(&worker->board->turns, 1);
}

static void *work(void *data)
{
    worker_t *worker = data;
    int i;

    for (i = 0; i < worker->turns; i++) {
        turn(worker);
    }
    return NULL;
}

/* All threads of one process. */
static void run(flights_t *flights, board_t *board, int number, int turns)
{
    worker_t worker[THREADS];
    int i;

    for (i = 0; i < THREADS; i++) {
        worker[i].flights = flights;
        worker[i].board = board;
        worker[i].random = (apr_uint64_t)(number * THREADS + i) * 977 + 13;
        worker[i].turns = turns;
        if (pthread_create(&worker[i].thread, NULL, work, &worker[i]) != 0) {
            _exit(TAP_CHILD_FAILED);
        }
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(worker[i].thread, NULL);
    }
}

static void judge(const flights_t *flights, const board_t *board, int turns, const char *who)
{
    flights_stat_t stat;

    is_int(board->turns, turns, "%s: everybody came to an end", who);
    is_int(board->two_leaders, 0, "%s: never two leaders of a key", who);
    is_int(board->wrong_outcome, 0, "%s: everybody who waited got the outcome of a flight", who);
    is_int(board->full, 0, "%s: there was room", who);
    is_int(board->led + board->landed + board->uncacheable + board->failed + board->passed,
           turns, "%s: each turn had one role", who);
    note("%s: %d led, %d landed, %d uncacheable, %d failed, %d passed", who, board->led,
         board->landed, board->uncacheable, board->failed, board->passed);
    flights_stat(flights, FIXTURE_NOW, &stat);
    is_int(stat.in_flight, 0, "%s: nothing is left in flight", who);
    is_int(stat.waiting, 0, "%s: nobody is left waiting", who);
}

static void child(flights_t *flights, board_t *board, int number, int turns)
{
    if (flights_child_init(flights) != APR_SUCCESS) {
        _exit(TAP_CHILD_FAILED);
    }
    run(flights, board, number, turns);
    _exit(0);
}

int main(void)
{
    int turns = tap_slow() ? 40 : 1000, failed = 0, i;
    board_t *threads = fixture_memory(sizeof(*threads));
    board_t *processes = fixture_memory(sizeof(*processes));
    pid_t pid[PROCESSES];
    flights_t *flights;
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    alarm(300);
    flights = fixture_table(32, NULL, pool);
    for (i = 0; i < PROCESSES; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            child(flights, processes, i, turns);
        }
    }
    for (i = 0; i < PROCESSES; i++) {
        failed += tap_wait(pid[i]) != 0;
    }
    is_int(failed, 0, "all processes ended well");
    judge(flights, processes, PROCESSES * THREADS * turns, "8 processes of 8 threads");
    run(flights, threads, PROCESSES, turns);
    judge(flights, threads, THREADS * turns, "8 threads");
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
