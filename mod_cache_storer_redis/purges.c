/* SPDX-License-Identifier: Apache-2.0
 *
 * purges.c - the slots of purging by label, for all machines that share a Redis: three keys, of which
 * epoch.c reads the first.
 *
 *   epoch    STRING  a number that rises with each purge
 *   labels   ZSET    what was purged last in which epoch: a member for each label and kind, "h"
 *                    (hard), "s" (soft) or "d" (dropped, see storer_purge_e) and 16 hex digits, with
 *                    its epoch as score. "h", "s" and "d" alone are the floors: everything fetched
 *                    before that epoch is purged, in the case of "d" if it is yet to be stored
 *   passing  ZSET    the members of labels with "d" and a label: they are a quarter at most, however
 *                    many such purges there are, and push no others out
 *
 * A purge is one script. Readers ask for the members with an epoch above what they know, once for
 * each purge and machine, and keep them (storage/purge.c).
 *
 * Beyond the option purges= those labels that were purged longest ago become the floor; so do all
 * where the list itself was lost. So the list is bounded, and when in doubt too much is purged, never
 * too little. The first epoch is the time in microseconds, as one machine has it, so that a list made
 * anew is later than the one that was lost; nothing else depends on it.
 */
#include "epoch.h"
#include "router.h"

#include <stdio.h>
#include <string.h>

/* In one script; what has more is purged in several epochs. Less than a page, so that a page which
 * begins with an epoch gets beyond it. */
#define LABELS_ONCE 4096
#define PAGE_COUNT  16384

#define LABEL_DIGITS 16

/* As long as any value, see value.c. */
#define LIFE_MS "315360000000"

static const storer_bytes_t no_key = { "", 0 };

/* KEYS: epoch, labels, passing. ARGV: the highest epoch the caller has heard of, the least one to
 * begin, how many labels to remember, how long, the kind, labels. It answers with the epoch that is
 * the present one then. Each epoch has a member, so that who reads them knows when he has seen all.
 * Run twice it purges twice. */
#define PURGE_SCRIPT \
    "local function forget(key,over) " \
        "if over<=0 then return end " \
        "local gone=redis.call('ZRANGE',key,0,over-1,'WITHSCORES') " \
        "for i=1,#gone,2 do " \
            "redis.call('ZREM',KEYS[2],gone[i]) " \
            "redis.call('ZREM',KEYS[3],gone[i]) " \
            "local floor=string.sub(gone[i],1,1) " \
            "local at=redis.call('ZSCORE',KEYS[2],floor) " \
            "if not at or tonumber(at)<tonumber(gone[i+1]) then " \
                "redis.call('ZADD',KEYS[2],gone[i+1],floor) end end end " \
    "local old=tonumber(redis.call('GET',KEYS[1]) or '') or 0 " \
    "if old>9e15 then old=0 end " \
    "local new=string.format('%.0f',math.max(old+1,tonumber(ARGV[2]))) " \
    "if old==0 or old<tonumber(ARGV[1]) or redis.call('EXISTS',KEYS[2])==0 then " \
        "redis.call('ZADD',KEYS[2],new,'h') " \
    "elseif #ARGV<6 then return string.format('%.0f',old) end " \
    "for i=6,#ARGV do redis.call('ZADD',KEYS[2],new,ARGV[5]..ARGV[i]) " \
        "if ARGV[5]=='d' and ARGV[i]~='' then redis.call('ZADD',KEYS[3],new,'d'..ARGV[i]) end end " \
    "forget(KEYS[3],redis.call('ZCARD',KEYS[3])-math.floor(tonumber(ARGV[3])/4)) " \
    "forget(KEYS[2],redis.call('ZCARD',KEYS[2])-tonumber(ARGV[3])) " \
    "redis.call('PEXPIRE',KEYS[2],ARGV[4]) " \
    "redis.call('PEXPIRE',KEYS[3],ARGV[4]) " \
    "redis.call('SET',KEYS[1],new,'PX',ARGV[4]) " \
    "return new"

static const char *letter_of(storer_purge_e kind)
{
    return kind == STORER_PURGE_HARD ? "h" : kind == STORER_PURGE_SOFT ? "s" : "d";
}

/* known: the highest epoch that the machine has heard of. */
static void add_purge(batch_t *batch, const redis_t *redis, const apr_uint64_t *labels, int count,
                      storer_purge_e kind, apr_uint64_t known, apr_time_t now)
{
    int all = count == 0 && kind == STORER_PURGE_DROPPED;
    apr_uint64_t highest = epoch_highest(redis) > known ? epoch_highest(redis) : known;
    apr_uint64_t least = highest + 1 > (apr_uint64_t)now ? highest + 1 : (apr_uint64_t)now;
    int i;

    batch_command(batch, REPLY_IS_STRING, 11 + count + all, "EVAL");
    batch_text(batch, PURGE_SCRIPT);
    batch_number(batch, 3);
    batch_name(batch, NAMES_EPOCH, no_key);
    batch_name(batch, NAMES_PURGES, no_key);
    batch_name(batch, NAMES_PASSING, no_key);
    batch_number(batch, (apr_int64_t)highest);
    batch_number(batch, (apr_int64_t)least);
    batch_number(batch, redis->options.purges);
    batch_text(batch, LIFE_MS);
    batch_text(batch, letter_of(kind));
    if (all) {
        batch_text(batch, "");
    }
    for (i = 0; i < count; i++) {
        char text[LABEL_DIGITS + 1];

        snprintf(text, sizeof(text), "%016" APR_UINT64_T_HEX_FMT, labels[i]);
        batch_text(batch, text);
    }
}

static apr_status_t purge(redis_t *redis, const apr_uint64_t *labels, int count,
                          storer_purge_e kind, apr_uint64_t known, apr_time_t now)
{
    reply_t *reply = NULL;
    batch_t batch;
    apr_uint64_t epoch;
    apr_status_t rv;

    batch_begin(&batch, &redis->names);
    add_purge(&batch, redis, labels, count, kind, known, now);
    rv = router_run_one(redis, &batch, EXCHANGE_WRITE, redis_deadline(redis), &reply);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    epoch = epoch_read(reply);
    reply_free(reply);
    if (epoch == 0) {
        return APR_EINVAL;
    }
    epoch_raise(redis, epoch);
    return APR_SUCCESS;
}

apr_status_t redis_purge(storer_t *self, const apr_uint64_t *labels, int count, storer_purge_e kind,
                         apr_uint64_t known, apr_time_t now)
{
    apr_status_t rv;
    int once;

    do {
        once = count < LABELS_ONCE ? count : LABELS_ONCE;
        rv = purge(redis_of(self), labels, once, kind, known, now);
        labels += once;
        count -= once;
    } while (rv == APR_SUCCESS && count > 0);
    return rv;
}

/* Nothing is known at the first request of a process, and where Redis has lost what it knew. A list
 * that is not there is begun, so that whatever is stored belongs to an epoch of it. */
apr_status_t redis_epoch(storer_t *self, apr_time_t now, apr_uint64_t *epoch)
{
    redis_t *redis = redis_of(self);
    apr_uint64_t known = epoch_known(redis);
    apr_status_t rv = APR_SUCCESS;

    if (known == 0) {
        epoch_find(redis, redis_deadline(redis));
        known = epoch_known(redis);
    }
    if (known == 0) {
        rv = purge(redis, NULL, 0, STORER_PURGE_HARD, 0, now);
        known = epoch_known(redis);
    }
    if (rv == APR_SUCCESS && known == 0) {
        rv = APR_EAGAIN; /* lost again already */
    }
    if (rv == APR_SUCCESS) {
        *epoch = known;
    }
    return rv;
}

/* ---- telling what was purged ---- */

/* The value of a digit; -1: it is none of ours. */
static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* APR_EINVAL: that is no member of ours. */
static apr_status_t tell(const reply_t *member, apr_uint64_t epoch, storer_purged_fn *fn,
                         void *baton)
{
    storer_bytes_t text = reply_string(member);
    apr_uint64_t label = 0;
    apr_size_t i;

    if (!text.data || epoch == 0 || (text.len != 1 && text.len != 1 + LABEL_DIGITS)
        || (text.data[0] != 'h' && text.data[0] != 's' && text.data[0] != 'd')) {
        return APR_EINVAL;
    }
    for (i = 1; i < text.len; i++) {
        int digit = digit_of(text.data[i]);

        if (digit < 0) {
            return APR_EINVAL;
        }
        label = label << 4 | (apr_uint64_t)digit;
    }
    return fn(baton, text.len > 1 ? &label : NULL,
              text.data[0] == 'h' ? STORER_PURGE_HARD
              : text.data[0] == 's' ? STORER_PURGE_SOFT : STORER_PURGE_DROPPED, epoch);
}

static apr_status_t read_page(redis_t *redis, apr_uint64_t from, reply_t **page)
{
    reply_t *reply = NULL;
    batch_t batch;
    apr_status_t rv;

    batch_begin(&batch, &redis->names);
    batch_command(&batch, REPLY_IS_ARRAY, 8, "ZRANGEBYSCORE");
    batch_name(&batch, NAMES_PURGES, no_key);
    batch_number(&batch, (apr_int64_t)from);
    batch_text(&batch, "+inf");
    batch_text(&batch, "WITHSCORES");
    batch_text(&batch, "LIMIT");
    batch_number(&batch, 0);
    batch_number(&batch, PAGE_COUNT);
    rv = router_run_one(redis, &batch, EXCHANGE_READ, redis_deadline(redis), &reply);
    if (rv == APR_SUCCESS && (reply->type != REPLY_ARRAY || reply->count % 2 != 0)) {
        reply_free(reply);
        rv = APR_EINVAL;
    }
    if (rv == APR_SUCCESS) {
        *page = reply;
    }
    return rv;
}

/* The next page begins with the epoch that this one ends with: there may be more of that. */
apr_status_t redis_list_purges(storer_t *self, apr_uint64_t since, storer_purged_fn *fn, void *baton)
{
    redis_t *redis = redis_of(self);
    apr_uint64_t from = since + 1, last = since, known = epoch_known(redis);
    apr_status_t rv = APR_SUCCESS;
    apr_size_t count, i;

    do {
        reply_t *page = NULL;

        rv = read_page(redis, from, &page);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        count = page->count / 2;
        for (i = 0; i < count && rv == APR_SUCCESS; i++) {
            last = epoch_read(page->elements[2 * i + 1]);
            rv = tell(page->elements[2 * i], last, fn, baton);
        }
        reply_free(page);
        if (rv == APR_SUCCESS && count == PAGE_COUNT && last <= from && from > since + 1) {
            rv = APR_EINVAL; /* an epoch with more labels than any of ours */
        }
        from = last;
    } while (rv == APR_SUCCESS && count == PAGE_COUNT);
    /* each epoch has a member: with less than what was known before, something was lost */
    return rv == APR_SUCCESS && last < known ? APR_EINVAL : rv;
}
