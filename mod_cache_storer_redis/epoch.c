/* SPDX-License-Identifier: Apache-2.0
 *
 * epoch.c - see epoch.h.
 *
 * Epochs only rise, so an answer that is lower than what was known when the question was put comes
 * from a Redis which has lost purges (restarted empty, evicted the key, failed over to a replica that
 * lagged, or it is another server that took the first one's place). From then on nothing is known,
 * until purges.c has begun an epoch that is higher than all before and ends whatever is older.
 *
 * What only rises must not be led too far: behind a number near the end of all numbers there would be
 * no room for purges. An epoch begins as the time in microseconds and rises by one with each purge, or
 * to the time, so it is never far ahead of that, by the clock of any machine. What is further ahead
 * than years is not believed, and replaced.
 */
#include "epoch.h"

#include "router.h"

/* Redis' scores are doubles, exact up to 2^53; the year 2255. */
#define EPOCH_MAX (APR_UINT64_C(1) << 53)

/* Of the year 2023: a machine whose clock says less has no clock that was set. */
#define CLOCK_MIN APR_UINT64_C(1700000000000000)

/* How far the clocks of machines may be apart: ten years. */
#define AHEAD_MAX (APR_UINT64_C(10) * 365 * 86400 * 1000000)

/* So far it may be ahead of what was known before, if that is ahead of the time. */
#define STEP_MAX (APR_UINT64_C(1) << 32)

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

static void raise_highest(redis_t *redis, apr_uint64_t epoch)
{
    apr_uint64_t highest = atomic_load(&redis->epoch);

    while (highest < epoch && !atomic_compare_exchange_weak(&redis->epoch, &highest, epoch)) {
    }
}

void epoch_raise(redis_t *redis, apr_uint64_t epoch)
{
    raise_highest(redis, epoch);
    if (!atomic_load(&redis->epoch_is_known)) { /* read by every request, so written when it must be */
        atomic_store(&redis->epoch_is_known, 1);
    }
}

void epoch_hear(redis_t *redis, apr_uint64_t epoch)
{
    atomic_store(&redis->epoch_is_known, 0);
    raise_highest(redis, epoch);
}

apr_uint64_t epoch_clock(void)
{
    apr_uint64_t now = (apr_uint64_t)apr_time_now();

    return now > CLOCK_MIN ? now : CLOCK_MIN;
}

apr_uint64_t epoch_most(const redis_t *redis)
{
    apr_uint64_t by_time = epoch_clock() + AHEAD_MAX, by_step = epoch_highest(redis) + STEP_MAX;
    apr_uint64_t most = by_time > by_step ? by_time : by_step;

    return most < EPOCH_MAX ? most : EPOCH_MAX - 1;
}

apr_uint64_t epoch_read(const reply_t *reply, apr_uint64_t most)
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
    return epoch <= most ? epoch : 0;
}

/* Once in an interval in each process, by one thread. */
static int is_time_to_look(redis_t *redis)
{
    apr_int64_t last = atomic_load(&redis->list_looked), now = clock_now();

    return now - last >= redis->options.interval
           && atomic_compare_exchange_strong(&redis->list_looked, &last, now);
}

static void add_question(redis_t *redis, batch_t *batch, epoch_question_t *question)
{
    question->known = epoch_highest(redis);
    question->nth = batch->count;
    question->has_list = is_time_to_look(redis);
    batch_command(batch, REPLY_IS_VALUE, 2, "GET");
    batch_name(batch, NAMES_EPOCH, no_key);
    if (question->has_list) {
        batch_command(batch, REPLY_IS_INTEGER, 2, "TOUCH");
        batch_name(batch, NAMES_PURGES, no_key);
    }
}

static void log_nonsense(redis_t *redis, const reply_t *reply)
{
    if (reply->type != REPLY_NIL && redis_may_complain(redis)) {
        host_log(redis->base.env, STORER_LOG_WARNING, APR_SUCCESS,
                 "redis: in the place of the epoch of purges there is none, or one that is years "
                 "ahead: it is replaced, and what was fetched before counts as purged (such things are "
                 "said once a minute)");
    }
}

static void learn(redis_t *redis, apr_uint64_t known, const reply_t *reply)
{
    apr_uint64_t epoch = epoch_read(reply, epoch_most(redis));

    if (epoch == 0) {
        log_nonsense(redis, reply);
    }
    if (epoch == 0 || epoch < known) {
        atomic_store(&redis->epoch_is_known, 0);
    }
    else {
        epoch_raise(redis, epoch);
    }
}

void epoch_ask(redis_t *redis, batch_t *batch, epoch_question_t *question)
{
    question->nth = -1;
    if (!redis->cluster) {
        add_question(redis, batch, question);
    }
}

static void settle(redis_t *redis, const epoch_question_t *question, reply_t **replies)
{
    reply_t **mine = &replies[question->nth];

    learn(redis, question->known, mine[0]);
    if (question->has_list && mine[1]->type == REPLY_INTEGER) {
        atomic_store(&redis->list_is_lost, mine[1]->integer == 0);
    }
    reply_free_all(mine, 1 + question->has_list);
}

void epoch_settle(redis_t *redis, const epoch_question_t *question, reply_t **replies,
                  clock_point_t deadline)
{
    if (question->nth < 0) {
        epoch_find(redis, deadline);
        return;
    }
    settle(redis, question, replies);
}

void epoch_find(redis_t *redis, clock_point_t deadline)
{
    reply_t *replies[EPOCH_ANSWERS] = { NULL };
    epoch_question_t question;
    batch_t batch;

    batch_begin(&batch, &redis->names);
    add_question(redis, &batch, &question);
    if (router_run(redis, &batch, EXCHANGE_READ, deadline, replies) == APR_SUCCESS) {
        settle(redis, &question, replies);
    }
    else {
        atomic_store(&redis->epoch_is_known, 0);
    }
    batch_end(&batch);
}
