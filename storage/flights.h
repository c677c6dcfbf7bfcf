/* SPDX-License-Identifier: Apache-2.0
 *
 * flights.h - which fetches are in flight, in shared memory: with it any number of concurrent cold
 * requests for one key, in any process, become one fetch from the origin.
 *
 * Called by the host. Knows keys and processes; knows nothing of stores, values or HTTP, keeps no
 * text of a key, and allocates nothing after flights_attach(). README.md has the picture of a
 * slot's states and the argument why a process may die at any point.
 *
 * ## How it is used
 *
 *   1. look the key up in the store; on a miss
 *   2. flights_join():
 *      LEAD    look up *once more*: an earlier flight may have landed between the steps 1 and 2.
 *              Found: flights_end(LANDED). Else fetch and store, flights_renew() as the fetch makes
 *              progress, and flights_end() in any case, by a cleanup; the sooner the outcome is
 *              known (an uncacheable head of a response), the better.
 *      FOLLOW  flights_wait(). LANDED: back to step 1. RELIEVED: the caller leads now, as well as
 *      those
 *              who led before. DIED: join again. Else fetch without asking.
 *      PASS    fetch without asking: what comes will not be stored ("hit-for-miss").
 *      FULL    fetch without asking.
 *   3. whoever stores a value without having led calls flights_forget().
 *
 * A caller must not wait for itself: a subrequest whose main request leads the same flight asks
 * flights_same() before it waits.
 *
 * A key is known here by a 128-bit hash (XXH3) with the table's own random seed. Were two keys to
 * collide, one would wait for the other in vain; nobody gets a wrong response, since each looks in
 * the store by its own key.
 *
 * ## Time
 *
 * `now` and leases are in microseconds since 1970, as everywhere. Only flights_wait() reads a clock
 * of its own, the monotonic one, and adds what it waited to the `now` that it was given.
 *
 * ## Across machines
 *
 * The table is for one machine. In a store that several machines share its leader also claims the
 * key there (storer_claim) before it fetches, with flights_identity() as the owner: so there is one
 * leader of all machines. Where another machine has the claim the leader looks again from time to
 * time, and its followers notice nothing of it: neither roles nor outcomes change. The next leader
 * of the same machine takes over the claim of one that died.
 */
#ifndef STORER_FLIGHTS_H
#define STORER_FLIGHTS_H

#include "storer.h"

/** Changes with the layout: belongs into the name under which the memory is retained, so that
 * processes of two releases never share a table. */
#define FLIGHTS_LAYOUT_VERSION 2

/** Most slots of a table. */
#define FLIGHTS_SLOTS_MAX 16384

/** A table, as one process sees it. */
typedef struct flights_t flights_t;

/** How many may wait. Of the process, not of the table: after a restart older children keep theirs.
 * */
typedef struct flights_limits_t {
    apr_uint32_t per_key;   /**< for one flight; 0: nobody waits */
    apr_uint32_t in_total;  /**< in all processes together; at most four for each slot */
} flights_limits_t;

/** One flight, led or followed. A value: copied freely, needs no release, may outlive the flight.
 * All zero: none. */
typedef struct flights_flight_t {
    flights_t   *flights;     /**< NULL: none */
    apr_uint32_t slot;
    apr_uint32_t generation;  /**< of the slot: tells this flight from those before and after it */
    apr_uint32_t leads;       /**< its number among the leaders, who end it; 0: it only follows */
} flights_flight_t;

typedef enum flights_role_e {
    FLIGHTS_LEAD,    /**< nobody fetches it: the caller does, and must flights_end() */
    FLIGHTS_FOLLOW,  /**< somebody does: flights_wait() */
    FLIGHTS_PASS,    /**< remembered as uncacheable */
    FLIGHTS_FULL     /**< no room to know: fetch without collapsing */
} flights_role_e;

typedef enum flights_outcome_e {
    FLIGHTS_LANDED,       /**< stored: look again */
    FLIGHTS_UNCACHEABLE,  /**< will not be stored */
    FLIGHTS_FAILED,       /**< the leader gave up, or the outcome was overwritten before it was read */
    FLIGHTS_DIED,         /**< the leader's process died, or it says so of its fetch: that tells nothing
                               about the key, and who waits begins anew, one for all */
    FLIGHTS_RELIEVED,     /**< the leader's lease is over: the caller leads as well, as after
                               FLIGHTS_LEAD, and is the only waiter who does */
    FLIGHTS_TIMEUP,       /**< the caller's own timeout */
    FLIGHTS_CROWDED       /**< did not wait: the limits are reached */
} flights_outcome_e;

/** For how long a stream is remembered as uncacheable, see flights_stream(). */
#define FLIGHTS_REMEMBER_STREAM (APR_INT64_C(120) * APR_USEC_PER_SEC)

typedef struct flights_stat_t {
    apr_uint32_t slots;
    apr_uint32_t in_flight;
    apr_uint32_t waiting;     /**< includes waiters of a dead process for as long as that has not been
                                   noticed */
    apr_uint32_t remembered;
} flights_stat_t;

/** Bytes for a table of at least that many flights and remembered keys (rounded up to 16, at most
 * FLIGHTS_SLOTS_MAX), as many processes and four times as many waiters: about 100 for each slot. */
apr_size_t flights_size(apr_uint32_t slots);

/**
 * The table at `base`. Parent, one thread, before it forks.
 * @param base   shared memory, aligned to 64, mapped at the same address in all processes that use
 *               it, and for as long as they do. The caller's.
 * @param size   from flights_size()
 * @param fresh  0: it may hold a table, perhaps in use by older children now: taken over as it is
 * if
 *               it is one of this size and layout, else made anew. 1: made anew.
 * @param limits copied; NULL: as many as there is room for
 * @param pool   for the handle, which lives as long
 * @return APR_SUCCESS; APR_EINVAL: base or size can't be right; or why there is no lock or seed
 */
apr_status_t flights_attach(flights_t **out, void *base, apr_size_t size, int fresh,
                            const flights_limits_t *limits, apr_pool_t *pool);

/**
 * Makes this process known to the others. Each child, before its threads start; also a parent that
 * serves by itself. Without it, or after a failure, flights_join() says FULL. May be repeated.
 * @return APR_SUCCESS; APR_ENOSPC: as many processes use the table already as it has slots
 */
apr_status_t flights_child_init(flights_t *flights);

/* Any thread of any process, from here on. Only flights_wait() blocks. flights_join() may be held
 * up by a process that was stopped while it held a lock: for 0.2 s, then it is FULL. */

/**
 * Who fetches this key? Makes the caller its leader if nobody does, or if the lease of those who do
 * is over: then all of them lead, and the first one to store it ends the flight.
 * @param lease   longest time without flights_renew() for which the caller alone is believed to
 * fetch;
 *                after each lease one of the waiters, or the next caller, leads as well
 * @param flight  set for LEAD and FOLLOW, zeroed otherwise
 */
flights_role_e flights_join(flights_t *flights, storer_bytes_t key, apr_time_t now,
                            apr_interval_time_t lease, flights_flight_t *flight);

/** What flights_join() would say; changes nothing. FLIGHTS_LEAD: nothing is known of the key. */
flights_role_e flights_peek(const flights_t *flights, storer_bytes_t key, apr_time_t now);

/** Whether anybody fetches this key, even if the lease is over. */
int flights_is_led(const flights_t *flights, storer_bytes_t key);

/**
 * Wait until the flight ends, at most `timeout`. Blocks this thread in the system, which wakes it
 * (on Linux; elsewhere it looks each 5 ms). The death of the leader's process is noticed within
 * about 50 ms.
 * @param flight  from flights_join(), recently or long ago; may have ended. Led after RELIEVED
 * @param now     the time at which the call begins
 */
flights_outcome_e flights_wait(flights_flight_t *flight, apr_time_t now,
                               apr_interval_time_t timeout);

/**
 * The flight is over. Wakes all who wait, at once. No lock; a system call only if somebody waits.
 * Does nothing if the caller does not lead it or has ended it. Zeroes *flight.
 * @param outcome  LANDED; UNCACHEABLE; FAILED or DIED, which end nothing while a later leader is on its
 *                 way
 * @param remember UNCACHEABLE: for how long flights_join() says PASS
 */
void flights_end(flights_flight_t *flight, flights_outcome_e outcome, apr_time_t now,
                 apr_interval_time_t remember);

/** The fetch makes progress: the lease runs until now + lease, if it did not run longer already.
 * Does nothing where flights_end() would do nothing. No lock. */
void flights_renew(const flights_flight_t *flight, apr_time_t now, apr_interval_time_t lease);

/**
 * The response has begun, and its length is not known. It may be a page that is made while it is
 * sent, or a stream that never ends: if it has not ended by now + lease, the waiters are told
 * UNCACHEABLE, and the key is remembered so until somebody stores it. No lock.
 */
void flights_stream(const flights_flight_t *flight, apr_time_t now, apr_interval_time_t lease);

/** Remember a key as uncacheable, by somebody who does not lead it. Does nothing while it is led.
 * */
void flights_remember(flights_t *flights, storer_bytes_t key, apr_time_t now,
                      apr_interval_time_t remember);

/** How many wait for it now. Reads all places of waiters: not for each byte of a body. */
unsigned flights_waiters(const flights_flight_t *flight);

/** The same flight, whoever leads it? */
int flights_same(const flights_flight_t *one, const flights_flight_t *other);

/** A value was stored for this key: it is no longer remembered as uncacheable. No lock. */
void flights_forget(flights_t *flights, storer_bytes_t key);

/** A number that this table has and no other, on whatever machine, for as long as it is not made
 * anew. */
apr_uint64_t flights_identity(const flights_t *flights);

/** Counts what is there now. Reads the whole table. */
void flights_stat(const flights_t *flights, apr_time_t now, flights_stat_t *stat);

#endif /* STORER_FLIGHTS_H */
