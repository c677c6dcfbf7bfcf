/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.c - see journal.h. Called by the other files of the memory engine; knows nothing of what
 * the words mean, but for buckets.
 */
#include "journal.h"
#include "robust.h"

#include <errno.h>
#include <stdatomic.h>

/* A holder works for microseconds. One that is stopped, or swapped out, costs the others this long
 * at most, and then a miss. */
#define LOCK_TIMEOUT_MS 500

/* The order of two stores, for whoever finds them after this process died: its instructions are
 * executed in order or not at all, so the compiler alone must not mix them. */
static inline void keep_order(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

static void note(memory_segment_t *segment, const void *where, memory_record_e kind, uint64_t old)
{
    memory_journal_t *journal = &segment->header->journal;
    memory_record_t *record;

    storer_assert(journal->count < MEMORY_JOURNAL_RECORDS);
    record = &journal->record[journal->count];
    record->where = (uint64_t)((const char *)where - segment->base) << 2 | kind;
    record->old = old;
    keep_order();
    journal->count++;
    keep_order();
    MEMORY_FAULT_POINT("journal");
}

void journal_set32(memory_segment_t *segment, uint32_t *where, uint32_t value)
{
    note(segment, where, MEMORY_SAVED_32, __atomic_load_n(where, __ATOMIC_RELAXED));
    __atomic_store_n(where, value, __ATOMIC_RELEASE);
}

void journal_set64(memory_segment_t *segment, uint64_t *where, uint64_t value)
{
    note(segment, where, MEMORY_SAVED_64, __atomic_load_n(where, __ATOMIC_RELAXED));
    __atomic_store_n(where, value, __ATOMIC_RELEASE);
}

/* Sequentially consistent: a reader first pins an entry and then looks whether the bucket is
 * unchanged, the reaper first changes the bucket and then looks at the pins. One of them sees the
 * other. */
void journal_set_bucket(memory_segment_t *segment, uint64_t *bucket, memory_ref_t head)
{
    uint64_t old = *bucket;

    note(segment, bucket, MEMORY_SAVED_BUCKET, old);
    __atomic_store_n(bucket, MEMORY_BUCKET(MEMORY_BUCKET_VERSION(old) + 1, head),
                     __ATOMIC_SEQ_CST);
}

void journal_touch_bucket(memory_segment_t *segment, uint64_t *bucket)
{
    journal_set_bucket(segment, bucket, MEMORY_BUCKET_HEAD(*bucket));
}

void journal_commit(memory_segment_t *segment)
{
    MEMORY_FAULT_POINT("commit");
    keep_order();
    segment->header->journal.count = 0;
    keep_order();
    MEMORY_FAULT_POINT("committed");
}

/* Never restores a bucket's version: a reader that saw the version of the undone change must not
 * take a later change with the same number for it. */
static void restore(memory_segment_t *segment, const memory_record_t *record)
{
    uint64_t offset = record->where >> 2;
    void *where = segment->base + offset;
    uint32_t version;

    if (offset > segment->geometry.size - sizeof(uint64_t) || offset % 4 != 0) {
        return; /* the journal itself is damaged; the heap is about to be dropped */
    }
    switch ((memory_record_e)(record->where & 3)) {
    case MEMORY_SAVED_32:
        __atomic_store_n((uint32_t *)where, (uint32_t)record->old, __ATOMIC_RELEASE);
        break;
    case MEMORY_SAVED_64:
        __atomic_store_n((uint64_t *)where, record->old, __ATOMIC_RELEASE);
        break;
    case MEMORY_SAVED_BUCKET:
        version = MEMORY_BUCKET_VERSION(*(uint64_t *)where);
        __atomic_store_n((uint64_t *)where,
                         MEMORY_BUCKET(version + 1, MEMORY_BUCKET_HEAD(record->old)),
                         __ATOMIC_SEQ_CST);
        break;
    }
}

void journal_rollback(memory_segment_t *segment)
{
    memory_journal_t *journal = &segment->header->journal;

    if (journal->count > MEMORY_JOURNAL_RECORDS) {
        journal->count = 0;
        segment->header->damaged = 1;
        return;
    }
    /* Dying in here is fine: restoring a word twice gives the same word. */
    while (journal->count > 0) {
        restore(segment, &journal->record[journal->count - 1]);
        keep_order();
        journal->count--;
        keep_order();
    }
}

void journal_damaged(memory_segment_t *segment)
{
    journal_rollback(segment);
    if (!__atomic_exchange_n(&segment->header->damaged, 1, __ATOMIC_SEQ_CST)) {
        segment->header->damages++;
        segment->header->notice |= MEMORY_NOTICE_DAMAGED;
    }
}

apr_status_t journal_init(memory_segment_t *segment)
{
    segment->header->journal.count = 0;
    return robust_init(&segment->header->lock);
}

/* What a lock call's result means; undoes what a dead owner left. */
static apr_status_t locked(memory_segment_t *segment, int error, int *recovered)
{
    memory_header_t *header = segment->header;

    *recovered = 0;
    if (error == ETIMEDOUT) {
        return APR_TIMEUP;
    }
    if (error == EOWNERDEAD) {
        /* First undo, then call it consistent: who dies in between leaves it to the next. */
        journal_rollback(segment);
        header->recoveries++;
        header->notice |= MEMORY_NOTICE_RECOVERED;
        error = pthread_mutex_consistent(&header->lock);
        if (error) {
            pthread_mutex_unlock(&header->lock);
            return error;
        }
        *recovered = 1;
    }
    if (!error && header->interrupted) {
        journal_rollback(segment);
        header->interrupted = 0;
    }
    if (!error && header->journal.count != 0) {
        header->journal.count = 0; /* everybody leaves it empty */
        journal_damaged(segment);
    }
    return error;
}

apr_status_t journal_lock(memory_segment_t *segment, int *recovered)
{
    return locked(segment, robust_lock(&segment->header->lock, LOCK_TIMEOUT_MS), recovered);
}

apr_status_t journal_trylock(memory_segment_t *segment, int *recovered)
{
    return locked(segment, pthread_mutex_trylock(&segment->header->lock), recovered);
}

void journal_unlock(memory_segment_t *segment)
{
    uint32_t notice = segment->header->notice;

    storer_assert(segment->header->journal.count == 0);
    segment->header->notice = MEMORY_NOTICE_NONE;
    pthread_mutex_unlock(&segment->header->lock);

    if (notice & MEMORY_NOTICE_RECOVERED) {
        storer_log(segment->env, STORER_LOG_NOTICE, APR_SUCCESS,
                   "memory: a process died while it changed the store; its change was undone");
    }
    if (notice & MEMORY_NOTICE_DAMAGED) {
        storer_log(segment->env, STORER_LOG_WARNING, APR_SUCCESS,
                   "memory: the contents are damaged and will be dropped");
    }
    if (notice & MEMORY_NOTICE_REBUILT) {
        storer_log(segment->env, STORER_LOG_NOTICE, APR_SUCCESS,
                   "memory: the damaged contents were dropped, the store starts empty");
    }
}
