/* SPDX-License-Identifier: Apache-2.0
 *
 * update.c - read-modify-write of a plain value: the new head takes the place of the old one only if
 * that is still the version the edit was made from. Mappings go their own way (mapping.c).
 */
#include "mapping.h"
#include "read.h"
#include "router.h"
#include "write.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 16

/* A head in a compare: long enough to have the version and the checksum in it. ARGV: the old head (or
 * nothing), the new value, milliseconds (0: delete), the new head. Run twice it still says 1. */
#define SWAP_SCRIPT \
    "local k=KEYS[1] " \
    "local h=redis.call('GETRANGE',k,0,63) " \
    "if h==ARGV[4] then return 1 end " \
    "if h~=ARGV[1] then return 0 end " \
    "if ARGV[3]=='0' then redis.call('DEL',k) " \
    "else redis.call('SET',k,ARGV[2],'PX',ARGV[3]) end " \
    "return 1"

/* The value that an edit works on, and the head it is known by. */
typedef struct old_t {
    char            head[VALUE_HEAD_SIZE];
    apr_size_t      head_len;   /* 0: there is nothing */
    char           *memory;     /* of the bytes; malloc'ed */
    storer_bytes_t  bytes;      /* data NULL: there is none */
    storer_expiry_t expiry;
} old_t;

static apr_status_t read_old(redis_t *redis, storer_bytes_t key, apr_time_t now,
                             clock_point_t deadline, old_t *old)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    reply_t *reply = NULL;
    batch_t batch;
    apr_status_t rv;

    memset(old, 0, sizeof(*old));
    batch_begin(&batch, &redis->names);
    batch_command(&batch, REPLY_IS_VALUE, 2, "GET");
    batch_key(&batch, key);
    rv = router_run_one(redis, &batch, EXCHANGE_READ, deadline, &reply);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (reply->type == REPLY_STRING) {
        old->head_len = reply->text.len < VALUE_HEAD_SIZE ? reply->text.len : VALUE_HEAD_SIZE;
        memcpy(old->head, reply->text.data, old->head_len);
    }
    rv = read_open(redis, key, &reply, now, deadline, &view);
    reply_free(reply);
    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    old->expiry = view.expiry;
    rv = read_all(&view, deadline, &old->memory, &old->bytes.len);
    view.ops->release(&view);
    if (rv == APR_SUCCESS) {
        old->bytes.data = old->memory;
    }
    return rv;
}

static apr_status_t run_swap(redis_t *redis, storer_bytes_t key, const old_t *old, const char *head,
                             storer_bytes_t first, apr_int64_t ttl, clock_point_t deadline)
{
    storer_bytes_t before = { old->head, old->head_len }, after = { head, ttl ? VALUE_HEAD_SIZE : 0 };
    reply_t *reply = NULL;
    batch_t batch;
    apr_status_t rv;

    batch_begin(&batch, &redis->names);
    batch_command(&batch, REPLY_IS_INTEGER, 8, "EVAL");
    batch_text(&batch, SWAP_SCRIPT);
    batch_number(&batch, 1);
    batch_key(&batch, key);
    batch_bytes(&batch, before);
    batch_two(&batch, after, first);
    batch_number(&batch, ttl);
    batch_bytes(&batch, after);
    rv = router_run_one(redis, &batch, ttl ? EXCHANGE_WRITE : EXCHANGE_READ, deadline, &reply);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (reply->type != REPLY_INTEGER) {
        rv = APR_EGENERAL;
    }
    else if (reply->integer != 1) {
        rv = APR_EAGAIN;
    }
    reply_free(reply);
    return rv;
}

/* APR_EAGAIN: lost the race. */
static apr_status_t swap(redis_t *redis, storer_bytes_t key, const old_t *old,
                         storer_bytes_t value, storer_expiry_t expiry, apr_time_t now,
                         clock_point_t deadline)
{
    static const storer_bytes_t nothing = { "", 0 };
    apr_int64_t ttl = value.data ? value_ttl(value_end(expiry), now) : 0;
    char head[VALUE_HEAD_SIZE];
    storer_bytes_t first = value;
    value_t next, before;
    apr_status_t rv;

    if (ttl == 0) {
        rv = run_swap(redis, key, old, head, nothing, 0, deadline);
    }
    else {
        rv = value_init(&next, expiry);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        value_set_length(&next, (apr_off_t)value.len);
        first.len = next.first_size;
        value_write_head(&next, key, first, head);
        rv = write_parts(redis, &next, value, ttl);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rv = run_swap(redis, key, old, head, first, ttl, deadline);
        if (rv != APR_SUCCESS) {
            write_drop_parts(redis, &next, deadline);
        }
    }
    if (rv == APR_SUCCESS) {
        storer_bytes_t bytes = { old->head, old->head_len };

        if (value_read_head(&before, bytes) == APR_SUCCESS) {
            write_drop_parts(redis, &before, deadline);
        }
    }
    return rv;
}

/* *lost: the race was, so that another try makes sense. */
static apr_status_t try_update(redis_t *redis, storer_bytes_t key, storer_edit_fn *edit, void *baton,
                               apr_time_t now, clock_point_t deadline, int *lost,
                               apr_pool_t *scratch)
{
    storer_bytes_t value = { NULL, 0 };
    storer_expiry_t expiry;
    old_t old;
    apr_status_t rv;

    rv = read_old(redis, key, now, deadline, &old);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    expiry = old.expiry;
    rv = edit(baton, old.bytes, &value, &expiry, scratch);
    if (rv == APR_SUCCESS) {
        rv = swap(redis, key, &old, value, expiry, now, deadline);
        *lost = rv == APR_EAGAIN;
    }
    free(old.memory);
    return rv;
}

apr_status_t redis_update(storer_t *self, storer_bytes_t key, storer_edit_fn *edit, void *baton,
                          apr_time_t now, apr_pool_t *scratch)
{
    redis_t *redis = redis_of(self);
    clock_point_t deadline = redis_deadline(redis);
    storer_bytes_t base_key;
    apr_status_t rv = APR_EAGAIN;
    int tries, lost = 1;

    if (names_is_mapping(key, &base_key)) {
        return mapping_update(redis, key, edit, baton, now, scratch);
    }
    for (tries = 0; lost && tries < TRIES_MAX; tries++) {
        lost = 0;
        rv = try_update(redis, key, edit, baton, now, deadline, &lost, scratch);
    }
    return rv;
}
