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

/* ------------------------------------------------------------------------------------------------
 * Purges to remember: they last until nothing is stored that they have met
 * --------------------------------------------------------------------------------------------- */

typedef struct tidy_t {
    storer_t      *store;
    storer_tidy_t *tidy;
    apr_pool_t    *scratch;    /* cleared for each value */
} tidy_t;

static apr_status_t tidy_value(void *baton, storer_bytes_t key, storer_view_t *value)
{
    tidy_t *walk = baton;
    storer_bytes_t base_key = key_base(key);
    apr_uint64_t *labels;
    record_t record;
    int count;

    apr_pool_clear(walk->scratch);
    if (base_key.len == 0 || record_decode(value, &record, walk->scratch) != APR_SUCCESS) {
        return APR_SUCCESS; /* of the store's own, or served to nobody */
    }
    count = labels_of(&record, base_key, &labels, walk->scratch);
    if (storer_tidy_see(walk->tidy, record.epoch, labels, count) == STORER_GONE) {
        return storer_delete(walk->store, key);
    }
    return APR_SUCCESS;
}

/* What was purged goes, and with it the purges that have met nothing else: else those of long ago
 * would have to count for everything that was stored before. It takes as long as a purge by
 * pattern, once in some thousand purges. */
static void tidy(storer_t *store, apr_pool_t *pool)
{
    storer_bytes_t all = storer_bytes("");
    tidy_t walk = { store, NULL, NULL };
    apr_status_t rv;

    if (!storer_tidy_is_due(store) || storer_tidy_begin(store, &walk.tidy, pool) != APR_SUCCESS) {
        return;
    }
    rv = apr_pool_create(&walk.scratch, pool);
    if (rv == APR_SUCCESS) {
        rv = storer_map_keys(store, all, apr_time_now(), tidy_value, &walk, pool);
        apr_pool_destroy(walk.scratch);
    }
    storer_tidy_end(walk.tidy, rv == APR_SUCCESS);
}

/* Many labels in several steps, between which there is time to tidy. */
static apr_status_t purge_labels(const purge_t *purge, const apr_uint64_t *labels, int count)
{
    storer_purge_e kind = purge->hard ? STORER_PURGE_HARD : STORER_PURGE_SOFT;
    int room = storer_tidy_room(purge->store), step;
    apr_status_t rv;

    do {
        step = count < room ? count : room;
        rv = storer_purge(purge->store, labels, step, kind, apr_time_now());
        if (rv == APR_SUCCESS) {
            tidy(purge->store, purge->pool);
        }
        labels += step;
        count -= step;
    } while (rv == APR_SUCCESS && count > 0);
    return rv;
}

static apr_status_t purge_label(const purge_t *purge, apr_uint64_t label)
{
    return purge_labels(purge, &label, 1);
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
    return purge_labels(purge, (const apr_uint64_t *)labels->elts, labels->nelts);
}

/* ------------------------------------------------------------------------------------------------
 * A URL: what is stored is dropped, or marked. A purge of one that is not stored leaves a trace
 * only for as long as it may be fetched: else purges of unknown URLs would push those to remember
 * out.
 * --------------------------------------------------------------------------------------------- */

/* A walk over the variants of a URL. */
typedef struct variants_t {
    const purge_t *purge;
    apr_size_t     met;
    apr_pool_t    *scratch;    /* cleared for each variant */
} variants_t;

static int is_ours(const purge_t *purge, storer_view_t *value, apr_pool_t *pool)
{
    record_t record;

    return !purge->site
           || (record_decode(value, &record, pool) == APR_SUCCESS
               && record.site == purge->site);
}

/* Whether it belongs to the site. */
static apr_status_t meet_variant(void *baton, storer_bytes_t key, storer_view_t *value)
{
    variants_t *variants = baton;

    (void)key;
    apr_pool_clear(variants->scratch);
    variants->met += (apr_size_t)is_ours(variants->purge, value, variants->scratch);
    return APR_SUCCESS;
}

static apr_status_t drop_variant(void *baton, storer_bytes_t key, storer_view_t *value)
{
    variants_t *variants = baton;
    apr_size_t before = variants->met;

    (void)meet_variant(baton, key, value);
    return variants->met > before ? storer_delete(variants->purge->store, key) : APR_SUCCESS;
}

/* Whether it belongs to the site, and no purge has met it before. */
static apr_status_t count_variant(void *baton, storer_bytes_t key, storer_view_t *value)
{
    variants_t *variants = baton;
    const purge_t *purge = variants->purge;
    record_t record;

    apr_pool_clear(variants->scratch);
    if (record_decode(value, &record, variants->scratch) == APR_SUCCESS
        && (!purge->site || record.site == purge->site)
        && purge_standing(purge->store, &record, key_base(key), apr_time_now(), variants->scratch)
           != STORER_GONE) {
        variants->met++;
    }
    return APR_SUCCESS;
}

static apr_status_t walk_variants(const purge_t *purge, storer_bytes_t base_key, storer_key_fn *fn,
                                  apr_size_t *met)
{
    variants_t variants = { purge, 0, NULL };
    apr_status_t rv;

    *met = 0;
    rv = apr_pool_create(&variants.scratch, purge->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_map_variants(purge->store, base_key, apr_time_now(), fn, &variants, purge->pool);
    apr_pool_destroy(variants.scratch);
    *met = variants.met;
    return rv;
}

static apr_status_t drop_url(const purge_t *purge, storer_bytes_t base_key)
{
    apr_size_t dropped;

    return purge->site ? walk_variants(purge, base_key, drop_variant, &dropped)
                       : storer_delete_multi_level(purge->store, base_key, apr_time_now(),
                                                   purge->pool);
}

/* First the purge, then the drop: what is stored in between is met by the label. A store that
 * cannot drop at the moment has to remember. */
static apr_status_t purge_url_hard(const purge_t *purge, storer_bytes_t base_key,
                                   apr_uint64_t label)
{
    apr_status_t rv = storer_purge(purge->store, &label, 1, STORER_PURGE_DROPPED, apr_time_now());

    if (rv == APR_ENOTIMPL && !purge->site) {
        return drop_url(purge, base_key);
    }
    if (rv == APR_SUCCESS && drop_url(purge, base_key) != APR_SUCCESS) {
        rv = purge_label(purge, label);
    }
    return rv;
}

apr_status_t purge_url(const purge_t *purge, storer_bytes_t base_key)
{
    apr_uint64_t label = labels_in_site(purge->site, labels_url(base_key));
    apr_size_t ours;
    apr_status_t rv;

    if (purge->hard) {
        return purge_url_hard(purge, base_key, label);
    }
    rv = walk_variants(purge, base_key, meet_variant, &ours);
    if (rv == APR_SUCCESS && ours == 0) {
        return purge_url_hard(purge, base_key, label); /* and what was stored since then */
    }
    return purge_label(purge, label);
}

apr_status_t purge_count_url(const purge_t *purge, storer_bytes_t base_key, apr_size_t *count)
{
    apr_size_t met;
    apr_status_t rv = walk_variants(purge, base_key, count_variant, &met);

    *count += met;
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
    purge.pool = walk->scratch;
    if (!purge.hard) {
        return purge_url(&purge, base_key);
    }
    /* by its own key: the URL's mapping may not have it yet */
    rv = storer_delete(purge.store, key);
    if (rv == APR_SUCCESS && !purge.site) {
        rv = storer_delete_multi_level(purge.store, base_key, apr_time_now(), walk->scratch);
    }
    return rv;
}

/* First what is being fetched: it may be stored behind the walk's back (provider_write.c asks). */
static apr_status_t purge_walk(walk_t *walk, apr_size_t *purged)
{
    const purge_t *purge = walk->purge;
    apr_status_t rv;

    *purged = 0;
    rv = storer_purge(purge->store, NULL, 0, STORER_PURGE_DROPPED, apr_time_now());
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
 * At each look-up, and at each store
 * --------------------------------------------------------------------------------------------- */

storer_standing_e purge_standing(storer_t *store, const record_t *record, storer_bytes_t base_key,
                                 apr_time_t now, apr_pool_t *pool)
{
    apr_uint64_t epoch = 0, of_url[LABELS_OF_URL], *labels = of_url;
    int count = LABELS_OF_URL;
    apr_status_t rv = storer_epoch(store, now, &epoch);

    if (rv == APR_ENOTIMPL || (rv == APR_SUCCESS && record->epoch == epoch)) {
        return STORER_STANDS;
    }
    if (rv != APR_SUCCESS) {
        return STORER_GONE;
    }
    if (record->epoch >= storer_lasting_epoch(store)) {
        labels_of_url(record, base_key, of_url);
    }
    else {
        count = labels_of(record, base_key, &labels, pool);
    }
    return storer_judge(store, record->epoch, labels, count, 0, now);
}

int purge_meets(storer_t *store, const record_t *record, storer_bytes_t base_key,
                apr_uint64_t *epoch, apr_time_t now, apr_pool_t *pool)
{
    apr_status_t rv = storer_epoch(store, now, epoch);
    apr_uint64_t *labels;
    int count;

    if (rv != APR_SUCCESS) {
        *epoch = 0;
        return rv != APR_ENOTIMPL;
    }
    if (record->epoch == *epoch) {
        return 0;
    }
    count = labels_of(record, base_key, &labels, pool);
    return storer_judge(store, record->epoch, labels, count, 1, now) != STORER_STANDS;
}
