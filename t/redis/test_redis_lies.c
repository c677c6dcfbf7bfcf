/* SPDX-License-Identifier: Apache-2.0
 *
 * test_redis_lies.c - a server that answers at once, in correct RESP, and says what cannot be, or goes
 * on for ever: an operation ends nevertheless, and the breaker opens, so that requests do not pay for
 * it one by one. What is counted is what the server was asked for. Where an operation has to end by its
 * deadline each lie takes a while: on a slow machine it is asked for less, never for more.
 */
#include "opened.h"
#include "proxy.h"
#include "server.h"
#include "tap.h"

#include "value.h"

#include <apr_strings.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MS 150
#define LIE_MS     20
/* What can be asked in one operation if each answer takes LIE_MS, and one more. */
#define ASKED_MAX  (TIMEOUT_MS / LIE_MS + 2)

static const storer_bytes_t small = { "small", 5 };
static apr_pool_t *pool;
static server_t *server;

/* A breaker that opens does not close again while the test goes on. */
static const char *const calm[] = { "timeout", "20s", "interval", "60s", NULL };
/* A breaker that is no obstacle. */
static const char *const brief[] = { "timeout", "150ms", "interval", "1ms", NULL };
static const char *const hasty[] = { "timeout", "10ms", "interval", "1ms", NULL };

typedef struct liar_t {
    proxy_t   *proxy;
    opened_t  *opened;
    const char *verb;        /* is lied about; NULL: all are */
    const char *text;        /* the lie; NULL: it is made up, by `make` */
    storer_bytes_t (*make)(struct liar_t *liar);
    unsigned   delay_ms;
    atomic_uint asked;       /* commands with that verb */
} liar_t;

/* In memory of its own, as the proxy frees it. */
static storer_bytes_t text_of(const char *text)
{
    return storer_bytes(strdup(text));
}

static storer_bytes_t lie(void *baton, const char *verb)
{
    static const storer_bytes_t truth = { NULL, 0 };
    liar_t *liar = baton;

    if (liar->verb && strcmp(verb, liar->verb) != 0) {
        return truth;
    }
    atomic_fetch_add(&liar->asked, 1);
    if (liar->delay_ms > 0) {
        (void)usleep(liar->delay_ms * 1000);
    }
    return liar->make ? liar->make(liar) : liar->text ? text_of(liar->text) : truth;
}

/* Each liar has a machine of its own, which begins with the truth. */
static liar_t *liar_create(const char *const *options)
{
    liar_t *liar = apr_pcalloc(pool, sizeof(*liar));

    liar->proxy = proxy_start(server->port, pool);
    liar->opened = opened_create(apr_psprintf(pool, "redis://127.0.0.1:%d",
                                              proxy_port(liar->proxy)), options, pool);
    while (opened_get(liar->opened, "to begin with", small, NULL) == 'e') {
    }
    opened_forget(liar->opened);
    return liar;
}

static void liar_begin(liar_t *liar, const char *verb, const char *text)
{
    liar->verb = verb;
    liar->text = text;
    proxy_lie(liar->proxy, lie, liar);
}

static void is_blamed(liar_t *liar, const char *reason)
{
    unsigned asked;

    proxy_hang_up(liar->proxy); /* so that the server has seen all there was */
    asked = atomic_load(&liar->asked);
    if (!ok(opened_said(liar->opened, reason) == 1 && opened_said(liar->opened, "") == 1,
            "one line: %s", reason)) {
        opened_show(liar->opened);
    }
    is_int(opened_get(liar->opened, "key", small, NULL), 'e', "nothing is asked for any more");
    is_int(atomic_load(&liar->asked), asked, "for a while");
}

/* ---- one answer to everything ---- */

static void test_one_answer(const char *text)
{
    liar_t *liar = liar_create(calm);
    storer_bytes_t key = storer_bytes("key");

    liar_begin(liar, NULL, text);
    is_int(opened_get(liar->opened, "key", small, NULL), 'e', "%.4s to everything is no miss", text);
    is_status(storer_claim(liar->opened->store, key, key, APR_USEC_PER_SEC), APR_EAGAIN,
              "nor somebody's claim, for whom a request would wait");
    is_blamed(liar, "makes no sense");
}

/* ---- walks ---- */

static apr_status_t no_key(void *baton, storer_bytes_t key, storer_view_t *value)
{
    (void)key, (void)value;
    ++*(int *)baton;
    return APR_SUCCESS;
}

static apr_status_t walk(liar_t *liar, int *found)
{
    *found = 0;
    return storer_map_keys(liar->opened->store, storer_bytes(""), T0, no_key, found, pool);
}

static storer_bytes_t circle(liar_t *liar)
{
    char text[64];

    apr_snprintf(text, sizeof(text), "*2\r\n$2\r\n1%u\r\n*0\r\n", liar->asked % 7);
    return text_of(text);
}

static storer_bytes_t endless(liar_t *liar)
{
    char text[128];

    apr_snprintf(text, sizeof(text), "*2\r\n$9\r\n1%08u\r\n*1\r\n$13\r\nstorer:always\r\n",
                 liar->asked);
    return text_of(text);
}

/* Names that nobody has, and which are asked for one by one. */
static storer_bytes_t names(liar_t *liar)
{
    unsigned n = 2 * liar->asked;
    char text[128];

    apr_snprintf(text, sizeof(text), "*2\r\n$9\r\n1%08u\r\n*2\r\n$16\r\nstorer:%09u\r\n"
                 "$16\r\nstorer:%09u\r\n", n, n, n + 1);
    return text_of(text);
}

static void test_circle(void)
{
    liar_t *liar = liar_create(calm);
    int found;

    liar_begin(liar, "SCAN", "*2\r\n$1\r\n7\r\n*0\r\n");
    is_status(walk(liar, &found), APR_EINVAL, "a walk that stays where it is");
    ok(liar->asked <= 3, "ends at once (%u steps)", liar->asked);
    is_blamed(liar, "round in circles");

    liar = liar_create(calm);
    liar->make = circle;
    liar_begin(liar, "SCAN", NULL);
    is_status(walk(liar, &found), APR_EINVAL, "one that goes round in circles");
    ok(liar->asked <= 30, "ends soon (%u steps)", liar->asked);
    liar = liar_create(calm);
    liar->make = circle;
    liar_begin(liar, "SCAN", NULL);
    is_status(storer_reset(liar->opened->store), APR_EINVAL, "so does a reset");
}

static void test_endless(storer_bytes_t (*make)(liar_t *liar), const char *what)
{
    liar_t *liar = liar_create(hasty);
    int found;

    liar->make = make;
    liar_begin(liar, "SCAN", NULL);
    ok(walk(liar, &found) != APR_SUCCESS, "a walk through %s ends", what);
    is_int(found, 0, "with nothing found");
}

/* A walk that gets somewhere goes on for as long as it takes. */
static void test_long_walk(void)
{
    static const char *const options[] = { "timeout", "20s", "prefix", "long", NULL };
    opened_t *opened = opened_create(apr_psprintf(pool, "redis://127.0.0.1:%d", server->port),
                                     options, pool);
    int i, found = 0;

    for (i = 0; i < 3000; i++) {
        (void)opened_set(opened, apr_itoa(pool, i), small);
    }
    is_status(storer_map_keys(opened->store, storer_bytes(""), T0, no_key, &found, pool), APR_SUCCESS,
              "a walk of several steps");
    is_int(found, 3000, "comes to each key");
}

/* ---- purges ---- */

#define PAGE 16384

/* A full page of purges of long ago, each in an epoch of its own. */
static storer_bytes_t page_of_purges(liar_t *liar)
{
    apr_size_t room = 32 + (apr_size_t)PAGE * 64, used;
    char *text = malloc(room);
    storer_bytes_t page = { text, 0 };
    unsigned i;

    used = (apr_size_t)apr_snprintf(text, room, "*%d\r\n", 2 * PAGE);
    for (i = 0; i < PAGE; i++) {
        used += (apr_size_t)apr_snprintf(text + used, room - used, "$17\r\nh%016x\r\n$9\r\n1%08u\r\n",
                                         i, (liar->asked % 5000) * PAGE + i);
    }
    page.len = used;
    return page;
}

static void test_purges(void)
{
    liar_t *liar = liar_create(calm);
    apr_uint64_t label = 1;

    liar->make = page_of_purges;
    liar_begin(liar, "ZRANGEBYSCORE", NULL);
    is_int(storer_judge(liar->opened->store, 1, &label, 1, 0, T0), STORER_GONE,
           "as long as the list of purges has no end nothing stands");
    ok(liar->asked <= 15, "but it is not read for ever (%u pages)", liar->asked);
    is_blamed(liar, "its list of purges");
    opened_forget(liar->opened);

    liar = liar_create(brief);
    liar->make = page_of_purges;
    liar->delay_ms = LIE_MS;
    liar_begin(liar, "ZRANGEBYSCORE", NULL);
    is_int(storer_judge(liar->opened->store, 1, &label, 1, 0, T0), STORER_GONE, "if it comes slowly");
    ok(liar->asked <= ASKED_MAX, "it is read until the deadline (%u pages)", liar->asked);
}

/* ---- one deadline for all of an operation ---- */

/* The head of a value in as many parts as there can be: they are to be dropped when another value takes
 * its place. */
static storer_bytes_t head_of_parts(liar_t *liar)
{
    storer_bytes_t nothing = { "", 0 }, text = { NULL, 5 + VALUE_HEAD_SIZE + 2 };
    char *head = malloc(text.len + 1);
    value_t value;

    (void)liar;
    (void)value_init(&value, FAR);
    value_set_length(&value, (apr_off_t)VALUE_PART_MAX * VALUE_PARTS_MAX);
    memcpy(head, "$64\r\n", 5);
    value_write_head(&value, storer_bytes("key"), nothing, head + 5);
    memcpy(head + 5 + VALUE_HEAD_SIZE, "\r\n", 3);
    text.data = head;
    return text;
}

typedef struct drop_t {
    liar_t  *liar;
    unsigned batches;
} drop_t;

/* Of what comes in one go the first takes a while. */
static storer_bytes_t drop_lie(void *baton, const char *verb)
{
    static const storer_bytes_t truth = { NULL, 0 };
    drop_t *drop = baton;

    if (strcmp(verb, "GETRANGE") == 0) {
        return head_of_parts(drop->liar);
    }
    if (strcmp(verb, "SET") == 0) {
        return text_of("+OK\r\n");
    }
    if (strcmp(verb, "DEL") == 0) {
        return text_of(":1\r\n");
    }
    if (strcmp(verb, "PEXPIRE") != 0) {
        return truth;
    }
    if (drop->batches++ % 128 == 0) {
        (void)usleep(LIE_MS * 1000);
    }
    return text_of(":1\r\n");
}

static void test_drop(void)
{
    liar_t *liar = liar_create(brief);
    drop_t drop = { liar, 0 };

    proxy_lie(liar->proxy, drop_lie, &drop);
    (void)opened_set(liar->opened, "key", small);
    proxy_hang_up(liar->proxy); /* the server may still be at it */
    ok(drop.batches <= ASKED_MAX * 128, "a store in the place of a value that had a million parts, as "
       "the server says, ends by its deadline (%u of them were dropped)", drop.batches);
    proxy_set(liar->proxy, PROXY_PASS, 0);

    liar = liar_create(brief);
    drop.liar = liar;
    drop.batches = 0;
    proxy_lie(liar->proxy, drop_lie, &drop);
    (void)storer_delete(liar->opened->store, storer_bytes("key"));
    proxy_hang_up(liar->proxy);
    ok(drop.batches <= ASKED_MAX * 128, "so does its deletion (%u)", drop.batches);
    proxy_set(liar->proxy, PROXY_PASS, 0);
}

static apr_status_t edit(void *baton, storer_bytes_t old, storer_bytes_t *value,
                         storer_expiry_t *expiry, apr_pool_t *scratch)
{
    (void)old, (void)scratch;
    ++*(int *)baton;
    *value = small;
    *expiry = FAR;
    return APR_SUCCESS;
}

/* Others are always faster: so they say. */
static void test_update(void)
{
    liar_t *liar = liar_create(brief);
    int tries = 0;
    apr_status_t rv;

    liar->delay_ms = LIE_MS;
    liar_begin(liar, "EVAL", ":0\r\n");
    rv = storer_update(liar->opened->store, storer_bytes("key"), edit, &tries, T0, pool);
    is_status(rv, APR_TIMEUP, "an update that always loses the race");
    ok(tries <= ASKED_MAX, "ends by its deadline (%d tries)", tries);
}

int main(void)
{
    pool = server_begin_test();
    server = server_start(NULL, pool);
    test_one_answer(":0\r\n");
    test_one_answer(":1\r\n");
    test_one_answer("+OK\r\n");
    test_one_answer("*0\r\n");
    test_one_answer("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
    test_circle();
    test_endless(endless, "one name again and again");
    test_endless(names, "names of nothing");
    test_long_walk();
    test_purges();
    test_drop();
    test_update();
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
