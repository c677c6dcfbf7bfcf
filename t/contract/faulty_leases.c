/* SPDX-License-Identifier: Apache-2.0
 *
 * faulty_leases.c - the views and writers of the fault-injecting engine: each wraps the one of the
 * wrapped store in a small block of its own, so that its faults and leaks are seen.
 */
#include "faulty_private.h"

#include <stdlib.h>

/* ---- views ---- */

typedef struct lease_t {
    faulty_t *faulty;
    storer_view_t view;
} lease_t;

static const storer_view_ops_t faulty_view_ops;

static void view_show(storer_view_t *view, const storer_view_t *inner)
{
    view->part = inner->part;
    view->length = inner->length;
    view->expiry = inner->expiry;
    view->in_place = inner->in_place;
    view->offset = inner->offset;
}

apr_status_t faulty_view_wrap(faulty_t *faulty, storer_view_t *view, storer_view_t *inner)
{
    static const storer_view_t empty = STORER_VIEW_EMPTY;
    lease_t *lease = malloc(sizeof(*lease));

    if (!lease) {
        storer_view_release(inner);
        return APR_ENOMEM;
    }
    lease->faulty = faulty;
    lease->view = empty;
    storer_view_move(&lease->view, inner);
    view_show(view, &lease->view);
    view->ops = &faulty_view_ops;
    view->store = &faulty->base;
    view->lease = lease;
    atomic_fetch_add(&faulty->views, 1);
    return APR_SUCCESS;
}

static apr_status_t faulty_view_next(storer_view_t *view)
{
    lease_t *lease = view->lease;
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(lease->faulty, FAULTY_VIEW_NEXT, &call);
    if (rv == APR_SUCCESS) {
        rv = storer_view_next(&lease->view);
        rv = faulty_after(lease->faulty, FAULTY_VIEW_NEXT, call, rv);
    }
    if (rv == APR_SUCCESS) {
        view_show(view, &lease->view);
    }
    return rv;
}

static void faulty_view_release(storer_view_t *view)
{
    lease_t *lease = view->lease;

    storer_view_release(&lease->view);
    atomic_fetch_sub(&lease->faulty->views, 1);
    free(lease);
}

static apr_status_t faulty_view_open_file(storer_view_t *view, apr_int32_t flags, apr_file_t **file,
                                          apr_pool_t *pool)
{
    lease_t *lease = view->lease;

    return storer_view_open_file(&lease->view, flags, file, pool);
}

static const storer_view_ops_t faulty_view_ops = { faulty_view_next, faulty_view_release,
                                                   faulty_view_open_file };

/* ---- writers ---- */

typedef struct draft_t {
    faulty_t *faulty;
    storer_writer_t writer;
} draft_t;

static void draft_end(draft_t *draft)
{
    storer_writer_abort(&draft->writer);
    atomic_fetch_sub(&draft->faulty->writers, 1);
    free(draft);
}

/* Short space takes what still goes in, so that the wrapped writer is left in the middle. */
static apr_status_t faulty_append(storer_writer_t *writer, storer_bytes_t bytes)
{
    draft_t *draft = writer->lease;
    long long left = atomic_load(&draft->faulty->space);
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(draft->faulty, FAULTY_WRITER_APPEND, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = faulty_take_space(draft->faulty, bytes.len);
    if (rv != APR_SUCCESS) {
        if (left > 0 && (unsigned long long)left < bytes.len) {
            storer_bytes_t some = { bytes.data, (apr_size_t)left };

            (void)storer_writer_append(&draft->writer, some);
        }
        return rv;
    }
    rv = storer_writer_append(&draft->writer, bytes);
    return faulty_after(draft->faulty, FAULTY_WRITER_APPEND, call, rv);
}

static apr_status_t faulty_commit(storer_writer_t *writer)
{
    draft_t *draft = writer->lease;
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(draft->faulty, FAULTY_WRITER_COMMIT, &call);
    if (rv == APR_SUCCESS) {
        rv = storer_writer_commit(&draft->writer);
        rv = faulty_after(draft->faulty, FAULTY_WRITER_COMMIT, call, rv);
    }
    draft_end(draft);
    return rv;
}

static void faulty_abort(storer_writer_t *writer)
{
    draft_end(writer->lease);
}

static const storer_writer_ops_t faulty_writer_ops = { faulty_append, faulty_commit, faulty_abort };

/* Opens the wrapped store's writer even where that is the library's own: its set is then not
 * counted here, but the writer's calls are. */
apr_status_t faulty_open_writer(storer_t *self, storer_bytes_t key, storer_expiry_t expiry,
                                apr_off_t size_hint, apr_time_t now, storer_writer_t *writer,
                                apr_pool_t *pool)
{
    faulty_t *faulty = (faulty_t *)self;
    draft_t *draft;
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_OPEN_WRITER, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    draft = malloc(sizeof(*draft));
    if (!draft) {
        return APR_ENOMEM;
    }
    draft->faulty = faulty;
    rv = storer_open_writer(faulty->inner, key, expiry, size_hint, now, &draft->writer, pool);
    rv = faulty_after(faulty, FAULTY_OPEN_WRITER, call, rv);
    if (rv != APR_SUCCESS) {
        storer_writer_abort(&draft->writer);
        free(draft);
        return rv;
    }
    writer->ops = &faulty_writer_ops;
    writer->store = self;
    writer->lease = draft;
    atomic_fetch_add(&faulty->writers, 1);
    return APR_SUCCESS;
}
