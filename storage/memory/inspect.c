/* SPDX-License-Identifier: Apache-2.0
 *
 * inspect.c - see inspect.h.
 */
#include "inspect.h"
#include "check.h"
#include "file.h"
#include "outside.h"
#include "users.h"

#include <apr_strings.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* How a file is opened and mapped. */
typedef struct access_t {
    int open_flags, protection, map_flags;
    int same_boot;
} access_t;

static const access_t for_reading = { O_RDONLY, PROT_READ, MAP_SHARED, 1 };
static const access_t for_purging = { O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED, 1 };
/* A private mapping: a page that is written becomes a copy. */
static const access_t for_copying = { O_RDONLY, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_NORESERVE, 0 };

typedef struct image_t {
    void      *base;
    apr_size_t size;
    int        file;
} image_t;

static apr_status_t close_image(void *baton)
{
    const image_t *image = baton;

    if (image->base) {
        munmap(image->base, image->size);
    }
    close(image->file);
    return APR_SUCCESS;
}

/* What is wrong with the file; NULL: nothing, and its geometry is known. */
static const char *examine(image_t *image, const access_t *access, memory_geometry_t *geometry)
{
    memory_stamp_t stamp;
    struct stat info;

    if (fstat(image->file, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < MEMORY_SIZE_MIN
        || info.st_size > MEMORY_SIZE_MAX || info.st_size % MEMORY_UNIT != 0) {
        return "is not a store: neither its kind nor its size fits";
    }
    image->size = (apr_size_t)info.st_size;
    if (file_read_stamp(image->file, &stamp) != APR_SUCCESS) {
        return "cannot be read";
    }
    return segment_refuse(&stamp, image->size, 0, access->same_boot, geometry);
}

static apr_status_t map_image(image_t *image, const char *path, const access_t *access,
                              memory_geometry_t *geometry, apr_pool_t *pool, const char **problem)
{
    const char *why_not;

    image->file = open(path, access->open_flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (image->file < 0) {
        int error = errno;

        *problem = apr_psprintf(pool, "%s: %s", path, strerror(error));
        return error;
    }
    apr_pool_cleanup_register(pool, image, close_image, apr_pool_cleanup_null);
    why_not = examine(image, access, geometry);
    if (why_not) {
        *problem = apr_psprintf(pool, "%s %s", path, why_not);
        return APR_EINVAL;
    }
    image->base = mmap(NULL, image->size, access->protection, access->map_flags, image->file, 0);
    if (image->base == MAP_FAILED) {
        int error = errno;

        image->base = NULL;
        *problem = apr_psprintf(pool, "%s: %s", path, strerror(error));
        return error;
    }
    return APR_SUCCESS;
}

/* A store of the table for tools. *file: open as long as env->pool. */
static apr_status_t open_store(memory_t **out, int *file, const char *path, const access_t *access,
                               const storer_env_t *env, const char **problem)
{
    image_t *image = apr_pcalloc(env->pool, sizeof(*image));
    memory_t *memory = apr_pcalloc(env->pool, sizeof(*memory));
    memory_geometry_t geometry;
    users_t users;
    apr_status_t rv = map_image(image, path, access, &geometry, env->pool, problem);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    memory->base.ops = &memory_outside_ops;
    memory->base.env = env;
    memory->uuid = path;
    memory->path = path;
    memory->size = image->size;
    *file = image->file;
    *out = memory;
    users_alone(&users);
    memory->base.host = &memory->segment.purges;
    return segment_attach(&memory->segment, image->base, &geometry, &users, env, 0);
}

apr_status_t inspect_read(storer_t **out, const char *path, const storer_env_t *env,
                          const char **problem)
{
    memory_t *memory = NULL;
    int file;
    apr_status_t rv = open_store(&memory, &file, path, &for_reading, env, problem);

    if (rv == APR_SUCCESS) {
        *out = &memory->base;
    }
    return rv;
}

apr_status_t inspect_purge(storer_t **out, const char *path, const storer_env_t *env,
                           const char **problem)
{
    memory_t *memory = NULL;
    int file = -1;
    users_t users;
    apr_status_t rv = open_store(&memory, &file, path, &for_purging, env, problem);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* so that a server which starts meanwhile does not take the store for one that nobody uses */
    rv = users_exclude(file);
    if (rv == APR_SUCCESS) {
        rv = users_join(&users, file);
    }
    if (rv != APR_SUCCESS) {
        *problem = apr_psprintf(env->pool, "%s: no lock", path);
        return rv;
    }
    *out = &memory->base;
    return APR_SUCCESS;
}

apr_status_t inspect_copy(storer_t **out, const char *path, const storer_env_t *env, int *in_use,
                          const char **problem)
{
    memory_t *memory = NULL;
    int file = -1;
    apr_status_t rv = open_store(&memory, &file, path, &for_copying, env, problem);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    *out = &memory->base;
    *in_use = users_any(file);
    if (memory->segment.header->damaged) {
        *problem = "a process has found damage in it";
        return APR_EGENERAL;
    }
    if (!*in_use) {
        journal_rollback(&memory->segment);
    }
    *problem = check_segment(&memory->segment);
    return *problem ? APR_EGENERAL : APR_SUCCESS;
}
