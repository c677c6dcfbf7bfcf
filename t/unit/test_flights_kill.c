/* SPDX-License-Identifier: Apache-2.0
 *
 * test_flights_kill.c - processes that lead, wait, or just use the table are killed by SIGKILL: the
 * others are told, exactly one of them leads next, and nothing of the dead counts for ever.
 *
 * Leases and timeouts are an hour: being told at all means that the death was noticed.
 */
#include "flights_fixture.h"
#include "tap.h"

#include <apr_general.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#define KEY        1
#define PROCESSES  4
#define THREADS    5
#define CLIENTS    (PROCESSES * THREADS)
#define TABLE      16

/* Shared by all. */
typedef struct board_t {
    int leading;    /* the victim has begun */
    int stored;     /* the value is in the "store" */
    int fetches;    /* after the victim's */
    int at_once;    /* fetches that run now */
    int two_leaders;
    int served;
    int wrong;
} board_t;

typedef struct client_t {
    flights_t *flights;
    board_t   *board;
    pthread_t  thread;
} client_t;

static void fetch(board_t *board, flights_flight_t *flight)
{
    if (!fixture_get(&board->stored)) {
        fixture_add(&board->fetches, 1);
        if (fixture_add(&board->at_once, 1) != 1) {
            fixture_add(&board->two_leaders, 1);
        }
        fixture_add(&board->at_once, -1);
        fixture_add(&board->stored, 1);
    }
    flights_end(flight, FLIGHTS_LANDED, FIXTURE_NOW, 0);
}

/* A cold request as in flights.h: look, join, look again, fetch or wait. */
static void *request(void *data)
{
    client_t *client = data;
    board_t *board = client->board;
    flights_flight_t flight;

    while (!fixture_get(&board->stored)) {
        flights_role_e role = fixture_join(client->flights, KEY, FIXTURE_NOW, &flight);

        if (role == FLIGHTS_LEAD) {
            fetch(board, &flight);
        }
        else if (role == FLIGHTS_FOLLOW) {
            flights_outcome_e outcome = flights_wait(&flight, FIXTURE_NOW, FIXTURE_LONG);

            if (outcome != FLIGHTS_LANDED && outcome != FLIGHTS_DIED) {
                fixture_add(&board->wrong, 1);
            }
        }
        else {
            fixture_add(&board->wrong, 1);
        }
    }
    fixture_add(&board->served, 1);
    return NULL;
}

static void begin_requests(flights_t *flights, board_t *board, client_t *client, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        client[i].flights = flights;
        client[i].board = board;
        if (pthread_create(&client[i].thread, NULL, request, &client[i]) != 0) {
            _exit(TAP_CHILD_FAILED);
        }
    }
}

static pid_t fork_clients(flights_t *flights, board_t *board)
{
    client_t client[THREADS];
    pid_t pid = fork();
    int i;

    if (pid == 0) {
        if (flights_child_init(flights) != APR_SUCCESS) {
            _exit(TAP_CHILD_FAILED);
        }
        begin_requests(flights, board, client, THREADS);
        for (i = 0; i < THREADS; i++) {
            pthread_join(client[i].thread, NULL);
        }
        _exit(0);
    }
    return pid;
}

/* Leads the key, with so many clients of its own that wait for it, and is killed. */
static pid_t fork_leader(flights_t *flights, board_t *board, int followers)
{
    client_t client[THREADS];
    flights_flight_t flight;
    pid_t pid = fork();

    if (pid == 0) {
        if (flights_child_init(flights) != APR_SUCCESS
            || fixture_join(flights, KEY, FIXTURE_NOW, &flight) != FLIGHTS_LEAD) {
            _exit(TAP_CHILD_FAILED);
        }
        begin_requests(flights, board, client, followers);
        fixture_add(&board->leading, 1);
        for (;;) {
            pause();
        }
    }
    return pid;
}

static void test_leader(apr_pool_t *pool, int own_followers)
{
    flights_t *flights = fixture_table(64, NULL, pool);
    board_t *board = fixture_memory(sizeof(*board));
    pid_t leader = fork_leader(flights, board, own_followers), pid[PROCESSES];
    flights_flight_t flight;
    flights_stat_t stat;
    int i, failed = 0;

    fixture_await(&board->leading, 1);
    is_int(fixture_join(flights, KEY, FIXTURE_NOW, &flight), FLIGHTS_FOLLOW,
           "%d waiters beside the leader: it leads", own_followers);
    for (i = 0; i < PROCESSES; i++) {
        pid[i] = fork_clients(flights, board);
    }
    fixture_await_waiters(&flight, (unsigned)(CLIENTS + own_followers));
    kill(leader, SIGKILL);
    is_int(tap_wait(leader), -SIGKILL, "the leader is killed while all wait");
    for (i = 0; i < PROCESSES; i++) {
        failed += tap_wait(pid[i]) != 0;
    }
    is_int(failed, 0, "the others go on");
    is_int(board->served, CLIENTS, "everybody is served");
    is_int(board->fetches, 1, "after one more fetch");
    is_int(board->two_leaders + board->wrong, 0, "no two leaders, no wrong role or outcome");
    is_int(flights_wait(&flight, FIXTURE_NOW, FIXTURE_LONG), FLIGHTS_DIED, "of that flight they know");
    flights_stat(flights, FIXTURE_NOW, &stat);
    is_int(stat.in_flight, 0, "nothing is left in flight");
    is_int(stat.waiting, 0, "nobody is left waiting, the leader's companions included");
}

/* A zombie is as dead as one that was waited for: httpd's parent is not always quick. */
static void test_zombie(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(64, NULL, pool);
    board_t *board = fixture_memory(sizeof(*board));
    pid_t leader = fork_leader(flights, board, 0);
    flights_flight_t flight;

    fixture_await(&board->leading, 1);
    fixture_join(flights, KEY, FIXTURE_NOW, &flight);
    kill(leader, SIGKILL);
    is_int(flights_wait(&flight, FIXTURE_NOW, FIXTURE_LONG), FLIGHTS_DIED,
           "killed and not yet waited for: dead");
    is_int(tap_wait(leader), -SIGKILL, "killed");
}

static void test_waiters(apr_pool_t *pool)
{
    flights_limits_t limits = { THREADS, THREADS };
    flights_t *flights = fixture_table(64, &limits, pool);
    board_t *board = fixture_memory(sizeof(*board));
    flights_flight_t flight;
    flights_outcome_e outcome;
    follower_t follower;
    pid_t pid;

    fixture_join(flights, KEY, FIXTURE_NOW, &flight);
    pid = fork_clients(flights, board);
    fixture_await_waiters(&flight, THREADS);
    is_int(flights_wait(&flight, FIXTURE_NOW, FIXTURE_LONG), FLIGHTS_CROWDED,
           "as many wait as may");
    kill(pid, SIGKILL);
    is_int(tap_wait(pid), -SIGKILL, "their process is killed");
    do {
        outcome = flights_wait(&flight, FIXTURE_NOW, 1000);
    } while (outcome == FLIGHTS_CROWDED);
    is_int(outcome, FLIGHTS_TIMEUP, "others may wait in their place");
    is_int(flights_waiters(&flight), 0, "the dead are no longer counted");
    fixture_follow(&follower, &flight, FIXTURE_LONG);
    fixture_await_waiters(&flight, 1);
    flights_end(&flight, FLIGHTS_LANDED, FIXTURE_NOW, 0);
    is_int(fixture_followed(&follower), FLIGHTS_LANDED, "and are woken");
}

/* A process leads so many keys that the table is full. */
static pid_t fork_hoarder(flights_t *flights, board_t *board)
{
    flights_flight_t flight;
    pid_t pid = fork();
    unsigned i;

    if (pid == 0) {
        if (flights_child_init(flights) != APR_SUCCESS) {
            _exit(TAP_CHILD_FAILED);
        }
        for (i = 0; i < TABLE; i++) {
            fixture_join(flights, 100 + i, FIXTURE_NOW, &flight);
        }
        fixture_add(&board->leading, 1);
        for (;;) {
            pause();
        }
    }
    return pid;
}

static void test_full(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(TABLE, NULL, pool);
    board_t *board = fixture_memory(sizeof(*board));
    pid_t pid = fork_hoarder(flights, board);
    flights_flight_t flight;
    flights_role_e role;

    fixture_await(&board->leading, 1);
    is_int(fixture_join(flights, KEY, FIXTURE_NOW, &flight), FLIGHTS_FULL, "the table is full");
    kill(pid, SIGKILL);
    is_int(tap_wait(pid), -SIGKILL, "the leader of all is killed");
    do {
        role = fixture_join(flights, KEY, FIXTURE_NOW, &flight);
    } while (role == FLIGHTS_FULL);
    is_int(role, FLIGHTS_LEAD, "there is room, though nobody waited");
    is_int(fixture_join(flights, 100, FIXTURE_NOW, &flight), FLIGHTS_LEAD, "for its keys, too");
}

static pid_t fork_user(flights_t *flights, board_t *board)
{
    flights_flight_t flight;
    pid_t pid = fork();

    if (pid == 0) {
        if (flights_child_init(flights) != APR_SUCCESS
            || fixture_join(flights, (unsigned)getpid(), FIXTURE_NOW, &flight) != FLIGHTS_LEAD) {
            _exit(TAP_CHILD_FAILED);
        }
        flights_end(&flight, FLIGHTS_LANDED, FIXTURE_NOW, 0);
        fixture_add(&board->leading, 1);
        for (;;) {
            pause();
        }
    }
    return pid;
}

static void test_many_processes(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(TABLE, NULL, pool);
    board_t *board = fixture_memory(sizeof(*board));
    pid_t pid[TABLE], late;
    int i, killed = 0;

    for (i = 0; i < 3 * TABLE; i++) {
        late = fork_user(flights, board);
        fixture_await(&board->leading, i + 1);
        kill(late, SIGKILL);
        killed += tap_wait(late) == -SIGKILL;
    }
    is_int(killed, 3 * TABLE, "more processes in turn than a table has places for");
    for (i = 0; i < TABLE - 1; i++) {
        pid[i] = fork_user(flights, board);
    }
    fixture_await(&board->leading, 4 * TABLE - 1);
    late = fork();
    if (late == 0) {
        _exit(flights_child_init(flights) == APR_ENOSPC ? 0 : TAP_CHILD_FAILED);
    }
    is_int(tap_wait(late), 0, "one more than there are places for, this process included");
    for (i = 0; i < TABLE - 1; i++) {
        kill(pid[i], SIGKILL);
        killed += tap_wait(pid[i]) == -SIGKILL;
    }
    is_int(killed, 4 * TABLE - 1, "all of them got a place and led");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    alarm(300);
    test_leader(pool, 0);
    test_leader(pool, 3);
    test_zombie(pool);
    test_waiters(pool);
    test_full(pool);
    test_many_processes(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
