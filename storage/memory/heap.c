/* SPDX-License-Identifier: Apache-2.0
 *
 * heap.c - see heap.h.
 */
#include "heap.h"

/* How many blocks of the exact class are tried before a larger class is split: it keeps large
 * blocks whole in a cache that is always nearly full. */
#define EXACT_TRIES 8

void heap_class(uint32_t units, uint32_t *first, uint32_t *second)
{
    uint32_t log2 = 31u - (uint32_t)__builtin_clz(units);

    if (log2 < MEMORY_SECOND_BITS) {
        *first = 0;
        *second = units;
        return;
    }
    *first = log2 - MEMORY_SECOND_BITS + 1;
    *second = (units >> (log2 - MEMORY_SECOND_BITS)) & (MEMORY_SECOND_LEVELS - 1);
}

/* A block at ref whose extent lies in the heap, or NULL. */
static memory_block_t *block_at(memory_segment_t *segment, memory_ref_t ref)
{
    const memory_geometry_t *geometry = &segment->geometry;
    memory_block_t *block;
    uint32_t units;

    if (ref < geometry->first_block || ref >= geometry->end_block) {
        return NULL;
    }
    block = memory_at(segment, ref);
    units = heap_block_units(block);
    return units != 0 && units <= geometry->end_block - ref ? block : NULL;
}

static memory_block_t *free_block_at(memory_segment_t *segment, memory_ref_t ref)
{
    memory_block_t *block = block_at(segment, ref);

    return block && heap_is_free(block) ? block : NULL;
}

/* File a block, whose size is set, as free. */
static bool list_push(memory_segment_t *segment, memory_ref_t ref)
{
    memory_header_t *header = segment->header;
    memory_block_t *block = memory_at(segment, ref), *head;
    memory_ref_t *list;
    uint32_t first, second;

    heap_class(heap_block_units(block), &first, &second);
    list = &header->free_list[first][second];
    if (*list) {
        head = free_block_at(segment, *list);
        if (!head) {
            return false;
        }
        journal_set32(segment, &head->free_prev, ref);
    }
    else {
        journal_set32(segment, &header->second_map[first],
                      header->second_map[first] | 1u << second);
        journal_set32(segment, &header->first_map, header->first_map | 1u << first);
    }
    journal_set32(segment, &block->free_next, *list);
    journal_set32(segment, &block->free_prev, 0);
    journal_set32(segment, list, ref);
    return true;
}

static bool list_remove(memory_segment_t *segment, memory_ref_t ref)
{
    memory_header_t *header = segment->header;
    memory_block_t *block = memory_at(segment, ref), *other;
    uint32_t first, second;

    heap_class(heap_block_units(block), &first, &second);
    if (block->free_next) {
        other = free_block_at(segment, block->free_next);
        if (!other || other->free_prev != ref) {
            return false;
        }
        journal_set32(segment, &other->free_prev, block->free_prev);
    }
    if (block->free_prev) {
        other = free_block_at(segment, block->free_prev);
        if (!other || other->free_next != ref) {
            return false;
        }
        journal_set32(segment, &other->free_next, block->free_next);
        return true;
    }
    if (header->free_list[first][second] != ref) {
        return false;
    }
    journal_set32(segment, &header->free_list[first][second], block->free_next);
    if (!block->free_next) {
        journal_set32(segment, &header->second_map[first],
                      header->second_map[first] & ~(1u << second));
        if (!header->second_map[first]) {
            journal_set32(segment, &header->first_map, header->first_map & ~(1u << first));
        }
    }
    return true;
}

void heap_format(memory_segment_t *segment)
{
    memory_header_t *header = segment->header;
    memory_ref_t first_block = segment->geometry.first_block;
    memory_ref_t last = segment->geometry.end_block - 1;
    memory_block_t *whole = memory_at(segment, first_block);
    memory_block_t *end = memory_at(segment, last);
    bool filed;

    header->first_map = 0;
    memset(header->second_map, 0, sizeof(header->second_map));
    memset(header->free_list, 0, sizeof(header->free_list));
    whole->size = (last - first_block) | MEMORY_BLOCK_FREE;
    whole->before = 0;
    whole->free_next = whole->free_prev = 0;
    /* The last unit is a block that is never freed, so that every block has one behind it. */
    end->size = 1;
    end->before = last - first_block;
    end->free_next = end->free_prev = 0;
    header->free_units = last - first_block;
    filed = list_push(segment, first_block);
    storer_assert(filed);
    journal_commit(segment);
}

memory_ref_t heap_after(memory_segment_t *segment, memory_ref_t ref)
{
    memory_block_t *block = block_at(segment, ref), *after;
    memory_ref_t next;

    if (!block) {
        return 0;
    }
    next = ref + heap_block_units(block);
    after = block_at(segment, next);
    return after && after->before == heap_block_units(block) ? next : 0;
}

/* A free block of at least `units`, still filed; 0: none. */
static memory_ref_t find(memory_segment_t *segment, uint32_t units)
{
    memory_header_t *header = segment->header;
    memory_block_t *block;
    memory_ref_t ref;
    uint32_t first, second, map;
    int tries;

    heap_class(units, &first, &second);
    ref = header->free_list[first][second];
    for (tries = 0; ref && tries < EXACT_TRIES; tries++) {
        block = free_block_at(segment, ref);
        if (!block) {
            journal_damaged(segment);
            return 0;
        }
        if (heap_block_units(block) >= units) {
            return ref;
        }
        ref = block->free_next;
    }
    map = header->second_map[first] & (uint32_t)(~UINT64_C(0) << (second + 1));
    if (!map) {
        map = header->first_map & (uint32_t)(~UINT64_C(0) << (first + 1));
        if (!map) {
            return 0;
        }
        first = (uint32_t)__builtin_ctz(map);
        map = header->second_map[first];
    }
    ref = map ? header->free_list[first][__builtin_ctz(map) & (MEMORY_SECOND_LEVELS - 1)] : 0;
    block = free_block_at(segment, ref);
    if (!block || heap_block_units(block) < units) {
        journal_damaged(segment);
        return 0;
    }
    return ref;
}

/* Give the units of the block at ref beyond `units` back. They are not filed yet and the block
 * behind is not free. */
static bool split(memory_segment_t *segment, memory_ref_t ref, uint32_t units)
{
    memory_block_t *block = memory_at(segment, ref);
    uint32_t rest_units = heap_block_units(block) - units;
    memory_block_t *rest, *after;

    if (!rest_units) {
        return true;
    }
    after = block_at(segment, ref + units + rest_units);
    if (!after) {
        return false;
    }
    rest = memory_at(segment, ref + units);
    /* The rest's words hold nothing that must come back: they are inside a block that is being
     * taken, or inside one whose owner has cut it off. */
    journal_set32(segment, &rest->size, rest_units | MEMORY_BLOCK_FREE);
    journal_set32(segment, &rest->before, units);
    journal_set32(segment, &after->before, rest_units);
    journal_set32(segment, &block->size, units | (block->size & MEMORY_BLOCK_FREE));
    return list_push(segment, ref + units);
}

memory_ref_t heap_alloc(memory_segment_t *segment, uint32_t units)
{
    memory_header_t *header = segment->header;
    memory_ref_t ref = find(segment, units);
    memory_block_t *block;

    if (!ref) {
        return 0;
    }
    block = memory_at(segment, ref);
    if (!list_remove(segment, ref) || !split(segment, ref, units)) {
        journal_damaged(segment);
        return 0;
    }
    journal_set32(segment, &block->size, units);
    journal_set64(segment, &header->free_units, header->free_units - units);
    return ref;
}

uint32_t heap_largest(memory_segment_t *segment)
{
    memory_header_t *header = segment->header;
    memory_block_t *block;
    uint32_t first, second;

    if (!header->first_map) {
        return 0;
    }
    first = 31u - (uint32_t)__builtin_clz(header->first_map);
    if (!header->second_map[first]) {
        journal_damaged(segment);
        return 0;
    }
    second = 31u - (uint32_t)__builtin_clz(header->second_map[first]);
    block = second < MEMORY_SECOND_LEVELS
                ? free_block_at(segment, header->free_list[first][second]) : NULL;
    if (!block) {
        journal_damaged(segment);
        return 0;
    }
    return heap_block_units(block);
}

/* Take the free block `from` out of its list and let the block at ref swallow it. */
static bool swallow(memory_segment_t *segment, memory_ref_t ref, memory_ref_t from)
{
    memory_block_t *block = memory_at(segment, ref);
    memory_block_t *other = free_block_at(segment, from);

    if (!other || !list_remove(segment, from)) {
        return false;
    }
    journal_set32(segment, &block->size,
                  (heap_block_units(block) + heap_block_units(other)) | MEMORY_BLOCK_FREE);
    return true;
}

static bool merge_and_file(memory_segment_t *segment, memory_ref_t ref)
{
    memory_block_t *block = memory_at(segment, ref), *neighbour;
    memory_ref_t after = heap_after(segment, ref), before;

    if (!after) {
        return false;
    }
    neighbour = memory_at(segment, after);
    if (heap_is_free(neighbour) && !swallow(segment, ref, after)) {
        return false;
    }
    if (block->before) {
        before = ref - block->before;
        neighbour = block_at(segment, before);
        if (!neighbour || heap_block_units(neighbour) != block->before) {
            return false;
        }
        if (heap_is_free(neighbour)) {
            if (!list_remove(segment, before)) {
                return false;
            }
            journal_set32(segment, &neighbour->size,
                          (heap_block_units(neighbour) + heap_block_units(block))
                          | MEMORY_BLOCK_FREE);
            ref = before;
            block = neighbour;
        }
    }
    neighbour = block_at(segment, ref + heap_block_units(block));
    if (!neighbour) {
        return false;
    }
    journal_set32(segment, &neighbour->before, heap_block_units(block));
    return list_push(segment, ref);
}

bool heap_free(memory_segment_t *segment, memory_ref_t ref)
{
    memory_header_t *header = segment->header;
    memory_block_t *block = block_at(segment, ref);
    uint32_t units;

    if (!block || heap_is_free(block)) {
        journal_damaged(segment);
        return false;
    }
    units = heap_block_units(block);
    journal_set32(segment, &block->size, units | MEMORY_BLOCK_FREE);
    if (!merge_and_file(segment, ref)) {
        journal_damaged(segment);
        return false;
    }
    journal_set64(segment, &header->free_units, header->free_units + units);
    return true;
}

bool heap_trim(memory_segment_t *segment, memory_ref_t ref, uint32_t units)
{
    memory_header_t *header = segment->header;
    memory_block_t *block = block_at(segment, ref), *rest, *after;
    uint32_t rest_units;

    if (!block || heap_is_free(block) || heap_block_units(block) < units) {
        journal_damaged(segment);
        return false;
    }
    rest_units = heap_block_units(block) - units;
    if (!rest_units) {
        return true;
    }
    after = block_at(segment, ref + units + rest_units);
    if (!after) {
        journal_damaged(segment);
        return false;
    }
    rest = memory_at(segment, ref + units);
    journal_set32(segment, &rest->size, rest_units | MEMORY_BLOCK_FREE);
    journal_set32(segment, &rest->before, units);
    journal_set32(segment, &after->before, rest_units);
    journal_set32(segment, &block->size, units);
    if (!merge_and_file(segment, ref + units)) {
        journal_damaged(segment);
        return false;
    }
    journal_set64(segment, &header->free_units, header->free_units + rest_units);
    return true;
}

/* Free so many units at the beginning of an allocated block. What is left; 0: damage. */
static memory_ref_t cut_front(memory_segment_t *segment, memory_ref_t ref, uint32_t front)
{
    memory_block_t *block = memory_at(segment, ref), *rest = memory_at(segment, ref + front);
    uint32_t units = heap_block_units(block);
    memory_block_t *after = block_at(segment, ref + units);

    if (!after) {
        journal_damaged(segment);
        return 0;
    }
    journal_set32(segment, &rest->size, units - front);
    journal_set32(segment, &rest->before, front);
    journal_set32(segment, &after->before, units - front);
    journal_set32(segment, &block->size, front);
    return heap_free(segment, ref) ? ref + front : 0;
}

memory_ref_t heap_alloc_paged(memory_segment_t *segment, uint32_t pages)
{
    uint32_t units = heap_paged_units(pages), front;
    memory_ref_t ref = heap_alloc(segment, units + MEMORY_PAGE_UNITS - 1);

    if (!ref) {
        return 0;
    }
    front = MEMORY_PAGE_UNITS - 1 - ref % MEMORY_PAGE_UNITS;
    if (front) {
        ref = cut_front(segment, ref, front);
    }
    return ref && heap_trim(segment, ref, units) ? ref : 0;
}
