/* SPDX-License-Identifier: Apache-2.0
 *
 * replay_request.c - one request: look up, verify a hit, insert after a miss, by the ways a real
 * request goes.
 */
#include "replay.h"

#include <stdlib.h>

#define OBJECT_UNSIZED 4096u
#define CHECKED        8u

/* 1,000 requests a second of virtual time, from a fixed instant. Nothing expires. */
static apr_time_t time_of(uint64_t number)
{
    return apr_time_from_sec(1700000000) + (apr_time_t)number * 1000;
}

static char byte_of(uint32_t key, uint64_t offset)
{
    return (char)((key * 2654435761u) >> 13 ^ (uint32_t)(offset * 2246822519u) >> 7);
}

static storer_bytes_t key_of(char *buffer, uint32_t key)
{
    storer_bytes_t bytes = { buffer, 0 };

    bytes.len = (apr_size_t)sprintf(buffer, "http://replay.invalid/%08x", key);
    return bytes;
}

static uint32_t bytes_of(const replay_plan_t *plan, const replay_record_t *record)
{
    return plan->unsized ? OBJECT_UNSIZED : record->size;
}

/* Length, first, last, and some bytes between. */
static int is_right(storer_view_t *view, uint32_t key, uint32_t size)
{
    uint64_t start = 0;
    uint32_t i;

    if (view->length != (apr_off_t)size) {
        return 0;
    }
    do {
        apr_size_t len = view->part.len;

        for (i = 0; len && i < CHECKED + 2; i++) {
            apr_size_t at = i == 0 ? 0 : i == 1 ? len - 1 : (key + i * 7919u) % len;

            if (view->part.data[at] != byte_of(key, start + at)) {
                return 0;
            }
        }
        start += len;
    } while (storer_view_next(view) == APR_SUCCESS);
    return start == size;
}

static uint64_t resident(const memory_t *memory, const replay_plan_t *plan)
{
    const memory_header_t *header = memory->segment.header;

    return plan->unsized ? header->entries : header->payload;
}

/* Mode P: what is resident never exceeds the budget. 0: the object is larger than that. */
static int make_room(memory_t *memory, const replay_plan_t *plan, uint32_t weight, apr_time_t now)
{
    int recovered;

    if (plan->mode != REPLAY_PAYLOAD) {
        return 1;
    }
    if (weight > plan->budget) {
        return 0;
    }
    if (memory_enter(memory, &recovered) == APR_SUCCESS) {
        while (resident(memory, plan) + weight > plan->budget
               && space_evict(&memory->segment, now)) {
        }
        entry_reap(&memory->segment);
        memory_leave(memory, recovered);
    }
    return 1;
}

static void insert(memory_t *memory, const replay_plan_t *plan, const replay_record_t *record,
                   apr_time_t now, replay_count_t *count)
{
    static char *body;
    static uint32_t room;
    uint32_t size = bytes_of(plan, record), i;
    storer_expiry_t never = { INT64_MAX, INT64_MAX };
    storer_bytes_t value;
    char name[40];
    apr_status_t rv;

    if (size > room) {
        free(body);
        room = size;
        body = malloc(room);
    }
    for (i = 0; i < size; i++) {
        body[i] = byte_of(record->key, i);
    }
    value.data = size ? body : "";
    value.len = size;
    if (!make_room(memory, plan, plan->unsized ? 1 : size, now)) {
        count->too_large++;
        return;
    }
    rv = storer_set(&memory->base, key_of(name, record->key), value, never, now);
    count->inserts += rv == APR_SUCCESS;
    count->absent += rv == APR_SUCCESS;
    count->busy += rv == APR_TIMEUP || rv == APR_EAGAIN;
    if (rv == APR_ENOSPC && size > segment_largest(&memory->segment)) {
        count->too_large++;
    }
    else {
        count->no_room += rv == APR_ENOSPC;
    }
    if (rv == APR_SUCCESS && size > count->largest) {
        count->largest = size;
    }
}

void replay_request(memory_t *memory, const replay_plan_t *plan, const replay_record_t *record,
                    uint64_t number, replay_count_t *count, apr_pool_t *pool)
{
    uint32_t size = bytes_of(plan, record);
    apr_time_t now = time_of(number);
    storer_view_t view = STORER_VIEW_EMPTY;
    char name[40];

    count->requests++;
    count->bytes_requested += size;
    if (storer_get(&memory->base, key_of(name, record->key), now, &view, pool) == APR_SUCCESS) {
        count->hits++;
        count->wrong_hits += !is_right(&view, record->key, size);
        storer_view_release(&view);
        return;
    }
    count->bytes_missed += size;
    insert(memory, plan, record, now, count);
    if (resident(memory, plan) > count->most_resident) {
        count->most_resident = resident(memory, plan);
    }
}
