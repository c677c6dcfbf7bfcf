/* SPDX-License-Identifier: Apache-2.0
 *
 * test_redis_wire.c - a network, or a server, that cuts, delays, swallows, corrupts, adds and floods:
 * whatever it does a value is right or there is none, an operation ends in time, and memory is
 * bounded.
 */
#include "opened.h"
#include "proxy.h"
#include "server.h"
#include "tap.h"

#include <apr_strings.h>

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LONG_VALUE (1300 * 1024)

/* For what comes in the end, by a store that does not wait for long. */
#define PATIENCE_MS 300000

static storer_bytes_t small = { "small", 5 }, large;
static apr_pool_t *pool;
static opened_t *filler;   /* one that waits for as long as it takes */

/* A breaker that is open only for a moment, so that everything is tried again and again. */
static const char *const quick[] = { "timeout", "150ms", "interval", "1ms", NULL };
/* For what is to succeed, however busy the machine is. */
static const char *const patient[] = { "timeout", "20s", "interval", "1ms", NULL };

static long elapsed_ms(apr_time_t since)
{
    return (long)((apr_time_now() - since) / 1000);
}

/* By a store and a connection that are well. */
static void fill(proxy_t *proxy)
{
    apr_time_t start = apr_time_now();

    proxy_set(proxy, PROXY_PASS, 0);
    proxy_hang_up(proxy);
    while (opened_set(filler, "small", small) != APR_SUCCESS
           || opened_set(filler, "large", large) != APR_SUCCESS
           || opened_set_variant(filler, "url", "1", small, pool) != APR_SUCCESS
           || opened_set_variant(filler, "url", "2", large, pool) != APR_SUCCESS) {
        if (elapsed_ms(start) > PATIENCE_MS) {
            bail_out("the server does not recover");
        }
        (void)usleep(2000);
    }
}

/* Is everything as fill left it? On a busy machine an answer may come too late, which is no answer. */
static int is_whole(opened_t *opened)
{
    char got[4] = { 'e', 'e', 'e', 'e' };
    apr_time_t start = apr_time_now();
    int i, found;

    do {
        for (i = 0, found = 0; i < 4; i++) {
            if (got[i] == 'e') {
                got[i] = i < 2 ? opened_get(opened, i ? "large" : "small", i ? large : small, NULL)
                               : opened_get_variant(opened, "url", i == 2 ? "1" : "2",
                                                    i == 2 ? small : large, pool);
            }
            found += got[i] == 'v';
        }
    } while (memchr(got, 'e', sizeof(got)) && elapsed_ms(start) < PATIENCE_MS);
    return found == 4;
}

/* ---- connections that end in the middle of an answer ---- */

static void test_cut(opened_t *opened, proxy_t *proxy)
{
    static const unsigned at[] = { 0, 1, 3, 4, 5, 60, 68, 69, 70, 71, 72, 73, 100, 511, 524200, 524361,
                                   524362, 524370, 600000, 1048600 };
    unsigned i;
    int wrong = 0, found = 0;

    for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        char got[4];
        int j;

        fill(proxy);
        proxy_set(proxy, PROXY_CUT, at[i]);
        got[0] = opened_get(opened, "small", small, NULL);
        proxy_hang_up(proxy);
        got[1] = opened_get(opened, "large", large, NULL);
        proxy_hang_up(proxy);
        got[2] = opened_get_variant(opened, "url", "1", small, pool);
        proxy_hang_up(proxy);
        got[3] = opened_get_variant(opened, "url", "2", large, pool);
        for (j = 0; j < 4; j++) {
            wrong += got[j] == '?';
            found += got[j] == 'v';
        }
    }
    is_int(wrong, 0, "an answer that is cut is no value");
    ok(found > 0 && found < 80, "some came before the cut, some did not (%d)", found);
    fill(proxy);
    ok(is_whole(opened), "and everything is there still");
}

static void test_refused(opened_t *opened, proxy_t *proxy)
{
    unsigned before;

    fill(proxy);
    before = proxy_connections(proxy);
    proxy_set(proxy, PROXY_REFUSE, 0);
    is_int(opened_get(opened, "small", small, NULL), 'e', "closed again and again");
    ok(proxy_connections(proxy) - before <= 1, "it is tried twice, and not more");
    fill(proxy);
    ok(is_whole(opened), "and found later");
}

/* ---- answers that are late, or never come ---- */

static void test_late(opened_t *opened, proxy_t *proxy)
{
    apr_time_t start;
    apr_status_t rv;
    char got;

    fill(proxy);
    proxy_set(proxy, PROXY_DELAY, 20);
    is_int(opened_get(filler, "small", small, NULL), 'v', "late, but in time");
    proxy_set(proxy, PROXY_DELAY, 300);
    is_int(opened_get(opened, "small", small, &rv), 'e', "too late");
    is_status(rv, APR_TIMEUP, "which is said");
    proxy_set(proxy, PROXY_PASS, 0);
    /* what comes too late must not be the answer to the next question */
    start = apr_time_now();
    do {
        got = opened_get(opened, "large", large, NULL);
    } while (got == 'e' && elapsed_ms(start) < PATIENCE_MS);
    is_int(got, 'v', "no late answer is taken for another");
    proxy_set(proxy, PROXY_SWALLOW, 0);
    (void)usleep(2000); /* the breaker may have opened */
    is_status(opened_set(opened, "small", small), APR_TIMEUP, "no answer at all ends a store as well");
    fill(proxy);
    ok(is_whole(opened), "and everything is found later");
}

/* Answers keep coming, a little at a time: the time-out is of the whole of it. */
static void test_flood(opened_t *opened, proxy_t *proxy)
{
    struct rusage usage;
    long before;
    char got;

    fill(proxy);
    (void)getrusage(RUSAGE_SELF, &usage);
    before = usage.ru_maxrss;
    proxy_set(proxy, PROXY_FLOOD, 0);
    got = opened_get(opened, "small", small, NULL);
    is_int(got, 'e', "an answer without an end is none");
    (void)getrusage(RUSAGE_SELF, &usage);
    ok(usage.ru_maxrss - before < 32 * 1024, "and in %ld KB of memory", usage.ru_maxrss - before);
    fill(proxy);
    ok(is_whole(opened), "found later");
}

/* ---- answers that nobody asked for ---- */

static void test_extra(opened_t *opened, proxy_t *proxy)
{
    int i, wrong = 0;

    fill(proxy);
    proxy_set(proxy, PROXY_EXTRA, 0);
    for (i = 0; i < 50; i++) {
        wrong += opened_get(opened, "small", small, NULL) == '?';
        wrong += opened_get_variant(opened, "url", "1", small, pool) == '?';
        wrong += opened_get(opened, "absent", small, NULL) == 'v';
    }
    is_int(wrong, 0, "an answer too many is not the answer to the next question");
    proxy_set(proxy, PROXY_PASS, 0);
    fill(proxy);
    ok(is_whole(opened), "found later");
}

/* ---- corruption ---- */

static void test_corrupt(opened_t *opened, proxy_t *proxy, proxy_mode_e mode, const char *what)
{
    static const unsigned rates[] = { 3, 17, 71, 293, 20011, 300007 };
    int rounds = tap_slow() ? 5 : 40, found = 0, wrong = 0, none = 0;
    unsigned rate;
    int round, i;

    for (rate = 0; rate < sizeof(rates) / sizeof(rates[0]); rate++) {
        fill(proxy);
        for (round = 0; round < rounds; round++) {
            char got[4];

            proxy_set(proxy, mode, rates[rate]);
            got[0] = opened_get(opened, "small", small, NULL);
            got[1] = opened_get_variant(opened, "url", "1", small, pool);
            got[2] = opened_get(opened, "absent", small, NULL);
            got[3] = round % 8 == 0 ? opened_get(opened, "large", large, NULL) : 'e';
            for (i = 0; i < 4; i++) {
                wrong += got[i] == '?' || (i == 2 && got[i] == 'v');
                found += got[i] == 'v';
                none += got[i] == '-' || got[i] == 'e';
            }
            (void)opened_set(opened, "small", small);
            (void)opened_set_variant(opened, "url", "1", small, pool);
            if (round % 8 == 0) {
                proxy_set(proxy, PROXY_PASS, 0);
                proxy_hang_up(proxy);
            }
        }
        opened_forget(opened);
    }
    is_int(wrong, 0, "%s: no value is wrong", what);
    ok(found > 0 && none > 0, "%s: some are right (%d), some are not there (%d)", what, found, none);
    fill(proxy);
    ok(is_whole(opened), "%s: what is stored anew is whole", what);
}

/* ---- round trips ---- */

static unsigned rounds_of_store(opened_t *opened, proxy_t *proxy, const char *base, const char *name,
                                storer_bytes_t value)
{
    unsigned before = proxy_rounds(proxy);

    is_status(opened_set_variant(opened, base, name, value, pool), APR_SUCCESS, "stored");
    return proxy_rounds(proxy) - before;
}

static unsigned rounds_of_look(opened_t *opened, proxy_t *proxy, const char *base, const char *name,
                               storer_bytes_t value, char want)
{
    unsigned before = proxy_rounds(proxy);

    is_int(opened_get_variant(opened, base, name, value, pool), want, "looked up");
    return proxy_rounds(proxy) - before;
}

static void test_rounds(int port)
{
    proxy_t *proxy = proxy_start(port, pool);
    opened_t *opened = opened_create(apr_psprintf(pool, "redis://127.0.0.1:%d", proxy_port(proxy)),
                                     patient, pool);

    is_int(rounds_of_store(opened, proxy, "one", "", small), 1, "a store is one round trip");
    is_int(rounds_of_store(opened, proxy, "one", "", small), 1, "also in the place of another");
    is_int(rounds_of_look(opened, proxy, "one", "", small, 'v'), 1, "a hit is one");
    is_int(rounds_of_look(opened, proxy, "none", "", small, '-'), 1, "a miss is one");
    is_int(rounds_of_store(opened, proxy, "many", "1", small), 1, "a store of a variant is one");
    is_int(rounds_of_look(opened, proxy, "many", "1", small, 'v'), 2, "a hit of one is two");
}

int main(void)
{
    server_t *server;
    opened_t *opened;
    proxy_t *proxy;

    pool = server_begin_test();
    large = opened_bytes(LONG_VALUE, 3, pool);
    server = server_start(NULL, pool);
    proxy = proxy_start(server->port, pool);
    opened = opened_create(apr_psprintf(pool, "redis://127.0.0.1:%d", proxy_port(proxy)), quick,
                           pool);
    filler = opened_create(apr_psprintf(pool, "redis://127.0.0.1:%d", proxy_port(proxy)), patient,
                           pool);
    test_cut(opened, proxy);
    test_refused(opened, proxy);
    test_late(opened, proxy);
    test_flood(opened, proxy);
    test_extra(opened, proxy);
    test_corrupt(opened, proxy, PROXY_CORRUPT, "answers are corrupt");
    test_corrupt(opened, proxy, PROXY_CORRUPT_BOTH, "everything is corrupt");
    test_rounds(server->port);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
