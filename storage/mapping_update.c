/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_update.c - enters a variant into a mapping, see storer_mapping_put.
 */
#include "wire.h"

#include <apr_hash.h>

#include <limits.h>
#include <stdlib.h>

/* ---- writing: sizes first, so that everything goes into one piece of memory ---- */

static apr_size_t field_size(apr_size_t content)
{
    return 1 + wire_varint_size(content) + content;
}

/* A tag of a length-delimited field below 16 is one byte. */
static char *put_head(char *to, unsigned number, apr_size_t content)
{
    *to++ = (char)(number << 3 | WIRE_BYTES);
    return wire_put_varint(to, content);
}

static char *put_bytes(char *to, unsigned number, storer_bytes_t bytes)
{
    to = put_head(to, number, bytes.len);
    if (bytes.len) {
        memcpy(to, bytes.data, bytes.len);
    }
    return to + bytes.len;
}

static apr_size_t timestamp_content(storer_timestamp_t timestamp)
{
    apr_size_t size = 0;

    if (timestamp.seconds) {
        size += 1 + wire_varint_size((apr_uint64_t)timestamp.seconds);
    }
    if (timestamp.nanos) {
        size += 1 + wire_varint_size((apr_uint64_t)(apr_int64_t)timestamp.nanos);
    }
    return size;
}

static char *put_timestamp(char *to, unsigned number, storer_timestamp_t timestamp)
{
    to = put_head(to, number, timestamp_content(timestamp));
    if (timestamp.seconds) {
        *to++ = (char)(1 << 3 | WIRE_VARINT);
        to = wire_put_varint(to, (apr_uint64_t)timestamp.seconds);
    }
    if (timestamp.nanos) {
        *to++ = (char)(2 << 3 | WIRE_VARINT);
        to = wire_put_varint(to, (apr_uint64_t)(apr_int64_t)timestamp.nanos);
    }
    return to;
}

/* A map entry of a name and a stringList of one value. */
static apr_size_t varied_content(const storer_header_t *header)
{
    return field_size(header->name.len) + field_size(field_size(header->value.len));
}

static char *put_varied(char *to, const storer_header_t *header)
{
    to = put_head(to, 4, varied_content(header));
    to = put_bytes(to, 1, header->name);
    to = put_head(to, 2, field_size(header->value.len));
    return put_bytes(to, 1, header->value);
}

static apr_size_t index_content(const storer_mapping_new_t *entry)
{
    apr_size_t size = field_size(timestamp_content(entry->stored_at))
                      + field_size(timestamp_content(entry->fresh_time))
                      + field_size(timestamp_content(entry->stale_time));
    int i;

    for (i = 0; i < entry->varied_count; i++) {
        size += field_size(varied_content(&entry->varied_headers[i]));
    }
    size += entry->etag.len ? field_size(entry->etag.len) : 0;
    size += entry->real_key.len ? field_size(entry->real_key.len) : 0;
    return size;
}

static char *put_entry(char *to, const storer_mapping_new_t *entry)
{
    apr_size_t content = index_content(entry);
    int i;

    to = put_head(to, 1, field_size(entry->key.len) + field_size(content));
    to = put_bytes(to, 1, entry->key);
    to = put_head(to, 2, content);
    to = put_timestamp(to, 1, entry->stored_at);
    to = put_timestamp(to, 2, entry->fresh_time);
    to = put_timestamp(to, 3, entry->stale_time);
    for (i = 0; i < entry->varied_count; i++) {
        to = put_varied(to, &entry->varied_headers[i]);
    }
    to = entry->etag.len ? put_bytes(to, 5, entry->etag) : to;
    return entry->real_key.len ? put_bytes(to, 6, entry->real_key) : to;
}

static int is_writable(const storer_mapping_new_t *entry)
{
    int i;

    for (i = 0; i < entry->varied_count; i++) {
        if (!wire_is_utf8(entry->varied_headers[i].name)
            || !wire_is_utf8(entry->varied_headers[i].value)) {
            return 0;
        }
    }
    return wire_is_utf8(entry->key) && wire_is_utf8(entry->real_key) && wire_is_utf8(entry->etag);
}

/* ---- choosing what stays ---- */

/* A field of the old mapping: an entry, or something unknown that is kept. */
typedef struct field_t {
    storer_bytes_t     raw;         /* len 0: it goes */
    storer_bytes_t     key;         /* data NULL: not an entry, or it goes */
    storer_timestamp_t stored_at;
    apr_time_t         end;
    apr_int64_t        worth;       /* see storer_rank_t */
} field_t;

/* The new mapping in the making. */
typedef struct update_t {
    const storer_mapping_new_t *entry;
    apr_size_t          size;       /* of the new entry and all fields that stay */
    apr_array_header_t *fields;     /* of field_t, in the order of the old mapping */
    apr_hash_t         *places;     /* key -> place among the fields, counted from 1 */
    apr_array_header_t *dropped;    /* of storer_bytes_t, or NULL */
    apr_pool_t         *pool;
} update_t;

static apr_time_t end_of(storer_timestamp_t fresh, storer_timestamp_t stale)
{
    apr_time_t fresh_until = storer_timestamp_time(fresh);
    apr_time_t stale_until = storer_timestamp_time(stale);

    return fresh_until > stale_until ? fresh_until : stale_until;
}

static void leave_out(update_t *update, field_t *field)
{
    update->size -= field->raw.len;
    field->key.data = NULL;
    field->raw.len = 0;
}

static void drop(update_t *update, field_t *field)
{
    if (update->dropped) {
        APR_ARRAY_PUSH(update->dropped, storer_bytes_t) = field->key;
    }
    leave_out(update, field);
}

/* Of entries with the same key the last one counts. A table of keys, since a mapping from elsewhere
 * may have a hundred thousand entries. */
static int take_entry(update_t *update, const storer_mapping_entry_t *entry, field_t *field)
{
    apr_ssize_t len = (apr_ssize_t)entry->key.len;
    apr_uintptr_t earlier = (apr_uintptr_t)apr_hash_get(update->places, entry->key.data, len);

    if (earlier) {
        leave_out(update, &APR_ARRAY_IDX(update->fields, earlier - 1, field_t));
    }
    if (storer_bytes_equal(entry->key, update->entry->key)) {
        return 0;
    }
    apr_hash_set(update->places, entry->key.data, len,
                 (void *)(apr_uintptr_t)(update->fields->nelts + 1));
    field->key = entry->key;
    field->stored_at = entry->stored_at;
    field->end = end_of(entry->fresh_time, entry->stale_time);
    return 1;
}

/* All fields of the old mapping but those the new entry replaces; APR_EINVAL: it is damaged. */
static apr_status_t sift(update_t *update, storer_bytes_t old)
{
    storer_mapping_cursor_t cursor;
    const char *start;
    wire_field_t wire;
    apr_status_t rv;

    storer_mapping_begin(&cursor, old);
    for (start = cursor.at, rv = wire_next(&cursor, &wire); rv == APR_SUCCESS;
         start = cursor.at, rv = wire_next(&cursor, &wire)) {
        field_t field = { { start, (apr_size_t)(cursor.at - start) }, { NULL, 0 }, { 0, 0, 0 }, 0, 0 };

        if (wire.number == 1 && wire.type == WIRE_BYTES) {
            storer_mapping_cursor_t one = { start, cursor.at };
            storer_mapping_entry_t read;

            if (storer_mapping_next(&one, &read) != APR_SUCCESS) {
                return APR_EINVAL;
            }
            if (!take_entry(update, &read, &field)) {
                continue;
            }
        }
        APR_ARRAY_PUSH(update->fields, field_t) = field;
        update->size += field.raw.len;
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static void prune(update_t *update, apr_time_t now)
{
    int i;

    for (i = 0; i < update->fields->nelts; i++) {
        field_t *field = &APR_ARRAY_IDX(update->fields, i, field_t);

        if (field->key.data && field->end <= now) {
            drop(update, field);
        }
    }
}

/* The least worth first; of equal ones the one stored longest ago, of those stored at once the one that
 * was entered first. */
static int compare_worth(const void *left, const void *right)
{
    const field_t *a = *(field_t *const *)left, *b = *(field_t *const *)right;

    if (a->worth != b->worth) {
        return a->worth < b->worth ? -1 : 1;
    }
    if (a->stored_at.seconds != b->stored_at.seconds) {
        return a->stored_at.seconds < b->stored_at.seconds ? -1 : 1;
    }
    if (a->stored_at.nanos != b->stored_at.nanos) {
        return a->stored_at.nanos < b->stored_at.nanos ? -1 : 1;
    }
    return (a->raw.data > b->raw.data) - (a->raw.data < b->raw.data);
}

/* Ask the store how much its variants are used. */
static void rank(const update_t *update, field_t **fields, int count, apr_time_t now)
{
    const storer_mapping_new_t *entry = update->entry;
    storer_rank_t *ranks = apr_palloc(update->pool, (apr_size_t)(count + 1) * sizeof(*ranks));
    int i;

    for (i = 0; i < count; i++) {
        ranks[i].key = fields[i]->key;
        ranks[i].stored_at = storer_timestamp_time(fields[i]->stored_at);
        ranks[i].worth = 0;
    }
    entry->rank(entry->store, ranks, count, now);
    for (i = 0; i < count; i++) {
        fields[i]->worth = ranks[i].worth;
    }
}

/* The entries that stay so far. */
static field_t **entries_of(const update_t *update, int *count)
{
    int i, all = update->fields->nelts;
    field_t **entries = apr_palloc(update->pool, (apr_size_t)(all + 1) * sizeof(*entries));

    for (i = 0, *count = 0; i < all; i++) {
        field_t *field = &APR_ARRAY_IDX(update->fields, i, field_t);

        if (field->key.data) {
            entries[(*count)++] = field;
        }
    }
    return entries;
}

/* Take the entries of least worth out until `most` are left, and until what is left can be read: a
 * mapping of many long varied headers may reach its limit first. */
static void bound(update_t *update, int most, apr_time_t now)
{
    int i, count;
    field_t **entries = entries_of(update, &count);

    if (count <= most && update->size <= STORER_MAPPING_MAX) {
        return;
    }
    if (update->entry->rank) {
        rank(update, entries, count, now);
    }
    qsort(entries, (size_t)count, sizeof(*entries), compare_worth);
    for (i = 0; i < count && (count - i > most || update->size > STORER_MAPPING_MAX); i++) {
        drop(update, entries[i]);
    }
}

/* Without the old mapping: it can't be read, or what is unknown in it leaves no room. In the latter
 * case all entries were dropped before. */
static void start_over(update_t *update, apr_size_t entry_size)
{
    apr_array_clear(update->fields);
    update->size = entry_size;
}

static void write_out(const update_t *update, storer_bytes_t *out, apr_time_t *last)
{
    char *start = apr_palloc(update->pool, update->size), *to = start;
    int i;

    *last = end_of(update->entry->fresh_time, update->entry->stale_time);
    for (i = 0; i < update->fields->nelts; i++) {
        const field_t *field = &APR_ARRAY_IDX(update->fields, i, const field_t);

        memcpy(to, field->raw.data, field->raw.len);
        to += field->raw.len;
        *last = field->key.data && field->end > *last ? field->end : *last;
    }
    to = put_entry(to, update->entry);
    storer_assert((apr_size_t)(to - start) == update->size);
    out->data = start;
    out->len = update->size;
}

apr_status_t storer_mapping_put(storer_bytes_t old, const storer_mapping_new_t *entry,
                                apr_time_t now, int max_variants, storer_bytes_t *out,
                                apr_array_header_t *dropped, apr_time_t *expiry, int *damaged,
                                apr_pool_t *pool)
{
    apr_size_t size = field_size(field_size(entry->key.len) + field_size(index_content(entry)));
    update_t update = { entry, size, NULL, NULL, dropped, pool };
    apr_time_t last;
    int unreadable = 0;

    if (!is_writable(entry)) {
        return APR_EINVAL;
    }
    if (size > STORER_MAPPING_MAX) {
        return APR_ENOSPC;
    }
    update.fields = apr_array_make(pool, 16, sizeof(field_t));
    update.places = apr_hash_make(pool);
    if (old.data) {
        unreadable = old.len > STORER_MAPPING_MAX || sift(&update, old) != APR_SUCCESS;
        if (unreadable) {
            start_over(&update, size);
        }
        prune(&update, now);
        bound(&update, max_variants > 0 ? max_variants - 1 : INT_MAX, now);
        if (update.size > STORER_MAPPING_MAX) {
            start_over(&update, size);
        }
    }
    write_out(&update, out, &last);
    if (expiry) {
        *expiry = last;
    }
    if (damaged) {
        *damaged = unreadable;
    }
    return APR_SUCCESS;
}
