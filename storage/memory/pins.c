/* SPDX-License-Identifier: Apache-2.0
 *
 * pins.c - see pins.h.
 */
#include "pins.h"
#include "users.h"

#include <unistd.h>

apr_status_t pins_init(memory_pins_t *pins, memory_segment_t *segment, apr_pool_t *pool)
{
    int error = pthread_mutex_init(&pins->lock, NULL);

    if (error) {
        return error;
    }
    pins->count = 0;
    pins->told = 0;
    pins->capacity = segment->geometry.line_count;
    pins->line = apr_palloc(pool, pins->capacity * sizeof(*pins->line));
    users_note(&segment->users, &pins->self);
    return APR_SUCCESS;
}

/* A line that nobody owns becomes ours. The lock of the segment is held. */
static int take_line_locked(memory_pins_t *pins, memory_segment_t *segment)
{
    memory_header_t *header = segment->header;
    uint32_t i, count = segment->geometry.line_count;

    for (i = 0; i < count; i++) {
        memory_owner_t *owner = &segment->owners[i];

        if (owner->pid == 0) {
            /* pid last: a line without one is free, whatever else it says */
            journal_set64(segment, &owner->start, pins->self.start);
            journal_set64(segment, &owner->life, pins->self.life);
            journal_set64(segment, &owner->space, pins->self.space);
            journal_set32(segment, &owner->generation, pins->self.generation);
            journal_set32(segment, &owner->pid, pins->self.pid);
            if (i >= header->lines_used) {
                journal_set32(segment, &header->lines_used, i + 1);
            }
            journal_commit(segment);
            pins->line[pins->count] = i;
            __atomic_store_n(&pins->count, pins->count + 1, __ATOMIC_RELEASE);
            return 1;
        }
    }
    return 0;
}

/* One more line for this process, unless another thread has just got one. */
static int grow(memory_pins_t *pins, memory_segment_t *segment, uint32_t seen)
{
    int recovered, got = 1, tell = 0;

    pthread_mutex_lock(&pins->lock);
    if (pins->count == seen) {
        got = 0;
        if (pins->count < pins->capacity && journal_lock(segment, &recovered) == APR_SUCCESS) {
            got = take_line_locked(pins, segment);
            journal_unlock(segment);
            tell = !got && seen == 0 && !pins->told;
            pins->told |= tell;
        }
    }
    pthread_mutex_unlock(&pins->lock);
    if (tell) {
        storer_log(segment->env, STORER_LOG_WARNING, APR_SUCCESS, "memory: all %u places for "
                   "processes are taken: this process finds nothing in the store until one becomes "
                   "free; give it a larger size=", (unsigned)segment->geometry.line_count);
    }
    return got;
}

static uint32_t *try_line(memory_line_t *line, uint32_t first, uint32_t value)
{
    uint32_t i;

    for (i = 0; i < MEMORY_LINE_SLOTS; i++) {
        uint32_t *slot = &line->slot[(first + i) % MEMORY_LINE_SLOTS];
        uint32_t empty = 0;

        if (__atomic_load_n(slot, __ATOMIC_RELAXED) == 0
            && __atomic_compare_exchange_n(slot, &empty, value, 0, __ATOMIC_SEQ_CST,
                                           __ATOMIC_RELAXED)) {
            return slot;
        }
    }
    return NULL;
}

uint32_t *pins_claim(memory_pins_t *pins, memory_segment_t *segment, uint32_t value)
{
    /* Threads begin at different places, so that each mostly finds the slot it used before. */
    uint32_t start = (uint32_t)((uintptr_t)pthread_self() >> 12) * 0x9e3779b1u >> 8;

    for (;;) {
        uint32_t count = __atomic_load_n(&pins->count, __ATOMIC_ACQUIRE);
        uint32_t i;

        for (i = 0; i < count; i++) {
            uint32_t line = pins->line[(start + i) % count];
            uint32_t *slot = try_line(&segment->lines[line], start >> 4, value);

            if (slot) {
                return slot;
            }
        }
        if (!grow(pins, segment, count)) {
            return NULL;
        }
    }
}

void pins_leave(memory_pins_t *pins, memory_segment_t *segment)
{
    int recovered;
    uint32_t i, j;

    if (pins->self.pid != (uint32_t)getpid() || pins->count == 0
        || journal_lock(segment, &recovered) != APR_SUCCESS) {
        return;
    }
    for (i = 0; i < pins->count; i++) {
        memory_line_t *line = &segment->lines[pins->line[i]];
        uint32_t used = 0;

        for (j = 0; j < MEMORY_LINE_SLOTS; j++) {
            used |= __atomic_load_n(&line->slot[j], __ATOMIC_SEQ_CST);
        }
        if (!used) {
            journal_set32(segment, &segment->owners[pins->line[i]].pid, 0);
            journal_commit(segment);
        }
    }
    pins->count = 0;
    journal_unlock(segment);
}

/* Lines beyond were never claimed. */
static uint32_t lines_used(const memory_segment_t *segment)
{
    uint32_t used = segment->header->lines_used;

    return used < segment->geometry.line_count ? used : segment->geometry.line_count;
}

static uint32_t slot_of(const memory_segment_t *segment, uint32_t line, uint32_t number)
{
    return __atomic_load_n(&segment->lines[line].slot[number], __ATOMIC_SEQ_CST);
}

/* A set of references: a table with open addressing, at most a quarter full. 0: empty; else the
 * place among the references, counted from 1. */
#define SET_SIZE (4 * PINS_BATCH)

typedef struct set_t {
    const memory_ref_t *refs;
    uint32_t            mask;
    uint16_t            place[SET_SIZE];
} set_t;

static uint32_t set_home(const set_t *set, memory_ref_t ref)
{
    return ref * 0x9e3779b1u >> 8 & set->mask;
}

static void set_make(set_t *set, const memory_ref_t *refs, uint32_t count)
{
    uint32_t size = 4, i;

    while (size < 4 * count) {
        size *= 2;
    }
    set->refs = refs;
    set->mask = size - 1;
    memset(set->place, 0, size * sizeof(set->place[0]));
    for (i = 0; i < count; i++) {
        uint32_t at = set_home(set, refs[i]);

        while (set->place[at]) {
            at = (at + 1) & set->mask;
        }
        set->place[at] = (uint16_t)(i + 1);
    }
}

/* Its place among the references, counted from 1; 0: it is none of them. */
static uint32_t set_find(const set_t *set, memory_ref_t ref)
{
    uint32_t at = set_home(set, ref);

    while (set->place[at] && set->refs[set->place[at] - 1] != ref) {
        at = (at + 1) & set->mask;
    }
    return set->place[at];
}

void pins_hold(const memory_segment_t *segment, const memory_ref_t *refs, uint32_t count,
               unsigned char *held)
{
    uint32_t i, j, lines = lines_used(segment);
    set_t set;

    storer_assert(count <= PINS_BATCH);
    set_make(&set, refs, count);
    memset(held, 0, count);
    for (i = 0; i < lines; i++) {
        for (j = 0; j < MEMORY_LINE_SLOTS; j++) {
            memory_ref_t ref = slot_of(segment, i, j);
            uint32_t place = ref ? set_find(&set, ref) : 0;

            if (place) {
                held[place - 1] = 1;
            }
        }
    }
}

uint32_t pins_count(const memory_segment_t *segment, memory_ref_t ref)
{
    uint32_t i, j, lines = lines_used(segment), count = 0;

    for (i = 0; i < lines; i++) {
        for (j = 0; j < MEMORY_LINE_SLOTS; j++) {
            count += slot_of(segment, i, j) == ref;
        }
    }
    return count;
}

void pins_visit(memory_segment_t *segment, pins_visit_fn *visit, void *baton)
{
    uint32_t i, j, lines = lines_used(segment);

    for (i = 0; i < lines; i++) {
        for (j = 0; j < MEMORY_LINE_SLOTS; j++) {
            memory_ref_t ref = slot_of(segment, i, j) & ~MEMORY_PIN_WRITER;

            if (ref) {
                visit(segment, ref, baton);
            }
        }
    }
}

int pins_all_free(memory_segment_t *segment)
{
    uint32_t i, j, lines = segment->geometry.line_count;

    for (i = 0; i < lines; i++) {
        for (j = 0; segment->owners[i].pid && j < MEMORY_LINE_SLOTS; j++) {
            uint32_t held = __atomic_load_n(&segment->lines[i].slot[j], __ATOMIC_SEQ_CST);

            if (held & ~MEMORY_PIN_WRITER) {
                return 0;
            }
        }
    }
    return 1;
}

/* The slots of a dead process become free, the line nobody's. After damage the rest can wait. */
static void sweep_line(memory_segment_t *segment, uint32_t line, pins_abandon_fn *abandon)
{
    uint32_t j;

    for (j = 0; j < MEMORY_LINE_SLOTS; j++) {
        uint32_t *slot = &segment->lines[line].slot[j];
        uint32_t held = __atomic_load_n(slot, __ATOMIC_SEQ_CST);

        if ((held & MEMORY_PIN_WRITER) && held != MEMORY_PIN_WRITER && !segment->header->damaged) {
            if (!abandon(segment, held & ~MEMORY_PIN_WRITER, slot)) {
                return;
            }
        }
        else {
            __atomic_store_n(slot, 0, __ATOMIC_SEQ_CST);
        }
    }
    /* Among what the readers held may be entries in limbo. */
    __atomic_store_n(&segment->header->left_over, 1, __ATOMIC_SEQ_CST);
    journal_set32(segment, &segment->owners[line].pid, 0);
    journal_commit(segment);
}

static void read_owner(const memory_owner_t *owner, memory_owner_t *copy)
{
    copy->pid = __atomic_load_n(&owner->pid, __ATOMIC_ACQUIRE);
    copy->start = __atomic_load_n(&owner->start, __ATOMIC_ACQUIRE);
    copy->generation = __atomic_load_n(&owner->generation, __ATOMIC_ACQUIRE);
    copy->life = __atomic_load_n(&owner->life, __ATOMIC_ACQUIRE);
    copy->space = __atomic_load_n(&owner->space, __ATOMIC_ACQUIRE);
}

static int is_same(const memory_owner_t *one, const memory_owner_t *other)
{
    return one->pid == other->pid && one->start == other->start && one->life == other->life
           && one->generation == other->generation && one->space == other->space;
}

/* Asking the system about a process takes a while, so it is done without the lock. */
void pins_sweep(memory_segment_t *segment, pins_abandon_fn *abandon)
{
    uint32_t i, lines = segment->geometry.line_count;
    memory_owner_t owner, asked = { 0, 0, 0, 0, 0 };
    int recovered, alive = 1;

    for (i = 0; i < lines; i++) {
        read_owner(&segment->owners[i], &owner);
        if (owner.pid == 0) {
            continue;
        }
        if (!is_same(&owner, &asked)) {
            alive = users_live(&segment->users, &owner);
            asked = owner;
        }
        if (alive || journal_lock(segment, &recovered) != APR_SUCCESS) {
            continue;
        }
        if (is_same(&segment->owners[i], &owner)) {
            sweep_line(segment, i, abandon);
        }
        journal_unlock(segment);
    }
}
