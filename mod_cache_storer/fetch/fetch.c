/* SPDX-License-Identifier: Apache-2.0
 *
 * fetch.c - see fetch.h.
 */
#include "fetch.h"

#include <assert.h>
#include <string.h>

#define IN(phase) (1u << (phase))
#define LAST      (IN(FETCH_STORED) | IN(FETCH_DECLINED))
#define ALL       (IN(FETCH_DECLINED) * 2 - 1)
#define AWAKE     (ALL & ~IN(FETCH_WAITING))

#define GOES_ON(phases, after) { (phases), (after), FLIGHTS_FAILED, 0, 0, 0 }
#define ENDS(phases, after, outcome, remember) { (phases), (after), (outcome), (remember), 1, 1 }

static const fetch_rule_t fetch_table[FETCH_EVENT_COUNT] = {
    [FETCH_EVENT_WAIT] = GOES_ON(IN(FETCH_IDLE), FETCH_WAITING),
    [FETCH_EVENT_WAKE] = GOES_ON(IN(FETCH_WAITING), FETCH_IDLE),
    [FETCH_EVENT_ASK] = GOES_ON(IN(FETCH_IDLE) | IN(FETCH_WAITING), FETCH_ASKING),
    [FETCH_EVENT_HEAD_STORED] = GOES_ON(IN(FETCH_IDLE) | IN(FETCH_ASKING) | IN(FETCH_DECLINED),
                                        FETCH_STORING),
    [FETCH_EVENT_CLIENT_SERVED] = GOES_ON(IN(FETCH_STORING), FETCH_FINISHING),

    [FETCH_EVENT_FOUND] = { IN(FETCH_ASKING), FETCH_IDLE, FLIGHTS_LANDED, 0, 1, 0 },
    [FETCH_EVENT_WAITED_IN_VAIN] = { IN(FETCH_ASKING), FETCH_ASKING, FLIGHTS_UNCACHEABLE,
                                     FETCH_REMEMBER_SHORT, 1, 0 },
    [FETCH_EVENT_STORED] = ENDS(IN(FETCH_STORING) | IN(FETCH_FINISHING) | LAST, FETCH_STORED,
                                FLIGHTS_LANDED, 0),

    [FETCH_EVENT_NOT_STORABLE] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_UNCACHEABLE,
                                      FETCH_REMEMBER_LONG),
    [FETCH_EVENT_TOO_LARGE] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_UNCACHEABLE,
                                   FETCH_REMEMBER_LONG),
    [FETCH_EVENT_UNWANTED] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_UNCACHEABLE, FETCH_REMEMBER_LONG),
    [FETCH_EVENT_REDIRECTED] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_UNCACHEABLE,
                                    FETCH_REMEMBER_LONG),
    [FETCH_EVENT_UPGRADED] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_UNCACHEABLE, FETCH_REMEMBER_LONG),

    [FETCH_EVENT_PARTIAL] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_FAILED, 0),
    [FETCH_EVENT_ORIGIN_FAILED] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_UNCACHEABLE,
                                       FETCH_REMEMBER_SHORT),
    [FETCH_EVENT_STORE_FAILED] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_UNCACHEABLE,
                                      FETCH_REMEMBER_SHORT),

    [FETCH_EVENT_BROKEN_OFF] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_FAILED, 0),
    [FETCH_EVENT_CONTRADICTED] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_FAILED, 0),
    [FETCH_EVENT_PURGED] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_DIED, 0),
    [FETCH_EVENT_CLIENT_GONE] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_FAILED, 0),
    [FETCH_EVENT_TIMED_OUT] = ENDS(AWAKE, FETCH_DECLINED, FLIGHTS_FAILED, 0),
    [FETCH_EVENT_OVER] = ENDS(ALL, FETCH_DECLINED, FLIGHTS_FAILED, 0),
};

/* A flight is led in these phases only. */
static int may_lead(fetch_phase_e phase)
{
    return phase == FETCH_ASKING || phase == FETCH_STORING || phase == FETCH_FINISHING;
}

const fetch_rule_t *fetch_rule(fetch_event_e event)
{
    return &fetch_table[event];
}

int fetch_leads(const fetch_t *fetch)
{
    return fetch->flight.leads;
}

int fetch_is_storing(const fetch_t *fetch)
{
    return fetch->phase == FETCH_STORING || fetch->phase == FETCH_FINISHING
           || fetch->phase == FETCH_STORED;
}

static void end_flight(fetch_t *fetch, const fetch_rule_t *rule, apr_time_t now)
{
    if (fetch->flight.leads) {
        claim_end(&fetch->claim);
        flights_end(&fetch->flight, rule->outcome, now, rule->remember);
    }
    else if (fetch->passes && fetch->flights && rule->remember == FETCH_REMEMBER_LONG) {
        flights_remember(fetch->flights, fetch->key, now, rule->remember);
    }
}

void fetch_happens(fetch_t *fetch, fetch_event_e event, apr_time_t now)
{
    const fetch_rule_t *rule = &fetch_table[event];

    assert(event < FETCH_EVENT_COUNT);
    assert(rule->phases & IN(fetch->phase));
    if (rule->closes && (IN(fetch->phase) & LAST)) {
        return;
    }
    if (rule->ends) {
        end_flight(fetch, rule, now);
    }
    fetch->phase = rule->after;
    assert(!fetch->flight.leads || may_lead(fetch->phase));
}

void fetch_hand_over(fetch_t *from, fetch_t *to)
{
    assert(!to->flight.leads);
    to->flight = from->flight;
    to->claim = from->claim;
    memset(&from->flight, 0, sizeof(from->flight));
    memset(&from->claim, 0, sizeof(from->claim));
}
