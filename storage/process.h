/* SPDX-License-Identifier: Apache-2.0
 *
 * process.h - is that process still the one it was? By pid and, where the system tells, by the time
 * it started, so that a pid used again is not mistaken for its earlier owner.
 */
#ifndef STORER_PROCESS_H
#define STORER_PROCESS_H

#include <stdint.h>

/** Start time of a process in the system's own unit; 0 if it cannot be known, as in a container that
 * has another one's /proc. */
uint64_t process_start(uint32_t pid);

/** 0: it has ended (a zombie has, too). When in doubt it is alive. */
int process_alive(uint32_t pid, uint64_t start);

/** A number for the set of processes that see each other under the same numbers (a pid namespace, see
 * pid_namespaces(7)): a pid that was noted in another one says nothing here. 0: it cannot be known. */
uint64_t process_space(void);

/** A number for the time since the machine was started last: another one after the next start; 0
 * where that can't be known. */
uint64_t process_boot(void);

#endif /* STORER_PROCESS_H */
