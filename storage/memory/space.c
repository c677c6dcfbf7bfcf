/* SPDX-License-Identifier: Apache-2.0
 *
 * space.c - see space.h.
 */
#include "space.h"
#include "variants.h"

/* Victims in one turn of the lock, so that a large value does not keep the others waiting. */
#define EVICTIONS_PER_TURN 32

/* Mappings passed over for one victim. */
#define KEPT_MAX 8

/* What an entry takes of the heap, rounding of further pieces left out. */
static uint32_t units_of(const memory_entry_t *entry)
{
    return heap_units(sizeof(*entry) + entry->key_length + entry->length);
}

/* A live entry goes. Its units; 0: damage. */
static uint32_t let_go(memory_segment_t *segment, memory_entry_t *entry, uint64_t *counter)
{
    if (!entry_unlink(segment, entry)) {
        return 0;
    }
    (*counter)++;
    journal_commit(segment);
    return units_of(entry);
}

/* What has expired goes before anything that lives. 0: nothing has, or damage. */
static uint32_t expire_one(memory_segment_t *segment, apr_time_t now, int *again)
{
    memory_entry_t *entry = wheel_expired(segment, now, again);

    return entry ? let_go(segment, entry, &segment->header->expirations) : 0;
}

/* The next victim, mappings that are still needed passed over, if there are not too many. */
static memory_entry_t *find_victim(memory_segment_t *segment)
{
    memory_entry_t *entry = policy_evict(segment);
    int kept;

    for (kept = 0; entry && kept < KEPT_MAX && variants_needs(segment, entry); kept++) {
        if (!policy_keep(segment, entry)) {
            return NULL;
        }
        journal_commit(segment);
        entry = policy_evict(segment);
    }
    return segment->header->damaged ? NULL : entry;
}

uint32_t space_evict(memory_segment_t *segment, apr_time_t now)
{
    memory_header_t *header = segment->header;
    memory_entry_t *entry = find_victim(segment);

    if (!entry) {
        return 0;
    }
    return let_go(segment, entry, memory_entry_end(entry) <= now ? &header->expirations
                                                                 : &header->evictions);
}

/* A block that is free now: the wanted size in one piece, or else the best piece there is. */
static memory_ref_t take_free(memory_segment_t *segment, uint32_t wanted, uint32_t least,
                              uint32_t *units)
{
    memory_ref_t ref = heap_alloc(segment, wanted);
    uint32_t largest;

    if (ref) {
        *units = wanted;
        return ref;
    }
    if (least == wanted || segment->header->damaged) {
        return 0;
    }
    largest = heap_largest(segment);
    if (largest < least || segment->header->damaged) {
        return 0;
    }
    *units = largest < wanted ? largest : wanted;
    return heap_alloc(segment, *units);
}

/* Let entries go until they make up `wanted` units, or the turn is over. 0: none could. Their
 * memory comes back when they are reaped: once for all of them, as that looks at every pin. */
static int make_room(memory_segment_t *segment, uint32_t wanted, apr_time_t now, int *victims,
                     int *again)
{
    uint64_t units = 0;
    int found = 0;

    while (units < wanted && *victims < EVICTIONS_PER_TURN) {
        uint32_t gone = expire_one(segment, now, again);

        if (!gone && !*again) {
            gone = space_evict(segment, now);
            if (!gone) {
                break;
            }
        }
        units += gone;
        found = 1;
        (*victims)++;
    }
    return found;
}

memory_ref_t space_take(memory_segment_t *segment, uint32_t wanted, uint32_t least, apr_time_t now,
                        uint32_t *units, int *again)
{
    memory_ref_t ref;
    int victims = 0;

    *again = 0;
    for (;;) {
        entry_reap(segment);
        ref = take_free(segment, wanted, least, units);
        if (ref || segment->header->damaged) {
            return ref;
        }
        if (victims == EVICTIONS_PER_TURN) {
            *again = 1;
            return 0;
        }
        if (!make_room(segment, wanted, now, &victims, again) || segment->header->damaged) {
            return 0;
        }
    }
}
