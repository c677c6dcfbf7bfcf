/* SPDX-License-Identifier: Apache-2.0
 *
 * bucket.h - a bucket whose data lie in a store: it shares the lease on them with its brothers, and
 * the last one to go gives it back, on whatever thread that happens.
 */
#ifndef BUCKET_H
#define BUCKET_H

#include "../storage/storer.h"

#include "apr_buckets.h"

/**
 * Append what follows in a view, in place, without copying a byte.
 * @param view   at the part where to begin; in_place. Empty on success: the buckets have the lease
 * @param skip   bytes of that part to leave out
 * @param length how much must follow
 * @param pinned 1: the lease may outlive the pool the view was made with
 * @return APR_SUCCESS; APR_EINVAL: more or less than length; or what storer_view_next() returned.
 *         Nothing is appended then, and the view is the caller's.
 */
apr_status_t bucket_insert_view(apr_bucket_brigade *brigade, storer_view_t *view, apr_size_t skip,
                                apr_off_t length, int pinned);

/** Insert, before a bucket, what makes httpd break the response off: an error page where the
 * headers are not out yet, else an end that the client can tell from the regular one. */
void bucket_insert_failure(apr_bucket *before, apr_bucket_alloc_t *list);

#endif /* BUCKET_H */
