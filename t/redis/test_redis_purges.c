/* SPDX-License-Identifier: Apache-2.0
 *
 * test_redis_purges.c - what machines that share a Redis agree on: purges by label, and claims. Each
 * store opened here stands for a machine of its own: they share nothing but the server.
 */
#include "opened.h"
#include "server.h"
#include "tap.h"

#include <apr_strings.h>

#include <string.h>

#define MANY 40000

static const storer_bytes_t small = { "small", 5 };
static const char *const quick[] = { "timeout", "2s", "interval", "50ms", NULL };
static const char *const some[] = { "timeout", "2s", "prefix", "some", "purges", "64", NULL };
static const char *const few[] = { "timeout", "2s", "prefix", "few", "purges", "4", NULL };

/* Two machines on one server, or one cluster. */
typedef struct pair_t {
    const char *name;
    opened_t   *here, *there;
} pair_t;

static apr_uint64_t label(const char *text)
{
    return storer_label("tag", storer_bytes(text));
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
    (void)opened_get(opened, "no such key", small, NULL);
}

static storer_standing_e judge(opened_t *opened, apr_uint64_t epoch, const char *text)
{
    apr_uint64_t it = label(text);

    return storer_judge(opened->store, epoch, &it, 1, 0, T0);
}

static apr_status_t purge(opened_t *opened, const char *text, int hard)
{
    apr_uint64_t it = label(text);

    return storer_purge(opened->store, &it, 1, hard ? STORER_PURGE_HARD : STORER_PURGE_SOFT, T0);
}

static pair_t open_pair(const char *name, const char *url, const char *const *options,
                        apr_pool_t *pool)
{
    pair_t pair = { name, opened_create(url, options, pool), opened_create(url, options, pool) };

    return pair;
}

static const char *url_of(const server_t *server, apr_pool_t *pool)
{
    return apr_psprintf(pool, "redis://127.0.0.1:%d", server->port);
}

/* ---- purges ---- */

static void test_both(const pair_t *pair)
{
    apr_uint64_t before = epoch_of(pair->there);

    is_int((long long)epoch_of(pair->here), (long long)before, "%s: one epoch for both", pair->name);
    is_int(judge(pair->there, before, "news"), STORER_STANDS, "nothing is purged");
    is_status(purge(pair->here, "news", 0), APR_SUCCESS, "softly, here");
    look(pair->there);
    is_int(judge(pair->there, before, "news"), STORER_STALE, "is stale there");
    is_int(judge(pair->there, before, "sports"), STORER_STANDS, "and nothing else is");
    is_status(purge(pair->here, "news", 1), APR_SUCCESS, "hard, here");
    look(pair->there);
    is_int(judge(pair->there, before, "news"), STORER_GONE, "is gone there");
    is_int(judge(pair->here, before, "news"), STORER_GONE, "and here");
    ok(epoch_of(pair->there) > before, "the epoch has risen");
    is_int(judge(pair->there, epoch_of(pair->there), "news"), STORER_STANDS,
           "what is fetched now stands");
    is_status(purge(pair->there, "sports", 1), APR_SUCCESS, "the other way");
    look(pair->here);
    is_int(judge(pair->here, before, "sports"), STORER_GONE, "as well");
}

/* By each of the ways a host comes to a value. */
static void test_ways(const pair_t *pair, apr_pool_t *pool)
{
    apr_uint64_t before = epoch_of(pair->there);

    (void)purge(pair->here, "set", 1);
    is_status(opened_set(pair->there, "key", small), APR_SUCCESS, "%s: stored", pair->name);
    is_int(judge(pair->there, before, "set"), STORER_GONE, "a store tells of purges before it");
    (void)purge(pair->here, "get", 1);
    is_int(opened_get(pair->there, "key", small, NULL), 'v', "found");
    is_int(judge(pair->there, before, "get"), STORER_GONE, "a get does");
    is_status(opened_set_variant(pair->here, "url", "a", small, pool), APR_SUCCESS, "a variant");
    (void)purge(pair->here, "variant", 1);
    is_int(opened_get_variant(pair->there, "url", "a", small, pool), 'v', "found");
    is_int(judge(pair->there, before, "variant"), STORER_GONE, "a look-up of variants does");
    (void)purge(pair->here, "no variant", 1);
    is_int(opened_get_variant(pair->there, "url", "b", small, pool), '-', "not found");
    is_int(judge(pair->there, before, "no variant"), STORER_GONE, "also in vain");
}

static apr_status_t stop_walk(void *baton, storer_bytes_t key, storer_view_t *value)
{
    (void)baton, (void)key, (void)value;
    return APR_EOF;
}

static void test_walk(const pair_t *pair, apr_pool_t *pool)
{
    apr_uint64_t before = epoch_of(pair->there);

    (void)purge(pair->here, "walk", 1);
    is_status(storer_map_keys(pair->there->store, storer_bytes(""), T0, stop_walk, NULL, pool),
              APR_SUCCESS, "%s: a walk", pair->name);
    is_int(judge(pair->there, before, "walk"), STORER_GONE, "tells of purges before it");
}

/* Who comes later has to learn it all, and what was purged at once is known at once. */
static void test_many(const server_t *server, apr_pool_t *pool)
{
    pair_t pair = open_pair("many", url_of(server, pool), quick, pool);
    apr_uint64_t *labels = apr_palloc(pool, sizeof(*labels) * MANY), other = label("other");
    apr_uint64_t before = epoch_of(pair.here), stand = 0;
    opened_t *late;
    int i;

    for (i = 0; i < MANY; i++) {
        labels[i] = label(apr_itoa(pool, i));
    }
    is_status(storer_purge(pair.here->store, labels, MANY, STORER_PURGE_HARD, T0), APR_SUCCESS,
              "%d labels", MANY);
    late = opened_create(url_of(server, pool), quick, pool);
    look(pair.there);
    look(late);
    for (i = 0; i < MANY; i++) {
        stand += storer_judge(late->store, before, &labels[i], 1, 0, T0) != STORER_GONE;
        stand += storer_judge(pair.there->store, before, &labels[i], 1, 0, T0) != STORER_GONE;
    }
    is_int((long long)stand, 0, "are purged for who was there and for who came later");
    is_int(storer_judge(late->store, before, &other, 1, 0, T0), STORER_STANDS, "and nothing else is");
    is_status(storer_purge(pair.here->store, NULL, 0, STORER_PURGE_HARD, T0), APR_SUCCESS,
              "none is fine, too");
}

/* Too many to remember: those purged longest ago take all with them that is as old. */
static void test_few(const server_t *server, apr_pool_t *pool)
{
    pair_t pair = open_pair("few", url_of(server, pool), few, pool);
    apr_uint64_t oldest = epoch_of(pair.here), middle;
    opened_t *late;
    int i;

    (void)purge(pair.here, "soft", 0);
    middle = epoch_of(pair.here);
    for (i = 0; i < 6; i++) {
        (void)purge(pair.here, apr_psprintf(pool, "hard %d", i), 1);
    }
    late = opened_create(url_of(server, pool), few, pool);
    look(late);
    is_int(judge(late, oldest, "hard 0"), STORER_GONE, "a purge that is no longer remembered");
    is_int(judge(late, middle, "other"), STORER_GONE, "purges what is as old");
    is_int(judge(late, epoch_of(late) - 1, "hard 5"), STORER_GONE, "one that is remembered");
    is_int(judge(late, epoch_of(late) - 1, "other"), STORER_STANDS, "purges what it is about");
}

/* Of what is not stored there may be any number of purges: those to remember stay. */
static void test_dropped(const server_t *server, apr_pool_t *pool)
{
    pair_t pair = open_pair("dropped", url_of(server, pool), some, pool);
    apr_uint64_t before = epoch_of(pair.here), other = label("other"), recent;
    opened_t *late;
    int i, failed = 0;

    (void)purge(pair.here, "it", 1);
    for (i = 0; i < 500; i++) {
        apr_uint64_t it = label(apr_psprintf(pool, "unknown %d", i));

        failed += storer_purge(pair.here->store, &it, 1, STORER_PURGE_DROPPED, T0) != APR_SUCCESS;
    }
    is_int(failed, 0, "500 purges of what is not stored, where 64 are remembered");
    recent = epoch_of(pair.here) - 1;
    late = opened_create(url_of(server, pool), some, pool);
    look(late);
    is_int(judge(late, before, "it"), STORER_GONE, "the one before them is remembered");
    is_int(judge(late, before, "other"), STORER_STANDS, "what is stored stands");
    is_int(storer_judge(late->store, before, &other, 1, 1, T0), STORER_GONE,
           "what was fetched all the while is not stored");
    is_int(storer_judge(late->store, recent, &other, 1, 1, T0), STORER_STANDS,
           "what was not, is");
    is_status(storer_purge(pair.here->store, NULL, 0, STORER_PURGE_DROPPED, T0), APR_SUCCESS,
              "a purge of all that is being fetched");
    look(late);
    is_int(storer_judge(late->store, recent, &other, 1, 1, T0), STORER_GONE,
           "is known to all machines");
    is_int(judge(late, recent, "other"), STORER_STANDS, "and purges nothing that is stored");
}

/* ---- Redis loses it ---- */

static void lose(server_t *server, const char *name)
{
    const char *const words[] = { "DEL", name, NULL };

    is_int(server_ask_number(server, words), 1, "%s is lost", name);
}

/* what: has become of what no purge was about. */
static void test_lost(server_t *server, const char *name, storer_standing_e what, apr_pool_t *pool)
{
    pair_t pair = open_pair("lost", url_of(server, pool), quick, pool);
    apr_uint64_t before = epoch_of(pair.there), after;

    (void)epoch_of(pair.here);
    (void)purge(pair.here, "it", 1);
    if (name) {
        lose(server, name);
    }
    else {
        server_kill(server);
        server_restart(server);
    }
    (void)purge(pair.here, "another", 1);
    look(pair.there);
    is_int(judge(pair.there, before, "it"), STORER_GONE, "what was purged stays so");
    is_int(judge(pair.there, before, "whatever"), what, "and what may have been is");
    after = epoch_of(pair.there);
    ok(after > before, "the epoch is a later one");
    is_int(judge(pair.there, after, "it"), STORER_STANDS, "what comes now stands");
    look(pair.here);
    is_int((long long)epoch_of(pair.here), (long long)after, "for both the same");
}

/* Of what Redis says nothing is believed that cannot be. */
static void test_nonsense(server_t *server, apr_pool_t *pool)
{
    static const char *const wrong[] = { "-1", "1e3", "99999999999999999999", "", "9007199254740993" };
    pair_t pair = open_pair("nonsense", url_of(server, pool), quick, pool);
    apr_uint64_t before = epoch_of(pair.here);
    apr_size_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *const words[] = { "SET", "storer!purges:epoch", wrong[i], NULL };
        char answer[64];

        server_ask(server, answer, sizeof(answer), words);
        look(pair.here);
        is_int(judge(pair.here, before, "x"), STORER_GONE, "the epoch \"%s\"", wrong[i]);
        before = epoch_of(pair.here);
        is_int(judge(pair.here, before, "x"), STORER_STANDS, "is replaced");
    }
    {
        const char *const words[] = { "ZADD", "storer!purges:labels", "9000000000000000", "hxyz",
                                      NULL };

        is_int(server_ask_number(server, words), 1, "a label that is none");
        (void)purge(pair.here, "y", 1);
        is_int(judge(pair.here, before, "x"), STORER_GONE, "and nobody knows");
    }
}

static void test_away(server_t *server, apr_pool_t *pool)
{
    static const char *const short_time[] = { "timeout", "100ms", "interval", "50ms", "prefix", "away",
                                              NULL };
    pair_t pair = open_pair("away", url_of(server, pool), short_time, pool);
    apr_uint64_t before = epoch_of(pair.here), epoch = 0;
    opened_t *late = opened_create(url_of(server, pool), short_time, pool);

    server_pause(server);
    ok(purge(pair.here, "it", 1) != APR_SUCCESS, "a purge fails where Redis does not answer");
    ok(storer_epoch(late->store, T0, &epoch) != APR_SUCCESS, "who knows of nothing says so");
    is_int(judge(late, before, "it"), STORER_GONE, "and nothing stands for him");
    server_continue(server);
}

/* ---- claims ---- */

static apr_status_t claim(opened_t *opened, const char *owner, apr_interval_time_t lease)
{
    return storer_claim(opened->store, storer_bytes("key"), storer_bytes(owner), lease);
}

static void test_claims(const pair_t *pair)
{
    const apr_interval_time_t minute = 60 * APR_USEC_PER_SEC;
    storer_bytes_t key = storer_bytes("key");

    is_status(claim(pair->here, "one", minute), APR_SUCCESS, "%s: a claim", pair->name);
    is_status(claim(pair->here, "one", minute), APR_SUCCESS, "is prolonged by its owner");
    is_status(claim(pair->there, "two", minute), APR_EEXIST, "another one may not");
    is_status(storer_release(pair->there->store, key, storer_bytes("two")), APR_SUCCESS,
              "nor does he end it");
    is_status(claim(pair->there, "two", minute), APR_EEXIST, "it is still there");
    is_status(storer_release(pair->here->store, key, storer_bytes("one")), APR_SUCCESS, "ended");
    is_status(claim(pair->there, "two", 20000), APR_SUCCESS, "now the other one's, for 20 ms");
    apr_sleep(40000); /* real time, and Redis' own */
    is_status(claim(pair->here, "one", minute), APR_SUCCESS, "which are over");
    is_status(claim(pair->here, "", minute), APR_EINVAL, "nobody's claim");
    is_status(claim(pair->here, "one", 0), APR_EINVAL, "for no time");
}

/* A claim that stays behind makes the other machines wait for nothing. */
static void test_claims_of_weak(server_t *server, apr_pool_t *pool)
{
    static const char *const options[] = { "timeout", "2s", "prefix", "weak", NULL };
    static const char *const forbid[] = { "ACL", "SETUSER", "default", "-del", "-unlink", NULL };
    static const char *const allow[] = { "ACL", "SETUSER", "default", "+del", "+unlink", NULL };
    pair_t pair = open_pair("weak", url_of(server, pool), options, pool);
    char answer[64];

    server_ask(server, answer, sizeof(answer), forbid);
    is_int(strncmp(answer, "+OK", 3), 0, "who may not delete");
    is_status(claim(pair.here, "one", 60 * APR_USEC_PER_SEC), APR_SUCCESS, "claims");
    is_status(storer_release(pair.here->store, storer_bytes("key"), storer_bytes("one")), APR_SUCCESS,
              "and ends that");
    is_status(claim(pair.there, "two", 60 * APR_USEC_PER_SEC), APR_SUCCESS, "for another");
    server_ask(server, answer, sizeof(answer), allow);
}

static void test_cluster(apr_pool_t *pool)
{
    static const char *const options[] = { "cluster", "on", "timeout", "2s", NULL };
    server_t *nodes[3];
    pair_t pair;

    server_start_cluster(nodes, pool);
    pair = open_pair("cluster", url_of(nodes[0], pool), options, pool);
    test_both(&pair);
    test_ways(&pair, pool);
    test_walk(&pair, pool);
    test_claims(&pair);
}

int main(void)
{
    apr_pool_t *pool;
    server_t *server;
    pair_t pair;

    pool = server_begin_test();
    server = server_start(NULL, pool);
    pair = open_pair("one server", url_of(server, pool), quick, pool);
    test_both(&pair);
    test_ways(&pair, pool);
    test_walk(&pair, pool);
    test_claims(&pair);
    test_claims_of_weak(server, pool);
    test_many(server, pool);
    test_few(server, pool);
    test_dropped(server, pool);
    test_lost(server, "storer!purges:epoch", STORER_GONE, pool);
    test_lost(server, "storer!purges:labels", STORER_STANDS, pool);
    test_lost(server, NULL, STORER_GONE, pool);
    test_nonsense(server, pool);
    test_away(server, pool);
    test_cluster(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
