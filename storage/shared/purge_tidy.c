/* SPDX-License-Identifier: Apache-2.0
 *
 * purge_tidy.c - purges that no stored value needs any more become passing ones: see purge_table.h.
 */
#include "purge_layout.h"

#include <stdlib.h>

/* How far apart two tidyings are: in vain they may be as well. */
static uint64_t step_of(const purge_table_t *table)
{
    return (uint64_t)table->set_count * PURGE_WAYS / 8;
}

int purge_table_room(const purge_table_t *table)
{
    return (int)step_of(table);
}

int purge_table_is_crowded(const purge_table_t *table)
{
    const purge_header_t *header = table->header;
    uint64_t count = purge_load(&header->lasting_count), step = step_of(table);

    return count > 3 * step && count >= purge_load(&header->tidied_count) + step;
}

apr_status_t purge_tidy_begin(purge_tidy_t *tidy, const purge_table_t *table)
{
    apr_status_t rv = purge_lock(&table->header->tidying, 0);

    if (rv != APR_SUCCESS) {
        return APR_EBUSY;
    }
    tidy->table = table;
    tidy->epoch = purge_table_epoch(table);
    tidy->needed = calloc(table->set_count, PURGE_WAYS / 8);
    if (!tidy->needed) {
        pthread_mutex_unlock(&table->header->tidying);
        return APR_ENOMEM;
    }
    return APR_SUCCESS;
}

static void need(purge_tidy_t *tidy, place_t place)
{
    tidy->needed[place.set - tidy->table->sets] |= (unsigned char)(1u << place.way);
}

/* A value that is gone will be dropped, and needs no mark; one that is stale does. */
storer_standing_e purge_tidy_see(purge_tidy_t *tidy, apr_uint64_t epoch, const apr_uint64_t *labels,
                                 int count)
{
    storer_standing_e standing = purge_table_judge(tidy->table, epoch, labels, count, 0);
    int i;

    for (i = 0; i < count && standing == STORER_STALE; i++) {
        place_t place = place_find(tidy->table, purge_label(labels[i]));

        if (place_judge(place, epoch) == STORER_STALE) {
            need(tidy, place);
        }
    }
    return standing;
}

/* The lasting mark becomes a passing one, if it is no later than the walk. */
static void demote(const purge_tidy_t *tidy, place_t place)
{
    uint64_t epoch = place_lasting(place);

    if (epoch <= tidy->epoch) {
        purge_raise(&place.set->passing[place.way], epoch);
        purge_put(&place.set->hard[place.way], 0);
        purge_put(&place.set->soft[place.way], 0);
    }
}

void purge_tidy_end(purge_tidy_t *tidy, int complete)
{
    const purge_table_t *table = tidy->table;
    purge_header_t *header = table->header;
    uint64_t left = 0;
    place_t place;
    uint32_t i;

    if (complete && purge_lock(&header->lock, PURGE_LOCK_MS) == APR_SUCCESS) {
        for (i = 0; i < table->set_count; i++) {
            place.set = &table->sets[i];
            for (place.way = 0; place.way < PURGE_WAYS; place.way++) {
                if (place_is_lasting(place) && !(tidy->needed[i] & 1u << place.way)) {
                    demote(tidy, place);
                }
                left += (uint64_t)place_is_lasting(place);
            }
        }
        purge_put(&header->lasting_count, left);
        purge_put(&header->tidied_count, left);
        pthread_mutex_unlock(&header->lock);
    }
    else {
        purge_put(&header->tidied_count, purge_load(&header->lasting_count));
    }
    free(tidy->needed);
    pthread_mutex_unlock(&header->tidying);
}
