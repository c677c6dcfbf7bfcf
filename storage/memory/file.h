/* SPDX-License-Identifier: Apache-2.0
 *
 * file.h - the file that a store's memory lies in (path=): found, looked at, locked, made if need be.
 *
 * Called by backing.c in the parent, and by inspect.c. Reads the file by read(2), and maps nothing:
 * what it says is copied and compared before anybody believes it, and a file that is cut meanwhile is
 * a short read, not a SIGBUS.
 */
#ifndef STORER_MEMORY_FILE_H
#define STORER_MEMORY_FILE_H

#include "layout.h"

/** A file that this process had open as a store before. */
typedef struct file_known_t {
    uint64_t          device, inode;  /**< 0: none */
    memory_geometry_t geometry;
} file_known_t;

/** What a store needs of its file. */
typedef struct file_need_t {
    const char *path;        /**< absolute */
    uint64_t    size;
    uint32_t    lines;       /**< of pins, at least */
    const file_known_t *known;
} file_need_t;

/** A file that is open. */
typedef struct file_t {
    int               file;      /**< for writing; nobody else opens the store until users_admit() */
    int               is_new;    /**< 1: zeros, and nobody has it */
    int               is_alone;  /**< 1: nobody else has it in use */
    memory_geometry_t geometry;  /**< what lies in it, or what is to be made; a copy */
    users_t           users;     /**< users.file: to be kept open by all who use the store */
} file_t;

/**
 * The path with its folder's symbolic links resolved: two paths of one file are the same text then.
 * @param problem set on failure: a sentence; in pool
 */
apr_status_t file_resolve(const char **resolved, const char *path, apr_pool_t *pool,
                          const char **problem);

/** Could a store be opened there? Changes nothing and waits for nothing, for `httpd -t`. */
apr_status_t file_check(const char *path, const file_known_t *known, apr_pool_t *pool,
                        const char **problem);

/**
 * Open the store's file, or make it: where there is none, where it is empty, and where it is a store of
 * this program that cannot be used any more (another size, release or start of the machine). Any other
 * file is refused and left as it is, and so is one that others could change. But need->known is
 * replaced whatever is in it now: children of this process can write and lock it, and must not be able
 * to end their parent. Parent, one thread.
 * @param why     what became of the file's former contents, a predicate; NULL: there were none, or they
 *                are used
 * @param problem set on failure: a sentence with the path in it; in pool
 */
apr_status_t file_open(file_t *file, const file_need_t *need, apr_pool_t *pool, const char **why,
                       const char **problem);

/** Note the file that was opened. */
void file_note(const file_t *file, file_known_t *known);

/** The beginning of an open file. @return APR_EINVAL: it is too short */
apr_status_t file_read_stamp(int file, memory_stamp_t *stamp);

#endif /* STORER_MEMORY_FILE_H */
