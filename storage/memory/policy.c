/* SPDX-License-Identifier: Apache-2.0
 *
 * policy.c - see policy.h.
 *
 * Rings: for each size class (power of two) one for what is *new* and one for the *main* part. An
 * entry comes in at the newest end with a stamp, the clock's time then. The worth of the oldest of
 * a ring is stamp + weight of its class, a tenth of the weight for new ones; the ring whose oldest
 * is worth least is looked at, and the clock moves on to that worth. There, an entry that was hit
 * goes (back) to the main ring, one that was not is the victim. A victim that never left the new
 * ring leaves its hash among the ghosts; if it comes again soon it goes to the main ring at once.
 *
 * Stamps are modular: only differences count, and they stay below 2^31 since no weight is larger.
 */
#include "policy.h"

#include <math.h>

/* Between favouring objects (1) and ignoring sizes (0). */
#define SIZE_EXPONENT 0.7
/* Weight of the smallest class, 64 bytes. 1 GiB then weighs 2500: no class rounds to nothing. */
#define WEIGHT_MAX    ((double)(1u << 28))
#define NEW_SHARE     10

/* Each step moves an entry to a main ring and lowers its hits, or finds the victim. Where
 * everything was hit lately somebody has to go all the same, before the others have waited long for
 * the lock. */
#define STEP_LIMIT    256

static uint32_t class_of(uint64_t bytes)
{
    uint32_t log2 = 63u - (uint32_t)__builtin_clzll(bytes | MEMORY_UNIT);

    return log2 < MEMORY_CLASSES ? log2 : MEMORY_CLASSES - 1;
}

/* Rings 2c and 2c + 1 are the new and the main one of class c. */
static bool is_main(uint32_t ring)
{
    return ring & 1;
}

void policy_init(memory_segment_t *segment)
{
    uint32_t ring;

    for (ring = 0; ring < MEMORY_RINGS; ring++) {
        double bytes = ldexp(1.0, (int)(ring / 2) - 6);
        uint32_t weight = (uint32_t)(WEIGHT_MAX * pow(bytes < 1.0 ? 1.0 : bytes, -SIZE_EXPONENT));

        segment->weight[ring] = is_main(ring) ? weight : weight / NEW_SHARE;
    }
}

static bool ring_push(memory_segment_t *segment, memory_entry_t *entry, uint32_t number)
{
    memory_ring_t *ring = &segment->header->ring[number];
    memory_ref_t ref = memory_ref_of(segment, entry);
    memory_entry_t *newest;

    if (ring->newest) {
        newest = memory_entry_at(segment, ring->newest);
        if (!newest) {
            journal_damaged(segment);
            return false;
        }
        journal_set32(segment, &newest->ring_prev, ref);
    }
    else {
        journal_set32(segment, &ring->oldest, ref);
        journal_set32(segment, &ring->stamp, segment->header->clock);
    }
    journal_set32(segment, &entry->ring_next, ring->newest);
    journal_set32(segment, &entry->ring_prev, 0);
    journal_set32(segment, &entry->stamp, segment->header->clock);
    journal_set32(segment, &entry->place, MEMORY_PLACE(MEMORY_LIVE, number));
    journal_set32(segment, &ring->newest, ref);
    return true;
}

/* Its neighbours, which must be its neighbours: NULL for none. */
static bool neighbours(memory_segment_t *segment, memory_entry_t *entry, memory_entry_t **newer,
                       memory_entry_t **older)
{
    memory_ref_t ref = memory_ref_of(segment, entry);

    *newer = entry->ring_prev ? memory_entry_at(segment, entry->ring_prev) : NULL;
    *older = entry->ring_next ? memory_entry_at(segment, entry->ring_next) : NULL;
    return (entry->ring_prev == 0 || (*newer && (*newer)->ring_next == ref))
           && (entry->ring_next == 0 || (*older && (*older)->ring_prev == ref));
}

bool policy_remove(memory_segment_t *segment, memory_entry_t *entry)
{
    uint32_t number = MEMORY_RING(entry->place);
    memory_entry_t *newer, *older;
    memory_ring_t *ring;

    if (number >= MEMORY_RINGS || !neighbours(segment, entry, &newer, &older)) {
        journal_damaged(segment);
        return false;
    }
    ring = &segment->header->ring[number];
    if (newer) {
        journal_set32(segment, &newer->ring_next, entry->ring_next);
    }
    else {
        journal_set32(segment, &ring->newest, entry->ring_next);
    }
    if (older) {
        journal_set32(segment, &older->ring_prev, entry->ring_prev);
    }
    else {
        journal_set32(segment, &ring->oldest, entry->ring_prev);
        journal_set32(segment, &ring->stamp, newer ? newer->stamp : 0);
    }
    return true;
}

/* Ghosts are a plain table: 16 bits of the hash, and when it was made, in 16 bits of the count of
 * ghosts. A newer one takes the place of an older one, and after as many others as nine tenths of
 * the resident entries it counts no more. They are hints: a lost or torn one does no harm, and the
 * journal does not know them. */
static uint32_t *ghost_of(memory_segment_t *segment, uint64_t hash)
{
    return &segment->ghosts[(uint32_t)hash % segment->geometry.ghost_count];
}

static uint32_t ghost_mark(uint64_t hash)
{
    return (uint32_t)(hash >> 48) << 16;
}

/* Ghosts in one tick, so that 16 bits of ticks reach back further than any ghost counts. */
static uint32_t ghost_shift(const memory_segment_t *segment)
{
    uint32_t log2 = 31u - (uint32_t)__builtin_clz(segment->geometry.ghost_count);

    return log2 > 13 ? log2 - 13 : 0;
}

static void ghost_add(memory_segment_t *segment, uint64_t hash)
{
    memory_header_t *header = segment->header;

    header->ghost_clock++;
    *ghost_of(segment, hash) = ghost_mark(hash)
                               | (header->ghost_clock >> ghost_shift(segment) & 0xffff);
}

/* Was it evicted not long ago? Asked once. */
static bool ghost_take(memory_segment_t *segment, uint64_t hash)
{
    const memory_header_t *header = segment->header;
    uint32_t *ghost = ghost_of(segment, hash), shift = ghost_shift(segment);
    uint32_t age = ((header->ghost_clock >> shift) - *ghost) & 0xffff;

    if (*ghost == 0 || (*ghost & 0xffff0000u) != ghost_mark(hash)
        || age > (header->entries * 9 / 10) >> shift) {
        return false;
    }
    *ghost = 0;
    return true;
}

bool policy_insert(memory_segment_t *segment, memory_entry_t *entry, uint64_t bytes)
{
    uint32_t ring = 2 * class_of(bytes);

    return ring_push(segment, entry, ghost_take(segment, entry->hash) ? ring + 1 : ring);
}

bool policy_keep(memory_segment_t *segment, memory_entry_t *entry)
{
    uint32_t number = MEMORY_RING(entry->place);

    return policy_remove(segment, entry) && ring_push(segment, entry, number | 1);
}

/* The ring whose oldest entry is worth least; MEMORY_RINGS: all are empty. */
static uint32_t cheapest_ring(const memory_segment_t *segment, uint32_t *worth)
{
    const memory_header_t *header = segment->header;
    uint32_t i, best = MEMORY_RINGS;

    for (i = 0; i < MEMORY_RINGS; i++) {
        uint32_t value = header->ring[i].stamp + segment->weight[i];

        if (header->ring[i].oldest && (best == MEMORY_RINGS || (int32_t)(value - *worth) < 0)) {
            best = i;
            *worth = value;
        }
    }
    return best;
}

memory_entry_t *policy_evict(memory_segment_t *segment)
{
    memory_header_t *header = segment->header;
    uint32_t worth = 0;
    int step;

    for (step = 0;; step++) {
        uint32_t number = cheapest_ring(segment, &worth);
        memory_entry_t *entry;
        uint32_t hits, worth_left;

        if (number == MEMORY_RINGS) {
            return NULL;
        }
        entry = memory_entry_at(segment, header->ring[number].oldest);
        if (!entry || entry->place != MEMORY_PLACE(MEMORY_LIVE, number)) {
            break;
        }
        if ((int32_t)(worth - header->clock) > 0) {
            journal_set32(segment, &header->clock, worth);
        }
        hits = __atomic_load_n(&entry->hits, __ATOMIC_RELAXED);
        if (!POLICY_WORTH(hits) || step == STEP_LIMIT) {
            if (!is_main(number)) {
                ghost_add(segment, entry->hash);
            }
            journal_commit(segment);
            return entry;
        }
        worth_left = is_main(number) ? POLICY_WORTH(hits) - 1 : 0;
        __atomic_store_n(&entry->hits, POLICY_TOTAL(hits) << 2 | worth_left, __ATOMIC_RELAXED);
        if (!policy_keep(segment, entry)) {
            return NULL;
        }
        journal_commit(segment);
    }
    journal_damaged(segment);
    return NULL;
}
