/* SPDX-License-Identifier: Apache-2.0
 *
 * purge.c - see purge.h.
 */
#include "purge.h"

#include "labels.h"
#include "tags.h"

#include "../http/key.h"

#include <string.h>

/* Keys between two looks whether to stop. */
#define STOP_INTERVAL 1024

static apr_status_t purge_label(const purge_t *purge, apr_uint64_t label)
{
    return storer_purge(purge->store, &label, 1, purge->hard, apr_time_now());
}

apr_status_t purge_everything(const purge_t *purge)
{
    return purge_label(purge, purge->site ? purge->site : labels_everything());
}

apr_status_t purge_host(const purge_t *purge, storer_bytes_t host)
{
    return purge_label(purge, labels_in_site(purge->site, labels_host(host)));
}

apr_status_t purge_tags(const purge_t *purge, const char *tags)
{
    apr_array_header_t *labels = apr_array_make(purge->pool, 8, sizeof(apr_uint64_t));
    storer_bytes_t tag;

    while (tags_next(&tags, &tag)) {
        APR_ARRAY_PUSH(labels, apr_uint64_t) = labels_in_site(purge->site, labels_tag(tag));
    }
    return storer_purge(purge->store, (const apr_uint64_t *)labels->elts, labels->nelts,
                        purge->hard, apr_time_now());
}

/* The label also reaches what is being fetched. In a site of its own it is all that is done:
 * whether what is stored under the key is that site's is found out when it is looked up. */
apr_status_t purge_url(const purge_t *purge, storer_bytes_t base_key)
{
    apr_status_t rv = purge_label(purge, labels_in_site(purge->site, labels_url(base_key)));

    if (rv == APR_ENOTIMPL && purge->hard && !purge->site) {
        rv = APR_SUCCESS;
    }
    if (rv == APR_SUCCESS && purge->hard && !purge->site) {
        rv = storer_delete_multi_level(purge->store, base_key, apr_time_now(), purge->pool);
    }
    return rv;
}

typedef struct tally_t {
    const purge_t *purge;
    apr_size_t     count;
    apr_pool_t    *scratch;    /* cleared for each variant */
} tally_t;

static apr_status_t tally_variant(void *baton, storer_bytes_t key, storer_view_t *value)
{
    tally_t *tally = baton;
    const purge_t *purge = tally->purge;
    record_t record;

    apr_pool_clear(tally->scratch);
    if (record_decode(value, &record, tally->scratch) == APR_SUCCESS
        && (!purge->site || record.site == purge->site)
        && purge_standing(purge->store, &record, key_base(key), apr_time_now(), tally->scratch)
           != STORER_GONE) {
        tally->count++;
    }
    return APR_SUCCESS;
}

apr_status_t purge_count_url(const purge_t *purge, storer_bytes_t base_key, apr_size_t *count)
{
    tally_t tally = { purge, 0, NULL };
    apr_status_t rv;

    rv = apr_pool_create(&tally.scratch, purge->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_map_variants(purge->store, base_key, apr_time_now(), tally_variant, &tally,
                             purge->pool);
    apr_pool_destroy(tally.scratch);
    *count += tally.count;
    return rv;
}

/* ------------------------------------------------------------------------------------------------
 * By a look at every key
 * --------------------------------------------------------------------------------------------- */

typedef struct walk_t {
    const purge_t    *purge;
    storer_pattern_t *pattern;    /* NULL: all with the prefix are meant */
    storer_bytes_t    prefix;
    int             (*stop)(void *baton);
    void             *baton;
    apr_size_t        seen, purged;
    apr_pool_t       *scratch;    /* cleared for each key */
} walk_t;

static int is_ours(const purge_t *purge, storer_view_t *value, apr_pool_t *pool)
{
    record_t record;

    return !purge->site
           || (record_decode(value, &record, pool) == APR_SUCCESS
               && record.site == purge->site);
}

/* "/news" is the beginning of "/news/today" and of "/news?page=2", but not of "/newsletter". */
static int ends_at_segment(storer_bytes_t prefix, storer_bytes_t base_key)
{
    return prefix.len == 0 || base_key.len == prefix.len
           || strchr("/?=&", prefix.data[prefix.len - 1])
           || strchr("/?", base_key.data[prefix.len]);
}

static apr_status_t purge_key(void *baton, storer_bytes_t key, storer_view_t *value)
{
    walk_t *walk = baton;
    purge_t purge = *walk->purge;
    storer_bytes_t base_key = key_base(key);
    apr_status_t rv;

    if (++walk->seen % STOP_INTERVAL == 0 && walk->stop && walk->stop(walk->baton)) {
        return APR_EINTR;
    }
    if (base_key.len == 0) {
        return APR_SUCCESS; /* of the store's own */
    }
    apr_pool_clear(walk->scratch);
    if (walk->pattern) {
        rv = storer_pattern_match(walk->pattern, key_show(base_key, walk->scratch));
        if (rv != APR_SUCCESS) {
            return APR_STATUS_IS_NOTFOUND(rv) ? APR_SUCCESS : rv;
        }
    }
    if (base_key.len < walk->prefix.len || !ends_at_segment(walk->prefix, base_key)
        || !is_ours(&purge, value, walk->scratch)) {
        return APR_SUCCESS;
    }
    walk->purged++;
    if (purge.hard) {
        return storer_delete_multi_level(purge.store, base_key, apr_time_now(), walk->scratch);
    }
    purge.pool = walk->scratch;
    return purge_url(&purge, base_key);
}

/* First what is being fetched: it may be stored behind the walk's back (provider_write.c asks). */
static apr_status_t purge_walk(walk_t *walk, apr_size_t *purged)
{
    const purge_t *purge = walk->purge;
    apr_uint64_t fetches = labels_fetches();
    apr_status_t rv;

    *purged = 0;
    rv = storer_purge(purge->store, &fetches, 1, 1, apr_time_now());
    if (rv != APR_SUCCESS && rv != APR_ENOTIMPL) {
        return rv;
    }
    rv = apr_pool_create(&walk->scratch, purge->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_map_keys(purge->store, walk->prefix, apr_time_now(), purge_key, walk, purge->pool);
    apr_pool_destroy(walk->scratch);
    *purged = walk->purged;
    return rv;
}

apr_status_t purge_prefix(const purge_t *purge, storer_bytes_t prefix, int (*stop)(void *baton),
                          void *baton, apr_size_t *purged)
{
    walk_t walk = { purge, NULL, prefix, stop, baton, 0, 0, NULL };

    return purge_walk(&walk, purged);
}

apr_status_t purge_pattern(const purge_t *purge, storer_pattern_t *pattern,
                           int (*stop)(void *baton), void *baton, apr_size_t *purged)
{
    walk_t walk = { purge, pattern, storer_bytes(""), stop, baton, 0, 0, NULL };

    return purge_walk(&walk, purged);
}

/* ------------------------------------------------------------------------------------------------
 * At each look-up
 * --------------------------------------------------------------------------------------------- */

storer_standing_e purge_standing(storer_t *store, const record_t *record, storer_bytes_t base_key,
                                 apr_time_t now, apr_pool_t *pool)
{
    apr_uint64_t epoch = 0, *labels;
    apr_status_t rv = storer_epoch(store, now, &epoch);
    int count;

    if (rv == APR_ENOTIMPL || (rv == APR_SUCCESS && record->epoch >= epoch)) {
        return STORER_STANDS;
    }
    if (rv != APR_SUCCESS) {
        return STORER_GONE;
    }
    count = labels_of(record, base_key, &labels, pool);
    return storer_judge(store, record->epoch, labels, count, now);
}

int purge_missed_it(storer_t *store, const record_t *record, apr_time_t now)
{
    apr_uint64_t fetches = labels_fetches();

    return storer_judge(store, record->epoch, &fetches, 1, now) == STORER_GONE;
}
