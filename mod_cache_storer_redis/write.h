/* SPDX-License-Identifier: Apache-2.0
 *
 * write.h - how values get into Redis and out of it. See write.c.
 */
#ifndef WRITE_H
#define WRITE_H

#include "batch.h"
#include "redis.h"
#include "reply.h"
#include "value.h"

/** How long parts outlive their head, in milliseconds: so long a reader that has the head may take,
 * whatever becomes of the value. */
#define WRITE_GRACE (60 * 1000)

/** Store the parts of a value that has its length, but for the first. */
apr_status_t write_parts(redis_t *redis, const value_t *value, storer_bytes_t bytes,
                         apr_int64_t ttl);

/** A SET of the head to a batch, and before it the question for what it takes the place of: two
 * commands. What they answer goes to write_drop_old. */
void write_add_head(batch_t *batch, const value_t *value, storer_bytes_t key, storer_bytes_t first,
                    apr_int64_t ttl);

/** One more command, behind the head in the same batch. */
typedef struct write_extra_t {
    void   (*add)(batch_t *batch, void *baton);
    void    *baton;
    reply_t *reply;    /**< out, on success: its answer, the caller's to free; NULL: it was not run */
} write_extra_t;

/** Commit and abort of the writers of ours. extra: may be NULL; its keys lie where the value's does. */
apr_status_t write_commit(storer_writer_t *writer, write_extra_t *extra, clock_point_t deadline);
void         write_abort(storer_writer_t *writer);

/** The parts of the value that was there, from its head (the answer to GETRANGE), get no older than
 * the grace. Does what it can. */
void write_drop_old(redis_t *redis, const reply_t *head, clock_point_t deadline);
void write_drop_parts(redis_t *redis, const value_t *value, clock_point_t deadline);

/** storer_set, within the deadline; each part behind the first has one of its own. */
apr_status_t write_set(redis_t *redis, storer_bytes_t key, storer_bytes_t value,
                       storer_expiry_t expiry, apr_time_t now, clock_point_t deadline);

/** Delete a value. *was_there: may be NULL; 1 where it was, and not over at now. */
apr_status_t write_delete(redis_t *redis, storer_bytes_t key, apr_time_t now,
                          clock_point_t deadline, int *was_there);

#endif /* WRITE_H */
