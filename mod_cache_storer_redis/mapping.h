/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping.h - the mapping of a URL, a HASH with a field for each variant: so variants stored at the
 * same time by different machines do not undo each other. See mapping.c.
 */
#ifndef MAPPING_H
#define MAPPING_H

#include "batch.h"
#include "keyindex.h"
#include "redis.h"
#include "reply.h"

#include <apr_tables.h>

/** Longest mapping, as the library's. */
#define MAPPING_MAX (1024 * 1024)

/** What is in a HASH. */
typedef struct mapping_t {
    apr_array_header_t *entries;   /**< of keyindex_t */
    apr_array_header_t *damaged;   /**< of storer_bytes_t: names of fields, as they are */
} mapping_t;

/**
 * The entries in an answer to HGETALL. Those that are damaged are told apart, with one warning.
 * @param key  of the mapping ("IDX_...")
 * @param out  borrows from the reply; keys are in pool
 * @return APR_SUCCESS; APR_EINVAL: that is no answer to HGETALL
 */
apr_status_t mapping_read(redis_t *redis, storer_bytes_t key, const reply_t *reply,
                          mapping_t *out, apr_pool_t *pool);

/** The entries in the library's form, malloc'ed. *last: when the last of them is over. */
apr_status_t mapping_join(const mapping_t *mapping, char **bytes, apr_size_t *len,
                          storer_expiry_t *last);

/** A view of a mapping in the library's form. *is_value: set to 1 where there is a plain value
 * under the mapping's key, and nothing was filled. */
apr_status_t mapping_view(redis_t *redis, storer_bytes_t key, apr_time_t now,
                          clock_point_t deadline, storer_view_t *view, int *is_value);

/** storer_update for a mapping's key. */
apr_status_t mapping_update(redis_t *redis, storer_bytes_t key, storer_edit_fn *edit, void *baton,
                            apr_time_t now, apr_pool_t *scratch);

/** Make a mapping that was read what it is to be, by those fields that differ.
 * @param edited in the library's form; APR_EINVAL where that is no mapping */
apr_status_t mapping_change(redis_t *redis, storer_bytes_t key, const mapping_t *old,
                            storer_bytes_t edited, storer_expiry_t expiry, apr_time_t now,
                            clock_point_t deadline, apr_pool_t *pool);

/** What is to become of a HASH. */
typedef struct mapping_change_t {
    apr_array_header_t *set;       /**< of keyindex_t */
    apr_array_header_t *dropped;   /**< of storer_bytes_t: keys of values */
    apr_array_header_t *damaged;   /**< of storer_bytes_t: names of fields; NULL: none */
} mapping_change_t;

/** Add the command that does it, and prolongs the mapping's life.
 * @param all 1: it answers with all that is in the mapping then, as HGETALL does; else with 1 */
void mapping_add_change(batch_t *batch, storer_bytes_t key, const mapping_change_t *change,
                        apr_int64_t ttl, int all);

/** "IDX_" and a base key, in pool. */
storer_bytes_t mapping_key(storer_bytes_t base_key, apr_pool_t *pool);

#endif /* MAPPING_H */
