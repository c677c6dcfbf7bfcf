/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory.c - what the memory engine promises beyond the contract: every byte of the segment is
 * accounted for, room is always found for what fits, pins hold, processes share.
 */
#include "memory_fixture.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static void test_random_operations(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "1M");
    apr_uint64_t empty = fixture_used(memory);
    int steps = tap_slow() ? 2000 : 40000, i, wrong = 0;
    const char *damage = NULL;
    uint64_t random = 42;
    apr_pool_t *scratch;
    storer_stat_t stat;

    apr_pool_create(&scratch, pool);
    for (i = 0; i < steps && !wrong && !damage; i++) {
        wrong += !fixture_step(memory, 300, &random, scratch);
        if (i % 500 == 0) {
            damage = fixture_check(memory);
            apr_pool_clear(scratch);
        }
    }
    is_int(wrong, 0, "random operations: every value read is whole");
    is_string(damage, NULL, "random operations: the segment is consistent all the time");
    storer_stat(&memory->base, &stat);
    ok(stat.evictions > 0, "random operations: there were evictions (%lu)",
       (unsigned long)stat.evictions);
    is_status(storer_reset(&memory->base), APR_SUCCESS, "reset");
    is_int((long long)fixture_used(memory), (long long)empty,
           "deleting everything brings used bytes back to the empty state");
    is_string(fixture_check(memory), NULL, "the empty segment is consistent");
    is_int(fixture_warnings(), 0, "nothing was logged");
    apr_pool_destroy(scratch);
}

static void test_always_room(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "2M");
    apr_size_t largest = (apr_size_t)2048 * 1024 / 4;
    char name[32], *bytes = malloc(largest + 1);
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_bytes_t value = { bytes, 0 };
    int i, parts = 1, failed = 0;

    for (i = 0; i < 5000; i++) {
        value.len = 200 + (apr_size_t)i % 900;
        fixture_fill(bytes, value.len, (uint32_t)i, 1);
        failed += storer_set(&memory->base, fixture_key(name, (uint32_t)i), value,
                             fixture_expiry(), FIXTURE_NOW) != APR_SUCCESS;
    }
    is_int(failed, 0, "small values always find room in a full store");
    value.len = largest;
    fixture_fill(bytes, value.len, 7000, 1);
    is_status(storer_set(&memory->base, fixture_key(name, 7000), value, fixture_expiry(),
                         FIXTURE_NOW), APR_SUCCESS,
              "a value of a quarter of the store finds room among small ones");
    is_status(storer_get(&memory->base, fixture_key(name, 7000), FIXTURE_NOW, &view, pool),
              APR_SUCCESS, "it is there");
    ok(fixture_whole(&view, 7000), "it is whole");
    storer_view_release(&view);
    storer_get(&memory->base, fixture_key(name, 7000), FIXTURE_NOW, &view, pool);
    while (storer_view_next(&view) == APR_SUCCESS) {
        parts++;
    }
    ok(parts > 1, "scattered memory: it has %d parts", parts);
    storer_view_release(&view);
    value.len = largest + 1;
    is_status(storer_set(&memory->base, fixture_key(name, 7001), value, fixture_expiry(),
                         FIXTURE_NOW), APR_ENOSPC, "one byte more than a quarter does not fit");
    is_string(fixture_check(memory), NULL, "the segment is consistent");
    free(bytes);
}

static void test_pins_hold(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "1M");
    apr_uint64_t empty = fixture_used(memory);
    storer_view_t view[20];
    uint64_t random = 7;
    int i, whole = 0;
    char name[32];

    for (i = 0; i < 20; i++) {
        static const storer_view_t none = STORER_VIEW_EMPTY;

        view[i] = none;
        while (storer_get(&memory->base, fixture_key(name, (uint32_t)i), FIXTURE_NOW, &view[i],
                          pool) != APR_SUCCESS) {
            fixture_store(memory, (uint32_t)i, &random, pool);
        }
    }
    for (i = 0; i < 3000; i++) {
        fixture_store(memory, 100 + (uint32_t)i % 500, &random, pool);
    }
    storer_reset(&memory->base);
    ok(fixture_used(memory) > empty, "what is pinned stays in memory after a reset");
    for (i = 0; i < 20; i++) {
        whole += fixture_whole(&view[i], (uint32_t)i);
        storer_view_release(&view[i]);
    }
    is_int(whole, 20, "pinned values stay whole through evictions and a reset");
    is_int((long long)fixture_used(memory), (long long)empty, "and are gone when they are released");
}

static void test_pins_run_out(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "1M");
    int slots = MEMORY_LINES_MIN * MEMORY_LINE_SLOTS, i, held = 0;
    storer_view_t *views = apr_pcalloc(pool, sizeof(*views) * (size_t)(slots + 1));
    storer_bytes_t key = storer_bytes("k"), value = storer_bytes("value");
    apr_status_t rv = APR_SUCCESS;

    storer_set(&memory->base, key, value, fixture_expiry(), FIXTURE_NOW);
    for (i = 0; i <= slots && rv == APR_SUCCESS; i++) {
        rv = storer_get(&memory->base, key, FIXTURE_NOW, &views[i], pool);
        held += rv == APR_SUCCESS;
    }
    is_int(held, slots, "as many views as there are pins");
    is_status(rv, APR_EAGAIN, "one more is refused");
    is_status(storer_set(&memory->base, key, value, fixture_expiry(), FIXTURE_NOW), APR_EAGAIN,
              "a store needs a pin as well");
    storer_view_release(&views[3]);
    is_status(storer_set(&memory->base, key, value, fixture_expiry(), FIXTURE_NOW), APR_SUCCESS,
              "and gets the one that was released");
    for (i = 0; i < slots; i++) {
        storer_view_release(&views[i]);
    }
}

static int present(memory_t *memory, uint32_t first, uint32_t count, apr_time_t now,
                   apr_pool_t *pool)
{
    uint32_t i, found = 0;
    char name[32];

    for (i = first; i < first + count; i++) {
        storer_view_t view = STORER_VIEW_EMPTY;

        found += storer_get(&memory->base, fixture_key(name, i), now, &view, pool) == APR_SUCCESS;
        storer_view_release(&view);
    }
    return (int)found;
}

static apr_status_t see_hits(void *baton, storer_bytes_t key, storer_view_t *value)
{
    apr_uint64_t *hits = baton;

    (void)key;
    *hits = value->hits;
    return APR_SUCCESS;
}

static apr_uint64_t hits_of(memory_t *memory, apr_pool_t *pool)
{
    apr_uint64_t hits = 0;

    storer_map_keys(&memory->base, storer_bytes(""), FIXTURE_NOW, see_hits, &hits, pool);
    return hits;
}

/* Few hits are counted one by one, many by a sample that the time draws. */
static void test_hits_are_counted(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "1M");
    char name[32];
    storer_bytes_t key = fixture_key(name, 1);
    int i;

    storer_set(&memory->base, key, storer_bytes("value"), fixture_expiry(), FIXTURE_NOW);
    is_int((long long)hits_of(memory, pool), 0, "a new value has no hits");
    is_int((long long)hits_of(memory, pool), 0, "and a walk is none");
    for (i = 1; i <= 10064; i++) {
        storer_view_t view = STORER_VIEW_EMPTY;

        storer_get(&memory->base, key, FIXTURE_NOW + i, &view, pool);
        storer_view_release(&view);
        if (i == 40) {
            is_int((long long)hits_of(memory, pool), 40, "the first hits are counted");
        }
    }
    is_int((long long)hits_of(memory, pool), 10064, "of many each sixteenth, for sixteen");
    storer_set(&memory->base, key, storer_bytes("value"), fixture_expiry(), FIXTURE_NOW);
    is_int((long long)hits_of(memory, pool), 0, "a new value begins anew");
}

/* Entries that end after seconds, minutes, days and years; each time as many new ones as have ended
 * find room without a live one being evicted. */
static void test_expired_first(apr_pool_t *pool)
{
    static const apr_int64_t ends[] = { 3, 90, 86400, 40 * 86400, 3 * 365 * 86400LL };
    memory_t *memory = fixture_open(pool, "1M");
    char name[32], bytes[1500];
    storer_bytes_t value = { bytes, sizeof(bytes) };
    storer_stat_t stat;
    uint32_t i, k, next = 1000;

    memset(bytes, 'x', sizeof(bytes));
    for (i = 0; i < 500; i++) {
        storer_expiry_t expiry = { FIXTURE_NOW + apr_time_from_sec(ends[i % 5]), 0 };

        storer_set(&memory->base, fixture_key(name, i), value, expiry, FIXTURE_NOW);
    }
    is_int(present(memory, 0, 500, FIXTURE_NOW, pool), 500, "500 entries fit");
    for (k = 0; k < 5; k++) {
        apr_time_t now = FIXTURE_NOW + apr_time_from_sec(ends[k] + 2);
        storer_expiry_t expiry = { INT64_MAX, 0 };

        for (i = 0; i < 100; i++) {
            storer_set(&memory->base, fixture_key(name, next++), value, expiry, now);
        }
        is_int(present(memory, 0, 500, now, pool), 400 - 100 * (int)k,
               "after %ld seconds the others live", (long)ends[k]);
        is_int(present(memory, 1000, next - 1000, now, pool), 100 + 100 * (int)k,
               "and so do the new ones");
        is_string(fixture_check(memory), NULL, "the segment is consistent");
    }
    storer_stat(&memory->base, &stat);
    is_int((long long)stat.evictions, 0, "no live entry was evicted");
    ok(stat.expirations >= 300, "%lu were reclaimed as expired", (unsigned long)stat.expirations);
}

static void child_work(memory_t *memory, int number)
{
    uint64_t random = (uint64_t)number + 1;
    int steps = tap_slow() ? 500 : 15000, i;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (memory->base.ops->child_init(&memory->base, pool) != APR_SUCCESS) {
        _exit(TAP_CHILD_FAILED);
    }
    for (i = 0; i < steps; i++) {
        if (!fixture_step(memory, 300, &random, pool)) {
            _exit(TAP_CHILD_FAILED);
        }
    }
    apr_pool_destroy(pool);
    _exit(0);
}

static void test_processes_share(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "1M");
    apr_uint64_t empty = fixture_used(memory);
    int i, failed = 0;
    pid_t pid[4];

    for (i = 0; i < 4; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            child_work(memory, i);
        }
    }
    for (i = 0; i < 4; i++) {
        failed += tap_wait(pid[i]) != 0;
    }
    is_int(failed, 0, "four processes at once: every value read is whole");
    is_string(fixture_check(memory), NULL, "the segment is consistent");
    storer_reset(&memory->base);
    is_int((long long)fixture_used(memory), (long long)empty, "nothing leaked");
    is_int(fixture_warnings(), 0, "nothing was logged");
}

static void test_sizes(apr_pool_t *pool)
{
    static const char *const sizes[] = { "1M", "3M", "64M", "4G", "64G" };
    char *bytes = malloc(FIXTURE_LONGEST), name[32];
    storer_bytes_t value = { bytes, FIXTURE_LONGEST };
    /* valgrind has no room for the large ones */
    unsigned i, count = tap_slow() ? 3 : sizeof(sizes) / sizeof(sizes[0]);

    fixture_fill(bytes, value.len, 1, 1);
    for (i = 0; i < count; i++) {
        storer_view_t view = STORER_VIEW_EMPTY;
        apr_pool_t *own;
        memory_t *memory;

        apr_pool_create(&own, pool);
        memory = fixture_open(own, sizes[i]);
        storer_set(&memory->base, fixture_key(name, 1), value, fixture_expiry(), FIXTURE_NOW);
        ok(storer_get(&memory->base, fixture_key(name, 1), FIXTURE_NOW, &view, own) == APR_SUCCESS
           && fixture_whole(&view, 1), "a store of %s works", sizes[i]);
        storer_view_release(&view);
        apr_pool_destroy(own);
    }
    free(bytes);
}

static void test_options(apr_pool_t *pool)
{
    static const struct {
        storer_option_t option;
        const char *errmsg;
    } bad[] = {
        { { "size", "12" }, "size=12: expected 1M to 64G, such as size=256M" },
        { { "size", "65G" }, "size=65G: expected 1M to 64G, such as size=256M" },
        { { "size", "much" }, "size=much: expected 1M to 64G, such as size=256M" },
        { { "path", "x" }, "path=x: expected an absolute path" },
        { { "name", "../../x" }, "name=../../x: expected letters, digits, '.', '-' and '_', such as "
                                 "name=images" },
        { { "speed", "9" }, "speed=9: unknown option; there are size=, name= and path=" },
    };
    storer_env_t env = { .pool = pool, .api = &storer_api };
    storer_option_t good[] = { { "name", "images" }, { "size", "8M" }, { NULL, NULL } };
    const char *errmsg = NULL;
    storer_t *store;
    unsigned i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        storer_option_t options[] = { bad[i].option, { NULL, NULL } };

        is_status(storer_memory_engine.create(&store, options, &env, &errmsg), APR_EINVAL,
                  "%s=%s is refused", bad[i].option.name, bad[i].option.value);
        is_string(errmsg, bad[i].errmsg, "and the message says why");
    }
    is_status(storer_memory_engine.create(&store, good, &env, &errmsg), APR_SUCCESS,
              "name and size are taken");
    is_string(storer_registry_key(store, pool), "MEMORY-images-8388608", "and make the identity");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_options(pool);
    test_random_operations(pool);
    test_always_room(pool);
    test_pins_hold(pool);
    test_pins_run_out(pool);
    test_hits_are_counted(pool);
    test_expired_first(pool);
    test_processes_share(pool);
    test_sizes(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
