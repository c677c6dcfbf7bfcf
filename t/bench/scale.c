/* SPDX-License-Identifier: Apache-2.0
 *
 * scale.c - what an operation of the memory engine costs with 10^4, 10^5, 10^6 and 10^7 objects in
 * the store: nanoseconds, and beside them the floor, a read of memory anywhere in the segment, of
 * which a larger one costs more. An operation is a number of such reads and some work in between: it
 * is the number that must not grow.
 *
 *   scale [MAX_OBJECTS [BYTES]]
 */
#include "memory/memory.h"

#include <apr_general.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SAMPLES 200000u

typedef struct times_t {
    double insert, hit, miss, replace, evict;
    double read; /* the floor */
} times_t;

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static storer_bytes_t key_of(char *buffer, uint32_t number)
{
    storer_bytes_t key = { buffer, 0 };

    key.len = (apr_size_t)sprintf(buffer, "http://bench.invalid:80/object/%08x?", number);
    return key;
}

static memory_t *open_store(uint64_t bytes, apr_pool_t *pool)
{
    storer_env_t *env = apr_pcalloc(pool, sizeof(*env));
    char size[32];
    storer_option_t options[] = { { "size", size }, { NULL, NULL } };
    const char *errmsg = NULL;
    storer_t *store;

    env->pool = pool;
    env->api = &storer_api;
    sprintf(size, "%llu", (unsigned long long)bytes);
    if (storer_memory_engine.create(&store, options, env, &errmsg) != APR_SUCCESS
        || store->ops->init(store, &errmsg) != APR_SUCCESS
        || store->ops->child_init(store, pool) != APR_SUCCESS) {
        fprintf(stderr, "scale: %s\n", errmsg ? errmsg : "the store can't be used");
        exit(2);
    }
    return (memory_t *)store;
}

static double store_many(memory_t *memory, uint32_t first, uint32_t step, uint32_t count,
                         storer_bytes_t value)
{
    storer_expiry_t expiry = { INT64_MAX, INT64_MAX };
    double start = now_ns();
    char name[64];
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (storer_set(&memory->base, key_of(name, first + i * step), value, expiry, 1)
            != APR_SUCCESS) {
            fprintf(stderr, "scale: a value was refused\n");
            exit(1);
        }
    }
    return (now_ns() - start) / count;
}

static double look_up(memory_t *memory, uint32_t first, uint32_t range, int wanted,
                      apr_pool_t *pool)
{
    double start = now_ns();
    uint32_t i, at = 1;
    char name[64];

    for (i = 0; i < SAMPLES; i++) {
        storer_view_t view = STORER_VIEW_EMPTY;

        at = at * 1664525u + 1013904223u;
        if ((storer_get(&memory->base, key_of(name, first + (at >> 4) % range), 1, &view, pool)
             == APR_SUCCESS) != wanted) {
            fprintf(stderr, "scale: a look-up went wrong\n");
            exit(1);
        }
        storer_view_release(&view);
    }
    return (now_ns() - start) / SAMPLES;
}

/* A read of some place in the segment; where the next one is depends on what it finds. */
static double read_anywhere(const memory_t *memory)
{
    const memory_segment_t *segment = &memory->segment;
    uint64_t units = segment->geometry.size / MEMORY_UNIT, at = 1, found = 0;
    double start = now_ns();
    uint32_t i;

    for (i = 0; i < SAMPLES; i++) {
        at = (at + found % 2 + i) * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        found = *(const volatile uint64_t *)(segment->base + (at >> 20) % units * MEMORY_UNIT);
    }
    return (now_ns() - start) / SAMPLES;
}

static times_t measure(uint32_t objects, storer_bytes_t value)
{
    uint64_t each = (sizeof(memory_entry_t) + 41 + value.len + 63) / 64 * 64;
    apr_pool_t *pool;
    memory_t *memory;
    times_t times;

    apr_pool_create(&pool, NULL);
    memory = open_store((each * objects + (1u << 20)) / 98 * 100 + (1u << 20), pool);
    times.insert = store_many(memory, 0, 1, objects, value);
    times.hit = look_up(memory, 0, objects, 1, pool);
    times.miss = look_up(memory, 0x80000000u, objects, 0, pool);
    times.read = read_anywhere(memory);
    times.replace = store_many(memory, 0, 7919u % objects, SAMPLES < objects ? SAMPLES : objects,
                               value);
    /* Fill what is left, then each insert evicts one. */
    store_many(memory, objects, 1, objects / 8 + 20000, value);
    times.evict = store_many(memory, 2 * objects + 40000, 1, SAMPLES, value);
    apr_pool_destroy(pool);
    return times;
}

int main(int argc, char **argv)
{
    uint32_t most = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 10000000, objects;
    storer_bytes_t value;

    apr_initialize();
    value.len = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
    value.data = calloc(1, value.len + 1);
    printf("%10s %6s %15s %15s %15s %15s %15s   ns (in reads)\n", "objects", "read", "insert",
           "hit", "miss", "replace", "insert+evict");
    for (objects = 10000; objects <= most; objects *= 10) {
        times_t times = measure(objects, value);

        printf("%10u %6.0f %8.0f (%4.1f) %8.0f (%4.1f) %8.0f (%4.1f) %8.0f (%4.1f) %8.0f (%4.1f)\n",
               objects, times.read, times.insert, times.insert / times.read, times.hit,
               times.hit / times.read, times.miss, times.miss / times.read, times.replace,
               times.replace / times.read, times.evict, times.evict / times.read);
        fflush(stdout);
    }
    return 0;
}
