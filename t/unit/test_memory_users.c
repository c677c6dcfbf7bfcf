/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_users.c - a memory store in a file that processes of several pid namespaces use, as
 * containers on one volume do: nobody takes the others for dead, what they read stays whole, and what
 * the dead held comes back. A tool that only reads changes nothing.
 */
#include "memory_fixture.h"
#include "tap.h"

#include "memory/inspect.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYS 60

static const char *path;

static storer_env_t *environment(apr_pool_t *pool)
{
    storer_env_t *env = apr_pcalloc(pool, sizeof(*env));

    env->pool = pool;
    env->api = &storer_api;
    return env;
}

static memory_t *open_store(apr_pool_t *pool)
{
    storer_option_t options[] = { { "size", "1M" }, { "path", path }, { NULL, NULL } };
    const char *errmsg = NULL;
    storer_t *store;

    if (storer_memory_engine.create(&store, options, environment(pool), &errmsg) != APR_SUCCESS
        || store->ops->init(store, &errmsg) != APR_SUCCESS
        || store->ops->child_init(store, pool) != APR_SUCCESS) {
        return NULL;
    }
    return (memory_t *)store;
}

/* Everything is stored anew, and more than there is room for. */
static void churn(memory_t *memory, apr_pool_t *pool)
{
    uint64_t random = (uint64_t)getpid() * 77 + 1;
    char name[32];
    uint32_t i;

    for (i = 0; i < KEYS; i++) {
        storer_delete(&memory->base, fixture_key(name, i));
    }
    for (i = 0; i < 40 * KEYS; i++) {
        fixture_store(memory, i % (4 * KEYS), &random, pool);
    }
}

/* ---- another container ---- */

/* A process in a pid namespace of its own, where its number is 1, and /proc is the outer one's. It does
 * what the bytes that it gets say: 'c' churn; 'h' hold a value. Each is answered. */
typedef struct other_t {
    pid_t keeper;        /* its parent, which is in our namespace */
    int   to, from;
} other_t;

static void serve(int in, int out)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    char order, answer = 'y', name[32];
    apr_pool_t *pool;
    memory_t *memory;

    apr_pool_create(&pool, NULL);
    memory = open_store(pool);
    answer = memory ? 'y' : 'n';
    while (write(out, &answer, 1) == 1 && read(in, &order, 1) == 1) {
        if (order == 'c') {
            churn(memory, pool);
        }
        else if (order == 'h') {
            answer = storer_get(&memory->base, fixture_key(name, 1), FIXTURE_NOW, &view, pool)
                     == APR_SUCCESS ? 'y' : 'n';
        }
        else if (order == 'w') {
            answer = fixture_whole(&view, 1) ? 'y' : 'n';
        }
    }
    _exit(0);
}

/* @return 0: there are no namespaces to be had here */
static int start_other(other_t *other)
{
    int to[2], from[2];
    char answer = 0;

    if (pipe(to) != 0 || pipe(from) != 0) {
        bail_out("no pipe");
    }
    other->keeper = fork();
    if (other->keeper == 0) {
        pid_t child;

        close(to[1]);
        close(from[0]);
        if (unshare(CLONE_NEWPID) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) {
            _exit(0);
        }
        child = fork();
        if (child == 0) {
            serve(to[0], from[1]);
        }
        close(from[1]);
        _exit(child > 0 && waitpid(child, NULL, 0) == child ? 0 : 1);
    }
    close(to[0]);
    close(from[1]);
    other->to = to[1];
    other->from = from[0];
    return read(other->from, &answer, 1) == 1 && ok(answer == 'y', "another container opens the store");
}

static int tell(const other_t *other, char order)
{
    char answer = 0;

    return write(other->to, &order, 1) == 1 && read(other->from, &answer, 1) == 1 && answer == 'y';
}

static void end_other(other_t *other)
{
    close(other->to);
    (void)tap_wait(other->keeper);
    close(other->from);
}

static void test_containers(void)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    uint64_t random = 9;
    apr_pool_t *pool;
    memory_t *memory;
    other_t other;
    char name[32];
    uint32_t i;

    apr_pool_create(&pool, NULL);
    memory = open_store(pool);
    for (i = 0; memory && i < KEYS; i++) {
        fixture_store(memory, i, &random, pool);
    }
    if (!memory || storer_get(&memory->base, fixture_key(name, 7), FIXTURE_NOW, &view, pool)
                   != APR_SUCCESS) {
        bail_out("no value");
    }
    if (!start_other(&other)) {
        skip("no pid namespace can be made here");
        end_other(&other);
        storer_view_release(&view);
        apr_pool_destroy(pool);
        return;
    }
    ok(tell(&other, 'c'), "it replaces and evicts everything");
    ok(fixture_whole(&view, 7), "what is read here stays whole");
    storer_view_release(&view);
    ok(tell(&other, 'h'), "it reads a value");
    churn(memory, pool);
    memory->base.ops->child_init(&memory->base, pool); /* as each new process: looks for dead ones */
    churn(memory, pool);
    ok(tell(&other, 'w'), "which stays whole while everything is replaced here");
    is_string(fixture_check(memory), NULL, "the segment is consistent");
    end_other(&other);
    pins_sweep(&memory->segment, entry_abandon);
    ok(pins_all_free(&memory->segment), "once it has ended, all that it held comes back");
    is_string(fixture_check(memory), NULL, "the segment is consistent");
    apr_pool_destroy(pool);
}

/* ---- all are dead ---- */

/* A process is killed with the lock in its hand, a change half done, and a value held; nobody is there
 * to whom the lock would be handed on. */
static void test_last_one_dies(void)
{
    apr_pool_t *pool;
    memory_t *memory;
    pid_t pid = fork();

    if (pid == 0) {
        storer_view_t view = STORER_VIEW_EMPTY;
        uint64_t random = 11;
        int recovered;
        char name[32];

        apr_pool_create(&pool, NULL);
        memory = open_store(pool);
        if (!memory || fixture_store(memory, 3, &random, pool) != APR_SUCCESS
            || storer_get(&memory->base, fixture_key(name, 3), FIXTURE_NOW, &view, pool) != APR_SUCCESS
            || journal_lock(&memory->segment, &recovered) != APR_SUCCESS) {
            _exit(1);
        }
        journal_set64(&memory->segment, &memory->segment.header->entries, 123456);
        raise(SIGKILL);
    }
    is_int(tap_wait(pid), -SIGKILL, "the last user dies in the middle of a change");
    apr_pool_create(&pool, NULL);
    memory = open_store(pool);
    if (ok(memory != NULL, "the next one opens the store")) {
        is_string(fixture_check(memory), NULL, "the change was undone");
        is_int(memory->segment.header->damaged, 0, "which is no damage");
        ok(pins_all_free(&memory->segment), "and nothing is held any more");
    }
    apr_pool_destroy(pool);
}

/* ---- a tool ---- */

static uint64_t sum_of_file(void)
{
    FILE *file = fopen(path, "r");
    uint64_t sum = 1469598103934665603u;
    int byte;

    while (file && (byte = getc(file)) != EOF) {
        sum = (sum ^ (uint64_t)byte) * 1099511628211u;
    }
    if (file) {
        fclose(file);
    }
    return sum;
}

static apr_status_t count_whole(void *baton, storer_bytes_t key, storer_view_t *value)
{
    *(int *)baton += fixture_whole(value, (uint32_t)strtoul(key.data + 4, NULL, 10));
    return APR_SUCCESS;
}

static void test_tool(void)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    uint64_t random = 5, before;
    const char *problem = NULL;
    apr_pool_t *pool;
    memory_t *memory;
    storer_t *tool = NULL;
    int whole = 0, in_use = 0;
    char name[32];
    uint32_t i;

    apr_pool_create(&pool, NULL);
    memory = open_store(pool);
    storer_reset(&memory->base);
    for (i = 0; i < 20; i++) {
        fixture_store(memory, i, &random, pool);
    }
    before = sum_of_file();
    is_status(inspect_read(&tool, path, environment(pool), &problem), APR_SUCCESS, "a tool reads it");
    storer_map_keys(tool, storer_bytes("key-"), FIXTURE_NOW, count_whole, &whole, pool);
    is_int(whole, (int)memory->segment.header->entries, "all values, and whole");
    is_status(storer_get(tool, fixture_key(name, 5), FIXTURE_NOW, &view, pool), APR_SUCCESS, "one");
    storer_view_release(&view);
    is_status(storer_get(tool, storer_bytes("none"), FIXTURE_NOW, &view, pool), APR_NOTFOUND, "none");
    is_status(storer_delete(tool, fixture_key(name, 5)), APR_ENOTIMPL, "it cannot delete");
    is_status(inspect_copy(&tool, path, environment(pool), &in_use, &problem), APR_SUCCESS,
              "a tool checks it");
    is_int(in_use, 1, "which is in use");
    ok(before == sum_of_file(), "not a byte of the file has changed");
    apr_pool_destroy(pool);
    apr_pool_create(&pool, NULL);
    before = sum_of_file();
    is_status(inspect_copy(&tool, path, environment(pool), &in_use, &problem), APR_SUCCESS, "check");
    is_int(in_use, 0, "it is not in use");
    ok(before == sum_of_file(), "not a byte of the file has changed");
    apr_pool_destroy(pool);
}

/* A tool that reads while others change everything: each value that it gets is whole. */
static void test_tool_meanwhile(void)
{
    const char *problem = NULL;
    apr_pool_t *pool, *scratch;
    storer_t *tool = NULL;
    int right = 1, found = 0, rounds = tap_slow() ? 2000 : 50000, round;
    char name[32];
    pid_t pid = fork();

    if (pid == 0) {
        memory_t *memory;

        apr_pool_create(&pool, NULL);
        memory = open_store(pool);
        for (;;) {
            churn(memory, pool);
        }
    }
    apr_pool_create(&pool, NULL);
    apr_pool_create(&scratch, pool);
    inspect_read(&tool, path, environment(pool), &problem);
    for (round = 0; tool && round < rounds; round++) {
        storer_view_t view = STORER_VIEW_EMPTY;
        uint32_t key = (uint32_t)round % KEYS;

        apr_pool_clear(scratch);
        if (storer_get(tool, fixture_key(name, key), FIXTURE_NOW, &view, scratch) == APR_SUCCESS) {
            found++;
            right &= fixture_whole(&view, key);
            storer_view_release(&view);
        }
    }
    kill(pid, SIGKILL);
    (void)tap_wait(pid);
    ok(right && found > 0, "%d values read by a tool while they change were whole", found);
    apr_pool_destroy(pool);
}

int main(void)
{
    char folder[] = "memory-users.XXXXXX", here[4096];
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!mkdtemp(folder) || !getcwd(here, sizeof(here))) {
        bail_out("no folder");
    }
    path = apr_pstrcat(pool, here, "/", folder, "/store", NULL);
    test_containers();
    test_last_one_dies();
    test_tool();
    test_tool_meanwhile();
    unlink(path);
    rmdir(folder);
    return done_testing();
}
