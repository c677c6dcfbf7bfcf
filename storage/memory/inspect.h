/* SPDX-License-Identifier: Apache-2.0
 *
 * inspect.h - a memory store in a file, from outside of httpd: for the command line tool.
 */
#ifndef STORER_MEMORY_INSPECT_H
#define STORER_MEMORY_INSPECT_H

#include "../storer_host.h"

/**
 * Use the store in this file together with the processes that have it, as one of them. A file that is
 * no store, or of another release, is left as it is.
 * @param env     lives as long as the store
 * @param problem what is wrong, on failure; in env->pool
 */
apr_status_t inspect_attach(storer_t **out, const char *path, const storer_env_t *env,
                            const char **problem);

/**
 * A copy of the store in this file as it is now: what is changed in it goes nowhere. The structure is
 * checked; what processes that died left incomplete is mended in the copy first, as a start would.
 * @param in_use 1: some process has the store: then what is found may be of a moment's change
 * @return APR_SUCCESS; APR_EGENERAL: damaged, see problem; APR_EINVAL: no store; or an errno
 */
apr_status_t inspect_copy(storer_t **out, const char *path, const storer_env_t *env, int *in_use,
                          const char **problem);

#endif /* STORER_MEMORY_INSPECT_H */
