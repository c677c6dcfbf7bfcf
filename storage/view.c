/* SPDX-License-Identifier: Apache-2.0
 *
 * view.c - what holds for every view, whichever engine filled it: an empty one is harmless, a
 * released or moved one is empty, and part is empty once there is no more of it.
 *
 * Called by hosts and engines, from any thread. Knows no engine.
 */
#include "storer_private.h"

static const storer_view_t empty_view = STORER_VIEW_EMPTY;
static const storer_bytes_t no_bytes = { NULL, 0 };

apr_status_t storer_view_next(storer_view_t *view)
{
    apr_status_t rv;

    storer_assert(view != NULL);
    if (!view->ops) {
        return APR_EOF;
    }
    rv = view->ops->next(view);
    if (rv != APR_SUCCESS) {
        view->part = no_bytes;
        view->offset = -1;
    }
    return rv;
}

apr_status_t storer_view_open_file(storer_view_t *view, apr_int32_t flags, apr_file_t **file,
                                   apr_pool_t *pool)
{
    storer_assert(view != NULL && file != NULL && pool != NULL);
    if (!view->ops || !view->ops->open_file) {
        return APR_ENOTIMPL;
    }
    return view->ops->open_file(view, flags, file, pool);
}

void storer_view_release(storer_view_t *view)
{
    storer_assert(view != NULL);
    if (view->ops) {
        view->ops->release(view);
        *view = empty_view;
    }
}

void storer_view_move(storer_view_t *to, storer_view_t *from)
{
    storer_assert(to != NULL && from != NULL && to != from);
    storer_assert(to->ops == NULL);
    *to = *from;
    *from = empty_view;
}

/* The parts do not add up to the length: the engine found no damage, but the value cannot be right. */
static apr_status_t gather(storer_view_t *view, char *bytes, apr_size_t length)
{
    apr_size_t used = 0;
    apr_status_t rv;

    do {
        if (view->part.len > length - used) {
            return APR_EINVAL;
        }
        if (view->part.len > 0) {
            memcpy(bytes + used, view->part.data, view->part.len);
            used += view->part.len;
        }
        rv = storer_view_next(view);
    } while (rv == APR_SUCCESS);
    if (rv != APR_EOF) {
        return rv;
    }
    return used == length ? APR_SUCCESS : APR_EINVAL;
}

apr_status_t storer_view_flatten(storer_view_t *view, apr_size_t limit, storer_bytes_t *out,
                                 apr_pool_t *pool)
{
    apr_size_t length;
    apr_status_t rv;
    char *bytes;

    storer_assert(view != NULL && out != NULL);
    if (!view->ops || view->length < 0) {
        return APR_EINVAL;
    }
    if ((apr_uint64_t)view->length > limit) {
        return APR_ENOSPC;
    }
    length = (apr_size_t)view->length;
    if (view->in_place && view->part.data && view->part.len == length) {
        *out = view->part;
        return APR_SUCCESS;
    }
    bytes = apr_palloc(pool, length > 0 ? length : 1);
    if (!bytes) {
        return APR_ENOMEM;
    }
    rv = gather(view, bytes, length);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    out->data = bytes;
    out->len = length;
    return APR_SUCCESS;
}
