/* SPDX-License-Identifier: Apache-2.0
 *
 * flights.c - see flights.h: who leads, what is remembered, and how flights end.
 *
 * Two things need a set's lock: that a key gets one leader (here), and that no more wait for it
 * than may (flights_wait.c). All else is one compare-and-swap on a slot's word, which carries the
 * generation, so that it fails where the slot is another flight's by now.
 */
#include "flights_table.h"
#include "storer_private.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static const flights_flight_t no_flight;

/* What a set holds for a key. */
typedef struct found_t {
    uint32_t slot;
    uint32_t word;  /* FLYING or REMEMBERED */
} found_t;

static XXH128_hash_t hash_of(const flights_t *flights, storer_bytes_t key)
{
    return XXH3_128bits_withSeed(key.data, key.len, flights->seed);
}

/* Others may see it, so it is not the seed. */
apr_uint64_t flights_identity(const flights_t *flights)
{
    static const char what[] = "identity";

    return XXH3_64bits_withSeed(what, sizeof(what), flights->seed);
}

static uint32_t set_of(const flights_t *flights, XXH128_hash_t hash)
{
    return (uint32_t)((hash.high64 >> 32) * flights->set_count >> 32);
}

static int has_hash(const flights_slot_t *slot, XXH128_hash_t hash)
{
    return __atomic_load_n(&slot->hash[0], __ATOMIC_ACQUIRE) == hash.low64
           && __atomic_load_n(&slot->hash[1], __ATOMIC_ACQUIRE) == hash.high64;
}

static int is_over(const flights_slot_t *slot, apr_time_t now)
{
    return now >= __atomic_load_n(&slot->until, __ATOMIC_ACQUIRE);
}

static apr_time_t later(apr_time_t now, apr_interval_time_t duration)
{
    if (duration <= 0) {
        return now;
    }
    return now > INT64_MAX - duration ? INT64_MAX : now + duration;
}

/* The slot's word if it is this key's flight or memory and holds at this time, else 0. Without a
 * lock: while the word stays the same, and is of one of these two states, the rest does not change.
 * */
static uint32_t word_for(const flights_slot_t *slot, XXH128_hash_t hash, apr_time_t now)
{
    uint32_t word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);

    while (FLIGHTS_STATE(word) == FLIGHTS_FLYING || FLIGHTS_STATE(word) == FLIGHTS_REMEMBERED) {
        int holds = has_hash(slot, hash) && !is_over(slot, now);
        uint32_t again = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);

        if (again == word) {
            return holds ? word : 0;
        }
        word = again;
    }
    return 0;
}

/* Before any time: finds also what is over. Whoever's clock is behind does not know that it is. */
#define EVER INT64_MIN

/* @param state FLYING or REMEMBERED; EMPTY: either */
static int find(const flights_t *flights, XXH128_hash_t hash, apr_time_t now, uint32_t state,
                found_t *found)
{
    uint32_t set = set_of(flights, hash), i;

    for (i = 0; i < FLIGHTS_WAYS; i++) {
        uint32_t word = word_for(&flights->sets[set].slot[i], hash, now);

        if (word && (state == FLIGHTS_EMPTY || FLIGHTS_STATE(word) == state)) {
            found->slot = set * FLIGHTS_WAYS + i;
            found->word = word;
            return 1;
        }
    }
    return 0;
}

flights_role_e flights_peek(const flights_t *flights, storer_bytes_t key, apr_time_t now)
{
    found_t found;

    if (!find(flights, hash_of(flights, key), now, FLIGHTS_EMPTY, &found)) {
        return FLIGHTS_LEAD;
    }
    return FLIGHTS_STATE(found.word) == FLIGHTS_FLYING ? FLIGHTS_FOLLOW : FLIGHTS_PASS;
}

int flights_is_led(const flights_t *flights, storer_bytes_t key)
{
    found_t found;

    return find(flights, hash_of(flights, key), EVER, FLIGHTS_FLYING, &found);
}

/* ------------------------------------------------------------------------------------------------
 * Joining
 * --------------------------------------------------------------------------------------------- */

/* The lower, the sooner a slot is used again; 0: not at all. What has ended with waiters goes after
 * what has ended without: some may not have read the outcome yet. A flight whose lease is over may
 * land yet, and goes last. */
static int rank_of(const flights_slot_t *slot, uint32_t word, apr_time_t now)
{
    switch (FLIGHTS_STATE(word)) {
    case FLIGHTS_FLYING:
        return is_over(slot, now) ? 5 : 0;
    case FLIGHTS_EMPTY:
        return 1;
    case FLIGHTS_REMEMBERED:
        if (!is_over(slot, now)) {
            return 4;
        }
        break;
    default:
        break;
    }
    return word & FLIGHTS_WAITED ? 3 : 2;
}

/* The place for a new flight, of equal ones the oldest; -1: there is none. */
static int choose_locked(const flights_set_t *set, apr_time_t now)
{
    int best = -1, best_rank = 0, i;
    uint64_t best_number = 0;

    for (i = 0; i < FLIGHTS_WAYS; i++) {
        const flights_slot_t *slot = &set->slot[i];
        int rank = rank_of(slot, __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE), now);
        uint64_t number = __atomic_load_n(&slot->number, __ATOMIC_ACQUIRE);

        if (rank && (best < 0 || rank < best_rank || (rank == best_rank && number < best_number))) {
            best = i;
            best_rank = rank;
            best_number = number;
        }
    }
    return best;
}

/* The slot is empty, or tells how a flight has ended. @return its word */
static uint32_t clear_locked(flights_slot_t *slot)
{
    uint32_t word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);

    while (FLIGHTS_STATE(word) == FLIGHTS_REMEMBERED || FLIGHTS_STATE(word) == FLIGHTS_FLYING) {
        uint32_t state = FLIGHTS_STATE(word) == FLIGHTS_FLYING ? FLIGHTS_BROKEN : FLIGHTS_EMPTY;
        uint32_t cleared = FLIGHTS_WORD(FLIGHTS_GENERATION(word), state) | (word & FLIGHTS_WAITED);

        if (__atomic_compare_exchange_n(&slot->word, &word, cleared, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            word = cleared;
        }
        FLIGHTS_FAULT_POINT("forgotten");
    }
    return word;
}

static uint32_t in_milliseconds(apr_interval_time_t lease)
{
    return lease <= 0 ? 0 : lease / 1000 < UINT32_MAX ? (uint32_t)(lease / 1000) : UINT32_MAX;
}

/* The slot gets a key, and then a word, which is the last to be written: who dies before has
 * changed nothing but a slot that nobody reads. */
static uint32_t take_off_locked(const flights_t *flights, uint32_t number, XXH128_hash_t hash,
                                uint32_t state, apr_time_t until, apr_interval_time_t lease)
{
    flights_set_t *set = &flights->sets[number / FLIGHTS_WAYS];
    flights_slot_t *slot = flights_slot(flights, number);
    uint32_t word, generation;

    FLIGHTS_FAULT_POINT("chosen");
    word = clear_locked(slot);
    generation = (FLIGHTS_GENERATION(word) + 1) & (UINT32_MAX >> 4);
    __atomic_store_n(&slot->hash[0], hash.low64, __ATOMIC_RELEASE);
    FLIGHTS_FAULT_POINT("half a hash");
    __atomic_store_n(&slot->hash[1], hash.high64, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->owner, flights->ticket, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->number, __atomic_add_fetch(&set->flown, 1, __ATOMIC_RELAXED),
                     __ATOMIC_RELEASE);
    __atomic_store_n(&slot->until, until, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->leaders, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->lease, in_milliseconds(lease), __ATOMIC_RELEASE);
    __atomic_store_n(&slot->stream, 0, __ATOMIC_RELEASE);
    FLIGHTS_FAULT_POINT("filled in");
    __atomic_store_n(&slot->word, FLIGHTS_WORD(generation, state), __ATOMIC_RELEASE);
    FLIGHTS_FAULT_POINT("taken off");
    return generation;
}

/* A flight of this key, whose lease may be over: then the caller leads it as well, unless another
 * one was quicker. @return 0: there is none */
static int join_flying(flights_t *flights, XXH128_hash_t hash, apr_time_t now,
                       flights_flight_t *flight)
{
    flights_slot_t *slot;
    found_t found;

    if (!find(flights, hash, EVER, FLIGHTS_FLYING, &found)) {
        return 0;
    }
    slot = flights_slot(flights, found.slot);
    flight->flights = flights;
    flight->slot = found.slot;
    flight->generation = FLIGHTS_GENERATION(found.word);
    flight->leads = is_over(slot, now) ? flights_relieve(flights, slot, flight->generation, now) : 0;
    return 1;
}

/* A slot that is free, or no longer used, gets this key in the given state. @return 0: there is
 * none */
static int enter_locked(flights_t *flights, XXH128_hash_t hash, apr_time_t now, uint32_t state,
                        apr_interval_time_t lease, flights_flight_t *flight)
{
    uint32_t set = set_of(flights, hash);
    int place = choose_locked(&flights->sets[set], now);

    if (place < 0) {
        return 0;
    }
    flight->flights = flights;
    flight->slot = set * FLIGHTS_WAYS + (uint32_t)place;
    flight->generation = take_off_locked(flights, flight->slot, hash, state, later(now, lease), lease);
    flight->leads = 1;
    return 1;
}

static flights_role_e join_locked(flights_t *flights, XXH128_hash_t hash, apr_time_t now,
                                  apr_interval_time_t lease, flights_flight_t *flight)
{
    found_t found;

    if (find(flights, hash, now, FLIGHTS_REMEMBERED, &found)) {
        return FLIGHTS_PASS;
    }
    if (join_flying(flights, hash, now, flight)) {
        return flight->leads ? FLIGHTS_LEAD : FLIGHTS_FOLLOW;
    }
    return enter_locked(flights, hash, now, FLIGHTS_FLYING, lease, flight) ? FLIGHTS_LEAD
                                                                           : FLIGHTS_FULL;
}

static flights_role_e join(flights_t *flights, XXH128_hash_t hash, apr_time_t now,
                           apr_interval_time_t lease, flights_flight_t *flight)
{
    flights_set_t *set = &flights->sets[set_of(flights, hash)];
    flights_role_e role;

    if (!flights_lock(set)) {
        return FLIGHTS_FULL;
    }
    FLIGHTS_FAULT_POINT("locked");
    role = join_locked(flights, hash, now, lease, flight);
    pthread_mutex_unlock(&set->lock);
    FLIGHTS_FAULT_POINT("unlocked");
    return role;
}

flights_role_e flights_join(flights_t *flights, storer_bytes_t key, apr_time_t now,
                            apr_interval_time_t lease, flights_flight_t *flight)
{
    XXH128_hash_t hash = hash_of(flights, key);
    flights_role_e role;

    *flight = no_flight;
    if (flights->ticket == 0) {
        return FLIGHTS_FULL;
    }
    role = join(flights, hash, now, lease, flight);
    if (role == FLIGHTS_FULL && flights_look_at_all(flights)) {
        /* Flights of the dead have made room, perhaps. */
        role = join(flights, hash, now, lease, flight);
    }
    return role;
}

/* ------------------------------------------------------------------------------------------------
 * Leading
 * --------------------------------------------------------------------------------------------- */

static flights_slot_t *slot_led(const flights_flight_t *flight)
{
    return flight->flights && flight->leads ? flights_slot(flight->flights, flight->slot) : NULL;
}

/* `until` becomes another time, unless somebody changed it first: then the slot has a new flight.
 * (One whose lease ends in the same microsecond would be mistaken: it loses a lease.) */
static void set_until(flights_slot_t *slot, int64_t seen, int64_t until)
{
    __atomic_compare_exchange_n(&slot->until, &seen, until, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

uint32_t flights_relieve(const flights_t *flights, flights_slot_t *slot, uint32_t generation,
                         apr_time_t now)
{
    int64_t until = __atomic_load_n(&slot->until, __ATOMIC_ACQUIRE);
    int64_t lease = (int64_t)__atomic_load_n(&slot->lease, __ATOMIC_ACQUIRE) * 1000;
    uint32_t word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE), number;

    if (FLIGHTS_GENERATION(word) != generation || FLIGHTS_STATE(word) != FLIGHTS_FLYING || now < until
        || !__atomic_compare_exchange_n(&slot->until, &until, later(now, lease), 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
        return 0;
    }
    FLIGHTS_FAULT_POINT("relieved");
    number = __atomic_add_fetch(&slot->leaders, 1, __ATOMIC_ACQ_REL);
    __atomic_store_n(&slot->owner, flights->ticket, __ATOMIC_RELEASE);
    return number;
}

/* It was remembered as a stream, which has come to an end after all. */
static void forget_stream(flights_slot_t *slot, uint32_t generation)
{
    uint32_t word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);

    if (FLIGHTS_GENERATION(word) == generation && FLIGHTS_STATE(word) == FLIGHTS_REMEMBERED) {
        __atomic_compare_exchange_n(&slot->word, &word,
                                    FLIGHTS_WORD(generation, FLIGHTS_STORED) | (word & FLIGHTS_WAITED),
                                    0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    }
}

/* The state of a flight that ends so; FLYING: it does not end. */
static uint32_t state_after(const flights_slot_t *slot, uint32_t number, flights_outcome_e outcome)
{
    switch (outcome) {
    case FLIGHTS_LANDED:
        return FLIGHTS_STORED;
    case FLIGHTS_UNCACHEABLE:
        return FLIGHTS_REMEMBERED;
    default:
        if (__atomic_load_n(&slot->leaders, __ATOMIC_ACQUIRE) > number) {
            return FLIGHTS_FLYING;
        }
        return outcome == FLIGHTS_DIED ? FLIGHTS_ORPHANED : FLIGHTS_BROKEN;
    }
}

static void end(flights_slot_t *slot, const flights_flight_t *flight, flights_outcome_e outcome,
                apr_time_t until)
{
    uint32_t state = state_after(slot, flight->leads, outcome), word;
    int64_t lease = __atomic_load_n(&slot->until, __ATOMIC_ACQUIRE);

    if (state == FLIGHTS_FLYING) {
        return;
    }
    word = flights_settle(slot, flight->generation, state);
    if (word && state == FLIGHTS_REMEMBERED) {
        /* Who dies before this has it remembered for what is left of the lease. */
        set_until(slot, lease, until);
    }
    if (!word && state == FLIGHTS_STORED) {
        forget_stream(slot, flight->generation);
    }
    if (word & FLIGHTS_WAITED) {
        flights_wake(slot);
    }
}

void flights_end(flights_flight_t *flight, flights_outcome_e outcome, apr_time_t now,
                 apr_interval_time_t remember)
{
    flights_slot_t *slot = slot_led(flight);

    storer_assert(outcome == FLIGHTS_LANDED || outcome == FLIGHTS_UNCACHEABLE
                  || outcome == FLIGHTS_FAILED || outcome == FLIGHTS_DIED);
    if (slot) {
        end(slot, flight, outcome, later(now, remember));
    }
    *flight = no_flight;
}

void flights_renew(const flights_flight_t *flight, apr_time_t now, apr_interval_time_t lease)
{
    flights_slot_t *slot = slot_led(flight);
    uint32_t word;
    int64_t until;

    if (!slot) {
        return;
    }
    until = __atomic_load_n(&slot->until, __ATOMIC_ACQUIRE);
    word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);
    if (FLIGHTS_GENERATION(word) == flight->generation && FLIGHTS_STATE(word) == FLIGHTS_FLYING
        && until < later(now, lease)) {
        set_until(slot, until, later(now, lease));
    }
}

void flights_stream(const flights_flight_t *flight, apr_time_t now, apr_interval_time_t lease)
{
    flights_slot_t *slot = slot_led(flight);
    uint32_t word;

    flights_renew(flight, now, lease);
    word = slot ? __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE) : 0;
    if (word && FLIGHTS_GENERATION(word) == flight->generation
        && FLIGHTS_STATE(word) == FLIGHTS_FLYING) {
        /* written into a flight that took its place just now it costs that flight its collapse */
        __atomic_store_n(&slot->stream, 1, __ATOMIC_RELEASE);
    }
}

void flights_remember(flights_t *flights, storer_bytes_t key, apr_time_t now,
                      apr_interval_time_t remember)
{
    XXH128_hash_t hash = hash_of(flights, key);
    flights_set_t *set = &flights->sets[set_of(flights, hash)];
    flights_flight_t flight;
    found_t found;

    if (flights->ticket == 0 || !flights_lock(set)) {
        return;
    }
    if (find(flights, hash, EVER, FLIGHTS_FLYING, &found)) {
        /* its leader will tell */
    }
    else if (!find(flights, hash, EVER, FLIGHTS_REMEMBERED, &found)) {
        (void)enter_locked(flights, hash, now, FLIGHTS_REMEMBERED, remember, &flight);
    }
    else {
        set_until(flights_slot(flights, found.slot),
                  __atomic_load_n(&flights_slot(flights, found.slot)->until, __ATOMIC_ACQUIRE),
                  later(now, remember));
    }
    pthread_mutex_unlock(&set->lock);
}

int flights_same(const flights_flight_t *one, const flights_flight_t *other)
{
    return one->flights && other->flights && one->flights->header == other->flights->header
           && one->slot == other->slot && one->generation == other->generation;
}

void flights_forget(flights_t *flights, storer_bytes_t key)
{
    XXH128_hash_t hash = hash_of(flights, key);
    flights_set_t *set = &flights->sets[set_of(flights, hash)];
    uint32_t i;

    for (i = 0; i < FLIGHTS_WAYS; i++) {
        uint32_t word = word_for(&set->slot[i], hash, EVER);

        if (FLIGHTS_STATE(word) == FLIGHTS_REMEMBERED) {
            __atomic_compare_exchange_n(&set->slot[i].word, &word,
                                        FLIGHTS_WORD(FLIGHTS_GENERATION(word), FLIGHTS_STORED)
                                            | (word & FLIGHTS_WAITED),
                                        0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
        }
    }
}

void flights_stat(const flights_t *flights, apr_time_t now, flights_stat_t *stat)
{
    uint32_t i;

    memset(stat, 0, sizeof(*stat));
    stat->slots = flights->slot_count;
    for (i = 0; i < flights->slot_count; i++) {
        const flights_slot_t *slot = flights_slot(flights, i);
        uint32_t state = FLIGHTS_STATE(__atomic_load_n(&slot->word, __ATOMIC_ACQUIRE));

        if (!is_over(slot, now)) {
            stat->in_flight += state == FLIGHTS_FLYING;
            stat->remembered += state == FLIGHTS_REMEMBERED;
        }
    }
    for (i = 0; i < flights->waiter_count; i++) {
        stat->waiting += __atomic_load_n(&flights->waiters[i], __ATOMIC_RELAXED) != 0;
    }
}
