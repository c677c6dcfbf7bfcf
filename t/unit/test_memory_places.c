/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_places.c - each process that httpd may run has a place in a store, however small the
 * store is, and a store with too few places says so. Processes without a place find nothing.
 */
#include "memory_fixture.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

/* Shared with the processes. */
typedef struct board_t {
    int hits;
    int pass; /* pipes would need a descriptor for each */
} board_t;

static char last_warning[400];

static void take_line(void *baton, storer_log_level_e level, apr_status_t rv, const char *message)
{
    (void)baton;
    (void)rv;
    if (level <= STORER_LOG_WARNING) {
        apr_cpystrn(last_warning, message, sizeof(last_warning));
    }
}

static memory_t *open_for(apr_uint32_t processes, apr_uint32_t threads, const char *size,
                          apr_pool_t *pool)
{
    storer_env_t *env = apr_pcalloc(pool, sizeof(*env));

    env->log = take_line;
    env->processes = processes;
    env->threads = threads;
    last_warning[0] = '\0';
    return fixture_create(env, size, pool);
}

static void look_up(memory_t *memory, board_t *board, int go_on)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    char key[20], byte;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (memory->base.ops->child_init(&memory->base, pool) == APR_SUCCESS
        && storer_get(&memory->base, fixture_key(key, 1), FIXTURE_NOW, &view, pool) == APR_SUCCESS
        && fixture_whole(&view, 1)) {
        __atomic_add_fetch(&board->hits, 1, __ATOMIC_SEQ_CST);
    }
    __atomic_add_fetch(&board->pass, 1, __ATOMIC_SEQ_CST);
    (void)read(go_on, &byte, 1); /* until the parent closes: its place stays taken */
    _exit(0);
}

/* All of them are there at a time. */
static void test_processes(int count, const char *size, board_t *board, apr_pool_t *parent)
{
    memory_t *memory;
    uint64_t random = 7;
    apr_pool_t *pool, *own;
    int go_on[2], i;
    pid_t pid[400];

    apr_pool_create(&pool, parent);
    memory = open_for((apr_uint32_t)count, 1, size, pool);
    is_string(last_warning, "", "size=%s for %d processes: no warning", size, count);
    apr_pool_create(&own, pool);
    memory->base.ops->child_init(&memory->base, own);
    fixture_store(memory, 1, &random, own);
    apr_pool_destroy(own); /* its place is free again */
    memset(board, 0, sizeof(*board));
    if (pipe(go_on) != 0) {
        bail_out("no pipe");
    }
    for (i = 0; i < count; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            close(go_on[1]);
            look_up(memory, board, go_on[0]);
        }
    }
    while (__atomic_load_n(&board->pass, __ATOMIC_SEQ_CST) < count) {
        usleep(1000);
    }
    close(go_on[1]);
    for (i = 0; i < count; i++) {
        tap_wait(pid[i]);
    }
    close(go_on[0]);
    is_int(board->hits, count, "each of them has its hit while all are there");
    apr_pool_destroy(pool);
}

static void test_too_many(apr_pool_t *parent)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    open_for(100000, 1, "1M", pool);
    ok(strstr(last_warning, "100000") && strstr(last_warning, "size="),
       "a store with too few places names the number of processes and the option");
    note("%s", last_warning);
    apr_pool_destroy(pool);
}

int main(void)
{
    apr_pool_t *pool;
    board_t *board;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED) {
        bail_out("no memory");
    }
    alarm(300);
    test_processes(79, "2M", board, pool);
    test_processes(149, "8M", board, pool);
    test_processes(300, "1M", board, pool);
    test_too_many(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
