/* SPDX-License-Identifier: Apache-2.0
 *
 * flights_wait.c - see flights.h: followers, how many there may be, how they sleep, and who of them
 * looks whether the leader is still alive.
 *
 * A waiter sleeps on its slot's word until that changes. *One waiter of each process is on watch*
 * for a slot: it wakes every 50 ms, asks the system about the leader unless another process has
 * just done so, and wakes the others if there is something to see. It is the one whose own timeout
 * comes last, so that nobody is left without a watch when it goes; and one of each process, since
 * all of a process die together. So a waiter wakes within 50 ms of the end of its flight even if
 * whoever ended it died before it could wake anybody.
 */
#include "flights_table.h"
#include "storer_private.h"

#include <limits.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__) && !defined(FLIGHTS_WITHOUT_FUTEX)
#include <sys/syscall.h>
#endif

/* Without a futex: how long a change of the word may go unseen. */
#define POLL_US 5000

/* Fits into a long everywhere. */
#define LONGEST_SLEEP_US INT64_C(600000000)

/* A watch: generation (its low bits) and the end of the watcher's timeout, in ms. */
#define WATCH_TIME_BITS 40

#if defined(SYS_futex) && !defined(FLIGHTS_WITHOUT_FUTEX)

#define FUTEX_OPERATION_WAIT 0 /* as in <linux/futex.h>, not the private ones */
#define FUTEX_OPERATION_WAKE 1

/* The kernel's own, which does not follow the C library's time_t. */
typedef struct pause_t {
    long seconds, nanoseconds;
} pause_t;

/* Sleeps while the word is as given, no longer than that; it may wake for no reason. */
static void sleep_on(flights_slot_t *slot, uint32_t word, int64_t microseconds)
{
    pause_t pause = { (long)(microseconds / 1000000), (long)(microseconds % 1000000 * 1000) };

    syscall(SYS_futex, &slot->word, FUTEX_OPERATION_WAIT, word, &pause, NULL, 0);
}

void flights_wake(flights_slot_t *slot)
{
    syscall(SYS_futex, &slot->word, FUTEX_OPERATION_WAKE, INT_MAX, NULL, NULL, 0);
}

#else

static void sleep_on(flights_slot_t *slot, uint32_t word, int64_t microseconds)
{
    struct timespec pause = { 0, (microseconds < POLL_US ? microseconds : POLL_US) * 1000 };

    if (__atomic_load_n(&slot->word, __ATOMIC_ACQUIRE) == word) {
        nanosleep(&pause, NULL);
    }
}

void flights_wake(flights_slot_t *slot)
{
    (void)slot;
}

#endif

/* ------------------------------------------------------------------------------------------------
 * Places for waiters
 * --------------------------------------------------------------------------------------------- */

/* Who waits for this flight, among so many places. */
static unsigned count(const flights_flight_t *flight, uint32_t places)
{
    const flights_t *flights = flight->flights;
    uint64_t wanted = flights_waiter(0, flight->slot, flight->generation);
    unsigned found = 0;
    uint32_t i;

    for (i = 0; i < places; i++) {
        uint64_t waiter = __atomic_load_n(&flights->waiters[i], __ATOMIC_RELAXED);

        found += waiter != 0 && (waiter & FLIGHTS_MASK(FLIGHTS_TAG_BITS)) == wanted;
    }
    return found;
}

/* The limit in total is that of the places which are looked at. The lock is for the limit per key:
 * of two who come at once the second must see the first. */
static uint64_t *claim_locked(const flights_flight_t *flight)
{
    const flights_t *flights = flight->flights;
    uint64_t waiter = flights_waiter(flights->ticket, flight->slot, flight->generation);
    uint32_t i;

    if (count(flight, flights->limits.in_total) >= flights->limits.per_key) {
        return NULL;
    }
    for (i = 0; i < flights->limits.in_total; i++) {
        uint64_t nobody = 0;

        if (__atomic_load_n(&flights->waiters[i], __ATOMIC_RELAXED) == 0
            && __atomic_compare_exchange_n(&flights->waiters[i], &nobody, waiter, 0,
                                           __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            FLIGHTS_FAULT_POINT("place claimed");
            return &flights->waiters[i];
        }
    }
    return NULL;
}

static uint64_t *try_claim(const flights_flight_t *flight)
{
    flights_set_t *set = &flight->flights->sets[flight->slot / FLIGHTS_WAYS];
    uint64_t *place;

    if (!flights_lock(set)) {
        return NULL;
    }
    place = claim_locked(flight);
    pthread_mutex_unlock(&set->lock);
    return place;
}

static uint64_t *claim(const flights_flight_t *flight)
{
    uint64_t *place = try_claim(flight);

    if (!place && flights_look_at_all(flight->flights)) {
        place = try_claim(flight); /* the dead no longer count */
    }
    return place;
}

unsigned flights_waiters(const flights_flight_t *flight)
{
    return flight->flights ? count(flight, flight->flights->waiter_count) : 0;
}

/* ------------------------------------------------------------------------------------------------
 * Waiting
 * --------------------------------------------------------------------------------------------- */

typedef struct wait_t {
    flights_flight_t *flight;
    flights_slot_t *slot;
    apr_time_t      now;       /* when the wait began, by the caller's clock */
    int64_t         start;     /* and by ours */
    int64_t         deadline;  /* by ours */
    int             on_watch;
} wait_t;

/* Has it ended, and how? */
static int has_ended(const flights_flight_t *flight, uint32_t word, flights_outcome_e *outcome)
{
    if (FLIGHTS_GENERATION(word) != flight->generation) {
        *outcome = FLIGHTS_FAILED;
        return 1;
    }
    switch (FLIGHTS_STATE(word)) {
    case FLIGHTS_FLYING:
        return 0;
    case FLIGHTS_STORED:
        *outcome = FLIGHTS_LANDED;
        return 1;
    case FLIGHTS_REMEMBERED:
        *outcome = FLIGHTS_UNCACHEABLE;
        return 1;
    case FLIGHTS_ORPHANED:
        *outcome = FLIGHTS_DIED;
        return 1;
    default:
        *outcome = FLIGHTS_FAILED;
        return 1;
    }
}

/* Takes the watch over unless it is in better hands: of a later generation, or staying longer. A
 * watch whose time is over is an earlier flight's. */
static int is_on_watch(const wait_t *wait, int64_t clock)
{
    uint64_t *watch = &wait->flight->flights->watch[wait->flight->slot];
    uint64_t time_mask = FLIGHTS_MASK(WATCH_TIME_BITS);
    uint64_t mine = (uint64_t)wait->flight->generation << WATCH_TIME_BITS
                    | ((uint64_t)(wait->deadline / 1000) & time_mask);
    uint64_t held = __atomic_load_n(watch, __ATOMIC_ACQUIRE);

    while (held != mine) {
        /* generations are counted in a circle: the nearer half of it is ahead */
        uint32_t ahead = (uint32_t)((held >> WATCH_TIME_BITS) - (mine >> WATCH_TIME_BITS)) << 8;
        int better = ahead ? ahead <= INT32_MAX : (held & time_mask) > (mine & time_mask);

        if (better && (held & time_mask) >= (uint64_t)clock / 1000) {
            return 0;
        }
        if (__atomic_compare_exchange_n(watch, &held, mine, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            return 1;
        }
    }
    return 1;
}

/* Has nobody, in any process, looked at the leader just now? Then the caller does. */
static int is_time_to_look(flights_slot_t *slot, int64_t clock)
{
    uint32_t now = (uint32_t)(clock / 1000);
    uint32_t last = __atomic_load_n(&slot->looked_at, __ATOMIC_RELAXED);

    return now - last >= FLIGHTS_LOOK_MS / 2
           && __atomic_compare_exchange_n(&slot->looked_at, &last, now, 0, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED);
}

/* The lease is over. A stream is waited for no longer; else one waiter leads as well, and the
 * others wait on for whichever fetch ends first. @return 1: this one leads; 0: look again */
static int relieve(const wait_t *wait, apr_time_t now)
{
    flights_flight_t *flight = wait->flight;
    flights_slot_t *slot = wait->slot;

    if (__atomic_load_n(&slot->stream, __ATOMIC_ACQUIRE)) {
        int64_t until = __atomic_load_n(&slot->until, __ATOMIC_ACQUIRE);

        (void)__atomic_compare_exchange_n(&slot->until, &until, now + FLIGHTS_REMEMBER_STREAM, 0,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
        (void)flights_finish(slot, flight->generation, FLIGHTS_REMEMBERED);
        return 0;
    }
    flight->leads = flights_relieve(flight->flights, slot, flight->generation, now);
    return flight->leads != 0;
}

/* One round. @return 1: it is over; 0: look again */
static int wait_once(wait_t *wait, flights_outcome_e *outcome)
{
    flights_t *flights = wait->flight->flights;
    flights_slot_t *slot = wait->slot;
    int64_t clock = flights_clock(), pause = wait->deadline - clock, lease, now;
    uint32_t word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE), marked;

    if (has_ended(wait->flight, word, outcome)) {
        if (wait->on_watch) {
            flights_wake(slot); /* whose task it was may have died before it came to it */
        }
        return 1;
    }
    if (pause <= 0) {
        *outcome = FLIGHTS_TIMEUP;
        return 1;
    }
    now = wait->now + clock - wait->start;
    lease = __atomic_load_n(&slot->until, __ATOMIC_ACQUIRE) - now;
    if (lease <= 0) {
        *outcome = FLIGHTS_RELIEVED;
        return relieve(wait, now);
    }
    pause = lease < pause ? lease : pause;
    pause = pause < LONGEST_SLEEP_US ? pause : LONGEST_SLEEP_US;
    wait->on_watch = is_on_watch(wait, clock);
    if (wait->on_watch) {
        if (is_time_to_look(slot, clock)
            && !flights_look_at(flights, __atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE))) {
            return 0;
        }
        pause = pause < FLIGHTS_LOOK_MS * 1000 ? pause : FLIGHTS_LOOK_MS * 1000;
    }
    marked = word | FLIGHTS_WAITED;
    if (word == marked
        || __atomic_compare_exchange_n(&slot->word, &word, marked, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE)) {
        FLIGHTS_FAULT_POINT("about to sleep");
        sleep_on(slot, marked, pause);
    }
    return 0;
}

flights_outcome_e flights_wait(flights_flight_t *flight, apr_time_t now,
                               apr_interval_time_t timeout)
{
    flights_outcome_e outcome = FLIGHTS_FAILED;
    wait_t wait = { flight, NULL, now, 0, 0, 0 };
    uint64_t *place;
    int over;

    if (!flight->flights) {
        return FLIGHTS_FAILED;
    }
    wait.slot = flights_slot(flight->flights, flight->slot);
    if (has_ended(flight, __atomic_load_n(&wait.slot->word, __ATOMIC_ACQUIRE), &outcome)) {
        return outcome;
    }
    if (flight->flights->ticket == 0) {
        return FLIGHTS_CROWDED;
    }
    wait.start = flights_clock();
    place = claim(flight);
    if (!place) {
        return FLIGHTS_CROWDED;
    }
    wait.deadline = timeout > INT64_MAX - wait.start ? INT64_MAX : wait.start + timeout;
    do {
        over = wait_once(&wait, &outcome);
    } while (!over);
    __atomic_store_n(place, 0, __ATOMIC_RELEASE);
    return outcome;
}
