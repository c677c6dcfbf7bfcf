/* SPDX-License-Identifier: Apache-2.0
 *
 * wheel.c - see wheel.h.
 *
 * Time is counted in ticks of about a second. Level k has 64 slots of 64^k ticks each. An entry is
 * filed in the finest level that reaches as far as its end; when the time of its slot comes it is
 * filed again, in a finer one, and in level 0 it has expired. All ticks before wheel_tick are done.
 *
 * The clock of the machine may be set back after it ran ahead, and the wheel with it. The wheel is
 * then turned back, and nothing is filed anew: slots are numbered modulo 64, so the slot of an entry
 * comes again, and no later than the entry ends. Proof: an entry with the end E in a slot of level
 * k > 0 was filed from a tick F <= wheel_tick, with (E >> 6(k-1)) - (F >> 6(k-1)) >= 64. So E >> 6k is
 * greater than F >> 6k, and than that of any earlier tick; the first time after such a tick that has
 * the slot's number is E's own or an earlier one. A slot that comes before the end of its entries only
 * files them again.
 */
#include "wheel.h"

#define TICK_SHIFT    20          /* 2^20 us */
#define SLOTS         MEMORY_WHEEL_SLOTS
#define LEVELS        MEMORY_WHEEL_LEVELS
#define SLOT_BITS     6

/* A writer's time is that of its beginning, so a time that lies back a little is nothing unusual: the
 * wheel stays, and entries that end in these ticks are reclaimed late by as much. */
#define SLACK_TICKS   1024

/* Entries moved to a finer level in one turn of the lock. */
#define MOVES_PER_TURN 64

static uint64_t tick_of(apr_time_t time)
{
    return time > 0 ? (uint64_t)time >> TICK_SHIFT : 0;
}

/* Level and slot for an end, seen from `tick`. What lies beyond the last level waits in its last
 * slot and is looked at again then. */
static uint32_t slot_for(uint64_t tick, uint64_t end)
{
    uint32_t level;

    if (end < tick) {
        end = tick;
    }
    for (level = 0; level < LEVELS; level++) {
        uint32_t shift = level * SLOT_BITS;

        if ((end >> shift) - (tick >> shift) < SLOTS) {
            return level * SLOTS + (uint32_t)(end >> shift & (SLOTS - 1));
        }
    }
    return (LEVELS - 1) * SLOTS
           + (uint32_t)(((tick >> (LEVELS - 1) * SLOT_BITS) + SLOTS - 1) & (SLOTS - 1));
}

static bool push(memory_segment_t *segment, memory_entry_t *entry, uint32_t slot)
{
    memory_header_t *header = segment->header;
    memory_ref_t *head = &header->wheel[slot / SLOTS][slot % SLOTS];
    uint64_t *map = &header->wheel_map[slot / SLOTS];
    memory_ref_t ref = memory_ref_of(segment, entry);
    memory_entry_t *first;

    if (*head) {
        first = memory_entry_at(segment, *head);
        if (!first) {
            journal_damaged(segment);
            return false;
        }
        journal_set32(segment, &first->wheel_prev, ref);
    }
    journal_set32(segment, &entry->wheel_next, *head);
    journal_set32(segment, &entry->wheel_prev, 0);
    journal_set32(segment, &entry->wheel_slot, slot);
    journal_set32(segment, head, ref);
    journal_set64(segment, map, *map | UINT64_C(1) << slot % SLOTS);
    return true;
}

/* Is the wheel so far ahead of this time that the clock must have been set back? */
static bool is_ahead(const memory_header_t *header, apr_time_t now)
{
    return header->wheel_tick > tick_of(now) + SLACK_TICKS;
}

bool wheel_insert(memory_segment_t *segment, memory_entry_t *entry, apr_time_t now)
{
    memory_header_t *header = segment->header;
    uint64_t filed = 0;
    uint32_t level;

    for (level = 0; level < LEVELS; level++) {
        filed |= header->wheel_map[level];
    }
    if (is_ahead(header, now) || (!filed && header->wheel_tick < tick_of(now))) {
        journal_set64(segment, &header->wheel_tick, tick_of(now));
    }
    return push(segment, entry, slot_for(header->wheel_tick, tick_of(memory_entry_end(entry))));
}

bool wheel_remove(memory_segment_t *segment, memory_entry_t *entry)
{
    memory_header_t *header = segment->header;
    memory_ref_t ref = memory_ref_of(segment, entry);
    memory_entry_t *other;
    uint32_t slot = entry->wheel_slot;
    memory_ref_t *head;

    if (slot >= LEVELS * SLOTS) {
        journal_damaged(segment);
        return false;
    }
    head = &header->wheel[slot / SLOTS][slot % SLOTS];
    if (entry->wheel_next) {
        other = memory_entry_at(segment, entry->wheel_next);
        if (!other || other->wheel_prev != ref) {
            journal_damaged(segment);
            return false;
        }
        journal_set32(segment, &other->wheel_prev, entry->wheel_prev);
    }
    other = entry->wheel_prev ? memory_entry_at(segment, entry->wheel_prev) : NULL;
    if (entry->wheel_prev ? !other || other->wheel_next != ref : *head != ref) {
        journal_damaged(segment);
        return false;
    }
    journal_set32(segment, other ? &other->wheel_next : head, entry->wheel_next);
    if (!*head) {
        uint64_t *map = &header->wheel_map[slot / SLOTS];

        journal_set64(segment, map, *map & ~(UINT64_C(1) << slot % SLOTS));
    }
    return true;
}

static uint64_t rotate(uint64_t bits, uint32_t count)
{
    return count ? bits >> count | bits << (64 - count) : bits;
}

/* The first tick, from wheel_tick on, at which a slot of this level is due. Its current slot only
 * counts where the level's time has just begun: later it can hold nothing. */
static uint64_t next_due(const memory_header_t *header, uint32_t level)
{
    uint32_t shift = level * SLOT_BITS;
    uint64_t number = header->wheel_tick >> shift;
    uint64_t bits;

    if (header->wheel_tick & ((UINT64_C(1) << shift) - 1)) {
        number++;
    }
    bits = rotate(header->wheel_map[level], (uint32_t)(number & (SLOTS - 1)));
    return bits ? (number + (uint64_t)__builtin_ctzll(bits)) << shift : UINT64_MAX;
}

/* Go on to the next tick at which there is something to do, but not beyond `target`. The slot that
 * is due then; LEVELS * SLOTS: none before target. */
static uint32_t go_on(memory_segment_t *segment, uint64_t target)
{
    memory_header_t *header = segment->header;
    uint64_t first = UINT64_MAX;
    uint32_t level, due = LEVELS;

    for (level = LEVELS; level-- > 0;) {
        uint64_t tick = next_due(header, level);

        /* At the same tick the coarser level goes first: it fills the finer one. */
        if (tick < first) {
            first = tick;
            due = level;
        }
    }
    if (first >= target) {
        if (header->wheel_tick < target) {
            journal_set64(segment, &header->wheel_tick, target);
        }
        return LEVELS * SLOTS;
    }
    journal_set64(segment, &header->wheel_tick, first);
    return due * SLOTS + (uint32_t)(first >> due * SLOT_BITS & (SLOTS - 1));
}

memory_entry_t *wheel_expired(memory_segment_t *segment, apr_time_t now, int *again)
{
    memory_header_t *header = segment->header;
    uint64_t target = tick_of(now);
    int moves;

    *again = 0;
    if (is_ahead(header, now)) {
        journal_set64(segment, &header->wheel_tick, target);
    }
    for (moves = 0; moves < MOVES_PER_TURN; moves++) {
        uint32_t slot = go_on(segment, target);
        memory_entry_t *entry;

        journal_commit(segment);
        if (slot == LEVELS * SLOTS) {
            return NULL;
        }
        entry = memory_entry_at(segment, header->wheel[slot / SLOTS][slot % SLOTS]);
        if (!entry || MEMORY_STATE(entry->place) != MEMORY_LIVE || entry->wheel_slot != slot) {
            journal_damaged(segment);
            return NULL;
        }
        if (slot < SLOTS && tick_of(memory_entry_end(entry)) <= header->wheel_tick) {
            return entry;
        }
        if (!wheel_remove(segment, entry)
            || !push(segment, entry, slot_for(header->wheel_tick,
                                              tick_of(memory_entry_end(entry))))) {
            return NULL;
        }
        journal_commit(segment);
    }
    *again = 1;
    return NULL;
}
