/* SPDX-License-Identifier: Apache-2.0
 *
 * limit.h - how much memory the system lets this process use: the machine's, and the limits of the
 * control groups that the process is in (cgroups, version 1 and 2). Linux; elsewhere nothing is known.
 */
#ifndef STORER_LIMIT_H
#define STORER_LIMIT_H

#include <apr_pools.h>

/**
 * The least of all limits, in bytes.
 * @param root   "" for the system's own files; a test gives a folder that has the like of them
 * @param source the file that says so, in pool
 * @return 0: no limit is known
 */
apr_uint64_t limit_of_memory(const char *root, const char **source, apr_pool_t *pool);

#endif /* STORER_LIMIT_H */
