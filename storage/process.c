/* SPDX-License-Identifier: Apache-2.0
 *
 * process.c - see process.h. On Linux from /proc (proc(5)); elsewhere only whether a process of
 * that number exists.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

typedef struct process_stat_t {
    char               state;
    long               threads;
    unsigned long long start;
} process_stat_t;

/* The start of a small file as a string; 0: there is nothing to read. */
static int read_text(const char *path, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length;

    if (file < 0) {
        return 0;
    }
    length = read(file, text, size - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* Does /proc name processes as this one does? In a pid namespace that has not mounted its own, the
 * numbers there are other processes'. */
static int is_proc_ours(void)
{
    char text[32];
    ssize_t length = readlink("/proc/self", text, sizeof(text) - 1);

    text[length > 0 ? length : 0] = '\0';
    return length > 0 && strtol(text, NULL, 10) == (long)getpid();
}

static int read_stat(uint32_t pid, process_stat_t *stat)
{
    char path[32], text[1024];
    const char *fields;

    if (!is_proc_ours()) {
        return 0;
    }
    snprintf(path, sizeof(path), "/proc/%lu/stat", (unsigned long)pid);
    if (!read_text(path, text, sizeof(text))) {
        return 0;
    }
    /* Field 2 is the name in parentheses and may hold anything; field 3 follows the last one. */
    fields = strrchr(text, ')');
    return fields
           && sscanf(fields + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
                     "%*d %ld %*d %llu", &stat->state, &stat->threads, &stat->start) == 3;
}

uint64_t process_start(uint32_t pid)
{
    process_stat_t stat;

    return read_stat(pid, &stat) ? stat.start : 0;
}

int process_alive(uint32_t pid, uint64_t start)
{
    process_stat_t stat;

    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH) {
        return 0;
    }
    if (!read_stat(pid, &stat)) {
        return 1;
    }
    if (start != 0 && stat.start != start) {
        return 0;
    }
    /* A zombie runs no code, unless only its first thread has ended. */
    return !((stat.state == 'Z' || stat.state == 'X') && stat.threads <= 1);
}

uint64_t process_space(void)
{
    struct stat info;

    return stat("/proc/self/ns/pid", &info) == 0
               ? (uint64_t)info.st_ino ^ (uint64_t)info.st_dev << 32 : 0;
}

uint64_t process_boot(void)
{
    char text[64];

    return read_text("/proc/sys/kernel/random/boot_id", text, sizeof(text))
               ? XXH3_64bits(text, strlen(text)) : 0;
}
