/* SPDX-License-Identifier: Apache-2.0
 *
 * segment.c - see segment.h.
 */
#include "segment.h"
#include "entry.h"
#include "hold.h"
#include "pages.h"
#include "process.h"
#include "robust.h"
#include "users.h"

#include <apr_general.h>

static uint64_t align_up(uint64_t offset)
{
    return (offset + MEMORY_UNIT - 1) / MEMORY_UNIT * MEMORY_UNIT;
}

static uint32_t clamp(uint64_t value, uint32_t least, uint32_t most)
{
    return value < least ? least : value > most ? most : (uint32_t)value;
}

/* Lines take an eighth of the segment at most: 5 processes for each 8 KiB. */
static uint32_t lines_that_fit(uint64_t size)
{
    uint64_t fit = size / 8 / (sizeof(memory_line_t) + sizeof(memory_owner_t));

    return fit < MEMORY_LINES_MAX ? (uint32_t)fit : MEMORY_LINES_MAX;
}

uint32_t segment_lines(uint64_t size, uint32_t processes, uint32_t threads)
{
    /* a request of a thread has two entries pinned at times: a mapping, and the variant it names */
    uint64_t wanted = (uint64_t)processes * (2 * (uint64_t)threads / MEMORY_LINE_SLOTS + 1);
    uint64_t usual = size / MEMORY_BYTES_PER_LINE;

    if (wanted < usual) {
        wanted = usual;
    }
    return clamp(wanted, MEMORY_LINES_MIN, lines_that_fit(size));
}

void segment_lay_out(memory_geometry_t *geometry, uint64_t size, uint32_t lines)
{
    uint64_t offset;

    memset(geometry, 0, sizeof(*geometry));
    geometry->magic = MEMORY_MAGIC;
    geometry->version = MEMORY_LAYOUT_VERSION;
    geometry->header_size = sizeof(memory_header_t);
    geometry->size = size;
    geometry->bucket_count = (uint32_t)(size / MEMORY_BYTES_PER_BUCKET);
    geometry->ghost_count = (uint32_t)(size / MEMORY_BYTES_PER_GHOST);
    geometry->purge_count = clamp(size / MEMORY_BYTES_PER_PURGE, 0, MEMORY_PURGES_MAX);
    geometry->line_count = clamp(lines, MEMORY_LINES_MIN, lines_that_fit(size));
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
    geometry->purges = offset;
    offset = align_up(offset + purge_table_size(geometry->purge_count));
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

    header->stamp.boot = process_boot();
    rv = apr_generate_random_bytes((unsigned char *)&segment->seed, sizeof(segment->seed));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = journal_init(segment);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    header->stamp.seed = segment->seed;
    format_contents(segment, 1);
    /* The geometry comes last: without it nobody adopts what was not finished. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    header->stamp.geometry = segment->geometry;
    return APR_SUCCESS;
}

apr_status_t segment_attach(memory_segment_t *segment, void *base,
                            const memory_geometry_t *geometry, const users_t *users,
                            const storer_env_t *env, int fresh)
{
    segment->geometry = *geometry;
    segment->base = base;
    segment->header = base;
    segment->buckets = (uint64_t *)(segment->base + geometry->buckets);
    segment->lines = (memory_line_t *)(segment->base + geometry->lines);
    segment->owners = (memory_owner_t *)(segment->base + geometry->owners);
    segment->ghosts = (uint32_t *)(segment->base + geometry->ghosts);
    segment->users = *users;
    segment->env = env;
    segment->seed = fresh ? 0 : segment->header->stamp.seed;
    policy_init(segment);
    hold_init(segment);
    return purge_table_attach(&segment->purges, segment->base + geometry->purges,
                              purge_table_size(geometry->purge_count), fresh);
}

apr_status_t segment_format(memory_segment_t *segment)
{
    return format(segment);
}

int segment_is_whole(const memory_segment_t *segment)
{
    return memcmp(&segment->header->stamp.geometry, &segment->geometry, sizeof(segment->geometry)) == 0;
}

void segment_sign(memory_segment_t *segment)
{
    users_note(&segment->users, &segment->header->stamp.parent);
}

const char *segment_refuse(const memory_stamp_t *stamp, uint64_t size, uint32_t lines, int same_boot,
                           memory_geometry_t *geometry)
{
    const memory_geometry_t *found = &stamp->geometry;

    if (found->magic != MEMORY_MAGIC) {
        return "is not a store, or was never completed";
    }
    segment_lay_out(geometry, size, found->line_count);
    if (memcmp(found, geometry, sizeof(*geometry)) != 0) {
        segment_lay_out(geometry, size, lines);
        return "is of another size or release";
    }
    if (found->line_count < clamp(lines, MEMORY_LINES_MIN, lines_that_fit(size))) {
        return "is for fewer processes";
    }
    if (same_boot && (stamp->boot == 0 || stamp->boot != process_boot())) {
        return "was in use when the machine was last started";
    }
    return NULL;
}

/* Writes only. The journal is undone by whoever gets the lock first, and pins are taken back by a new
 * child: neither is done by the parent, which must not depend on what children have written. */
apr_status_t segment_revive(memory_segment_t *segment)
{
    apr_status_t rv = robust_init(&segment->header->lock);

    if (rv == APR_SUCCESS) {
        rv = purge_table_revive(&segment->purges);
    }
    __atomic_store_n(&segment->header->interrupted, 1, __ATOMIC_SEQ_CST);
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
