/* SPDX-License-Identifier: Apache-2.0
 *
 * variants.c - see variants.h.
 *
 * The mark says: the URL's mapping names this value and no other, for all requests, with these very
 * times. It is set in the transaction that publishes such a mapping, and cleared in the one that
 * publishes another, or deletes it. Eviction passes over the mapping of a marked value; if it has
 * to go all the same the mark stays, and stays true.
 */
#include "memory.h"
#include "variants.h"
#include "../mapping.h"

/* The value that lies under the URL's own key; NULL: there is none, the key is not that of a
 * mapping, or damage, which the caller looks for. */
static memory_entry_t *value_of(memory_segment_t *segment, storer_bytes_t key,
                                storer_bytes_t *base_key)
{
    return storer_is_mapping_key(key, base_key)
               ? index_find_locked(segment, *base_key, index_hash(segment, *base_key)) : NULL;
}

/* Does the mapping in this entry name the value, under its own key, and nothing else? */
static int names_only(memory_entry_t *mapping, const memory_entry_t *value, storer_bytes_t base_key)
{
    storer_bytes_t bytes = { memory_entry_value(mapping), mapping->inline_length };
    storer_mapping_cursor_t cursor;
    storer_mapping_entry_t entry;

    if (mapping->length != mapping->inline_length) {
        return 0; /* in pieces: not a short one */
    }
    storer_mapping_begin(&cursor, bytes);
    return storer_mapping_next(&cursor, &entry) == APR_SUCCESS && cursor.at == cursor.end
           && entry.varied_count == 0 && storer_bytes_equal(entry.key, base_key)
           && storer_timestamp_time(entry.fresh_time) == value->fresh_until
           && storer_timestamp_time(entry.stale_time) == value->stale_until;
}

void variants_note(memory_segment_t *segment, storer_bytes_t key, memory_entry_t *entry)
{
    storer_bytes_t base_key;
    memory_entry_t *value = value_of(segment, key, &base_key);
    uint32_t alone;

    if (!value) {
        return;
    }
    alone = entry && names_only(entry, value, base_key) ? MEMORY_ALONE : 0;
    if ((value->marks & MEMORY_ALONE) != alone) {
        journal_set32(segment, &value->marks, value->marks ^ MEMORY_ALONE);
    }
}

bool variants_needs(memory_segment_t *segment, memory_entry_t *entry)
{
    storer_bytes_t key = { memory_entry_key(entry), entry->key_length }, base_key;
    const memory_entry_t *value = NULL;

    if (memory_holds(segment, entry, sizeof(*entry) + (uint64_t)key.len)) {
        value = value_of(segment, key, &base_key);
    }
    return value && (value->marks & MEMORY_ALONE);
}

static bool is_alone(const storer_view_t *view)
{
    const memory_entry_t *entry = view->value;

    return __atomic_load_n(&entry->marks, __ATOMIC_RELAXED) & MEMORY_ALONE;
}

apr_status_t memory_get_multi_level(storer_t *self, storer_bytes_t base_key,
                                    const storer_request_t *request,
                                    storer_validator_t *validator, apr_time_t now,
                                    storer_view_t *fresh, storer_view_t *stale, apr_pool_t *pool)
{
    memory_t *memory = memory_of(self);
    apr_status_t rv;

    if (!validator && fresh && stale
        && memory_look(memory, base_key, now, fresh) == APR_SUCCESS) {
        if (is_alone(fresh)) {
            rv = memory_hit(memory, now, fresh);
            if (rv == APR_SUCCESS && now >= fresh->expiry.fresh_until) {
                storer_view_move(stale, fresh);
            }
            return rv;
        }
        storer_view_release(fresh);
    }
    return storer_generic_get_multi_level(self, base_key, request, validator, now, fresh, stale,
                                          pool);
}

void memory_rank(storer_t *self, storer_rank_t *variants, int count, apr_time_t now)
{
    memory_t *memory = memory_of(self);
    int i;

    for (i = 0; i < count; i++) {
        storer_rank_t *variant = &variants[i];
        storer_view_t view = STORER_VIEW_EMPTY;
        apr_status_t rv = memory_look(memory, variant->key, now, &view);

        if (rv == APR_NOTFOUND) {
            variant->worth = STORER_RANK_GONE;
        }
        else if (rv == APR_SUCCESS) {
            variant->worth = STORER_RANK_OF(view.hits, variant->stored_at, now);
            storer_view_release(&view);
        }
    }
}
