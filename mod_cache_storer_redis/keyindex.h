/* SPDX-License-Identifier: Apache-2.0
 *
 * keyindex.h - the entries of a mapping, in the two forms there are:
 *
 *   for the library   one protobuf message, StorageMapper { map<string, KeyIndex> mapping = 1 }
 *   in Redis          a HASH: field = name of the value, content = the KeyIndex, sealed
 *
 * The seal is field 15 of KeyIndex, a fixed64 at its end, which other readers skip: a checksum over
 * the mapping's key, the value's key and the KeyIndex. An entry without a right seal is not used.
 *
 *   KeyIndex { Timestamp stored_at = 1, fresh_time = 2, stale_time = 3; ...; string real_key = 6 }
 *   Timestamp { int64 seconds = 1; int32 nanos = 2 }
 */
#ifndef KEYINDEX_H
#define KEYINDEX_H

#include <storer.h>

#define KEYINDEX_SEAL_SIZE 9

typedef struct keyindex_t {
    storer_bytes_t  key;        /**< of the value */
    storer_bytes_t  bytes;      /**< the KeyIndex, without a seal */
    /* out of it */
    apr_time_t      stored_at;
    storer_expiry_t expiry;
    storer_bytes_t  real_key;
    int             varies;     /**< it is for some requests only */
} keyindex_t;

/** Read the times and the real key out of index->bytes. APR_SUCCESS or APR_EINVAL. */
apr_status_t keyindex_read(keyindex_t *index);

/** A place in a mapping in the library's form. */
typedef struct keyindex_cursor_t {
    const char *at, *end;
} keyindex_cursor_t;

/** The next entry, read. APR_SUCCESS; APR_EOF; APR_EINVAL: that is not a mapping. */
apr_status_t keyindex_next(keyindex_cursor_t *cursor, keyindex_t *index);

/** Bytes of an entry in the library's form, and the entry itself. @return behind it */
apr_size_t keyindex_size(const keyindex_t *index);
char      *keyindex_write(const keyindex_t *index, char *to);

/** KEYINDEX_SEAL_SIZE bytes that go behind index->bytes in Redis. */
void keyindex_seal(storer_bytes_t mapping_key, const keyindex_t *index, char *to);

/** Content of a field: index->key is set, bytes are to be found. APR_SUCCESS: sealed, read;
 * APR_EINVAL. */
apr_status_t keyindex_unseal(storer_bytes_t mapping_key, storer_bytes_t content, keyindex_t *index);

#endif /* KEYINDEX_H */
