/* SPDX-License-Identifier: Apache-2.0
 *
 * layout.h - the memory engine's shared segment, struct by struct: what lies where and which lock,
 * if any, guards it. Nothing here points: places are *references*, counted in units of 64 bytes
 * from the start of the segment, so that a reference means the same in every process.
 *
 *   +--------+---------+--------+--------+---------+--------+---------------------------------------+
 *   | header | buckets | lines  | owners | ghosts  | purges | heap: blocks, each an entry, an extent |
 *   |        |         |        |        |         |        | or free                               |
 *   +--------+---------+--------+--------+---------+--------+---------------------------------------+
 *   0        the index pins     of the   keys      labels   first_block                    end_block
 *            of keys   in use   lines    evicted   purged
 *
 * storage/README.md tells how a reader, a writer, an eviction and a death move through it.
 */
#ifndef STORER_MEMORY_LAYOUT_H
#define STORER_MEMORY_LAYOUT_H

#include "../shared/purge_table.h"
#include "../storer_private.h"

#include <pthread.h>
#include <stdint.h>

#define MEMORY_MAGIC          UINT64_C(0x5354524d454d3031) /* "STRMEM01" */
#define MEMORY_MAGIC_UNMADE   UINT64_C(0x5354524d454d3030) /* "STRMEM00": a file that is being made */
#define MEMORY_LAYOUT_VERSION 6

#define MEMORY_UNIT           64u  /* allocation unit: a cache line; 31 bits of them reach 128 GiB */
#define MEMORY_PAGE           4096u
#define MEMORY_PAGE_UNITS     (MEMORY_PAGE / MEMORY_UNIT)
#define MEMORY_SIZE_MIN       ((apr_off_t)1 << 20)
#define MEMORY_SIZE_MAX       ((apr_off_t)1 << 36)

/* One bucket for each KiB: with objects as small as 200 bytes a chain has five entries on average,
 * and the array costs 0.8 % of the segment. */
#define MEMORY_BYTES_PER_BUCKET 1024
/* One ghost for each 2 KiB: more than the objects that fit, at 0.2 % of the segment. */
#define MEMORY_BYTES_PER_GHOST  2048
/* One line of 32 pins for each 64 KiB. A line is two cache lines, since processors fetch those in
 * pairs: what one process writes must not be next to what another does. */
#define MEMORY_BYTES_PER_LINE   65536
#define MEMORY_LINES_MIN        32
#define MEMORY_LINES_MAX        32768
#define MEMORY_LINE_SLOTS       32

/* One mark of 32 bytes for each 16 KiB, 0.2 % of the segment: labels whose purge is remembered. */
#define MEMORY_BYTES_PER_PURGE  16384
#define MEMORY_PURGES_MAX       4194304

/* Sizes are filed by power of two, each split in 16 (TLSF: Masmano et al., ECRTS 2004). */
#define MEMORY_FIRST_LEVELS   32
#define MEMORY_SECOND_BITS    4
#define MEMORY_SECOND_LEVELS  (1 << MEMORY_SECOND_BITS)

/* Of time, for expiry: 64^6 seconds reach 2,000 years. */
#define MEMORY_WHEEL_LEVELS   6
#define MEMORY_WHEEL_SLOTS    64

#define MEMORY_CLASSES        40   /* of sizes, by power of two of the bytes, for eviction */
#define MEMORY_RINGS          (2 * MEMORY_CLASSES)

/* Longest critical section between two commits: freeing a block with both neighbours is 20 words,
 * publishing a value with trimming and replacement 60. */
#define MEMORY_JOURNAL_RECORDS 256

typedef uint32_t memory_ref_t;     /* unit number; 0: none */

/* ---- blocks of the heap ---- */

#define MEMORY_BLOCK_FREE     0x80000000u
#define MEMORY_ENTRY_MAGIC    0x53e7a1c5u  /* see memory_magic */
#define MEMORY_EXTENT_MAGIC   0x2b9d4f07u

/* Begins every block. In a free block the two words after it link the free list. */
typedef struct memory_block_t {
    uint32_t     size;             /* units, this header included; MEMORY_BLOCK_FREE */
    uint32_t     before;           /* units of the block that lies before it; 0: the first */
    memory_ref_t free_next;        /* free blocks only */
    memory_ref_t free_prev;
} memory_block_t;

typedef enum memory_state_e {
    MEMORY_WRITING = 1,            /* owned by the pin of its writer, in no list */
    MEMORY_LIVE    = 2,            /* in its bucket's chain and in a ring */
    MEMORY_DEAD    = 3,            /* in limbo: waits until its last reader lets go */
    MEMORY_SPENT   = 4             /* has no reader, and waits for new pages, see pages.h */
} memory_state_e;

/* State and, of a live entry, the number of its ring; of a dead one MEMORY_LIMBO_KEPT or 0. One word,
 * so that it changes as one. */
#define MEMORY_PLACE(state, ring)  ((uint32_t)(state) | (uint32_t)(ring) << 8)
#define MEMORY_STATE(place)        ((place) & 0xffu)
#define MEMORY_RING(place)         ((place) >> 8)

/* A dead entry that was pinned when limbo was last reaped. */
#define MEMORY_LIMBO_KEPT          1u

/* The word `marks` of an entry: variants.c says whether the entry is the only variant of its URL, for
 * any request; above that is the number of the last count that met the entry, see hold.c. */
#define MEMORY_ALONE               1u
#define MEMORY_COUNTED(marks)      ((marks) >> 1)

/* A key and the first part of its value: the bytes follow the struct, first the key, then the
 * value. Immutable once published, but for what says otherwise. */
typedef struct memory_entry_t {
    uint32_t     block_size;       /* as in memory_block_t; guarded by lock */
    uint32_t     block_before;
    uint32_t     magic;            /* overlays free_next: set through the journal */
    memory_ref_t chain;            /* overlays free_prev; next of the bucket; guarded by lock, read
                                      without it by index_find */
    uint64_t     hash;
    memory_ref_t ring_next;        /* towards the older; so in limbo; the next spent one; guarded by
                                      lock */
    memory_ref_t ring_prev;
    memory_ref_t extent;           /* second part of the value; 0: none */
    uint32_t     key_length;
    uint64_t     length;           /* of the whole value; while it is written: of what it may hold */
    apr_time_t   fresh_until;
    apr_time_t   stale_until;
    uint32_t     inline_length;    /* bytes of the value in this block */
    uint32_t     stamp;            /* policy.c; guarded by lock */
    uint32_t     place;            /* MEMORY_PLACE; guarded by lock, read without it at release */
    uint32_t     hits;             /* see policy.h; atomic */
    memory_ref_t wheel_next;       /* of the same slot of the wheel; guarded by lock */
    memory_ref_t wheel_prev;
    uint32_t     wheel_slot;       /* guarded by lock */
    uint32_t     marks;            /* MEMORY_ALONE and MEMORY_COUNTED; guarded by lock, atomic: read by
                                      those who have it pinned */
} memory_entry_t;

/* A further part of a value. Its bytes follow the struct; or they begin with the next unit, which is
 * the first of a page, and no page with any of them has anything else in it. */
typedef struct memory_extent_t {
    uint32_t     block_size;
    uint32_t     block_before;
    uint32_t     magic;
    memory_ref_t next;
    uint32_t     length;           /* bytes of the value in this block */
    uint32_t     kind;             /* MEMORY_PAGED, MEMORY_SENT; atomic */
} memory_extent_t;

#define MEMORY_PAGED          1u   /* in pages of its own */
#define MEMORY_SENT           2u   /* and the kernel may still have them, see pages.h */

_Static_assert(sizeof(memory_block_t) == 16, "stored layout");
_Static_assert(sizeof(memory_entry_t) == 96, "stored layout");
_Static_assert(sizeof(memory_extent_t) == 24, "stored layout");

/* ---- pins ---- */

/* A slot is 0 (free), MEMORY_PIN_WRITER alone (claimed, nothing held yet), a reference (a reader
 * holds that entry) or a reference with MEMORY_PIN_WRITER (a writer owns it). Atomic. */
#define MEMORY_PIN_WRITER     0x80000000u

typedef struct memory_line_t {
    uint32_t slot[MEMORY_LINE_SLOTS];
} memory_line_t;

/* Whose slots a line's are; guarded by lock. See users.h. */
typedef struct memory_owner_t {
    uint64_t start;                /* the process's start time, so that a reused pid is noticed */
    uint32_t pid;                  /* 0: the line is free */
    uint32_t generation;           /* of its users_t */
    uint64_t life;
    uint64_t space;                /* process_space(): in which pid is a number of a process */
} memory_owner_t;

_Static_assert(sizeof(memory_line_t) == 2 * MEMORY_UNIT, "a pair of cache lines");
_Static_assert(sizeof(memory_owner_t) == 32, "stored layout");

/* ---- the header ---- */

/* What the layout of a segment of this size is; compared as a whole before one is adopted. */
typedef struct memory_geometry_t {
    uint64_t magic;
    uint64_t size;
    uint32_t version;
    uint32_t header_size;
    uint32_t bucket_count, line_count, ghost_count, purge_count;
    memory_ref_t first_block, end_block;
    uint64_t buckets, lines, owners, ghosts, purges;  /* offsets in bytes */
} memory_geometry_t;

/* What the parent processes leave behind for each other, at the very beginning of a segment. */
typedef struct memory_stamp_t {
    memory_geometry_t geometry;    /* written last: without it the segment was never completed */
    uint64_t          seed;        /* of the key hash: buckets can't be filled on purpose */
    uint64_t          boot;        /* process_boot() when it was made */
    memory_owner_t    parent;      /* who opened it last */
} memory_stamp_t;

_Static_assert(offsetof(memory_geometry_t, magic) == 0, "the first bytes of a file say what it is");

typedef enum memory_record_e {
    MEMORY_SAVED_32 = 1,
    MEMORY_SAVED_64 = 2,
    MEMORY_SAVED_BUCKET = 3        /* restored with a higher version, see journal.c */
} memory_record_e;

typedef struct memory_record_t {
    uint64_t where;                /* offset << 2 | memory_record_e */
    uint64_t old;
} memory_record_t;

typedef struct memory_journal_t {
    uint32_t        count;
    uint32_t        unused;
    memory_record_t record[MEMORY_JOURNAL_RECORDS];
} memory_journal_t;

typedef struct memory_ring_t {
    memory_ref_t newest, oldest;
    uint32_t     stamp;            /* of the oldest: the policy compares rings without a look at it */
} memory_ring_t;

/* What happened under the lock and is to be logged once it is released. */
typedef enum memory_notice_e {
    MEMORY_NOTICE_NONE = 0,
    MEMORY_NOTICE_RECOVERED = 1,
    MEMORY_NOTICE_DAMAGED = 2,
    MEMORY_NOTICE_REBUILT = 4
} memory_notice_e;

typedef struct memory_header_t {
    /* written by parents while they open it */
    memory_stamp_t    stamp;

    /* atomic */
    uint32_t          damaged;     /* 1: nothing is read until the heap has been made anew */
    uint32_t          lines_used;  /* lines at and beyond this were never claimed */
    uint32_t          interrupted; /* 1: the journal may have changes of processes that are no more,
                                      and there was nobody to hand the lock on */
    uint32_t          left_over;   /* 1: an entry in limbo may have lost its last pin unnoticed */
    uint64_t          held;        /* hold.c: units that pins held at the last count; a hint */

    pthread_mutex_t   lock __attribute__((aligned(64)));

    /* guarded by lock */
    uint32_t          notice __attribute__((aligned(64)));
    uint32_t          limbo_count;
    uint32_t          limbo_kept;  /* of these: the last ones, which have MEMORY_LIMBO_KEPT */
    memory_ref_t      limbo;
    memory_ref_t      spent;       /* entries that are MEMORY_SPENT */
    uint64_t          spent_units; /* of their blocks */
    uint32_t          counts;      /* hold.c: counts so far; no journal */
    uint64_t          held_since;  /* hold.c: units pinned or taken since; atomic, a hint */
    uint64_t          free_units;
    uint64_t          entries;     /* live ones */
    uint64_t          payload;     /* bytes of their values */
    uint32_t          clock;       /* policy.c: L */
    uint32_t          ghost_clock; /* policy.c: ghosts made so far */
    uint32_t          first_map;   /* heap.c: which first levels have free blocks */
    uint32_t          second_map[MEMORY_FIRST_LEVELS];
    memory_ref_t      free_list[MEMORY_FIRST_LEVELS][MEMORY_SECOND_LEVELS];
    memory_ring_t     ring[MEMORY_RINGS];
    uint64_t          wheel_tick;  /* wheel.c: all before it is done */
    uint64_t          wheel_map[MEMORY_WHEEL_LEVELS];
    memory_ref_t      wheel[MEMORY_WHEEL_LEVELS][MEMORY_WHEEL_SLOTS];
    uint64_t          evictions, expirations, recoveries, damages;
    memory_journal_t  journal;
} memory_header_t;

/* A bucket: version in the upper half, changed with every change of the chain, and the reference of
 * the chain's first entry in the lower. */
#define MEMORY_BUCKET_HEAD(word)      ((memory_ref_t)(word))
#define MEMORY_BUCKET_VERSION(word)   ((uint32_t)((word) >> 32))
#define MEMORY_BUCKET(version, head)  ((uint64_t)(version) << 32 | (head))

/* ---- the process's own handle ---- */

/* How the processes that use a segment know of each other, see users.h. */
typedef struct users_t {
    int      file;                 /* the open file with the lock; -1: all are children of one parent */
    uint32_t generation;
    uint64_t life;
    uint64_t space;                /* of this process */
} users_t;

typedef struct memory_segment_t {
    char               *base;
    memory_header_t    *header;
    uint64_t           *buckets;
    memory_line_t      *lines;
    memory_owner_t     *owners;
    uint32_t           *ghosts;
    purge_table_t       purges;
    users_t             users;
    const storer_env_t *env;
    memory_geometry_t   geometry;   /* copies: what bounds every access is not in reach of others */
    uint64_t            seed;
    int                 file;       /* the segment as a file, see pages.h; -1: it is none */
    uint32_t            weight[MEMORY_RINGS];  /* policy.c */
    uint64_t            hold_writers;  /* hold.c: units that may be held so that a value is stored, */
    uint64_t            hold_readers;  /* and so that one is read in place */
    uint64_t            hold_small;    /* bytes of a value that is not counted */
} memory_segment_t;

static inline void *memory_at(const memory_segment_t *segment, memory_ref_t ref)
{
    return segment->base + (uint64_t)ref * MEMORY_UNIT;
}

/* What marks an entry or extent at ref. The seed is in it, so that nobody can put a false one into
 * a body. */
static inline uint32_t memory_magic(const memory_segment_t *segment, uint32_t kind,
                                    memory_ref_t ref)
{
    return kind ^ ref ^ (uint32_t)segment->seed;
}

/* The entry at ref, or NULL where there can be none: a reference that was read from the segment is
 * not trusted. */
static inline memory_entry_t *memory_entry_at(const memory_segment_t *segment, memory_ref_t ref)
{
    const memory_geometry_t *geometry = &segment->geometry;
    memory_entry_t *entry;

    if (ref < geometry->first_block || ref >= geometry->end_block - 1) {
        return NULL;
    }
    entry = memory_at(segment, ref);
    return entry->magic == memory_magic(segment, MEMORY_ENTRY_MAGIC, ref) ? entry : NULL;
}

/* The same for an extent. */
static inline memory_extent_t *memory_extent_at(const memory_segment_t *segment, memory_ref_t ref)
{
    const memory_geometry_t *geometry = &segment->geometry;
    memory_extent_t *extent;

    if (ref < geometry->first_block || ref >= geometry->end_block - 1) {
        return NULL;
    }
    extent = memory_at(segment, ref);
    return extent->magic == memory_magic(segment, MEMORY_EXTENT_MAGIC, ref) ? extent : NULL;
}

/* Does what an extent says of its pages fit to where it lies? */
static inline int memory_is_paged(memory_ref_t ref, uint32_t kind)
{
    return (kind & MEMORY_PAGED) && (ref + 1) % MEMORY_PAGE_UNITS == 0;
}

static inline memory_ref_t memory_ref_of(const memory_segment_t *segment, const void *place)
{
    return (memory_ref_t)(((const char *)place - segment->base) / MEMORY_UNIT);
}

static inline char *memory_entry_key(memory_entry_t *entry)
{
    return (char *)(entry + 1);
}

static inline char *memory_entry_value(memory_entry_t *entry)
{
    return (char *)(entry + 1) + entry->key_length;
}

static inline char *memory_extent_data(const memory_segment_t *segment, memory_extent_t *extent)
{
    uint32_t kind = __atomic_load_n(&extent->kind, __ATOMIC_RELAXED);

    return memory_is_paged(memory_ref_of(segment, extent), kind) ? (char *)extent + MEMORY_UNIT
                                                                 : (char *)(extent + 1);
}

/* Do `bytes`, from the block's first on, lie within the block, and that within the heap? */
static inline int memory_holds(const memory_segment_t *segment, const void *place, uint64_t bytes)
{
    const memory_block_t *block = place;

    return block->size < segment->geometry.end_block - memory_ref_of(segment, place)
           && bytes <= (uint64_t)block->size * MEMORY_UNIT;
}

/* Lives until then (exclusive). */
static inline apr_time_t memory_entry_end(const memory_entry_t *entry)
{
    return entry->fresh_until > entry->stale_until ? entry->fresh_until : entry->stale_until;
}

#endif /* STORER_MEMORY_LAYOUT_H */
