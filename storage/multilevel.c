/* SPDX-License-Identifier: Apache-2.0
 *
 * multilevel.c - variants on top of a store of keys and values: the optional slots, for engines
 * that have none of their own, and what is built on any engine's.
 */
#include "election.h"
#include "storer_private.h"

#include <apr_strings.h>

/* Of how many variants that fit the value is looked for: usually there is one. Each further one is
 * an election of its own. */
#define CANDIDATES_MAX 64

/* The key of a mapping; short ones without an allocation. */
typedef struct mapping_key_t {
    char           buffer[512];
    storer_bytes_t bytes;
} mapping_key_t;

static storer_bytes_t mapping_key(mapping_key_t *key, storer_bytes_t base_key, apr_pool_t *pool)
{
    apr_size_t len = STORER_MAPPING_PREFIX_LENGTH + base_key.len;
    char *text = len <= sizeof(key->buffer) ? key->buffer : apr_palloc(pool, len);

    memcpy(text, STORER_MAPPING_PREFIX, STORER_MAPPING_PREFIX_LENGTH);
    memcpy(text + STORER_MAPPING_PREFIX_LENGTH, base_key.data, base_key.len);
    key->bytes.data = text;
    key->bytes.len = len;
    return key->bytes;
}

/* ---- get ---- */

/* With the prefix it must be a key as well. */
static int is_base_key(storer_bytes_t base_key)
{
    return base_key.data && base_key.len > 0
           && base_key.len <= STORER_KEY_MAX - STORER_MAPPING_PREFIX_LENGTH;
}

/* The mapping of a URL in one piece, or data NULL where it is longer than any of ours. The view is
 * to be released after use. */
static apr_status_t get_mapping(storer_t *store, storer_bytes_t base_key, apr_time_t now,
                                storer_view_t *view, storer_bytes_t *mapping, apr_pool_t *pool)
{
    mapping_key_t key;
    apr_status_t rv = storer_get(store, mapping_key(&key, base_key, pool), now, view, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (view->length > STORER_MAPPING_MAX) {
        mapping->data = NULL;
        mapping->len = 0;
        return APR_SUCCESS;
    }
    rv = storer_view_flatten(view, STORER_MAPPING_MAX, mapping, pool);
    if (rv != APR_SUCCESS) {
        storer_view_release(view);
    }
    return rv;
}

static void log_damaged_mapping(storer_t *store, storer_bytes_t base_key)
{
    storer_log(store->env, STORER_LOG_WARNING, APR_SUCCESS,
               "%s: the mapping of %.*s is damaged; it will be replaced by the next store",
               store->ops->name, base_key.len < 200 ? (int)base_key.len : 200, base_key.data);
}

typedef struct election_t {
    storer_bytes_t          mapping;
    const storer_request_t *request;
    storer_validator_t     *validator;
    apr_time_t              now;
    storer_view_t          *fresh, *stale;
    int                     damaged;   /* out: the mapping can't be read */
} election_t;

/* A foreign mapping may name anything. */
static int is_key(storer_bytes_t key)
{
    return key.len > 0 && key.len <= STORER_KEY_MAX;
}

/* The value of a candidate; a key that can't be one has none. */
static apr_status_t get_value(storer_t *store, const election_t *election,
                              const storer_candidate_t *candidate, apr_pool_t *pool)
{
    storer_view_t *view = candidate->fresh ? election->fresh : election->stale;
    storer_bytes_t etag = candidate->etag;
    apr_status_t rv;

    if (!view || !is_key(candidate->key)) {
        return APR_NOTFOUND;
    }
    rv = storer_get(store, candidate->key, election->now, view, pool);
    if (rv == APR_SUCCESS && election->validator) {
        etag.data = apr_pmemdup(pool, etag.data, etag.len);
        storer_validator_check(election->validator, etag);
    }
    return rv;
}

/* The best variant whose value is still there. */
static apr_status_t get_elected(storer_t *store, election_t *election, apr_pool_t *pool)
{
    storer_candidate_t candidate, next;
    const storer_candidate_t *after = NULL;
    apr_status_t rv = APR_NOTFOUND;
    int tried;

    for (tried = 0; rv == APR_NOTFOUND && tried < CANDIDATES_MAX; tried++) {
        apr_status_t elected = storer_elect(election->mapping, election->request,
                                            election->validator, election->now, after, &next);

        if (elected != APR_SUCCESS) {
            election->damaged = elected == APR_EINVAL;
            return APR_NOTFOUND;
        }
        candidate = next;
        after = &candidate;
        rv = get_value(store, election, &candidate, pool);
    }
    return rv;
}

apr_status_t storer_generic_get_multi_level(storer_t *self, storer_bytes_t base_key,
                                            const storer_request_t *request,
                                            storer_validator_t *validator, apr_time_t now,
                                            storer_view_t *fresh, storer_view_t *stale,
                                            apr_pool_t *pool)
{
    election_t election = { { NULL, 0 }, request, validator, now, fresh, stale, 0 };
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_status_t rv;

    if (validator) { /* it may have been used before: nothing of that is to be left */
        storer_validator_reset(validator);
    }
    rv = get_mapping(self, base_key, now, &view, &election.mapping, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (election.mapping.data) {
        rv = get_elected(self, &election, pool);
    }
    else {
        election.damaged = 1;
        rv = APR_NOTFOUND;
    }
    storer_view_release(&view);
    if (election.damaged) {
        log_damaged_mapping(self, base_key);
    }
    return rv;
}

/* ---- set ---- */

typedef struct enter_t {
    storer_t                *store;
    const storer_variant_t  *variant;
    apr_time_t               now;
    apr_array_header_t      *dropped;  /* of storer_bytes_t, in pool */
    apr_pool_t              *pool;
} enter_t;

/* The keys lie in the old mapping, which does not outlive the update. */
static void keep_keys(enter_t *enter, const apr_array_header_t *keys)
{
    int i;

    apr_array_clear(enter->dropped);
    for (i = 0; i < keys->nelts; i++) {
        storer_bytes_t key = APR_ARRAY_IDX(keys, i, storer_bytes_t);

        key.data = apr_pmemdup(enter->pool, key.data, key.len);
        APR_ARRAY_PUSH(enter->dropped, storer_bytes_t) = key;
    }
}

apr_status_t storer_mapping_enter(storer_t *self, storer_bytes_t old,
                                  const storer_variant_t *variant, apr_time_t now,
                                  storer_bytes_t *out, storer_expiry_t *expiry,
                                  apr_array_header_t *dropped, int *damaged, apr_pool_t *pool)
{
    storer_mapping_new_t entry;
    apr_time_t last;
    apr_status_t rv;

    entry.key = variant->varied_key;
    entry.real_key = variant->real_key;
    entry.etag = variant->etag;
    entry.stored_at = storer_timestamp_of(variant->stored_at);
    entry.fresh_time = storer_timestamp_of(variant->expiry.fresh_until);
    entry.stale_time = storer_timestamp_of(variant->expiry.stale_until);
    entry.varied_headers = variant->varied_headers;
    entry.varied_count = variant->varied_count;
    entry.rank = self ? self->ops->rank : NULL;
    entry.store = self;
    rv = storer_mapping_put(old, &entry, now, variant->max_variants, out, dropped, &last, damaged,
                            pool);
    if (rv == APR_SUCCESS) {
        expiry->fresh_until = expiry->stale_until = last;
    }
    return rv;
}

static apr_status_t enter_edit(void *baton, storer_bytes_t old, storer_bytes_t *value,
                               storer_expiry_t *expiry, apr_pool_t *scratch)
{
    enter_t *enter = baton;
    apr_array_header_t *dropped = apr_array_make(scratch, 4, sizeof(storer_bytes_t));
    int damaged;
    apr_status_t rv;

    rv = storer_mapping_enter(enter->store, old, enter->variant, enter->now, value, expiry, dropped,
                              &damaged, scratch);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (damaged) {
        log_damaged_mapping(enter->store, enter->variant->base_key);
    }
    keep_keys(enter, dropped);
    return APR_SUCCESS;
}

/* Enter a variant whose value is there; without an entry the value would never be found. */
static apr_status_t enter(storer_t *store, const storer_variant_t *variant, apr_time_t now,
                          apr_pool_t *scratch)
{
    enter_t baton = { store, variant, now, NULL, scratch };
    mapping_key_t key;
    apr_status_t rv;
    int i;

    baton.dropped = apr_array_make(scratch, 4, sizeof(storer_bytes_t));
    rv = storer_update(store, mapping_key(&key, variant->base_key, scratch), enter_edit, &baton,
                       now, scratch);
    if (rv != APR_SUCCESS) {
        (void)storer_delete(store, variant->varied_key);
        return rv;
    }
    for (i = 0; i < baton.dropped->nelts; i++) {
        (void)storer_delete(store, APR_ARRAY_IDX(baton.dropped, i, storer_bytes_t));
    }
    return APR_SUCCESS;
}

apr_status_t storer_generic_set_multi_level(storer_t *self, const storer_variant_t *variant,
                                            storer_bytes_t value, apr_time_t now,
                                            apr_pool_t *scratch)
{
    apr_status_t rv = storer_set(self, variant->varied_key, value, variant->expiry, now);

    return rv == APR_SUCCESS ? enter(self, variant, now, scratch) : rv;
}

apr_status_t storer_commit_variant(storer_writer_t *writer, const storer_variant_t *variant,
                                   apr_time_t now, apr_pool_t *scratch)
{
    storer_t *store = writer->store;
    apr_uint64_t present;
    apr_status_t rv;

    if (!is_base_key(variant->base_key)) {
        storer_writer_abort(writer);
        return APR_EINVAL;
    }
    if (writer->ops && variant->epoch && storer_epoch(store, now, &present) == APR_SUCCESS
        && present != variant->epoch) {
        return APR_EBUSY;
    }
    writer->epoch = variant->epoch;
    if (writer->ops && store->ops->commit_variant) {
        rv = store->ops->commit_variant(writer, variant, now, scratch);
        if (rv != APR_EBUSY || !variant->epoch) {
            writer->ops = NULL;
        }
        return rv;
    }
    rv = storer_writer_commit(writer);
    return rv == APR_SUCCESS ? enter(store, variant, now, scratch) : rv;
}

/* ---- delete ---- */

/* Delete a key. deleted: counts those that were there; NULL saves the look. */
static apr_status_t delete_key(storer_t *store, storer_bytes_t key, apr_time_t now,
                               apr_size_t *deleted, apr_pool_t *scratch)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_status_t rv;

    if (!deleted) {
        return storer_delete(store, key);
    }
    rv = storer_get(store, key, now, &view, scratch);
    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    storer_view_release(&view);
    rv = storer_delete(store, key);
    *deleted += rv == APR_SUCCESS;
    return rv;
}

/* The values of all variants, of a damaged mapping as far as it can be read: to delete too much
 * costs a miss. */
static apr_status_t delete_values(storer_t *store, storer_bytes_t mapping, apr_time_t now,
                                  apr_size_t *deleted, apr_pool_t *scratch)
{
    storer_mapping_cursor_t cursor;
    storer_mapping_entry_t entry;
    apr_status_t rv = APR_SUCCESS;

    storer_mapping_begin(&cursor, mapping);
    while (storer_mapping_next(&cursor, &entry) == APR_SUCCESS) {
        apr_status_t failed = is_key(entry.key) ? delete_key(store, entry.key, now, deleted, scratch)
                                                : APR_SUCCESS;

        rv = rv == APR_SUCCESS ? failed : rv;
    }
    return rv;
}

static apr_status_t delete_url(storer_t *store, storer_bytes_t base_key, apr_time_t now,
                               apr_size_t *deleted, apr_pool_t *scratch)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_bytes_t mapping = { NULL, 0 };
    mapping_key_t key;
    apr_status_t rv = get_mapping(store, base_key, now, &view, &mapping, scratch), values;

    if (rv == APR_NOTFOUND) {
        /* A value for all requests lies under the URL's own key, and may be left without a mapping. */
        return delete_key(store, base_key, now, deleted, scratch);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* First the mapping: from then on nothing of the URL is found. */
    rv = storer_delete(store, mapping_key(&key, base_key, scratch));
    if (deleted) {
        *deleted += rv == APR_SUCCESS;
    }
    values = mapping.data ? delete_values(store, mapping, now, deleted, scratch) : APR_SUCCESS;
    storer_view_release(&view);
    return rv == APR_SUCCESS ? values : rv;
}

apr_status_t storer_delete_multi_level(storer_t *store, storer_bytes_t base_key, apr_time_t now,
                                       apr_pool_t *scratch)
{
    return is_base_key(base_key) ? delete_url(store, base_key, now, NULL, scratch) : APR_EINVAL;
}

/* ---- variants ---- */

/* The keys of all values of a URL, in pool. */
static apr_status_t variant_keys(storer_t *store, storer_bytes_t base_key, apr_time_t now,
                                 apr_array_header_t *keys, apr_pool_t *pool)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_mapping_cursor_t cursor;
    storer_mapping_entry_t entry;
    storer_bytes_t mapping = { NULL, 0 };
    apr_status_t rv = get_mapping(store, base_key, now, &view, &mapping, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    storer_mapping_begin(&cursor, mapping);
    while (storer_mapping_next(&cursor, &entry) == APR_SUCCESS) {
        if (is_key(entry.key) && !storer_mapping_is_superseded(cursor, entry.key)) {
            storer_bytes_t *key = apr_array_push(keys);

            key->data = apr_pmemdup(pool, entry.key.data, entry.key.len);
            key->len = entry.key.len;
        }
    }
    storer_view_release(&view);
    return APR_SUCCESS;
}

apr_status_t storer_map_variants(storer_t *store, storer_bytes_t base_key, apr_time_t now,
                                 storer_key_fn *fn, void *baton, apr_pool_t *scratch)
{
    apr_array_header_t *keys = apr_array_make(scratch, 4, sizeof(storer_bytes_t));
    apr_status_t rv;
    int i;

    storer_assert(store != NULL && fn != NULL);
    rv = is_base_key(base_key) ? variant_keys(store, base_key, now, keys, scratch) : APR_EINVAL;
    for (i = 0; i < keys->nelts && rv == APR_SUCCESS; i++) {
        storer_bytes_t key = APR_ARRAY_IDX(keys, i, storer_bytes_t);
        storer_view_t view = STORER_VIEW_EMPTY;

        rv = storer_get(store, key, now, &view, scratch);
        if (rv == APR_SUCCESS) {
            rv = fn(baton, key, &view);
            storer_view_release(&view);
        }
        else if (rv == APR_NOTFOUND) {
            rv = APR_SUCCESS; /* expired, or gone meanwhile */
        }
    }
    return rv == APR_NOTFOUND || rv == APR_EOF ? APR_SUCCESS : rv;
}

/* ---- keys ---- */

typedef struct list_t {
    storer_list_fn *fn;
    void           *baton;
    apr_time_t      now;
    apr_pool_t     *scratch;
} list_t;

static int is_sound(storer_bytes_t mapping)
{
    storer_mapping_cursor_t cursor;
    storer_mapping_entry_t entry;
    apr_status_t rv;

    storer_mapping_begin(&cursor, mapping);
    do {
        rv = storer_mapping_next(&cursor, &entry);
    } while (rv == APR_SUCCESS);
    return rv == APR_EOF;
}

static apr_status_t list_mapping(void *baton, storer_bytes_t key, storer_view_t *value)
{
    list_t *list = baton;
    storer_mapping_cursor_t cursor;
    storer_mapping_entry_t entry;
    storer_bytes_t mapping;
    apr_status_t rv;
    apr_pool_t *pool;

    (void)key;
    if (value->length > STORER_MAPPING_MAX) {
        return APR_SUCCESS; /* nobody could read it: it holds nothing */
    }
    apr_pool_create(&pool, list->scratch);
    rv = storer_view_flatten(value, STORER_MAPPING_MAX, &mapping, pool);
    if (rv == APR_SUCCESS && is_sound(mapping)) {
        storer_mapping_begin(&cursor, mapping);
        while (rv == APR_SUCCESS && storer_mapping_next(&cursor, &entry) == APR_SUCCESS) {
            if (list->now < storer_timestamp_time(entry.fresh_time)
                || list->now < storer_timestamp_time(entry.stale_time)) {
                rv = list->fn(list->baton, entry.real_key);
            }
        }
    }
    apr_pool_destroy(pool);
    return rv;
}

apr_status_t storer_generic_list_keys(storer_t *self, apr_time_t now, storer_list_fn *fn,
                                      void *baton, apr_pool_t *scratch)
{
    list_t list = { fn, baton, now, scratch };
    storer_bytes_t prefix = { STORER_MAPPING_PREFIX, STORER_MAPPING_PREFIX_LENGTH };

    return storer_map_keys(self, prefix, now, list_mapping, &list, scratch);
}

typedef struct delete_many_t {
    storer_t         *store;
    storer_pattern_t *pattern;
    apr_time_t        now;
    apr_size_t        deleted;
    apr_pool_t       *scratch;
} delete_many_t;

/* The pattern sees a mapping by the name of its URL, without the prefix; its values go with it,
 * else they would stay where nobody finds them. A value that matches by itself goes alone: the
 * mapping then names what is no more, which an election passes over. */
static apr_status_t delete_matching(void *baton, storer_bytes_t key, storer_view_t *value)
{
    delete_many_t *many = baton;
    storer_bytes_t name = key;
    int is_mapping = storer_is_mapping_key(key, &name);
    apr_pool_t *pool;
    apr_status_t rv;

    (void)value;
    rv = storer_pattern_match(many->pattern, name);
    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    apr_pool_create(&pool, many->scratch);
    rv = is_mapping ? delete_url(many->store, name, many->now, &many->deleted, pool)
                    : delete_key(many->store, key, many->now, &many->deleted, pool);
    apr_pool_destroy(pool);
    return rv;
}

apr_status_t storer_generic_delete_many(storer_t *self, storer_pattern_t *pattern, apr_time_t now,
                                        apr_size_t *deleted, apr_pool_t *scratch)
{
    delete_many_t many = { self, pattern, now, 0, scratch };
    storer_bytes_t all = { "", 0 };
    apr_status_t rv = storer_map_keys(self, all, now, delete_matching, &many, scratch);

    if (deleted) {
        *deleted = many.deleted;
    }
    return rv;
}
