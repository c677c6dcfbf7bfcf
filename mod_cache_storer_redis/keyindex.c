/* SPDX-License-Identifier: Apache-2.0
 *
 * keyindex.c - see keyindex.h. Pure. What it does not know in a KeyIndex it keeps as it is.
 */
#include "keyindex.h"

#include "value.h"

#include <string.h>

#define WIRE_VARINT 0
#define WIRE_FIXED64 1
#define WIRE_BYTES  2
#define WIRE_FIXED32 5

#define SEAL_TAG (15 << 3 | WIRE_FIXED64)

/* ---- the wire of protobuf, as far as it is needed ---- */

typedef struct field_t {
    unsigned       number, type;
    apr_uint64_t   varint;
    storer_bytes_t bytes;
} field_t;

static int read_varint(keyindex_cursor_t *cursor, apr_uint64_t *number)
{
    apr_uint64_t value = 0;
    int shift;

    for (shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
        unsigned char byte = (unsigned char)*cursor->at++;

        value |= (apr_uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *number = value;
            return 1;
        }
    }
    return 0;
}

static int skip(keyindex_cursor_t *cursor, apr_uint64_t len)
{
    if (len > (apr_uint64_t)(cursor->end - cursor->at)) {
        return 0;
    }
    cursor->at += len;
    return 1;
}

static apr_status_t next_field(keyindex_cursor_t *cursor, field_t *field)
{
    apr_uint64_t tag, len;

    if (cursor->at == cursor->end) {
        return APR_EOF;
    }
    if (!read_varint(cursor, &tag) || tag >> 3 == 0 || tag >> 32) {
        return APR_EINVAL;
    }
    field->number = (unsigned)(tag >> 3);
    field->type = (unsigned)(tag & 7);
    switch (field->type) {
        case WIRE_VARINT:
            return read_varint(cursor, &field->varint) ? APR_SUCCESS : APR_EINVAL;
        case WIRE_FIXED64:
            return skip(cursor, 8) ? APR_SUCCESS : APR_EINVAL;
        case WIRE_FIXED32:
            return skip(cursor, 4) ? APR_SUCCESS : APR_EINVAL;
        case WIRE_BYTES:
            if (!read_varint(cursor, &len)) {
                return APR_EINVAL;
            }
            field->bytes.data = cursor->at;
            field->bytes.len = (apr_size_t)len;
            return skip(cursor, len) ? APR_SUCCESS : APR_EINVAL;
        default:
            return APR_EINVAL; /* groups: nobody writes them */
    }
}

static void begin(keyindex_cursor_t *cursor, storer_bytes_t bytes)
{
    cursor->at = bytes.data;
    cursor->end = bytes.data + bytes.len;
}

/* ---- reading ---- */

/* Saturates: a time from elsewhere may be anything. */
static apr_status_t read_time(storer_bytes_t bytes, apr_time_t *time)
{
    apr_int64_t seconds = 0, nanos = 0;
    keyindex_cursor_t cursor;
    field_t field;
    apr_status_t rv;

    begin(&cursor, bytes);
    for (rv = next_field(&cursor, &field); rv == APR_SUCCESS; rv = next_field(&cursor, &field)) {
        if (field.type == WIRE_VARINT && field.number == 1) {
            seconds = (apr_int64_t)field.varint;
        }
        else if (field.type == WIRE_VARINT && field.number == 2) {
            nanos = (apr_int32_t)field.varint;
        }
    }
    if (seconds >= INT64_MAX / APR_USEC_PER_SEC - 2) {
        *time = INT64_MAX;
    }
    else if (seconds <= INT64_MIN / APR_USEC_PER_SEC + 2) {
        *time = INT64_MIN;
    }
    else {
        *time = seconds * APR_USEC_PER_SEC + nanos / 1000;
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static apr_status_t take_field(keyindex_t *index, const field_t *field)
{
    if (field->type != WIRE_BYTES) {
        return APR_SUCCESS;
    }
    switch (field->number) {
        case 1:
            return read_time(field->bytes, &index->stored_at);
        case 2:
            return read_time(field->bytes, &index->expiry.fresh_until);
        case 3:
            return read_time(field->bytes, &index->expiry.stale_until);
        case 4:
            index->varies = 1;
            return APR_SUCCESS;
        case 6:
            index->real_key = field->bytes;
            return APR_SUCCESS;
        default:
            return APR_SUCCESS;
    }
}

apr_status_t keyindex_read(keyindex_t *index)
{
    static const storer_bytes_t nothing = { "", 0 };
    static const storer_expiry_t never = { 0, 0 };
    keyindex_cursor_t cursor;
    field_t field;
    apr_status_t rv;

    index->stored_at = 0;
    index->expiry = never;
    index->real_key = nothing;
    index->varies = 0;
    begin(&cursor, index->bytes);
    rv = next_field(&cursor, &field);
    while (rv == APR_SUCCESS) {
        rv = take_field(index, &field);
        if (rv == APR_SUCCESS) {
            rv = next_field(&cursor, &field);
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* What is not an entry has no place in a HASH, and is dropped: nobody writes such a thing. */
apr_status_t keyindex_next(keyindex_cursor_t *cursor, keyindex_t *index)
{
    static const storer_bytes_t nothing = { "", 0 };
    keyindex_cursor_t entry;
    field_t field;
    apr_status_t rv;

    do {
        rv = next_field(cursor, &field);
    } while (rv == APR_SUCCESS && (field.number != 1 || field.type != WIRE_BYTES));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    index->key = index->bytes = nothing;
    begin(&entry, field.bytes);
    for (rv = next_field(&entry, &field); rv == APR_SUCCESS; rv = next_field(&entry, &field)) {
        if (field.type == WIRE_BYTES && field.number == 1) {
            index->key = field.bytes;
        }
        else if (field.type == WIRE_BYTES && field.number == 2) {
            index->bytes = field.bytes;
        }
    }
    return rv == APR_EOF ? keyindex_read(index) : rv;
}

/* ---- writing ---- */

static apr_size_t varint_size(apr_uint64_t number)
{
    apr_size_t size = 1;

    while (number >= 0x80) {
        number >>= 7;
        size++;
    }
    return size;
}

static char *put_bytes(char *to, unsigned number, apr_size_t len, const char *bytes)
{
    apr_uint64_t rest = len;

    *to++ = (char)(number << 3 | WIRE_BYTES);
    while (rest >= 0x80) {
        *to++ = (char)((rest & 0x7f) | 0x80);
        rest >>= 7;
    }
    *to++ = (char)rest;
    if (bytes && len > 0) {
        memcpy(to, bytes, len);
        to += len;
    }
    return to;
}

static apr_size_t entry_size(const keyindex_t *index)
{
    return 2 + varint_size(index->key.len) + index->key.len + varint_size(index->bytes.len)
           + index->bytes.len;
}

apr_size_t keyindex_size(const keyindex_t *index)
{
    apr_size_t entry = entry_size(index);

    return 1 + varint_size(entry) + entry;
}

char *keyindex_write(const keyindex_t *index, char *to)
{
    to = put_bytes(to, 1, entry_size(index), NULL);
    to = put_bytes(to, 1, index->key.len, index->key.data);
    return put_bytes(to, 2, index->bytes.len, index->bytes.data);
}

/* ---- the seal ---- */

static apr_uint64_t checksum(storer_bytes_t mapping_key, const keyindex_t *index)
{
    apr_uint64_t sum = value_checksum(mapping_key.len, mapping_key.data, mapping_key.len);

    sum = value_checksum(sum ^ index->key.len, index->key.data, index->key.len);
    return value_checksum(sum, index->bytes.data, index->bytes.len);
}

void keyindex_seal(storer_bytes_t mapping_key, const keyindex_t *index, char *to)
{
    *to = (char)SEAL_TAG;
    value_put_u64(to + 1, checksum(mapping_key, index));
}

apr_status_t keyindex_unseal(storer_bytes_t mapping_key, storer_bytes_t content, keyindex_t *index)
{
    const char *seal;

    if (!content.data || content.len < KEYINDEX_SEAL_SIZE) {
        return APR_EINVAL;
    }
    index->bytes.data = content.data;
    index->bytes.len = content.len - KEYINDEX_SEAL_SIZE;
    seal = content.data + index->bytes.len;
    if (*seal != (char)SEAL_TAG || value_get_u64(seal + 1) != checksum(mapping_key, index)) {
        return APR_EINVAL;
    }
    return keyindex_read(index);
}
