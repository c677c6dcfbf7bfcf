/* SPDX-License-Identifier: Apache-2.0
 *
 * test_redis_trouble.c - a server that stops, dies, comes back empty, is full, read-only, loading, or
 * locked: what a look-up and a store then cost, what is logged, and that recovery is noticed.
 */
#include "opened.h"
#include "proxy.h"
#include "server.h"
#include "tap.h"

#include <apr_strings.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL_MS 400
#define TROUBLE_MS  1300
#define THREADS     8

static const char *const quick[] = { "timeout", "150ms", "interval", "400ms", NULL };
/* For what is to succeed, however busy the machine is. */
static const char *const patient[] = { "timeout", "20s", "interval", "400ms", NULL };
static const storer_bytes_t small = { "small", 5 };

static long elapsed_ms(apr_time_t since)
{
    return (long)((apr_time_now() - since) / 1000);
}

/* Until an operation is right again, at most a minute. */
static int recovers(opened_t *opened, const char *key, char want)
{
    apr_time_t start = apr_time_now();

    while (opened_get(opened, key, small, NULL) != want) {
        if (elapsed_ms(start) > 60000) {
            return 0;
        }
        (void)usleep(10000);
    }
    return 1;
}

static int stores_again(opened_t *opened, const char *key)
{
    apr_time_t start = apr_time_now();

    while (opened_set(opened, key, small) != APR_SUCCESS) {
        if (elapsed_ms(start) > 60000) {
            return 0;
        }
        (void)usleep(10000);
    }
    return 1;
}

/* ---- what operations cost while there is trouble ---- */

typedef struct cost_t {
    long count, paid, right;
    long intervals;   /* that have begun */
} cost_t;

/* Who is told that the time-out is over has paid it. */
static void spend(opened_t *opened, const char *key, cost_t *cost)
{
    apr_time_t start = apr_time_now();

    memset(cost, 0, sizeof(*cost));
    while (elapsed_ms(start) < TROUBLE_MS) {
        apr_status_t rv;
        char got = opened_get(opened, key, small, &rv);

        cost->count++;
        cost->right += got == 'v';
        cost->paid += APR_STATUS_IS_TIMEUP(rv);
        (void)usleep(1000); /* a request now and then, not an endless loop */
    }
    cost->intervals = 1 + elapsed_ms(start) / INTERVAL_MS;
}

/* Once for each interval that began. */
static void check_cost(const cost_t *cost, const char *what)
{
    note("%s: %ld look-ups, of which %ld waited", what, cost->count, cost->paid);
    is_int(cost->right, 0, "%s: nothing is found", what);
    ok(cost->paid <= cost->intervals,
       "%s: the time-out is paid once in an interval (%ld times)", what, cost->paid);
}

static void check_lines(opened_t *opened, int down, int up, const char *what)
{
    int got_down = opened_said(opened, "until it answers again");
    int got_up = opened_said(opened, "answers again") - got_down;

    if (!ok(got_down == down && got_up == up && opened_said(opened, "") == down + up,
            "%s: one line for each transition", what)) {
        opened_show(opened);
    }
}

typedef struct worker_t {
    pthread_t thread;
    opened_t *opened;
    cost_t    cost;
} worker_t;

static void *run_worker(void *data)
{
    worker_t *worker = data;

    spend(worker->opened, "key", &worker->cost);
    return NULL;
}

static void spend_in_threads(opened_t *opened, const char *what)
{
    worker_t workers[THREADS];
    long paid = 0, intervals = 0, count = 0;
    int i;

    for (i = 0; i < THREADS; i++) {
        workers[i].opened = opened;
        pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        count += workers[i].cost.count;
        paid += workers[i].cost.paid;
        intervals = workers[i].cost.intervals > intervals ? workers[i].cost.intervals : intervals;
    }
    note("%s: %ld look-ups in threads, of which %ld waited", what, count, paid);
    ok(paid <= THREADS + intervals, "%s: of several threads only those that were waiting, and then one "
       "in an interval, pay it (%ld)", what, paid);
}

/* ---- servers that stop, die, and come back ---- */

static void test_stopped(server_t *server, opened_t *opened)
{
    cost_t cost;

    ok(stores_again(opened, "key"), "stored");
    opened_forget(opened);
    server_pause(server);
    spend(opened, "key", &cost);
    check_cost(&cost, "stopped");
    check_lines(opened, 1, 0, "stopped");
    server_continue(server);
    ok(recovers(opened, "key", 'v'), "it answers again");
    check_lines(opened, 1, 1, "continued");
    opened_forget(opened);

    server_pause(server);
    spend_in_threads(opened, "stopped");
    server_continue(server);
    ok(recovers(opened, "key", 'v'), "it answers again");
    check_lines(opened, 1, 1, "with several threads");
    opened_forget(opened);
}

static void test_killed(server_t *server, opened_t *opened)
{
    cost_t cost;

    is_status(opened_set(opened, "key", small), APR_SUCCESS, "stored");
    server_kill(server);
    spend(opened, "key", &cost);
    check_cost(&cost, "killed");
    is_int(opened_set(opened, "key", small) != APR_SUCCESS, 1, "nothing is stored");
    server_restart(server);
    ok(recovers(opened, "key", '-'), "it answers again, and is empty");
    check_lines(opened, 1, 1, "killed and restarted");
    is_status(opened_set(opened, "key", small), APR_SUCCESS, "what is stored now");
    is_int(opened_get(opened, "key", small, NULL), 'v', "is found");
    opened_forget(opened);
}

/* Connections that the server has closed meanwhile: nobody need know. */
static void test_closed(const server_t *server, opened_t *opened)
{
    static const char *const kill_all[] = { "CLIENT", "KILL", "TYPE", "normal", NULL };
    char answer[64];
    int i, found = 0;

    for (i = 0; i < 20; i++) {
        server_ask(server, answer, sizeof(answer), kill_all);
        found += opened_get(opened, "key", small, NULL) == 'v';
    }
    is_int(found, 20, "a connection that was closed is replaced");
    is_int(opened_said(opened, ""), 0, "without a word");
}

/* ---- servers that take no writes ---- */

static void configure(const server_t *server, const char *name, const char *value)
{
    const char *const words[] = { "CONFIG", "SET", name, value, NULL };
    char answer[256];

    server_ask(server, answer, sizeof(answer), words);
    if (answer[0] != '+') {
        bail_out("CONFIG SET %s %s: %s", name, value, answer);
    }
}

static long commands(const server_t *server, const char *name)
{
    const char *const words[] = { "INFO", "commandstats", NULL };
    char answer[8192], *found;
    char wanted[64];

    server_ask(server, answer, sizeof(answer), words);
    apr_snprintf(wanted, sizeof(wanted), "cmdstat_%s:", name);
    found = strstr(answer, wanted);
    found = found ? strstr(found, "rejected_calls=") : NULL;
    return found ? strtol(found + strlen("rejected_calls="), NULL, 10) : 0;
}

static void test_writes(const server_t *server, opened_t *opened, apr_status_t expected,
                        const char *reason, const char *what)
{
    long tried = commands(server, "set");
    int i, refused = 0;

    is_status(opened_set(opened, "new", small), expected, "%s: a store is refused", what);
    for (i = 0; i < 100; i++) {
        refused += opened_set(opened, "new", small) != APR_SUCCESS;
    }
    is_int(refused, 100, "%s: as are others", what);
    ok(commands(server, "set") - tried <= 3, "%s: of which few bother the server", what);
    is_int(opened_get(opened, "key", small, NULL), 'v', "%s: what it has is served", what);
    is_status(storer_delete(opened->store, storer_bytes("absent")),
              expected == APR_ENOSPC ? APR_SUCCESS : APR_EAGAIN, "%s: deletions", what);
    if (!ok(opened_said(opened, reason) == 1 && opened_said(opened, "") == 1, "%s: one line",
            what)) {
        opened_show(opened);
    }
}

static void check_writes_again(opened_t *opened, const char *what)
{
    ok(stores_again(opened, "new"), "%s: it takes values again", what);
    is_int(opened_said(opened, "takes values again"), 1, "%s: one line", what);
    is_int(opened_said(opened, ""), 2, "%s: and no other", what);
    opened_forget(opened);
}

static void test_full(const server_t *server, opened_t *opened)
{
    configure(server, "maxmemory", "1");
    test_writes(server, opened, APR_ENOSPC, "maxmemory", "full");
    configure(server, "maxmemory", "0");
    check_writes_again(opened, "no longer full");
}

static void test_replica(const server_t *server, opened_t *opened, apr_pool_t *pool)
{
    const char *port = apr_itoa(pool, server_free_port());
    const char *const replicate[] = { "REPLICAOF", "127.0.0.1", port, NULL };
    static const char *const promote[] = { "REPLICAOF", "NO", "ONE", NULL };
    char answer[256];

    server_ask(server, answer, sizeof(answer), replicate);
    test_writes(server, opened, APR_EAGAIN, "read-only replica", "a replica");
    opened_forget(opened);

    configure(server, "replica-serve-stale-data", "no");
    is_int(opened_get(opened, "key", small, NULL), 'e', "a replica without its master serves nothing");
    is_int(opened_said(opened, "lost its master"), 1, "one line");
    server_ask(server, answer, sizeof(answer), promote);
    configure(server, "replica-serve-stale-data", "yes");
    ok(recovers(opened, "key", 'v'), "a master again");
    ok(stores_again(opened, "new"), "that takes values");
    is_int(opened_said(opened, ""), 3, "one line for each transition");
    opened_forget(opened);
}

/* ---- servers that serve nobody ---- */

static void test_saying(opened_t *opened, proxy_t *proxy, const char *text, const char *line)
{
    proxy_say(proxy, text);
    is_int(opened_get(opened, "key", small, NULL), 'e', "it says: %s", line);
    (void)opened_get(opened, "key", small, NULL);
    if (!ok(opened_said(opened, line) == 1 && opened_said(opened, "") == 1,
            "which is told in one line")) {
        opened_show(opened);
    }
    proxy_set(proxy, PROXY_PASS, 0);
    ok(recovers(opened, "key", 'v'), "and it serves again");
    is_int(opened_said(opened, ""), 2, "with one line more");
    opened_forget(opened);
}

/* Arrays within arrays, which end a process that frees them one within the other. */
static char *nested(int depth, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, (apr_size_t)depth * 4 + 1);
    int i;

    for (i = 0; i < depth; i++) {
        memcpy(text + 4 * (apr_size_t)i, "*1\r\n", 4);
    }
    text[4 * (apr_size_t)depth] = '\0';
    return text;
}

/* hasty: one that does not wait for long. */
static void test_sayings(opened_t *opened, opened_t *hasty, proxy_t *proxy, apr_pool_t *pool)
{
    static const char *const sayings[][2] = {
        { "-LOADING Redis is loading the dataset in memory\r\n", "loading its data" },
        { "-BUSY Redis is busy running a script.\r\n", "busy with a script" },
        { "-CLUSTERDOWN Hash slot not served\r\n", "cluster is down" },
        { "-NOAUTH Authentication required.\r\n", "asks for a password" },
        { "HTTP/1.1 400 Bad Request\r\n", "makes no sense" },
        { "*-5\r\n", "makes no sense" },
        { "*268435456\r\n", "makes no sense" },
    };
    unsigned i;

    for (i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++) {
        test_saying(opened, proxy, sayings[i][0], sayings[i][1]);
    }
    test_saying(opened, proxy, nested(10, pool), "makes no sense");
    test_saying(opened, proxy, nested(200000, pool), "makes no sense");
    test_saying(hasty, proxy, "$5368709120\r\n", "no answer in time");

    proxy_say(proxy, "-NOPERM this user has no permissions to run 'get'\r\n");
    is_int(opened_get(opened, "key", small, NULL), 'e', "a right that we lack");
    (void)opened_get(opened, "key", small, NULL);
    is_int(opened_said(opened, "refuses a command with NOPERM"), 1, "is told once");
    is_int(opened_said(opened, ""), 1, "and no breaker opens");
    proxy_set(proxy, PROXY_PASS, 0);
    is_int(opened_get(opened, "key", small, NULL), 'v', "so that it is right at once");
    opened_forget(opened);
}

/* ---- passwords ---- */

static void test_passwords(apr_pool_t *pool)
{
    static const char *const locked[] = { "--requirepass", "s3cret:@/", NULL };
    static const char *const user[] = { "--requirepass", "x", "--user", "storer", "on", ">pa55",
                                        "~*", "&*", "+@all", NULL };
    server_t *one = server_start(locked, pool), *two = server_start(user, pool);
    opened_t *without, *wrong, *right, *named;

    without = opened_create(apr_psprintf(pool, "redis://127.0.0.1:%d", one->port), patient, pool);
    is_int(opened_get(without, "key", small, NULL), 'e', "without a password nothing is found");
    is_int(opened_said(without, "asks for a password"), 1, "one line says why");

    wrong = opened_create(apr_psprintf(pool, "redis://:wr0ng@127.0.0.1:%d", one->port), patient, pool);
    is_int(opened_get(wrong, "key", small, NULL), 'e', "nor with a wrong one");
    if (!ok(opened_said(wrong, "WRONGPASS") == 1 && opened_said(wrong, "wr0ng") == 0,
            "one line says why, without it")) {
        opened_show(wrong);
    }
    right = opened_create(apr_psprintf(pool, "redis://:s3cret%%3A%%40%%2F@127.0.0.1:%d/2",
                                       one->port), patient, pool);
    is_status(opened_set(right, "key", small), APR_SUCCESS, "with the right one");
    is_int(opened_get(right, "key", small, NULL), 'v', "it is found");
    ok(!strstr(right->store->ops->uuid(right->store), "s3cret"), "it is not in the UUID");

    named = opened_create(apr_psprintf(pool, "redis://storer:pa55@127.0.0.1:%d", two->port), patient,
                          pool);
    is_status(opened_set(named, "key", small), APR_SUCCESS, "a user of an ACL");
    ok(!strstr(named->store->ops->uuid(named->store), "pa55"), "nor is that one's");
}

/* ---- one after the other ---- */

static void test_successor(apr_pool_t *pool)
{
    server_t *first = server_start(NULL, pool), *second = server_start(NULL, pool);
    opened_t *opened = opened_create(apr_psprintf(pool, "redis://127.0.0.1:%d,127.0.0.1:%d",
                                                  first->port, second->port), patient, pool);

    is_status(opened_set(opened, "key", small), APR_SUCCESS, "stored at the first");
    server_kill(first);
    (void)opened_get(opened, "key", small, NULL);
    is_int(opened_get(opened, "key", small, NULL), '-', "the second is asked");
    is_status(opened_set(opened, "key", small), APR_SUCCESS, "and stores");
    is_int(opened_get(opened, "key", small, NULL), 'v', "and serves");
}

int main(void)
{
    apr_pool_t *pool, *inner;
    server_t *server;
    opened_t *opened, *hasty;
    proxy_t *proxy;

    pool = server_begin_test();
    server = server_start(NULL, pool);
    apr_pool_create(&inner, pool);
    hasty = opened_create(apr_psprintf(inner, "redis://127.0.0.1:%d", server->port), quick, inner);
    test_stopped(server, hasty);
    opened = opened_create(apr_psprintf(inner, "redis://127.0.0.1:%d", server->port), patient, inner);
    test_killed(server, opened);
    test_closed(server, opened);
    test_full(server, opened);
    test_replica(server, opened, inner);
    proxy = proxy_start(server->port, inner);
    opened = opened_create(apr_psprintf(inner, "redis://127.0.0.1:%d", proxy_port(proxy)), patient,
                           inner);
    hasty = opened_create(apr_psprintf(inner, "redis://127.0.0.1:%d", proxy_port(proxy)), quick, inner);
    test_sayings(opened, hasty, proxy, inner);
    test_passwords(inner);
    test_successor(inner);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
