/* SPDX-License-Identifier: Apache-2.0
 *
 * purge_table.c - see purge_table.h.
 */
#include "purge_layout.h"

#include "storer_private.h"

#define LASTING_WAYS 6      /* so many of a set may be lasting before one displaces another */
#define TELL_EVERY   (60 * APR_USEC_PER_SEC)

apr_size_t purge_table_size(uint32_t count)
{
    apr_size_t sets = ((apr_size_t)count + PURGE_WAYS - 1) / PURGE_WAYS;

    return sizeof(purge_header_t) + (sets ? sets : 1) * sizeof(purge_set_t);
}

apr_status_t purge_table_attach(purge_table_t *table, void *base, apr_size_t size, int fresh)
{
    storer_assert(size >= purge_table_size(1));
    table->header = base;
    table->sets = (purge_set_t *)(table->header + 1);
    table->set_count = (uint32_t)((size - sizeof(purge_header_t)) / sizeof(purge_set_t));
    if (!fresh) {
        return APR_SUCCESS;
    }
    purge_put(&table->header->epoch, 1); /* so that epoch 0, "unknown", is before everything */
    return purge_table_revive(table);
}

apr_status_t purge_table_revive(purge_table_t *table)
{
    int error = robust_init(&table->header->lock);

    return error ? error : robust_init(&table->header->tidying);
}

apr_uint64_t purge_table_epoch(const purge_table_t *table)
{
    return purge_load(&table->header->epoch);
}

apr_uint64_t purge_table_lasting(const purge_table_t *table)
{
    return purge_load(&table->header->lasting);
}

apr_uint64_t purge_table_floor(const purge_table_t *table)
{
    return purge_later(purge_load(&table->header->floor_hard), purge_load(&table->header->floor_soft));
}

/* ------------------------------------------------------------------------------------------------
 * Reading
 * --------------------------------------------------------------------------------------------- */

storer_standing_e purge_table_judge(const purge_table_t *table, apr_uint64_t epoch,
                                    const apr_uint64_t *labels, int count, int arriving)
{
    const purge_header_t *header = table->header;
    int i, is_stale = 0;

    if (epoch >= purge_table_epoch(table)) {
        return STORER_STANDS;
    }
    for (i = 0; i < count; i++) {
        storer_standing_e standing = place_judge(place_find(table, purge_label(labels[i])), epoch);

        if (standing == STORER_GONE) {
            return STORER_GONE;
        }
        is_stale |= standing == STORER_STALE;
    }
    /* after the marks: a mark that was displaced meanwhile has raised its floor before */
    if (epoch < purge_load(&header->floor_hard)
        || (arriving && epoch < purge_load(&header->floor_arriving))) {
        return STORER_GONE;
    }
    return is_stale || epoch < purge_load(&header->floor_soft) ? STORER_STALE : STORER_STANDS;
}

static apr_status_t tell(storer_purged_fn *fn, void *baton, const uint64_t *label,
                         storer_purge_e kind, uint64_t epoch)
{
    apr_uint64_t value = label ? *label : 0;

    return epoch > 0 ? fn(baton, label ? &value : NULL, kind, epoch) : APR_SUCCESS;
}

/* A mark that changes meanwhile is told of as the one or the other, or not: never mixed. */
static apr_status_t tell_mark(const purge_set_t *set, int way, storer_purged_fn *fn, void *baton)
{
    uint64_t label = purge_load(&set->label[way]), hard = purge_load(&set->hard[way]);
    uint64_t soft = purge_load(&set->soft[way]), passing = purge_load(&set->passing[way]);
    apr_status_t rv;

    if (label == PURGE_LABEL_NONE || purge_load(&set->label[way]) != label) {
        return APR_SUCCESS;
    }
    rv = tell(fn, baton, &label, STORER_PURGE_HARD, hard);
    if (rv == APR_SUCCESS) {
        rv = tell(fn, baton, &label, STORER_PURGE_SOFT, soft);
    }
    return rv == APR_SUCCESS ? tell(fn, baton, &label, STORER_PURGE_DROPPED, passing) : rv;
}

apr_status_t purge_table_each(const purge_table_t *table, storer_purged_fn *fn, void *baton)
{
    const purge_header_t *header = table->header;
    apr_status_t rv = APR_SUCCESS;
    uint32_t i;
    int way;

    for (i = 0; i < table->set_count && rv == APR_SUCCESS; i++) {
        for (way = 0; way < PURGE_WAYS && rv == APR_SUCCESS; way++) {
            rv = tell_mark(&table->sets[i], way, fn, baton);
        }
    }
    if (rv == APR_SUCCESS) { /* after the marks, as in purge_table_judge() */
        rv = tell(fn, baton, NULL, STORER_PURGE_HARD, purge_load(&header->floor_hard));
    }
    if (rv == APR_SUCCESS) {
        rv = tell(fn, baton, NULL, STORER_PURGE_SOFT, purge_load(&header->floor_soft));
    }
    return rv == APR_SUCCESS
           ? tell(fn, baton, NULL, STORER_PURGE_DROPPED, purge_load(&header->floor_arriving)) : rv;
}

/* ------------------------------------------------------------------------------------------------
 * Purging. The lock is held.
 * --------------------------------------------------------------------------------------------- */

static uint64_t passing_epoch(place_t place)
{
    return purge_load(&place.set->passing[place.way]);
}

/* Whose epochs are the oldest, of one kind. */
static void older_of(place_t *oldest, place_t place, uint64_t epoch_of(place_t place))
{
    if (!oldest->set || epoch_of(place) < epoch_of(*oldest)) {
        *oldest = place;
    }
}

/* What one set has to offer to a mark that is new. */
typedef struct offer_t {
    int     free_count, lasting_count;
    place_t free, passing, lasting;   /* a free place; the oldest mark of either kind */
} offer_t;

static void look_at(purge_set_t *set, offer_t *offer)
{
    place_t place = { set, 0 };

    memset(offer, 0, sizeof(*offer));
    for (place.way = 0; place.way < PURGE_WAYS; place.way++) {
        if (place_is_free(place)) {
            offer->free = place;
            offer->free_count++;
        }
        else if (place_is_lasting(place)) {
            older_of(&offer->lasting, place, place_lasting);
            offer->lasting_count++;
        }
        else {
            older_of(&offer->passing, place, passing_epoch);
        }
    }
}

static place_t place_for_passing(const offer_t *one, const offer_t *two)
{
    const offer_t *roomy = one->free_count >= two->free_count ? one : two;
    place_t oldest = one->passing;

    if (roomy->free_count > 0) {
        return roomy->free;
    }
    if (two->passing.set) {
        older_of(&oldest, two->passing, passing_epoch);
    }
    return oldest;
}

static place_t place_for_lasting(const offer_t *one, const offer_t *two)
{
    const offer_t *better = one->lasting_count <= two->lasting_count ? one : two;
    place_t oldest = one->lasting;

    if (better->lasting_count < LASTING_WAYS) {
        return better->free_count > 0 ? better->free : better->passing;
    }
    older_of(&oldest, two->lasting, place_lasting);
    return oldest;
}

/* A place without a mark, for one of that kind. set NULL: there is none, and what was to be marked
 * has become a floor. */
static place_t make_place(const purge_table_t *table, uint64_t label, storer_purge_e kind,
                          uint64_t epoch)
{
    purge_header_t *header = table->header;
    offer_t one, two;
    place_t place;

    look_at(purge_set_of(table, label, 0), &one);
    look_at(purge_set_of(table, label, 1), &two);
    place = kind == STORER_PURGE_DROPPED ? place_for_passing(&one, &two)
                                         : place_for_lasting(&one, &two);
    if (!place.set) {
        purge_raise(&header->floor_arriving, epoch);
        return place;
    }
    if (place_is_lasting(place)) {
        purge_raise(&header->floor_hard, purge_load(&place.set->hard[place.way]));
        purge_raise(&header->floor_soft, purge_load(&place.set->soft[place.way]));
        header->lasting_count -= header->lasting_count > 0;
    }
    if (!place_is_free(place)) { /* else it may hold what a dead writer left */
        purge_raise(&header->floor_arriving, passing_epoch(place));
    }
    purge_put(&place.set->label[place.way], PURGE_LABEL_NONE);
    purge_put(&place.set->hard[place.way], 0);
    purge_put(&place.set->soft[place.way], 0);
    purge_put(&place.set->passing[place.way], 0);
    return place;
}

static uint64_t *epoch_of_kind(place_t place, storer_purge_e kind)
{
    switch (kind) {
    case STORER_PURGE_SOFT:
        return &place.set->soft[place.way];
    case STORER_PURGE_DROPPED:
        return &place.set->passing[place.way];
    case STORER_PURGE_HARD:
    default:
        return &place.set->hard[place.way];
    }
}

static void set_mark(const purge_table_t *table, uint64_t label, uint64_t epoch, storer_purge_e kind)
{
    purge_header_t *header = table->header;
    place_t place = place_find(table, label);
    int was_lasting;

    if (!place.set) {
        place = make_place(table, label, kind, epoch);
    }
    if (!place.set) {
        return;
    }
    was_lasting = place_is_lasting(place);
    purge_raise(epoch_of_kind(place, kind), epoch);
    purge_put(&place.set->label[place.way], label);
    if (kind != STORER_PURGE_DROPPED) {
        purge_raise(&header->lasting, epoch);
        purge_put(&header->lasting_count, header->lasting_count + !was_lasting);
    }
}

static void set_floor(purge_header_t *header, uint64_t epoch, storer_purge_e kind)
{
    if (kind == STORER_PURGE_DROPPED) {
        purge_raise(&header->floor_arriving, epoch);
        return;
    }
    purge_raise(kind == STORER_PURGE_HARD ? &header->floor_hard : &header->floor_soft, epoch);
    purge_raise(&header->lasting, epoch);
}

apr_status_t purge_table_purge(const purge_table_t *table, const apr_uint64_t *labels, int count,
                               storer_purge_e kind)
{
    purge_header_t *header = table->header;
    apr_status_t rv = purge_lock(&header->lock, PURGE_LOCK_MS);
    uint64_t epoch;
    int i;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    epoch = purge_load(&header->epoch) + 1;
    for (i = 0; i < count; i++) {
        set_mark(table, purge_label(labels[i]), epoch, kind);
    }
    if (count == 0 && kind == STORER_PURGE_DROPPED) {
        set_floor(header, epoch, kind);
    }
    purge_put(&header->epoch, epoch);
    pthread_mutex_unlock(&header->lock);
    return APR_SUCCESS;
}

apr_status_t purge_table_learn(const purge_table_t *table, const apr_uint64_t *label,
                               storer_purge_e kind, apr_uint64_t epoch)
{
    purge_header_t *header = table->header;
    apr_status_t rv = APR_SUCCESS;

    if (!label) {
        set_floor(header, epoch, kind);
        return APR_SUCCESS;
    }
    rv = purge_lock(&header->lock, PURGE_LOCK_MS);
    if (rv == APR_SUCCESS) {
        set_mark(table, purge_label(*label), epoch, kind);
        pthread_mutex_unlock(&header->lock);
    }
    return rv;
}

void purge_table_advance(const purge_table_t *table, apr_uint64_t epoch)
{
    purge_raise(&table->header->epoch, epoch);
}

/* ------------------------------------------------------------------------------------------------
 * Counting
 * --------------------------------------------------------------------------------------------- */

void purge_table_stat(const purge_table_t *table, purge_stat_t *stat)
{
    place_t place;
    uint32_t i;

    memset(stat, 0, sizeof(*stat));
    stat->epoch = purge_table_epoch(table);
    stat->floor = purge_table_floor(table);
    stat->floor_arriving = purge_load(&table->header->floor_arriving);
    stat->size = table->set_count * PURGE_WAYS;
    for (i = 0; i < table->set_count; i++) {
        place.set = &table->sets[i];
        for (place.way = 0; place.way < PURGE_WAYS; place.way++) {
            if (!place_is_free(place)) {
                stat->lasting += (apr_uint32_t)place_is_lasting(place);
                stat->passing += (apr_uint32_t)!place_is_lasting(place);
            }
        }
    }
}

int purge_table_may_tell(const purge_table_t *table, apr_time_t now)
{
    uint64_t *told = &table->header->told, last = purge_load(told);

    if (last != 0 && (apr_uint64_t)now - last < TELL_EVERY) {
        return 0;
    }
    return __atomic_compare_exchange_n(told, &last, (uint64_t)now, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}
