/* SPDX-License-Identifier: Apache-2.0
 *
 * test_flights_crash.c - a process dies by SIGKILL at each step of joining, waiting and ending in
 * turn. Whoever waited for it is told, and the table is as good as before.
 *
 * Built with fault points: the table calls flights_fault_point at each step that others can see.
 */
#include "flights_fixture.h"
#include "flights_table.h"
#include "tap.h"

#include <apr_general.h>

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define TABLE      16
#define FOLLOWERS  3
#define FIRST      100     /* of the keys that are remembered before anything happens */
#define ENDS       1000    /* the key of the flight that others wait for */

#define SLEEP      -2      /* instead of a number of steps: dies about to sleep */
#define BURY       -3      /* or when it has found somebody dead */

static long points_left = -1;  /* -1: nobody dies */

void flights_fault_point(const char *name)
{
    /* How often a waiter goes to sleep depends on the clock, and is not counted. */
    if (strcmp(name, "about to sleep") == 0 || strcmp(name, "buried") == 0) {
        if (points_left == (*name == 'a' ? SLEEP : BURY)) {
            raise(SIGKILL);
        }
    }
    else if (points_left >= 0 && points_left-- == 0) {
        raise(SIGKILL);
    }
}

/* Shared with the one who dies. */
typedef struct board_t {
    int leading;   /* ENDS is led */
    int go;        /* its followers wait */
    int ending;    /* it is about to end ENDS */
} board_t;

/* What others know of the table afterwards. Shared by all runs. */
typedef struct tally_t {
    int deaths, deaths_landed, wrong_outcome, wrong_memory, not_led, left;
} tally_t;

/* The table's 16 places: 15 remembered, so that each new flight takes one of these away, and ENDS. */
static void victim(flights_t *flights, board_t *board, long dies_after)
{
    flights_flight_t ends, flight, follower;
    unsigned i;

    if (flights_child_init(flights) != APR_SUCCESS
        || fixture_join(flights, ENDS, FIXTURE_NOW, &ends) != FLIGHTS_LEAD) {
        _exit(TAP_CHILD_FAILED);
    }
    fixture_add(&board->leading, 1);
    fixture_await(&board->go, 1);
    points_left = dies_after;
    for (i = 0; i < 3; i++) {
        fixture_join(flights, i, FIXTURE_NOW, &flight);
        fixture_join(flights, i, FIXTURE_NOW, &follower);
        flights_wait(&follower, FIXTURE_NOW, dies_after == SLEEP ? FIXTURE_LONG : 0);
        flights_end(&flight, i == 0 ? FLIGHTS_UNCACHEABLE : FLIGHTS_LANDED, FIXTURE_NOW,
                    FIXTURE_LONG);
    }
    fixture_add(&board->ending, 1);
    flights_end(&ends, FLIGHTS_LANDED, FIXTURE_NOW, 0);
    _exit(0);
}

static void fill(flights_t *flights)
{
    flights_flight_t flight;
    unsigned i;

    for (i = 0; i < TABLE - 1; i++) {
        fixture_join(flights, FIRST + i, FIXTURE_NOW, &flight);
        flights_end(&flight, FLIGHTS_UNCACHEABLE, FIXTURE_NOW, FIXTURE_LONG);
    }
}

/* Each key is led once, whatever became of the dead. */
static void look_after(flights_t *flights, tally_t *tally)
{
    flights_flight_t flight;
    flights_stat_t stat;
    unsigned i;

    /* keys that nobody called uncacheable */
    for (i = 1; i < FIRST; i++) {
        tally->wrong_memory += fixture_peek(flights, i, FIXTURE_NOW) == FLIGHTS_PASS;
    }
    for (i = 0; i < TABLE; i++) {
        tally->not_led += fixture_join(flights, 2000 + i, FIXTURE_NOW, &flight) != FLIGHTS_LEAD;
        tally->not_led += fixture_join(flights, 2000 + i, FIXTURE_NOW, &flight) != FLIGHTS_FOLLOW;
    }
    flights_stat(flights, FIXTURE_NOW, &stat);
    tally->left += (int)stat.waiting + (int)stat.remembered + ((int)stat.in_flight != TABLE);
}

/* Three threads that wait for ENDS must get what became of it. */
static void follow(flights_t *flights, board_t *board, tally_t *tally)
{
    follower_t follower[FOLLOWERS];
    flights_flight_t ends;
    int i;

    fixture_join(flights, ENDS, FIXTURE_NOW, &ends);
    for (i = 0; i < FOLLOWERS; i++) {
        /* the first one stays longest and so has the watch; the others sleep until they are woken */
        fixture_follow(&follower[i], &ends, FIXTURE_LONG * (FOLLOWERS - i));
        fixture_await_waiters(&ends, (unsigned)i + 1);
    }
    fixture_add(&board->go, 1);
    for (i = 0; i < FOLLOWERS; i++) {
        flights_outcome_e outcome = fixture_followed(&follower[i]);

        /* it lands in one step, which is the first of ending it */
        tally->wrong_outcome += outcome != (fixture_get(&board->ending) ? FLIGHTS_LANDED
                                                                        : FLIGHTS_DIED);
    }
}

/* One table, whose leader dies after that many points. */
static void run(long point, tally_t *tally, apr_pool_t *pool)
{
    flights_t *flights = fixture_table(TABLE, NULL, pool);
    board_t *board = fixture_memory(sizeof(*board));
    pid_t pid;
    int status;

    fill(flights);
    pid = fork();
    if (pid == 0) {
        victim(flights, board, point);
    }
    fixture_await(&board->leading, 1);
    follow(flights, board, tally);
    status = tap_wait(pid);
    if (status != 0 && status != -SIGKILL) {
        _exit(TAP_CHILD_FAILED);
    }
    while (!flights_look_at_all(flights)) {
        sched_yield();
    }
    look_after(flights, tally);
    tally->deaths += status == -SIGKILL;
    tally->deaths_landed += status == -SIGKILL && board->ending;
    _exit(0);
}

/* In a process of its own: so no process forks while it has threads. @return 0: nobody died */
static int run_apart(long point, tally_t *tally, apr_pool_t *pool)
{
    int deaths = tally->deaths;
    pid_t pid = fork();

    if (pid == 0) {
        run(point, tally, pool);
    }
    if (tap_wait(pid) != 0) {
        bail_out("step %ld: the run failed", point);
    }
    return tally->deaths - deaths;
}

/* Uses the table and dies of the next thing that kills it. */
static pid_t fork_user(flights_t *flights, board_t *board, int leads)
{
    flights_flight_t flight;
    pid_t pid = fork();

    if (pid == 0) {
        if (flights_child_init(flights) != APR_SUCCESS) {
            _exit(TAP_CHILD_FAILED);
        }
        if (leads) {
            fixture_join(flights, ENDS, FIXTURE_NOW, &flight);
        }
        fixture_add(&board->leading, 1);
        for (;;) {
            pause();
        }
    }
    return pid;
}

/* A leader dies; whoever finds that out dies, too, before it has cleared up; and then a new process
 * gets the leader's place in the table. It must not be taken for the leader. */
static void test_heir(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(TABLE, NULL, pool);
    board_t *board = fixture_memory(sizeof(*board));
    pid_t leader = fork_user(flights, board, 1), finder, heir;
    flights_flight_t ends;

    fixture_await(&board->leading, 1);
    kill(leader, SIGKILL);
    tap_wait(leader);
    finder = fork();
    if (finder == 0) {
        points_left = BURY;
        while (!flights_look_at_all(flights)) {
            sched_yield();
        }
        _exit(0);
    }
    is_int(tap_wait(finder), -SIGKILL, "died when it had found the leader dead");
    heir = fork_user(flights, board, 0);
    fixture_await(&board->leading, 2);
    fixture_join(flights, ENDS, FIXTURE_NOW, &ends);
    is_int(flights_wait(&ends, FIXTURE_NOW, FIXTURE_LONG), FLIGHTS_DIED,
           "the next process is not taken for it");
    kill(heir, SIGKILL);
    tap_wait(heir);
}

int main(void)
{
    tally_t *tally = fixture_memory(sizeof(*tally));
    apr_pool_t *pool;
    long point = 0;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    alarm(300);
    is_int(run_apart(SLEEP, tally, pool), 1, "died when about to sleep");
    while (run_apart(point, tally, pool)) {
        point++;
    }
    is_int(tally->deaths, point + 1, "and at each step");
    ok(point > 20, "which were %ld", point);
    is_int(tally->deaths_landed, 1, "one of them between landing and waking");
    is_int(tally->wrong_outcome, 0, "everybody who waited was told, and the truth");
    is_int(tally->wrong_memory, 0, "no key is taken for uncacheable by mistake");
    is_int(tally->not_led, 0, "each key can be led, and by one");
    is_int(tally->left, 0, "nothing of the dead is left");
    test_heir(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
