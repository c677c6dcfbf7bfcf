/* SPDX-License-Identifier: Apache-2.0
 *
 * flights_table.h - the table of flights as it lies in shared memory, and the processes that use it.
 * For the flights*.c only.
 *
 *   +--------+-------------------------------------+-----------+---------+
 *   | header | set: lock, 16 slots | set | set ... | processes | waiters |
 *   +--------+-------------------------------------+-----------+---------+
 *
 * A key can lie in one set only, which bounds each search. Everything but the header and the locks
 * is a word that is read and written atomically. README.md has the states of a slot.
 *
 *   slot word     32 bits   generation 28 | waited for 1 | state 3; it is the futex, too
 *   process word  64 bits   pid 22 | start time 28 (its low bits) | incarnation 14
 *   ticket        28 bits   incarnation 14 | number of the process 14
 *   waiter word   64 bits   ticket 28 | slot 16 | generation 20 (its low bits); 0: nobody
 *
 * A *ticket* names one process for ever: a process word that is used again gets the next
 * incarnation, and whatever carries the former one is known to be a dead process's without a
 * system call.
 */
#ifndef STORER_FLIGHTS_TABLE_H
#define STORER_FLIGHTS_TABLE_H

#include "flights.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define FLIGHTS_MAGIC    UINT64_C(0x7374687467696c66)
#define FLIGHTS_WAYS     16
#define FLIGHTS_WAITERS  4   /* places for each slot */

/** How often a flight's leader is looked at, at least, and all processes are, at most. */
#define FLIGHTS_LOOK_MS  50

enum {
    FLIGHTS_EMPTY,
    FLIGHTS_FLYING,
    FLIGHTS_REMEMBERED,
    FLIGHTS_STORED,
    FLIGHTS_BROKEN,
    FLIGHTS_ORPHANED      /* BROKEN, because the leader's process has died, or by flights_end(DIED) */
};

#define FLIGHTS_STATE(word)       ((word) & 7u)
#define FLIGHTS_WAITED            8u
#define FLIGHTS_GENERATION(word)  ((word) >> 4)
#define FLIGHTS_WORD(generation, state) ((uint32_t)(generation) << 4 | (uint32_t)(state))

#define FLIGHTS_PID_BITS    22
#define FLIGHTS_START_BITS  28
#define FLIGHTS_LIFE_BITS   14   /* of an incarnation, and of a process's number */
#define FLIGHTS_TAG_BITS             36   /* of a waiter's word: slot and generation */
#define FLIGHTS_TAG_GENERATION_BITS  20
#define FLIGHTS_MASK(bits)  ((UINT64_C(1) << (bits)) - 1)

typedef struct flights_header_t {
    uint64_t magic;         /* written last: without it nobody takes the table over */
    uint64_t size;
    uint32_t version;
    uint32_t slot_count;
    uint64_t seed;
    uint64_t looked_at;     /* atomic: all processes, in ms of the monotonic clock */
    uint64_t reserved[3];
} flights_header_t;

/* Changed by who holds the set's lock while the word is neither FLYING nor REMEMBERED; then only
 * the word is, by compare-and-swap, and `until` by the leader. */
typedef struct flights_slot_t {
    uint32_t word;
    uint32_t owner;         /* ticket of the latest leader */
    uint64_t hash[2];
    uint64_t number;        /* of the flight, counted in its set */
    int64_t  until;         /* FLYING: of the lease. REMEMBERED: of the memory */
    uint32_t looked_at;     /* its leader, in ms of the monotonic clock; a hint */
    uint32_t leaders;       /* so far: the first one, and one for each lease that was over */
    uint32_t lease;         /* in ms */
    uint32_t stream;        /* 1: the body comes, and has no known length */
} flights_slot_t;

typedef struct flights_set_t {
    pthread_mutex_t lock;   /* robust; guards who is in the set, and how many wait for each */
    char            padding[64 - sizeof(pthread_mutex_t) - sizeof(uint64_t)];
    uint64_t        flown;  /* flights so far */
    flights_slot_t  slot[FLIGHTS_WAYS];
} flights_set_t;

_Static_assert(sizeof(flights_header_t) == 64, "the sets begin on a cache line");
_Static_assert(sizeof(flights_slot_t) == 56, "layout of a slot");
_Static_assert(sizeof(flights_set_t) == 64 + FLIGHTS_WAYS * 56, "layout of a set");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "words are shared by processes");

/** One process's view: immutable after flights_child_init(), but for `watch`. Counts are its own, so
 * that no bytes in shared memory can lead it out of bounds. */
struct flights_t {
    flights_header_t *header;
    flights_set_t    *sets;
    uint64_t         *processes;
    uint64_t         *waiters;
    uint64_t          seed;
    uint32_t          set_count;
    uint32_t          slot_count;
    uint32_t          waiter_count;
    uint32_t          ticket;       /* this process; 0: flights_child_init() has not been called */
    flights_limits_t  limits;
    uint64_t         *watch;        /* atomic, one a slot: flights_wait.c */
};

static inline flights_slot_t *flights_slot(const flights_t *flights, uint32_t number)
{
    return &flights->sets[number / FLIGHTS_WAYS].slot[number % FLIGHTS_WAYS];
}

static inline uint64_t flights_waiter(uint32_t ticket, uint32_t slot, uint32_t generation)
{
    return (uint64_t)ticket << FLIGHTS_TAG_BITS | (uint64_t)slot << FLIGHTS_TAG_GENERATION_BITS
           | (generation & FLIGHTS_MASK(FLIGHTS_TAG_GENERATION_BITS));
}

static inline uint32_t flights_ticket_of_waiter(uint64_t waiter)
{
    return (uint32_t)(waiter >> FLIGHTS_TAG_BITS);
}

/** Take a set's lock; 0: it is held for too long. A dead owner left nothing to mend. */
int flights_lock(flights_set_t *set);

/** End a flight of that generation: the new state if it was FLYING.
 * @return the word that was replaced, 0: none. Whoever gets one with FLIGHTS_WAITED set must call
 * flights_wake(), with no lock held. */
uint32_t flights_settle(flights_slot_t *slot, uint32_t generation, uint32_t state);

/** Settle and wake. @return 0: it was not FLYING any more */
int flights_finish(flights_slot_t *slot, uint32_t generation, uint32_t state);

/** The lease of a flight is over: become a leader of it, beside those it has.
 * @return the caller's number among its leaders; 0: another one has become it, or it has ended */
uint32_t flights_relieve(const flights_t *flights, flights_slot_t *slot, uint32_t generation,
                         apr_time_t now);

/** Wake all who sleep on this slot. flights_wait.c */
void flights_wake(flights_slot_t *slot);

/** Is it, as far as is known, a process that lives? No system call. */
int flights_ticket_valid(const flights_t *flights, uint32_t ticket);

/** Ask the system whether that process lives; if it does not, all its flights end as BROKEN, and its
 * waiters no longer count. @return 0: it is dead. No lock is held. */
int flights_look_at(flights_t *flights, uint32_t ticket);

/** The same for all processes, at most once in FLIGHTS_LOOK_MS. @return 0: not done, too soon. */
int flights_look_at_all(flights_t *flights);

/** The monotonic clock, in microseconds. */
int64_t flights_clock(void);

#ifdef STORER_FAULT_POINTS
/** A test build calls this at every named point; the test defines it and may kill the process. */
void flights_fault_point(const char *name);
#define FLIGHTS_FAULT_POINT(name) flights_fault_point(name)
#else
#define FLIGHTS_FAULT_POINT(name) ((void)0)
#endif

#endif /* STORER_FLIGHTS_TABLE_H */
