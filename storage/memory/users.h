/* SPDX-License-Identifier: Apache-2.0
 *
 * users.h - which processes have a store's file open, and which of them live.
 *
 * A pid says nothing to a process of another pid namespace, such as another container, and the kernel
 * gives it to another process sooner or later. A lock on the file says it to all: each parent that
 * opens the store is a *generation* and holds the lock of its number, on a descriptor that its children
 * inherit (an open file description lock, fcntl(2)). The kernel releases it when the last of them has
 * ended, in whatever way. So
 *
 *   - if no generation's lock is held, nobody uses the store, and the one who opens it may mend what
 *     the last users left;
 *   - the owner of a line of pins is dead if the lock of its generation is free, or is held by a later
 *     generation that got the same number (their `life` differs);
 *   - within a pid namespace a pid and a start time tell it process by process, as they do for memory
 *     that lies in no file and that the children of one parent have alone.
 *
 * The locks are on bytes behind the last that a store can have. They need no right to write, so that
 * children have no descriptor with which they could cut the file.
 */
#ifndef STORER_MEMORY_USERS_H
#define STORER_MEMORY_USERS_H

#include "layout.h"

/** As many parents may use a store at a time, together with their children. */
#define USERS_GENERATIONS 4096u

/** This process and its children have memory of their own. */
void users_alone(users_t *users);

/**
 * Only one process at a time opens or makes the file. Waits for some seconds.
 * @param file for writing
 * @return APR_SUCCESS; APR_TIMEUP; APR_ENOTIMPL: the system has no such locks; or an errno
 */
apr_status_t users_exclude(int file);

/** The exclusion ends. Closing the file alone does not do it while the file is mapped. */
void users_admit(int file);

/** Does any generation have the file in use? */
int users_any(int file);

/**
 * Become a generation, after users_exclude().
 * @param file kept by this process and its children as long as they use the store; for reading
 * @return APR_SUCCESS; APR_EGENERAL: there are too many
 */
apr_status_t users_join(users_t *users, int file);

/** What a process notes of itself. */
void users_note(users_t *users, memory_owner_t *owner);

/** Does the process that noted this live? When in doubt it does. System calls. */
int users_live(const users_t *users, const memory_owner_t *owner);

#endif /* STORER_MEMORY_USERS_H */
