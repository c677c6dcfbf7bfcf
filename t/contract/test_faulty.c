/* SPDX-License-Identifier: Apache-2.0
 *
 * test_faulty.c - the fault-injecting engine itself: faults strike where and when they should.
 */
#include "faulty.h"
#include "plain.h"
#include "tap.h"

#include <string.h>

#define NOW ((apr_time_t)1000000)

static const storer_option_t no_options[] = { { NULL, NULL } };
static const storer_bytes_t key = { "key", 3 };
static const storer_bytes_t value = { "0123456789", 10 };

typedef struct fixture_t {
    apr_pool_t *pool;
    storer_env_t env;
    storer_t *inner;
    storer_t *store;
} fixture_t;

static void begin(fixture_t *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    apr_pool_create(&fixture->pool, NULL);
    fixture->env.pool = fixture->pool;
    fixture->env.api = &storer_api;
    if (plain_open(&fixture->inner, no_options, &fixture->env) != APR_SUCCESS) {
        bail_out("cannot make a store");
    }
    fixture->store = faulty_create(fixture->inner, &fixture->env);
}

static void end(fixture_t *fixture)
{
    is_int(faulty_open_views(fixture->store), 0, "no view is left");
    is_int(faulty_open_writers(fixture->store), 0, "no writer is left");
    (void)storer_reset(fixture->inner);
    is_int((long long)plain_versions(fixture->inner), 0, "nor a value");
    apr_pool_destroy(fixture->pool);
}

static apr_status_t set(storer_t *store)
{
    return storer_set(store, key, value, (storer_expiry_t){ NOW + 10, NOW + 10 }, NOW);
}

static apr_status_t get(storer_t *store, apr_pool_t *pool)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_status_t rv;

    rv = storer_get(store, key, NOW, &view, pool);
    storer_view_release(&view);
    return rv;
}

static void nth_call(void)
{
    fixture_t f;

    begin(&f);
    is_status(set(f.store), APR_SUCCESS, "no fault yet");
    faulty_fail(f.store, FAULTY_SET, 2, APR_TIMEUP, FAULTY_INSTEAD);
    is_status(set(f.store), APR_SUCCESS, "the first call from now is well");
    is_status(set(f.store), APR_TIMEUP, "the second fails");
    is_status(set(f.store), APR_SUCCESS, "the third is well");
    faulty_fail(f.store, FAULTY_GET, 0, APR_EGENERAL, FAULTY_INSTEAD);
    is_status(get(f.store, f.pool), APR_EGENERAL, "every get fails");
    is_status(get(f.store, f.pool), APR_EGENERAL, "every get");
    faulty_clear(f.store);
    is_status(get(f.store, f.pool), APR_SUCCESS, "cleared");
    is_int((long long)faulty_calls(f.store, FAULTY_SET), 4, "calls of set");
    is_int((long long)faulty_calls(f.store, FAULTY_GET), 3, "calls of get");
    is_int((long long)faulty_strikes(f.store), 3, "faults that struck");
    end(&f);
}

static void before_and_after(void)
{
    fixture_t f;

    begin(&f);
    faulty_fail(f.store, FAULTY_SET, 1, APR_TIMEUP, FAULTY_INSTEAD);
    is_status(set(f.store), APR_TIMEUP, "set fails instead");
    is_status(get(f.inner, f.pool), APR_NOTFOUND, "it was not done");
    faulty_fail(f.store, FAULTY_SET, 1, APR_TIMEUP, FAULTY_AFTER);
    is_status(set(f.store), APR_TIMEUP, "set fails after");
    is_status(get(f.inner, f.pool), APR_SUCCESS, "it was done");
    faulty_fail(f.store, FAULTY_GET, 1, APR_TIMEUP, FAULTY_AFTER);
    is_status(get(f.store, f.pool), APR_TIMEUP, "get fails after, its view is released");
    faulty_fail(f.store, FAULTY_DELETE, 1, APR_TIMEUP, FAULTY_AFTER);
    is_status(storer_delete(f.store, key), APR_TIMEUP, "delete fails after");
    is_status(get(f.store, f.pool), APR_NOTFOUND, "it was done");
    end(&f);
}

static void views_fail(void)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    fixture_t f;

    begin(&f);
    (void)set(f.store);
    is_status(storer_get(f.store, key, NOW, &view, f.pool), APR_SUCCESS, "view");
    is_int(faulty_open_views(f.store), 1, "one view is open");
    is_bytes(view.part, value, "its part is that of the store");
    faulty_fail(f.store, FAULTY_VIEW_NEXT, 1, APR_EGENERAL, FAULTY_INSTEAD);
    is_status(storer_view_next(&view), APR_EGENERAL, "next fails");
    ok(!view.part.data, "and there is no part");
    storer_view_release(&view);
    end(&f);
}

static apr_status_t write_in_two(storer_t *store, apr_pool_t *pool)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    apr_status_t rv;

    rv = storer_open_writer(store, key, (storer_expiry_t){ NOW + 10, NOW + 10 }, -1, NOW, &writer,
                            pool);
    for (int i = 0; rv == APR_SUCCESS && i < 2; i++) {
        rv = storer_writer_append(&writer, value);
    }
    if (rv != APR_SUCCESS) {
        storer_writer_abort(&writer);
        return rv;
    }
    return storer_writer_commit(&writer);
}

static void writers_fail(void)
{
    static const faulty_slot_e slots[] = { FAULTY_OPEN_WRITER, FAULTY_WRITER_APPEND,
                                           FAULTY_WRITER_COMMIT };
    fixture_t f;

    begin(&f);
    for (int i = 0; i < 3; i++) {
        faulty_fail(f.store, slots[i], 1, APR_EACCES, FAULTY_INSTEAD);
        is_status(write_in_two(f.store, f.pool), APR_EACCES, "%s fails", faulty_slot_name(slots[i]));
        is_status(get(f.inner, f.pool), APR_NOTFOUND, "nothing was stored");
        is_int(faulty_open_writers(f.store), 0, "the writer has ended");
    }
    faulty_fail(f.store, FAULTY_WRITER_APPEND, 2, APR_EACCES, FAULTY_AFTER);
    is_status(write_in_two(f.store, f.pool), APR_EACCES, "the second append fails, after it was done");
    is_status(get(f.inner, f.pool), APR_NOTFOUND, "nothing was stored");
    faulty_clear(f.store);
    is_status(write_in_two(f.store, f.pool), APR_SUCCESS, "no fault");
    is_status(get(f.inner, f.pool), APR_SUCCESS, "stored");
    end(&f);
}

static apr_status_t grow(void *baton, storer_bytes_t old, storer_bytes_t *out,
                         storer_expiry_t *expiry, apr_pool_t *scratch)
{
    (void)baton;
    (void)old;
    (void)scratch;
    *out = value;
    *expiry = (storer_expiry_t){ NOW + 10, NOW + 10 };
    return APR_SUCCESS;
}

static void short_space(void)
{
    fixture_t f;

    begin(&f);
    faulty_space(f.store, 25);
    is_status(set(f.store), APR_SUCCESS, "10 of 25 bytes");
    is_status(storer_update(f.store, key, grow, NULL, NOW, f.pool), APR_SUCCESS, "20 of 25 bytes");
    is_status(set(f.store), APR_ENOSPC, "no room for set");
    is_status(storer_update(f.store, key, grow, NULL, NOW, f.pool), APR_ENOSPC,
              "no room for update");
    is_status(get(f.store, f.pool), APR_SUCCESS, "what is there stays");
    (void)storer_delete(f.inner, key);
    faulty_space(f.store, 15);
    is_status(write_in_two(f.store, f.pool), APR_ENOSPC, "no room in the middle of a writer");
    is_status(get(f.store, f.pool), APR_NOTFOUND, "nothing was stored");
    faulty_space(f.store, -1);
    is_status(write_in_two(f.store, f.pool), APR_SUCCESS, "room again");
    end(&f);
}

static void delete_from_under(void *baton, storer_t *faulty, faulty_slot_e slot)
{
    fixture_t *f = baton;

    (void)faulty;
    if (slot == FAULTY_GET) {
        (void)storer_delete(f->inner, key);
    }
}

static void hook(void)
{
    fixture_t f;

    begin(&f);
    (void)set(f.store);
    faulty_hook(f.store, delete_from_under, &f);
    is_status(get(f.store, f.pool), APR_NOTFOUND, "a hook comes before the call");
    faulty_clear(f.store);
    (void)set(f.store);
    is_status(get(f.store, f.pool), APR_SUCCESS, "cleared");
    ok(!f.store->ops->stat && !f.store->ops->list_keys && !f.store->ops->child_init,
       "a slot that the wrapped store lacks is lacking");
    is_string(f.store->ops->uuid(f.store), "PLAIN-0", "the uuid is the wrapped store's key");
    end(&f);
}

int main(void)
{
    apr_initialize();
    nth_call();
    before_and_after();
    views_fail();
    writers_fail();
    short_space();
    hook();
    apr_terminate();
    return done_testing();
}
