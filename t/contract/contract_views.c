/* SPDX-License-Identifier: Apache-2.0
 *
 * contract_views.c - views: what one holds stays readable and unchanged until it is released.
 */
#include "contract_private.h"

#define LENGTH 5000
#define HELD 20

static const storer_bytes_t other = { "something else", 14 };

/* A view of "key", which has contract_value(length, 1). */
static int hold(contract_t *test, storer_view_t *view, apr_size_t length)
{
    apr_status_t rv;

    rv = contract_set(test, "key", contract_value(length, 1, test->pool));
    is_status(rv, APR_SUCCESS, "set");
    rv = storer_get(test->store, storer_bytes("key"), T0, view, test->pool);
    return is_status(rv, APR_SUCCESS, "view it");
}

static void still_reads(contract_t *test, storer_view_t *view, apr_size_t length, const char *what)
{
    storer_bytes_t got = contract_drain(view, test->pool);

    ok(contract_is_value(got, length, 1), "%s", what);
    storer_view_release(view);
}

static void fields(contract_t *test)
{
    storer_view_t view = STORER_VIEW_EMPTY, absent;

    if (!hold(test, &view, LENGTH)) {
        return;
    }
    is_int(view.length, LENGTH, "length");
    ok(view.store == test->store, "it knows the store");
    ok(view.expiry.fresh_until == EXPIRY_FAR.fresh_until
       && view.expiry.stale_until == EXPIRY_FAR.stale_until, "and the expiry");
    ok(view.part.data && view.part.len > 0, "it is at its first part");
    is_int(view.in_place, test->target->in_place, "in_place as the table says");
    memset(&absent, 0x55, sizeof(absent));
    is_status(storer_get(test->store, storer_bytes("absent"), T0, &absent, test->pool),
              APR_NOTFOUND, "get of an absent key");
    ok(!absent.ops && !absent.part.data, "makes the view empty");
    still_reads(test, &view, LENGTH, "the bytes are right");
    ok(!view.ops && !view.part.data, "released, the view is empty");
    storer_view_release(&view);
    ok(!view.ops, "releasing it again does nothing");
    is_status(storer_view_next(&view), APR_EOF, "an empty view has no parts");
}

static void to_the_end(contract_t *test)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_status_t rv;

    if (!hold(test, &view, LENGTH)) {
        return;
    }
    do {
        rv = storer_view_next(&view);
    } while (rv == APR_SUCCESS);
    is_status(rv, APR_EOF, "next ends with APR_EOF");
    is_int((long long)view.part.len, 0, "and an empty part");
    is_status(storer_view_next(&view), APR_EOF, "and again");
    storer_view_release(&view);
    rv = contract_set(test, "empty", (storer_bytes_t){ "", 0 });
    is_status(rv, APR_SUCCESS, "set an empty value");
    rv = storer_get(test->store, storer_bytes("empty"), T0, &view, test->pool);
    is_status(rv, APR_SUCCESS, "view it");
    ok(view.part.data && view.part.len == 0 && view.length == 0, "it has one empty part");
    is_status(storer_view_next(&view), APR_EOF, "and no more");
    storer_view_release(&view);
}

static void flatten(contract_t *test)
{
    apr_size_t length = (apr_size_t)test->target->capacity / 2;
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_bytes_t flat = { NULL, 0 };
    apr_status_t rv;

    if (!hold(test, &view, length)) {
        return;
    }
    rv = storer_view_flatten(&view, length - 1, &flat, test->pool);
    is_status(rv, APR_ENOSPC, "flatten a value above the limit");
    ok(!flat.data, "writes nothing");
    is_status(storer_view_flatten(&view, length, &flat, test->pool), APR_SUCCESS,
              "flatten a value at the limit");
    ok(contract_is_value(flat, length, 1), "its bytes are right");
    storer_view_release(&view);
    (void)contract_set(test, "empty", (storer_bytes_t){ "", 0 });
    rv = storer_get(test->store, storer_bytes("empty"), T0, &view, test->pool);
    is_status(rv, APR_SUCCESS, "view an empty value");
    is_status(storer_view_flatten(&view, 0, &flat, test->pool), APR_SUCCESS, "flatten it");
    ok(flat.data && flat.len == 0, "it is empty, not absent");
    storer_view_release(&view);
}

static void move(contract_t *test)
{
    storer_view_t from = STORER_VIEW_EMPTY, to = STORER_VIEW_EMPTY;

    if (!hold(test, &from, LENGTH)) {
        return;
    }
    storer_view_move(&to, &from);
    ok(!from.ops && !from.part.data, "moved from, a view is empty");
    storer_view_release(&from);
    still_reads(test, &to, LENGTH, "moved to, it reads");
}

static void over_replace(contract_t *test)
{
    storer_view_t first = STORER_VIEW_EMPTY, second = STORER_VIEW_EMPTY;

    if (!hold(test, &first, LENGTH)) {
        return;
    }
    (void)storer_get(test->store, storer_bytes("key"), T0, &second, test->pool);
    is_status(contract_set(test, "key", other), APR_SUCCESS, "replace the value");
    still_reads(test, &first, LENGTH, "a view reads the old value after its replacement");
    for (int i = 0; i < 20; i++) {
        (void)contract_set(test, "key", contract_value(LENGTH, (unsigned)i + 2, test->pool));
    }
    still_reads(test, &second, LENGTH, "another view too, after many more");
    ok(contract_count(test, "", T0) == 1, "there is one key");
}

static void over_delete(contract_t *test)
{
    storer_view_t view = STORER_VIEW_EMPTY;

    if (!hold(test, &view, LENGTH)) {
        return;
    }
    is_status(storer_delete(test->store, storer_bytes("key")), APR_SUCCESS, "delete the key");
    contract_lacks(test, "key", "it is gone");
    (void)contract_set(test, "next", contract_value(LENGTH, 9, test->pool));
    still_reads(test, &view, LENGTH, "a view reads the value after its deletion");
}

static void over_reset(contract_t *test)
{
    storer_view_t view = STORER_VIEW_EMPTY;

    if (!hold(test, &view, LENGTH)) {
        return;
    }
    is_status(storer_reset(test->store), APR_SUCCESS, "reset");
    contract_lacks(test, "key", "the key is gone");
    for (int i = 0; i < 50; i++) {
        (void)storer_set(test->store, contract_key("k", i, test->pool),
                         contract_value(LENGTH, 9, test->pool), EXPIRY_FAR, T0);
    }
    still_reads(test, &view, LENGTH, "a view reads the value after reset");
}

static void over_expiry(contract_t *test)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_time_t later = T0 + SECONDS(7200);
    storer_bytes_t got;

    if (!hold(test, &view, LENGTH)) {
        return;
    }
    is_status(contract_read(test->store, storer_bytes("key"), later, &got, test->pool),
              APR_NOTFOUND, "the value expires");
    (void)storer_set(test->store, storer_bytes("next"), contract_value(LENGTH, 9, test->pool),
                     EXPIRY_FAR, later);
    still_reads(test, &view, LENGTH, "a view reads the value after its time");
}

/* Views of a few values are held while many times the store's room is asked for. */
static void over_eviction(contract_t *test)
{
    apr_size_t length = (apr_size_t)test->target->capacity / 64;
    apr_off_t limit = test->target->capacity * 4;
    storer_view_t views[HELD];
    storer_bytes_t value = contract_value(length, 7, test->pool);
    int held = 0, right = 0, number = 0;
    apr_status_t rv = APR_SUCCESS;

    memset(views, 0, sizeof(views));
    for (int i = 0; i < HELD; i++) {
        storer_bytes_t key = contract_key("held", i, test->pool);

        (void)storer_set(test->store, key, contract_value(length, (unsigned)i, test->pool),
                         EXPIRY_FAR, T0);
        held += storer_get(test->store, key, T0, &views[i], test->pool) == APR_SUCCESS;
    }
    is_int(held, HELD, "%d views are held", HELD);
    for (apr_off_t asked = 0; asked < limit && rv == APR_SUCCESS; asked += (apr_off_t)length) {
        rv = storer_set(test->store, contract_key("fill", number++, test->pool), value, EXPIRY_FAR,
                        T0);
    }
    ok(rv == APR_SUCCESS || (rv == APR_ENOSPC && !test->target->eviction),
       "the store is filled meanwhile, as far as it goes");
    for (int i = 0; i < HELD; i++) {
        storer_bytes_t got = contract_drain(&views[i], test->pool);

        right += contract_is_value(got, length, (unsigned)i);
        storer_view_release(&views[i]);
    }
    is_int(right, HELD, "all of them still read their values");
    is_status(storer_reset(test->store), APR_SUCCESS, "reset");
    rv = contract_set(test, "key", contract_value((apr_size_t)test->target->capacity, 1,
                                                  test->pool));
    is_status(rv, APR_SUCCESS, "with them released, all of the room is there again");
}

/* Reads a part of a file from there; false: it is not what it is in memory. */
static int same_part(const storer_view_t *view, apr_file_t *file, apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, view->part.len + 1);
    apr_off_t offset = view->offset;

    return apr_file_seek(file, APR_SET, &offset) == APR_SUCCESS
           && apr_file_read_full(file, bytes, view->part.len, NULL) == APR_SUCCESS
           && memcmp(bytes, view->part.data, view->part.len) == 0;
}

/* For an engine that has files. Two who read from one move each their own position. */
static void in_files(contract_t *test)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_file_t *file[2] = { NULL, NULL };
    apr_off_t position = 3;
    int parts = 0, wrong = 0;
    apr_status_t rv;

    if (!hold(test, &view, (apr_size_t)test->target->capacity)) {
        return;
    }
    rv = storer_view_open_file(&view, 0, &file[0], test->pool);
    if (rv == APR_SUCCESS) {
        rv = storer_view_open_file(&view, 0, &file[1], test->pool);
    }
    if (rv != APR_SUCCESS) {
        is_status(rv, APR_ENOTIMPL, "the value is in no file");
        storer_view_release(&view);
        return;
    }
    is_status(contract_set(test, "key", other), APR_SUCCESS, "replace it");
    do {
        if (view.offset >= 0) {
            parts++;
            wrong += !same_part(&view, file[0], test->pool);
            apr_file_seek(file[1], APR_SET, &position);
        }
        rv = storer_view_next(&view);
    } while (rv == APR_SUCCESS);
    is_status(rv, APR_EOF, "read it to the end");
    ok(parts > 0, "parts of it are in a file");
    is_int(wrong, 0, "with the same bytes, though it was replaced");
    apr_file_close(file[0]);
    apr_file_close(file[1]);
    storer_view_release(&view);
}

static int read_and_change(contract_t *test, int number, apr_pool_t *pool)
{
    int wrong = 0, rounds = tap_slow() ? 50 : 500;

    for (int i = 0; i < rounds; i++) {
        unsigned seed = (unsigned)(number * 1000 + i) % 7;
        storer_view_t view = STORER_VIEW_EMPTY;
        storer_bytes_t got;
        apr_status_t rv;

        apr_pool_clear(pool);
        rv = storer_set(test->store, storer_bytes("key"), contract_value(1000 + seed, seed, pool),
                        EXPIRY_FAR, T0);
        wrong += rv != APR_SUCCESS;
        if (i % 11 == 0) {
            wrong += storer_delete(test->store, storer_bytes("key")) != APR_SUCCESS;
        }
        rv = storer_get(test->store, storer_bytes("key"), T0, &view, pool);
        if (rv == APR_SUCCESS) {
            got = contract_drain(&view, pool);
            wrong += got.len < 1000 || !contract_is_value(got, got.len, (unsigned)got.len - 1000);
            storer_view_release(&view);
        }
        else {
            wrong += rv != APR_NOTFOUND;
        }
    }
    return wrong;
}

static void in_threads(contract_t *test)
{
    is_int(contract_threads(test, 4, read_and_change), 0,
           "4 threads set, delete and view one key: each view is one whole value");
}

const contract_test_t contract_views[] = {
    { "a view's fields", fields, 0 },
    { "a view to its end", to_the_end, 0 },
    { "flatten", flatten, 0 },
    { "move", move, 0 },
    { "a view over replacement", over_replace, 0 },
    { "a view over deletion", over_delete, 0 },
    { "a view over reset", over_reset, 0 },
    { "a view's parts in a file", in_files, 0 },
    { "a view over expiry", over_expiry, 0 },
    { "views over eviction", over_eviction, 0 },
    { "views in threads", in_threads, 0 },
    { NULL, NULL, 0 },
};
