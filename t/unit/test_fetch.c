/* SPDX-License-Identifier: Apache-2.0
 *
 * test_fetch.c - mod_cache_storer/fetch/fetch.c: every event in every phase, with the phase that
 * follows and what a waiting request is told; events that a phase does not allow abort.
 */
#include "../../mod_cache_storer/fetch/fetch.h"
#include "flights_fixture.h"
#include "tap.h"

#include <apr_general.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PHASES (FETCH_DECLINED + 1)
#define NO     (-1)   /* not allowed */

/* As fetch.h draws it: for each phase, the phase after the event. */
typedef struct row_t {
    fetch_event_e event;
    const char   *name;
    int           after[PHASES]; /* IDLE, WAITING, ASKING, STORING, FINISHING, STORED, DECLINED */
    int           told;          /* flights_outcome_e of a follower; NO: the fetch goes on */
    apr_interval_time_t remember;
} row_t;

#define I FETCH_IDLE
#define W FETCH_WAITING
#define A FETCH_ASKING
#define S FETCH_STORING
#define F FETCH_FINISHING
#define T FETCH_STORED
#define D FETCH_DECLINED

static const row_t rows[] = {
    { FETCH_EVENT_WAIT, "WAIT", { W, NO, NO, NO, NO, NO, NO }, NO, 0 },
    { FETCH_EVENT_WAKE, "WAKE", { NO, I, NO, NO, NO, NO, NO }, NO, 0 },
    { FETCH_EVENT_ASK, "ASK", { A, A, NO, NO, NO, NO, NO }, NO, 0 },
    { FETCH_EVENT_HEAD_STORED, "HEAD_STORED", { S, NO, S, NO, NO, NO, S }, NO, 0 },
    { FETCH_EVENT_CLIENT_SERVED, "CLIENT_SERVED", { NO, NO, NO, F, NO, NO, NO }, NO, 0 },
    { FETCH_EVENT_FOUND, "FOUND", { NO, NO, I, NO, NO, NO, NO }, FLIGHTS_LANDED, 0 },
    { FETCH_EVENT_WAITED_IN_VAIN, "WAITED_IN_VAIN", { NO, NO, A, NO, NO, NO, NO },
      FLIGHTS_UNCACHEABLE, FETCH_REMEMBER_SHORT },
    { FETCH_EVENT_STORED, "STORED", { NO, NO, NO, T, T, T, D }, FLIGHTS_LANDED, 0 },
    { FETCH_EVENT_NOT_STORABLE, "NOT_STORABLE", { D, NO, D, D, D, T, D }, FLIGHTS_UNCACHEABLE,
      FETCH_REMEMBER_LONG },
    { FETCH_EVENT_TOO_LARGE, "TOO_LARGE", { D, NO, D, D, D, T, D }, FLIGHTS_UNCACHEABLE,
      FETCH_REMEMBER_LONG },
    { FETCH_EVENT_UNWANTED, "UNWANTED", { D, NO, D, D, D, T, D }, FLIGHTS_UNCACHEABLE,
      FETCH_REMEMBER_LONG },
    { FETCH_EVENT_REDIRECTED, "REDIRECTED", { D, NO, D, D, D, T, D }, FLIGHTS_UNCACHEABLE,
      FETCH_REMEMBER_LONG },
    { FETCH_EVENT_UPGRADED, "UPGRADED", { D, NO, D, D, D, T, D }, FLIGHTS_UNCACHEABLE,
      FETCH_REMEMBER_LONG },
    { FETCH_EVENT_PARTIAL, "PARTIAL", { D, NO, D, D, D, T, D }, FLIGHTS_FAILED, 0 },
    { FETCH_EVENT_ORIGIN_FAILED, "ORIGIN_FAILED", { D, NO, D, D, D, T, D }, FLIGHTS_UNCACHEABLE,
      FETCH_REMEMBER_SHORT },
    { FETCH_EVENT_STORE_FAILED, "STORE_FAILED", { D, NO, D, D, D, T, D }, FLIGHTS_UNCACHEABLE,
      FETCH_REMEMBER_SHORT },
    { FETCH_EVENT_BROKEN_OFF, "BROKEN_OFF", { D, NO, D, D, D, T, D }, FLIGHTS_FAILED, 0 },
    { FETCH_EVENT_CONTRADICTED, "CONTRADICTED", { D, NO, D, D, D, T, D }, FLIGHTS_FAILED, 0 },
    { FETCH_EVENT_PURGED, "PURGED", { D, NO, D, D, D, T, D }, FLIGHTS_DIED, 0 },
    { FETCH_EVENT_CLIENT_GONE, "CLIENT_GONE", { D, NO, D, D, D, T, D }, FLIGHTS_FAILED, 0 },
    { FETCH_EVENT_TIMED_OUT, "TIMED_OUT", { D, NO, D, D, D, T, D }, FLIGHTS_FAILED, 0 },
    { FETCH_EVENT_OVER, "OVER", { D, D, D, D, D, T, D }, FLIGHTS_FAILED, 0 },
};

static const char *const phase_names[] = {
    "IDLE", "WAITING", "ASKING", "STORING", "FINISHING", "STORED", "DECLINED"
};

/* The events that lead to a phase. */
static void go_to(fetch_t *fetch, fetch_phase_e phase)
{
    switch (phase) {
    case FETCH_WAITING:
        fetch_happens(fetch, FETCH_EVENT_WAIT, FIXTURE_NOW);
        break;
    case FETCH_ASKING:
        fetch_happens(fetch, FETCH_EVENT_ASK, FIXTURE_NOW);
        break;
    case FETCH_STORING:
        go_to(fetch, FETCH_ASKING);
        fetch_happens(fetch, FETCH_EVENT_HEAD_STORED, FIXTURE_NOW);
        break;
    case FETCH_FINISHING:
        go_to(fetch, FETCH_STORING);
        fetch_happens(fetch, FETCH_EVENT_CLIENT_SERVED, FIXTURE_NOW);
        break;
    case FETCH_STORED:
        go_to(fetch, FETCH_STORING);
        fetch_happens(fetch, FETCH_EVENT_STORED, FIXTURE_NOW);
        break;
    case FETCH_DECLINED:
        fetch_happens(fetch, FETCH_EVENT_OVER, FIXTURE_NOW);
        break;
    case FETCH_IDLE:
    default:
        break;
    }
}

static int leading_phase(fetch_phase_e phase)
{
    return phase == FETCH_ASKING || phase == FETCH_STORING || phase == FETCH_FINISHING;
}

/* An event that is a bug of ours ends the process. */
static void is_refused(const row_t *row, fetch_phase_e phase)
{
    pid_t pid = fork();

    if (pid == 0) {
        fetch_t fetch = { 0 };

        (void)freopen("/dev/null", "w", stderr);
        go_to(&fetch, phase);
        fetch_happens(&fetch, row->event, FIXTURE_NOW);
        _exit(0);
    }
    is_int(tap_wait(pid), -SIGABRT, "%s in %s is refused", row->name, phase_names[phase]);
}

static void test_alone(const row_t *row, fetch_phase_e phase)
{
    fetch_t fetch = { 0 };

    go_to(&fetch, phase);
    is_int(fetch.phase, phase, "in %s", phase_names[phase]);
    fetch_happens(&fetch, row->event, FIXTURE_NOW);
    is_int(fetch.phase, row->after[phase], "%s in %s: the phase after it", row->name,
           phase_names[phase]);
    ok(!fetch_leads(&fetch), "it leads nothing");
}

/* The same for a fetch for which others wait. */
static void test_leading(const row_t *row, fetch_phase_e phase, apr_pool_t *pool)
{
    flights_t *flights = fixture_table(64, NULL, pool);
    fetch_t fetch = { 0 };
    flights_flight_t follower;

    is_int(fixture_join(flights, 1, FIXTURE_NOW, &fetch.flight), FLIGHTS_LEAD, "it leads");
    is_int(fixture_join(flights, 1, FIXTURE_NOW, &follower), FLIGHTS_FOLLOW, "it is followed");
    go_to(&fetch, phase);
    fetch_happens(&fetch, row->event, FIXTURE_NOW);
    if (row->told == NO) {
        ok(fetch_leads(&fetch), "%s in %s: it leads on", row->name, phase_names[phase]);
        is_int(flights_wait(&follower, FIXTURE_NOW, 0), FLIGHTS_TIMEUP, "they wait on");
        return;
    }
    ok(!fetch_leads(&fetch), "%s in %s: it leads no longer", row->name, phase_names[phase]);
    is_int(flights_wait(&follower, FIXTURE_NOW, FIXTURE_LONG), row->told, "they are told");
    is_int(fixture_peek(flights, 1, FIXTURE_NOW + row->remember - 1),
           row->remember ? FLIGHTS_PASS : FLIGHTS_LEAD, "and it is remembered");
    is_int(fixture_peek(flights, 1, FIXTURE_NOW + row->remember), FLIGHTS_LEAD, "for so long");
}

static void test_row(const row_t *row, apr_pool_t *pool)
{
    const fetch_rule_t *rule = fetch_rule(row->event);
    fetch_phase_e phase;

    is_int(rule->ends, row->told != NO, "%s: whether it ends the fetch", row->name);
    for (phase = FETCH_IDLE; phase < PHASES; phase++) {
        is_int((rule->phases >> phase) & 1u, row->after[phase] != NO, "%s in %s: whether it may",
               row->name, phase_names[phase]);
        if (row->after[phase] == NO) {
            is_refused(row, phase);
            continue;
        }
        test_alone(row, phase);
        if (leading_phase(phase)) {
            test_leading(row, phase, pool);
        }
    }
}

/* Hit-for-miss lasts for as long as its requests find it so. */
static void test_passing(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(64, NULL, pool);
    apr_time_t later = FIXTURE_NOW + FETCH_REMEMBER_LONG - 1;
    char name[16];
    fetch_t fetch = { .flights = flights, .key = fixture_key(name, 1), .passes = 1 };
    fetch_t stored = fetch, partial = fetch;

    flights_remember(flights, fetch.key, FIXTURE_NOW, FETCH_REMEMBER_LONG);
    go_to(&partial, FETCH_ASKING);
    fetch_happens(&partial, FETCH_EVENT_PARTIAL, later);
    go_to(&stored, FETCH_STORED);
    is_int(fixture_peek(flights, 1, later + 1), FLIGHTS_LEAD, "it would be over");
    go_to(&fetch, FETCH_ASKING);
    fetch_happens(&fetch, FETCH_EVENT_NOT_STORABLE, later);
    is_int(fixture_peek(flights, 1, later + 1), FLIGHTS_PASS, "it goes on");
    is_int(fixture_peek(flights, 1, later + FETCH_REMEMBER_LONG), FLIGHTS_LEAD, "for so long");
}

static void test_hand_over(apr_pool_t *pool)
{
    flights_t *flights = fixture_table(64, NULL, pool);
    fetch_t from = { 0 }, to = { 0 };
    flights_flight_t follower;

    fixture_join(flights, 1, FIXTURE_NOW, &from.flight);
    fixture_join(flights, 1, FIXTURE_NOW, &follower);
    fetch_hand_over(&from, &to);
    ok(!fetch_leads(&from) && fetch_leads(&to), "handed over");
    fetch_happens(&from, FETCH_EVENT_OVER, FIXTURE_NOW);
    is_int(flights_wait(&follower, FIXTURE_NOW, 0), FLIGHTS_TIMEUP, "the former one ends nothing");
    go_to(&to, FETCH_STORED);
    is_int(flights_wait(&follower, FIXTURE_NOW, FIXTURE_LONG), FLIGHTS_LANDED, "the new one does");
}

int main(void)
{
    apr_pool_t *pool = NULL;
    apr_size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    is_int(sizeof(rows) / sizeof(rows[0]), FETCH_EVENT_COUNT, "all events");
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        is_int((int)rows[i].event, (int)i, "in order");
        test_row(&rows[i], pool);
    }
    test_passing(pool);
    test_hand_over(pool);
    apr_pool_destroy(pool);
    return done_testing();
}
