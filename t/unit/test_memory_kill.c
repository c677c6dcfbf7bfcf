/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_kill.c - of four processes that use one segment at full speed one is killed by
 * SIGKILL again and again, at any instruction. The others never wait long, read nothing torn, and
 * in the end nothing has leaked.
 */
#include "memory_fixture.h"
#include "tap.h"

#include <apr_general.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 4

/* Shared with the workers. */
typedef struct board_t {
    uint64_t steps[WORKERS];
    uint64_t longest[WORKERS];   /* step, ns: told, not judged */
    uint64_t torn;
    int      stop;
} board_t;

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void work(memory_t *memory, board_t *board, int number, uint64_t seed)
{
    uint64_t random = seed | 1;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (memory->base.ops->child_init(&memory->base, pool) != APR_SUCCESS) {
        _exit(TAP_CHILD_FAILED);
    }
    while (!__atomic_load_n(&board->stop, __ATOMIC_RELAXED)) {
        uint64_t start = now_ns(), taken;
        apr_pool_t *scratch;

        apr_pool_create(&scratch, pool);
        if (!fixture_step(memory, 150, &random, scratch)) {
            __atomic_add_fetch(&board->torn, 1, __ATOMIC_RELAXED);
        }
        apr_pool_destroy(scratch);
        taken = now_ns() - start;
        if (taken > board->longest[number]) {
            board->longest[number] = taken;
        }
        __atomic_add_fetch(&board->steps[number], 1, __ATOMIC_RELAXED);
    }
    apr_pool_destroy(pool);
    _exit(0);
}

static pid_t begin(memory_t *memory, board_t *board, int number, uint64_t seed)
{
    pid_t pid = fork();

    if (pid == 0) {
        work(memory, board, number, seed);
    }
    return pid;
}

/* Until each of the others has done some steps: a process that hangs would be waited for until the
 * alarm ends the test. */
static void wait_for_progress(board_t *board, int except)
{
    uint64_t before[WORKERS];
    struct timespec pause = { 0, 200000 };
    int i;

    for (i = 0; i < WORKERS; i++) {
        before[i] = __atomic_load_n(&board->steps[i], __ATOMIC_RELAXED);
    }
    for (i = 0; i < WORKERS; i++) {
        while (i != except
               && __atomic_load_n(&board->steps[i], __ATOMIC_RELAXED) < before[i] + 3) {
            nanosleep(&pause, NULL);
        }
    }
}

static double longest_of(const board_t *board)
{
    uint64_t longest = 0;
    int i;

    for (i = 0; i < WORKERS; i++) {
        longest = board->longest[i] > longest ? board->longest[i] : longest;
    }
    return (double)longest;
}

int main(void)
{
    int kills = tap_slow() ? 10 : 500, i, not_killed = 0;
    uint64_t random = 2026;
    pid_t pid[WORKERS];
    apr_uint64_t empty;
    apr_pool_t *pool;
    memory_t *memory;
    board_t *board;
    storer_stat_t stat;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED) {
        bail_out("no memory");
    }
    memory = fixture_open(pool, "1M");
    empty = fixture_used(memory);
    alarm(300);
    for (i = 0; i < WORKERS; i++) {
        pid[i] = begin(memory, board, i, fixture_random(&random));
    }
    for (i = 0; i < kills; i++) {
        int victim = (int)(fixture_random(&random) % WORKERS);

        wait_for_progress(board, -1);
        kill(pid[victim], SIGKILL);
        not_killed += tap_wait(pid[victim]) != -SIGKILL;
        wait_for_progress(board, victim);
        pid[victim] = begin(memory, board, victim, fixture_random(&random));
    }
    __atomic_store_n(&board->stop, 1, __ATOMIC_RELAXED);
    for (i = 0; i < WORKERS; i++) {
        not_killed += tap_wait(pid[i]) != 0;
    }
    is_int(not_killed, 0, "%d kills, and no other process ended by itself", kills);
    is_int((long long)board->torn, 0, "every value read is whole");
    pins_sweep(&memory->segment, entry_abandon);
    is_string(fixture_check(memory), NULL, "the segment is consistent");
    storer_reset(&memory->base);
    is_int((long long)fixture_used(memory), (long long)empty, "empty again, to the byte");
    storer_stat(&memory->base, &stat);
    note("%lu of the dead had the lock; the longest step of the others took %.1f ms",
         (unsigned long)stat.recoveries, longest_of(board) / 1e6);
    is_int((long long)stat.damages, 0, "no death was taken for damage");
    is_int(fixture_warnings(), 0, "no warning was logged");
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
