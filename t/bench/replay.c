/* SPDX-License-Identifier: Apache-2.0
 *
 * replay.c - the hit ratio of the memory engine on a trace.
 *
 *   replay --mode P|T --budget N [--unsized] [--procs P] [--kill] [--seed S] [--warm FILE] FILE...
 *
 * FILE: records of 8 bytes (key, size; little-endian), "-" for standard input. See README.md here.
 */
#include "replay.h"

#include <apr_general.h>

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES_MAX 64

/* Shared by the processes of a run. */
typedef struct board_t {
    uint64_t       next;
    replay_count_t count[PROCESSES_MAX];
} board_t;

static void usage(void)
{
    fputs("usage: replay --mode P|T --budget N [--unsized] [--procs P] [--kill] [--seed S]\n"
          "              [--warm FILE] FILE...\n", stderr);
    exit(2);
}

static void fail(const char *what)
{
    fprintf(stderr, "replay: %s\n", what);
    exit(2);
}

static memory_t *open_store(const replay_plan_t *plan, uint64_t footprint, apr_pool_t *pool)
{
    storer_env_t *env = apr_pcalloc(pool, sizeof(*env));
    uint64_t bytes = plan->mode == REPLAY_TOTAL ? plan->budget * (plan->unsized ? 4096 : 1)
                                                : footprint * 2 + (64u << 20);
    char size[32];
    storer_option_t options[] = { { "size", size }, { NULL, NULL } };
    const char *errmsg = NULL;
    storer_t *store;

    env->pool = pool;
    env->api = &storer_api;
    snprintf(size, sizeof(size), "%llu", (unsigned long long)(bytes / 4096 * 4096));
    if (storer_memory_engine.create(&store, options, env, &errmsg) != APR_SUCCESS
        || store->ops->init(store, &errmsg) != APR_SUCCESS
        || store->ops->child_init(store, pool) != APR_SUCCESS) {
        fail(errmsg ? errmsg : "the store can't be used");
    }
    return (memory_t *)store;
}

/* The same seed gives the same placement of keys, so that a run can be repeated. */
static void set_seed(memory_t *memory, uint64_t seed)
{
    memory->segment.header->stamp.seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    memory->segment.seed = memory->segment.header->stamp.seed;
}

static void work(memory_t *memory, const replay_plan_t *plan, const replay_trace_t *trace,
                 board_t *board, int number)
{
    apr_pool_t *pool;
    uint64_t at;

    apr_pool_create(&pool, NULL);
    for (;;) {
        at = __atomic_fetch_add(&board->next, 1, __ATOMIC_SEQ_CST);
        if (at >= trace->count) {
            break;
        }
        replay_request(memory, plan, &trace->record[at], at, &board->count[number], pool);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
}

static void run_processes(memory_t *memory, const replay_plan_t *plan,
                          const replay_trace_t *trace, board_t *board)
{
    pid_t pid[PROCESSES_MAX];
    int i, status;

    for (i = 0; i < plan->processes; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            apr_pool_t *pool;

            apr_pool_create(&pool, NULL);
            if (memory->base.ops->child_init(&memory->base, pool) != APR_SUCCESS) {
                _exit(1);
            }
            work(memory, plan, trace, board, i);
            apr_pool_destroy(pool);
            _exit(0);
        }
    }
    if (plan->kill) {
        while (__atomic_load_n(&board->next, __ATOMIC_SEQ_CST) < trace->count / 2) {
            usleep(100);
        }
        kill(pid[0], SIGKILL);
    }
    for (i = 0; i < plan->processes; i++) {
        waitpid(pid[i], &status, 0);
        if (status != 0 && !(plan->kill && i == 0)) {
            fail("a process failed");
        }
    }
}

static void run(memory_t *memory, const replay_plan_t *plan, const replay_trace_t *trace,
                board_t *board)
{
    memset(board, 0, sizeof(*board));
    if (plan->processes == 1) {
        work(memory, plan, trace, board, 0);
    }
    else {
        run_processes(memory, plan, trace, board);
    }
}

static void add_up(const board_t *board, int processes, replay_count_t *sum)
{
    int i;

    memset(sum, 0, sizeof(*sum));
    for (i = 0; i < processes; i++) {
        const replay_count_t *one = &board->count[i];

        sum->requests += one->requests;
        sum->hits += one->hits;
        sum->wrong_hits += one->wrong_hits;
        sum->absent += one->absent;
        sum->too_large += one->too_large;
        sum->no_room += one->no_room;
        sum->busy += one->busy;
        sum->bytes_requested += one->bytes_requested;
        sum->bytes_missed += one->bytes_missed;
        sum->inserts += one->inserts;
        sum->largest = one->largest > sum->largest ? one->largest : sum->largest;
        sum->most_resident = one->most_resident > sum->most_resident ? one->most_resident
                                                                     : sum->most_resident;
    }
}

/* All sizes of distinct objects are not known before; all requests' are enough of a bound. */
static uint64_t bound_of_footprint(const replay_plan_t *plan, const replay_trace_t *trace)
{
    uint64_t sum = 0, i;

    for (i = 0; i < trace->count; i++) {
        sum += plan->unsized ? 4096 : trace->record[i].size;
    }
    return sum > (UINT64_C(1) << 34) ? UINT64_C(1) << 34 : sum;
}

static const char *parse(int argc, char **argv, replay_plan_t *plan)
{
    static const struct option options[] = {
        { "mode", required_argument, NULL, 'm' }, { "budget", required_argument, NULL, 'b' },
        { "unsized", no_argument, NULL, 'u' }, { "procs", required_argument, NULL, 'p' },
        { "kill", no_argument, NULL, 'k' }, { "seed", required_argument, NULL, 's' },
        { "warm", required_argument, NULL, 'w' }, { NULL, 0, NULL, 0 }
    };
    const char *warm = NULL;
    int option;

    for (option = getopt_long(argc, argv, "", options, NULL); option != -1;
         option = getopt_long(argc, argv, "", options, NULL)) {
        switch (option) {
        case 'm': plan->mode = (replay_mode_e)optarg[0]; break;
        case 'b': plan->budget = strtoull(optarg, NULL, 10); break;
        case 'u': plan->unsized = 1; break;
        case 'p': plan->processes = atoi(optarg); break;
        case 'k': plan->kill = 1; break;
        case 's': plan->seed = strtoull(optarg, NULL, 10); break;
        case 'w': warm = optarg; break;
        default: usage();
        }
    }
    if ((plan->mode != REPLAY_PAYLOAD && plan->mode != REPLAY_TOTAL) || plan->budget == 0
        || plan->processes < 1 || plan->processes > PROCESSES_MAX || optind == argc
        || (plan->kill && plan->processes < 2)) {
        usage();
    }
    return warm;
}

int main(int argc, char **argv)
{
    replay_plan_t plan = { 0, 0, 0, 1, 0, 1 };
    replay_trace_t trace = { NULL, 0 }, warm_up = { NULL, 0 };
    const char *warm = parse(argc, argv, &plan);
    replay_count_t sum;
    apr_time_t start;
    apr_pool_t *pool;
    memory_t *memory;
    board_t *board;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (; optind < argc; optind++) {
        replay_load(&trace, argv[optind]);
    }
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trace.count == 0 || board == MAP_FAILED) {
        fail(trace.count ? "no memory" : "no records");
    }
    memory = open_store(&plan, bound_of_footprint(&plan, &trace), pool);
    set_seed(memory, plan.seed);
    if (warm) {
        replay_load(&warm_up, warm);
        run(memory, &plan, &warm_up, board);
    }
    start = apr_time_now();
    run(memory, &plan, &trace, board);
    add_up(board, plan.processes, &sum);
    replay_report(memory, &plan, &sum, &trace, (double)(apr_time_now() - start) / 1e6, stdout);
    return sum.wrong_hits ? 1 : 0;
}
