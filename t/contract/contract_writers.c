/* SPDX-License-Identifier: Apache-2.0
 *
 * contract_writers.c - writers: all of a value or nothing, and nothing before commit.
 */
#include "contract_private.h"

static const storer_bytes_t old_value = { "the old value", 13 };

static int open_at(contract_t *test, const char *key, apr_off_t size_hint,
                   storer_writer_t *writer)
{
    apr_status_t rv;

    rv = storer_open_writer(test->store, storer_bytes(key), EXPIRY_FAR, size_hint, T0, writer,
                            test->pool);
    return is_status(rv, APR_SUCCESS, "open a writer, size hint %ld", (long)size_hint);
}

/* Append value in pieces of odd lengths. */
static apr_status_t append_pieces(storer_writer_t *writer, storer_bytes_t value)
{
    static const apr_size_t pieces[] = { 1, 0, 7, 4093, 64, 13, 70001 };
    apr_size_t used = 0;
    apr_status_t rv = APR_SUCCESS;

    for (unsigned i = 0; used < value.len && rv == APR_SUCCESS; i++) {
        storer_bytes_t piece = { value.data + used, pieces[i % 7] };

        if (piece.len > value.len - used) {
            piece.len = value.len - used;
        }
        rv = storer_writer_append(writer, piece);
        used += piece.len;
    }
    return rv;
}

static void write_all(contract_t *test, apr_size_t length, apr_off_t size_hint, unsigned seed)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_bytes_t value = contract_value(length, seed, test->pool);
    apr_status_t rv;

    if (!open_at(test, "key", size_hint, &writer)) {
        return;
    }
    is_status(append_pieces(&writer, value), APR_SUCCESS, "append %lu bytes",
              (unsigned long)length);
    is_int(writer.length, (long long)length, "the writer counts them");
    is_status(storer_writer_commit(&writer), APR_SUCCESS, "commit");
    ok(!writer.ops, "the writer is closed");
    rv = storer_get(test->store, storer_bytes("key"), T0, &view, test->pool);
    is_status(rv, APR_SUCCESS, "get it");
    ok(view.expiry.fresh_until == EXPIRY_FAR.fresh_until
       && view.expiry.stale_until == EXPIRY_FAR.stale_until, "it has the writer's expiry");
    ok(contract_is_value(contract_drain(&view, test->pool), length, seed), "its bytes are right");
    storer_view_release(&view);
}

static void lengths(contract_t *test)
{
    apr_size_t length = (apr_size_t)test->target->capacity / 2;

    write_all(test, 5000, -1, 1);
    write_all(test, 5000, 5000, 2);
    write_all(test, 5000, 0, 3);
    write_all(test, 5000, 10, 4);
    write_all(test, 5000, 20000, 5);
    write_all(test, 1, 1, 6);
    write_all(test, 64, 63, 7);
    write_all(test, length, -1, 8);
    write_all(test, length, (apr_off_t)length, 9);
    write_all(test, length, 1, 10);
    is_int(contract_count(test, "", T0), 1, "there is one key");
}

static void empty(contract_t *test)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;

    if (open_at(test, "none", -1, &writer)) {
        is_status(storer_writer_commit(&writer), APR_SUCCESS, "commit without an append");
        contract_has(test, "none", (storer_bytes_t){ "", 0 }, "is an empty value");
    }
    if (open_at(test, "nothing", 100, &writer)) {
        is_status(storer_writer_append(&writer, (storer_bytes_t){ "", 0 }), APR_SUCCESS,
                  "append nothing");
        is_status(storer_writer_commit(&writer), APR_SUCCESS, "commit");
        contract_has(test, "nothing", (storer_bytes_t){ "", 0 }, "is an empty value too");
    }
}

static void invisible(contract_t *test)
{
    storer_writer_t writer = STORER_WRITER_CLOSED, fresh = STORER_WRITER_CLOSED;
    storer_bytes_t value = contract_value(9000, 1, test->pool);

    (void)contract_set(test, "key", old_value);
    if (!open_at(test, "key", -1, &writer) || !open_at(test, "new", 9000, &fresh)) {
        return;
    }
    is_status(append_pieces(&writer, value), APR_SUCCESS, "append to a key that has a value");
    is_status(append_pieces(&fresh, value), APR_SUCCESS, "append to a new key");
    contract_has(test, "key", old_value, "the old value is there");
    contract_lacks(test, "new", "the new key is not");
    is_int(contract_count(test, "", T0), 1, "nor among the keys");
    is_status(storer_writer_commit(&writer), APR_SUCCESS, "commit");
    contract_has(test, "key", value, "and it has its value");
    storer_writer_abort(&fresh);
    ok(!fresh.ops, "abort closes a writer");
    contract_lacks(test, "new", "the aborted key is not there");
    is_int(contract_count(test, "", T0), 1, "nor among the keys");
}

static void abort_keeps(contract_t *test)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;

    (void)contract_set(test, "key", old_value);
    for (int i = 0; i < 3; i++) {
        if (!open_at(test, "key", i - 1, &writer)) {
            return;
        }
        if (i > 0) {
            (void)append_pieces(&writer, contract_value(3000, 1, test->pool));
        }
        storer_writer_abort(&writer);
        storer_writer_abort(&writer);
    }
    contract_has(test, "key", old_value, "abort leaves the old value");
    is_status(storer_writer_append(&writer, old_value), APR_EINVAL, "append to a closed writer");
    is_status(storer_writer_commit(&writer), APR_EINVAL, "commit of a closed writer");
}

static void deleted_meanwhile(contract_t *test)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    storer_bytes_t value = contract_value(3000, 1, test->pool);

    (void)contract_set(test, "key", old_value);
    if (!open_at(test, "key", -1, &writer)) {
        return;
    }
    (void)append_pieces(&writer, value);
    (void)storer_delete(test->store, storer_bytes("key"));
    contract_lacks(test, "key", "deleted while a writer is open");
    is_status(storer_writer_commit(&writer), APR_SUCCESS, "commit");
    contract_has(test, "key", value, "the commit comes later, and counts");
}

static void two_writers(contract_t *test)
{
    storer_writer_t a = STORER_WRITER_CLOSED, b = STORER_WRITER_CLOSED;
    storer_bytes_t first = contract_value(7000, 1, test->pool);
    storer_bytes_t second = contract_value(6000, 2, test->pool);

    if (!open_at(test, "key", -1, &a) || !open_at(test, "key", 100, &b)) {
        return;
    }
    (void)append_pieces(&a, first);
    (void)append_pieces(&b, second);
    is_status(storer_writer_commit(&b), APR_SUCCESS, "commit of the one opened later");
    contract_has(test, "key", second, "its value is there");
    is_status(storer_writer_commit(&a), APR_SUCCESS, "commit of the other");
    contract_has(test, "key", first, "the last commit wins");
    is_int(contract_count(test, "", T0), 1, "there is one key");
}

static void too_large(contract_t *test)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    storer_bytes_t piece = contract_value(65536, 1, test->pool), got;
    storer_stat_t before, after;
    apr_status_t has_stat, rv = APR_SUCCESS;

    if (test->target->too_large == 0) {
        skip("a writer too large: there is no bound");
        return;
    }
    has_stat = storer_stat(test->store, &before);
    (void)contract_set(test, "key", old_value);
    if (!open_at(test, "key", -1, &writer)) {
        return;
    }
    while (rv == APR_SUCCESS && writer.length <= test->target->too_large) {
        rv = storer_writer_append(&writer, piece);
    }
    if (rv == APR_SUCCESS) {
        rv = storer_writer_commit(&writer);
    }
    is_status(rv, APR_ENOSPC, "a writer larger than the store fails in append, or at commit");
    storer_writer_abort(&writer);
    rv = contract_read(test->store, storer_bytes("key"), T0, &got, test->pool);
    ok((rv == APR_SUCCESS && storer_bytes_equal(got, old_value))
       || (rv == APR_NOTFOUND && test->target->eviction),
       "the old value is whole, or was evicted");
    (void)storer_delete(test->store, storer_bytes("key"));
    if (has_stat == APR_SUCCESS) {
        (void)storer_stat(test->store, &after);
        is_int((long long)after.used, (long long)before.used, "nothing of it is left");
    }
    is_status(contract_set(test, "key", contract_value((apr_size_t)test->target->capacity, 2,
                                                       test->pool)),
              APR_SUCCESS, "and all of the room is there");
}

/* A hint promises nothing: one beyond all bounds is refused, or has no effect. */
static void hint_too_large(contract_t *test)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    apr_off_t hint = test->target->too_large > 0 ? test->target->too_large : 1 << 30;
    apr_status_t rv;

    rv = storer_open_writer(test->store, storer_bytes("key"), EXPIRY_FAR, hint, T0, &writer,
                            test->pool);
    ok(rv == APR_SUCCESS || rv == APR_ENOSPC, "a size hint larger than the store");
    ok(!writer.ops == (rv != APR_SUCCESS), "the writer is open only on success");
    if (rv == APR_SUCCESS) {
        is_status(storer_writer_append(&writer, old_value), APR_SUCCESS, "append a little");
        is_status(storer_writer_commit(&writer), APR_SUCCESS, "commit");
        contract_has(test, "key", old_value, "get it");
    }
    rv = storer_open_writer(test->store, storer_bytes("key"), EXPIRY_FAR, -2, T0, &writer,
                            test->pool);
    is_status(rv, APR_EINVAL, "a size hint below -1");
    rv = storer_open_writer(test->store, (storer_bytes_t){ "", 0 }, EXPIRY_FAR, -1, T0, &writer,
                            test->pool);
    is_status(rv, APR_EINVAL, "an empty key");
    ok(!writer.ops, "the writer is closed");
}

static void from_view(contract_t *test)
{
    static const apr_off_t offsets[] = { 0, 1, 64, 4096, 19999, 20000, 30000 };
    storer_bytes_t value = contract_value(20000, 1, test->pool);

    (void)contract_set(test, "from", value);
    for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        apr_off_t skipped = offsets[i] < 20000 ? offsets[i] : 20000;
        storer_bytes_t want = { value.data + skipped, value.len - (apr_size_t)skipped };
        storer_writer_t writer = STORER_WRITER_CLOSED;
        storer_view_t view = STORER_VIEW_EMPTY;
        apr_status_t rv;

        rv = storer_get(test->store, storer_bytes("from"), T0, &view, test->pool);
        if (!is_status(rv, APR_SUCCESS, "view a value") || !open_at(test, "to", -1, &writer)) {
            return;
        }
        rv = storer_writer_append_view(&writer, &view, offsets[i]);
        is_status(rv, APR_SUCCESS, "append it from offset %ld", (long)offsets[i]);
        is_int((long long)writer.length, (long long)want.len, "the writer counts the bytes");
        is_int((long long)view.part.len, 0, "the view is at its end");
        storer_view_release(&view);
        is_status(storer_writer_commit(&writer), APR_SUCCESS, "commit");
        contract_has(test, "to", want, "the bytes are right");
    }
}

static void reset_meanwhile(contract_t *test)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    storer_bytes_t value = contract_value(3000, 1, test->pool), got;
    apr_status_t rv;

    if (!open_at(test, "key", -1, &writer)) {
        return;
    }
    (void)append_pieces(&writer, value);
    is_status(storer_reset(test->store), APR_SUCCESS, "reset while a writer is open");
    rv = storer_writer_commit(&writer);
    (void)contract_read(test->store, storer_bytes("key"), T0, &got, test->pool);
    if (rv == APR_SUCCESS) {
        is_bytes(got, value, "commit succeeds, and the value is there");
    }
    else {
        ok(!got.data, "commit fails, and there is no value");
    }
    (void)storer_delete(test->store, storer_bytes("key"));
    is_status(contract_set(test, "key", contract_value((apr_size_t)test->target->capacity, 2,
                                                       test->pool)),
              APR_SUCCESS, "and all of the room is there");
}

static int write_in_turns(contract_t *test, int number, apr_pool_t *pool)
{
    int wrong = 0, rounds = tap_slow() ? 20 : 100;

    for (int i = 0; i < rounds; i++) {
        unsigned seed = (unsigned)(number * 100 + i) % 9;
        storer_writer_t writer = STORER_WRITER_CLOSED;
        storer_bytes_t got;
        apr_status_t rv;

        apr_pool_clear(pool);
        rv = storer_open_writer(test->store, storer_bytes("key"), EXPIRY_FAR, -1, T0, &writer, pool);
        wrong += rv != APR_SUCCESS;
        wrong += append_pieces(&writer, contract_value(9000 + seed, seed, pool)) != APR_SUCCESS;
        if (i % 3 == 0) {
            storer_writer_abort(&writer);
        }
        else {
            wrong += storer_writer_commit(&writer) != APR_SUCCESS;
        }
        rv = contract_read(test->store, storer_bytes("key"), T0, &got, pool);
        if (rv == APR_SUCCESS) {
            wrong += got.len < 9000 || !contract_is_value(got, got.len, (unsigned)got.len - 9000);
        }
        else {
            wrong += rv != APR_NOTFOUND;
        }
    }
    return wrong;
}

static void in_threads(contract_t *test)
{
    is_int(contract_threads(test, 4, write_in_turns), 0,
           "4 threads write one key: each value seen is whole");
}

/* Half of the threads replace a value, the others look for it. */
static int replace_and_look(contract_t *test, int number, apr_pool_t *pool)
{
    int wrong = 0, rounds = tap_slow() ? 50 : 5000;

    for (int i = 0; i < rounds; i++) {
        storer_bytes_t key = storer_bytes("key"), got;

        apr_pool_clear(pool);
        if (number % 2 == 0) {
            wrong += storer_set(test->store, key, contract_value(100, (unsigned)i % 9, pool),
                                EXPIRY_FAR, T0) != APR_SUCCESS;
        }
        else {
            wrong += contract_read(test->store, key, T0, &got, pool) != APR_SUCCESS || got.len != 100;
        }
    }
    return wrong;
}

static void never_absent(contract_t *test)
{
    is_status(contract_set(test, "key", contract_value(100, 1, test->pool)), APR_SUCCESS, "a value");
    is_int(contract_threads(test, 4, replace_and_look), 0,
           "while it is replaced again and again there is always one");
}

const contract_test_t contract_writers[] = {
    { "a value that is replaced", never_absent, 0 },
    { "lengths and hints", lengths, 0 },
    { "empty values", empty, 0 },
    { "nothing is seen before commit", invisible, 0 },
    { "abort keeps the old value", abort_keeps, 0 },
    { "a key deleted meanwhile", deleted_meanwhile, 0 },
    { "two writers on one key", two_writers, 0 },
    { "a writer larger than the store", too_large, 0 },
    { "a hint larger than the store", hint_too_large, 0 },
    { "a view appended", from_view, 0 },
    { "reset meanwhile", reset_meanwhile, 0 },
    { "writers in threads", in_threads, 0 },
    { NULL, NULL, 0 },
};
