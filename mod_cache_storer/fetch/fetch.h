/* SPDX-License-Identifier: Apache-2.0
 *
 * fetch.h - the life of one fetch: the phase that a request is in between its look-up and the end of
 * its response, and the only function that ends a fetch for the requests that wait for it.
 *
 * Called by everything that sees a request change: look-ups (provider_read.c), the store path
 * (provider_write.c), the hooks, and the rest of fetch/. Knows the table of flights and the claim in
 * the store; knows nothing of httpd, so that t/unit/test_fetch.c walks the whole table by itself.
 *
 * ## Phases
 *
 *   phase      | leads?  | what is true in it
 *   -----------+---------+----------------------------------------------------------------------------
 *   IDLE       | no      | the request looks up, is served from the store, or is not the cache's; a
 *              |         | background request waits for its turn in the queue
 *   WAITING    | no      | it waits for another request's fetch
 *   ASKING     | may     | its handler is on its way to the origin; no head of a response has come
 *   STORING    | may     | the head is in the store; the body goes to the client and to the store
 *   FINISHING  | may     | as STORING, but the client has all that it asked for, or has gone
 *   STORED     | no      | over: the response, or the 304 that confirms one, is in the store
 *   DECLINED   | no      | over: the response is not stored
 *
 * To *lead* is to have the key in the table of flights: other requests wait for the fetch. A fetch that
 * does not lead (hit-for-miss, a full table, a request that has waited in vain) goes through the same
 * phases, and nobody is told how it ends.
 *
 * ## Events
 *
 * Each event names the phases in which it may happen, the phase that follows and, if it ends the fetch,
 * what the waiting requests are told. fetch_table[] in fetch.c is this table as code:
 *
 *   event          | phases it happens in        | phase after | waiters are told    | remembered
 *   ---------------+-----------------------------+-------------+---------------------+-----------
 *   WAIT           | IDLE                        | WAITING     |                     |
 *   WAKE           | WAITING                     | IDLE        |                     |
 *   ASK            | IDLE, WAITING               | ASKING      |                     |
 *   HEAD_STORED    | IDLE, ASKING, DECLINED      | STORING     |                     |
 *   CLIENT_SERVED  | STORING                     | FINISHING   |                     |
 *   FOUND          | ASKING                      | IDLE        | LANDED              |
 *   WAITED_IN_VAIN | ASKING                      | ASKING      | UNCACHEABLE         | short
 *   STORED         | STORING, FINISHING, DECLINED| STORED      | LANDED              |
 *   NOT_STORABLE   | all but WAITING             | DECLINED    | UNCACHEABLE         | long
 *   TOO_LARGE      | all but WAITING             | DECLINED    | UNCACHEABLE         | long
 *   UNWANTED       | all but WAITING             | DECLINED    | UNCACHEABLE         | long
 *   REDIRECTED     | all but WAITING             | DECLINED    | UNCACHEABLE         | long
 *   UPGRADED       | all but WAITING             | DECLINED    | UNCACHEABLE         | long
 *   PARTIAL        | all but WAITING             | DECLINED    | FAILED              |
 *   ORIGIN_FAILED  | all but WAITING             | DECLINED    | UNCACHEABLE         | short
 *   STORE_FAILED   | all but WAITING             | DECLINED    | UNCACHEABLE         | short
 *   BROKEN_OFF     | all but WAITING             | DECLINED    | FAILED              |
 *   CONTRADICTED   | all but WAITING             | DECLINED    | FAILED              |
 *   PURGED         | all but WAITING             | DECLINED    | DIED                |
 *   CLIENT_GONE    | all but WAITING             | DECLINED    | FAILED              |
 *   TIMED_OUT      | all but WAITING             | DECLINED    | FAILED              |
 *   OVER           | all                         | DECLINED    | FAILED              |
 *
 * What a fetch that does not lead, because the key is remembered as uncacheable, finds so again is
 * remembered for another time.
 *
 * The first event that ends a fetch decides: in STORED and DECLINED every further end is ignored, since
 * httpd tells the module about one failure in several places. HEAD_STORED in IDLE is a response that
 * mod_cache has not looked up (a request with no-cache); in DECLINED it is the response behind an
 * internal redirect that keeps its request.
 */
#ifndef FETCH_H
#define FETCH_H

#include "claim.h"

#include "../../storage/flights.h"

/** How long requests for a response that is not stored do not wait for each other ("hit-for-miss"). A
 * store of the key ends it early. */
#define FETCH_REMEMBER_LONG (APR_INT64_C(120) * APR_USEC_PER_SEC)

/** The same for a failure, which may be over soon. */
#define FETCH_REMEMBER_SHORT (APR_INT64_C(1) * APR_USEC_PER_SEC)

typedef enum fetch_phase_e {
    FETCH_IDLE,
    FETCH_WAITING,
    FETCH_ASKING,
    FETCH_STORING,
    FETCH_FINISHING,
    FETCH_STORED,
    FETCH_DECLINED
} fetch_phase_e;

typedef enum fetch_event_e {
    /* the fetch goes on */
    FETCH_EVENT_WAIT,           /**< another request fetches the key, and this one waits for it */
    FETCH_EVENT_WAKE,           /**< that fetch is over: look up again */
    FETCH_EVENT_ASK,            /**< the request goes on to the origin */
    FETCH_EVENT_HEAD_STORED,    /**< the head of the response is in the store */
    FETCH_EVENT_CLIENT_SERVED,  /**< the client needs no more, and the rest is fetched for the store */
    /* the fetch ends for those who wait, and not for the request */
    FETCH_EVENT_FOUND,          /**< the leader has found that another one stored it just before */
    FETCH_EVENT_WAITED_IN_VAIN, /**< another machine did not store it: nobody waits any longer */
    /* it ends well */
    FETCH_EVENT_STORED,         /**< stored, or confirmed by a 304 */
    /* the response is not stored, and the next one will not be either */
    FETCH_EVENT_NOT_STORABLE,   /**< by HTTP's rules, or by the configuration */
    FETCH_EVENT_TOO_LARGE,      /**< as announced, or as it came */
    FETCH_EVENT_UNWANTED,       /**< a client wants a part, and there is too much besides it */
    FETCH_EVENT_REDIRECTED,     /**< an internal redirect goes on under another key */
    FETCH_EVENT_UPGRADED,       /**< the connection speaks another protocol from now on */
    /* not stored, and the next one may be */
    FETCH_EVENT_PARTIAL,        /**< a part, or a 304 for the client: it tells nothing of the whole */
    FETCH_EVENT_ORIGIN_FAILED,  /**< an error of the origin, or of httpd in its place */
    FETCH_EVENT_STORE_FAILED,   /**< the store does not take it now */
    FETCH_EVENT_BROKEN_OFF,     /**< the body ended before its end */
    FETCH_EVENT_CONTRADICTED,   /**< a 304 that does not fit what is stored: it is asked for again */
    FETCH_EVENT_PURGED,         /**< what was fetched was purged meanwhile */
    FETCH_EVENT_CLIENT_GONE,    /**< and what is missing is not fetched without it */
    FETCH_EVENT_TIMED_OUT,      /**< a fetch without a client took too long */
    FETCH_EVENT_OVER,           /**< the request is over, and told nothing of the above */
    FETCH_EVENT_COUNT
} fetch_event_e;

/** What an event does. */
typedef struct fetch_rule_t {
    unsigned            phases;    /**< in which it may happen, a bit for each: 1u << phase */
    fetch_phase_e       after;
    flights_outcome_e   outcome;   /**< what the waiters are told; meaningful if `ends` */
    apr_interval_time_t remember;  /**< for UNCACHEABLE */
    unsigned            ends:1;    /**< it ends the fetch for the waiters */
    unsigned            closes:1;  /**< `after` is a last phase, in which further ends are ignored */
} fetch_rule_t;

/** The fetch of one request. All zero: IDLE. Only fetch.c writes `phase`. */
typedef struct fetch_t {
    fetch_phase_e    phase;
    flights_flight_t flight;      /**< led if flight.leads; the flight that is followed in WAITING */
    claim_t          claim;       /**< the same among all machines that share the store */
    flights_t       *flights;     /**< the table that was asked; NULL: none was */
    storer_bytes_t   key;         /**< with this key */
    apr_time_t       wait_until;  /**< for other requests' fetches; 0: has not waited */
    apr_time_t       elsewhere_since; /**< another machine fetches it; 0: none has */
    storer_bytes_t   waited_for;  /**< the key whose fetch landed, if waits > 0 */
    unsigned         waits;       /**< for fetches that landed */
    unsigned         waits_again; /**< for fetches that were purged, or whose process died */
    unsigned         alone:1;     /**< it waits for no other request */
    unsigned         passes:1;    /**< hit-for-miss: nobody waits for it, and nothing is rearranged */
    unsigned         collapsed:1; /**< served by what another request fetched meanwhile */
} fetch_t;

/** The rule of an event; a constant. */
const fetch_rule_t *fetch_rule(fetch_event_e event);

/** Whether other requests may wait for this fetch. */
int fetch_leads(const fetch_t *fetch);

/** Whether the response is stored, or on its way into the store. */
int fetch_is_storing(const fetch_t *fetch);

/**
 * Something has happened. The only function that changes a phase, and the only one that ends a flight
 * and a claim. An event that the phase does not allow is a bug of ours, and asserted.
 */
void fetch_happens(fetch_t *fetch, fetch_event_e event, apr_time_t now);

/** Take what `from` leads into another fetch, of another request: `from` leads nothing afterwards. */
void fetch_hand_over(fetch_t *from, fetch_t *to);

#endif /* FETCH_H */
