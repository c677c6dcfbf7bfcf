/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.c - see wire.h.
 */
#include "wire.h"

#define GROUP_DEPTH_MAX 100          /* protobuf's own recursion limit */
#define NUMBER_MAX      ((1u << 29) - 1)

static apr_status_t read_varint(storer_mapping_cursor_t *cursor, apr_uint64_t *value)
{
    apr_uint64_t result = 0;
    unsigned shift;

    for (shift = 0; shift < 70 && cursor->at < cursor->end; shift += 7) {
        unsigned char byte = (unsigned char)*cursor->at++;

        if (shift == 63 && byte > 1) {
            return APR_EINVAL;
        }
        result |= (apr_uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = result;
            return APR_SUCCESS;
        }
    }
    return APR_EINVAL;
}

static apr_status_t read_tag(storer_mapping_cursor_t *cursor, wire_field_t *field)
{
    apr_uint64_t tag;
    apr_status_t rv = read_varint(cursor, &tag);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (tag >> 3 == 0 || tag >> 3 > NUMBER_MAX) {
        return APR_EINVAL;
    }
    field->number = (apr_uint32_t)(tag >> 3);
    field->type = (wire_type_e)(tag & 7);
    return APR_SUCCESS;
}

static apr_status_t skip_bytes(storer_mapping_cursor_t *cursor, apr_uint64_t count)
{
    if (count > (apr_uint64_t)(cursor->end - cursor->at)) {
        return APR_EINVAL;
    }
    cursor->at += count;
    return APR_SUCCESS;
}

static apr_status_t read_value(storer_mapping_cursor_t *cursor, wire_field_t *field)
{
    apr_uint64_t length;
    apr_status_t rv;

    switch (field->type) {
    case WIRE_VARINT:
        return read_varint(cursor, &field->value);
    case WIRE_FIXED64:
        return skip_bytes(cursor, 8);
    case WIRE_FIXED32:
        return skip_bytes(cursor, 4);
    case WIRE_BYTES:
        rv = read_varint(cursor, &length);
        if (rv == APR_SUCCESS) {
            field->bytes.data = cursor->at;
            field->bytes.len = (apr_size_t)length;
            rv = skip_bytes(cursor, length);
        }
        return rv;
    case WIRE_GROUP:
    case WIRE_END_GROUP:
        break;
    }
    return APR_EINVAL;
}

/* Past the end of the group that has just begun, and of all that begin in it. */
static apr_status_t skip_group(storer_mapping_cursor_t *cursor, apr_uint32_t number)
{
    apr_uint32_t open[GROUP_DEPTH_MAX];
    int depth = 0;

    open[depth++] = number;
    while (depth > 0) {
        wire_field_t field;
        apr_status_t rv = read_tag(cursor, &field);

        if (rv == APR_SUCCESS && field.type == WIRE_GROUP) {
            if (depth == GROUP_DEPTH_MAX) {
                return APR_EINVAL;
            }
            open[depth++] = field.number;
        }
        else if (rv == APR_SUCCESS && field.type == WIRE_END_GROUP) {
            if (open[--depth] != field.number) {
                return APR_EINVAL;
            }
        }
        else if (rv == APR_SUCCESS) {
            rv = read_value(cursor, &field);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

apr_status_t wire_next_any(storer_mapping_cursor_t *cursor, wire_field_t *field)
{
    apr_status_t rv;

    if (cursor->at == cursor->end) {
        return APR_EOF;
    }
    rv = read_tag(cursor, field);
    if (rv == APR_SUCCESS) {
        rv = field->type == WIRE_GROUP ? skip_group(cursor, field->number)
                                       : read_value(cursor, field);
    }
    return rv;
}

/* Bytes of the sequence that begins at `at`, which is not ASCII; 0: it is none (RFC 3629). */
static apr_size_t sequence(const unsigned char *at, apr_size_t left)
{
    unsigned char least = 0x80, most = 0xbf;
    apr_size_t length, i;

    if (at[0] >= 0xc2 && at[0] <= 0xdf) {
        length = 2;
    }
    else if (at[0] >= 0xe0 && at[0] <= 0xef) {
        length = 3;
        least = at[0] == 0xe0 ? 0xa0 : 0x80;
        most = at[0] == 0xed ? 0x9f : 0xbf;
    }
    else if (at[0] >= 0xf0 && at[0] <= 0xf4) {
        length = 4;
        least = at[0] == 0xf0 ? 0x90 : 0x80;
        most = at[0] == 0xf4 ? 0x8f : 0xbf;
    }
    else {
        return 0;
    }
    if (left < length || at[1] < least || at[1] > most) {
        return 0;
    }
    for (i = 2; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

int wire_is_utf8_any(storer_bytes_t bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.data;
    const unsigned char *end = at + bytes.len;

    while (at < end) {
        apr_size_t length = *at < 0x80 ? 1 : sequence(at, (apr_size_t)(end - at));

        if (!length) {
            return 0;
        }
        at += length;
    }
    return 1;
}

apr_size_t wire_varint_size(apr_uint64_t value)
{
    apr_size_t size = 1;

    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

char *wire_put_varint(char *to, apr_uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (char)(value | 0x80);
        value >>= 7;
    }
    *to++ = (char)value;
    return to;
}
