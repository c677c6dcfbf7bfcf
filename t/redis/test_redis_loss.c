/* SPDX-License-Identifier: Apache-2.0
 *
 * test_redis_loss.c - a Redis that has lost purges, or says of them what cannot be: it comes back from
 * an old copy, has evicted the list, or somebody has written to it. What was purged does not come back,
 * as little else as possible goes, and no number ends caching for ever.
 */
#include "opened.h"
#include "server.h"
#include "tap.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EPOCH  "storer!purges:epoch"
#define LABELS "storer!purges:labels"

static const storer_bytes_t small = { "small", 5 };
static apr_pool_t *pool;
static server_t *server;

/* Whether the list of purges is there is looked at nearly each time. */
static const char *const patient[] = { "timeout", "20s", "interval", "1ms", NULL };

/* ---- short forms ---- */

static opened_t *process(opened_machine_t *machine)
{
    return opened_on(machine, apr_psprintf(pool, "redis://127.0.0.1:%d", server->port), patient, pool);
}

static apr_uint64_t epoch_of(opened_t *opened)
{
    apr_uint64_t epoch = 0;

    is_status(storer_epoch(opened->store, T0, &epoch), APR_SUCCESS, "there is an epoch");
    return epoch;
}

/* Whatever is asked for, the answer tells of the epoch as well. */
static void look(opened_t *opened)
{
    (void)usleep(1100); /* an interval */
    (void)opened_get(opened, "no such key", small, NULL);
}

static storer_standing_e judge(opened_t *opened, apr_uint64_t epoch, const char *text)
{
    apr_uint64_t label = storer_label("tag", storer_bytes(text));

    return storer_judge(opened->store, epoch, &label, 1, 0, T0);
}

static storer_standing_e judge_now(opened_t *opened, apr_uint64_t epoch, const char *text)
{
    look(opened);
    return judge(opened, epoch, text);
}

static apr_status_t purge(opened_t *opened, const char *text, storer_purge_e kind)
{
    apr_uint64_t label = storer_label("tag", storer_bytes(text));

    return storer_purge(opened->store, &label, 1, kind, T0);
}

static void ask(const char *const *words)
{
    char answer[256];

    server_ask(server, answer, sizeof(answer), words);
    if (answer[0] == '-') {
        bail_out("%s: %s", words[0], answer);
    }
}

static void set_epoch(const char *text)
{
    const char *const words[] = { "SET", EPOCH, text, NULL };

    ask(words);
}

static void lose(const char *name)
{
    const char *const words[] = { "DEL", name, NULL };

    is_int(server_ask_number(server, words), 1, "%s is lost", name);
}

static long exists(const char *name)
{
    const char *const words[] = { "EXISTS", name, NULL };

    return server_ask_number(server, words);
}

static void begin(void)
{
    static const char *const words[] = { "FLUSHALL", NULL };

    ask(words);
}

/* What is fetched now stands, and is purged. Machines agree, and do not begin lists one after the
 * other. A list that was found to be wrong is replaced by the next question. */
static void check_purges(opened_t *here, opened_t *there, const char *what)
{
    apr_uint64_t epoch = 0, again;
    int tries;

    for (tries = 0; tries < 6; tries++) {
        look(here);
        look(there);
        (void)storer_epoch(here->store, T0, &epoch);
        (void)judge(here, epoch - 1, "x");
        (void)judge(there, epoch - 1, "x");
    }
    epoch = epoch_of(here);
    is_int(judge_now(here, epoch, "x"), STORER_STANDS, "%s: what is fetched now stands", what);
    is_int(judge_now(there, epoch, "x"), STORER_STANDS, "for another machine, too");
    is_int((long long)epoch_of(there), (long long)epoch, "they agree");
    look(here);
    again = epoch_of(here);
    is_int((long long)again, (long long)epoch, "and leave it so");
    is_status(purge(here, "a", STORER_PURGE_HARD), APR_SUCCESS, "a purge");
    is_status(purge(there, "b", STORER_PURGE_HARD), APR_SUCCESS, "and one of the other machine");
    is_int(judge_now(there, epoch, "a"), STORER_GONE, "are effective");
    is_int(judge_now(here, epoch, "b"), STORER_GONE, "for both");
    is_int(judge(here, epoch, "x"), STORER_STANDS, "and purge nothing else");
}

/* ---- numbers that cannot be ---- */

static void test_number(const char *number)
{
    opened_machine_t one = { NULL, 0 }, two = { NULL, 0 };
    opened_t *here, *there;
    apr_uint64_t before;

    begin();
    here = process(&one);
    there = process(&two);
    before = epoch_of(here);
    set_epoch(number);
    look(here);
    (void)epoch_of(here);
    check_purges(here, there, apr_psprintf(pool, "the epoch %s", number));
    is_int(judge(here, before, "x"), STORER_GONE, "what may have been purged is");
    ok(epoch_of(here) < before + (APR_UINT64_C(1) << 52), "no number is near its end");
    check_purges(here, process(&two), "another process");
}

/* In the list: they are met when there is another purge. */
static void test_member(const char *score, const char *member)
{
    const char *const words[] = { "ZADD", LABELS, score, member, NULL };
    opened_machine_t one = { NULL, 0 }, two = { NULL, 0 };
    opened_t *here, *there;

    begin();
    here = process(&one);
    there = process(&two);
    (void)epoch_of(here);
    (void)epoch_of(there);
    ask(words);
    (void)purge(here, "y", STORER_PURGE_HARD);
    check_purges(here, there, apr_psprintf(pool, "%s in the list, with %s", member, score));
}

static void test_type(const char *verb, const char *name)
{
    const char *const drop[] = { "DEL", name, NULL };
    const char *const words[] = { verb, name, "x", NULL };
    opened_machine_t one = { NULL, 0 }, two = { NULL, 0 };
    opened_t *here, *there;

    begin();
    here = process(&one);
    there = process(&two);
    (void)epoch_of(here);
    ask(drop);
    ask(words);
    look(here);
    (void)epoch_of(here);
    (void)purge(here, "y", STORER_PURGE_HARD);
    check_purges(here, there, apr_psprintf(pool, "%s %s", verb, name));
}

/* ---- Redis comes back older ---- */

static void test_old_copy(void)
{
    static const char *const save[] = { "SAVE", NULL };
    opened_machine_t one = { NULL, 0 }, two = { NULL, 0 };
    opened_t *first, *other, *elsewhere;
    apr_uint64_t before;

    begin();
    first = process(&one);
    before = epoch_of(first);
    is_status(opened_set(first, "key", small), APR_SUCCESS, "stored");
    ask(save);
    is_status(purge(first, "it", STORER_PURGE_HARD), APR_SUCCESS, "purged behind the copy");
    server_kill(server);
    server_restart(server);
    other = process(&one); /* has asked for nothing before */
    is_int(opened_get(other, "key", small, NULL), 'v', "Redis has it again");
    is_int(judge(other, before, "it"), STORER_GONE, "but it is purged, as another process knew");
    elsewhere = process(&two); /* and this machine has never heard of it */
    is_int(opened_get(elsewhere, "key", small, NULL), 'v', "another machine finds it");
    is_int(judge(elsewhere, before, "it"), STORER_GONE, "and learns that it does not stand");
    check_purges(other, elsewhere, "an old copy");
    check_purges(first, elsewhere, "the process that purged");
}

/* ---- the list is evicted ---- */

static void test_restored(void)
{
    opened_machine_t one = { NULL, 0 }, two = { NULL, 0 }, three = { NULL, 0 };
    opened_t *here, *late;
    apr_uint64_t before, middle;

    begin();
    here = process(&one);
    before = epoch_of(here);
    (void)purge(here, "hard", STORER_PURGE_HARD);
    (void)purge(here, "soft", STORER_PURGE_SOFT);
    middle = epoch_of(here);
    (void)storer_purge(here->store, NULL, 0, STORER_PURGE_DROPPED, T0);
    (void)purge(here, "dropped", STORER_PURGE_DROPPED);
    lose(LABELS);
    is_status(purge(here, "one more", STORER_PURGE_HARD), APR_SUCCESS, "the next purge");
    is_int(judge_now(here, before, "other"), STORER_STANDS, "flushes nothing");
    is_int(opened_said(here, "is restored"), 1, "one line");
    late = process(&two);
    is_int(judge_now(late, before, "hard"), STORER_GONE, "who comes later learns what was purged");
    is_int(judge(late, before, "soft"), STORER_STALE, "how");
    is_int(judge(late, before, "dropped"), STORER_GONE, "and what was dropped");
    is_int(judge(late, before, "one more"), STORER_GONE, "before the loss and behind it");
    is_int(judge(late, before, "other"), STORER_STANDS, "and nothing else");
    is_int(judge(late, middle, "hard"), STORER_STANDS, "in its epoch");

    lose(LABELS);
    look(here);
    is_int(judge_now(here, before, "other"), STORER_STANDS, "without a purge");
    is_int(exists(LABELS), 1, "it is restored as well");
    late = process(&three);
    is_int(judge_now(late, before, "hard"), STORER_GONE, "with all");
    is_int(judge(late, before, "other"), STORER_STANDS, "there was in it");
}

/* Nobody knows what was in it. */
static void test_lost_for_good(void)
{
    opened_machine_t one = { NULL, 0 }, two = { NULL, 0 };
    opened_t *late;
    apr_uint64_t before;
    int tries = 0;

    begin();
    before = epoch_of(process(&one));
    (void)purge(process(&one), "it", STORER_PURGE_HARD);
    lose(LABELS);
    late = process(&two);
    is_int(judge_now(late, before, "it"), STORER_GONE, "a machine that has heard of no purge");
    is_int(judge(late, before, "other"), STORER_GONE, "serves nothing that was fetched before");
    while (judge_now(late, epoch_of(late), "it") != STORER_STANDS && tries < 1000) {
        tries++;
    }
    ok(tries < 1000, "but what is fetched now, after a while");
    is_int(judge(late, before, "other"), STORER_GONE, "for good");
}

static long idle_seconds(void)
{
    static const char *const words[] = { "OBJECT", "IDLETIME", LABELS, NULL };

    return server_ask_number(server, words);
}

static void test_warm(void)
{
    opened_machine_t one = { NULL, 0 };
    opened_t *here;
    int waited;

    begin();
    here = process(&one);
    (void)purge(here, "it", STORER_PURGE_HARD);
    for (waited = 0; idle_seconds() < 3 && waited < 600; waited++) {
        (void)usleep(100000); /* the server's own clock */
    }
    look(here);
    ok(idle_seconds() < 3, "a list that is not read does not look unused");
}

static void configure(const char *name, const char *value)
{
    const char *const words[] = { "CONFIG", "SET", name, value, NULL };

    ask(words);
}

static long evicted(void)
{
    static const char *const words[] = { "INFO", "stats", NULL };
    char answer[8192], *found;

    server_ask(server, answer, sizeof(answer), words);
    found = strstr(answer, "evicted_keys:");
    return found ? strtol(found + strlen("evicted_keys:"), NULL, 10) : 0;
}

/* All that is older than the values which come now is evicted, but for the list. */
static void test_evicted(void)
{
    opened_machine_t one = { NULL, 0 }, two = { NULL, 0 };
    storer_bytes_t large = opened_bytes(100000, 1, pool);
    opened_t *here;
    apr_uint64_t before;
    int i;

    begin();
    here = process(&one);
    before = epoch_of(here);
    (void)purge(here, "it", STORER_PURGE_HARD);
    configure("maxmemory-policy", "allkeys-lru");
    configure("maxmemory", "8mb");
    for (i = 0; i < 20000 && evicted() < 300; i++) {
        (void)opened_set(here, apr_itoa(pool, i), large);
    }
    ok(evicted() >= 300, "Redis evicts");
    configure("maxmemory", "0");
    (void)judge_now(here, before, "x");
    (void)judge_now(here, before, "x");
    is_int(exists(LABELS), 1, "and the list is there");
    is_status(purge(here, "more", STORER_PURGE_HARD), APR_SUCCESS, "so that a purge");
    is_int(judge_now(process(&two), before, "it"), STORER_GONE, "adds to those before");
    configure("maxmemory-policy", "noeviction");
}

int main(void)
{
    pool = server_begin_test();
    server = server_start(NULL, pool);
    test_number("9007199254740990");
    test_number("9007199254740992");
    test_number("9223372036854775807");
    test_number("8999999999999999");
    test_number("4503599627370496");
    test_number("1.7e15");
    test_number("nan");
    test_number("-5");
    test_member("9007199254740990", "h");
    test_member("9007199254740990", "h0123456789abcdef");
    test_member("inf", "d");
    test_member("9007199254740990", "hxyz");
    test_member("2000000000000000", "hxyz");
    test_type("SET", LABELS);
    test_type("LPUSH", LABELS);
    test_type("LPUSH", EPOCH);
    test_type("SET", "storer!purges:passing");
    test_old_copy();
    test_restored();
    test_lost_for_good();
    test_warm();
    test_evicted();
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
