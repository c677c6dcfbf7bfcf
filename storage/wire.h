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
    storer_bytes_t raw;     /* the whole field with its tag */
} wire_field_t;

/** The next field, whatever it is. APR_SUCCESS; APR_EOF; APR_EINVAL: it is none. */
apr_status_t wire_next(storer_mapping_cursor_t *cursor, wire_field_t *field);

/** As Go's utf8.Valid: no overlong forms, no surrogates, at most U+10FFFF. */
int wire_is_utf8(storer_bytes_t bytes);

/** Room a varint takes, and writing one; returns behind it. */
apr_size_t wire_varint_size(apr_uint64_t value);
char *wire_put_varint(char *to, apr_uint64_t value);

#endif /* STORER_WIRE_H */
