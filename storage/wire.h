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

/** A varint of up to eight bytes, all at once.
 * @param end ends it and whatever it is in; the eight bytes before it must be readable, `at` below
 *            it
 * @return behind it; NULL: read it in another way, which may find an error */
static inline const unsigned char *wire_take_varint(const unsigned char *at, const unsigned char *end,
                                                    apr_uint64_t *value)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    apr_uint64_t eight, last;
    unsigned left = end - at < 8 ? (unsigned)(end - at) : 8, length;

    memcpy(&eight, left == 8 ? at : end - 8, sizeof(eight));
    eight >>= 8 * (8 - left);
    last = ~eight & APR_UINT64_C(0x8080808080808080); /* bytes that end a varint */
    length = last ? (unsigned)__builtin_ctzll(last) / 8 + 1 : 9;
    if (length > left) {
        return NULL;
    }
    eight &= (last ^ (last - 1)) & APR_UINT64_C(0x7f7f7f7f7f7f7f7f);
    /* eight times seven bits, to four times fourteen, two times 28, 56 */
    eight = (eight & APR_UINT64_C(0x007f007f007f007f))
            | (eight & APR_UINT64_C(0x7f007f007f007f00)) >> 1;
    eight = (eight & APR_UINT64_C(0x00003fff00003fff))
            | (eight & APR_UINT64_C(0x3fff00003fff0000)) >> 2;
    *value = (eight & APR_UINT64_C(0x0fffffff)) | (eight & APR_UINT64_C(0x0fffffff00000000)) >> 4;
    return at + length;
#else
    (void)at;
    (void)end;
    (void)value;
    return NULL;
#endif
}

/** wire_is_utf8 for what is short or not ASCII. */
int wire_is_utf8_any(storer_bytes_t bytes);

static inline apr_uint64_t wire_eight(const char *at)
{
    apr_uint64_t eight;

    memcpy(&eight, at, sizeof(eight));
    return eight;
}

/** As Go's utf8.Valid: no overlong forms, no surrogates, at most U+10FFFF. */
static inline int wire_is_utf8(storer_bytes_t bytes)
{
    apr_uint64_t high = 0;
    apr_size_t at;

    if (bytes.len < 8) {
        return bytes.len == 0 || wire_is_utf8_any(bytes);
    }
    for (at = 0; at + 32 < bytes.len; at += 32) {
        high |= wire_eight(bytes.data + at) | wire_eight(bytes.data + at + 8)
                | wire_eight(bytes.data + at + 16) | wire_eight(bytes.data + at + 24);
    }
    for (; at + 8 < bytes.len; at += 8) {
        high |= wire_eight(bytes.data + at);
    }
    high |= wire_eight(bytes.data + bytes.len - 8); /* overlaps the one before */
    return !(high & APR_UINT64_C(0x8080808080808080)) || wire_is_utf8_any(bytes);
}

/** Room a varint takes, and writing one; returns behind it. */
apr_size_t wire_varint_size(apr_uint64_t value);
char *wire_put_varint(char *to, apr_uint64_t value);

#endif /* STORER_WIRE_H */
