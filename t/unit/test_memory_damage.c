/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_damage.c - bytes of a private segment are flipped: what follows are misses and
 * warnings, never a crash, a hang, a read outside the segment or a value of another key; and the
 * store works again afterwards.
 *
 * Left alone are the lock's own bytes (who can write there can stop every process at once) and the
 * table of pins: a false pin keeps the memory it names until its process ends, which is what a pin
 * is for.
 */
#include "memory_fixture.h"
#include "tap.h"

#include <apr_general.h>

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#define KEYS 60

/* An offset to damage: the header, the tables or the blocks, each as often. */
static uint64_t choose(const memory_t *memory, uint64_t *random)
{
    const memory_geometry_t *geometry = &memory->segment.geometry;
    uint64_t heap = (uint64_t)geometry->first_block * MEMORY_UNIT, draw = fixture_random(random);
    uint64_t after_lock = offsetof(memory_header_t, notice);

    switch (draw % 4) {
    case 0:
        return after_lock + (draw >> 8) % (offsetof(memory_header_t, journal) - after_lock + 16);
    case 1:
        return geometry->buckets + (draw >> 8) % (geometry->lines - geometry->buckets);
    default:
        /* the headers of blocks, where it hurts */
        return heap + (draw >> 8) % ((geometry->size - heap) / MEMORY_UNIT) * MEMORY_UNIT
               + (draw >> 40) % 80 % MEMORY_UNIT;
    }
}

/* A flipped byte of the body is not noticed by the engine, so only length and key count here. */
static int plausible(storer_view_t *view)
{
    apr_off_t length = (apr_off_t)view->part.len;

    while (storer_view_next(view) == APR_SUCCESS) {
        length += (apr_off_t)view->part.len;
    }
    return length == view->length;
}

static int use(memory_t *memory, uint64_t *random, apr_pool_t *pool)
{
    uint32_t i;
    char name[32];

    for (i = 0; i < KEYS * 4; i++) {
        storer_view_t view = STORER_VIEW_EMPTY;

        if (i % 3 == 0) {
            fixture_store(memory, i % KEYS, random, pool);
        }
        if (storer_get(&memory->base, fixture_key(name, i % KEYS), FIXTURE_NOW, &view, pool)
            == APR_SUCCESS) {
            int right = plausible(&view);

            storer_view_release(&view);
            if (!right) {
                return 0;
            }
        }
    }
    return 1;
}

/* A segment, damaged in a few places, in a process of its own. */
static void damaged_life(uint64_t seed)
{
    apr_pool_t *pool;
    memory_t *memory;
    uint64_t random = seed;
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_bytes_t value = storer_bytes("it works again");
    int i;

    apr_pool_create(&pool, NULL);
    alarm(60);
    memory = fixture_open(pool, "1M");
    for (i = 0; i < KEYS * 3; i++) {
        fixture_store(memory, (uint32_t)i % KEYS, &random, pool);
    }
    for (i = 0; i < 8; i++) {
        uint64_t flips = fixture_random(&random) % 12, j;

        for (j = 0; j <= flips; j++) {
            memory->segment.base[choose(memory, &random)] ^= (char)(1 << fixture_random(&random) % 8);
        }
        if (!use(memory, &random, pool)) {
            _exit(2);
        }
    }
    storer_reset(&memory->base);
    storer_set(&memory->base, storer_bytes("new"), value, fixture_expiry(), FIXTURE_NOW);
    if (storer_set(&memory->base, storer_bytes("new"), value, fixture_expiry(), FIXTURE_NOW)
            != APR_SUCCESS
        || storer_get(&memory->base, storer_bytes("new"), FIXTURE_NOW, &view, pool)
               != APR_SUCCESS) {
        _exit(3);
    }
    storer_view_release(&view);
    _exit(fixture_warnings() ? 10 : 0);
}

int main(void)
{
    int lives = tap_slow() ? 20 : 600, i, crashed = 0, wrong = 0, useless = 0, warned = 0;

    apr_initialize();
    for (i = 0; i < lives; i++) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
            damaged_life((uint64_t)i * 977 + 1);
        }
        status = tap_wait(pid);
        if (status < 0 || status == 1) {
            diag("seed %d ended with %d", i, status);
            crashed++;
        }
        wrong += status == 2;
        if (status == 3) {
            diag("seed %d: useless", i);
        }
        useless += status == 3;
        warned += status == 10;
    }
    is_int(crashed, 0, "%d damaged segments: no crash, no hang", lives);
    is_int(wrong, 0, "no value of a wrong length was handed out");
    is_int(useless, 0, "each store took values again afterwards");
    ok(warned > lives / 10, "damage was noticed and logged in %d of them", warned);
    apr_terminate();
    return done_testing();
}
