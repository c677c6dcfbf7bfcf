/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_crash.c - a process dies by SIGKILL anywhere in the memory engine, at each step of
 * each critical section in turn, and the others go on as if nothing had been.
 *
 * Built with the engine's fault points: each journalled write and commit calls memory_fault_point.
 */
#include "memory_fixture.h"
#include "memory/journal.h"
#include "tap.h"

#include <apr_general.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static long points_left = -1;  /* -1: nobody dies */

void memory_fault_point(const char *name)
{
    (void)name;
    if (points_left >= 0 && points_left-- == 0) {
        raise(SIGKILL);
    }
}

/* A URL with one response for all, then one with two, then neither. */
static void store_variants(memory_t *memory, apr_pool_t *pool)
{
    storer_header_t header = { storer_bytes("Accept"), storer_bytes("html") };
    storer_variant_t variant = { storer_bytes("url"), storer_bytes("url"), storer_bytes("url"),
                                 { NULL, 0 }, &header, 0, FIXTURE_NOW, fixture_expiry(), 0, 0 };

    storer_set_multi_level(&memory->base, &variant, storer_bytes("plain"), FIXTURE_NOW, pool);
    variant.varied_key = storer_bytes("url-html");
    variant.varied_count = 1;
    storer_set_multi_level(&memory->base, &variant, storer_bytes("varied"), FIXTURE_NOW, pool);
    storer_delete_multi_level(&memory->base, storer_bytes("url"), FIXTURE_NOW, pool);
}

/* Everything that changes a segment, always the same. Dies on the way, or not. */
static void scenario(memory_t *memory, long dies_after)
{
    uint64_t random = 99;
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, NULL);
    if (memory->base.ops->child_init(&memory->base, pool) != APR_SUCCESS) {
        _exit(TAP_CHILD_FAILED);
    }
    points_left = dies_after;
    for (i = 0; i < 12; i++) {
        fixture_store(memory, (uint32_t)i, &random, pool);
    }
    store_variants(memory, pool);
    for (i = 0; i < 120; i++) {
        if (!fixture_step(memory, 20, &random, pool)) {
            _exit(TAP_CHILD_FAILED);
        }
    }
    storer_reset(&memory->base);
    points_left = -1;
    apr_pool_destroy(pool);
    _exit(0);
}

/* All values that are there must be whole. */
static int read_all(memory_t *memory, apr_pool_t *pool)
{
    char name[32];
    uint32_t key;

    for (key = 0; key < 20; key++) {
        storer_view_t view = STORER_VIEW_EMPTY;

        if (storer_get(&memory->base, fixture_key(name, key), FIXTURE_NOW, &view, pool)
            == APR_SUCCESS) {
            int whole = fixture_whole(&view, key);

            storer_view_release(&view);
            if (!whole) {
                return 0;
            }
        }
    }
    return 1;
}

static int dies_at(memory_t *memory, long point)
{
    pid_t pid = fork();

    if (pid == 0) {
        scenario(memory, point);
    }
    return tap_wait(pid);
}

typedef struct tally_t {
    int deaths, damaged, torn, leaked, failed;
} tally_t;

static void look_after(memory_t *memory, apr_uint64_t empty, tally_t *tally, apr_pool_t *pool)
{
    const char *wrong;

    pins_sweep(&memory->segment, entry_abandon);
    wrong = fixture_check(memory);
    if (wrong) {
        tally->damaged++;
        diag("after death %d: %s", tally->deaths, wrong);
    }
    tally->torn += !read_all(memory, pool);
    storer_reset(&memory->base);
    tally->leaked += fixture_used(memory) != empty;
}

static void test_dies_anywhere(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "1M");
    apr_uint64_t empty = fixture_used(memory);
    long point, step = tap_slow() ? 97 : 1;
    tally_t tally = { 0, 0, 0, 0, 0 };
    storer_stat_t stat;

    for (point = 0;; point += step) {
        int status = dies_at(memory, point);

        if (status == 0) {
            break;
        }
        tally.deaths++;
        tally.failed += status != -SIGKILL;
        look_after(memory, empty, &tally, pool);
        if (point > 2000) {
            step = tap_slow() ? 997 : 7;
        }
    }
    ok(tally.deaths > 10, "%d processes died, each at another step", tally.deaths);
    is_int(tally.failed, 0, "none found a value that was not whole before");
    is_int(tally.damaged, 0, "the segment is consistent after each death");
    is_int(tally.torn, 0, "all values are whole after each death");
    is_int(tally.leaked, 0, "nothing leaks: empty again to the byte after each death");
    storer_stat(&memory->base, &stat);
    ok(stat.recoveries > 0, "%lu died with the lock in hand", (unsigned long)stat.recoveries);
    is_int((long long)stat.damages, 0, "no death was taken for damage");
    is_int(fixture_warnings(), 0, "no warning was logged");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_dies_anywhere(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
