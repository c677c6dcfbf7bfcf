/* SPDX-License-Identifier: Apache-2.0
 *
 * test_limit.c - the memory that a process may use, as the system's files tell it: a machine without
 * control groups, version 2, version 1, and a container that sees the host's paths. The files lie in a
 * folder of the test's own.
 */
#include "limit.h"
#include "tap.h"

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct file_t {
    const char *path, *text;
} file_t;

static const char meminfo[] = "MemTotal:        1000000 kB\nMemFree:          500000 kB\n";

static const char mounts_v2[] =
    "21 1 0:20 / /proc rw,nosuid - proc proc rw\n"
    "30 21 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
static const char mounts_v1[] =
    "30 21 0:26 / /sys/fs/cgroup ro shared:4 - tmpfs tmpfs ro,mode=755\n"
    "31 30 0:27 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "32 30 0:28 / /sys/fs/cgroup/memory rw shared:10 - cgroup cgroup rw,memory\n";
static const char mounts_container[] =
    "32 30 0:28 /docker/4f /sys/fs/cgroup/memory ro master:10 - cgroup cgroup rw,memory\n";

static void write_tree(const char *root, const file_t *files, apr_pool_t *pool)
{
    for (; files->path; files++) {
        char *path = apr_pstrcat(pool, root, files->path, NULL), *slash = strrchr(path, '/');
        FILE *file;

        *slash = '\0';
        if (apr_dir_make_recursive(path, APR_OS_DEFAULT, pool) != APR_SUCCESS) {
            bail_out("no folder %s", path);
        }
        *slash = '/';
        file = fopen(path, "w");
        if (!file || fputs(files->text, file) < 0 || fclose(file) != 0) {
            bail_out("%s cannot be written", path);
        }
    }
}

static void remove_tree(const char *root, apr_pool_t *pool)
{
    apr_finfo_t info;
    apr_dir_t *folder;

    if (apr_dir_open(&folder, root, pool) != APR_SUCCESS) {
        return;
    }
    while (apr_dir_read(&info, APR_FINFO_DIRENT | APR_FINFO_TYPE, folder) == APR_SUCCESS) {
        const char *path = apr_pstrcat(pool, root, "/", info.name, NULL);

        if (strcmp(info.name, ".") == 0 || strcmp(info.name, "..") == 0) {
            continue;
        }
        if (info.filetype == APR_DIR) {
            remove_tree(path, pool);
        }
        else {
            apr_file_remove(path, pool);
        }
    }
    apr_dir_close(folder);
    apr_dir_remove(root, pool);
}

static void expect(const file_t *files, apr_uint64_t want, const char *want_source, const char *what)
{
    char root[] = "limit.XXXXXX";
    const char *source = NULL;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (!mkdtemp(root)) {
        bail_out("no folder");
    }
    write_tree(root, files, pool);
    is_int((long long)limit_of_memory(root, &source, pool), (long long)want, "%s", what);
    is_string(source, want_source, "%s: the file that says so", what);
    remove_tree(root, pool);
    apr_pool_destroy(pool);
}

static void test_version_2(void)
{
    expect((const file_t[]) {
        { "/proc/meminfo", meminfo }, { "/proc/self/mountinfo", mounts_v2 },
        { "/proc/self/cgroup", "0::/system.slice/apache2.service\n" },
        { "/sys/fs/cgroup/system.slice/apache2.service/memory.max", "67108864\n" },
        { "/sys/fs/cgroup/system.slice/memory.max", "max\n" }, { NULL, NULL } },
        67108864, "/sys/fs/cgroup/system.slice/apache2.service/memory.max", "version 2");
    expect((const file_t[]) {
        { "/proc/meminfo", meminfo }, { "/proc/self/mountinfo", mounts_v2 },
        { "/proc/self/cgroup", "0::/system.slice/apache2.service\n" },
        { "/sys/fs/cgroup/system.slice/apache2.service/memory.max", "67108864\n" },
        { "/sys/fs/cgroup/system.slice/memory.max", "33554432\n" }, { NULL, NULL } },
        33554432, "/sys/fs/cgroup/system.slice/memory.max", "version 2: a group above has less");
    expect((const file_t[]) {
        { "/proc/meminfo", meminfo }, { "/proc/self/mountinfo", mounts_v2 },
        { "/proc/self/cgroup", "0::/\n" }, { "/sys/fs/cgroup/memory.max", "67108864\n" },
        { NULL, NULL } },
        67108864, "/sys/fs/cgroup/memory.max", "version 2: a container of its own namespace");
    expect((const file_t[]) {
        { "/proc/meminfo", meminfo }, { "/proc/self/mountinfo", mounts_v2 },
        { "/proc/self/cgroup", "0::/user.slice\n" },
        { "/sys/fs/cgroup/user.slice/memory.max", "max\n" }, { NULL, NULL } },
        1024000000, "/proc/meminfo", "version 2: without a limit");
}

static void test_version_1(void)
{
    expect((const file_t[]) {
        { "/proc/meminfo", meminfo }, { "/proc/self/mountinfo", mounts_v1 },
        { "/proc/self/cgroup", "12:cpu,cpuacct:/elsewhere\n7:memory:/web/httpd\n0::/init.scope\n" },
        { "/sys/fs/cgroup/memory/web/httpd/memory.limit_in_bytes", "67108864\n" },
        { "/sys/fs/cgroup/memory/web/memory.limit_in_bytes", "9223372036854771712\n" },
        { NULL, NULL } },
        67108864, "/sys/fs/cgroup/memory/web/httpd/memory.limit_in_bytes", "version 1");
    expect((const file_t[]) {
        { "/proc/meminfo", meminfo }, { "/proc/self/mountinfo", mounts_container },
        { "/proc/self/cgroup", "7:memory:/docker/4f\n" },
        { "/sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864\n" }, { NULL, NULL } },
        67108864, "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "version 1: a container that sees the host's path");
    expect((const file_t[]) {
        { "/proc/meminfo", meminfo }, { "/proc/self/mountinfo", mounts_v1 },
        { "/proc/self/cgroup", "7:memory:/docker/4f\n" },
        { "/sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864\n" }, { NULL, NULL } },
        67108864, "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "version 1: a group that cannot be seen, below one that can");
    expect((const file_t[]) {
        { "/proc/meminfo", meminfo }, { "/proc/self/mountinfo", mounts_v1 },
        { "/proc/self/cgroup", "7:memory:/\n" },
        { "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n" }, { NULL, NULL } },
        1024000000, "/proc/meminfo", "version 1: without a limit");
}

static void test_odd(void)
{
    expect((const file_t[]) { { "/proc/meminfo", meminfo }, { NULL, NULL } }, 1024000000,
           "/proc/meminfo", "no control groups");
    expect((const file_t[]) { { NULL, NULL } }, 0, NULL, "nothing is known");
    expect((const file_t[]) {
        { "/proc/self/mountinfo", "30 21 - cgroup2\nx\n\n30 21 0:26 / /sys/fs/cgroup - cgroup2" },
        { "/proc/self/cgroup", "0:\n:\nx\n0::" }, { "/sys/fs/cgroup/memory.max", "-1x\n" },
        { NULL, NULL } }, 0, NULL, "files that make no sense");
}

int main(void)
{
    apr_initialize();
    test_version_2();
    test_version_1();
    test_odd();
    apr_terminate();
    return done_testing();
}
