/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping.c - reads mappings, see mapping.h. Called by the election and by mapping_update.c; knows
 * the wire format of protobuf (protobuf.dev/programming-guides/encoding) as far as a mapping needs
 * it.
 */
#include "wire.h"

#include <limits.h>
#include <stdint.h>

/* Seconds of today: with its tag and length a Timestamp then has the eight bytes that
 * wire_take_varint wants. */
#define TIMESTAMP_USUAL 6

void storer_mapping_begin(storer_mapping_cursor_t *cursor, storer_bytes_t mapping)
{
    cursor->at = mapping.data;
    cursor->end = mapping.data + mapping.len;
}

static void cursor_of(storer_mapping_cursor_t *cursor, storer_bytes_t bytes)
{
    storer_mapping_begin(cursor, bytes);
}

/* The next field `number` of wire type "length-delimited"; others are passed over. */
static apr_status_t next_bytes(storer_mapping_cursor_t *cursor, apr_uint32_t number,
                               storer_bytes_t *bytes)
{
    wire_field_t field;

    for (;;) {
        apr_status_t rv = wire_next(cursor, &field);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (field.number == number && field.type == WIRE_BYTES) {
            *bytes = field.bytes;
            return APR_SUCCESS;
        }
    }
}

static apr_status_t read_string(storer_bytes_t bytes, storer_bytes_t *out)
{
    if (!wire_is_utf8(bytes)) {
        return APR_EINVAL;
    }
    *out = bytes;
    return APR_SUCCESS;
}

/* The fields of a Timestamp that are not seconds, then nanos, in their usual form. */
static apr_status_t read_timestamp_fields(storer_bytes_t bytes, storer_timestamp_t *timestamp)
{
    storer_mapping_cursor_t cursor;
    wire_field_t field;
    apr_status_t rv;

    cursor_of(&cursor, bytes);
    for (rv = wire_next(&cursor, &field); rv == APR_SUCCESS; rv = wire_next(&cursor, &field)) {
        if (field.type == WIRE_VARINT && field.number == 1) {
            timestamp->seconds = (apr_int64_t)field.value;
        }
        else if (field.type == WIRE_VARINT && field.number == 2) {
            timestamp->nanos = (apr_int32_t)(apr_uint32_t)field.value;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* Merged into what an earlier occurrence had. Every hit reads three, nearly all with seconds of
 * five bytes, and nanos or none. */
static inline apr_status_t read_timestamp(storer_bytes_t bytes, storer_timestamp_t *timestamp)
{
    const unsigned char *at = (const unsigned char *)bytes.data, *end = at + bytes.len;
    apr_uint64_t seconds, nanos = 0;

    timestamp->present = 1;
    if (bytes.len < TIMESTAMP_USUAL || *at != (1 << 3 | WIRE_VARINT)) {
        return read_timestamp_fields(bytes, timestamp);
    }
    at = wire_take_varint(at + 1, end, &seconds);
    if (at && at < end && *at == (2 << 3 | WIRE_VARINT)) {
        at = at + 1 < end ? wire_take_varint(at + 1, end, &nanos) : NULL;
        timestamp->nanos = at == end ? (apr_int32_t)(apr_uint32_t)nanos : timestamp->nanos;
    }
    if (at != end) {
        return read_timestamp_fields(bytes, timestamp);
    }
    timestamp->seconds = (apr_int64_t)seconds;
    return APR_SUCCESS;
}

/* A stringList: sound, and all of it UTF-8? */
static apr_status_t check_list(storer_bytes_t bytes)
{
    storer_mapping_cursor_t cursor;
    storer_bytes_t value;
    apr_status_t rv;

    cursor_of(&cursor, bytes);
    for (rv = next_bytes(&cursor, 1, &value); rv == APR_SUCCESS;
         rv = next_bytes(&cursor, 1, &value)) {
        if (!wire_is_utf8(value)) {
            return APR_EINVAL;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* A map entry of string and stringList. */
static apr_status_t check_varied(storer_bytes_t bytes)
{
    storer_mapping_cursor_t cursor;
    wire_field_t field;
    apr_status_t rv;

    cursor_of(&cursor, bytes);
    for (rv = wire_next(&cursor, &field); rv == APR_SUCCESS; rv = wire_next(&cursor, &field)) {
        apr_status_t sound = APR_SUCCESS;

        if (field.type == WIRE_BYTES && field.number == 1) {
            sound = wire_is_utf8(field.bytes) ? APR_SUCCESS : APR_EINVAL;
        }
        else if (field.type == WIRE_BYTES && field.number == 2) {
            sound = check_list(field.bytes);
        }
        if (sound != APR_SUCCESS) {
            return sound;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static apr_status_t read_index_field(const wire_field_t *field, storer_mapping_entry_t *entry)
{
    if (field->type != WIRE_BYTES) {
        return APR_SUCCESS; /* unknown to us, as to Go */
    }
    switch (field->number) {
    case 1:
        return read_timestamp(field->bytes, &entry->stored_at);
    case 2:
        return read_timestamp(field->bytes, &entry->fresh_time);
    case 3:
        return read_timestamp(field->bytes, &entry->stale_time);
    case 4:
        entry->varied_count++;
        return check_varied(field->bytes);
    case 5:
        return read_string(field->bytes, &entry->etag);
    case 6:
        return read_string(field->bytes, &entry->real_key);
    default:
        return APR_SUCCESS;
    }
}

/* after: what follows the KeyIndex in its entry. */
static apr_status_t read_index(storer_bytes_t bytes, const storer_mapping_cursor_t *after,
                               storer_mapping_entry_t *entry)
{
    storer_mapping_cursor_t cursor, field_at;
    wire_field_t field;
    apr_status_t rv;

    cursor_of(&cursor, bytes);
    for (field_at = cursor, rv = wire_next(&cursor, &field); rv == APR_SUCCESS;
         field_at = cursor, rv = wire_next(&cursor, &field)) {
        int was_varied = entry->varied_count > 0;
        apr_status_t sound = read_index_field(&field, entry);

        if (sound != APR_SUCCESS) {
            return sound;
        }
        if (entry->varied_count > 0 && !was_varied) {
            entry->varied.entry = *after;
            entry->varied.index = field_at;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static apr_status_t read_entry(storer_bytes_t raw, storer_mapping_entry_t *entry)
{
    static const storer_mapping_entry_t empty = { .key = { "", 0 }, .etag = { "", 0 },
                                                  .real_key = { "", 0 } };
    storer_mapping_cursor_t cursor;
    wire_field_t field;
    apr_status_t rv;

    *entry = empty;
    entry->raw = raw;
    cursor_of(&cursor, raw);
    for (rv = wire_next(&cursor, &field); rv == APR_SUCCESS; rv = wire_next(&cursor, &field)) {
        apr_status_t sound = APR_SUCCESS;

        if (field.type == WIRE_BYTES && field.number == 1) {
            sound = read_string(field.bytes, &entry->key);
        }
        else if (field.type == WIRE_BYTES && field.number == 2) {
            sound = read_index(field.bytes, &cursor, entry);
        }
        if (sound != APR_SUCCESS) {
            return sound;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

apr_status_t storer_mapping_next(storer_mapping_cursor_t *cursor, storer_mapping_entry_t *entry)
{
    storer_bytes_t raw;
    apr_status_t rv = next_bytes(cursor, 1, &raw);

    return rv == APR_SUCCESS ? read_entry(raw, entry) : rv;
}

/* The key of a map entry: its last field 1, or the empty string. */
static storer_bytes_t key_of(storer_bytes_t raw)
{
    storer_mapping_cursor_t cursor;
    storer_bytes_t key = { "", 0 };

    cursor_of(&cursor, raw);
    while (next_bytes(&cursor, 1, &key) == APR_SUCCESS) {
    }
    return key;
}

int storer_mapping_is_superseded(storer_mapping_cursor_t cursor, storer_bytes_t key)
{
    storer_bytes_t raw;

    while (next_bytes(&cursor, 1, &raw) == APR_SUCCESS) {
        if (storer_bytes_equal(key_of(raw), key)) {
            return 1;
        }
    }
    return 0;
}

/* Maps nest here: field `inner` of every field 2 of a map entry. */
static apr_status_t next_inner(storer_varied_cursor_t *cursor, apr_uint32_t inner,
                               storer_bytes_t *bytes)
{
    storer_bytes_t outer;

    for (;;) {
        if (next_bytes(&cursor->index, inner, bytes) == APR_SUCCESS) {
            return APR_SUCCESS;
        }
        if (next_bytes(&cursor->entry, 2, &outer) != APR_SUCCESS) {
            return APR_EOF;
        }
        cursor_of(&cursor->index, outer);
    }
}

static void begin_inner(storer_varied_cursor_t *cursor, storer_bytes_t raw)
{
    cursor_of(&cursor->entry, raw);
    cursor->index.at = cursor->index.end = raw.data;
}

void storer_varied_begin(storer_varied_cursor_t *cursor, const storer_mapping_entry_t *entry)
{
    if (entry->varied_count > 0) {
        *cursor = entry->varied;
    }
    else {
        storer_bytes_t none = { "", 0 };

        begin_inner(cursor, none);
    }
}

apr_status_t storer_varied_next(storer_varied_cursor_t *cursor, storer_varied_t *varied)
{
    apr_status_t rv = next_inner(cursor, 4, &varied->raw);

    if (rv == APR_SUCCESS) {
        varied->name = key_of(varied->raw);
    }
    return rv;
}

int storer_varied_is_superseded(storer_varied_cursor_t cursor, storer_bytes_t name)
{
    storer_varied_t varied;

    while (storer_varied_next(&cursor, &varied) == APR_SUCCESS) {
        if (storer_bytes_equal(varied.name, name)) {
            return 1;
        }
    }
    return 0;
}

void storer_value_begin(storer_value_cursor_t *cursor, const storer_varied_t *varied)
{
    begin_inner(cursor, varied->raw);
}

apr_status_t storer_value_next(storer_value_cursor_t *cursor, storer_bytes_t *value)
{
    return next_inner(cursor, 1, value);
}

static int takes(storer_bytes_t *rest, const char *data, apr_size_t len)
{
    if (rest->len < len || (len > 0 && memcmp(rest->data, data, len) != 0)) {
        return 0;
    }
    rest->data += len;
    rest->len -= len;
    return 1;
}

int storer_varied_equals(const storer_varied_t *varied, storer_bytes_t value)
{
    storer_value_cursor_t cursor;
    storer_bytes_t part, rest = { value.data ? value.data : "", value.len };
    int first = 1;

    storer_value_begin(&cursor, varied);
    while (storer_value_next(&cursor, &part) == APR_SUCCESS) {
        if ((!first && !takes(&rest, ", ", 2)) || !takes(&rest, part.data, part.len)) {
            return 0;
        }
        first = 0;
    }
    return rest.len == 0;
}

apr_time_t storer_timestamp_time(storer_timestamp_t timestamp)
{
    if (timestamp.seconds >= INT64_MAX / APR_USEC_PER_SEC - 1) {
        return INT64_MAX;
    }
    if (timestamp.seconds <= INT64_MIN / APR_USEC_PER_SEC + 1) {
        return INT64_MIN;
    }
    return timestamp.seconds * APR_USEC_PER_SEC + timestamp.nanos / 1000;
}

storer_timestamp_t storer_timestamp_of(apr_time_t time)
{
    storer_timestamp_t timestamp;
    apr_int64_t rest = time % APR_USEC_PER_SEC;

    timestamp.seconds = time / APR_USEC_PER_SEC;
    if (rest < 0) { /* nanos count forward, also before 1970 */
        rest += APR_USEC_PER_SEC;
        timestamp.seconds--;
    }
    timestamp.nanos = (apr_int32_t)rest * 1000;
    timestamp.present = 1;
    return timestamp;
}
