/* SPDX-License-Identifier: Apache-2.0
 *
 * variants.h - a shorter way to the response of a URL that has just one, for every request alike:
 * most have. Its entry is marked, by whoever stores the mapping that says so, and is then found
 * without a look at the mapping.
 */
#ifndef STORER_MEMORY_VARIANTS_H
#define STORER_MEMORY_VARIANTS_H

#include "entry.h"

/** The lock is held, in the caller's transaction: a key's entry has come (NULL: has been deleted).
 *  Where
 * the key is that of a mapping, the mark of its URL's value is set or cleared. */
void variants_note(memory_segment_t *segment, storer_bytes_t key, memory_entry_t *entry);

/** The lock is held: is the entry the mapping of a marked value? Nobody asks for that any more, but
 *  it
 * lists the value, and is to live as long. */
bool variants_needs(memory_segment_t *segment, memory_entry_t *entry);

#endif /* STORER_MEMORY_VARIANTS_H */
