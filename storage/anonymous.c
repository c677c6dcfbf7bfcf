/* SPDX-License-Identifier: Apache-2.0
 *
 * anonymous.c - see anonymous.h.
 */
#include "anonymous.h"

#include <apr_strings.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

#if defined(MFD_ALLOW_SEALING) && defined(F_ADD_SEALS) && defined(FALLOC_FL_PUNCH_HOLE)
#define ANONYMOUS_FILES 1
#endif

apr_status_t anonymous_renew(apr_os_file_t file, apr_off_t offset, apr_off_t length)
{
#ifdef ANONYMOUS_FILES
    int rv;

    do {
        rv = fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
    } while (rv != 0 && errno == EINTR);
    return rv == 0 ? APR_SUCCESS : errno;
#else
    (void)file;
    (void)offset;
    (void)length;
    return APR_ENOTIMPL;
#endif
}

/*
 * A file in memory whose pages can be renewed; -1: there is no such thing here. Its length is sealed:
 * one process that makes it shorter would end all others, which have mapped it, by SIGBUS.
 */
static int create_file(apr_size_t size)
{
#ifdef ANONYMOUS_FILES
    int file = memfd_create("cache-storer", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (file >= 0 && (ftruncate(file, (off_t)size) != 0
                      || fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0
                      || anonymous_renew(file, 0, (apr_off_t)sysconf(_SC_PAGESIZE)) != APR_SUCCESS)) {
        close(file);
        file = -1;
    }
    return file;
#else
    (void)size;
    return -1;
#endif
}

apr_status_t anonymous_create(apr_size_t size, void **base, apr_os_file_t *file)
{
    int error;

    *file = create_file(size);
    *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 *file >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, *file, 0);
    if (*base == MAP_FAILED) {
        error = errno;
        if (*file >= 0) {
            close(*file);
        }
        return error;
    }
#ifdef MADV_NOHUGEPAGE
    if (*file >= 0) {
        /* A part of a huge page is not replaced but zeroed, under the hands of those who have it. */
        (void)madvise(*base, size, MADV_NOHUGEPAGE);
    }
#endif
    return APR_SUCCESS;
}

apr_status_t anonymous_reopen(apr_os_file_t file, apr_int32_t flags, apr_file_t **out,
                              apr_pool_t *pool)
{
    char path[40];

    apr_snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    return apr_file_open(out, path, APR_FOPEN_READ | APR_FOPEN_BINARY | flags, APR_FPROT_OS_DEFAULT,
                         pool);
}
