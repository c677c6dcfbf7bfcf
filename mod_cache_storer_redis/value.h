/* SPDX-License-Identifier: Apache-2.0
 *
 * value.h - how a value lies in Redis. The string under the value's name is the *head*: 64 bytes,
 * then the first part of the value. Further parts are strings of their own, 40 bytes and the part.
 * Numbers are little-endian.
 *
 *   head                              part
 *    0  "STV1"                         0  "STP1"
 *    4  u32 parts, the first included  4  u32 number of the part, from 1
 *    8  u64 length of the value        8  u32 length of the part
 *   16  i64 fresh until, us            12 u32 0
 *   24  i64 stale until, us            16 version
 *   32  version: 16 random bytes       32 u64 checksum
 *   48  u32 length of a part, but for the last
 *   52  u32 length of the first part
 *   56  u64 checksum
 *
 * Checksums are XXH3, 64 bits, over everything before them, what follows them, and the key (of the
 * head): so neither damage nor an answer that belongs to another key is taken for a value. A part
 * belongs to one version of a value only, and is written before its head: a reader who has the head
 * gets the parts of that version or none.
 */
#ifndef VALUE_H
#define VALUE_H

#include "names.h"

#include <storer.h>

#define VALUE_HEAD_SIZE 64
#define VALUE_PART_HEAD 40
/** Longest part: with a key, what one command moves stays below 1 MB. */
#define VALUE_PART_MAX  (512 * 1024)
#define VALUE_PARTS_MAX (1024 * 1024)

typedef struct value_t {
    unsigned char   version[NAMES_VERSION_SIZE];
    apr_off_t       length;
    storer_expiry_t expiry;
    apr_uint32_t    parts;        /**< 1 or more */
    apr_uint32_t    part_size;
    apr_uint32_t    first_size;
} value_t;

/** A new value: its version is chosen; the rest is zero. */
apr_status_t value_init(value_t *value, storer_expiry_t expiry);
/** The length is known now: parts and sizes follow from it. */
void value_set_length(value_t *value, apr_off_t length);

/** VALUE_HEAD_SIZE bytes, to be followed by the first part. */
void value_write_head(const value_t *value, storer_bytes_t key, storer_bytes_t first, char *to);
/** VALUE_PART_HEAD bytes, to be followed by the part. */
void value_write_part(const value_t *value, apr_uint32_t number, storer_bytes_t part, char *to);

/** A whole head with its first part. APR_SUCCESS; APR_EINVAL: that is not the value of this key. */
apr_status_t value_read(value_t *value, storer_bytes_t key, storer_bytes_t stored,
                        storer_bytes_t *first);
/** The head alone, without its checksum: for keeping house, not for serving. */
apr_status_t value_read_head(value_t *value, storer_bytes_t stored);
/** Part `number` of the value. APR_SUCCESS or APR_EINVAL. */
apr_status_t value_read_part(const value_t *value, apr_uint32_t number, storer_bytes_t stored,
                             storer_bytes_t *part);

/** When it is over. */
apr_time_t value_end(storer_expiry_t expiry);

/** How much longer than needed a value lives in Redis, in milliseconds: when it is over the caller's
 * clock says, and not how much the server's is ahead of it. */
#define VALUE_TTL_MORE 1000

/** Milliseconds from now to the end, for PX, and VALUE_TTL_MORE; at most ten years, since nothing lives
 * for ever; 0: it is over. */
apr_int64_t value_ttl(apr_time_t end, apr_time_t now);

/** Checksum of bytes that go on from a checksum. */
apr_uint64_t value_checksum(apr_uint64_t before, const void *bytes, apr_size_t len);

/** Little-endian numbers. */
void         value_put_u64(char *to, apr_uint64_t number);
apr_uint64_t value_get_u64(const char *from);

#endif /* VALUE_H */
