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
 * Beyond the option purges= those labels that were purged longest ago become the floor; so do all if
 * the list itself was lost and no machine restores it (restore.c). So the list is bounded, and when in
 * doubt too much is purged, never too little. An epoch begins as the time in microseconds, as one
 * machine has it, so that a list made anew is later than the one that was lost; nothing else depends
 * on it.
 *
 * What lies there is not trusted. An epoch that cannot be (epoch.c), keys of another type, members
 * that are none, in a wrong order or of an epoch that has not come yet: the list is begun anew.
 */
#include "purges.h"

#include "epoch.h"
#include "router.h"

#include <stdio.h>
#include <string.h>

/* In one script; what has more is purged in several epochs. Less than a page, so that a page which
 * begins with an epoch gets beyond it. */
#define LABELS_ONCE 4096
#define PAGE_COUNT  16384

/* More than any list has, whatever machines are configured to. */
#define MEMBERS_MAX (OPTIONS_PURGES_MAX + PAGE_COUNT)

/* For how many intervals a list that is too short may be restored by a machine that knows it. */
#define GAP_MAX 3

#define LABEL_DIGITS 16

static const storer_bytes_t no_key = { "", 0 };

/* KEYS: epoch, labels, passing. ARGV: the highest epoch the caller has heard of, the least one to
 * begin, the highest that can be, an epoch up to which the caller can restore the list (or 0), whether
 * it is to be begun anew, how many labels to remember, how long, the kind, labels. It answers with the
 * epoch that is the present one then, or with nothing if the list is to be restored. Each epoch has a
 * member, so that who reads them knows when he has seen all. Run twice it purges twice. */
#define PURGE_SCRIPT \
    "local function clear(key,kind) " \
        "local is=redis.call('TYPE',key).ok " \
        "if is~=kind and is~='none' then redis.call('DEL',key) end end " \
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
    "clear(KEYS[1],'string') clear(KEYS[2],'zset') clear(KEYS[3],'zset') " \
    "local is=redis.call('GET',KEYS[1]) or '' " \
    "local old=tonumber(is) or 0 " \
    "if not (old>0 and old<=tonumber(ARGV[3])) or string.format('%.0f',old)~=is then old=0 end " \
    "local lost=redis.call('EXISTS',KEYS[2])==0 " \
    "if lost and old>0 and old==tonumber(ARGV[4]) then return '' end " \
    "local new=string.format('%.0f',math.max(old+1,tonumber(ARGV[2]))) " \
    "if old==0 or old<tonumber(ARGV[1]) or lost or ARGV[5]=='1' then " \
        "redis.call('DEL',KEYS[2],KEYS[3]) " \
        "redis.call('ZADD',KEYS[2],new,'h') " \
    "elseif #ARGV<9 then return is end " \
    "for i=9,#ARGV do redis.call('ZADD',KEYS[2],new,ARGV[8]..ARGV[i]) " \
        "if ARGV[8]=='d' and ARGV[i]~='' then redis.call('ZADD',KEYS[3],new,'d'..ARGV[i]) end end " \
    "forget(KEYS[3],redis.call('ZCARD',KEYS[3])-math.floor(tonumber(ARGV[6])/4)) " \
    "forget(KEYS[2],redis.call('ZCARD',KEYS[2])-tonumber(ARGV[6])) " \
    "redis.call('PEXPIRE',KEYS[2],ARGV[7]) " \
    "redis.call('PEXPIRE',KEYS[3],ARGV[7]) " \
    "redis.call('SET',KEYS[1],new,'PX',ARGV[7]) " \
    "return new"

const char *purges_letter(storer_purge_e kind)
{
    return kind == STORER_PURGE_HARD ? "h" : kind == STORER_PURGE_SOFT ? "s" : "d";
}

void purges_add_keys(batch_t *batch)
{
    batch_number(batch, 3);
    batch_name(batch, NAMES_EPOCH, no_key);
    batch_name(batch, NAMES_PURGES, no_key);
    batch_name(batch, NAMES_PASSING, no_key);
}

/* One script. */
typedef struct purge_t {
    const apr_uint64_t *labels;
    int                 count;
    storer_purge_e      kind;
    apr_uint64_t        known;   /* up to it the host can restore the list; 0: it cannot */
    int                 anew;    /* 1: whatever is in the list is not to be used */
} purge_t;

static apr_uint64_t later(apr_uint64_t a, apr_uint64_t b)
{
    return a > b ? a : b;
}

static void add_purge(batch_t *batch, const redis_t *redis, const purge_t *purge)
{
    int all = purge->count == 0 && purge->kind == STORER_PURGE_DROPPED, i;
    apr_uint64_t highest = later(epoch_highest(redis), purge->known);

    batch_command(batch, REPLY_IS_STRING, 14 + purge->count + all, "EVAL");
    batch_text(batch, PURGE_SCRIPT);
    purges_add_keys(batch);
    batch_number(batch, (apr_int64_t)highest);
    batch_number(batch, (apr_int64_t)later(highest + 1, epoch_clock()));
    batch_number(batch, (apr_int64_t)epoch_most(redis));
    batch_number(batch, (apr_int64_t)purge->known);
    batch_number(batch, purge->anew);
    batch_number(batch, redis->options.purges);
    batch_text(batch, PURGES_LIFE_MS);
    batch_text(batch, purges_letter(purge->kind));
    if (all) {
        batch_text(batch, "");
    }
    for (i = 0; i < purge->count; i++) {
        char text[LABEL_DIGITS + 1];

        snprintf(text, sizeof(text), "%016" APR_UINT64_T_HEX_FMT, purge->labels[i]);
        batch_text(batch, text);
    }
}

static apr_status_t run_purge(redis_t *redis, const purge_t *purge, clock_point_t deadline)
{
    reply_t *reply = NULL;
    batch_t batch;
    apr_uint64_t epoch;
    apr_status_t rv;
    int is_lost;

    batch_begin(&batch, &redis->names);
    add_purge(&batch, redis, purge);
    rv = router_run_one(redis, &batch, EXCHANGE_WRITE, deadline, &reply);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    is_lost = purge->known > 0 && reply_string(reply).len == 0;
    epoch = epoch_read(reply, epoch_most(redis));
    reply_free(reply);
    if (epoch == 0) {
        return is_lost ? APR_INCOMPLETE : APR_EINVAL;
    }
    epoch_raise(redis, epoch);
    return APR_SUCCESS;
}

apr_status_t redis_purge(storer_t *self, const apr_uint64_t *labels, int count, storer_purge_e kind,
                         apr_uint64_t known, apr_time_t now)
{
    redis_t *redis = redis_of(self);
    apr_status_t rv;

    (void)now;
    do {
        purge_t purge = { labels, count < LABELS_ONCE ? count : LABELS_ONCE, kind, known, 0 };

        rv = run_purge(redis, &purge, redis_deadline(redis));
        labels += purge.count;
        count -= purge.count;
        known = 0; /* the list is there now */
    } while (rv == APR_SUCCESS && count > 0);
    return rv;
}

/* A list that is not there is begun, so that whatever is stored belongs to an epoch of it. */
static apr_status_t begin_list(redis_t *redis, clock_point_t deadline)
{
    purge_t purge = { NULL, 0, STORER_PURGE_HARD, 0, atomic_load(&redis->list_is_broken) };
    apr_status_t rv = run_purge(redis, &purge, deadline);

    if (rv == APR_SUCCESS) {
        atomic_store(&redis->list_is_broken, 0);
        atomic_store(&redis->gap_since, 0);
    }
    return rv;
}

/* Nothing is known at the first request of a process, and if Redis has lost what it knew. */
apr_status_t redis_epoch(storer_t *self, apr_uint64_t known, apr_time_t now, apr_uint64_t *epoch)
{
    redis_t *redis = redis_of(self);
    clock_point_t deadline = redis_deadline(redis);
    apr_status_t rv = APR_SUCCESS;

    (void)now;
    if (known > epoch_highest(redis)) {
        epoch_hear(redis, known);
    }
    if (epoch_known(redis) == 0) {
        epoch_find(redis, deadline);
    }
    if (epoch_known(redis) == 0 || atomic_load(&redis->list_is_broken)) {
        rv = begin_list(redis, deadline);
    }
    *epoch = epoch_known(redis);
    if (rv == APR_SUCCESS && *epoch == 0) {
        rv = APR_EAGAIN; /* lost again already */
    }
    if (rv == APR_SUCCESS && atomic_exchange(&redis->list_is_lost, 0)) {
        rv = APR_INCOMPLETE;
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

static apr_status_t read_page(redis_t *redis, apr_uint64_t from, clock_point_t deadline,
                              reply_t **page)
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
    rv = router_run_one(redis, &batch, EXCHANGE_READ, deadline, &reply);
    if (rv == APR_SUCCESS && (reply->type != REPLY_ARRAY || reply->count % 2 != 0)) {
        reply_free(reply);
        rv = APR_EINVAL;
    }
    if (rv == APR_SUCCESS) {
        *page = reply;
    }
    return rv;
}

/* A list, read page by page. */
typedef struct listing_t {
    redis_t          *redis;
    clock_point_t     deadline;
    storer_purged_fn *fn;
    void             *baton;
    apr_uint64_t      from, last;   /* where the page begins, and what was told last */
    apr_uint64_t      present;
    apr_size_t        count;        /* members told */
} listing_t;

/* Epochs come in their order, and none that has not come yet: it would be one of a purge in this
 * moment. */
static apr_status_t check_epoch(listing_t *listing, apr_uint64_t epoch)
{
    if (epoch > listing->present) {
        epoch_find(listing->redis, listing->deadline);
        listing->present = epoch_known(listing->redis);
        if (listing->present == 0) {
            return APR_EAGAIN;
        }
    }
    return epoch < listing->last || epoch > listing->present ? APR_EINVAL : APR_SUCCESS;
}

static apr_status_t tell_page(listing_t *listing, const reply_t *page)
{
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i;

    for (i = 0; i + 1 < page->count && rv == APR_SUCCESS; i += 2) {
        apr_uint64_t epoch = epoch_read(page->elements[i + 1], epoch_most(listing->redis));

        rv = check_epoch(listing, epoch);
        if (rv == APR_SUCCESS) {
            listing->last = epoch;
            rv = tell(page->elements[i], epoch, listing->fn, listing->baton);
        }
    }
    listing->count += page->count / 2;
    return rv;
}

/* The next page begins with the epoch that this one ends with: there may be more of that. */
static apr_status_t tell_all(listing_t *listing)
{
    apr_size_t count;
    apr_status_t rv;

    do {
        reply_t *page = NULL;

        rv = read_page(listing->redis, listing->from, listing->deadline, &page);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        count = page->count / 2;
        rv = tell_page(listing, page);
        reply_free(page);
        if (rv == APR_SUCCESS && count >= PAGE_COUNT
            && (listing->last <= listing->from || listing->count > MEMBERS_MAX)) {
            rv = APR_EINVAL; /* an epoch with more labels than any of ours, or too many of them */
        }
        listing->from = listing->last;
    } while (rv == APR_SUCCESS && count >= PAGE_COUNT);
    return rv;
}

/* Each epoch has a member: with less than what was known before, something was lost. A machine that
 * knows it may be about to restore it. */
static apr_status_t note_gap(redis_t *redis)
{
    apr_int64_t now = clock_now(), since = 0;

    if (!atomic_compare_exchange_strong(&redis->gap_since, &since, now)
        && now - since > GAP_MAX * redis->options.interval) {
        atomic_store(&redis->list_is_broken, 1);
    }
    return APR_EAGAIN;
}

apr_status_t redis_list_purges(storer_t *self, apr_uint64_t since, storer_purged_fn *fn, void *baton)
{
    redis_t *redis = redis_of(self);
    listing_t listing = { redis, redis_deadline(redis), fn, baton, since + 1, since,
                          epoch_known(redis), 0 };
    apr_uint64_t known = listing.present;
    apr_status_t rv = tell_all(&listing);

    if (rv == APR_SUCCESS && listing.last < known) {
        return note_gap(redis);
    }
    if (rv == APR_SUCCESS) {
        atomic_store(&redis->gap_since, 0);
    }
    if (APR_STATUS_IS_TIMEUP(rv) || listing.count > MEMBERS_MAX) {
        router_blame(redis, NAMES_PURGES, "its list of purges has no end, or takes longer than one "
                     "operation may");
    }
    if (rv == APR_EINVAL) {
        atomic_store(&redis->list_is_broken, 1);
    }
    return rv;
}
