/* SPDX-License-Identifier: Apache-2.0
 *
 * writer.c - what holds for every writer, and the writer for engines that have none: it gathers the
 * pieces in memory and sets them at commit.
 *
 * Called by hosts, from the thread that opened the writer. Knows no engine.
 */
#include "storer_private.h"

#include <stdlib.h>

/* Room taken at once on the word of a size hint, which may be wrong or come from a peer. */
#define HINT_MAX (1024 * 1024)

#define BUFFER_MIN 4096

static const storer_writer_t closed_writer = STORER_WRITER_CLOSED;

apr_status_t storer_open_writer(storer_t *store, storer_bytes_t key, storer_expiry_t expiry,
                                apr_off_t size_hint, apr_time_t now, storer_writer_t *writer,
                                apr_pool_t *pool)
{
    storer_open_writer_fn *slot;
    apr_status_t rv;

    storer_assert(store != NULL && store->ops != NULL);
    storer_assert(writer != NULL);
    *writer = closed_writer;
    if (!key.data || key.len < 1 || key.len > STORER_KEY_MAX || size_hint < -1) {
        return APR_EINVAL;
    }
    slot = store->ops->open_writer ? store->ops->open_writer : storer_generic_open_writer;
    rv = slot(store, key, expiry, size_hint, now, writer, pool);
    if (rv != APR_SUCCESS) {
        *writer = closed_writer;
        return rv;
    }
    storer_assert(writer->ops != NULL);
    writer->length = 0;
    if (!writer->store) {
        writer->store = store;
    }
    return APR_SUCCESS;
}

apr_status_t storer_writer_append(storer_writer_t *writer, storer_bytes_t bytes)
{
    apr_status_t rv;

    storer_assert(writer != NULL);
    if (!writer->ops || (!bytes.data && bytes.len > 0)) {
        return APR_EINVAL;
    }
    if (bytes.len == 0) {
        return APR_SUCCESS;
    }
    rv = writer->ops->append(writer, bytes);
    if (rv == APR_SUCCESS) {
        writer->length += (apr_off_t)bytes.len;
    }
    return rv;
}

apr_status_t storer_writer_commit(storer_writer_t *writer)
{
    apr_status_t rv;

    storer_assert(writer != NULL);
    if (!writer->ops) {
        return APR_EINVAL;
    }
    rv = writer->ops->commit(writer);
    if (rv == APR_EBUSY && writer->epoch) {
        return rv;
    }
    *writer = closed_writer;
    return rv == APR_EBUSY ? APR_EGENERAL : rv;
}

void storer_writer_abort(storer_writer_t *writer)
{
    storer_assert(writer != NULL);
    if (writer->ops) {
        writer->ops->abort(writer);
        *writer = closed_writer;
    }
}

apr_status_t storer_writer_append_view(storer_writer_t *writer, storer_view_t *view,
                                       apr_off_t offset)
{
    apr_status_t rv = APR_SUCCESS;

    storer_assert(writer != NULL && view != NULL);
    if (!writer->ops || !view->ops || offset < 0) {
        return APR_EINVAL;
    }
    while (rv == APR_SUCCESS) {
        storer_bytes_t rest = view->part;
        apr_size_t skipped = (apr_uint64_t)offset < rest.len ? (apr_size_t)offset : rest.len;

        offset -= (apr_off_t)skipped;
        rest.len -= skipped;
        if (rest.len > 0) {
            rest.data += skipped;
            rv = storer_writer_append(writer, rest);
            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        rv = storer_view_next(view);
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* ---- the generic writer ---- */

typedef struct gather_t {
    storer_expiry_t expiry;
    apr_time_t now;
    apr_uint64_t limit;   /* longest value the store could take; no use gathering more */
    char *bytes;          /* NULL until the first append */
    apr_size_t used, room;
    apr_size_t key_len;
    char key[];
} gather_t;

/* The pool given to open_writer is not used: a pool cannot give back a buffer that was outgrown. */
static void gather_free(storer_writer_t *writer)
{
    gather_t *gather = writer->lease;

    free(gather->bytes);
    free(gather);
    writer->lease = NULL;
}

static apr_status_t gather_grow(gather_t *gather, apr_size_t wanted)
{
    apr_size_t room = gather->room;
    char *bytes;

    if (wanted > room) {
        room = wanted > room * 2 ? wanted : room * 2;
    }
    bytes = realloc(gather->bytes, room);
    if (!bytes) {
        return APR_ENOMEM;
    }
    gather->bytes = bytes;
    gather->room = room;
    return APR_SUCCESS;
}

static apr_status_t gather_append(storer_writer_t *writer, storer_bytes_t bytes)
{
    gather_t *gather = writer->lease;
    apr_status_t rv;

    if (bytes.len > gather->limit - gather->used) {
        return APR_ENOSPC;
    }
    if (!gather->bytes || bytes.len > gather->room - gather->used) {
        rv = gather_grow(gather, gather->used + bytes.len);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    memcpy(gather->bytes + gather->used, bytes.data, bytes.len);
    gather->used += bytes.len;
    return APR_SUCCESS;
}

static apr_status_t gather_commit(storer_writer_t *writer)
{
    gather_t *gather = writer->lease;
    storer_bytes_t key = { gather->key, gather->key_len };
    storer_bytes_t value = { gather->bytes ? gather->bytes : "", gather->used };
    apr_status_t rv;

    rv = storer_set(writer->store, key, value, gather->expiry, gather->now);
    gather_free(writer);
    return rv;
}

static void gather_abort(storer_writer_t *writer)
{
    gather_free(writer);
}

static const storer_writer_ops_t gather_ops = { gather_append, gather_commit, gather_abort };

/* What the store says it could hold, so that a body far too large is given up early. */
static apr_uint64_t longest_value(storer_t *store)
{
    storer_stat_t stat;
    apr_status_t rv;

    rv = storer_stat(store, &stat);
    if (rv != APR_SUCCESS || stat.largest == 0 || stat.largest > APR_SIZE_MAX / 2) {
        return APR_SIZE_MAX / 2;
    }
    return stat.largest;
}

apr_status_t storer_generic_open_writer(storer_t *self, storer_bytes_t key, storer_expiry_t expiry,
                                        apr_off_t size_hint, apr_time_t now,
                                        storer_writer_t *writer, apr_pool_t *pool)
{
    gather_t *gather = calloc(1, sizeof(*gather) + key.len);

    (void)pool;
    if (!gather) {
        return APR_ENOMEM;
    }
    gather->expiry = expiry;
    gather->now = now;
    gather->limit = longest_value(self);
    gather->room = BUFFER_MIN;
    if (size_hint > 0) {
        gather->room = (apr_size_t)(size_hint < HINT_MAX ? size_hint : HINT_MAX);
    }
    gather->key_len = key.len;
    memcpy(gather->key, key.data, key.len);
    writer->ops = &gather_ops;
    writer->store = self;
    writer->lease = gather;
    return APR_SUCCESS;
}
