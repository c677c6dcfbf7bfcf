/* SPDX-License-Identifier: Apache-2.0
 *
 * read.c - get, and views: the part at hand is in memory, the next one is fetched when it is asked
 * for. So a reader holds two parts at most, and no connection between them.
 */
#include "read.h"

#include "epoch.h"
#include "mapping.h"
#include "router.h"

#include <stdlib.h>
#include <string.h>

/* Names of parts in one command. */
#define TOUCH_MAX 1000

typedef struct lease_t {
    redis_t     *redis;
    value_t      value;
    reply_t     *reply;     /* holds the part at hand; NULL: memory does */
    char        *memory;
    apr_uint32_t number;    /* of the part at hand */
} lease_t;

static void release(storer_view_t *view)
{
    lease_t *lease = view->lease;

    reply_free(lease->reply);
    free(lease->memory);
    free(lease);
}

/* A part that is gone will not come back, so it counts as damage: the host drops such an entry. */
static apr_status_t next_until(storer_view_t *view, clock_point_t deadline)
{
    lease_t *lease = view->lease;
    redis_t *redis = lease->redis;
    reply_t *reply = NULL;
    batch_t batch;
    apr_status_t rv;

    if (lease->number + 1 >= lease->value.parts) {
        lease->number = lease->value.parts;
        return APR_EOF;
    }
    batch_begin(&batch, &redis->names);
    batch_command(&batch, REPLY_IS_VALUE, 2, "GET");
    batch_part(&batch, lease->value.version, lease->number + 1);
    rv = router_run_one(redis, &batch, EXCHANGE_READ, deadline, &reply);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = value_read_part(&lease->value, lease->number + 1, reply_string(reply), &view->part);
    if (rv != APR_SUCCESS) {
        reply_free(reply);
        return rv;
    }
    reply_free(lease->reply);
    lease->reply = reply;
    lease->number++;
    return APR_SUCCESS;
}

static apr_status_t next(storer_view_t *view)
{
    const lease_t *lease = view->lease;

    return next_until(view, redis_deadline(lease->redis));
}

static const storer_view_ops_t view_ops = { next, release, NULL };

static apr_status_t fill(redis_t *redis, const value_t *value, storer_bytes_t part,
                         storer_view_t *view, lease_t **out)
{
    lease_t *lease = calloc(1, sizeof(*lease));

    if (!lease) {
        return APR_ENOMEM;
    }
    lease->redis = redis;
    lease->value = *value;
    view->length = value->length;
    view->part = part;
    view->expiry = value->expiry;
    view->in_place = 0;
    view->ops = &view_ops;
    view->store = &redis->base;
    view->lease = lease;
    *out = lease;
    return APR_SUCCESS;
}

/* Are all parts there? It also tells Redis that they are in use as much as the head is, so that it
 * does not evict the one before the other. */
static apr_status_t touch_parts(redis_t *redis, const value_t *value, clock_point_t deadline)
{
    apr_uint32_t first, number;

    for (first = 1; first < value->parts; first += TOUCH_MAX) {
        apr_uint32_t count = value->parts - first < TOUCH_MAX ? value->parts - first : TOUCH_MAX;
        reply_t *reply = NULL;
        batch_t batch;
        apr_status_t rv;
        int complete;

        batch_begin(&batch, &redis->names);
        batch_command(&batch, REPLY_IS_INTEGER, (int)count + 1, "TOUCH");
        for (number = first; number < first + count; number++) {
            batch_part(&batch, value->version, number);
        }
        rv = router_run_one(redis, &batch, EXCHANGE_READ, deadline, &reply);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        complete = reply->type == REPLY_INTEGER && reply->integer == (apr_int64_t)count;
        reply_free(reply);
        if (!complete) {
            return APR_NOTFOUND;
        }
    }
    return APR_SUCCESS;
}

static void log_damage(redis_t *redis, storer_bytes_t key)
{
    if (redis_may_complain(redis)) {
        host_log(redis->base.env, STORER_LOG_WARNING, APR_SUCCESS,
                 "redis: what lies under %.*s is no value of it, and not used (such things are said "
                 "once a minute)", key.len < 200 ? (int)key.len : 200, key.data);
    }
}

apr_status_t read_open(redis_t *redis, storer_bytes_t key, reply_t **reply, apr_time_t now,
                       clock_point_t deadline, storer_view_t *view)
{
    value_t value;
    storer_bytes_t first;
    lease_t *lease;
    apr_status_t rv;

    if ((*reply)->type == REPLY_NIL) {
        return APR_NOTFOUND;
    }
    rv = value_read(&value, key, reply_string(*reply), &first);
    if (rv != APR_SUCCESS) {
        log_damage(redis, key);
        return APR_NOTFOUND;
    }
    if (value_end(value.expiry) <= now) {
        return APR_NOTFOUND;
    }
    rv = touch_parts(redis, &value, deadline);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = fill(redis, &value, first, view, &lease);
    if (rv == APR_SUCCESS) {
        lease->reply = *reply;
        *reply = NULL;
    }
    return rv;
}

apr_status_t read_open_memory(redis_t *redis, char *memory, apr_size_t len, storer_expiry_t expiry,
                              storer_view_t *view)
{
    storer_bytes_t part = { memory, len };
    lease_t *lease;
    value_t value;
    apr_status_t rv;

    memset(&value, 0, sizeof(value));
    value.length = (apr_off_t)len;
    value.expiry = expiry;
    value.parts = 1;
    rv = fill(redis, &value, part, view, &lease);
    if (rv != APR_SUCCESS) {
        free(memory);
        return rv;
    }
    lease->memory = memory;
    return APR_SUCCESS;
}

/* Memory is taken for what has come, and not for what the head says will come. */
apr_status_t read_all(storer_view_t *view, clock_point_t deadline, char **bytes, apr_size_t *len)
{
    apr_size_t room = 0, used = 0;
    char *all = NULL;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS) {
        if (used + view->part.len >= room) {
            char *larger;

            room = 2 * (used + view->part.len) + 1;
            larger = realloc(all, room);
            if (!larger) {
                free(all);
                return APR_ENOMEM;
            }
            all = larger;
        }
        memcpy(all + used, view->part.data, view->part.len);
        used += view->part.len;
        rv = next_until(view, deadline);
    }
    if (rv != APR_EOF) {
        free(all);
        return rv;
    }
    *bytes = all;
    *len = used;
    return APR_SUCCESS;
}

apr_status_t read_value(redis_t *redis, storer_bytes_t key, apr_time_t now,
                        clock_point_t deadline, storer_view_t *view)
{
    reply_t *replies[1 + EPOCH_ANSWERS] = { NULL };
    epoch_question_t question;
    batch_t batch;
    apr_status_t rv;

    batch_begin(&batch, &redis->names);
    batch_command(&batch, REPLY_IS_VALUE, 2, "GET");
    batch_key(&batch, key);
    epoch_ask(redis, &batch, &question);
    rv = router_run(redis, &batch, EXCHANGE_READ, deadline, replies);
    batch_end(&batch);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    epoch_settle(redis, &question, replies, deadline);
    rv = read_open(redis, key, &replies[0], now, deadline, view);
    reply_free(replies[0]);
    return rv;
}

apr_status_t redis_get(storer_t *self, storer_bytes_t key, apr_time_t now, storer_view_t *view,
                       apr_pool_t *pool)
{
    redis_t *redis = redis_of(self);
    clock_point_t deadline = redis_deadline(redis);
    storer_bytes_t base_key;
    int is_value = 0;

    (void)pool;
    if (names_is_mapping(key, &base_key)) {
        apr_status_t rv = mapping_view(redis, key, now, deadline, view, &is_value);

        if (rv != APR_SUCCESS || !is_value) {
            return rv;
        }
    }
    return read_value(redis, key, now, deadline, view);
}
