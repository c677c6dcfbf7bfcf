/* SPDX-License-Identifier: Apache-2.0
 *
 * wheel.h - which entries have expired: a hierarchical timing wheel (G. Varghese and T. Lauck,
 * "Hashed and hierarchical timing wheels", SOSP 1987). Entering, leaving and finding the next one
 * take constant time. All functions need the lock.
 */
#ifndef STORER_MEMORY_WHEEL_H
#define STORER_MEMORY_WHEEL_H

#include "journal.h"

#include <stdbool.h>

/** File an entry that becomes live under its end. In the caller's transaction. false: damage. */
bool wheel_insert(memory_segment_t *segment, memory_entry_t *entry, apr_time_t now);

/** A live entry leaves. In the caller's transaction. false: damage. */
bool wheel_remove(memory_segment_t *segment, memory_entry_t *entry);

/**
 * An entry that has expired, to within a second; it is still filed. NULL: there is none, or damage.
 * Begins with nothing uncommitted and commits what it moved. Moves a bounded number of entries, so
 * NULL can also mean "not found yet": *again is 1 then.
 */
memory_entry_t *wheel_expired(memory_segment_t *segment, apr_time_t now, int *again);

#endif /* STORER_MEMORY_WHEEL_H */
