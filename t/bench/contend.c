/* SPDX-License-Identifier: Apache-2.0
 *
 * contend.c - do hits of several processes stand in each other's way? Hits a second of one process
 * and of several at once, on one hot key and on 10,000 keys, beside a loop that shares nothing at
 * all; and the 99th percentile of a hit's time without and with a process that stores 10 MB a
 * second.
 *
 *   contend [PROCESSES [SECONDS]]
 */
#include "memory/memory.h"

#include <apr_general.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEYS          10000u
#define BODY          4096u
#define PROCESSES_MAX 16
#define SAMPLES       200000u
#define WRITE_BYTES   (64u * 1024)
#define WRITES_PER_S  160u          /* of 64 KiB: 10 MB */

typedef struct board_t {
    int      go, stop;
    uint64_t done[PROCESSES_MAX];
    uint32_t sample[SAMPLES];       /* ns */
} board_t;

typedef struct task_t {
    memory_t *memory;
    board_t  *board;
    uint32_t  keys;                 /* 0: the floor, which asks no store */
} task_t;

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static storer_bytes_t key_of(char *buffer, uint32_t number)
{
    storer_bytes_t key = { buffer, 0 };

    key.len = (apr_size_t)sprintf(buffer, "http://bench.invalid:80/object/%u?", number);
    return key;
}

static void hit(const task_t *task, uint32_t number, apr_pool_t *pool)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    char name[64];
    storer_bytes_t key = key_of(name, number);

    if (!task->keys) {
        __asm__ volatile("" : : "r"(key.data) : "memory");
        return;
    }
    if (storer_get(&task->memory->base, key, 1, &view, pool) != APR_SUCCESS) {
        fputs("contend: a key is gone\n", stderr);
        _exit(1);
    }
    storer_view_release(&view);
}

static void wait_for_go(const board_t *board)
{
    while (!__atomic_load_n(&board->go, __ATOMIC_ACQUIRE)) {
        usleep(100);
    }
}

static int stopped(const board_t *board)
{
    return __atomic_load_n(&board->stop, __ATOMIC_RELAXED);
}

/* In a child: hits until it is told to stop. */
static void hammer(const task_t *task, int number)
{
    uint32_t at = (uint32_t)number * 7919u;
    uint64_t done = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (task->memory->base.ops->child_init(&task->memory->base, pool) != APR_SUCCESS) {
        _exit(1);
    }
    wait_for_go(task->board);
    while (!stopped(task->board)) {
        at = at * 1664525u + 1013904223u;
        hit(task, task->keys ? (at >> 8) % task->keys : at >> 8, pool);
        done++;
    }
    task->board->done[number] = done;
    _exit(0);
}

static void reap(pid_t *pid, int count)
{
    int i, status;

    for (i = 0; i < count; i++) {
        waitpid(pid[i], &status, 0);
        if (status != 0) {
            fputs("contend: a process failed\n", stderr);
            exit(1);
        }
    }
}

static double hits_per_second(task_t *task, uint32_t keys, int processes, unsigned seconds)
{
    pid_t pid[PROCESSES_MAX];
    uint64_t sum = 0;
    int i;

    task->keys = keys;
    task->board->go = task->board->stop = 0;
    for (i = 0; i < processes; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            hammer(task, i);
        }
    }
    usleep(100000);
    __atomic_store_n(&task->board->go, 1, __ATOMIC_RELEASE);
    sleep(seconds);
    __atomic_store_n(&task->board->stop, 1, __ATOMIC_RELAXED);
    reap(pid, processes);
    for (i = 0; i < processes; i++) {
        sum += task->board->done[i];
    }
    return (double)sum / seconds;
}

static void write_steadily(const task_t *task)
{
    storer_expiry_t never = { INT64_MAX, INT64_MAX };
    storer_bytes_t value = { calloc(1, WRITE_BYTES), WRITE_BYTES };
    uint32_t number = 0;
    apr_pool_t *pool;
    char name[64];

    apr_pool_create(&pool, NULL);
    if (task->memory->base.ops->child_init(&task->memory->base, pool) != APR_SUCCESS) {
        _exit(1);
    }
    while (!stopped(task->board)) {
        storer_set(&task->memory->base, key_of(name, 1000000 + number++ % 400), value, never, 1);
        usleep(1000000 / WRITES_PER_S);
    }
    _exit(0);
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

/* The 99th percentile of a hit, in ns, in this process. */
static double p99(const task_t *task, apr_pool_t *pool)
{
    uint32_t at = 1, i;

    for (i = 0; i < SAMPLES; i++) {
        uint64_t start = now_ns();

        at = at * 1664525u + 1013904223u;
        hit(task, (at >> 8) % KEYS, pool);
        task->board->sample[i] = (uint32_t)(now_ns() - start);
    }
    qsort(task->board->sample, SAMPLES, sizeof(uint32_t), compare);
    return task->board->sample[SAMPLES / 100 * 99];
}

static double p99_with_writer(task_t *task, apr_pool_t *pool)
{
    pid_t pid;
    double result;

    task->board->stop = 0;
    pid = fork();
    if (pid == 0) {
        write_steadily(task);
    }
    usleep(200000);
    result = p99(task, pool);
    __atomic_store_n(&task->board->stop, 1, __ATOMIC_RELAXED);
    reap(&pid, 1);
    return result;
}

static memory_t *open_store(apr_pool_t *pool)
{
    static storer_env_t env;
    storer_option_t options[] = { { "size", "256M" }, { NULL, NULL } };
    storer_expiry_t never = { INT64_MAX, INT64_MAX };
    storer_bytes_t value = { calloc(1, BODY), BODY };
    const char *errmsg = NULL;
    char name[64];
    storer_t *store;
    uint32_t i;

    env.pool = pool;
    env.api = &storer_api;
    if (storer_memory_engine.create(&store, options, &env, &errmsg) != APR_SUCCESS
        || store->ops->init(store, &errmsg) != APR_SUCCESS
        || store->ops->child_init(store, pool) != APR_SUCCESS) {
        fputs("contend: the store can't be used\n", stderr);
        exit(2);
    }
    for (i = 0; i < KEYS; i++) {
        storer_set(store, key_of(name, i), value, never, 1);
    }
    return (memory_t *)store;
}

int main(int argc, char **argv)
{
    int processes = argc > 1 ? atoi(argv[1]) : 2;
    unsigned seconds = argc > 2 ? (unsigned)atoi(argv[2]) : 2, i;
    static const struct {
        const char *name;
        uint32_t    keys;
    } loads[] = { { "floor: nothing shared", 0 }, { "one hot key", 1 }, { "10,000 keys", KEYS } };
    double quiet, busy, floor_ratio = 0;
    apr_pool_t *pool;
    task_t task;

    if (processes < 1 || processes > PROCESSES_MAX || seconds < 1) {
        fputs("usage: contend [PROCESSES [SECONDS]]\n", stderr);
        return 2;
    }
    apr_initialize();
    apr_pool_create(&pool, NULL);
    task.board = mmap(NULL, sizeof(board_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0);
    task.memory = open_store(pool);
    printf("%-24s %14s %14s %8s %16s\n", "hits/s", "1 process", "all at once", "ratio",
           "ratio to floor's");
    for (i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
        double one = hits_per_second(&task, loads[i].keys, 1, seconds);
        double all = hits_per_second(&task, loads[i].keys, processes, seconds);

        floor_ratio = i == 0 ? all / one : floor_ratio;
        printf("%-24s %14.0f %14.0f %8.2f %16.2f\n", loads[i].name, one, all, all / one,
               all / one / floor_ratio);
        fflush(stdout);
    }
    task.keys = KEYS;
    quiet = p99(&task, pool);
    quiet = p99(&task, pool);
    busy = p99_with_writer(&task, pool);
    printf("p99 of a hit, ns: %.0f; with a writer of 10 MB/s: %.0f; ratio %.2f\n", quiet, busy,
           busy / quiet);
    return 0;
}
