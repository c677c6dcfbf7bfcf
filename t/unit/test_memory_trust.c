/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_trust.c - which files a memory store takes (path=): none that another user could read,
 * change or replace, none with something else in it, none that another store has. What is refused is
 * left as it is, at the test of the configuration already.
 */
#include "memory_fixture.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define STRANGER 65534

static const char *folder, *path;

static storer_env_t *environment(apr_pool_t *pool)
{
    storer_env_t *env = apr_pcalloc(pool, sizeof(*env));

    env->pool = pool;
    env->api = &storer_api;
    return env;
}

/* What is wrong with a store of 1 MB at this path: by the test of the configuration (init 0), or by its
 * start. NULL: nothing. */
static const char *problem_of(const char *where, int init, apr_pool_t *pool)
{
    storer_option_t options[] = { { "size", "1M" }, { "path", where }, { NULL, NULL } };
    const char *errmsg = NULL;
    storer_t *store;
    apr_status_t rv = storer_memory_engine.create(&store, options, environment(pool), &errmsg);

    if (rv == APR_SUCCESS && init) {
        rv = store->ops->init(store, &errmsg);
    }
    return rv == APR_SUCCESS ? NULL : errmsg ? errmsg : "no reason";
}

static void refused(const char *where, const char *reason, const char *what)
{
    apr_pool_t *pool;
    int init;

    apr_pool_create(&pool, NULL);
    for (init = 0; init < 2; init++) {
        const char *problem = problem_of(where, init, pool);

        ok(problem && strstr(problem, reason), "%s: refused %s", what,
           init ? "at the start" : "when the configuration is tested");
        note("%s", problem ? problem : "not refused");
    }
    apr_pool_destroy(pool);
}

static void taken(const char *where, const char *what)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    is_string(problem_of(where, 0, pool), NULL, "%s: the configuration is right", what);
    is_string(problem_of(where, 1, pool), NULL, "%s: and the start takes it", what);
    apr_pool_destroy(pool);
}

static void write_text(const char *where, const char *text)
{
    FILE *file = fopen(where, "w");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(where, 0600) != 0) {
        bail_out("%s cannot be written", where);
    }
}

static void must(int result, const char *what)
{
    if (result != 0) {
        bail_out("%s", what);
    }
}

static int has_text(const char *where, const char *text)
{
    char found[100] = "";
    FILE *file = fopen(where, "r");
    size_t length = file ? fread(found, 1, sizeof(found) - 1, file) : 0;

    if (file) {
        fclose(file);
    }
    return length == strlen(text) && strcmp(found, text) == 0;
}

static void test_contents(apr_pool_t *pool)
{
    static const char precious[] = "all my passwords\n";

    write_text(path, precious);
    refused(path, "something else in it", "a file that is no store");
    ok(has_text(path, precious), "it is left as it is");
    write_text(path, "x");
    refused(path, "something else in it", "a file of one byte");
    write_text(path, "");
    taken(path, "an empty file");
    taken(path, "a store");
    must(truncate(path, 4096), "truncate");
    taken(path, "a store that was cut");
    write_text(path, "00MEMRTS and nothing yet"); /* MEMORY_MAGIC_UNMADE on a little-endian machine */
    taken(path, "a file that was being made when the process ended");
    must(unlink(path), "unlink");
    taken(path, "no file");
    (void)pool;
}

static void test_rights(apr_pool_t *pool)
{
    const char *other = apr_pstrcat(pool, path, ".other", NULL);

    must(chmod(path, 0666), "chmod");
    refused(path, "mode 0666", "a file that others can write");
    must(chmod(path, 0640), "chmod");
    refused(path, "mode 0640", "a file that others can read");
    must(chmod(path, 0600), "chmod");
    must(link(path, other), "link");
    refused(path, "2 names", "a file with another name");
    must(unlink(other), "unlink");
    taken(path, "a file with one name");
    must(rename(path, other) || symlink(other, path), "symlink");
    refused(path, "symbolic link", "a symbolic link");
    must(unlink(path) || unlink(other), "unlink");
    must(symlink(other, path), "symlink");
    refused(path, "symbolic link", "a symbolic link to nothing");
    must(unlink(path) || mkfifo(path, 0600), "mkfifo");
    refused(path, "not a regular file", "a pipe");
    must(unlink(path), "unlink");
    if (geteuid() != 0) {
        skip("only root can make files of another user");
        return;
    }
    write_text(path, "");
    must(chown(path, STRANGER, (gid_t)-1), "chown");
    refused(path, "belongs to the user", "another user's file");
    must(unlink(path), "unlink");
}

static void test_folder(apr_pool_t *pool)
{
    refused(folder, "is a directory", "a directory");
    refused(apr_pstrcat(pool, folder, "/", NULL), "names no file", "a directory, by its name");
    refused(apr_pstrcat(pool, folder, "/none/store", NULL), "No such file", "a folder that is missing");
    write_text(path, "");
    refused(apr_pstrcat(pool, path, "/store", NULL), "Not a directory", "a folder that is a file");
    must(unlink(path), "unlink");
    must(chmod(folder, 0777), "chmod");
    refused(path, "writable for other users", "a folder that others can write");
    must(chmod(folder, 0770), "chmod");
    refused(path, "writable for other users", "a folder that a group can write");
    must(chmod(folder, 01777), "chmod");
    taken(path, "a folder with the sticky bit");
    must(chmod(folder, 0700), "chmod");
    if (geteuid() != 0) {
        skip("only root can give a folder to another user");
        return;
    }
    must(chown(folder, STRANGER, (gid_t)-1), "chown");
    refused(path, "who could replace", "another user's folder");
    must(chown(folder, 0, (gid_t)-1), "chown");
}

/* ---- two stores ---- */

static apr_status_t add(storer_registry_t *registry, int check, const char *size, const char *name,
                        const char *where, const char **errmsg)
{
    storer_option_t options[] = { { "size", size }, { "path", where }, { "name", name },
                                  { NULL, NULL } };
    storer_t *store;

    if (!name) {
        options[2].name = NULL;
    }
    *errmsg = NULL;
    return check ? storer_registry_check(registry, "memory", options, errmsg)
                 : storer_registry_open(registry, "memory", options, &store, errmsg);
}

static void test_two(int check, apr_pool_t *parent)
{
    const char *errmsg, *way = check ? "check" : "open";
    apr_pool_t *pool;
    storer_registry_t *registry;

    apr_pool_create(&pool, parent);
    registry = storer_registry_create(environment(pool));
    is_status(add(registry, check, "1M", NULL, path, &errmsg), APR_SUCCESS, "%s: one store", way);
    is_status(add(registry, check, "1M", NULL, path, &errmsg), APR_SUCCESS, "%s: again", way);
    is_status(add(registry, check, "2M", NULL, path, &errmsg), APR_EINVAL, "%s: another size", way);
    ok(errmsg && strstr(errmsg, path) && strstr(errmsg, "another store"), "says why");
    note("%s", errmsg ? errmsg : "");
    is_status(add(registry, check, "1M", "b", path, &errmsg), APR_EINVAL, "%s: another name", way);
    is_status(add(registry, check, "1M", "b", apr_pstrcat(pool, folder, "/./store", NULL), &errmsg),
              APR_EINVAL, "%s: the same file by another path", way);
    is_status(add(registry, check, "2M", NULL, apr_pstrcat(pool, path, "2", NULL), &errmsg),
              APR_SUCCESS, "%s: another file", way);
    apr_pool_destroy(pool);
    (void)unlink(apr_pstrcat(parent, path, "2", NULL));
}

static memory_t *open_store(const char *size, apr_pool_t *pool, const char **errmsg)
{
    storer_option_t options[] = { { "size", size }, { "path", path }, { NULL, NULL } };
    storer_t *store;

    if (storer_memory_engine.create(&store, options, environment(pool), errmsg) != APR_SUCCESS
        || store->ops->init(store, errmsg) != APR_SUCCESS) {
        return NULL;
    }
    return store->ops->child_init(store, pool) == APR_SUCCESS ? (memory_t *)store : NULL;
}

/* Another server: a process of its own opens the store, tells, and lives until the pipe is closed. */
static pid_t start_other(const char *size, int *end)
{
    int up[2], down[2];
    char byte = 0;
    pid_t pid;

    must(pipe(up) || pipe(down), "pipe");
    pid = fork();
    if (pid == 0) {
        const char *errmsg;
        apr_pool_t *pool;

        close(down[1]);
        apr_pool_create(&pool, NULL);
        byte = open_store(size, pool, &errmsg) != NULL;
        if (write(up[1], &byte, 1) == 1 && read(down[0], &byte, 1) == 0) {
            apr_pool_destroy(pool);
        }
        _exit(0);
    }
    close(up[1]);
    close(down[0]);
    ok(read(up[0], &byte, 1) == 1 && byte == 1, "another server has the store, of %s", size);
    close(up[0]);
    *end = down[1];
    return pid;
}

static void test_servers(void)
{
    const char *errmsg = NULL;
    apr_pool_t *pool;
    memory_t *memory;
    pid_t other;
    int end;

    (void)unlink(path);
    other = start_other("1M", &end);
    apr_pool_create(&pool, NULL);
    memory = open_store("2M", pool, &errmsg);
    ok(!memory && errmsg && strstr(errmsg, "in use by another httpd"),
       "a store of another size is refused while it is in use");
    note("%s", errmsg ? errmsg : "");
    memory = open_store("1M", pool, &errmsg);
    ok(memory != NULL, "one of the same size is shared");
    apr_pool_destroy(pool);
    close(end);
    is_int(tap_wait(other), 0, "the other one ends");
    apr_pool_create(&pool, NULL);
    ok(open_store("2M", pool, &errmsg) != NULL, "then its store can be replaced");
    apr_pool_destroy(pool);
}

/* A file that is cut while processes use it: those that come later must not touch it. */
static void test_cut(void)
{
    const char *errmsg = NULL;
    apr_pool_t *pool;
    memory_t *memory;
    pid_t pid;

    apr_pool_create(&pool, NULL);
    memory = open_store("2M", pool, &errmsg);
    must(!memory || truncate(path, 0), "truncate");
    pid = fork();
    if (pid == 0) {
        _exit(memory->base.ops->child_init(&memory->base, pool) == APR_SUCCESS);
    }
    is_int(tap_wait(pid), 0, "a new process does not use a file that was cut");
    must(truncate(path, 2 << 20), "truncate");
    pid = fork();
    if (pid == 0) {
        _exit(memory->base.ops->child_init(&memory->base, pool) == APR_SUCCESS);
    }
    is_int(tap_wait(pid), 0, "nor one that has its length again, but no contents");
    must(truncate(path, 0), "truncate");
    /* no apr_pool_destroy(): this process has the store open and would write to it */
    ok(open_store("2M", pool, &errmsg) != NULL, "a restart begins with a new file");
    note("%s", errmsg ? errmsg : "");
}

int main(void)
{
    char name[] = "memory-trust.XXXXXX", here[4096];
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!mkdtemp(name) || !getcwd(here, sizeof(here))) {
        bail_out("no folder");
    }
    folder = apr_pstrcat(pool, here, "/", name, NULL);
    path = apr_pstrcat(pool, folder, "/store", NULL);
    test_contents(pool);
    test_rights(pool);
    test_folder(pool);
    test_two(1, pool);
    test_two(0, pool);
    test_servers();
    test_cut();
    unlink(path);
    rmdir(folder);
    return done_testing();
}
