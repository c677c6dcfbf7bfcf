/* SPDX-License-Identifier: Apache-2.0
 *
 * file.c - see file.h.
 *
 * A file is replaced, never made anew in its place: processes that have it mapped go on with what
 * they have. Everything is done relative to the folder that was looked at, so that nobody puts another
 * one in its place meanwhile.
 */
#include "file.h"
#include "segment.h"
#include "trust.h"
#include "users.h"

#include "../process.h"

#include <apr_strings.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Somebody else replaces the file at the same moment: not for ever. */
#define TRIES 10

/* What file_open() works with. */
typedef struct opening_t {
    file_t            *file;
    const file_need_t *need;
    apr_pool_t        *pool;
    int                folder;
    const char        *name;      /* in the folder */
    const char        *problem;
    const char        *why;
} opening_t;

static const char *folder_of(const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');

    return slash == path ? "/" : apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
}

apr_status_t file_resolve(const char **resolved, const char *path, apr_pool_t *pool,
                          const char **problem)
{
    const char *folder = folder_of(path, pool), *name = strrchr(path, '/');
    char real[PATH_MAX];

    if (!name[1] || strcmp(name, "/.") == 0 || strcmp(name, "/..") == 0) {
        *problem = apr_psprintf(pool, "path=%s names no file", path);
        return APR_EINVAL;
    }
    if (!realpath(folder, real)) {
        int error = errno;

        *problem = apr_psprintf(pool, "path=%s: the folder %s: %s", path, folder, strerror(error));
        return error;
    }
    *resolved = apr_pstrcat(pool, strcmp(real, "/") == 0 ? "" : real, name, (char *)NULL);
    return APR_SUCCESS;
}

apr_status_t file_read_stamp(int file, memory_stamp_t *stamp)
{
    ssize_t length = pread(file, stamp, sizeof(*stamp), 0);

    return length == (ssize_t)sizeof(*stamp) ? APR_SUCCESS : length < 0 ? errno : APR_EINVAL;
}

/* ---- refusing ---- */

static apr_status_t refuse(opening_t *opening, apr_status_t rv, const char *predicate)
{
    opening->problem = apr_psprintf(opening->pool, "path=%s %s", opening->need->path, predicate);
    return rv;
}

static apr_status_t refuse_error(opening_t *opening, const char *what, int error)
{
    opening->problem = apr_psprintf(opening->pool, "path=%s: %s%s", opening->need->path, what,
                                    strerror(error));
    return error;
}

static apr_status_t open_folder(opening_t *opening)
{
    const char *path = folder_of(opening->need->path, opening->pool), *reason;
    struct stat info;

    opening->name = strrchr(opening->need->path, '/') + 1;
    opening->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opening->folder < 0 || fstat(opening->folder, &info) != 0) {
        int error = errno;

        return refuse_error(opening, apr_psprintf(opening->pool, "the folder %s: ", path), error);
    }
    reason = trust_folder(&info, geteuid(), opening->pool);
    if (reason) {
        return refuse(opening, APR_EACCES,
                      apr_psprintf(opening->pool, "cannot be trusted: the folder %s %s", path, reason));
    }
    return APR_SUCCESS;
}

/* A file that this process had open before: its children may have written what is in it now. */
static int is_known(const opening_t *opening, const struct stat *info)
{
    const file_known_t *known = opening->need->known;

    return known && known->inode != 0 && known->inode == (uint64_t)info->st_ino
           && known->device == (uint64_t)info->st_dev;
}

void file_note(const file_t *file, file_known_t *known)
{
    struct stat info;

    if (fstat(file->file, &info) == 0) {
        known->device = (uint64_t)info.st_dev;
        known->inode = (uint64_t)info.st_ino;
        known->geometry = file->geometry;
    }
}

/* Is the open file one that a store may be in? An empty one becomes a store. *length: its bytes. */
static apr_status_t examine(opening_t *opening, int file, off_t *length)
{
    struct stat info;
    uint64_t magic = 0;
    const char *reason;

    if (fstat(file, &info) != 0) {
        return refuse_error(opening, "", errno);
    }
    reason = trust_file(&info, geteuid(), opening->pool);
    if (reason) {
        return refuse(opening, APR_EACCES, reason);
    }
    *length = info.st_size;
    if (info.st_size > 0 && !is_known(opening, &info)
        && (pread(file, &magic, sizeof(magic), 0) != (ssize_t)sizeof(magic)
            || (magic != MEMORY_MAGIC && magic != MEMORY_MAGIC_UNMADE))) {
        return refuse(opening, APR_EEXIST, "is a file with something else in it than a store; name "
                      "another path, or remove it if it is not needed");
    }
    return APR_SUCCESS;
}

/* errno of an open() of the file: it may tell more than the system's words for it do. */
static apr_status_t refuse_to_open(opening_t *opening, int error)
{
    switch (error) {
    case ELOOP:
        return refuse(opening, APR_EACCES, "is a symbolic link; name the file itself");
    case EISDIR:
        return refuse(opening, APR_EACCES, "is a directory, not a file");
    default:
        return refuse_error(opening, "", error);
    }
}

apr_status_t file_check(const char *path, const file_known_t *known, apr_pool_t *pool,
                        const char **problem)
{
    file_need_t need = { path, 0, 0, known };
    opening_t opening = { NULL, &need, pool, -1, NULL, NULL, NULL };
    apr_status_t rv = open_folder(&opening);
    off_t length;
    int file = -1;

    if (rv == APR_SUCCESS) {
        /* a device or a pipe may wait, or do something, when it is opened */
        file = openat(opening.folder, opening.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
                                                    | O_CLOEXEC);
        rv = file >= 0 ? examine(&opening, file, &length)
             : errno != ENOENT ? refuse_to_open(&opening, errno) : APR_SUCCESS;
    }
    if (file >= 0) {
        close(file);
    }
    if (opening.folder >= 0) {
        close(opening.folder);
    }
    *problem = opening.problem;
    return rv;
}

/* ---- making ---- */

static int is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* Does the name still lead to the open file? */
static int is_in_place(const opening_t *opening, int file)
{
    struct stat named, open;

    return fstatat(opening->folder, opening->name, &named, AT_SYMLINK_NOFOLLOW) == 0
           && fstat(file, &open) == 0 && is_same(&named, &open);
}

/* Room on the disk is taken now: a page that can't be written later would be a SIGBUS. */
static apr_status_t make(opening_t *opening)
{
    file_t *file = opening->file;
    const uint64_t magic = MEMORY_MAGIC_UNMADE;
    int error = 0;

    /* first, so that an end in the middle leaves what is known for ours; a hugetlbfs cannot write */
    if (pwrite(file->file, &magic, sizeof(magic), 0) != (ssize_t)sizeof(magic) && errno != EINVAL) {
        error = errno;
    }
    if (!error) {
        error = posix_fallocate(file->file, 0, (off_t)opening->need->size);
    }
    if (error) {
        (void)unlinkat(opening->folder, opening->name, 0);
        return refuse_error(opening, apr_psprintf(opening->pool, "no room for %" APR_UINT64_T_FMT
                                                  " bytes: ", opening->need->size), error);
    }
    file->is_new = 1;
    file->is_alone = 1;
    segment_lay_out(&file->geometry, opening->need->size, opening->need->lines);
    return APR_SUCCESS;
}

/* The file goes, and APR_EAGAIN: begin anew. Whoever has it in use keeps it. */
static apr_status_t replace(opening_t *opening, const char *why)
{
    opening->why = why;
    if (unlinkat(opening->folder, opening->name, 0) != 0 && errno != ENOENT) {
        return refuse_error(opening, "the old file cannot be removed: ", errno);
    }
    return APR_EAGAIN;
}

/* Another process stands in the way. If this process had the file open before that may be a child of
 * its own, which is no reason to fail. */
static apr_status_t make_way(opening_t *opening, apr_status_t rv, const char *predicate)
{
    struct stat info;

    if (fstat(opening->file->file, &info) == 0 && is_known(opening, &info)) {
        return replace(opening, "was overwritten or locked by a process of this server");
    }
    return refuse(opening, rv, predicate);
}

/* This process opened the store last: its users are children of an earlier generation. */
static int is_own(const memory_stamp_t *stamp)
{
    return stamp->parent.pid == (uint32_t)getpid() && stamp->parent.space == process_space()
           && stamp->parent.start == process_start((uint32_t)getpid());
}

/* With the bounds of another store, which fit the file as well. */
static int is_overwritten(const opening_t *opening)
{
    struct stat info;

    return fstat(opening->file->file, &info) == 0 && is_known(opening, &info)
           && memcmp(&opening->need->known->geometry, &opening->file->geometry,
                     sizeof(opening->file->geometry)) != 0;
}

/* A file with a store in it, nobody opens it beside us. */
static apr_status_t adopt(opening_t *opening, off_t length)
{
    file_t *file = opening->file;
    memory_stamp_t stamp;
    const char *why;

    memset(&stamp, 0, sizeof(stamp));
    why = file_read_stamp(file->file, &stamp) != APR_SUCCESS ? "was cut"
          : segment_refuse(&stamp, opening->need->size, opening->need->lines, 1, &file->geometry);
    if (!why && (uint64_t)length != opening->need->size) {
        why = "was cut";
    }
    if (!why && is_overwritten(opening)) {
        why = "was overwritten by a process of this server";
    }
    file->is_alone = !users_any(file->file);
    if (!why) {
        return APR_SUCCESS;
    }
    if (!file->is_alone && stamp.parent.pid != 0 && !is_own(&stamp)) {
        return make_way(opening, APR_EEXIST,
                        apr_psprintf(opening->pool, "is in use by another httpd, and %s (%"
                                     APR_UINT64_T_FMT " bytes, configured are %" APR_UINT64_T_FMT ")",
                                     why, (uint64_t)length, opening->need->size));
    }
    return replace(opening, why);
}

/* One try. APR_EAGAIN: another one. */
static apr_status_t try_open(opening_t *opening)
{
    file_t *file = opening->file;
    int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    off_t length = 0;
    apr_status_t rv;

    file->file = openat(opening->folder, opening->name, flags);
    if (file->file < 0 && errno == ENOENT) {
        file->file = openat(opening->folder, opening->name, flags | O_CREAT | O_EXCL, 0600);
    }
    if (file->file < 0) {
        return errno == EEXIST ? APR_EAGAIN : refuse_to_open(opening, errno);
    }
    rv = examine(opening, file->file, &length);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = users_exclude(file->file);
    if (rv != APR_SUCCESS) {
        return rv == APR_TIMEUP
               ? make_way(opening, rv, "has been opened by another process for seconds")
               : rv == APR_ENOTIMPL ? refuse(opening, rv, "needs file locks that this system lacks")
               : refuse_error(opening, "no lock: ", rv);
    }
    if (!is_in_place(opening, file->file)) {
        return APR_EAGAIN;
    }
    rv = examine(opening, file->file, &length); /* by now it may be complete */
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (length > 0) {
        return adopt(opening, length);
    }
    return users_any(file->file) ? replace(opening, "was cut") : make(opening);
}

/* The descriptor that is kept has no right to write. */
static apr_status_t join(opening_t *opening)
{
    int file = openat(opening->folder, opening->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    apr_status_t rv;

    if (file < 0) {
        return refuse_error(opening, "", errno);
    }
    rv = is_in_place(opening, file) && is_in_place(opening, opening->file->file)
             ? users_join(&opening->file->users, file) : APR_EAGAIN;
    if (rv != APR_SUCCESS) {
        close(file);
        return rv == APR_EGENERAL ? make_way(opening, rv, "is used by too many servers at a time")
               : rv == APR_EAGAIN ? rv : refuse_error(opening, "no lock: ", rv);
    }
    return APR_SUCCESS;
}

apr_status_t file_open(file_t *file, const file_need_t *need, apr_pool_t *pool, const char **why,
                       const char **problem)
{
    opening_t opening = { file, need, pool, -1, NULL, NULL, NULL };
    apr_status_t rv;
    int tries;

    memset(file, 0, sizeof(*file));
    file->file = -1;
    rv = open_folder(&opening);
    for (tries = 0; rv == APR_SUCCESS && tries < TRIES; tries++) {
        rv = try_open(&opening);
        if (rv == APR_SUCCESS) {
            rv = join(&opening);
        }
        if (rv == APR_SUCCESS) {
            break;
        }
        if (file->file >= 0) {
            close(file->file);
            file->file = -1;
        }
        if (rv == APR_EAGAIN) {
            rv = tries < TRIES - 1 ? APR_SUCCESS
                 : refuse(&opening, APR_TIMEUP, "is replaced by others again and again");
        }
    }
    if (opening.folder >= 0) {
        close(opening.folder);
    }
    *why = opening.why;
    *problem = opening.problem;
    return rv;
}
