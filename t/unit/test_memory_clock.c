/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_clock.c - a clock that is set: what has expired is reclaimed before what lives after the
 * clock ran a year ahead and came back, and a wait for a lock ends in its time whatever the time of day
 * says meanwhile.
 */
#include "memory_fixture.h"
#include "robust.h"
#include "tap.h"

#include <apr_general.h>

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define YEAR  apr_time_from_sec(INT64_C(365) * 86400)

/* ---- the wheel ---- */

static int put(memory_t *memory, uint32_t key, apr_time_t now, apr_interval_time_t life)
{
    char name[32], bytes[1500];
    storer_bytes_t value = { bytes, sizeof(bytes) };
    storer_expiry_t expiry = { now + life, 0 };

    memset(bytes, 'x', sizeof(bytes));
    return storer_set(&memory->base, fixture_key(name, key), value, expiry, now) == APR_SUCCESS;
}

static int present(memory_t *memory, uint32_t from, uint32_t count, apr_time_t now, apr_pool_t *pool)
{
    int found = 0;
    char name[32];
    uint32_t i;

    for (i = from; i < from + count; i++) {
        storer_view_t view = STORER_VIEW_EMPTY;

        if (storer_get(&memory->base, fixture_key(name, i), now, &view, pool) == APR_SUCCESS) {
            found++;
            storer_view_release(&view);
        }
    }
    return found;
}

/* At the wrong time the store is full, so that the wheel is turned; 50 entries stay of it. Then the
 * clock is right again: entries of all lives come, and room is needed each time when some of them have
 * ended. */
static void test_ran_ahead(apr_interval_time_t ahead, const char *what, apr_pool_t *pool)
{
    static const apr_int64_t lives[] = { 3, 90, 5000, 86400, 40 * 86400 };
    memory_t *memory = fixture_open(pool, "1M");
    storer_stat_t before, after;
    apr_time_t now = FIXTURE_NOW;
    uint32_t i, k, next = 2000;

    for (i = 0; i < 2000; i++) {
        put(memory, i, FIXTURE_NOW + ahead, apr_time_from_sec(3600));
    }
    storer_reset(&memory->base);
    for (i = 0; i < 50; i++) {
        put(memory, i, FIXTURE_NOW + ahead, apr_time_from_sec(lives[i % 5]));
    }
    for (i = 0; i < 400; i++) {
        put(memory, 1000 + i, now, apr_time_from_sec(lives[i % 5]));
    }
    is_int(present(memory, 1000, 400, now, pool), 400, "%s: 400 entries fit", what);
    storer_stat(&memory->base, &before);
    for (k = 0; k < 5; k++) {
        now = FIXTURE_NOW + apr_time_from_sec(lives[k] + 1);
        for (i = 0; i < 80; i++) {
            put(memory, next++, now, YEAR * 10);
        }
        is_int(present(memory, 1000, 400, now, pool), 400 - 80 * (int)(k + 1),
               "%s: after %ld seconds those live that have not ended", what, (long)lives[k]);
        is_string(fixture_check(memory), NULL, "the segment is consistent");
    }
    storer_stat(&memory->base, &after);
    is_int((long long)(after.evictions - before.evictions), 0, "%s: no live entry was evicted", what);
}

/* ---- waiting ---- */

static int wrong_by;  /* seconds */

/* In place of the system's, for the whole program: the time of day alone is wrong. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, clock, time);

    if (clock == CLOCK_REALTIME) {
        time->tv_sec += wrong_by;
    }
    return result;
}

static void *try_lock(void *baton)
{
    return (void *)(intptr_t)robust_lock(baton, 50);
}

static void test_wait(int wrong, const char *what)
{
    pthread_mutex_t mutex;
    pthread_t thread;
    void *result = NULL;

    wrong_by = wrong;
    alarm(60); /* to the thread that waits for an hour otherwise */
    if (robust_init(&mutex) != 0 || robust_lock(&mutex, 50) != 0
        || pthread_create(&thread, NULL, try_lock, &mutex) != 0
        || pthread_join(thread, &result) != 0) {
        bail_out("no lock, or no thread");
    }
    alarm(0);
    wrong_by = 0;
    is_int((int)(intptr_t)result, ETIMEDOUT, "a wait for a lock ends %s", what);
    pthread_mutex_unlock(&mutex);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_ran_ahead(YEAR, "a year ahead", pool);
    test_ran_ahead(apr_time_from_sec(7200), "two hours ahead", pool);
    test_ran_ahead(apr_time_from_sec(30), "30 seconds ahead", pool);
    test_wait(3600, "though the time of day is an hour ahead of the kernel's");
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
