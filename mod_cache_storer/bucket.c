/* SPDX-License-Identifier: Apache-2.0
 *
 * bucket.c - see bucket.h.
 *
 *   bucket --+                        one lease for all parts of a value, one
 *   bucket --+-> part --+             part for each piece in place; APR counts
 *   bucket ----> part --+-> lease     the buckets of a part (split, copy), the
 *                                     lease counts its parts
 *
 * None of it comes from r->pool: under the event MPM the last bucket may go after the request, on
 * another thread. As with APR's own shared buckets, one thread at a time. All of it fits the small
 * nodes of the bucket allocator (APR_BUCKET_ALLOC_SIZE); what does not takes a whole page.
 */
#include "bucket.h"

#include "httpd.h"
#include "http_connection.h"
#include "http_protocol.h"

typedef struct bucket_lease_t {
    storer_view_t view;
    unsigned      parts;
    int           pinned;
} bucket_lease_t;

typedef struct bucket_part_t {
    apr_bucket_refcount refcount;  /* first, as apr_bucket_shared_*() want it */
    const char         *data;
    bucket_lease_t     *lease;
} bucket_part_t;

static const storer_view_t empty_view = STORER_VIEW_EMPTY;

_Static_assert(sizeof(bucket_lease_t) <= APR_BUCKET_ALLOC_SIZE, "a lease takes a page");

static void lease_drop(bucket_lease_t *lease)
{
    if (--lease->parts > 0) {
        return;
    }
    storer_view_release(&lease->view);
    apr_bucket_free(lease);
}

static void part_drop(bucket_part_t *part)
{
    if (apr_bucket_shared_destroy(part)) {
        lease_drop(part->lease);
        apr_bucket_free(part);
    }
}

static void view_bucket_destroy(void *data)
{
    part_drop(data);
}

static apr_status_t view_bucket_read(apr_bucket *bucket, const char **data, apr_size_t *length,
                                     apr_read_type_e block)
{
    const bucket_part_t *part = bucket->data;

    (void)block;
    *data = part->data + bucket->start;
    *length = bucket->length;
    return APR_SUCCESS;
}

/* A pinned lease needs no pool, so there is nothing to set aside. Else the engine may have put the
 * bytes into the request's pool, and whoever sets aside means to keep them longer. */
static apr_status_t view_bucket_setaside(apr_bucket *bucket, apr_pool_t *pool)
{
    bucket_part_t *part = bucket->data;

    (void)pool;
    if (part->lease->pinned) {
        return APR_SUCCESS;
    }
    /* without a free function the bytes are copied */
    bucket = apr_bucket_heap_make(bucket, part->data + bucket->start, bucket->length, NULL);
    if (!bucket) {
        return APR_ENOMEM;
    }
    part_drop(part);
    return APR_SUCCESS;
}

static const apr_bucket_type_t view_bucket_type = {
    "STORER", 5, APR_BUCKET_DATA,
    view_bucket_destroy,
    view_bucket_read,
    view_bucket_setaside,
    apr_bucket_shared_split,
    apr_bucket_shared_copy
};

static apr_bucket *create_bucket(bucket_lease_t *lease, const char *data, apr_size_t length,
                                 apr_bucket_alloc_t *list)
{
    apr_bucket *bucket = apr_bucket_alloc(sizeof(*bucket), list);
    bucket_part_t *part = apr_bucket_alloc(sizeof(*part), list);

    APR_BUCKET_INIT(bucket);
    bucket->free = apr_bucket_free;
    bucket->list = list;
    part->data = data;
    part->lease = lease;
    lease->parts++;
    bucket = apr_bucket_shared_make(bucket, part, 0, length);
    bucket->type = &view_bucket_type;
    return bucket;
}

/* A bucket for each part. The lease's own count of 1 is the caller's. */
static apr_status_t insert_parts(apr_bucket_brigade *brigade, bucket_lease_t *lease,
                                 storer_view_t *view, apr_size_t skip, apr_off_t length)
{
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS) {
        apr_size_t piece = view->part.len - skip;

        if ((apr_off_t)piece > length) {
            return APR_EINVAL;
        }
        if (piece > 0) {
            APR_BRIGADE_INSERT_TAIL(brigade, create_bucket(lease, view->part.data + skip, piece,
                                                           brigade->bucket_alloc));
            length -= (apr_off_t)piece;
        }
        if (length == 0) {
            return APR_SUCCESS; /* the usual case: one part, and no call for the next */
        }
        skip = 0;
        rv = storer_view_next(view);
    }
    return APR_STATUS_IS_EOF(rv) ? APR_EINVAL : rv;
}

apr_status_t bucket_insert_view(apr_bucket_brigade *brigade, storer_view_t *view, apr_size_t skip,
                                apr_off_t length, int pinned)
{
    apr_bucket *last = APR_BRIGADE_LAST(brigade);
    bucket_lease_t *lease;
    apr_status_t rv;

    if (!view->ops) {
        return APR_EINVAL; /* handed over before */
    }
    lease = apr_bucket_alloc(sizeof(*lease), brigade->bucket_alloc);
    lease->view = empty_view;
    lease->parts = 1;
    lease->pinned = pinned;
    rv = insert_parts(brigade, lease, view, skip, length);
    if (rv == APR_SUCCESS) {
        storer_view_move(&lease->view, view);
    }
    else {
        while (APR_BRIGADE_LAST(brigade) != last) {
            apr_bucket_delete(APR_BRIGADE_LAST(brigade));
        }
    }
    lease_drop(lease);
    return rv;
}

void bucket_insert_failure(apr_bucket *before, apr_bucket_alloc_t *list)
{
    apr_bucket *bucket;

    /* as mod_proxy does when a backend breaks off: the status stops the chunk filter from writing
     * the final chunk, and the other bucket closes the connection behind what was sent */
    bucket = ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, NULL, list);
    APR_BUCKET_INSERT_BEFORE(before, bucket);
    bucket = ap_bucket_eoc_create(list);
    APR_BUCKET_INSERT_BEFORE(before, bucket);
}
