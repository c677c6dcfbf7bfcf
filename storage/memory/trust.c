/* SPDX-License-Identifier: Apache-2.0
 *
 * trust.c - see trust.h.
 */
#include "trust.h"

#include <apr_strings.h>

const char *trust_file(const struct stat *file, uid_t user, apr_pool_t *pool)
{
    if (S_ISDIR(file->st_mode)) {
        return "is a directory, not a file";
    }
    if (!S_ISREG(file->st_mode)) {
        return "is not a regular file";
    }
    if (file->st_uid != user) {
        return apr_psprintf(pool, "belongs to the user with the id %lu, not to %lu, which starts httpd",
                            (unsigned long)file->st_uid, (unsigned long)user);
    }
    if (file->st_mode & 0077) {
        return apr_psprintf(pool, "is open to other users (mode %04o, expected 0600)",
                            (unsigned)file->st_mode & 07777);
    }
    if (file->st_nlink > 1) {
        return apr_psprintf(pool, "has %lu names (hard links), expected one",
                            (unsigned long)file->st_nlink);
    }
    return NULL;
}

const char *trust_folder(const struct stat *folder, uid_t user, apr_pool_t *pool)
{
    if (!S_ISDIR(folder->st_mode)) {
        return "is not a directory";
    }
    if (folder->st_uid != user && folder->st_uid != 0) {
        return apr_psprintf(pool, "belongs to the user with the id %lu, who could replace files in it",
                            (unsigned long)folder->st_uid);
    }
    if ((folder->st_mode & 0022) && !(folder->st_mode & S_ISVTX)) {
        return apr_psprintf(pool, "is writable for other users, who could replace files in it (mode "
                            "%04o)", (unsigned)folder->st_mode & 07777);
    }
    return NULL;
}
