/* SPDX-License-Identifier: Apache-2.0
 *
 * backing.h - where a memory store's shared memory comes from.
 */
#ifndef STORER_MEMORY_BACKING_H
#define STORER_MEMORY_BACKING_H

#include "memory.h"

/** Parent, one thread. memory->size bytes, mapped as long as the instance lives: from the file at
 * memory->path; or retained by the host over restarts; or new. *fresh: 1: zeroed; 0: a segment of
 * this layout is there. errmsg is set on failure. */
apr_status_t backing_open(memory_t *memory, void **base, int *fresh, const char **errmsg);

#endif /* STORER_MEMORY_BACKING_H */
