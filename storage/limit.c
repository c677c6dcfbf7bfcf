/* SPDX-License-Identifier: Apache-2.0
 *
 * limit.c - see limit.h.
 *
 * A process is in one control group of each hierarchy (cgroups(7)): /proc/self/cgroup has its path,
 * /proc/self/mountinfo the folder at which the hierarchy, or a part of it, can be seen. Each group
 * above the process's own limits it as well. In a container the path may be one of the host's, which
 * is not to be found below the mount: then the mount's own folder is the container's group.
 */
#include "limit.h"

#include <apr_strings.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 65536

typedef struct search_t {
    const char  *root;
    apr_pool_t  *pool;
    apr_uint64_t least;      /* 0: none so far */
    const char  *source;
} search_t;

/* A small file as a string; "" if it cannot be read. */
static char *read_file(const search_t *search, const char *path)
{
    char *text = apr_palloc(search->pool, TEXT_MAX);
    int file = open(apr_pstrcat(search->pool, search->root, path, (char *)NULL),
                    O_RDONLY | O_CLOEXEC);
    ssize_t got = 1;
    size_t length = 0;

    while (file >= 0 && got > 0 && length < TEXT_MAX - 1) {
        got = read(file, text + length, TEXT_MAX - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    if (file >= 0) {
        close(file);
    }
    text[length] = '\0';
    return text;
}

static void add_limit(search_t *search, const char *path, apr_uint64_t bytes)
{
    if (bytes > 0 && (!search->least || bytes < search->least)) {
        search->least = bytes;
        search->source = path;
    }
}

/* A file with one number, or "max". */
static void add_file(search_t *search, const char *path)
{
    const char *text = read_file(search, path);
    char *end;
    apr_uint64_t bytes;

    errno = 0;
    bytes = strtoull(text, &end, 10);
    if (!errno && end != text && (*end == '\n' || *end == '\0')) {
        add_limit(search, path, bytes);
    }
}

static void add_machine(search_t *search)
{
    static const char name[] = "MemTotal:";
    const char *line = strstr(read_file(search, "/proc/meminfo"), name);

    if (line) {
        add_limit(search, "/proc/meminfo", strtoull(line + sizeof(name) - 1, NULL, 10) * 1024);
    }
}

static int list_has(const char *list, const char *word)
{
    apr_size_t length = strlen(word);
    const char *at;

    for (at = strstr(list, word); at; at = strstr(at + 1, word)) {
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0')) {
            return 1;
        }
    }
    return 0;
}

/* The path of the process's group, from a line "NUMBER:CONTROLLERS:PATH"; version 2 has no controllers
 * there. NULL: it is in none. */
static const char *find_group(const search_t *search, int version)
{
    char *text = read_file(search, "/proc/self/cgroup"), *line, *state = NULL;

    for (line = apr_strtok(text, "\n", &state); line; line = apr_strtok(NULL, "\n", &state)) {
        char *controllers = strchr(line, ':'), *path;

        path = controllers ? strchr(++controllers, ':') : NULL;
        if (!path) {
            continue;
        }
        *path++ = '\0';
        if (version == 2 ? !*controllers : list_has(controllers, "memory")) {
            return path;
        }
    }
    return NULL;
}

/* The group as seen from the mount's root: the rest of its path behind that; "": it is not below it. */
static const char *below(const char *root, const char *group)
{
    apr_size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);

    if (strncmp(root, group, length) != 0 || (group[length] != '/' && group[length] != '\0')
        || strstr(group, "/..") || strcmp(group + length, "/") == 0) {
        return "";
    }
    return group + length;
}

/* The group's folder and all above it, up to the mount's. */
static void add_folders(search_t *search, const char *mount, const char *group, int version)
{
    const char *name = version == 2 ? "/memory.max" : "/memory.limit_in_bytes";
    char *path = apr_pstrdup(search->pool, group);

    for (;;) {
        char *slash = strrchr(path, '/');

        add_file(search, apr_pstrcat(search->pool, mount, path, name, (char *)NULL));
        if (!slash) {
            return;
        }
        *slash = '\0';
    }
}

/* A line of mountinfo (proc(5)): "ID PARENT DEVICE ROOT MOUNT OPTIONS [TAGS] - TYPE SOURCE OPTIONS". */
static void add_mount(search_t *search, char *line)
{
    char *tail = strstr(line, " - "), *word[5], *type, *options, *state = NULL;
    int i, version;
    const char *group;

    if (!tail) {
        return;
    }
    *tail = '\0';
    for (i = 0; i < 5; i++) {
        word[i] = apr_strtok(i ? NULL : line, " ", &state);
        if (!word[i]) {
            return;
        }
    }
    type = apr_strtok(tail + 3, " ", &state);
    (void)apr_strtok(NULL, " ", &state);
    options = apr_strtok(NULL, " ", &state);
    version = type && strcmp(type, "cgroup2") == 0 ? 2
              : type && options && strcmp(type, "cgroup") == 0 && list_has(options, "memory") ? 1 : 0;
    group = version ? find_group(search, version) : NULL;
    if (group) {
        add_folders(search, word[4], below(word[3], group), version);
    }
}

apr_uint64_t limit_of_memory(const char *root, const char **source, apr_pool_t *pool)
{
    search_t search = { root, pool, 0, NULL };
    char *line, *next = read_file(&search, "/proc/self/mountinfo");

    add_machine(&search);
    while (*next) {
        line = next;
        next += strcspn(next, "\n");
        if (*next) {
            *next++ = '\0';
        }
        add_mount(&search, line);
    }
    *source = search.source;
    return search.least;
}
