/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.c - get: a value in place, held by a pin. No lock, no allocation, no system call; unless too
 * much of the store is held already.
 */
#include "hold.h"
#include "memory.h"
#include "pages.h"
#include "../anonymous.h"

#include <stdlib.h>

static apr_status_t view_next(storer_view_t *view)
{
    memory_t *memory = memory_of(view->store);
    memory_ref_t ref = (memory_ref_t)view->cursor;
    memory_extent_t *extent;

    view->part.data = NULL;
    view->part.len = 0;
    if (!ref) {
        return APR_EOF;
    }
    extent = memory_extent_at(&memory->segment, ref);
    if (!extent) {
        memory_found_damage(memory);
        return APR_EGENERAL;
    }
    view->part.data = memory_extent_data(&memory->segment, extent);
    view->part.len = extent->length;
    view->offset = memory->segment.file >= 0 && view->part.data != (const char *)(extent + 1)
                       ? view->part.data - memory->segment.base : -1;
    view->cursor = extent->next;
    return APR_SUCCESS;
}

/* The entry may be anything by now; if it is dead we may have been the last who held it. The order
 * is that of index.c: either the reaper saw our pin, and then we see that the entry is dead, or it
 * did not, and then it has freed it. */
__attribute__((no_sanitize("thread")))
static int is_left_over(const memory_entry_t *entry)
{
    return MEMORY_STATE(__atomic_load_n(&entry->place, __ATOMIC_SEQ_CST)) == MEMORY_DEAD;
}

static void unpin(memory_t *memory, uint32_t *slot, const memory_entry_t *entry)
{
    memory_segment_t *segment = &memory->segment;
    int recovered;

    __atomic_exchange_n(slot, 0, __ATOMIC_SEQ_CST);
    if (!is_left_over(entry)) {
        return;
    }
    if (journal_trylock(segment, &recovered) != APR_SUCCESS) {
        __atomic_store_n(&segment->header->left_over, 1, __ATOMIC_SEQ_CST);
        return;
    }
    if (!segment->header->damaged) {
        entry_unpinned(segment, memory_ref_of(segment, entry));
    }
    memory_leave(memory, recovered);
}

static void view_release(storer_view_t *view)
{
    unpin(memory_of(view->store), view->lease, view->value);
}

static apr_status_t view_open_file(storer_view_t *view, apr_int32_t flags, apr_file_t **file,
                                   apr_pool_t *pool)
{
    memory_segment_t *segment = &memory_of(view->store)->segment;
    apr_status_t rv;

    if (!pages_has(segment, view->value)) {
        return APR_ENOTIMPL;
    }
    rv = anonymous_reopen(segment->file, flags, file, pool);
    if (rv == APR_SUCCESS) {
        pages_sent(segment, view->value);
    }
    return rv;
}

static const storer_view_ops_t view_ops = { view_next, view_release, view_open_file };

/* Are all parts where they should be, and do they add up? What may fail fails here, before anything
 * of the value has been used. */
static bool is_whole(const memory_segment_t *segment, const memory_entry_t *entry)
{
    uint64_t length = entry->inline_length, units = 0;
    memory_ref_t ref = entry->extent;

    if (!memory_holds(segment, entry, sizeof(*entry) + (uint64_t)entry->key_length + length)) {
        return false;
    }
    while (ref && length <= entry->length) {
        memory_extent_t *extent = memory_extent_at(segment, ref);

        if (!extent || extent->length == 0
            || !memory_holds(segment, extent,
                             (uint64_t)(memory_extent_data(segment, extent) - (char *)extent)
                             + extent->length)) {
            return false;
        }
        units += extent->block_size;
        if (units > segment->geometry.end_block) {
            return false; /* damage has made a ring of them */
        }
        length += extent->length;
        ref = extent->next;
    }
    return length == entry->length && !ref;
}

apr_status_t memory_look(memory_t *memory, storer_bytes_t key, apr_time_t now, storer_view_t *view)
{
    memory_entry_t *entry;
    uint32_t *slot;
    apr_status_t rv;

    rv = index_find(&memory->segment, &memory->pins, key, index_hash(&memory->segment, key), &slot,
                    &entry);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (memory_entry_end(entry) <= now) {
        unpin(memory, slot, entry);
        return APR_NOTFOUND;
    }
    if (!is_whole(&memory->segment, entry)) {
        unpin(memory, slot, entry);
        memory_found_damage(memory);
        return APR_NOTFOUND;
    }
    view->length = (apr_off_t)entry->length;
    view->part.data = memory_entry_value(entry);
    view->part.len = entry->inline_length;
    view->expiry.fresh_until = entry->fresh_until;
    view->expiry.stale_until = entry->stale_until;
    view->in_place = 1;
    view->offset = -1;
    view->ops = &view_ops;
    view->store = &memory->base;
    view->lease = slot;
    view->value = entry;
    view->cursor = entry->extent;
    view->hits = POLICY_TOTAL(__atomic_load_n(&entry->hits, __ATOMIC_RELAXED));
    return APR_SUCCESS;
}

static apr_status_t copy_next(storer_view_t *view)
{
    (void)view;
    return APR_EOF;
}

static void copy_release(storer_view_t *view)
{
    free(view->lease);
}

static const storer_view_ops_t copy_ops = { copy_next, copy_release, NULL };

/* The view becomes one of a copy, and the entry is not pinned any more. */
static apr_status_t copy(storer_view_t *view)
{
    apr_size_t length = (apr_size_t)view->length, at = 0;
    char *bytes = malloc(length > 0 ? length : 1);
    apr_status_t rv = bytes ? APR_SUCCESS : APR_ENOMEM;

    while (rv == APR_SUCCESS) {
        memcpy(bytes + at, view->part.data, view->part.len);
        at += view->part.len;
        rv = view_next(view);
    }
    if (rv != APR_EOF) {
        free(bytes);
        return rv;
    }
    storer_assert(at == length); /* is_whole() */
    view_release(view);
    view->ops = &copy_ops;
    view->part.data = bytes;
    view->part.len = length;
    view->offset = -1;
    view->lease = bytes;
    view->value = NULL;
    view->cursor = 0;
    return APR_SUCCESS;
}

apr_status_t memory_hit(memory_t *memory, apr_time_t now, storer_view_t *view)
{
    memory_segment_t *segment = &memory->segment;
    memory_entry_t *entry = view->value;
    apr_status_t rv = APR_EAGAIN;

    policy_hit(entry, now);
    if (!hold_concerns(segment, entry) || hold_allows_reader(segment, entry)) {
        return APR_SUCCESS;
    }
    if (entry->length <= segment->hold_small) {
        rv = copy(view);
    }
    if (rv != APR_SUCCESS) {
        storer_view_release(view);
    }
    return rv;
}

apr_status_t memory_get(storer_t *self, storer_bytes_t key, apr_time_t now, storer_view_t *view,
                        apr_pool_t *pool)
{
    memory_t *memory = memory_of(self);
    apr_status_t rv = memory_look(memory, key, now, view);

    (void)pool;
    return rv == APR_SUCCESS ? memory_hit(memory, now, view) : rv;
}
