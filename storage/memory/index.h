/* SPDX-License-Identifier: Apache-2.0
 *
 * index.h - from a key to its entry: buckets with chains through the entries. Looked up without a
 * lock, changed under it.
 */
#ifndef STORER_MEMORY_INDEX_H
#define STORER_MEMORY_INDEX_H

#include "pins.h"

#include <stdbool.h>

/** A chain of an honest heap is far shorter, see MEMORY_BYTES_PER_BUCKET. */
#define INDEX_CHAIN_LIMIT 4096

uint64_t index_hash(const memory_segment_t *segment, storer_bytes_t key);

/** The bucket of a hash. */
uint64_t *index_bucket(const memory_segment_t *segment, uint64_t hash);

/**
 * The entry of a key, pinned for this process: it stays whole until *slot is set to 0. Any thread,
 * no lock. Says nothing about expiry.
 * @return APR_SUCCESS; APR_NOTFOUND; APR_EAGAIN: no pin is free, or the chain changed all the time
 */
apr_status_t index_find(memory_segment_t *segment, memory_pins_t *pins, storer_bytes_t key,
                        uint64_t hash, uint32_t **slot, memory_entry_t **out);

/** The lock is held: the entry of a key; NULL: none, or damage (then journal_damaged was called). */
memory_entry_t *index_find_locked(memory_segment_t *segment, storer_bytes_t key, uint64_t hash);

/** The lock is held, in the caller's transaction. */
void index_insert(memory_segment_t *segment, memory_entry_t *entry);
/** false: damage, and journal_damaged was called. */
bool index_remove(memory_segment_t *segment, memory_entry_t *entry);

/** The lock is held: the first entry of bucket `number`, and the next of a chain; NULL: no more. */
memory_entry_t *index_first(memory_segment_t *segment, uint32_t number);
memory_entry_t *index_next(memory_segment_t *segment, const memory_entry_t *entry);

#endif /* STORER_MEMORY_INDEX_H */
