/* SPDX-License-Identifier: Apache-2.0
 *
 * backing.c - see backing.h. Knows of a segment only whether it may be adopted.
 */
#include "backing.h"
#include "../anonymous.h"
#include "file.h"
#include "users.h"

#include <apr_strings.h>

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

typedef struct mapping_t {
    void      *base;
    apr_size_t size;
    int        file;
} mapping_t;

static apr_status_t unmap(void *data)
{
    mapping_t *mapping = data;

    munmap(mapping->base, mapping->size);
    if (mapping->file >= 0) {
        close(mapping->file);
    }
    return APR_SUCCESS;
}

/* Do the pages of this file stay in memory for want of a disk behind them? */
static int is_in_memory(int file)
{
#ifdef __linux__
    struct statfs info;

    return fstatfs(file, &info) == 0
           && ((unsigned long)info.f_type == TMPFS_MAGIC || (unsigned long)info.f_type == RAMFS_MAGIC
               || (unsigned long)info.f_type == HUGETLBFS_MAGIC);
#else
    (void)file;
    return 0;
#endif
}

/* Until the instance's pool is cleared. file: to be closed then; -1: none */
static void keep_mapped(memory_t *memory, void *base, int file)
{
    apr_pool_t *pool = memory->base.env->pool;
    mapping_t *mapping = apr_palloc(pool, sizeof(*mapping));

    mapping->base = base;
    mapping->size = memory->size;
    mapping->file = file;
    apr_pool_cleanup_register(pool, mapping, unmap, apr_pool_cleanup_null);
}

static apr_status_t map(memory_t *memory, int file, void **base)
{
    *base = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (*base == MAP_FAILED) {
        return errno;
    }
    keep_mapped(memory, *base, -1);
    memory->resident = is_in_memory(file) ? memory->size : 0;
    return APR_SUCCESS;
}

/* The file that the memory is of, if its pages are of the size that the layout knows; -1: none. */
static void take_pages(memory_t *memory, apr_os_file_t file)
{
    memory->segment.file = file >= 0 && sysconf(_SC_PAGESIZE) == MEMORY_PAGE ? file : -1;
}

/* Of this process and its children alone. */
static apr_status_t map_own(memory_t *memory, void **base)
{
    apr_os_file_t file;
    apr_status_t rv = anonymous_create(memory->size, base, &file);

    if (rv == APR_SUCCESS) {
        keep_mapped(memory, *base, file);
        take_pages(memory, file);
        memory->resident = memory->size;
    }
    return rv;
}

/* Fewer misses of the TLB on large stores; where the system has none it goes on without. */
static void want_huge_pages(void *base, apr_size_t size)
{
#ifdef MADV_HUGEPAGE
    (void)madvise(base, size, MADV_HUGEPAGE);
#else
    (void)base;
    (void)size;
#endif
}

/* What this process knows by itself, from one configuration to the next; zeroed at first. */
static void *recall(const storer_env_t *env, const char *name, apr_size_t size)
{
    void *note = NULL;
    int fresh;

    name = apr_psprintf(env->pool, "%s/%d", name, MEMORY_LAYOUT_VERSION);
    if (env->remember && env->remember(env->baton, name, size, &note, &fresh) == APR_SUCCESS) {
        return note;
    }
    return apr_pcalloc(env->pool, size);
}

file_known_t *backing_known_file(const storer_env_t *env, const char *path)
{
    return recall(env, apr_pstrcat(env->pool, "MEMORY-FILE-", path, (char *)NULL),
                  sizeof(file_known_t));
}

/* The number of the segment that the host retains for the store. */
static uint32_t *known_number(const memory_t *memory)
{
    const storer_env_t *env = memory->base.env;

    return recall(env, apr_pstrcat(env->pool, "MEMORY-NUMBER-", memory->uuid, (char *)NULL),
                  sizeof(uint32_t));
}

/* ---- where it comes from: each leaves the segment ready, or errmsg ---- */

static apr_status_t fail(memory_t *memory, apr_status_t rv, const char **errmsg)
{
    char reason[120];

    *errmsg = apr_psprintf(memory->base.env->pool, "no shared memory of %" APR_SIZE_T_FMT
                           " bytes%s%s: %s", memory->size, memory->path ? " in " : "",
                           memory->path ? memory->path : "",
                           apr_strerror(rv, reason, sizeof(reason)));
    return rv;
}

/* Memory that is mapped. A file that was just made, and memory nobody else has, is formatted. */
static apr_status_t attach(memory_t *memory, void *base, const memory_geometry_t *geometry,
                           const users_t *users, int fresh)
{
    apr_status_t rv = segment_attach(&memory->segment, base, geometry, users, memory->base.env, fresh);

    if (rv == APR_SUCCESS && fresh) {
        rv = segment_format(&memory->segment);
    }
    if (rv == APR_SUCCESS && memory->segment.file < 0) {
        want_huge_pages(base, memory->size);
    }
    return rv;
}

static apr_status_t close_file(void *data)
{
    const users_t *users = data;

    close(users->file);
    return APR_SUCCESS;
}

static apr_status_t map_file(memory_t *memory, const file_t *file)
{
    users_t *users = apr_pmemdup(memory->base.env->pool, &file->users, sizeof(*users));
    apr_status_t rv;
    void *base;

    apr_pool_cleanup_register(memory->base.env->pool, users, close_file, apr_pool_cleanup_null);
    rv = map(memory, file->file, &base);
    if (rv == APR_SUCCESS) {
        rv = attach(memory, base, &file->geometry, users, file->is_new);
    }
    if (rv == APR_SUCCESS && !file->is_new && file->is_alone) {
        rv = segment_revive(&memory->segment);
    }
    if (rv == APR_SUCCESS) {
        segment_sign(&memory->segment);
    }
    return rv;
}

static apr_status_t from_file(memory_t *memory, uint32_t lines, int *adopted, const char **errmsg)
{
    const storer_env_t *env = memory->base.env;
    file_known_t *known = backing_known_file(env, memory->path);
    file_need_t need = { memory->path, memory->size, lines, known };
    const char *why = NULL;
    file_t file = { 0 };
    apr_status_t rv = file_open(&file, &need, env->pool, &why, errmsg);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (why) {
        storer_log(env, STORER_LOG_NOTICE, APR_SUCCESS, "memory: %s %s; the store starts empty",
                   memory->path, why);
    }
    rv = map_file(memory, &file);
    file_note(&file, known);
    users_admit(file.file);
    close(file.file);
    *adopted = !file.is_new;
    return rv == APR_SUCCESS ? rv : fail(memory, rv, errmsg);
}

/* A new release of this module with another layout must not meet the old one's segment, nor a parent
 * that counts on more processes than there is room for. */
static apr_status_t from_host(memory_t *memory, const memory_geometry_t *geometry, uint32_t number,
                              void **base, int *fresh)
{
    const storer_env_t *env = memory->base.env;
    const char *name = apr_psprintf(env->pool, "MEMORY-%s/%d.%d.%u.%u", memory->uuid,
                                    MEMORY_LAYOUT_VERSION, (int)sizeof(memory_header_t),
                                    (unsigned)geometry->line_count, (unsigned)number);

    apr_status_t rv = env->retain(env->baton, name, memory->size, base, fresh);

    memory->resident = memory->size;
    if (rv == APR_SUCCESS && env->memory_file) {
        take_pages(memory, env->memory_file(env->baton, *base));
    }
    return rv;
}

static apr_status_t attach_memory(memory_t *memory, const memory_geometry_t *geometry,
                                  uint32_t number, int *fresh)
{
    void *base = NULL;
    users_t users;
    apr_status_t rv;

    *fresh = 1;
    users_alone(&users);
    rv = memory->base.env->retain ? from_host(memory, geometry, number, &base, fresh)
                                  : map_own(memory, &base);
    return rv == APR_SUCCESS ? attach(memory, base, geometry, &users, *fresh) : rv;
}

/* A segment that children have overwritten is left to those who have it. */
static apr_status_t from_memory(memory_t *memory, uint32_t lines, int *adopted, const char **errmsg)
{
    memory_geometry_t geometry;
    uint32_t *number = known_number(memory);
    int fresh;
    apr_status_t rv;

    segment_lay_out(&geometry, memory->size, lines);
    rv = attach_memory(memory, &geometry, *number, &fresh);
    if (rv == APR_SUCCESS && !fresh && !segment_is_whole(&memory->segment)) {
        storer_log(memory->base.env, STORER_LOG_ERROR, APR_SUCCESS, "memory: a process has overwritten "
                   "the store, which starts empty");
        (*number)++;
        rv = attach_memory(memory, &geometry, *number, &fresh);
    }
    if (rv == APR_SUCCESS && !segment_is_whole(&memory->segment)) {
        rv = APR_EEXIST;
    }
    *adopted = !fresh;
    return rv == APR_SUCCESS ? rv : fail(memory, rv, errmsg);
}

apr_status_t backing_open(memory_t *memory, int *adopted, const char **errmsg)
{
    const storer_env_t *env = memory->base.env;
    uint32_t lines = segment_lines(memory->size, env->processes, env->threads);

    memory->segment.file = -1;
    return memory->path ? from_file(memory, lines, adopted, errmsg)
                        : from_memory(memory, lines, adopted, errmsg);
}
