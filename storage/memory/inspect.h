/* SPDX-License-Identifier: Apache-2.0
 *
 * inspect.h - a memory store in a file, from outside of httpd: for the command line tool.
 */
#ifndef STORER_MEMORY_INSPECT_H
#define STORER_MEMORY_INSPECT_H

#include "../storer_host.h"

/**
 * Read the store in this file, whoever uses it: keys, values, and what is purged. Changes nothing
 * there, see outside.h; what would change the store is APR_ENOTIMPL.
 * @param env     lives as long as the store
 * @param problem what is wrong, on failure; in env->pool
 * @return APR_SUCCESS; APR_EINVAL: no store of this release; or an errno
 */
apr_status_t inspect_read(storer_t **out, const char *path, const storer_env_t *env,
                          const char **problem);

/**
 * The same, and storer_purge() is in effect for all processes that use the store. It takes a lock that
 * any of them may have damaged on purpose: so the process should be one that has no rights to lose.
 */
apr_status_t inspect_purge(storer_t **out, const char *path, const storer_env_t *env,
                           const char **problem);

/**
 * A copy of the store in this file as it is now: what is changed in it goes nowhere. The structure is
 * checked; a change that a process left incomplete when it died is undone in the copy first, as the
 * next one would do.
 * @param in_use 1: some process has the store: then what is found may be of a moment's change
 * @return APR_SUCCESS; APR_EGENERAL: damaged, see problem; APR_EINVAL: no store; or an errno
 */
apr_status_t inspect_copy(storer_t **out, const char *path, const storer_env_t *env, int *in_use,
                          const char **problem);

#endif /* STORER_MEMORY_INSPECT_H */
