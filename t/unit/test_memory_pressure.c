/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_pressure.c - slow readers, slow writers and large values beside a set of values that is
 * read all the time: the hot set stays, one store evicts little, and entries that nobody finds any
 * more cost others next to nothing.
 */
#include "memory/hold.h"
#include "memory_fixture.h"
#include "tap.h"

#include <apr_general.h>

#include <stdlib.h>

#define HOT       200u
#define HOT_BYTES 4000u

static char buffer[4 << 20];

static apr_status_t put(memory_t *memory, uint32_t key, apr_size_t length)
{
    storer_bytes_t value = { buffer, length };
    char name[32];

    fixture_fill(buffer, length, key, 1);
    return storer_set(&memory->base, fixture_key(name, key), value, fixture_expiry(), FIXTURE_NOW);
}

static apr_status_t get(memory_t *memory, uint32_t key, storer_view_t *view, apr_pool_t *pool)
{
    char name[32];

    return storer_get(&memory->base, fixture_key(name, key), FIXTURE_NOW, view, pool);
}

/* Everybody reads the hot set: what is missing is fetched again.
 * @return how many were there */
static unsigned read_hot(memory_t *memory, apr_pool_t *pool)
{
    unsigned i, hits = 0;

    for (i = 0; i < HOT; i++) {
        storer_view_t view = STORER_VIEW_EMPTY;

        if (get(memory, i, &view, pool) == APR_SUCCESS) {
            hits += fixture_whole(&view, i) ? 1 : 0;
            storer_view_release(&view);
        }
        else {
            put(memory, i, HOT_BYTES);
        }
    }
    return hits;
}

/* As often as it is read while slow clients come, one after the other. */
typedef struct ratio_t {
    unsigned hits, reads;
} ratio_t;

static void note_hot(ratio_t *ratio, memory_t *memory, apr_pool_t *pool)
{
    ratio->hits += read_hot(memory, pool);
    ratio->reads += HOT;
}

static void is_hot(const ratio_t *ratio, const char *beside)
{
    ok(ratio->reads > 0 && ratio->hits * 100 >= ratio->reads * 95, "%u of %u hits beside %s",
       ratio->hits, ratio->reads, beside);
}

/* Slow clients that fetch values and read them for ever; `keys`: of how many. */
static void test_slow_readers(apr_size_t length, unsigned clients, unsigned keys,
                              const char *who, apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "16M");
    storer_view_t *views = apr_pcalloc(pool, clients * sizeof(*views));
    ratio_t ratio = { 0, 0 };
    unsigned i, wrong = 0;

    read_hot(memory, pool);
    read_hot(memory, pool);
    for (i = 0; i < clients; i++) {
        uint32_t key = 1000 + i % keys;

        put(memory, key, length);
        get(memory, key, &views[i], pool);
        note_hot(&ratio, memory, pool);
    }
    is_hot(&ratio, who);
    for (i = 0; i < clients; i++) {
        wrong += views[i].ops && !fixture_whole(&views[i], 1000 + i % keys);
        storer_view_release(&views[i]);
    }
    is_int(wrong, 0, "and what the slow ones got is whole");
    is_string(fixture_check(memory), NULL, "the segment is consistent");
}

/* Values that were stored while nobody was slow, and then all have slow readers. */
static void test_pinned_later(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "16M");
    storer_view_t *views = apr_pcalloc(pool, 40 * sizeof(*views));
    ratio_t ratio = { 0, 0 };
    unsigned i, held = 0;

    read_hot(memory, pool);
    read_hot(memory, pool);
    for (i = 0; i < 40; i++) {
        put(memory, 1000 + i, 400000);
        read_hot(memory, pool);
    }
    for (i = 0; i < 40; i++) {
        held += get(memory, 1000 + i, &views[i], pool) == APR_SUCCESS;
    }
    ok(held > 10, "%u values have slow readers", held);
    for (i = 0; i < 4000; i++) {
        put(memory, 10000 + i, 3000);
        if (i % 100 == 0) {
            note_hot(&ratio, memory, pool);
        }
    }
    is_hot(&ratio, "values that are read slowly and others that come and go");
    for (i = 0; i < 40; i++) {
        storer_view_release(&views[i]);
    }
}

/* Origins that send slowly: each writer keeps what it has, and what it is going to need. */
static void test_slow_writers(int sized, apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "16M");
    storer_writer_t writer[20];
    storer_bytes_t value = { buffer, 1000000 };
    ratio_t ratio = { 0, 0 };
    unsigned i, open = 0;
    char name[32];

    read_hot(memory, pool);
    read_hot(memory, pool);
    for (i = 0; i < 20; i++) {
        static const storer_writer_t closed = STORER_WRITER_CLOSED;

        writer[i] = closed;
        if (storer_open_writer(&memory->base, fixture_key(name, 1000 + i), fixture_expiry(),
                               sized ? 3500000 : -1, FIXTURE_NOW, &writer[i], pool) == APR_SUCCESS
            && storer_writer_append(&writer[i], value) == APR_SUCCESS
            && (sized || storer_writer_append(&writer[i], value) == APR_SUCCESS)) {
            open++;
        }
        else {
            storer_writer_abort(&writer[i]);
        }
        note_hot(&ratio, memory, pool);
    }
    ok(open >= 2, "%u slow writers are under way", open);
    is_hot(&ratio, sized ? "writers of known length" : "writers of unknown length");
    for (i = 0; i < 20; i++) {
        storer_writer_abort(&writer[i]);
    }
    is_string(fixture_check(memory), NULL, "the segment is consistent");
}

static apr_uint64_t evictions(memory_t *memory)
{
    storer_stat_t stat;

    storer_stat(&memory->base, &stat);
    return stat.evictions;
}

static void test_one_store_evicts_little(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "8M");
    apr_uint64_t before;
    uint32_t i;

    for (i = 0; i < 16000; i++) {
        put(memory, i, 600);
    }
    before = evictions(memory);
    ok(before > 0, "the store is full");
    is_status(put(memory, 20000, 3900), APR_SUCCESS, "a value of 3,900 bytes");
    ok(evictions(memory) - before <= 30, "%lu values of 600 bytes have given way for it",
       (unsigned long)(evictions(memory) - before));
    before = evictions(memory);
    is_status(put(memory, 20001, 390000), APR_SUCCESS, "a value of 390,000 bytes");
    ok(evictions(memory) - before <= 390000 * 3 / 700, "%lu values have given way for it",
       (unsigned long)(evictions(memory) - before));
    is_string(fixture_check(memory), NULL, "the segment is consistent");
}

/* Nothing gives way for what can't be stored all the same. */
static void test_no_room_because_of_pins(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "16M");
    storer_view_t views[4] = { STORER_VIEW_EMPTY, STORER_VIEW_EMPTY, STORER_VIEW_EMPTY,
                               STORER_VIEW_EMPTY };
    apr_uint64_t before;
    uint32_t i;

    for (i = 0; i < 2; i++) {
        put(memory, 1000 + i, 3900000);
        get(memory, 1000 + i, &views[i], pool);
    }
    for (i = 0; i < 4000; i++) {
        put(memory, 10000 + i, 3000);
    }
    before = evictions(memory);
    ok(before > 0, "the store is full, and half of it has slow readers");
    is_status(put(memory, 2000, 3900000), APR_ENOSPC, "a large value is not stored");
    is_int((long long)(evictions(memory) - before), 0, "and nothing has given way for it");
    for (i = 0; i < 4; i++) {
        storer_view_release(&views[i]);
    }
    is_status(put(memory, 2000, 3900000), APR_SUCCESS, "it is once the readers are gone");
}

/* As many views of values from `first` on as can be had. */
static unsigned hold_all(memory_t *memory, uint32_t first, unsigned count, storer_view_t *views,
                         apr_pool_t *pool)
{
    unsigned i, held = 0;

    for (i = 0; i < count; i++) {
        held += get(memory, first + i, &views[i], pool) == APR_SUCCESS;
    }
    return held;
}

static void put_all(memory_t *memory, uint32_t first, unsigned count, apr_size_t length)
{
    unsigned i;

    for (i = 0; i < count; i++) {
        put(memory, first + i, length);
    }
}

static void release_all(storer_view_t *views, unsigned count)
{
    unsigned i;

    for (i = 0; i < count; i++) {
        storer_view_release(&views[i]);
    }
}

/* Beyond the bound small values are copied for their readers, and large ones are not read. */
static void test_too_much_is_held(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "16M");
    storer_view_t *views = apr_pcalloc(pool, 15 * sizeof(*views)), view = STORER_VIEW_EMPTY;
    storer_view_t *small = apr_pcalloc(pool, 30 * sizeof(*small));
    unsigned held;
    char name[32];

    put(memory, 1, 5000);
    put_all(memory, 2000, 30, 60000);
    put_all(memory, 1000, 13, 1000000);
    held = hold_all(memory, 1000, 13, views, pool);
    is_int(held, 12, "three quarters of the store may be held");
    is_status(get(memory, 1000, &view, pool), APR_SUCCESS, "what is held anyway may be read");
    storer_view_release(&view);
    is_int(hold_all(memory, 2000, 30, small, pool), 30, "and small values");
    put_all(memory, 10000, 2000, 600);
    is_status(get(memory, 1, &view, pool), APR_SUCCESS, "even if too much is held");
    ok(view.value == NULL && view.in_place, "but as a copy");
    storer_delete(&memory->base, fixture_key(name, 1));
    ok(fixture_whole(&view, 1), "and it is whole");
    storer_view_release(&view);
    release_all(views, 13);
    release_all(small, 30);
    put(memory, 1, 5000);
    put_all(memory, 20000, 2000, 600);
    put_all(memory, 1000, 3, 1000000);
    is_int(hold_all(memory, 1000, 3, views, pool), 3, "large ones may be read again afterwards");
    release_all(views, 3);
    get(memory, 1, &view, pool);
    ok(view.value != NULL, "and small ones in place");
    storer_view_release(&view);
}

/* The quickest of some rounds of stores, each of which replaces a value. */
static apr_interval_time_t time_of_stores(memory_t *memory)
{
    apr_interval_time_t best = -1;
    int round, i;

    for (round = 0; round < 20; round++) {
        apr_time_t begin = apr_time_now();

        for (i = 0; i < 50; i++) {
            put(memory, 1, 200);
        }
        begin = apr_time_now() - begin;
        best = best < 0 || begin < best ? begin : best;
    }
    return best;
}

/* As many pins both times: on values that are there, and on dead ones. */
static void test_slow_readers_of_dead_entries(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "256M");
    unsigned i, readers = tap_slow() ? 500 : 20000;
    storer_view_t *views = apr_pcalloc(pool, readers * sizeof(*views));
    apr_uint64_t empty = fixture_used(memory);
    apr_interval_time_t live, dead;

    for (i = 0; i < readers; i++) {
        put(memory, 1000 + i, 200);
        get(memory, 1000 + i, &views[i], pool);
    }
    live = time_of_stores(memory);
    for (i = 0; i < readers; i++) {
        char name[32];

        storer_delete(&memory->base, fixture_key(name, 1000 + i));
    }
    dead = time_of_stores(memory);
    is_int(memory->segment.header->limbo_count, readers, "dead values with readers");
    note("50 stores: %ld us beside readers of live values, %ld us of dead ones", (long)live,
         (long)dead);
    ok(dead < 10 * live + 1000, "the dead ones cost a store as much as the live ones");
    for (i = 0; i < readers; i++) {
        storer_view_release(&views[i]);
    }
    storer_reset(&memory->base);
    is_int((long long)fixture_used(memory), (long long)empty, "and are gone with their readers");
    is_string(fixture_check(memory), NULL, "the segment is consistent");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_slow_readers(3900000, 6, 6, "6 slow readers of a quarter of the store each", pool);
    test_slow_readers(3900000, 6, 1, "6 slow readers of a large value that is replaced", pool);
    test_slow_readers(1000000, 20, 20, "20 slow readers of 1,000,000 bytes", pool);
    test_slow_readers(200000, 120, 120, "120 slow readers of 200,000 bytes", pool);
    test_slow_readers(60000, 400, 400, "400 slow readers of 60,000 bytes", pool);
    test_pinned_later(pool);
    test_slow_writers(1, pool);
    test_slow_writers(0, pool);
    test_one_store_evicts_little(pool);
    test_no_room_because_of_pins(pool);
    test_too_much_is_held(pool);
    test_slow_readers_of_dead_entries(pool);
    is_int(fixture_warnings(), 0, "nothing was logged");
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
