/* SPDX-License-Identifier: Apache-2.0
 *
 * segment.c - see segment.h.
 */
#include "segment.h"
#include "entry.h"
#include "hold.h"
#include "pages.h"
#include "process.h"

#include <apr_general.h>

static uint64_t align_up(uint64_t offset)
{
    return (offset + MEMORY_UNIT - 1) / MEMORY_UNIT * MEMORY_UNIT;
}

static uint32_t clamp(uint64_t value, uint32_t least, uint32_t most)
{
    return value < least ? least : value > most ? most : (uint32_t)value;
}

static void lay_out(memory_geometry_t *geometry, uint64_t size)
{
    uint64_t offset;

    memset(geometry, 0, sizeof(*geometry));
    geometry->magic = MEMORY_MAGIC;
    geometry->version = MEMORY_LAYOUT_VERSION;
    geometry->header_size = sizeof(memory_header_t);
    geometry->size = size;
    geometry->bucket_count = (uint32_t)(size / MEMORY_BYTES_PER_BUCKET);
    geometry->ghost_count = (uint32_t)(size / MEMORY_BYTES_PER_GHOST);
    geometry->mark_count = clamp(size / MEMORY_BYTES_PER_MARK, 0, MEMORY_MARKS_MAX);
    geometry->line_count = clamp(size / MEMORY_BYTES_PER_LINE, MEMORY_LINES_MIN,
                                 MEMORY_LINES_MAX);
    offset = align_up(sizeof(memory_header_t));
    geometry->buckets = offset;
    offset = align_up(offset + geometry->bucket_count * sizeof(uint64_t));
    offset = (offset + sizeof(memory_line_t) - 1) / sizeof(memory_line_t) * sizeof(memory_line_t);
    geometry->lines = offset;
    offset = align_up(offset + geometry->line_count * sizeof(memory_line_t));
    geometry->owners = offset;
    offset = align_up(offset + geometry->line_count * sizeof(memory_owner_t));
    geometry->ghosts = offset;
    offset = align_up(offset + geometry->ghost_count * sizeof(uint32_t));
    geometry->marks = offset;
    offset = align_up(offset + marks_size(geometry->mark_count));
    geometry->first_block = (memory_ref_t)(offset / MEMORY_UNIT);
    geometry->end_block = (memory_ref_t)(size / MEMORY_UNIT);
}

/* Everything but pins and their owners: also done while processes are attached. New memory is zero
 * already and must stay untouched, so that a large empty store costs little. */
static void format_contents(memory_segment_t *segment, int zeroed)
{
    memory_header_t *header = segment->header;
    const memory_geometry_t *geometry = &segment->geometry;
    uint32_t i;

    if (!zeroed) {
        for (i = 0; i < geometry->bucket_count; i++) {
            uint64_t word = segment->buckets[i];

            __atomic_store_n(&segment->buckets[i],
                             MEMORY_BUCKET(MEMORY_BUCKET_VERSION(word) + 1, 0), __ATOMIC_SEQ_CST);
        }
        memset(segment->ghosts, 0, geometry->ghost_count * sizeof(uint32_t));
    }
    header->limbo = 0;
    header->limbo_count = 0;
    header->limbo_kept = 0;
    header->spent = 0;
    header->spent_units = 0;
    header->entries = 0;
    header->payload = 0;
    header->clock = 0;
    header->ghost_clock = 0;
    memset(header->ring, 0, sizeof(header->ring));
    header->wheel_tick = 0;
    memset(header->wheel_map, 0, sizeof(header->wheel_map));
    memset(header->wheel, 0, sizeof(header->wheel));
    heap_format(segment);
}

static apr_status_t format(memory_segment_t *segment)
{
    memory_header_t *header = segment->header;
    apr_status_t rv;

    header->boot = process_boot();
    rv = apr_generate_random_bytes((unsigned char *)&header->seed, sizeof(header->seed));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = journal_init(segment);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    segment->seed = header->seed;
    format_contents(segment, 1);
    /* The stamp comes last: without it nobody adopts what was not finished. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    header->geometry = segment->geometry;
    return APR_SUCCESS;
}

apr_status_t segment_open(memory_segment_t *segment, void *base, apr_size_t size, int fresh,
                          const storer_env_t *env, int *adopted)
{
    const memory_geometry_t *geometry = &segment->geometry;
    apr_status_t rv;

    lay_out(&segment->geometry, size);
    segment->base = base;
    segment->header = base;
    segment->buckets = (uint64_t *)(segment->base + geometry->buckets);
    segment->lines = (memory_line_t *)(segment->base + geometry->lines);
    segment->owners = (memory_owner_t *)(segment->base + geometry->owners);
    segment->ghosts = (uint32_t *)(segment->base + geometry->ghosts);
    segment->env = env;
    policy_init(segment);
    hold_init(segment);
    *adopted = !fresh;
    rv = marks_attach(&segment->marks, segment->base + geometry->marks,
                      marks_size(geometry->mark_count), fresh);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (fresh) {
        return format(segment);
    }
    segment->seed = segment->header->seed;
    return segment_refuse(base, size, 0) ? APR_EEXIST : APR_SUCCESS;
}

const char *segment_refuse(const void *base, apr_size_t size, int same_boot)
{
    const memory_header_t *header = base;
    memory_geometry_t geometry;

    lay_out(&geometry, size);
    if (header->geometry.magic != geometry.magic) {
        return "is not a store, or was never completed";
    }
    if (memcmp(&header->geometry, &geometry, sizeof(geometry)) != 0) {
        return "is of another size or release";
    }
    if (same_boot && (header->boot == 0 || header->boot != process_boot())) {
        return "was in use when the machine was last started";
    }
    return NULL;
}

apr_status_t segment_revive(memory_segment_t *segment)
{
    uint32_t i;
    apr_status_t rv;

    for (i = 0; i < segment->geometry.line_count; i++) {
        const memory_owner_t *owner = &segment->owners[i];

        if (owner->pid && process_alive(owner->pid, owner->start)) {
            return APR_SUCCESS; /* shared with it, as with the children of a former configuration */
        }
    }
    journal_rollback(segment);
    rv = journal_init(segment);
    if (rv == APR_SUCCESS) {
        rv = marks_revive(&segment->marks);
    }
    if (rv == APR_SUCCESS) {
        pins_sweep(segment, entry_abandon);
    }
    return rv;
}

apr_uint64_t segment_largest(const memory_segment_t *segment)
{
    return segment->geometry.size / 4;
}

int segment_repair(memory_segment_t *segment)
{
    if (!pins_all_free(segment) || !pages_renew_all(segment)) {
        return 0;
    }
    format_contents(segment, 0);
    segment->header->notice |= MEMORY_NOTICE_REBUILT;
    __atomic_store_n(&segment->header->damaged, 0, __ATOMIC_SEQ_CST);
    return 1;
}

apr_uint64_t segment_used(const memory_segment_t *segment)
{
    return segment->geometry.size - segment->header->free_units * MEMORY_UNIT;
}
