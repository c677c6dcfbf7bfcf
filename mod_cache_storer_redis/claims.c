/* SPDX-License-Identifier: Apache-2.0
 *
 * claims.c - who does something for all machines: a key with the owner in it that ends by itself.
 */
#include "router.h"

/* KEYS: the claim. ARGV: the owner, how long. Run twice it says the same. No owner: it is over. */
#define CLAIM_SCRIPT \
    "local owner=redis.call('GET',KEYS[1]) " \
    "if owner and owner~='' and owner~=ARGV[1] then return 0 end " \
    "redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2]) " \
    "return 1"

/* A server that is full can still delete; a user who may not delete can do what the claim has done. */
#define RELEASE_SCRIPT \
    "if redis.call('GET',KEYS[1])==ARGV[1] " \
    "and type(redis.pcall('DEL',KEYS[1]))=='table' then " \
    "redis.call('SET',KEYS[1],'','PX',1) end " \
    "return 1"

/* *answer: what the script says, 0 or 1. */
static apr_status_t run(redis_t *redis, batch_t *batch, exchange_kind_e kind, apr_int64_t *answer)
{
    reply_t *reply = NULL;
    apr_status_t rv;

    rv = router_run_one(redis, batch, kind, redis_deadline(redis), &reply);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (reply->type == REPLY_INTEGER) {
        *answer = reply->integer;
    }
    else {
        rv = APR_EINVAL;
    }
    reply_free(reply);
    return rv;
}

apr_status_t redis_claim(storer_t *self, storer_bytes_t key, storer_bytes_t owner,
                         apr_interval_time_t lease)
{
    redis_t *redis = redis_of(self);
    apr_int64_t answer = 0;
    batch_t batch;
    apr_status_t rv;

    batch_begin(&batch, &redis->names);
    batch_command(&batch, REPLY_IS_INTEGER, 6, "EVAL");
    batch_text(&batch, CLAIM_SCRIPT);
    batch_number(&batch, 1);
    batch_name(&batch, NAMES_CLAIM, key);
    batch_bytes(&batch, owner);
    batch_number(&batch, (lease + 999) / 1000);
    rv = run(redis, &batch, EXCHANGE_WRITE, &answer);
    return rv == APR_SUCCESS && answer != 1 ? APR_EEXIST : rv;
}

apr_status_t redis_release(storer_t *self, storer_bytes_t key, storer_bytes_t owner)
{
    redis_t *redis = redis_of(self);
    apr_int64_t answer = 0;
    batch_t batch;

    batch_begin(&batch, &redis->names);
    batch_command(&batch, REPLY_IS_INTEGER, 5, "EVAL");
    batch_text(&batch, RELEASE_SCRIPT);
    batch_number(&batch, 1);
    batch_name(&batch, NAMES_CLAIM, key);
    batch_bytes(&batch, owner);
    return run(redis, &batch, EXCHANGE_READ, &answer);
}
