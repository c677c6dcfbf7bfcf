/* SPDX-License-Identifier: Apache-2.0
 *
 * marks.c - see marks.h.
 */
#include "marks.h"

#include "robust.h"
#include "storer_private.h"

#include <errno.h>

#define WAYS          8
#define LOCK_MS       1000
#define LABEL_NONE    0

typedef struct mark_t {
    uint64_t label;     /* LABEL_NONE: free; written last */
    uint64_t hard;      /* epochs; 0: never */
    uint64_t soft;
    uint64_t reserved;
} mark_t;

struct marks_set_t {
    mark_t mark[WAYS];
};

struct marks_header_t {
    pthread_mutex_t lock;       /* robust; for purges */
    char            padding[64 - sizeof(pthread_mutex_t)];
    uint64_t        epoch;      /* atomic, as all below; read by every look-up */
    uint64_t        floor_hard;
    uint64_t        floor_soft;
    uint64_t        reserved[5];
};

_Static_assert(sizeof(marks_header_t) == 128, "stored layout");
_Static_assert(sizeof(marks_set_t) == 256, "stored layout");

static uint64_t load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void put(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void raise_to(uint64_t *word, uint64_t value)
{
    uint64_t seen = load(word);

    while (seen < value
           && !__atomic_compare_exchange_n(word, &seen, value, 0, __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE)) {
    }
}

/* 0 marks a free place; a label that is 0 has to be another one's, and may be: see storer_label(). */
static uint64_t label_of(apr_uint64_t label)
{
    return label == LABEL_NONE ? 1 : label;
}

static marks_set_t *set_of(const marks_t *marks, uint64_t label)
{
    return &marks->sets[(uint32_t)(((label >> 32) * marks->set_count) >> 32)];
}

apr_size_t marks_size(uint32_t count)
{
    apr_size_t sets = ((apr_size_t)count + WAYS - 1) / WAYS;

    return sizeof(marks_header_t) + (sets ? sets : 1) * sizeof(marks_set_t);
}

apr_status_t marks_attach(marks_t *marks, void *base, apr_size_t size, int fresh)
{
    storer_assert(size >= marks_size(1));
    marks->header = base;
    marks->sets = (marks_set_t *)(marks->header + 1);
    marks->set_count = (uint32_t)((size - sizeof(marks_header_t)) / sizeof(marks_set_t));
    if (!fresh) {
        return APR_SUCCESS;
    }
    put(&marks->header->epoch, 1); /* so that epoch 0, "unknown", is before everything */
    return marks_revive(marks);
}

apr_status_t marks_revive(marks_t *marks)
{
    return robust_init(&marks->header->lock);
}

apr_uint64_t marks_epoch(const marks_t *marks)
{
    return load(&marks->header->epoch);
}

static const mark_t *find(const marks_t *marks, uint64_t label)
{
    const marks_set_t *set = set_of(marks, label);
    int i;

    for (i = 0; i < WAYS; i++) {
        if (load(&set->mark[i].label) == label) {
            return &set->mark[i];
        }
    }
    return NULL;
}

storer_standing_e marks_judge(const marks_t *marks, apr_uint64_t epoch, const apr_uint64_t *labels,
                              int count)
{
    int i, is_stale = 0;

    if (epoch >= marks_epoch(marks)) {
        return STORER_STANDS;
    }
    for (i = 0; i < count; i++) {
        const mark_t *mark = find(marks, label_of(labels[i]));

        if (mark && epoch < load(&mark->hard)) {
            return STORER_GONE;
        }
        is_stale |= mark && epoch < load(&mark->soft);
    }
    /* after the marks: what gave way meanwhile has raised it before */
    if (epoch < load(&marks->header->floor_hard)) {
        return STORER_GONE;
    }
    return is_stale || epoch < load(&marks->header->floor_soft) ? STORER_STALE : STORER_STANDS;
}

static uint64_t last_epoch(const mark_t *mark)
{
    uint64_t hard = load(&mark->hard), soft = load(&mark->soft);

    return hard > soft ? hard : soft;
}

/* The label's own place, a free one, or that of the mark which was purged longest ago. */
static mark_t *place_for(const marks_t *marks, uint64_t label)
{
    marks_set_t *set = set_of(marks, label);
    mark_t *oldest = NULL;
    int i;

    for (i = 0; i < WAYS; i++) {
        if (load(&set->mark[i].label) == label) {
            return &set->mark[i];
        }
    }
    for (i = 0; i < WAYS; i++) {
        if (load(&set->mark[i].label) == LABEL_NONE) {
            return &set->mark[i];
        }
        if (!oldest || last_epoch(&set->mark[i]) < last_epoch(oldest)) {
            oldest = &set->mark[i];
        }
    }
    return oldest;
}

static void set_mark(const marks_t *marks, uint64_t label, uint64_t epoch, int hard)
{
    mark_t *mark = place_for(marks, label);

    if (load(&mark->label) != label) {
        if (load(&mark->label) != LABEL_NONE) { /* else it may be what a dead writer left */
            raise_to(&marks->header->floor_hard, load(&mark->hard));
            raise_to(&marks->header->floor_soft, load(&mark->soft));
        }
        put(&mark->label, LABEL_NONE);
        put(&mark->hard, 0);
        put(&mark->soft, 0);
    }
    raise_to(hard ? &mark->hard : &mark->soft, epoch);
    put(&mark->label, label);
}

static apr_status_t lock(marks_header_t *header)
{
    int error = robust_lock(&header->lock, LOCK_MS);

    if (error == EOWNERDEAD) {
        error = pthread_mutex_consistent(&header->lock); /* nothing to mend, see marks.h */
    }
    return error == ETIMEDOUT ? APR_TIMEUP : error ? APR_FROM_OS_ERROR(error) : APR_SUCCESS;
}

apr_status_t marks_purge(const marks_t *marks, const apr_uint64_t *labels, int count, int hard)
{
    marks_header_t *header = marks->header;
    apr_status_t rv = lock(header);
    uint64_t epoch;
    int i;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    epoch = load(&header->epoch) + 1;
    for (i = 0; i < count; i++) {
        set_mark(marks, label_of(labels[i]), epoch, hard);
    }
    put(&header->epoch, epoch);
    pthread_mutex_unlock(&header->lock);
    return APR_SUCCESS;
}

apr_status_t marks_learn(const marks_t *marks, const apr_uint64_t *label, int hard,
                         apr_uint64_t epoch)
{
    marks_header_t *header = marks->header;
    apr_status_t rv = APR_SUCCESS;

    if (!label) {
        raise_to(hard ? &header->floor_hard : &header->floor_soft, epoch);
        return APR_SUCCESS;
    }
    rv = lock(header);
    if (rv == APR_SUCCESS) {
        set_mark(marks, label_of(*label), epoch, hard);
        pthread_mutex_unlock(&header->lock);
    }
    return rv;
}

void marks_advance(const marks_t *marks, apr_uint64_t epoch)
{
    raise_to(&marks->header->epoch, epoch);
}

void marks_stat(const marks_t *marks, marks_stat_t *stat)
{
    uint64_t hard = load(&marks->header->floor_hard), soft = load(&marks->header->floor_soft);
    uint32_t i;
    int j;

    stat->epoch = marks_epoch(marks);
    stat->floor = hard > soft ? hard : soft;
    stat->size = marks->set_count * WAYS;
    stat->used = 0;
    for (i = 0; i < marks->set_count; i++) {
        for (j = 0; j < WAYS; j++) {
            stat->used += load(&marks->sets[i].mark[j].label) != LABEL_NONE;
        }
    }
}
