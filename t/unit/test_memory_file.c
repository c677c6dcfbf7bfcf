/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_file.c - a memory store in a file: what it holds is found again by the next process,
 * also when the last one was killed, and dropped where it can't be trusted.
 */
#include "memory_fixture.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int notices;

static void count_notice(void *baton, storer_log_level_e level, apr_status_t rv,
                         const char *message)
{
    (void)baton;
    (void)rv;
    notices += level <= STORER_LOG_NOTICE;
    note("logged: %s", message);
}

/* NULL where init fails. */
static memory_t *open_file_store(apr_pool_t *pool, const char *path, const char *size)
{
    storer_env_t *env = apr_pcalloc(pool, sizeof(*env));
    storer_option_t options[] = { { "size", size }, { "path", path }, { NULL, NULL } };
    const char *errmsg = NULL;
    storer_t *store;

    env->pool = pool;
    env->api = &storer_api;
    env->log = count_notice;
    if (storer_memory_engine.create(&store, options, env, &errmsg) != APR_SUCCESS
        || store->ops->init(store, &errmsg) != APR_SUCCESS) {
        note("refused: %s", errmsg);
        return NULL;
    }
    return store->ops->child_init(store, pool) == APR_SUCCESS ? (memory_t *)store : NULL;
}

/* Another process opens the store, stores 50 values, and ends as told. */
static void fill(const char *path, const char *size, int killed)
{
    pid_t pid = fork();

    if (pid == 0) {
        uint64_t random = 3;
        apr_pool_t *pool;
        memory_t *memory;
        uint32_t i;

        apr_pool_create(&pool, NULL);
        memory = open_file_store(pool, path, size);
        for (i = 0; memory && i < 50; i++) {
            fixture_store(memory, i, &random, pool);
        }
        if (killed) {
            raise(SIGKILL);
        }
        apr_pool_destroy(pool);
        _exit(0);
    }
    is_int(tap_wait(pid), killed ? -SIGKILL : 0, "a process stores values and %s",
           killed ? "is killed" : "ends");
}

static int count_whole(memory_t *memory, apr_pool_t *pool)
{
    int whole = 0;
    char name[32];
    uint32_t i;

    for (i = 0; i < 50; i++) {
        storer_view_t view = STORER_VIEW_EMPTY;

        if (storer_get(&memory->base, fixture_key(name, i), FIXTURE_NOW, &view, pool)
            == APR_SUCCESS) {
            whole += fixture_whole(&view, i);
            storer_view_release(&view);
        }
    }
    return whole;
}

static void expect(const char *path, const char *size, int found, const char *what)
{
    apr_pool_t *pool;
    memory_t *memory;
    int whole;

    apr_pool_create(&pool, NULL);
    memory = open_file_store(pool, path, size);
    if (ok(memory != NULL, "%s: the store opens", what)) {
        whole = count_whole(memory, pool);
        ok(found ? whole > 30 : whole == 0, "%s: %d values are there", what, whole);
        is_string(fixture_check(memory), NULL, "%s: the segment is consistent", what);
    }
    apr_pool_destroy(pool);
}

static void damage_boot(const char *path)
{
    int file = open(path, O_RDWR);
    uint64_t other = 77;

    if (pwrite(file, &other, sizeof(other), offsetof(memory_header_t, stamp.boot)) != sizeof(other)) {
        bail_out("the file can't be written");
    }
    close(file);
}

static void test_life(const char *path)
{
    struct stat info;

    fill(path, "1M", 0);
    expect(path, "1M", 1, "after a stop and start");
    fill(path, "1M", 1);
    expect(path, "1M", 1, "after SIGKILL");
    is_int(notices, 0, "nothing to tell so far");
    expect(path, "2M", 0, "with another size");
    is_int(notices, 1, "which is told");
    fill(path, "2M", 0);
    damage_boot(path);
    expect(path, "2M", 0, "after a start of the machine");
    is_int(notices, 2, "which is told");
    ok(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600, "only its owner may read the file");
    if (truncate(path, 100) != 0) {
        bail_out("the file can't be cut");
    }
    expect(path, "2M", 0, "with a file that was cut");
}

/* The children of a former configuration keep what they have. */
static void test_replaced_in_use(const char *path)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_pool_t *pool;
    memory_t *memory;
    char name[32];

    apr_pool_create(&pool, NULL);
    fill(path, "2M", 0);
    memory = open_file_store(pool, path, "2M");
    storer_get(&memory->base, fixture_key(name, 7), FIXTURE_NOW, &view, pool);
    expect(path, "2M", 1, "shared with a process that uses it");
    expect(path, "3M", 0, "replaced while a process uses it");
    ok(fixture_whole(&view, 7), "that one still reads what it had");
    storer_view_release(&view);
    apr_pool_destroy(pool);
}

static void test_refused(const char *path, apr_pool_t *pool)
{
    unlink(path);
    ok(open_file_store(pool, apr_pstrcat(pool, path, "/not/there", NULL), "1M") == NULL,
       "a folder that does not exist is an error at start");
    if (symlink("elsewhere", path) != 0) {
        bail_out("no link");
    }
    ok(open_file_store(pool, path, "1M") == NULL, "a symbolic link is not followed");
}

int main(void)
{
    char folder[] = "memory-file.XXXXXX", here[4096];
    const char *path;
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!mkdtemp(folder) || !getcwd(here, sizeof(here))) {
        bail_out("no folder");
    }
    path = apr_pstrcat(pool, here, "/", folder, "/store", NULL);
    test_life(path);
    test_replaced_in_use(path);
    test_refused(path, pool);
    unlink(path);
    rmdir(folder);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
