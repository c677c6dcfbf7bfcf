/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.h - the wire format of protobuf: fields of a message, one after the other. For mapping.c and
 * mapping_update.c alone.
 */
#ifndef STORER_WIRE_H
#define STORER_WIRE_H

#include "mapping.h"
#include "storer_private.h"

typedef enum wire_type_e {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_GROUP = 3,
    WIRE_END_GROUP = 4,
    WIRE_FIXED32 = 5
} wire_type_e;

typedef struct wire_field_t {
    apr_uint32_t   number;
    wire_type_e    type;
    apr_uint64_t   value;   /* of WIRE_VARINT */
    storer_bytes_t bytes;   /* of WIRE_BYTES */
} wire_field_t;

/** wire_next for what is rare: large tags and lengths, other types, and errors. */
apr_status_t wire_next_any(storer_mapping_cursor_t *cursor, wire_field_t *field);

/** The next field, whatever it is. APR_SUCCESS; APR_EOF; APR_EINVAL: it is none. Every hit reads a
 * dozen of them, nearly all with a tag of one byte and a length of one or two. */
static inline apr_status_t wire_next(storer_mapping_cursor_t *cursor, wire_field_t *field)
{
    const unsigned char *at = (const unsigned char *)cursor->at;
    apr_size_t left = (apr_size_t)(cursor->end - cursor->at), length, head = 2;

    if (left == 0) {
        return APR_EOF;
    }
    if (left < 3 || (at[0] & 0x87) != WIRE_BYTES || at[0] < 8) {
        return wire_next_any(cursor, field);
    }
    length = at[1];
    if (length >= 0x80) {
        if (at[2] >= 0x80) {
            return wire_next_any(cursor, field);
        }
        length = (length & 0x7f) | (apr_size_t)at[2] << 7;
        head = 3;
    }
    if (length > left - head) {
        return APR_EINVAL;
    }
    field->number = at[0] >> 3;
    field->type = WIRE_BYTES;
    field->bytes.data = cursor->at + head;
    field->bytes.len = length;
    cursor->at += head + length;
    return APR_SUCCESS;
}

/** The next field if it is a varint of up to five bytes with a tag of one: those of timestamps are. 0:
 * it is something else, and the cursor has not moved. */
static inline int wire_next_varint(storer_mapping_cursor_t *cursor, wire_field_t *field)
{
    const unsigned char *at = (const unsigned char *)cursor->at;
    const unsigned char *end = (const unsigned char *)cursor->end;
    apr_uint64_t value = 0;
    unsigned shift;

    if (end - at < 2 || (at[0] & 0x87) != WIRE_VARINT || at[0] < 8) {
        return 0;
    }
    field->number = *at++ >> 3;
    for (shift = 0; at < end && shift < 35; shift += 7) {
        value |= (apr_uint64_t)(*at & 0x7f) << shift;
        if (*at++ < 0x80) {
            field->type = WIRE_VARINT;
            field->value = value;
            cursor->at = (const char *)at;
            return 1;
        }
    }
    return 0;
}

/** wire_is_utf8 for what is not ASCII, from byte `from` on. */
int wire_is_utf8_from(storer_bytes_t bytes, apr_size_t from);

/** As Go's utf8.Valid: no overlong forms, no surrogates, at most U+10FFFF. */
static inline int wire_is_utf8(storer_bytes_t bytes)
{
    apr_size_t at = 0;
    apr_uint64_t eight;

    for (; bytes.len - at >= sizeof(eight); at += sizeof(eight)) {
        memcpy(&eight, bytes.data + at, sizeof(eight));
        if (eight & APR_UINT64_C(0x8080808080808080)) {
            break;
        }
    }
    return at == bytes.len || wire_is_utf8_from(bytes, at);
}

/** Room a varint takes, and writing one; returns behind it. */
apr_size_t wire_varint_size(apr_uint64_t value);
char *wire_put_varint(char *to, apr_uint64_t value);

#endif /* STORER_WIRE_H */
