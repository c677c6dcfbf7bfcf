/* SPDX-License-Identifier: Apache-2.0
 *
 * entry.h - the life of an entry: written, live, dead, gone.
 *
 *   (free) --begin--> WRITING --publish--> LIVE --unlink--> DEAD --reap--> (free)
 *                      ^ '---------------abandon--------------^   '--> SPENT
 *                      '----------------------------claim--------------'
 *
 *   WRITING  belongs to one writer, by its pin; in no list.
 *   LIVE     in the index and in a ring; readers come and go.
 *   DEAD     in limbo: nobody new finds it, and when no pin names it any more its memory is free,
 *   SPENT    unless its pages must be renewed first (pages.h): for that somebody claims it, as a
 *            writer does, and then abandons it.
 *
 * All functions need the lock. Those with "transaction" leave the commit to the caller; those which
 * return bool return false after journal_damaged().
 */
#ifndef STORER_MEMORY_ENTRY_H
#define STORER_MEMORY_ENTRY_H

#include "heap.h"
#include "index.h"
#include "policy.h"
#include "wheel.h"

/** Make the block at ref, which entry_begin's caller has just allocated, an entry that *slot owns.
 * Transaction. */
memory_entry_t *entry_begin(memory_segment_t *segment, memory_ref_t ref, storer_bytes_t key,
                            uint64_t hash, storer_expiry_t expiry, uint32_t *slot);

/** The entry, complete now and `bytes` of the heap large, becomes live, and the slot free.
 * Transaction. */
bool entry_publish(memory_segment_t *segment, memory_entry_t *entry, uint64_t bytes,
                   apr_time_t now, uint32_t *slot);

/** A live entry goes to limbo. Transaction. */
bool entry_unlink(memory_segment_t *segment, memory_entry_t *entry);

/** An unfinished entry goes to limbo and the slot becomes free; commits. A pins_abandon_fn. */
int entry_abandon(memory_segment_t *segment, memory_ref_t ref, uint32_t *slot);

/** Free what is in limbo and not pinned; commits. Looks at the entries that came there since the last
 * time, at all of them where one may have lost its last pin unnoticed (header.left_over). */
void entry_reap(memory_segment_t *segment);

/** A spent entry becomes the one that *slot owns; commits. NULL: there is none, or damage. */
memory_entry_t *entry_claim(memory_segment_t *segment, uint32_t *slot);

/** A reader of the entry at ref has just unpinned it and found it dead: free it if that was the last
 * pin; commits. The entry may be another one by now, or none. */
void entry_unpinned(memory_segment_t *segment, memory_ref_t ref);

/** What an entry takes of the heap in units; the headers and the rounding of further pieces are left
 * out. */
static inline uint32_t entry_units(const memory_entry_t *entry)
{
    return heap_units(sizeof(*entry) + entry->key_length + entry->length);
}

#endif /* STORER_MEMORY_ENTRY_H */
