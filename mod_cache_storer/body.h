/* SPDX-License-Identifier: Apache-2.0
 *
 * body.h - bodies that are not served as they lie: which are compressed, and how one is read piece
 * by piece where it is compressed, or where the engine cannot hold it in place.
 */
#ifndef BODY_H
#define BODY_H

#include "config.h"
#include "http/record.h"

#include "apr_buckets.h"

/** Whether to compress a body in the store. @param length of the body; -1: not known */
int body_is_compressed(const config_server_t *config, const apr_table_t *headers, apr_off_t length);

/**
 * Append a bucket of unknown length that yields the body piece by piece, decompressed. Damage ends
 * the response in a way the client notices, with one warning, and drops the entry.
 * @param view  empty on success: the bucket has the lease
 * @param whole 1: into memory at once, in buckets of known length, for a filter that must know
 */
apr_status_t body_insert_stream(apr_bucket_brigade *brigade, storer_view_t *view,
                                const record_t *record, int whole, storer_t *store,
                                storer_bytes_t base_key);

#endif /* BODY_H */
