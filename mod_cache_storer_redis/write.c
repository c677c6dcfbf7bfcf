/* SPDX-License-Identifier: Apache-2.0
 *
 * write.c - set, delete and the streaming writer.
 *
 * Order is what makes a value whole or absent: first the parts under their new version, then the
 * head that names it. Parts left behind (a dead process, a value replaced) end by their own TTL.
 */
#include "write.h"

#include "epoch.h"
#include "router.h"

#include <stdlib.h>
#include <string.h>

/* Commands of one batch that only keeps house. */
#define HOUSE_MAX 128

/* ---- parts ---- */

static apr_status_t write_part(redis_t *redis, const value_t *value, apr_uint32_t number,
                               storer_bytes_t part, apr_int64_t ttl, clock_point_t deadline)
{
    char head[VALUE_PART_HEAD];
    storer_bytes_t start = { head, sizeof(head) };
    reply_t *reply = NULL;
    batch_t batch;
    apr_status_t rv;

    value_write_part(value, number, part, head);
    batch_begin(&batch, &redis->names);
    batch_command(&batch, REPLY_IS_STATUS, 5, "SET");
    batch_part(&batch, value->version, number);
    batch_two(&batch, start, part);
    batch_text(&batch, "PX");
    batch_number(&batch, ttl + WRITE_GRACE);
    rv = router_run_one(redis, &batch, EXCHANGE_WRITE, deadline, &reply);
    if (rv == APR_SUCCESS) {
        rv = reply->type == REPLY_STATUS ? APR_SUCCESS : APR_EGENERAL;
        reply_free(reply);
    }
    return rv;
}

apr_status_t write_parts(redis_t *redis, const value_t *value, storer_bytes_t bytes,
                         apr_int64_t ttl)
{
    apr_uint32_t number;
    apr_status_t rv = APR_SUCCESS;

    for (number = 1; number < value->parts && rv == APR_SUCCESS; number++) {
        apr_size_t start = (apr_size_t)number * value->part_size, rest = bytes.len - start;
        storer_bytes_t part = { bytes.data + start,
                                rest < value->part_size ? rest : value->part_size };

        rv = write_part(redis, value, number, part, ttl, redis_deadline(redis));
    }
    if (rv != APR_SUCCESS) {
        write_drop_parts(redis, value, redis_deadline(redis));
    }
    return rv;
}

/* The number of parts may be what the server says. */
void write_drop_parts(redis_t *redis, const value_t *value, clock_point_t deadline)
{
    apr_uint32_t number = 1;

    while (number < value->parts) {
        reply_t *replies[HOUSE_MAX] = { NULL };
        batch_t batch;
        apr_status_t rv;

        batch_begin(&batch, &redis->names);
        for (; number < value->parts && batch.count < HOUSE_MAX; number++) {
            batch_command(&batch, REPLY_IS_INTEGER, 3, "PEXPIRE");
            batch_part(&batch, value->version, number);
            batch_number(&batch, WRITE_GRACE);
        }
        rv = router_run(redis, &batch, EXCHANGE_READ, deadline, replies);
        reply_free_all(replies, batch.count);
        batch_end(&batch);
        if (rv != APR_SUCCESS) {
            return; /* they end by themselves */
        }
    }
}

void write_drop_old(redis_t *redis, const reply_t *head, clock_point_t deadline)
{
    value_t old;

    if (value_read_head(&old, reply_string(head)) == APR_SUCCESS && old.parts > 1) {
        write_drop_parts(redis, &old, deadline);
    }
}

/* ---- heads ---- */

static void add_head_question(batch_t *batch, storer_bytes_t key)
{
    batch_command(batch, REPLY_IS_STRING, 4, "GETRANGE");
    batch_key(batch, key);
    batch_number(batch, 0);
    batch_number(batch, VALUE_HEAD_SIZE - 1);
}

void write_add_head(batch_t *batch, const value_t *value, storer_bytes_t key, storer_bytes_t first,
                    apr_int64_t ttl)
{
    char head[VALUE_HEAD_SIZE];
    storer_bytes_t start = { head, sizeof(head) };

    value_write_head(value, key, first, head);
    add_head_question(batch, key);
    batch_command(batch, REPLY_IS_STATUS, 5, "SET");
    batch_key(batch, key);
    batch_two(batch, start, first);
    batch_text(batch, "PX");
    batch_number(batch, ttl);
}

/* The epoch is asked for behind it: so a purge that has looked through all keys before this one was
 * there is known when the store is over. */
static apr_status_t write_head(redis_t *redis, const value_t *value, storer_bytes_t key,
                               storer_bytes_t first, apr_int64_t ttl, write_extra_t *extra,
                               clock_point_t deadline)
{
    reply_t *replies[3 + EPOCH_ANSWERS] = { NULL };
    epoch_question_t question;
    batch_t batch;
    apr_status_t rv;

    batch_begin(&batch, &redis->names);
    write_add_head(&batch, value, key, first, ttl);
    if (extra) {
        extra->add(&batch, extra->baton);
    }
    epoch_ask(redis, &batch, &question);
    rv = router_run(redis, &batch, EXCHANGE_WRITE, deadline, replies);
    batch_end(&batch);
    if (rv == APR_SUCCESS) {
        epoch_settle(redis, &question, replies, deadline);
        rv = replies[1]->type == REPLY_STATUS ? APR_SUCCESS : APR_EGENERAL;
        if (rv == APR_SUCCESS) {
            write_drop_old(redis, replies[0], deadline);
            if (extra) {
                extra->reply = replies[2];
                replies[2] = NULL;
            }
        }
        reply_free_all(replies, 3);
    }
    return rv;
}

apr_status_t write_delete(redis_t *redis, storer_bytes_t key, apr_time_t now,
                          clock_point_t deadline, int *was_there)
{
    reply_t *replies[2] = { NULL, NULL };
    batch_t batch;
    apr_status_t rv;
    value_t old;

    batch_begin(&batch, &redis->names);
    add_head_question(&batch, key);
    batch_command(&batch, REPLY_IS_INTEGER, 2, "DEL");
    batch_key(&batch, key);
    rv = router_run(redis, &batch, EXCHANGE_READ, deadline, replies);
    batch_end(&batch);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (was_there) {
        *was_there = replies[1]->type == REPLY_INTEGER && replies[1]->integer == 1
                     && value_read_head(&old, reply_string(replies[0])) == APR_SUCCESS
                     && value_end(old.expiry) > now;
    }
    rv = replies[1]->type == REPLY_INTEGER ? APR_SUCCESS : APR_EGENERAL;
    write_drop_old(redis, replies[0], deadline);
    reply_free_all(replies, 2);
    return rv;
}

apr_status_t redis_delete(storer_t *self, storer_bytes_t key)
{
    redis_t *redis = redis_of(self);

    return write_delete(redis, key, 0, redis_deadline(redis), NULL);
}

/* What is over already takes the place of what was there, and is gone. */
apr_status_t write_set(redis_t *redis, storer_bytes_t key, storer_bytes_t value,
                       storer_expiry_t expiry, apr_time_t now, clock_point_t deadline)
{
    apr_int64_t ttl = value_ttl(value_end(expiry), now);
    storer_bytes_t first = value;
    value_t head;
    apr_status_t rv;

    if (ttl == 0) {
        return write_delete(redis, key, now, deadline, NULL);
    }
    if (value.len > (apr_size_t)VALUE_PART_MAX * VALUE_PARTS_MAX) {
        return APR_ENOSPC;
    }
    rv = value_init(&head, expiry);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    value_set_length(&head, (apr_off_t)value.len);
    first.len = head.first_size;
    rv = write_parts(redis, &head, value, ttl);
    if (rv == APR_SUCCESS) {
        deadline = head.parts > 1 ? redis_deadline(redis) : deadline;
        rv = write_head(redis, &head, key, first, ttl, NULL, deadline);
        if (rv != APR_SUCCESS && head.parts > 1) {
            write_drop_parts(redis, &head, deadline);
        }
    }
    return rv;
}

apr_status_t redis_set(storer_t *self, storer_bytes_t key, storer_bytes_t value,
                       storer_expiry_t expiry, apr_time_t now)
{
    redis_t *redis = redis_of(self);

    return write_set(redis, key, value, expiry, now, redis_deadline(redis));
}

/* ---- the writer ---- */

/* The first part waits for the head, which is written last; behind it one part at a time is
 * gathered. */
typedef struct writing_t {
    redis_t      *redis;
    value_t       value;
    apr_time_t    now;
    clock_point_t began;      /* at `now` */
    apr_uint32_t  written;    /* parts that lie in Redis */
    char         *first;      /* the first part */
    apr_size_t    first_used, first_room;
    char         *bytes;      /* the part at hand, when the first is full */
    apr_size_t    used;
    storer_bytes_t key;       /* in the same allocation */
} writing_t;

static void writing_free(storer_writer_t *writer)
{
    writing_t *writing = writer->lease;

    free(writing->first);
    free(writing->bytes);
    free(writing);
    writer->lease = NULL;
}

/* The time that the value has left, counted from when it was opened. */
static apr_int64_t ttl_left(const writing_t *writing)
{
    return value_ttl(value_end(writing->value.expiry), writing->now + clock_now() - writing->began);
}

static apr_status_t grow_first(writing_t *writing, apr_size_t wanted)
{
    apr_size_t room = writing->first_room * 2 > wanted ? writing->first_room * 2 : wanted;
    char *bytes;

    room = room > VALUE_PART_MAX ? VALUE_PART_MAX : room;
    bytes = realloc(writing->first, room);
    if (!bytes) {
        return APR_ENOMEM;
    }
    writing->first = bytes;
    writing->first_room = room;
    return APR_SUCCESS;
}

static apr_status_t flush(writing_t *writing, clock_point_t deadline)
{
    storer_bytes_t part = { writing->bytes, writing->used };
    apr_status_t rv;

    if (writing->written + 1 >= VALUE_PARTS_MAX) {
        return APR_ENOSPC;
    }
    /* the length is that of all but the last part, until the end is known */
    rv = write_part(writing->redis, &writing->value, writing->written + 1, part,
                    ttl_left(writing), deadline);
    if (rv == APR_SUCCESS) {
        writing->written++;
        writing->used = 0;
    }
    return rv;
}

static apr_size_t smaller(apr_size_t a, apr_size_t b)
{
    return a < b ? a : b;
}

static apr_status_t append_to_first(writing_t *writing, storer_bytes_t *bytes)
{
    apr_size_t len = smaller(bytes->len, VALUE_PART_MAX - writing->first_used);

    if (len > writing->first_room - writing->first_used) {
        apr_status_t rv = grow_first(writing, writing->first_used + len);

        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    if (len > 0) {
        memcpy(writing->first + writing->first_used, bytes->data, len);
        writing->first_used += len;
        bytes->data += len;
        bytes->len -= len;
    }
    return APR_SUCCESS;
}

/* A full part is written when more comes, so that the last one is never empty. */
static apr_status_t writing_append(storer_writer_t *writer, storer_bytes_t bytes)
{
    writing_t *writing = writer->lease;
    apr_status_t rv = append_to_first(writing, &bytes);

    if (rv == APR_SUCCESS && bytes.len > 0 && !writing->bytes) {
        writing->bytes = malloc(VALUE_PART_MAX);
        rv = writing->bytes ? APR_SUCCESS : APR_ENOMEM;
    }
    while (rv == APR_SUCCESS && bytes.len > 0) {
        apr_size_t len = smaller(bytes.len, VALUE_PART_MAX - writing->used);

        memcpy(writing->bytes + writing->used, bytes.data, len);
        writing->used += len;
        bytes.data += len;
        bytes.len -= len;
        if (bytes.len > 0) {
            rv = flush(writing, redis_deadline(writing->redis));
        }
    }
    return rv;
}

static void drop_written(writing_t *writing, clock_point_t deadline)
{
    if (writing->written > 0) {
        writing->value.parts = writing->written + 1;
        write_drop_parts(writing->redis, &writing->value, deadline);
    }
}

apr_status_t write_commit(storer_writer_t *writer, write_extra_t *extra, clock_point_t deadline)
{
    writing_t *writing = writer->lease;
    storer_bytes_t first = { writing->first ? writing->first : "", writing->first_used };
    apr_off_t length = (apr_off_t)writing->first_used
                       + (apr_off_t)writing->written * VALUE_PART_MAX + (apr_off_t)writing->used;
    apr_int64_t ttl = ttl_left(writing);
    apr_status_t rv = APR_SUCCESS;

    if (ttl == 0) {
        drop_written(writing, deadline);
        rv = write_delete(writing->redis, writing->key, writing->now, deadline, NULL);
        writing_free(writer);
        return rv;
    }
    if (writing->used > 0) {
        rv = flush(writing, deadline);
    }
    if (rv == APR_SUCCESS) {
        value_set_length(&writing->value, length);
        rv = write_head(writing->redis, &writing->value, writing->key, first, ttl, extra, deadline);
    }
    if (rv != APR_SUCCESS) {
        drop_written(writing, deadline);
    }
    writing_free(writer);
    return rv;
}

static apr_status_t writing_commit(storer_writer_t *writer)
{
    const writing_t *writing = writer->lease;

    return write_commit(writer, NULL, redis_deadline(writing->redis));
}

void write_abort(storer_writer_t *writer)
{
    writing_t *writing = writer->lease;

    drop_written(writing, redis_deadline(writing->redis));
    writing_free(writer);
}

static const storer_writer_ops_t writing_ops = { writing_append, writing_commit, write_abort };

apr_status_t redis_open_writer(storer_t *self, storer_bytes_t key, storer_expiry_t expiry,
                               apr_off_t size_hint, apr_time_t now, storer_writer_t *writer,
                               apr_pool_t *pool)
{
    redis_t *redis = redis_of(self);
    writing_t *writing = calloc(1, sizeof(*writing) + key.len);
    apr_status_t rv;
    char *copy;

    (void)pool;
    if (!writing) {
        return APR_ENOMEM;
    }
    copy = (char *)(writing + 1);
    memcpy(copy, key.data, key.len);
    writing->redis = redis;
    writing->key.data = copy;
    writing->key.len = key.len;
    writing->now = now;
    writing->began = clock_now();
    rv = value_init(&writing->value, expiry);
    if (rv == APR_SUCCESS && size_hint > 0) {
        rv = grow_first(writing, (apr_size_t)(size_hint < VALUE_PART_MAX ? size_hint
                                                                         : VALUE_PART_MAX));
    }
    if (rv != APR_SUCCESS) {
        free(writing->first);
        free(writing);
        return rv;
    }
    writer->ops = &writing_ops;
    writer->store = self;
    writer->lease = writing;
    return APR_SUCCESS;
}
