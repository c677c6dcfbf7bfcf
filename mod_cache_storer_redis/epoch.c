/* SPDX-License-Identifier: Apache-2.0
 *
 * epoch.c - see epoch.h.
 *
 * Epochs only rise, so an answer that is lower than what was known when the question was put comes
 * from a Redis which has lost purges (restarted empty, evicted the key, failed over to a replica that
 * lagged, or it is another server that took the first one's place). From then on nothing is known,
 * until purges.c has begun an epoch that is higher than all before and ends whatever is older.
 */
#include "epoch.h"

#include "router.h"

/* Redis' scores are doubles, exact up to 2^53. */
#define EPOCH_MAX (APR_UINT64_C(1) << 53)

#define DIGITS_MAX 16

static const storer_bytes_t no_key = { "", 0 };

apr_uint64_t epoch_known(const redis_t *redis)
{
    return atomic_load(&redis->epoch_is_known) ? atomic_load(&redis->epoch) : 0;
}

apr_uint64_t epoch_highest(const redis_t *redis)
{
    return atomic_load(&redis->epoch);
}

void epoch_raise(redis_t *redis, apr_uint64_t epoch)
{
    apr_uint64_t highest = atomic_load(&redis->epoch);

    while (highest < epoch && !atomic_compare_exchange_weak(&redis->epoch, &highest, epoch)) {
    }
    if (!atomic_load(&redis->epoch_is_known)) { /* read by every request, so written when it must be */
        atomic_store(&redis->epoch_is_known, 1);
    }
}

apr_uint64_t epoch_read(const reply_t *reply)
{
    storer_bytes_t text = reply_string(reply);
    apr_uint64_t epoch = 0;
    apr_size_t i;

    if (!text.data || text.len > DIGITS_MAX) {
        return 0;
    }
    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }
        epoch = epoch * 10 + (apr_uint64_t)(text.data[i] - '0');
    }
    return epoch < EPOCH_MAX ? epoch : 0;
}

static void add_question(batch_t *batch)
{
    batch_command(batch, REPLY_IS_VALUE, 2, "GET");
    batch_name(batch, NAMES_EPOCH, no_key);
}

static void learn(redis_t *redis, apr_uint64_t known, const reply_t *reply)
{
    apr_uint64_t epoch = epoch_read(reply);

    if (epoch == 0 || epoch < known) {
        atomic_store(&redis->epoch_is_known, 0);
    }
    else {
        epoch_raise(redis, epoch);
    }
}

void epoch_ask(redis_t *redis, batch_t *batch, epoch_question_t *question)
{
    question->known = epoch_highest(redis);
    question->nth = -1;
    if (!redis->cluster) {
        question->nth = batch->count;
        add_question(batch);
    }
}

void epoch_settle(redis_t *redis, const epoch_question_t *question, reply_t **replies,
                  clock_point_t deadline)
{
    if (question->nth < 0) {
        epoch_find(redis, deadline);
        return;
    }
    learn(redis, question->known, replies[question->nth]);
    reply_free(replies[question->nth]);
    replies[question->nth] = NULL;
}

void epoch_find(redis_t *redis, clock_point_t deadline)
{
    apr_uint64_t known = epoch_highest(redis);
    reply_t *reply = NULL;
    batch_t batch;

    batch_begin(&batch, &redis->names);
    add_question(&batch);
    if (router_run_one(redis, &batch, EXCHANGE_READ, deadline, &reply) == APR_SUCCESS) {
        learn(redis, known, reply);
        reply_free(reply);
    }
    else {
        atomic_store(&redis->epoch_is_known, 0);
    }
}
