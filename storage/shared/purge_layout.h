/* SPDX-License-Identifier: Apache-2.0
 *
 * purge_layout.h - what the table of purges looks like in memory, for the two files that know:
 * purge_table.c and purge_tidy.c.
 */
#ifndef STORER_PURGE_LAYOUT_H
#define STORER_PURGE_LAYOUT_H

#include "purge_table.h"

#include "robust.h"

#include <errno.h>

#define PURGE_WAYS       8
#define PURGE_LOCK_MS    1000
#define PURGE_LABEL_NONE 0

/* The labels are in one cache line, which is all that most readers look at. */
struct purge_set_t {
    uint64_t label[PURGE_WAYS];    /* PURGE_LABEL_NONE: free; written last */
    uint64_t hard[PURGE_WAYS];     /* epochs; 0: never */
    uint64_t soft[PURGE_WAYS];
    uint64_t passing[PURGE_WAYS];
};

struct purge_header_t {
    pthread_mutex_t lock;           /* robust; for purges */
    char            padding[64 - sizeof(pthread_mutex_t)];
    pthread_mutex_t tidying;        /* robust; held by who tidies */
    char            more_padding[64 - sizeof(pthread_mutex_t)];
    uint64_t        epoch;          /* atomic, as all below; read by every look-up */
    uint64_t        lasting;        /* epoch of the last purge with a lasting mark */
    uint64_t        floor_hard;
    uint64_t        floor_soft;
    uint64_t        floor_arriving;
    uint64_t        lasting_count;  /* marks; a hint after a process has died in the middle */
    uint64_t        tidied_count;   /* of these were left by the last tidying */
    uint64_t        told;           /* when the floor was told of last */
};

_Static_assert(sizeof(purge_header_t) == 192, "stored layout");
_Static_assert(sizeof(purge_set_t) == 256, "stored layout");

/* A place for a mark. */
typedef struct place_t {
    purge_set_t *set;        /* NULL: none */
    int          way;
} place_t;

static inline uint64_t purge_load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void purge_put(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline void purge_raise(uint64_t *word, uint64_t value)
{
    uint64_t seen = purge_load(word);

    while (seen < value
           && !__atomic_compare_exchange_n(word, &seen, value, 0, __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE)) {
    }
}

static inline uint64_t purge_later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* 0 marks a free place; a label that is 0 has to be another one's, and may be: see
 * storer_label(). */
static inline uint64_t purge_label(apr_uint64_t label)
{
    return label == PURGE_LABEL_NONE ? 1 : label;
}

/* The two sets that a label can lie in, by the halves of what is a hash. */
static inline purge_set_t *purge_set_of(const purge_table_t *table, uint64_t label, int second)
{
    uint64_t half = second ? label & UINT32_MAX : label >> 32;

    return &table->sets[(uint32_t)((half * table->set_count) >> 32)];
}

static inline place_t place_find(const purge_table_t *table, uint64_t label)
{
    place_t place = { NULL, 0 };
    int second, way;

    for (second = 0; second < 2; second++) {
        purge_set_t *set = purge_set_of(table, label, second);

        for (way = 0; way < PURGE_WAYS; way++) {
            if (purge_load(&set->label[way]) == label) {
                place.set = set;
                place.way = way;
                return place;
            }
        }
    }
    return place;
}

/* What a mark says. The passing epoch is read last: a lasting mark that becomes a passing one has
 * it before it loses the others. */
static inline storer_standing_e place_judge(place_t place, apr_uint64_t epoch)
{
    int is_stale;

    if (!place.set) {
        return STORER_STANDS;
    }
    if (epoch < purge_load(&place.set->hard[place.way])) {
        return STORER_GONE;
    }
    is_stale = epoch < purge_load(&place.set->soft[place.way]);
    if (epoch < purge_load(&place.set->passing[place.way])) {
        return STORER_GONE;
    }
    return is_stale ? STORER_STALE : STORER_STANDS;
}

static inline uint64_t place_lasting(place_t place)
{
    return purge_later(purge_load(&place.set->hard[place.way]),
                       purge_load(&place.set->soft[place.way]));
}

static inline int place_is_free(place_t place)
{
    return purge_load(&place.set->label[place.way]) == PURGE_LABEL_NONE;
}

static inline int place_is_lasting(place_t place)
{
    return !place_is_free(place) && place_lasting(place) > 0;
}

static inline apr_status_t purge_lock(pthread_mutex_t *mutex, long milliseconds)
{
    int error = robust_lock(mutex, milliseconds);

    if (error == EOWNERDEAD) {
        error = pthread_mutex_consistent(mutex); /* nothing to mend, see purge_table.h */
    }
    return error == ETIMEDOUT ? APR_TIMEUP : error ? APR_FROM_OS_ERROR(error) : APR_SUCCESS;
}

#endif /* STORER_PURGE_LAYOUT_H */
