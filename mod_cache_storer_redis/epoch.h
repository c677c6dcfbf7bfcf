/* SPDX-License-Identifier: Apache-2.0
 *
 * epoch.h - which the present epoch of purges is, a question that goes along with others: so a hit
 * knows of every purge that has returned, on whatever machine, and costs no round trip more. With a
 * cluster the epoch is at one of the nodes, and the question is one of its own.
 *
 * Used by whoever gets or stores; purges.c answers the host with what is known from it.
 */
#ifndef EPOCH_H
#define EPOCH_H

#include "batch.h"
#include "redis.h"
#include "reply.h"

typedef struct epoch_question_t {
    apr_uint64_t known;   /**< the highest that this process had heard of when it asked */
    int          nth;     /**< of the batch's answers; -1: it is not in the batch */
} epoch_question_t;

/** Add the question to a batch, behind what is in it. Settle it when that was run with success. */
void epoch_ask(redis_t *redis, batch_t *batch, epoch_question_t *question);

/** Learn the answer. replies: all of the batch; the one to the question is freed, and NULL then. */
void epoch_settle(redis_t *redis, const epoch_question_t *question, reply_t **replies,
                  clock_point_t deadline);

/** Ask now. */
void epoch_find(redis_t *redis, clock_point_t deadline);

/** What is known; 0: nothing, or Redis has lost it. */
apr_uint64_t epoch_known(const redis_t *redis);

/** The highest one ever heard of. */
apr_uint64_t epoch_highest(const redis_t *redis);

/** A purge has begun this one. */
void epoch_raise(redis_t *redis, apr_uint64_t epoch);

/** The number in an answer. @return 0: it is none */
apr_uint64_t epoch_read(const reply_t *reply);

#endif /* EPOCH_H */
