/* SPDX-License-Identifier: Apache-2.0
 *
 * flights_table.c - see flights_table.h: the table made or taken over, and who of its users lives.
 */
#include "flights_table.h"
#include "process.h"
#include "robust.h"
#include "storer_private.h"

#include <apr_general.h>

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A holder works for a microsecond. One that is stopped costs the others this long, and then the
 * collapse of their requests. */
#define LOCK_TIMEOUT_MS 200

/* All but the header: what a set's worth of slots takes. */
#define BYTES_PER_SET (sizeof(flights_set_t) \
                       + FLIGHTS_WAYS * (1 + FLIGHTS_WAITERS) * sizeof(uint64_t))

static uint32_t sets_for(apr_uint32_t slots)
{
    if (slots > FLIGHTS_SLOTS_MAX) {
        slots = FLIGHTS_SLOTS_MAX;
    }
    return slots <= FLIGHTS_WAYS ? 1 : (slots + FLIGHTS_WAYS - 1) / FLIGHTS_WAYS;
}

apr_size_t flights_size(apr_uint32_t slots)
{
    return sizeof(flights_header_t) + sets_for(slots) * BYTES_PER_SET;
}

/* The stamp comes last, so a table that was not finished is made once more. */
static apr_status_t make(flights_header_t *header, apr_size_t size, uint32_t set_count)
{
    flights_set_t *sets = (flights_set_t *)(header + 1);
    uint32_t i;
    apr_status_t rv;

    memset(header, 0, size);
    rv = apr_generate_random_bytes((unsigned char *)&header->seed, sizeof(header->seed));
    for (i = 0; i < set_count && rv == APR_SUCCESS; i++) {
        rv = robust_init(&sets[i].lock);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    header->size = size;
    header->version = FLIGHTS_LAYOUT_VERSION;
    header->slot_count = set_count * FLIGHTS_WAYS;
    __atomic_store_n(&header->magic, FLIGHTS_MAGIC, __ATOMIC_RELEASE);
    return APR_SUCCESS;
}

static int is_table(const flights_header_t *header, apr_size_t size, uint32_t slot_count)
{
    return __atomic_load_n(&header->magic, __ATOMIC_ACQUIRE) == FLIGHTS_MAGIC
           && header->version == FLIGHTS_LAYOUT_VERSION && header->size == size
           && header->slot_count == slot_count;
}

apr_status_t flights_attach(flights_t **out, void *base, apr_size_t size, int fresh,
                            const flights_limits_t *limits, apr_pool_t *pool)
{
    apr_size_t set_count = size < flights_size(1)
                               ? 0 : (size - sizeof(flights_header_t)) / BYTES_PER_SET;
    flights_t *flights;

    if (!base || (uintptr_t)base % 64 != 0 || set_count == 0
        || set_count > FLIGHTS_SLOTS_MAX / FLIGHTS_WAYS
        || size != flights_size((apr_uint32_t)set_count * FLIGHTS_WAYS)) {
        return APR_EINVAL;
    }
    if (fresh || !is_table(base, size, (uint32_t)set_count * FLIGHTS_WAYS)) {
        apr_status_t rv = make(base, size, (uint32_t)set_count);

        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    flights = apr_pcalloc(pool, sizeof(*flights));
    flights->header = base;
    flights->seed = flights->header->seed;
    flights->sets = (flights_set_t *)(flights->header + 1);
    flights->set_count = (uint32_t)set_count;
    flights->slot_count = flights->set_count * FLIGHTS_WAYS;
    flights->waiter_count = flights->slot_count * FLIGHTS_WAITERS;
    flights->processes = (uint64_t *)(flights->sets + set_count);
    flights->waiters = flights->processes + flights->slot_count;
    flights->limits.per_key = limits ? limits->per_key : flights->waiter_count;
    flights->limits.in_total = limits && limits->in_total < flights->waiter_count
                                   ? limits->in_total : flights->waiter_count;
    flights->watch = apr_pcalloc(pool, flights->slot_count * sizeof(*flights->watch));
    *out = flights;
    return APR_SUCCESS;
}

int flights_lock(flights_set_t *set)
{
    int error = robust_lock(&set->lock, LOCK_TIMEOUT_MS);

    if (error == EOWNERDEAD) {
        /* Whatever its owner had written is of no account until it writes a slot's word. */
        error = pthread_mutex_consistent(&set->lock);
    }
    return error == 0;
}

uint32_t flights_settle(flights_slot_t *slot, uint32_t generation, uint32_t state)
{
    uint32_t word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);

    while (FLIGHTS_GENERATION(word) == generation && FLIGHTS_STATE(word) == FLIGHTS_FLYING) {
        uint32_t settled = FLIGHTS_WORD(generation, state) | (word & FLIGHTS_WAITED);

        if (__atomic_compare_exchange_n(&slot->word, &word, settled, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            FLIGHTS_FAULT_POINT("settled");
            return word;
        }
    }
    return 0;
}

int flights_finish(flights_slot_t *slot, uint32_t generation, uint32_t state)
{
    uint32_t word = flights_settle(slot, generation, state);

    if (word & FLIGHTS_WAITED) {
        flights_wake(slot);
    }
    return word != 0;
}

int64_t flights_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ------------------------------------------------------------------------------------------------
 * Processes
 * --------------------------------------------------------------------------------------------- */

static uint32_t pid_of(uint64_t process)
{
    return (uint32_t)(process >> (FLIGHTS_START_BITS + FLIGHTS_LIFE_BITS));
}

static uint64_t start_of(uint64_t process)
{
    return process >> FLIGHTS_LIFE_BITS & FLIGHTS_MASK(FLIGHTS_START_BITS);
}

static uint32_t life_of(uint64_t process)
{
    return (uint32_t)(process & FLIGHTS_MASK(FLIGHTS_LIFE_BITS));
}

static uint64_t process_word(uint64_t pid, uint64_t start, uint32_t life)
{
    return pid << (FLIGHTS_START_BITS + FLIGHTS_LIFE_BITS)
           | (start & FLIGHTS_MASK(FLIGHTS_START_BITS)) << FLIGHTS_LIFE_BITS | life;
}

static uint32_t ticket_for(uint32_t number, uint64_t process)
{
    return life_of(process) << FLIGHTS_LIFE_BITS | number;
}

/* The word of the process that the ticket names, 0 if it is another's or nobody's by now. */
static uint64_t process_of(const flights_t *flights, uint32_t ticket)
{
    uint32_t number = ticket & (uint32_t)FLIGHTS_MASK(FLIGHTS_LIFE_BITS);
    uint64_t process;

    if (number >= flights->slot_count) {
        return 0;
    }
    process = __atomic_load_n(&flights->processes[number], __ATOMIC_ACQUIRE);
    return pid_of(process) != 0 && ticket_for(number, process) == ticket ? process : 0;
}

int flights_ticket_valid(const flights_t *flights, uint32_t ticket)
{
    return process_of(flights, ticket) != 0;
}

/* System calls: a signal 0 and one or two looks into /proc. */
static int is_alive(uint64_t process)
{
    uint64_t start = process_start(pid_of(process));

    if (start != 0 && start_of(process) != 0
        && (start & FLIGHTS_MASK(FLIGHTS_START_BITS)) != start_of(process)) {
        return 0;
    }
    return process_alive(pid_of(process), start);
}

/* Nobody's from now on; the incarnation stays, for the next one to count on from. */
static void bury(flights_t *flights, uint32_t number, uint64_t process)
{
    __atomic_compare_exchange_n(&flights->processes[number], &process,
                                process_word(0, 0, life_of(process)), 0, __ATOMIC_ACQ_REL,
                                __ATOMIC_RELAXED);
    FLIGHTS_FAULT_POINT("buried");
}

/* What names a process that is no more: waiters no longer count, flights end. Each step stands for
 * itself, so it does not matter how far somebody who died in here came. */
static void clear_dead(flights_t *flights)
{
    uint32_t i;

    for (i = 0; i < flights->waiter_count; i++) {
        uint64_t waiter = __atomic_load_n(&flights->waiters[i], __ATOMIC_ACQUIRE);

        if (waiter && !flights_ticket_valid(flights, flights_ticket_of_waiter(waiter))) {
            __atomic_compare_exchange_n(&flights->waiters[i], &waiter, 0, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED);
        }
    }
    for (i = 0; i < flights->slot_count; i++) {
        flights_slot_t *slot = flights_slot(flights, i);
        uint32_t word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);

        if (FLIGHTS_STATE(word) == FLIGHTS_FLYING
            && !flights_ticket_valid(flights, __atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE))) {
            flights_finish(slot, FLIGHTS_GENERATION(word), FLIGHTS_ORPHANED);
        }
    }
}

int flights_look_at(flights_t *flights, uint32_t ticket)
{
    uint64_t process;

    if (ticket == flights->ticket) {
        return 1;
    }
    process = process_of(flights, ticket);
    if (process) {
        if (is_alive(process)) {
            return 1;
        }
        bury(flights, ticket & (uint32_t)FLIGHTS_MASK(FLIGHTS_LIFE_BITS), process);
    }
    clear_dead(flights);
    return 0;
}

static void look_at_all(flights_t *flights)
{
    uint32_t i;

    for (i = 0; i < flights->slot_count; i++) {
        uint64_t process = __atomic_load_n(&flights->processes[i], __ATOMIC_ACQUIRE);

        if (pid_of(process) != 0 && !is_alive(process)) {
            bury(flights, i, process);
        }
    }
    clear_dead(flights);
}

int flights_look_at_all(flights_t *flights)
{
    uint64_t now = (uint64_t)flights_clock() / 1000;
    uint64_t last = __atomic_load_n(&flights->header->looked_at, __ATOMIC_RELAXED);

    if (last <= now && now - last < FLIGHTS_LOOK_MS) {
        return 0;
    }
    if (!__atomic_compare_exchange_n(&flights->header->looked_at, &last, now, 0, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED)) {
        return 0;
    }
    look_at_all(flights);
    return 1;
}

/* A word of its own for this process; returns its ticket, 0: there is none. */
static uint32_t enlist(flights_t *flights, uint64_t pid, uint64_t start)
{
    uint32_t i, life;

    for (i = 0; i < flights->slot_count; i++) {
        uint64_t process = __atomic_load_n(&flights->processes[i], __ATOMIC_ACQUIRE);

        if (pid_of(process) != 0) {
            continue;
        }
        /* 0 is left out: no ticket is 0 */
        life = life_of(process) % (uint32_t)FLIGHTS_MASK(FLIGHTS_LIFE_BITS) + 1;
        if (__atomic_compare_exchange_n(&flights->processes[i], &process,
                                        process_word(pid, start, life), 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
            return ticket_for(i, process_word(pid, start, life));
        }
    }
    return 0;
}

/* This process by an earlier call, as with another handle after a restart of the configuration. */
static uint32_t find_self(const flights_t *flights, uint64_t pid, uint64_t start)
{
    uint32_t i;

    for (i = 0; i < flights->slot_count; i++) {
        uint64_t process = __atomic_load_n(&flights->processes[i], __ATOMIC_ACQUIRE);

        if (process == process_word(pid, start, life_of(process))) {
            return ticket_for(i, process);
        }
    }
    return 0;
}

apr_status_t flights_child_init(flights_t *flights)
{
    uint64_t pid = (uint64_t)getpid();
    uint64_t start = process_start((uint32_t)pid);

    flights->ticket = 0; /* the parent's, in a copy of its handle */
    if (pid > FLIGHTS_MASK(FLIGHTS_PID_BITS)) {
        return APR_ENOTIMPL;
    }
    /* A child starts where another has died, as often as not. */
    flights_look_at_all(flights);
    flights->ticket = find_self(flights, pid, start);
    if (flights->ticket == 0) {
        flights->ticket = enlist(flights, pid, start);
    }
    if (flights->ticket == 0) {
        look_at_all(flights);
        flights->ticket = enlist(flights, pid, start);
    }
    return flights->ticket ? APR_SUCCESS : APR_ENOSPC;
}
