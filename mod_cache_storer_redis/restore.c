/* SPDX-License-Identifier: Apache-2.0
 *
 * restore.c - the list of purges, made anew from what a machine remembers. Redis may evict the list
 * (allkeys-lru, allkeys-random), or an administrator delete it, while the epoch is still there. Then
 * nothing is lost as long as one machine knows all purges up to that epoch.
 *
 * It is made by one script: either all of it is there, or nothing.
 */
#include "purges.h"

#include "router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A score and a member for each purge, so many to a command. */
#define ZADD_WORDS "1000"

/* KEYS: epoch, labels, passing. ARGV: the epoch, how long, how many of the words behind are about
 * passing purges; scores and members in turn, of passing purges first. */
#define RESTORE_SCRIPT \
    "if redis.call('EXISTS',KEYS[2])~=0 or redis.call('GET',KEYS[1])~=ARGV[1] then return 0 end " \
    "local function add(key,first,last) " \
        "for i=first,last," ZADD_WORDS " do " \
            "redis.call('ZADD',key,unpack(ARGV,i,math.min(i+" ZADD_WORDS "-1,last))) end end " \
    "redis.call('DEL',KEYS[3]) " \
    "add(KEYS[2],4,#ARGV) " \
    "add(KEYS[3],4,3+tonumber(ARGV[3])) " \
    "redis.call('PEXPIRE',KEYS[2],ARGV[2]) " \
    "redis.call('PEXPIRE',KEYS[3],ARGV[2]) " \
    "return 1"

typedef struct member_t {
    apr_uint64_t   label, epoch;
    storer_purge_e kind;
    int            is_floor;
} member_t;

typedef struct members_t {
    member_t    *list;       /* malloc'ed */
    apr_size_t   count, room;
    apr_uint64_t floor[3];   /* by kind */
    apr_uint64_t last;       /* the highest epoch */
} members_t;

static apr_status_t note_floor(void *baton, const apr_uint64_t *label, storer_purge_e kind,
                               apr_uint64_t epoch)
{
    members_t *members = baton;

    if (!label && members->floor[kind] < epoch) {
        members->floor[kind] = epoch;
    }
    return APR_SUCCESS;
}

/* What a floor says as well need not be listed. */
static int is_covered(const members_t *members, storer_purge_e kind, apr_uint64_t epoch)
{
    return epoch <= members->floor[STORER_PURGE_HARD] || epoch <= members->floor[kind];
}

static apr_status_t note_member(void *baton, const apr_uint64_t *label, storer_purge_e kind,
                                apr_uint64_t epoch)
{
    members_t *members = baton;
    member_t member = { label ? *label : 0, epoch, kind, label == NULL };

    members->last = epoch > members->last ? epoch : members->last;
    if (label && is_covered(members, kind, epoch)) {
        return APR_SUCCESS;
    }
    if (members->count == members->room) {
        apr_size_t room = members->room ? members->room * 2 : 1024;
        member_t *list = realloc(members->list, room * sizeof(*list));

        if (!list) {
            return APR_ENOMEM;
        }
        members->list = list;
        members->room = room;
    }
    members->list[members->count++] = member;
    return APR_SUCCESS;
}

static int is_passing(const member_t *member)
{
    return member->kind == STORER_PURGE_DROPPED && !member->is_floor;
}

static apr_size_t count_passing(const members_t *members)
{
    apr_size_t i, count = 0;

    for (i = 0; i < members->count; i++) {
        count += (apr_size_t)is_passing(&members->list[i]);
    }
    return count;
}

static void add_member(batch_t *batch, const member_t *member)
{
    char text[32];

    batch_number(batch, (apr_int64_t)member->epoch);
    if (member->is_floor) {
        batch_text(batch, purges_letter(member->kind));
        return;
    }
    snprintf(text, sizeof(text), "%s%016" APR_UINT64_T_HEX_FMT, purges_letter(member->kind),
             member->label);
    batch_text(batch, text);
}

static void add_members(batch_t *batch, const members_t *members, int passing)
{
    apr_size_t i;

    for (i = 0; i < members->count; i++) {
        if (is_passing(&members->list[i]) == passing) {
            add_member(batch, &members->list[i]);
        }
    }
}

static apr_status_t write_list(redis_t *redis, apr_uint64_t epoch, const members_t *members)
{
    reply_t *reply = NULL;
    batch_t batch;
    apr_status_t rv;

    batch_begin(&batch, &redis->names);
    batch_command(&batch, REPLY_IS_INTEGER, 9 + 2 * (int)members->count, "EVAL");
    batch_text(&batch, RESTORE_SCRIPT);
    purges_add_keys(&batch);
    batch_number(&batch, (apr_int64_t)epoch);
    batch_text(&batch, PURGES_LIFE_MS);
    batch_number(&batch, 2 * (apr_int64_t)count_passing(members));
    add_members(&batch, members, 1);
    add_members(&batch, members, 0);
    rv = router_run_one(redis, &batch, EXCHANGE_WRITE, redis_deadline(redis), &reply);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = reply->type == REPLY_INTEGER && reply->integer == 1 ? APR_SUCCESS : APR_EAGAIN;
    reply_free(reply);
    return rv;
}

apr_status_t redis_restore_purges(storer_t *self, apr_uint64_t epoch, storer_each_purge_fn *each,
                                  void *purges)
{
    redis_t *redis = redis_of(self);
    members_t members = { .list = NULL };
    apr_status_t rv;

    rv = each(purges, note_floor, &members);
    if (rv == APR_SUCCESS) {
        rv = each(purges, note_member, &members);
    }
    /* each epoch has a member, by which readers know that they have all */
    if (rv == APR_SUCCESS && (members.last != epoch || members.count > OPTIONS_PURGES_MAX)) {
        rv = APR_EINVAL;
    }
    if (rv == APR_SUCCESS) {
        rv = write_list(redis, epoch, &members);
    }
    free(members.list);
    if (rv == APR_SUCCESS) {
        host_log(self->env, STORER_LOG_NOTICE, APR_SUCCESS, "redis: its list of purges was lost, and "
                 "is restored from what this machine remembers");
    }
    return rv;
}
