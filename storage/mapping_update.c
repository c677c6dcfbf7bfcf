/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_update.c - enters a variant into a mapping, see storer_mapping_put.
 */
#include "wire.h"

#include <stdint.h>

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
    storer_bytes_t     raw;
    storer_bytes_t     key;         /* data NULL: not an entry */
    storer_timestamp_t stored_at;
    apr_time_t         end;
} field_t;

static apr_time_t end_of(storer_timestamp_t fresh, storer_timestamp_t stale)
{
    apr_time_t fresh_until = storer_timestamp_time(fresh);
    apr_time_t stale_until = storer_timestamp_time(stale);

    return fresh_until > stale_until ? fresh_until : stale_until;
}

static void drop(apr_array_header_t *dropped, storer_bytes_t key)
{
    if (dropped) {
        APR_ARRAY_PUSH(dropped, storer_bytes_t) = key;
    }
}

/* The fields of the old mapping that may stay; APR_EINVAL: it is damaged. */
static apr_status_t sift(storer_bytes_t old, const storer_mapping_new_t *entry, apr_time_t now,
                         apr_array_header_t *fields, apr_array_header_t *dropped)
{
    storer_mapping_cursor_t cursor;
    const char *start;
    wire_field_t wire;
    apr_status_t rv;

    storer_mapping_begin(&cursor, old);
    for (start = cursor.at, rv = wire_next(&cursor, &wire); rv == APR_SUCCESS;
         start = cursor.at, rv = wire_next(&cursor, &wire)) {
        field_t field = { { start, (apr_size_t)(cursor.at - start) }, { NULL, 0 }, { 0, 0, 0 }, 0 };

        if (wire.number == 1 && wire.type == WIRE_BYTES) {
            storer_mapping_cursor_t one = { start, cursor.at };
            storer_mapping_entry_t read;

            if (storer_mapping_next(&one, &read) != APR_SUCCESS) {
                return APR_EINVAL;
            }
            if (storer_bytes_equal(read.key, entry->key)
                || storer_mapping_is_superseded(cursor, read.key)) {
                continue;
            }
            field.key = read.key;
            field.stored_at = read.stored_at;
            field.end = end_of(read.fresh_time, read.stale_time);
            if (field.end <= now) {
                drop(dropped, field.key);
                continue;
            }
        }
        APR_ARRAY_PUSH(fields, field_t) = field;
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static int is_older(storer_timestamp_t a, storer_timestamp_t b)
{
    return a.seconds != b.seconds ? a.seconds < b.seconds : a.nanos < b.nanos;
}

/* Take the entries stored longest ago out until `most` are left. */
static void bound(apr_array_header_t *fields, int most, apr_array_header_t *dropped)
{
    field_t *field = (field_t *)fields->elts;
    int i, entries = 0;

    for (i = 0; i < fields->nelts; i++) {
        entries += field[i].key.data != NULL;
    }
    for (; entries > most; entries--) {
        field_t *oldest = NULL;

        for (i = 0; i < fields->nelts; i++) {
            if (field[i].key.data && (!oldest || is_older(field[i].stored_at, oldest->stored_at))) {
                oldest = &field[i];
            }
        }
        storer_assert(oldest != NULL);
        drop(dropped, oldest->key);
        oldest->key.data = NULL;
        oldest->raw.len = 0;
    }
}

apr_status_t storer_mapping_put(storer_bytes_t old, const storer_mapping_new_t *entry,
                                apr_time_t now, int max_variants, storer_bytes_t *out,
                                apr_array_header_t *dropped, apr_time_t *expiry, int *damaged,
                                apr_pool_t *pool)
{
    apr_array_header_t *fields = apr_array_make(pool, 16, sizeof(field_t));
    apr_time_t last = end_of(entry->fresh_time, entry->stale_time);
    apr_size_t content = field_size(entry->key.len) + field_size(index_content(entry)), size;
    const field_t *field;
    char *to, *start;
    int i, unreadable = 0;

    if (!is_writable(entry)) {
        return APR_EINVAL;
    }
    if (old.data && sift(old, entry, now, fields, dropped) != APR_SUCCESS) {
        unreadable = 1;
        apr_array_clear(fields);
        if (dropped) {
            apr_array_clear(dropped);
        }
    }
    if (max_variants > 0) {
        bound(fields, max_variants - 1, dropped);
    }
    size = field_size(content);
    field = (const field_t *)fields->elts;
    for (i = 0; i < fields->nelts; i++) {
        size += field[i].raw.len;
        last = field[i].key.data && field[i].end > last ? field[i].end : last;
    }
    to = start = apr_palloc(pool, size);
    for (i = 0; i < fields->nelts; i++) {
        memcpy(to, field[i].raw.data, field[i].raw.len);
        to += field[i].raw.len;
    }
    to = put_entry(to, entry);
    storer_assert((apr_size_t)(to - start) == size);
    out->data = start;
    out->len = size;
    if (expiry) {
        *expiry = last;
    }
    if (damaged) {
        *damaged = unreadable;
    }
    return APR_SUCCESS;
}
