/* SPDX-License-Identifier: Apache-2.0
 *
 * multilevel.c - the look-up of a variant in one round trip where that is possible: the mapping of a
 * URL is asked for together with the value that lies under the URL's own key, which is the one of a
 * response that does not vary. Both are in one slot of a cluster (names.h). The election itself is the
 * library's.
 */
#include "epoch.h"
#include "mapping.h"
#include "read.h"
#include "router.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

/* Of how many variants that fit the value is looked for: usually the first one is there. */
#define CANDIDATES_MAX 64

/* What is known of one look-up. */
typedef struct lookup_t {
    redis_t                *redis;
    storer_bytes_t          base_key;
    const storer_request_t *request;
    storer_validator_t     *validator;
    apr_time_t              now;
    clock_point_t           deadline;
    storer_view_t          *fresh, *stale;
    apr_pool_t             *pool;
    storer_bytes_t          mapping;   /* in the library's form */
    reply_t                *value;     /* of the base key; NULL once it was used */
} lookup_t;

/* replies: room for two, which are left to the caller, and for those of an epoch_question_t. */
static apr_status_t ask(redis_t *redis, storer_bytes_t key, storer_bytes_t base_key,
                        clock_point_t deadline, reply_t **replies)
{
    epoch_question_t question;
    batch_t batch;
    apr_status_t rv;

    batch_begin(&batch, &redis->names);
    batch_command(&batch, REPLY_IS_ARRAY, 2, "HGETALL");
    batch_key(&batch, key);
    batch_command(&batch, REPLY_IS_VALUE, 2, "GET");
    batch_key(&batch, base_key);
    epoch_ask(redis, &batch, &question);
    rv = router_run(redis, &batch, EXCHANGE_READ, deadline, replies);
    batch_end(&batch);
    if (rv == APR_SUCCESS) {
        epoch_settle(redis, &question, replies, deadline);
    }
    return rv;
}

/* The value of a candidate, by the answer that is there already or by asking for it. */
static apr_status_t open_value(lookup_t *lookup, const storer_candidate_t *candidate)
{
    storer_view_t *view = candidate->fresh ? lookup->fresh : lookup->stale;
    redis_t *redis = lookup->redis;

    if (!view || candidate->key.len < 1 || candidate->key.len > STORER_KEY_MAX) {
        return APR_NOTFOUND;
    }
    if (lookup->value && storer_bytes_equal(candidate->key, lookup->base_key)) {
        apr_status_t rv = read_open(redis, candidate->key, &lookup->value, lookup->now,
                                    lookup->deadline, view);

        reply_free(lookup->value);
        lookup->value = NULL;
        return rv;
    }
    return read_value(redis, candidate->key, lookup->now, lookup->deadline, view);
}

/* The best variant whose value is still there. APR_EINVAL: the mapping is damaged. */
static apr_status_t elect(lookup_t *lookup)
{
    const storer_api_t *api = lookup->redis->base.env->api;
    storer_candidate_t candidate, next;
    const storer_candidate_t *after = NULL;
    apr_status_t rv = APR_NOTFOUND;
    int tried;

    for (tried = 0; rv == APR_NOTFOUND && tried < CANDIDATES_MAX; tried++) {
        rv = api->elect(lookup->mapping, lookup->request, lookup->validator, lookup->now, after,
                        &next);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        candidate = next;
        after = &candidate;
        rv = open_value(lookup, &candidate);
    }
    if (rv == APR_SUCCESS && lookup->validator) {
        storer_bytes_t etag = candidate.etag;

        etag.data = apr_pmemdup(lookup->pool, etag.data, etag.len);
        (void)api->validator_check(lookup->validator, etag);
    }
    return rv;
}

/* A response for all requests, under the URL's own key, and no other beside it: what most URLs have.
 * There is nothing to elect. */
static int is_alone(const lookup_t *lookup, const mapping_t *mapping)
{
    const keyindex_t *index = (const keyindex_t *)mapping->entries->elts;

    return mapping->entries->nelts == 1 && !index->varies && !lookup->validator
           && storer_bytes_equal(index->key, lookup->base_key);
}

static apr_status_t open_alone(lookup_t *lookup, const mapping_t *mapping)
{
    const keyindex_t *index = (const keyindex_t *)mapping->entries->elts;
    storer_candidate_t candidate;

    if (value_end(index->expiry) <= lookup->now) {
        return APR_NOTFOUND;
    }
    memset(&candidate, 0, sizeof(candidate));
    candidate.key = lookup->base_key;
    candidate.fresh = lookup->now < index->expiry.fresh_until;
    return open_value(lookup, &candidate);
}

static apr_status_t elect_of_hash(lookup_t *lookup, storer_bytes_t key, const reply_t *hash)
{
    mapping_t mapping;
    storer_expiry_t last;
    char *bytes = NULL;
    apr_status_t rv;

    rv = mapping_read(lookup->redis, key, hash, &mapping, lookup->pool);
    if (rv == APR_SUCCESS && mapping.entries->nelts == 0) {
        return APR_NOTFOUND;
    }
    if (rv == APR_SUCCESS && is_alone(lookup, &mapping)) {
        return open_alone(lookup, &mapping);
    }
    if (rv == APR_SUCCESS) {
        rv = mapping_join(&mapping, &bytes, &lookup->mapping.len, &last);
    }
    if (rv == APR_SUCCESS) {
        lookup->mapping.data = bytes;
        rv = elect(lookup);
        free(bytes);
    }
    return rv;
}

/* A plain value lies in the mapping's place, in the library's form: rare, so not fast. One in parts is
 * no mapping. */
static apr_status_t elect_of_value(lookup_t *lookup, storer_bytes_t key)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_status_t rv = read_value(lookup->redis, key, lookup->now, lookup->deadline, &view);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (view.length == (apr_off_t)view.part.len) {
        lookup->mapping = view.part;
        rv = elect(lookup);
    }
    else {
        rv = APR_EINVAL;
    }
    view.ops->release(&view);
    return rv;
}

static void log_damage(redis_t *redis, storer_bytes_t base_key)
{
    host_log(redis->base.env, STORER_LOG_WARNING, APR_SUCCESS,
             "redis: the mapping of %.*s is damaged; it will be replaced by the next store",
             base_key.len < 200 ? (int)base_key.len : 200, base_key.data);
}

apr_status_t redis_get_multi_level(storer_t *self, storer_bytes_t base_key,
                                   const storer_request_t *request, storer_validator_t *validator,
                                   apr_time_t now, storer_view_t *fresh, storer_view_t *stale,
                                   apr_pool_t *pool)
{
    redis_t *redis = redis_of(self);
    storer_bytes_t key = mapping_key(base_key, pool);
    lookup_t lookup = { redis, base_key, request, validator, now, redis_deadline(redis), fresh,
                        stale, pool, { NULL, 0 }, NULL };
    reply_t *replies[2 + EPOCH_ANSWERS] = { NULL };
    apr_status_t rv;
    int is_value;

    if (validator) {
        self->env->api->validator_reset(validator);
    }
    rv = ask(redis, key, base_key, lookup.deadline, replies);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    lookup.value = replies[1];
    is_value = reply_is_error(replies[0], "WRONGTYPE");
    rv = is_value ? elect_of_value(&lookup, key) : elect_of_hash(&lookup, key, replies[0]);
    if (rv == APR_EINVAL) {
        if (is_value || redis_may_complain(redis)) { /* a value is somebody's doing, and replaced */
            log_damage(redis, base_key);
        }
        rv = APR_NOTFOUND;
    }
    reply_free(replies[0]);
    reply_free(lookup.value);
    return rv;
}
