/* SPDX-License-Identifier: Apache-2.0
 *
 * inspect.c - see inspect.h.
 */
#include "check.h"
#include "inspect.h"
#include "memory.h"
#include "segment.h"

#include "../process.h"

#include <apr_strings.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that is mapped for a look, and given to the engine where it asks for memory. */
typedef struct image_t {
    storer_env_t env;
    void        *base;
    apr_size_t   size;
} image_t;

static apr_status_t unmap(void *baton)
{
    const image_t *image = baton;

    munmap(image->base, image->size);
    return APR_SUCCESS;
}

/* A private mapping: a page that is written becomes a copy. */
static apr_status_t map_image(image_t *image, const char *path, const char **problem)
{
    apr_pool_t *pool = image->env.pool;
    int file = open(path, O_RDONLY | O_CLOEXEC), error = 0;
    struct stat info;

    if (file < 0 || fstat(file, &info) != 0) {
        error = errno;
    }
    else if (!S_ISREG(info.st_mode) || info.st_size < MEMORY_SIZE_MIN
             || info.st_size > MEMORY_SIZE_MAX) {
        *problem = apr_psprintf(pool, "%s is not a store: neither its kind nor its size fits", path);
        error = APR_EINVAL;
    }
    else {
        image->size = (apr_size_t)info.st_size;
        image->base = mmap(NULL, image->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
                           file, 0);
        error = image->base == MAP_FAILED ? errno : 0;
    }
    if (file >= 0) {
        close(file);
    }
    if (error) {
        if (error != APR_EINVAL) {
            *problem = apr_psprintf(pool, "%s: %s", path, strerror(error));
        }
        return error;
    }
    apr_pool_cleanup_register(pool, image, unmap, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

/* storer_env_t.retain */
static apr_status_t give_image(void *baton, const char *uuid, apr_size_t size, void **base,
                               int *fresh)
{
    const image_t *image = baton;

    (void)uuid;
    if (size != image->size) {
        return APR_EINVAL;
    }
    *base = image->base;
    *fresh = 0;
    return APR_SUCCESS;
}

static apr_status_t open_image(image_t *image, const char *path, const storer_env_t *env,
                               int same_boot, const char **problem)
{
    const char *why_not;
    apr_status_t rv;

    image->env = *env;
    image->env.retain = give_image;
    image->env.baton = image;
    rv = map_image(image, path, problem);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    why_not = segment_refuse(image->base, image->size, same_boot);
    if (why_not) {
        *problem = apr_psprintf(env->pool, "%s %s", path, why_not);
        return APR_EINVAL;
    }
    return APR_SUCCESS;
}

static apr_status_t start(storer_t **out, const storer_option_t *options, const storer_env_t *env,
                          const char **problem)
{
    apr_status_t rv = storer_memory_engine.create(out, options, env, problem);

    return rv == APR_SUCCESS ? (*out)->ops->init(*out, problem) : rv;
}

apr_status_t inspect_attach(storer_t **out, const char *path, const storer_env_t *env,
                            const char **problem)
{
    image_t *image = apr_pcalloc(env->pool, sizeof(*image));
    storer_option_t options[] = { { "size", NULL }, { "path", path }, { NULL, NULL } };
    apr_status_t rv = open_image(image, path, env, 1, problem);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    options[0].value = apr_psprintf(env->pool, "%" APR_SIZE_T_FMT, image->size);
    rv = start(out, options, env, problem);
    if (rv == APR_SUCCESS) {
        rv = (*out)->ops->child_init(*out, env->pool);
    }
    return rv;
}

/* Whoever has it in use: in the copy they are no more. */
static int forget_users(memory_segment_t *segment)
{
    int alive = 0;
    uint32_t i;

    for (i = 0; i < segment->geometry.line_count; i++) {
        memory_owner_t *owner = &segment->owners[i];

        if (owner->pid && process_alive(owner->pid, owner->start)) {
            alive = 1;
            owner->start++; /* a process that never was */
        }
    }
    return alive;
}

apr_status_t inspect_copy(storer_t **out, const char *path, const storer_env_t *env, int *in_use,
                          const char **problem)
{
    image_t *image = apr_pcalloc(env->pool, sizeof(*image));
    storer_option_t options[] = { { "size", NULL }, { NULL, NULL } };
    memory_t *memory;
    apr_status_t rv = open_image(image, path, env, 0, problem);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    options[0].value = apr_psprintf(env->pool, "%" APR_SIZE_T_FMT, image->size);
    rv = start(out, options, &image->env, problem);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    memory = memory_of(*out);
    *in_use = forget_users(&memory->segment);
    if (memory->segment.header->damaged) {
        *problem = "a process has found damage in it";
        return APR_EGENERAL;
    }
    rv = segment_revive(&memory->segment);
    if (rv == APR_SUCCESS) {
        rv = (*out)->ops->child_init(*out, env->pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *problem = check_segment(&memory->segment);
    return *problem ? APR_EGENERAL : APR_SUCCESS;
}
