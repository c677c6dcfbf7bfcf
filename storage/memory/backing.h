/* SPDX-License-Identifier: Apache-2.0
 *
 * backing.h - where a memory store's shared memory comes from.
 */
#ifndef STORER_MEMORY_BACKING_H
#define STORER_MEMORY_BACKING_H

#include "file.h"
#include "memory.h"

/** Parent, one thread. Attaches memory->segment to memory->size bytes, mapped as long as the instance
 * lives: from the file at memory->path; or retained by the host over restarts; or new. *adopted: 1: a
 * segment was there. errmsg is set on failure. */
apr_status_t backing_open(memory_t *memory, int *adopted, const char **errmsg);

/** What this process has noted of the file of that path, if it had one open in an earlier
 * configuration; as long as env->pool. */
file_known_t *backing_known_file(const storer_env_t *env, const char *path);

#endif /* STORER_MEMORY_BACKING_H */
