/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_threads.c - the threads of one process on one segment: run under the thread sanitizer
 * it shows that what is read without the lock is read in order.
 */
#include "memory_fixture.h"
#include "tap.h"

#include <apr_general.h>

#include <pthread.h>

#define THREADS 6

typedef struct worker_t {
    memory_t *memory;
    uint64_t  random;
    int       steps, torn;
    pthread_t thread;
} worker_t;

static void *work(void *data)
{
    worker_t *worker = data;
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, NULL);
    for (i = 0; i < worker->steps; i++) {
        worker->torn += !fixture_step(worker->memory, 120, &worker->random, pool);
        if (i % 100 == 0) {
            apr_pool_clear(pool);
        }
    }
    apr_pool_destroy(pool);
    return NULL;
}

int main(void)
{
    worker_t worker[THREADS];
    apr_uint64_t empty;
    apr_pool_t *pool;
    memory_t *memory;
    int i, torn = 0;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    memory = fixture_open(pool, "1M");
    empty = fixture_used(memory);
    for (i = 0; i < THREADS; i++) {
        worker[i].memory = memory;
        worker[i].random = (uint64_t)i * 31 + 5;
        worker[i].steps = tap_slow() ? 300 : 8000;
        worker[i].torn = 0;
        if (pthread_create(&worker[i].thread, NULL, work, &worker[i]) != 0) {
            bail_out("no thread");
        }
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(worker[i].thread, NULL);
        torn += worker[i].torn;
    }
    is_int(torn, 0, "%d threads: every value read is whole", THREADS);
    is_string(fixture_check(memory), NULL, "the segment is consistent");
    storer_reset(&memory->base);
    is_int((long long)fixture_used(memory), (long long)empty, "nothing leaked");
    is_int(fixture_warnings(), 0, "nothing was logged");
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
