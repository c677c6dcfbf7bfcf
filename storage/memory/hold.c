/* SPDX-License-Identifier: Apache-2.0
 *
 * hold.c - see hold.h.
 *
 * The shares: a value is not stored if more than half of the heap would be held then, or, where it
 * fits into free memory and so takes nothing from others, more than three quarters. Nor is one read
 * in place beyond three quarters, unless others have it pinned anyway. So a quarter is always left to
 * the values that come and go.
 *
 * Between two counts readers of large values add up what they pin (header.held_since), each entry as
 * often as it is read: the sum is more than what they hold, and when it reaches the bound one of them
 * counts. Small values are noticed by those who store: a count for each 1/64 of the heap.
 */
#include "hold.h"
#include "pins.h"

/* Values of up to so many bytes are not counted, nor those of less than 1/256 of the store. */
#define SMALL_MAX   65536u
#define SMALL_SHARE 256u

/* It is counted again after this share of the heap was taken; or read, while too much is held. */
#define AGAIN_SHARE 64u

static uint64_t heap_size(const memory_segment_t *segment)
{
    return segment->geometry.end_block - segment->geometry.first_block;
}

void hold_init(memory_segment_t *segment)
{
    uint64_t small = segment->geometry.size / SMALL_SHARE;

    segment->hold_writers = heap_size(segment) / 2;
    segment->hold_readers = heap_size(segment) / 4 * 3;
    segment->hold_small = small < SMALL_MAX ? small : SMALL_MAX;
}

typedef struct count_t {
    uint32_t number;
    uint64_t units;
} count_t;

/* A pin that is just being set may name anything. */
static void count_entry(memory_segment_t *segment, memory_ref_t ref, void *baton)
{
    memory_entry_t *entry = memory_entry_at(segment, ref);
    count_t *count = baton;
    uint32_t marks;

    if (!entry) {
        return;
    }
    marks = __atomic_load_n(&entry->marks, __ATOMIC_RELAXED);
    if (MEMORY_COUNTED(marks) != count->number) {
        __atomic_store_n(&entry->marks, count->number << 1 | (marks & MEMORY_ALONE),
                         __ATOMIC_RELAXED);
        count->units += entry_units(entry);
    }
}

uint64_t hold_count(memory_segment_t *segment)
{
    memory_header_t *header = segment->header;
    count_t count = { 0, 0 };

    header->counts = (header->counts + 1) & MEMORY_COUNTED(UINT32_MAX);
    count.number = header->counts;
    __atomic_store_n(&header->held_since, 0, __ATOMIC_RELAXED);
    pins_visit(segment, count_entry, &count);
    __atomic_store_n(&header->held, count.units, __ATOMIC_RELAXED);
    return count.units;
}

bool hold_allows_writer(memory_segment_t *segment, uint64_t bytes, uint64_t more)
{
    uint64_t bound = segment->header->free_units >= more ? segment->hold_readers
                                                         : segment->hold_writers;

    return bytes <= segment->hold_small || hold_count(segment) + more <= bound;
}

bool hold_leaves(memory_segment_t *segment, uint32_t wanted)
{
    return hold_count(segment) + wanted <= heap_size(segment);
}

void hold_taken(memory_segment_t *segment, uint32_t units)
{
    uint64_t since = __atomic_add_fetch(&segment->header->held_since, units, __ATOMIC_RELAXED);

    if (since >= heap_size(segment) / AGAIN_SHARE) {
        (void)hold_count(segment);
    }
}

/* Count, unless somebody is at the lock, who may be counting. */
static uint64_t count_again(memory_segment_t *segment, uint64_t held)
{
    int recovered;

    if (journal_trylock(segment, &recovered) != APR_SUCCESS) {
        return held;
    }
    if (!segment->header->damaged) {
        held = hold_count(segment);
    }
    journal_unlock(segment);
    if (recovered) {
        pins_sweep(segment, entry_abandon);
    }
    return held;
}

bool hold_allows_reader(memory_segment_t *segment, const memory_entry_t *entry)
{
    memory_header_t *header = segment->header;
    uint64_t held = __atomic_load_n(&header->held, __ATOMIC_RELAXED);
    uint64_t since = __atomic_add_fetch(&header->held_since, entry_units(entry), __ATOMIC_RELAXED);

    if (held + since <= segment->hold_readers) {
        return true;
    }
    if (held <= segment->hold_readers || since >= heap_size(segment) / AGAIN_SHARE) {
        held = count_again(segment, held);
    }
    return held <= segment->hold_readers
           || pins_count(segment, memory_ref_of(segment, entry)) > 1;
}
