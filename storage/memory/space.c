/* SPDX-License-Identifier: Apache-2.0
 *
 * space.c - see space.h.
 */
#include "space.h"

/* Victims in one turn of the lock, so that a large value does not keep the others waiting. */
#define EVICTIONS_PER_TURN 32

/* What has expired goes before anything that lives. false: nothing has, or damage. */
static bool expire_one(memory_segment_t *segment, apr_time_t now, int *again)
{
    memory_entry_t *entry = wheel_expired(segment, now, again);

    if (!entry || !entry_unlink(segment, entry)) {
        return false;
    }
    segment->header->expirations++;
    journal_commit(segment);
    return true;
}

bool space_evict(memory_segment_t *segment, apr_time_t now)
{
    memory_header_t *header = segment->header;
    memory_entry_t *entry = policy_evict(segment);
    int expired;

    if (!entry) {
        return false;
    }
    expired = memory_entry_end(entry) <= now;
    if (!entry_unlink(segment, entry)) {
        return false;
    }
    if (expired) {
        header->expirations++;
    }
    else {
        header->evictions++;
    }
    journal_commit(segment);
    return true;
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

memory_ref_t space_take(memory_segment_t *segment, uint32_t wanted, uint32_t least, apr_time_t now,
                        uint32_t *units, int *again)
{
    memory_ref_t ref = 0;
    int turn;

    *again = 0;
    for (turn = 0; turn < EVICTIONS_PER_TURN; turn++) {
        entry_reap(segment);
        ref = take_free(segment, wanted, least, units);
        if (ref || segment->header->damaged) {
            return ref;
        }
        if (!expire_one(segment, now, again) && !*again && !space_evict(segment, now)) {
            return 0;
        }
    }
    entry_reap(segment);
    ref = take_free(segment, wanted, least, units);
    *again = !ref && !segment->header->damaged;
    return ref;
}
