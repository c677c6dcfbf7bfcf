/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.h - the instance of a memory store in one process, shared by the files that serve its
 * operations: memory.c (table, factory, life), reader.c, writer.c, variants.c and keys.c.
 */
#ifndef STORER_MEMORY_MEMORY_H
#define STORER_MEMORY_MEMORY_H

#include "segment.h"
#include "space.h"

typedef struct memory_t {
    storer_t         base;         /* first: an instance is passed around as a storer_t */
    /* immutable after init */
    const char      *uuid;
    apr_size_t       size;
    const char      *path;         /* NULL: the memory is in no file */
    apr_size_t       resident;     /* size, or 0 if the file is on a disk */
    memory_segment_t segment;
    /* this process's */
    memory_pins_t    pins;
} memory_t;

extern const storer_ops_t memory_ops;
extern const storer_ops_t memory_outside_ops;  /* outside.h */

static inline memory_t *memory_of(storer_t *self)
{
    storer_assert(self->ops == &memory_ops || self->ops == &memory_outside_ops);
    return (memory_t *)self;
}

/** Lock the segment for a change. Contents known to be damaged are made anew, or the lock is given
 * back with APR_EGENERAL where they are still in use. *recovered goes to memory_leave. */
apr_status_t memory_enter(memory_t *memory, int *recovered);

/** Unlock; after a death also take back what the dead held. */
void memory_leave(memory_t *memory, int recovered);

/** A reader found what can't be: nobody reads any more until the contents have been made anew. */
void memory_found_damage(memory_t *memory);

/* reader.c */
storer_get_fn memory_get;

/** The same, but it does not count as a hit, and the value is in place however much is held: for as
 * long as it takes to look at it. */
apr_status_t memory_look(memory_t *memory, storer_bytes_t key, apr_time_t now, storer_view_t *view);

/** What was looked at is to be read: it counts as a hit. Where too much is held, see hold.h, the view
 * becomes one of a copy (and its `value` no entry), or is released and APR_EAGAIN returned. */
apr_status_t memory_hit(memory_t *memory, apr_time_t now, storer_view_t *view);

/* writer.c */
storer_open_writer_fn memory_open_writer;
storer_set_fn         memory_set;
storer_update_fn      memory_update;

/* variants.c */
storer_get_multi_level_fn memory_get_multi_level;
storer_rank_fn            memory_rank;

/* keys.c */
storer_delete_fn   memory_delete;

/** The entry of a key goes, in a transaction of its own, with the lock held.
 * @param entry NULL: it has none
 * @return APR_EGENERAL: the store is damaged */
apr_status_t memory_drop_locked(memory_t *memory, storer_bytes_t key, memory_entry_t *entry);
storer_map_keys_fn memory_map_keys;
storer_reset_fn    memory_reset;

#endif /* STORER_MEMORY_MEMORY_H */
