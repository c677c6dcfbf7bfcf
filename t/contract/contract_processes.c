/* SPDX-License-Identifier: Apache-2.0
 *
 * contract_processes.c - one store in forked processes: they see what each other did, and outlive
 * each other's death.
 */
#include "contract_private.h"

#include <apr_strings.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define LENGTH 30000

/* ---- both ways ---- */

static void parent_writes(contract_t *test)
{
    is_status(contract_set(test, "from parent", contract_value(LENGTH, 1, test->pool)), APR_SUCCESS,
              "the parent stores");
}

static int child_reads_and_writes(contract_t *test, int number, apr_pool_t *pool)
{
    storer_variant_t variant = contract_variant("base", "from child by mapping");
    storer_writer_t writer = STORER_WRITER_CLOSED;
    storer_bytes_t got;
    apr_status_t rv;

    (void)number;
    rv = contract_read(test->store, storer_bytes("from parent"), T0, &got, pool);
    if (rv != APR_SUCCESS || !contract_is_value(got, LENGTH, 1)) {
        return 1;
    }
    rv = contract_set(test, "from child", contract_value(LENGTH, 2, pool));
    if (rv != APR_SUCCESS) {
        return 2;
    }
    rv = storer_open_writer(test->store, storer_bytes("by writer"), EXPIRY_FAR, -1, T0, &writer,
                            pool);
    if (rv != APR_SUCCESS) {
        return 3;
    }
    (void)storer_writer_append(&writer, contract_value(LENGTH, 3, pool));
    rv = storer_writer_commit(&writer);
    if (rv != APR_SUCCESS) {
        return 4;
    }
    return contract_store(test, &variant, pool) != APR_SUCCESS;
}

static void both_ways(contract_t *test)
{
    int failed = contract_processes_run(test, 1, child_reads_and_writes, parent_writes);

    is_int(failed, 0, "a child reads what the parent stored");
    contract_has(test, "from child", contract_value(LENGTH, 2, test->pool),
                 "the parent reads what a child set that is gone now");
    contract_has(test, "by writer", contract_value(LENGTH, 3, test->pool), "or wrote");
    contract_elects(test, "base", NULL, T0, 'F', "from child by mapping");
}

/* ---- updates ---- */

static apr_status_t add_one(void *baton, storer_bytes_t old, storer_bytes_t *value,
                            storer_expiry_t *expiry, apr_pool_t *scratch)
{
    long number = old.data ? strtol(apr_pstrmemdup(scratch, old.data, old.len), NULL, 10) : 0;

    (void)baton;
    *value = storer_bytes(apr_psprintf(scratch, "%ld", number + 1));
    *expiry = EXPIRY_FAR;
    return APR_SUCCESS;
}

static int count_up(contract_t *test, int number, apr_pool_t *pool)
{
    (void)number;
    for (int i = 0; i < 250; i++) {
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

static void updates(contract_t *test)
{
    is_int(contract_processes_run(test, 4, count_up, NULL), 0, "4 processes count to 250 each");
    contract_has(test, "count", storer_bytes("1000"), "no increment was lost");
}

/* ---- everything at once ---- */

/* A value tells by its length what its bytes are. */
static int is_whole(storer_bytes_t value)
{
    return value.data && value.len >= 1000
           && contract_is_value(value, value.len, (unsigned)value.len % 101);
}

static int write_one(contract_t *test, int how, storer_bytes_t key, storer_bytes_t value,
                     apr_pool_t *pool)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    storer_bytes_t half = { value.data, value.len / 2 };
    storer_bytes_t rest = { value.data + half.len, value.len - half.len };
    apr_status_t rv;

    if (how == 0) {
        return storer_delete(test->store, key) != APR_SUCCESS;
    }
    if (how < 4) {
        return storer_set(test->store, key, value, EXPIRY_FAR, T0) != APR_SUCCESS;
    }
    rv = storer_open_writer(test->store, key, EXPIRY_FAR, -1, T0, &writer, pool);
    if (rv != APR_SUCCESS) {
        return 1;
    }
    if (storer_writer_append(&writer, half) != APR_SUCCESS
        || storer_writer_append(&writer, rest) != APR_SUCCESS) {
        storer_writer_abort(&writer);
        return 1;
    }
    if (how == 4) {
        storer_writer_abort(&writer);
        return 0;
    }
    return storer_writer_commit(&writer) != APR_SUCCESS;
}

static int mix(contract_t *test, int number, apr_pool_t *pool)
{
    unsigned random = (unsigned)number * 7919 + 1;
    int wrong = 0, rounds = tap_slow() ? 100 : 1000;

    for (int i = 0; i < rounds; i++) {
        storer_bytes_t key, got;
        apr_size_t length;
        apr_status_t rv;

        apr_pool_clear(pool);
        random = random * 1103515245 + 12345;
        key = contract_key("mix", (int)(random >> 16) % 60, pool);
        length = 1000 + (random >> 8) % (unsigned)(test->target->capacity / 20);
        wrong += write_one(test, i % 8, key, contract_value(length, (unsigned)length % 101, pool),
                           pool);
        key = contract_key("mix", (int)(random >> 10) % 60, pool);
        rv = contract_read(test->store, key, T0, &got, pool);
        wrong += rv == APR_SUCCESS ? !is_whole(got) : rv != APR_NOTFOUND;
    }
    return wrong;
}

static void mixed(contract_t *test)
{
    int right = 0, there = 0;

    is_int(contract_processes_run(test, 4, mix, NULL), 0,
           "4 processes store, write, delete and read: all that is seen is whole");
    for (int i = 0; i < 60; i++) {
        storer_bytes_t got;
        apr_status_t rv;

        rv = contract_read(test->store, contract_key("mix", i, test->pool), T0, &got, test->pool);
        there += rv == APR_SUCCESS;
        right += rv == APR_SUCCESS && is_whole(got);
    }
    is_int(right, there, "what is left is whole (%d values)", there);
    ok(there > 0, "there is something left");
}

/* ---- death ---- */

static void something_to_view(contract_t *test)
{
    is_status(contract_set(test, "viewed", contract_value(LENGTH, 1, test->pool)), APR_SUCCESS,
              "the parent stores a value");
}

/* Dies with a view held and half of a value written. */
static int die_in_the_middle(contract_t *test, int number, apr_pool_t *pool)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_status_t rv;

    rv = storer_get(test->store, storer_bytes("viewed"), T0, &view, pool);
    if (rv != APR_SUCCESS) {
        return 1;
    }
    rv = storer_open_writer(test->store, contract_key("unfinished", number, pool), EXPIRY_FAR, -1,
                            T0, &writer, pool);
    if (rv != APR_SUCCESS) {
        return 1;
    }
    rv = storer_writer_append(&writer,
                              contract_value((apr_size_t)test->target->capacity / 8, 1, pool));
    if (rv != APR_SUCCESS) {
        return 1;
    }
    raise(SIGKILL);
    return 1;
}

static void death(contract_t *test)
{
    apr_size_t capacity = (apr_size_t)test->target->capacity;
    int killed = contract_processes_run(test, 3, die_in_the_middle, something_to_view);
    storer_bytes_t got;

    is_int(killed, 3, "3 processes die with a view held and a writer open");
    (void)contract_read(test->store, storer_bytes("viewed"), T0, &got, test->pool);
    ok(contract_is_value(got, LENGTH, 1), "the value they viewed is whole");
    is_int(contract_count(test, "unfinished", T0), 0, "nothing is seen of what they wrote");
    is_status(storer_delete(test->store, storer_bytes("viewed")), APR_SUCCESS, "delete");
    is_status(storer_reset(test->store), APR_SUCCESS, "reset");
    is_status(contract_set(test, "key", contract_value(capacity, 2, test->pool)), APR_SUCCESS,
              "all of the room is there again");
}

const contract_test_t contract_processes[] = {
    { "both ways", both_ways, 1 },
    { "updates in processes", updates, 1 },
    { "everything at once in processes", mixed, 1 },
    { "death in the middle", death, 1 },
    { NULL, NULL, 0 },
};
