/* SPDX-License-Identifier: Apache-2.0
 *
 * check.c - see check.h. Reads only, and follows no reference before it is known to be the start of a
 * block: any word of the segment may hold anything.
 */
#include "check.h"
#include "heap.h"
#include "index.h"

typedef struct census_t {
    uint64_t free_units, free_blocks, live, payload, dead, spent, extents;
} census_t;

/* Every block, from the first to the last: what is it? */
static const char *walk_blocks(memory_segment_t *segment, census_t *census)
{
    const memory_geometry_t *geometry = &segment->geometry;
    memory_ref_t ref = geometry->first_block;
    uint32_t before = 0;
    bool was_free = false;

    while (ref < geometry->end_block) {
        const memory_block_t *block = memory_at(segment, ref);
        const memory_entry_t *entry = memory_entry_at(segment, ref);
        uint32_t units = heap_block_units(block);

        if (units == 0 || units > geometry->end_block - ref || block->before != before) {
            return "a block's size or that of its neighbour is wrong";
        }
        if (heap_is_free(block)) {
            if (was_free) {
                return "two free blocks lie side by side";
            }
            census->free_units += units;
            census->free_blocks++;
        }
        else if (entry) {
            census->live += MEMORY_STATE(entry->place) == MEMORY_LIVE;
            census->payload += MEMORY_STATE(entry->place) == MEMORY_LIVE ? entry->length : 0;
            census->dead += MEMORY_STATE(entry->place) == MEMORY_DEAD;
            census->spent += MEMORY_STATE(entry->place) == MEMORY_SPENT;
        }
        else if (memory_extent_at(segment, ref)) {
            census->extents++;
        }
        else if (ref != geometry->end_block - 1) {
            return "a block is neither free nor anything else";
        }
        was_free = heap_is_free(block);
        before = units;
        ref += units;
    }
    return NULL;
}

/* Is a free block of this class at ref? */
static bool is_free_block(const memory_segment_t *segment, memory_ref_t ref, uint32_t first,
                          uint32_t second)
{
    const memory_geometry_t *geometry = &segment->geometry;
    const memory_block_t *block;
    uint32_t units, f, s;

    if (ref < geometry->first_block || ref >= geometry->end_block) {
        return false;
    }
    block = memory_at(segment, ref);
    units = heap_block_units(block);
    if (!heap_is_free(block) || units == 0 || units > geometry->end_block - ref) {
        return false;
    }
    heap_class(units, &f, &s);
    return f == first && s == second;
}

/* *blocks: of all lists so far. */
static const char *check_free_list(const memory_segment_t *segment, uint32_t first, uint32_t second,
                                   const census_t *census, uint64_t *blocks)
{
    memory_ref_t ref = segment->header->free_list[first][second], before = 0;

    if (!ref != !(segment->header->second_map[first] >> second & 1)) {
        return "the map of the free lists is wrong";
    }
    while (ref) {
        const memory_block_t *block;

        if (!is_free_block(segment, ref, first, second) || ++*blocks > census->free_blocks) {
            return "a free list is wrong";
        }
        block = memory_at(segment, ref);
        if (block->free_prev != before) {
            return "a free list is wrong";
        }
        before = ref;
        ref = block->free_next;
    }
    return NULL;
}

static const char *check_free_lists(memory_segment_t *segment, const census_t *census)
{
    const memory_header_t *header = segment->header;
    uint64_t blocks = 0;
    uint32_t first, second;

    for (first = 0; first < MEMORY_FIRST_LEVELS; first++) {
        for (second = 0; second < MEMORY_SECOND_LEVELS; second++) {
            const char *wrong = check_free_list(segment, first, second, census, &blocks);

            if (wrong) {
                return wrong;
            }
        }
        if (!header->second_map[first] != !(header->first_map >> first & 1)) {
            return "the map of the free lists is wrong";
        }
    }
    return blocks == census->free_blocks ? NULL : "a free block is in no list";
}

static const char *check_chains(memory_segment_t *segment, const census_t *census)
{
    uint32_t bucket, count = segment->geometry.bucket_count;
    uint64_t found = 0;

    for (bucket = 0; bucket < count; bucket++) {
        memory_entry_t *entry;

        for (entry = index_first(segment, bucket); entry; entry = index_next(segment, entry)) {
            if (MEMORY_STATE(entry->place) != MEMORY_LIVE || ++found > census->live) {
                return "a chain of the index is wrong";
            }
        }
    }
    return found == census->live ? NULL : "a live entry is not in the index";
}

static const char *check_rings(memory_segment_t *segment, const census_t *census)
{
    uint64_t found = 0;
    uint32_t number;

    for (number = 0; number < MEMORY_RINGS; number++) {
        const memory_ring_t *ring = &segment->header->ring[number];
        memory_ref_t ref = ring->newest, newer = 0;

        while (ref) {
            const memory_entry_t *entry = memory_entry_at(segment, ref);

            if (!entry || entry->place != MEMORY_PLACE(MEMORY_LIVE, number)
                || entry->ring_prev != newer || ++found > census->live) {
                return "a ring is wrong";
            }
            newer = ref;
            ref = entry->ring_next;
            if (!ref && ring->stamp != entry->stamp) {
                return "a ring's stamp is wrong";
            }
        }
        if (ring->oldest != newer) {
            return "a ring's end is wrong";
        }
    }
    return found == census->live ? NULL : "a live entry is in no ring";
}

static const char *check_wheel(memory_segment_t *segment, const census_t *census)
{
    const memory_header_t *header = segment->header;
    uint64_t found = 0;
    uint32_t slot;

    for (slot = 0; slot < MEMORY_WHEEL_LEVELS * MEMORY_WHEEL_SLOTS; slot++) {
        uint32_t level = slot / MEMORY_WHEEL_SLOTS, number = slot % MEMORY_WHEEL_SLOTS;
        memory_ref_t ref = header->wheel[level][number], before = 0;

        if (!ref != !(header->wheel_map[level] >> number & 1)) {
            return "the map of the wheel is wrong";
        }
        while (ref) {
            const memory_entry_t *entry = memory_entry_at(segment, ref);

            if (!entry || MEMORY_STATE(entry->place) != MEMORY_LIVE || entry->wheel_slot != slot
                || entry->wheel_prev != before || ++found > census->live) {
                return "a slot of the wheel is wrong";
            }
            before = ref;
            ref = entry->wheel_next;
        }
    }
    return found == census->live ? NULL : "a live entry is not in the wheel";
}

static const char *check_limbo(memory_segment_t *segment, const census_t *census)
{
    memory_ref_t ref = segment->header->limbo, newer = 0;
    uint64_t found = 0, kept = 0;

    while (ref) {
        const memory_entry_t *entry = memory_entry_at(segment, ref);

        if (!entry || MEMORY_STATE(entry->place) != MEMORY_DEAD || entry->ring_prev != newer
            || ++found > census->dead) {
            return "the limbo is wrong";
        }
        kept += MEMORY_RING(entry->place) == MEMORY_LIMBO_KEPT;
        newer = ref;
        ref = entry->ring_next;
    }
    return found == census->dead && found == segment->header->limbo_count
           && kept == segment->header->limbo_kept ? NULL : "a dead entry is not in limbo";
}

static const char *check_spent(memory_segment_t *segment, const census_t *census)
{
    memory_ref_t ref = segment->header->spent;
    uint64_t found = 0;

    while (ref) {
        const memory_entry_t *entry = memory_entry_at(segment, ref);

        if (!entry || MEMORY_STATE(entry->place) != MEMORY_SPENT || ++found > census->spent) {
            return "the list of spent entries is wrong";
        }
        ref = entry->ring_next;
    }
    return found == census->spent ? NULL : "a spent entry is not in the list";
}

const char *check_segment(memory_segment_t *segment)
{
    census_t census = { 0, 0, 0, 0, 0, 0, 0 };
    const char *wrong = walk_blocks(segment, &census);

    if (!wrong && census.free_units != segment->header->free_units) {
        wrong = "the count of free units is wrong";
    }
    if (!wrong && census.live != segment->header->entries) {
        wrong = "the count of entries is wrong";
    }
    if (!wrong && census.payload != segment->header->payload) {
        wrong = "the count of bytes is wrong";
    }
    if (!wrong && segment->header->journal.count != 0) {
        wrong = "a change is not complete";
    }
    wrong = wrong ? wrong : check_free_lists(segment, &census);
    wrong = wrong ? wrong : check_chains(segment, &census);
    wrong = wrong ? wrong : check_rings(segment, &census);
    wrong = wrong ? wrong : check_wheel(segment, &census);
    wrong = wrong ? wrong : check_limbo(segment, &census);
    return wrong ? wrong : check_spent(segment, &census);
}
