/* SPDX-License-Identifier: Apache-2.0
 *
 * sendfile.c - see sendfile.h. Answers should_send_brigade() and setaside_remaining_output() in
 * server/core_filters.c of httpd 2.4.
 *
 * The file is opened for each response: file buckets are read by seek and read, so that a descriptor
 * which other threads use as well would give them each other's bytes. The view is held by r->pool,
 * which the EOR bucket destroys once everything before it was sent; no filter that keeps buckets for
 * longer is let in.
 */
#include "sendfile.h"

#include "http_core.h"
#include "util_filter.h"

#include <string.h>

/* Below that the socket's own buffer takes nearly all of it, and a copy is cheaper than the calls. */
#define LENGTH_MIN ((apr_off_t)256 * 1024)

/* The core's, and those that look at no byte of a body that is sent as it is. */
static int is_harmless(const char *name)
{
    static const char *const names[] = {
        "byterange", "content_length", "http_header", "http_outerror", "core"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ap_cstr_casecmp(name, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

int sendfile_is_possible(const request_rec *r, apr_off_t length)
{
#if APR_HAS_SENDFILE
    const core_dir_config *dir = ap_get_core_module_config(r->per_dir_config);
    const ap_filter_t *filter;

    if (length < LENGTH_MIN || r->main || r->header_only || r->connection->master
        || dir->enable_sendfile == ENABLE_SENDFILE_OFF) {
        return 0;
    }
    for (filter = r->output_filters; filter; filter = filter->next) {
        if (!is_harmless(filter->frec->name)) {
            return 0;
        }
    }
    return 1;
#else
    (void)r;
    (void)length;
    return 0;
#endif
}

static apr_status_t release(void *data)
{
    storer_view_release(data);
    return APR_SUCCESS;
}

/* The buckets of one response share the file: `first` is the one that was made first. */
static apr_bucket *file_bucket(apr_bucket **first, apr_file_t *file, apr_off_t offset,
                               apr_size_t length, apr_pool_t *pool, apr_bucket_alloc_t *list)
{
    apr_bucket *bucket;

    if (!*first) {
        *first = apr_bucket_file_create(file, offset, length, pool, list);
#if APR_HAS_MMAP
        (void)apr_bucket_file_enable_mmap(*first, 0);
#endif
        return *first;
    }
    if (apr_bucket_copy(*first, &bucket) != APR_SUCCESS) {
        return NULL; /* never: a file bucket can be copied */
    }
    bucket->start = offset;
    bucket->length = length;
    return bucket;
}

static apr_status_t insert_parts(apr_bucket_brigade *brigade, storer_view_t *view, apr_size_t skip,
                                 apr_off_t length, apr_file_t *file, apr_pool_t *pool)
{
    apr_bucket *first = NULL, *bucket;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && length > 0) {
        apr_size_t piece = view->part.len - skip;

        if ((apr_off_t)piece > length) {
            return APR_EINVAL;
        }
        if (piece > 0) {
            bucket = view->offset >= 0
                         ? file_bucket(&first, file, view->offset + (apr_off_t)skip, piece, pool,
                                       brigade->bucket_alloc)
                         : apr_bucket_immortal_create(view->part.data + skip, piece,
                                                      brigade->bucket_alloc);
            if (!bucket) {
                return APR_ENOMEM;
            }
            APR_BRIGADE_INSERT_TAIL(brigade, bucket);
            length -= (apr_off_t)piece;
        }
        skip = 0;
        if (length > 0) {
            rv = storer_view_next(view);
        }
    }
    return APR_STATUS_IS_EOF(rv) ? APR_EINVAL : rv;
}

apr_status_t sendfile_insert_view(apr_bucket_brigade *brigade, storer_view_t *view, apr_size_t skip,
                                  apr_off_t length, request_rec *r)
{
    static const storer_view_t empty = STORER_VIEW_EMPTY;
    apr_bucket *last = APR_BRIGADE_LAST(brigade);
    apr_file_t *file = NULL;
    storer_view_t *held;
    apr_status_t rv;

    rv = storer_view_open_file(view, APR_FOPEN_SENDFILE_ENABLED, &file, r->pool);
    if (rv != APR_SUCCESS) {
        return APR_ENOTIMPL;
    }
    held = apr_palloc(r->pool, sizeof(*held));
    *held = empty;
    storer_view_move(held, view);
    apr_pool_cleanup_register(r->pool, held, release, apr_pool_cleanup_null);
    rv = insert_parts(brigade, held, skip, length, file, r->pool);
    if (rv != APR_SUCCESS) {
        while (APR_BRIGADE_LAST(brigade) != last) {
            apr_bucket_delete(APR_BRIGADE_LAST(brigade));
        }
        storer_view_release(held);
    }
    return rv;
}
