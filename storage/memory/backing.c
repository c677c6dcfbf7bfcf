/* SPDX-License-Identifier: Apache-2.0
 *
 * backing.c - see backing.h. Knows of a segment only whether it may be adopted.
 */
#include "backing.h"
#include "../anonymous.h"

#include <apr_strings.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

/* Of this process and its children alone. */
static apr_status_t map_own(memory_t *memory, void **base)
{
    apr_status_t rv = anonymous_create(memory->size, base, &memory->segment.file);

    if (rv == APR_SUCCESS) {
        keep_mapped(memory, *base, memory->segment.file);
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

/* Room on the disk is taken now: a page that can't be written later would be a SIGBUS. */
static apr_status_t make_file(memory_t *memory, int *file)
{
    int error;

    *file = open(memory->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*file < 0) {
        return errno;
    }
    error = posix_fallocate(*file, 0, (off_t)memory->size);
    if (error) {
        close(*file);
        unlink(memory->path);
    }
    return error;
}

/* May the file's contents be used? Otherwise it is to be replaced, never changed: children of a
 * former configuration may have it mapped. */
static apr_status_t adopt_file(memory_t *memory, int file, void **base)
{
    const char *why_not = NULL;
    struct stat info;
    void *mapped;

    if (fstat(file, &info) != 0) {
        return errno;
    }
    if (!S_ISREG(info.st_mode)) {
        return APR_EINVAL;
    }
    if ((apr_size_t)info.st_size != memory->size) {
        why_not = "is of another size";
    }
    else {
        mapped = mmap(NULL, memory->size, PROT_READ, MAP_SHARED, file, 0);
        if (mapped == MAP_FAILED) {
            return errno;
        }
        why_not = segment_refuse(mapped, memory->size, 1);
        munmap(mapped, memory->size);
    }
    if (why_not) {
        storer_log(memory->base.env, STORER_LOG_NOTICE, APR_SUCCESS,
                   "memory: %s %s; the store starts empty", memory->path, why_not);
        return APR_NOTFOUND;
    }
    return map(memory, file, base);
}

static apr_status_t open_file(memory_t *memory, void **base, int *fresh)
{
    int file = open(memory->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    apr_status_t rv = APR_NOTFOUND;

    *fresh = 0;
    if (file >= 0) {
        rv = adopt_file(memory, file, base);
        close(file);
        if (rv == APR_NOTFOUND && unlink(memory->path) != 0) {
            return errno;
        }
    }
    else if (errno != ENOENT) {
        return errno;
    }
    if (rv == APR_NOTFOUND) {
        *fresh = 1;
        rv = make_file(memory, &file);
        if (rv == APR_SUCCESS) {
            rv = map(memory, file, base);
            close(file);
        }
    }
    return rv;
}

/* Is the memory a file whose pages are of the size that the layout knows? */
static int is_paged(const memory_t *memory)
{
    return memory->segment.file >= 0 && sysconf(_SC_PAGESIZE) == MEMORY_PAGE;
}

apr_status_t backing_open(memory_t *memory, void **base, int *fresh, const char **errmsg)
{
    const storer_env_t *env = memory->base.env;
    char reason[120];
    apr_status_t rv;

    memory->segment.file = -1;
    if (memory->path) {
        rv = open_file(memory, base, fresh);
    }
    else if (env->retain) {
        /* A new release of this module with another layout must not meet the old one's segment. */
        rv = env->retain(env->baton,
                         apr_psprintf(env->pool, "MEMORY-%s/%d.%d", memory->uuid,
                                      MEMORY_LAYOUT_VERSION, (int)sizeof(memory_header_t)),
                         memory->size, base, fresh);
        memory->resident = memory->size;
        if (rv == APR_SUCCESS && env->memory_file) {
            memory->segment.file = env->memory_file(env->baton, *base);
        }
    }
    else {
        *fresh = 1;
        rv = map_own(memory, base);
    }
    if (rv != APR_SUCCESS) {
        *errmsg = apr_psprintf(env->pool, "no shared memory of %" APR_SIZE_T_FMT
                               " bytes%s%s: %s", memory->size, memory->path ? " in " : "",
                               memory->path ? memory->path : "",
                               apr_strerror(rv, reason, sizeof(reason)));
        return rv;
    }
    if (!is_paged(memory)) {
        memory->segment.file = -1;
        want_huge_pages(*base, memory->size);
    }
    return APR_SUCCESS;
}
