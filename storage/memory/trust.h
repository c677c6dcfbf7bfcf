/* SPDX-License-Identifier: Apache-2.0
 *
 * trust.h - may a file be used as the memory of a store? Who can write a store's file decides what
 * every process of httpd reads, and who can cut it ends them by SIGBUS: so it must be of the user that
 * started httpd, for that user alone, and in a folder in which no other user can put something else in
 * its place. Rules only: looks at what fstat(2) has told, opens nothing.
 */
#ifndef STORER_MEMORY_TRUST_H
#define STORER_MEMORY_TRUST_H

#include <apr_pools.h>

#include <sys/stat.h>
#include <sys/types.h>

/** @return NULL: it may; else why not, a predicate ("is a directory"), in pool */
const char *trust_file(const struct stat *file, uid_t user, apr_pool_t *pool);

/** The folder that the file is in. Folders in which each user's files are safe from the others, such as
 * /dev/shm and /tmp, are those with the sticky bit. */
const char *trust_folder(const struct stat *folder, uid_t user, apr_pool_t *pool);

#endif /* STORER_MEMORY_TRUST_H */
