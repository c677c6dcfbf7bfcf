/* SPDX-License-Identifier: Apache-2.0
 *
 * epoch.h - which the present epoch of purges is, a question that goes along with others: so a hit
 * knows of every purge that has returned, on whatever machine, and costs no round trip more. With a
 * cluster the epoch is at one of the nodes, and the question is one of its own.
 *
 * Now and then another question goes along, whether the list of purges is still there. Nobody reads
 * that list but a machine that does not know a purge, so that a server that evicts what has not been
 * used for long (allkeys-lru) would take it for rubbish.
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
    int          has_list; /**< the next answer is about the list of purges */
} epoch_question_t;

/** How many answers it takes, at most. */
#define EPOCH_ANSWERS 2

/** Add the question to a batch, behind what is in it. Settle it when that was run with success. */
void epoch_ask(redis_t *redis, batch_t *batch, epoch_question_t *question);

/** Learn the answer. replies: all of the batch; those to the question are freed, and NULL then. */
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

/** Another process of the machine has heard of this one. What Redis has said before does not count
 * then: it has to be asked again. */
void epoch_hear(redis_t *redis, apr_uint64_t epoch);

/** The present time in microseconds, from which epochs of a new list are made. */
apr_uint64_t epoch_clock(void);

/** The highest that can be, or is believed: an epoch rises by one, or to the time. */
apr_uint64_t epoch_most(const redis_t *redis);

/** The number in an answer, up to `most`. @return 0: it is none, or a higher one */
apr_uint64_t epoch_read(const reply_t *reply, apr_uint64_t most);

#endif /* EPOCH_H */
