/* SPDX-License-Identifier: Apache-2.0
 *
 * space.c - see space.h.
 */
#include "space.h"
#include "hold.h"
#include "variants.h"

/* Victims in one turn of the lock, so that a large value does not keep the others waiting. */
#define EVICTIONS_PER_TURN 32

/* What may give way for a value, in multiples of what it needs: so much until there is a block of a
 * good size, then until there is any that will do. The last is reached only if the first piece must be
 * large, for a long key. */
#define EVICT_GOOD 2
#define EVICT_ANY  8

/* Mappings passed over for one victim. */
#define KEPT_MAX 8

/* A live entry goes. Its units; 0: damage. */
static uint32_t let_go(memory_segment_t *segment, memory_entry_t *entry, uint64_t *counter)
{
    if (!entry_unlink(segment, entry)) {
        return 0;
    }
    (*counter)++;
    journal_commit(segment);
    return entry_units(entry);
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

/* The size that a block must have at least, by now. */
static uint32_t least_of(const space_request_t *request)
{
    return request->evicted < EVICT_GOOD * request->need ? request->least : request->must;
}

/* Pages are had in pieces of at least so many, if they are not all wanted. */
#define PAGES_LEAST 16u

/* Free pages, all that are wanted or as many as a good piece has. */
static memory_ref_t take_pages(memory_segment_t *segment, const space_request_t *request,
                               uint32_t *units)
{
    uint32_t pages = request->pages, least = pages < PAGES_LEAST ? pages : PAGES_LEAST;
    memory_ref_t ref = heap_alloc_paged(segment, pages);

    if (!ref && !segment->header->damaged) {
        uint32_t fit = heap_paged_fit(heap_largest(segment));

        pages = fit < pages ? fit : pages;
        if (pages >= least && !segment->header->damaged) {
            ref = heap_alloc_paged(segment, pages);
        }
    }
    *units = heap_paged_units(pages);
    return ref;
}

/* A block that is free now: the wanted size in one piece, or else the best piece there is. */
static memory_ref_t take_free(memory_segment_t *segment, space_request_t *request, uint32_t *units)
{
    uint32_t largest, least = least_of(request);
    memory_ref_t ref;

    if (request->pages) {
        ref = take_pages(segment, request, units);
        if (ref || segment->header->damaged || request->evicted < request->need) {
            return ref;
        }
        request->pages = 0;
    }
    ref = heap_alloc(segment, request->wanted);

    if (ref) {
        *units = request->wanted;
        return ref;
    }
    if (least >= request->wanted || segment->header->damaged) {
        return 0;
    }
    largest = heap_largest(segment);
    if (largest < least || segment->header->damaged) {
        return 0;
    }
    *units = largest < request->wanted ? largest : request->wanted;
    return heap_alloc(segment, *units);
}

/* One turn of the lock. */
typedef struct turn_t {
    int      victims;
    uint64_t expired, evicted;   /* units of those that went last */
} turn_t;

/* Let entries go until they make up what is wanted, or the turn is over. Their memory comes back when
 * they are reaped: once for all of them, as that looks at every pin. false: none could. */
static bool let_some_go(memory_segment_t *segment, const space_request_t *request, turn_t *turn)
{
    int more = 0, first = turn->victims;

    turn->expired = turn->evicted = 0;
    while (turn->expired + turn->evicted < request->wanted && turn->victims < EVICTIONS_PER_TURN) {
        uint32_t expired = expire_one(segment, request->now, &more);
        uint32_t evicted = expired || more ? 0 : space_evict(segment, request->now);

        if (!expired && !evicted && !more) {
            break;
        }
        turn->expired += expired;
        turn->evicted += evicted;
        turn->victims++;
    }
    return turn->victims > first;
}

/* Make some room, as long as that makes sense. false: no more is to be had. */
static bool make_room(memory_segment_t *segment, space_request_t *request, turn_t *turn)
{
    memory_header_t *header = segment->header;
    uint64_t before = header->free_units + header->spent_units, freed;

    if (request->evicted >= EVICT_ANY * request->need || !let_some_go(segment, request, turn)
        || header->damaged) {
        return false;
    }
    entry_reap(segment);
    if (header->damaged) {
        return false;
    }
    freed = header->free_units + header->spent_units - before;
    request->evicted += freed < turn->evicted ? freed : turn->evicted;
    /* Some were pinned and have made no room: is it worth to go on? */
    return freed >= turn->expired + turn->evicted || hold_leaves(segment, request->wanted);
}

memory_ref_t space_take(memory_segment_t *segment, space_request_t *request, uint32_t *units,
                        int *again)
{
    turn_t turn = { 0, 0, 0 };

    *again = 0;
    entry_reap(segment);
    while (!segment->header->damaged) {
        memory_ref_t ref = take_free(segment, request, units);

        if (ref || segment->header->damaged) {
            return ref;
        }
        if (turn.victims >= EVICTIONS_PER_TURN || (segment->header->spent && !request->stuck)) {
            *again = 1;
            return 0;
        }
        if (!make_room(segment, request, &turn)) {
            return 0;
        }
    }
    return 0;
}
