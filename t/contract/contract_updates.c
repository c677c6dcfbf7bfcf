/* SPDX-License-Identifier: Apache-2.0
 *
 * contract_updates.c - storer_update: nothing is lost, whoever changes the key at the same time.
 */
#include "contract_private.h"

#include <apr_strings.h>
#include <stdlib.h>

#define KEY storer_bytes("key")

/* An edit that does as told and notes what it saw. */
typedef struct told_t {
    apr_status_t status;
    storer_bytes_t value;
    storer_expiry_t expiry;
    int keep_expiry;
    int calls;
    storer_bytes_t seen;       /* the last old value */
    storer_expiry_t seen_expiry;
    apr_pool_t *pool;
} told_t;

static apr_status_t do_as_told(void *baton, storer_bytes_t old, storer_bytes_t *value,
                               storer_expiry_t *expiry, apr_pool_t *scratch)
{
    told_t *told = baton;

    (void)scratch;
    told->calls++;
    told->seen = old;
    if (old.data) {
        told->seen.data = apr_pmemdup(told->pool, old.data, old.len);
    }
    told->seen_expiry = *expiry;
    *value = told->value;
    if (!told->keep_expiry) {
        *expiry = told->expiry;
    }
    return told->status;
}

static apr_status_t update(contract_t *test, told_t *told, apr_time_t now)
{
    told->pool = test->pool;
    return storer_update(test->store, KEY, do_as_told, told, now, test->pool);
}

static void create_change_delete(contract_t *test)
{
    told_t told = { .value = { "a\0b", 3 }, .expiry = EXPIRY_FAR };
    storer_view_t view = STORER_VIEW_EMPTY;

    is_status(update(test, &told, T0), APR_SUCCESS, "update creates");
    ok(!told.seen.data, "there was no old value");
    contract_has(test, "key", (storer_bytes_t){ "a\0b", 3 }, "the key has the new value");
    told = (told_t){ .value = { "changed", 7 }, .keep_expiry = 1 };
    is_status(update(test, &told, T0), APR_SUCCESS, "update changes");
    is_bytes(told.seen, (storer_bytes_t){ "a\0b", 3 }, "the old value was seen");
    ok(told.seen_expiry.fresh_until == EXPIRY_FAR.fresh_until
       && told.seen_expiry.stale_until == EXPIRY_FAR.stale_until, "and its expiry");
    contract_has(test, "key", (storer_bytes_t){ "changed", 7 }, "the key has the new value");
    is_status(storer_get(test->store, KEY, T0, &view, test->pool), APR_SUCCESS, "view it");
    ok(view.expiry.fresh_until == EXPIRY_FAR.fresh_until, "an expiry left alone is kept");
    told = (told_t){ .value = { NULL, 0 } };
    is_status(update(test, &told, T0), APR_SUCCESS, "update deletes");
    contract_lacks(test, "key", "the key is gone");
    ok(storer_bytes_equal(contract_drain(&view, test->pool), (storer_bytes_t){ "changed", 7 }),
       "a view reads on");
    storer_view_release(&view);
    is_status(update(test, &told, T0), APR_SUCCESS, "update deletes what is not there");
    told = (told_t){ .value = { "", 0 }, .expiry = EXPIRY_FAR };
    is_status(update(test, &told, T0), APR_SUCCESS, "update to an empty value");
    contract_has(test, "key", (storer_bytes_t){ "", 0 }, "it is empty, not absent");
    is_status(update(test, &told, T0), APR_SUCCESS, "update of an empty value");
    ok(told.seen.data && told.seen.len == 0, "the old one is empty, not absent");
}

static void leave_and_fail(contract_t *test)
{
    static const storer_bytes_t value = { "value", 5 };
    told_t told = { .status = APR_EOF, .value = { "no", 2 }, .expiry = EXPIRY_FAR };

    is_status(update(test, &told, T0), APR_SUCCESS, "an edit leaves an absent key alone");
    contract_lacks(test, "key", "it stays absent");
    (void)contract_set(test, "key", value);
    is_status(update(test, &told, T0), APR_SUCCESS, "an edit leaves a value alone");
    contract_has(test, "key", value, "it stays");
    told.status = APR_EACCES;
    is_status(update(test, &told, T0), APR_EACCES, "an edit's failure is passed on");
    is_int(told.calls, 3, "it is not tried again");
    contract_has(test, "key", value, "the value stays");
    told.status = APR_EAGAIN;
    is_status(update(test, &told, T0), APR_EAGAIN, "APR_EAGAIN from an edit is passed on");
    is_int(told.calls, 4, "and not taken for a lost race");
    told = (told_t){ .value = value, .expiry = EXPIRY_FAR };
    is_status(storer_update(test->store, (storer_bytes_t){ "", 0 }, do_as_told, &told, T0,
                            test->pool), APR_EINVAL, "an empty key");
    is_int(told.calls, 0, "the edit is not called");
    if (test->target->too_large > 0) {
        told.value = contract_value((apr_size_t)test->target->too_large, 1, test->pool);
        is_status(update(test, &told, T0), APR_ENOSPC, "a value that does not fit");
        contract_has(test, "key", value, "the old one stays");
    }
}

static void expired(contract_t *test)
{
    told_t told = { .status = APR_EOF };
    apr_time_t later = T0 + SECONDS(7200);
    storer_bytes_t got;

    (void)contract_set(test, "key", storer_bytes("old"));
    is_status(update(test, &told, later), APR_SUCCESS, "update of an expired value");
    is_int(told.calls, 1, "calls the edit");
    ok(!told.seen.data, "without an old value");
    told = (told_t){ .value = { "new", 3 }, .expiry = { later + 10, later + 20 } };
    is_status(update(test, &told, later), APR_SUCCESS, "update over an expired value");
    (void)contract_read(test->store, KEY, later + 19, &got, test->pool);
    is_bytes(got, storer_bytes("new"), "it has the new value");
    is_status(contract_read(test->store, KEY, later + 20, &got, test->pool), APR_NOTFOUND,
              "as long as it was given");
}

/* An edit that lets others come first. */
typedef struct rival_t {
    contract_t *test;
    int losses;      /* how often the key is changed under the edit; -1: each time */
    int remove;      /* the change is a deletion */
    int calls;
    int wrong;
} rival_t;

static apr_status_t lose_first(void *baton, storer_bytes_t old, storer_bytes_t *value,
                               storer_expiry_t *expiry, apr_pool_t *scratch)
{
    rival_t *rival = baton;
    storer_t *store = rival->test->store;
    apr_status_t rv = APR_SUCCESS;

    rival->calls++;
    if (rival->calls <= rival->losses || rival->losses < 0) {
        storer_bytes_t changed = storer_bytes(apr_psprintf(scratch, "rival %d", rival->calls));

        rv = rival->remove ? storer_delete(store, KEY) : storer_set(store, KEY, changed, *expiry, T0);
        rival->wrong += rv != APR_SUCCESS;
    }
    *value = storer_bytes(apr_pstrcat(scratch, "after ",
                                      old.data ? apr_pstrmemdup(scratch, old.data, old.len) : "none",
                                      (char *)NULL));
    *expiry = EXPIRY_FAR;
    return APR_SUCCESS;
}

static apr_status_t update_against(contract_t *test, rival_t *rival)
{
    rival->test = test;
    (void)contract_set(test, "key", storer_bytes("first"));
    return storer_update(test->store, KEY, lose_first, rival, T0, test->pool);
}

static void lost_races(contract_t *test)
{
    rival_t one = { .losses = 1 }, three = { .losses = 3 }, gone = { .losses = 1, .remove = 1 };
    rival_t never = { .losses = -1 };
    storer_bytes_t got;

    is_status(update_against(test, &one), APR_SUCCESS, "the key is changed during the edit");
    is_int(one.calls, 2, "the edit is run again");
    contract_has(test, "key", storer_bytes("after rival 1"), "on what the other one left");
    is_status(update_against(test, &three), APR_SUCCESS, "the same three times");
    contract_has(test, "key", storer_bytes("after rival 3"), "on what the last one left");
    is_status(update_against(test, &gone), APR_SUCCESS, "the key is deleted during the edit");
    contract_has(test, "key", storer_bytes("after none"), "the edit is run again, on nothing");
    is_status(update_against(test, &never), APR_EAGAIN, "a race that is always lost is given up");
    (void)contract_read(test->store, KEY, T0, &got, test->pool);
    ok(got.len > 6 && memcmp(got.data, "rival ", 6) == 0, "the winner's value is there");
    is_int(one.wrong + three.wrong + gone.wrong + never.wrong, 0, "the changes succeeded");
}

static apr_status_t use_the_store(void *baton, storer_bytes_t old, storer_bytes_t *value,
                                  storer_expiry_t *expiry, apr_pool_t *scratch)
{
    contract_t *test = baton;
    storer_bytes_t got;
    apr_status_t rv;

    (void)old;
    rv = storer_set(test->store, storer_bytes("beside"), storer_bytes("set inside"), EXPIRY_FAR, T0);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = contract_read(test->store, storer_bytes("beside"), T0, &got, scratch);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *value = got;
    *expiry = EXPIRY_FAR;
    return contract_count(test, "", T0) >= 1 ? APR_SUCCESS : APR_EGENERAL;
}

static void reentrant(contract_t *test)
{
    apr_status_t rv;

    rv = storer_update(test->store, KEY, use_the_store, test, T0, test->pool);
    is_status(rv, APR_SUCCESS, "an edit sets, gets and lists other keys");
    contract_has(test, "key", storer_bytes("set inside"), "the update took effect");
    contract_has(test, "beside", storer_bytes("set inside"), "and what the edit did as well");
}

static apr_status_t add_one(void *baton, storer_bytes_t old, storer_bytes_t *value,
                            storer_expiry_t *expiry, apr_pool_t *scratch)
{
    long number = old.data ? strtol(apr_pstrmemdup(scratch, old.data, old.len), NULL, 10) : 0;

    (void)baton;
    *value = storer_bytes(apr_psprintf(scratch, "%ld", number + 1));
    *expiry = EXPIRY_FAR;
    return APR_SUCCESS;
}

/* A race lost too often is for the caller to try again. */
static int count_up(contract_t *test, int number, apr_pool_t *pool)
{
    int rounds = tap_slow() ? 50 : 250;

    (void)number;
    for (int i = 0; i < rounds; i++) {
        apr_status_t rv = APR_EAGAIN;

        for (int tries = 0; rv == APR_EAGAIN && tries < 1000; tries++) {
            apr_pool_clear(pool);
            rv = storer_update(test->store, storer_bytes("count"), add_one, NULL, T0, pool);
        }
        if (rv != APR_SUCCESS) {
            return 1;
        }
    }
    return 0;
}

static void is_counted(contract_t *test, int workers)
{
    long rounds = tap_slow() ? 50 : 250;
    const char *want = apr_psprintf(test->pool, "%ld", rounds * workers);

    contract_has(test, "count", storer_bytes(want), "no increment was lost");
}

static void in_threads(contract_t *test)
{
    is_int(contract_threads(test, 4, count_up), 0, "4 threads count up");
    is_counted(test, 4);
}

const contract_test_t contract_updates[] = {
    { "create, change, delete", create_change_delete, 0 },
    { "leave and fail", leave_and_fail, 0 },
    { "update of an expired value", expired, 0 },
    { "lost races", lost_races, 0 },
    { "an edit that uses the store", reentrant, 0 },
    { "updates in threads", in_threads, 0 },
    { NULL, NULL, 0 },
};
