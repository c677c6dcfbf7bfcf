/* SPDX-License-Identifier: Apache-2.0
 *
 * robust.h - a mutex in shared memory that outlives whoever held it: when a process dies with the
 * lock in its hand, the system hands it on and says so (POSIX robust mutexes).
 *
 * Owns nothing: the mutex lies where its user keeps it. What a dead owner left half done is the
 * user's business, and so is unlocking, with pthread_mutex_unlock().
 */
#ifndef STORER_ROBUST_H
#define STORER_ROBUST_H

#include <pthread.h>

/** Make one, for the processes that share the memory. @return 0 or an error number. */
int robust_init(pthread_mutex_t *mutex);

/** Take it, waiting no longer than that many milliseconds.
 * @return 0; EOWNERDEAD: held now, but its last owner died: mend what it guards, then call
 * pthread_mutex_consistent(); ETIMEDOUT: not held; another error number: not held. */
int robust_lock(pthread_mutex_t *mutex, long milliseconds);

#endif /* STORER_ROBUST_H */
