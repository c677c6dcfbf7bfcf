/* SPDX-License-Identifier: Apache-2.0
 *
 * writer.c - set, update and the streaming writer: a value is copied into blocks that nobody else
 * knows, without a lock, and published by one transaction.
 */
#include "hold.h"
#include "memory.h"
#include "pages.h"
#include "variants.h"

/* A value in scattered memory is cut no smaller than this, and one up to twice that size not at
 * all: each piece costs a reader a bucket and an iovec. */
#define PIECE_UNITS   32u
/* Unless more would have to give way for it than the value is worth. */
#define PIECE_LEAST   4u

/* A value that is to be so long lies in pages of its own, from its second block on, where the segment
 * has pages: it is worth to be sent without a copy, and it is in the way if it is sent slowly. */
#define PAGED_BYTES   262144u
/* One of unknown length does once it is so long. */
#define PAGED_AFTER   16384u

/* Where the length is not known: the first block, and the most that is taken ahead. What is left
 * over is given back at commit. */
#define FIRST_BYTES   4096u
#define AHEAD_BYTES   (1024u * 1024u)

/* Turns of the lock for one block, each with a number of evictions: more than the largest value
 * needs when it takes the place of the smallest ones. */
#define TURNS_MAX     100000

#define UPDATE_TRIES  1000

typedef struct memory_writer_t {
    memory_t        *memory;
    memory_entry_t  *entry;
    memory_extent_t *tail;         /* the last block; NULL: it is the entry's */
    uint32_t        *slot;         /* the pin that owns all of it */
    storer_bytes_t   key;          /* in the entry */
    char            *next;         /* where the next byte goes */
    apr_size_t       room;         /* bytes left in the last block */
    uint64_t         length;
    uint64_t         expected;     /* 0: not known */
    uint64_t         taken;        /* units of all blocks */
    uint64_t         reserved;     /* units that it may hold, see hold.h */
    bool             paged;        /* the last block is, see heap_alloc_paged() */
    uint64_t         evicted;      /* units of what has given way, see space.h */
    apr_time_t       now;
} memory_writer_t;

static bool is_paged(const memory_writer_t *writer)
{
    return writer->memory->segment.file >= 0
           && (writer->expected ? writer->expected >= PAGED_BYTES : writer->length >= PAGED_AFTER);
}

/* A block of about `bytes`, of which `header` must fit. */
static space_request_t request_of(const memory_writer_t *writer, uint64_t bytes, uint64_t header)
{
    uint32_t wanted = heap_units(bytes), must = heap_units(header);
    space_request_t request = { writer->taken + wanted, writer->evicted, wanted, wanted, must, 0,
                                false, writer->now };

    if (request.need < heap_units(writer->expected)) {
        request.need = heap_units(writer->expected);
    }
    if (writer->entry && is_paged(writer)) {
        request.pages = (uint32_t)((bytes - sizeof(memory_extent_t)) / MEMORY_PAGE);
    }
    if (wanted > 2 * PIECE_UNITS) {
        request.least = PIECE_UNITS;
    }
    if (must < PIECE_LEAST) {
        request.must = wanted < PIECE_LEAST ? wanted : PIECE_LEAST;
    }
    if (request.least < request.must) {
        request.least = request.must;
    }
    return request;
}

/* What becomes of a block that space_take found: runs in the same transaction. */
typedef void use_block_fn(memory_writer_t *writer, memory_ref_t ref, const void *baton);

/* May the value hold what it needs? Asked once for all of it if the length is known: what is yet to be
 * taken counts as held, and the headers of its pieces may come on top. The lock is held. */
static bool reserve(memory_writer_t *writer, const space_request_t *request)
{
    memory_segment_t *segment = &writer->memory->segment;

    if (request->need <= writer->reserved + writer->reserved / 8) {
        return true;
    }
    if (!hold_allows_writer(segment, request->need * MEMORY_UNIT, request->need - writer->reserved)) {
        return false;
    }
    writer->reserved = request->need;
    return true;
}

/* One turn of the lock. APR_EAGAIN: another one is needed; APR_ENOSPC: there is no room. */
static apr_status_t take_turn(memory_writer_t *writer, space_request_t *request,
                              use_block_fn *use, const void *baton, uint32_t *units)
{
    memory_t *memory = writer->memory;
    memory_segment_t *segment = &memory->segment;
    int recovered, again = 0;
    memory_ref_t ref = 0;
    apr_status_t rv = memory_enter(memory, &recovered);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (reserve(writer, request)) {
        ref = space_take(segment, request, units, &again);
    }
    if (ref) {
        writer->taken += *units;
        writer->paged = request->pages > 0;
        use(writer, ref, baton);
        journal_commit(segment);
        hold_taken(segment, *units);
    }
    memory_leave(memory, recovered);
    return ref ? APR_SUCCESS : again ? APR_EAGAIN : APR_ENOSPC;
}

/* A block of about `bytes`, of which `header` must fit. */
static apr_status_t take_block(memory_writer_t *writer, uint64_t bytes, uint64_t header,
                               use_block_fn *use, const void *baton, uint32_t *units)
{
    space_request_t request = request_of(writer, bytes, header);
    int turn, swept = 0;
    apr_status_t rv = APR_EAGAIN;

    for (turn = 0; turn < TURNS_MAX && rv == APR_EAGAIN; turn++) {
        rv = take_turn(writer, &request, use, baton, units);
        if (rv == APR_EAGAIN && writer->memory->segment.header->spent) {
            request.stuck = !pages_renew(writer->memory);
        }
        if (rv == APR_ENOSPC && !swept) {
            /* Perhaps the dead hold it. */
            pins_sweep(&writer->memory->segment, entry_abandon);
            swept = 1;
            rv = APR_EAGAIN;
        }
    }
    writer->evicted = request.evicted;
    return rv == APR_EAGAIN ? APR_ENOSPC : rv;
}

typedef struct start_t {
    storer_bytes_t  key;
    uint64_t        hash;
    storer_expiry_t expiry;
} start_t;

static void use_as_entry(memory_writer_t *writer, memory_ref_t ref, const void *baton)
{
    const start_t *start = baton;

    writer->entry = entry_begin(&writer->memory->segment, ref, start->key, start->hash,
                                start->expiry, writer->slot);
    writer->entry->length = writer->reserved * MEMORY_UNIT;
}

static void use_as_extent(memory_writer_t *writer, memory_ref_t ref, const void *baton)
{
    memory_segment_t *segment = &writer->memory->segment;
    memory_extent_t *extent = memory_at(segment, ref);

    (void)baton;
    /* These two overlay the links of a free block, which an undo needs back. */
    journal_set32(segment, &extent->magic, memory_magic(segment, MEMORY_EXTENT_MAGIC, ref));
    journal_set32(segment, &extent->next, 0);
    extent->length = 0;
    extent->kind = writer->paged ? MEMORY_PAGED : 0;
    journal_set32(segment, writer->tail ? &writer->tail->next : &writer->entry->extent, ref);
    writer->entry->length = writer->reserved * MEMORY_UNIT;
    writer->tail = extent;
}

static apr_status_t begin(memory_writer_t *writer, memory_t *memory, storer_bytes_t key,
                          storer_expiry_t expiry, apr_off_t size_hint, apr_time_t now)
{
    start_t start = { key, index_hash(&memory->segment, key), expiry };
    uint64_t header = sizeof(memory_entry_t) + key.len, bytes;
    uint32_t units;
    apr_status_t rv;

    if (size_hint > (apr_off_t)segment_largest(&memory->segment)) {
        return APR_ENOSPC;
    }
    memset(writer, 0, sizeof(*writer));
    writer->memory = memory;
    writer->now = now;
    writer->expected = size_hint > 0 ? (uint64_t)size_hint : 0;
    bytes = header + (size_hint >= 0 && !is_paged(writer) ? (uint64_t)size_hint : FIRST_BYTES);
    writer->slot = pins_claim(&memory->pins, &memory->segment, MEMORY_PIN_WRITER);
    if (!writer->slot) {
        return APR_EAGAIN;
    }
    rv = take_block(writer, bytes, header, use_as_entry, &start, &units);
    if (rv != APR_SUCCESS) {
        __atomic_store_n(writer->slot, 0, __ATOMIC_SEQ_CST);
        return rv;
    }
    memcpy(memory_entry_key(writer->entry), key.data, key.len);
    writer->key.data = memory_entry_key(writer->entry);
    writer->key.len = key.len;
    writer->next = memory_entry_value(writer->entry);
    writer->room = (apr_size_t)((uint64_t)units * MEMORY_UNIT - header);
    return APR_SUCCESS;
}

static apr_status_t grow(memory_writer_t *writer)
{
    uint64_t bytes;
    uint32_t units;
    apr_status_t rv;

    if (writer->expected > writer->length) {
        bytes = writer->expected - writer->length;
    }
    else {
        bytes = writer->length < FIRST_BYTES ? FIRST_BYTES
                : writer->length > AHEAD_BYTES ? AHEAD_BYTES : writer->length;
    }
    rv = take_block(writer, sizeof(memory_extent_t) + bytes, sizeof(memory_extent_t) + 1,
                    use_as_extent, NULL, &units);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    writer->next = memory_extent_data(&writer->memory->segment, writer->tail);
    writer->room = (apr_size_t)units * MEMORY_UNIT
                   - (apr_size_t)(writer->next - (char *)writer->tail);
    return APR_SUCCESS;
}

static apr_status_t append(memory_writer_t *writer, storer_bytes_t bytes)
{
    if (writer->length + bytes.len > segment_largest(&writer->memory->segment)) {
        return APR_ENOSPC;
    }
    while (bytes.len > 0) {
        apr_size_t part;

        if (!writer->room) {
            apr_status_t rv = grow(writer);

            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        part = bytes.len < writer->room ? bytes.len : writer->room;
        memcpy(writer->next, bytes.data, part);
        bytes.data += part;
        bytes.len -= part;
        writer->next += part;
        writer->room -= part;
        writer->length += part;
        if (writer->tail) {
            writer->tail->length += (uint32_t)part;
        }
        else {
            writer->entry->inline_length += (uint32_t)part;
        }
    }
    return APR_SUCCESS;
}

static void give_up(memory_writer_t *writer)
{
    memory_segment_t *segment = &writer->memory->segment;
    int recovered;

    if (journal_lock(segment, &recovered) != APR_SUCCESS) {
        return; /* the pin still owns it: freed when this process ends */
    }
    if (!segment->header->damaged
        && entry_abandon(segment, memory_ref_of(segment, writer->entry), writer->slot)) {
        entry_reap(segment);
    }
    else {
        __atomic_store_n(writer->slot, 0, __ATOMIC_SEQ_CST);
    }
    memory_leave(writer->memory, recovered);
}

/* Give back what the last block has too much: of pages whole ones. The lock is held. */
static bool trim(memory_writer_t *writer)
{
    memory_segment_t *segment = &writer->memory->segment;
    void *last = writer->tail ? (void *)writer->tail : (void *)writer->entry;
    uint32_t has = heap_block_units(last), units = heap_units((uint64_t)(writer->next - (char *)last));

    if (writer->paged) {
        units = heap_paged_units((units - 1 + MEMORY_PAGE_UNITS - 1) / MEMORY_PAGE_UNITS);
    }
    if (units >= has) {
        return true;
    }
    if (!heap_trim(segment, memory_ref_of(segment, last), units)) {
        return false;
    }
    journal_commit(segment);
    writer->taken -= has - units;
    return true;
}

/* What a publication may replace: anything, or just what an update has read; and in which epoch of
 * purges it may take place. */
typedef struct replace_t {
    bool                  only;
    const memory_entry_t *seen;    /* pinned, so that its memory can't have become another entry;
                                      NULL: the key was absent */
    apr_uint64_t          epoch;   /* 0: any */
} replace_t;

/* An entry that has expired is absent to an update. */
static bool is_as_seen(const memory_entry_t *entry, const memory_entry_t *seen, apr_time_t now)
{
    return entry == seen || (!seen && memory_entry_end(entry) <= now);
}

static apr_status_t publish_locked(memory_writer_t *writer, const replace_t *replace)
{
    memory_segment_t *segment = &writer->memory->segment;
    memory_entry_t *old;

    /* A purge that looks at all keys begins an epoch, and then takes the lock to look: so either it
     * sees what is published here, or this sees the epoch. */
    if (replace->epoch && replace->epoch != purge_table_epoch(&segment->purges)) {
        return APR_EBUSY;
    }
    if (!trim(writer)) {
        return APR_EGENERAL;
    }
    writer->entry->length = writer->length;
    old = index_find_locked(segment, writer->key, writer->entry->hash);
    if (segment->header->damaged) {
        return APR_EGENERAL;
    }
    if (replace->only && !is_as_seen(old, replace->seen, writer->now)) {
        return APR_EAGAIN;
    }
    /* In this order: the new entry is found before the old one, so that one of them always is. */
    if (!entry_publish(segment, writer->entry, writer->taken * MEMORY_UNIT, writer->now, writer->slot)
        || (old && !entry_unlink(segment, old))) {
        return APR_EGENERAL;
    }
    variants_note(segment, writer->key, writer->entry);
    if (segment->header->damaged) {
        return APR_EGENERAL;
    }
    journal_commit(segment);
    if (old) {
        entry_reap(segment);
    }
    return APR_SUCCESS;
}

/* Ends the writer, whatever happens, but for APR_EBUSY. */
static apr_status_t publish(memory_writer_t *writer, const replace_t *replace)
{
    memory_t *memory = writer->memory;
    int recovered;
    apr_status_t rv;

    rv = journal_lock(&memory->segment, &recovered);
    if (rv == APR_SUCCESS) {
        rv = memory->segment.header->damaged ? APR_EGENERAL : publish_locked(writer, replace);
        memory_leave(memory, recovered);
    }
    if (rv != APR_SUCCESS && rv != APR_EBUSY) {
        give_up(writer);
    }
    return rv;
}

static const replace_t replace_any = { false, NULL, 0 };

static apr_status_t writer_append(storer_writer_t *writer, storer_bytes_t bytes)
{
    return append(writer->value, bytes);
}

static apr_status_t writer_commit(storer_writer_t *writer)
{
    replace_t replace = { false, NULL, writer->epoch };

    return publish(writer->value, &replace);
}

static void writer_abort(storer_writer_t *writer)
{
    give_up(writer->value);
}

static const storer_writer_ops_t writer_ops = { writer_append, writer_commit, writer_abort };

apr_status_t memory_open_writer(storer_t *self, storer_bytes_t key, storer_expiry_t expiry,
                                apr_off_t size_hint, apr_time_t now, storer_writer_t *writer,
                                apr_pool_t *pool)
{
    memory_writer_t *state = apr_palloc(pool, sizeof(*state));
    apr_status_t rv = begin(state, memory_of(self), key, expiry, size_hint, now);

    if (rv == APR_SUCCESS) {
        writer->ops = &writer_ops;
        writer->store = self;
        writer->length = 0;
        writer->value = state;
    }
    return rv;
}

static apr_status_t store(memory_t *memory, storer_bytes_t key, storer_bytes_t value,
                          storer_expiry_t expiry, apr_time_t now, const replace_t *replace)
{
    memory_writer_t writer;
    apr_status_t rv = begin(&writer, memory, key, expiry, (apr_off_t)value.len, now);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = append(&writer, value);
    if (rv != APR_SUCCESS) {
        give_up(&writer);
        return rv;
    }
    return publish(&writer, replace);
}

apr_status_t memory_set(storer_t *self, storer_bytes_t key, storer_bytes_t value,
                        storer_expiry_t expiry, apr_time_t now)
{
    return store(memory_of(self), key, value, expiry, now, &replace_any);
}

/* Delete the key if it still has the entry an update has read. */
static apr_status_t delete_seen(memory_t *memory, storer_bytes_t key, const memory_entry_t *seen,
                                apr_time_t now)
{
    memory_segment_t *segment = &memory->segment;
    memory_entry_t *entry;
    int recovered;
    apr_status_t rv = memory_enter(memory, &recovered);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    entry = index_find_locked(segment, key, index_hash(segment, key));
    rv = segment->header->damaged || is_as_seen(entry, seen, now)
             ? memory_drop_locked(memory, key, entry) : APR_EAGAIN;
    memory_leave(memory, recovered);
    return rv;
}

/* One try: read, edit, and publish if nobody was faster. */
static apr_status_t update_once(memory_t *memory, storer_bytes_t key, storer_edit_fn *edit,
                                void *baton, apr_time_t now, apr_pool_t *scratch, bool *lost)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_bytes_t old = { NULL, 0 }, value = { NULL, 0 };
    storer_expiry_t expiry = { 0, 0 };
    replace_t replace = { true, NULL, 0 };
    apr_status_t rv = memory_look(memory, key, now, &view);

    if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        *lost = false;
        return rv;
    }
    if (rv == APR_SUCCESS) {
        policy_hit(view.value, now);
        replace.seen = view.value;
        expiry = view.expiry;
        rv = storer_view_flatten(&view, (apr_size_t)view.length, &old, scratch);
    }
    else {
        rv = APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        rv = edit(baton, old, &value, &expiry, scratch);
    }
    *lost = false;
    if (rv == APR_SUCCESS) {
        rv = value.data ? store(memory, key, value, expiry, now, &replace)
                        : delete_seen(memory, key, replace.seen, now);
        *lost = rv == APR_EAGAIN;
    }
    storer_view_release(&view);
    return rv;
}

apr_status_t memory_update(storer_t *self, storer_bytes_t key, storer_edit_fn *edit, void *baton,
                           apr_time_t now, apr_pool_t *scratch)
{
    memory_t *memory = memory_of(self);
    apr_status_t rv = APR_EAGAIN;
    apr_pool_t *pool;
    bool lost = true;
    int tries;

    apr_pool_create(&pool, scratch);
    for (tries = 0; tries < UPDATE_TRIES && lost; tries++) {
        apr_pool_clear(pool);
        rv = update_once(memory, key, edit, baton, now, pool, &lost);
    }
    apr_pool_destroy(pool);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}
