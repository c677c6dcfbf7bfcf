/* SPDX-License-Identifier: Apache-2.0
 *
 * test_redis_keys.c - what lies in Redis: all variants that several processes store at once; nothing
 * that lives for ever, whatever was done; and what others keep there is left alone. On one server and
 * on a cluster.
 */
#include "opened.h"
#include "server.h"
#include "tap.h"

#include <apr_strings.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 4
#define VARIANTS  200
#define LONG_VALUE (1300 * 1024)

typedef struct place_t {
    const char *name, *url, *cluster;
    server_t  **servers;
    int         count;
} place_t;

static const char *const *options_of(const place_t *place, const char *prefix, apr_pool_t *pool)
{
    const char **options = apr_pcalloc(pool, 7 * sizeof(*options));

    options[0] = "cluster";
    options[1] = place->cluster;
    options[2] = "timeout";
    options[3] = "20s";
    options[4] = "prefix";
    options[5] = prefix;
    return options;
}

/* The sum over all servers of what a script says. */
static long ask_all(const place_t *place, const char *script, const char *argument)
{
    const char *const words[] = { "EVAL", script, "0", argument, NULL };
    long sum = 0;
    int i;

    for (i = 0; i < place->count; i++) {
        long one = server_ask_number(place->servers[i], words);

        if (one < 0) {
            bail_out("a script failed: %s", script);
        }
        sum += one;
    }
    return sum;
}

/* ---- variants from several processes ---- */

static int store_share(opened_t *opened, int number, int gate, apr_pool_t *pool)
{
    char go;
    int i;

    if (opened->store->ops->child_init(opened->store, pool) != APR_SUCCESS
        || read(gate, &go, 1) != 0) {
        return 1;
    }
    for (i = number; i < VARIANTS; i += PROCESSES) {
        const char *name = apr_psprintf(pool, "%d", i);

        if (opened_set_variant(opened, "url", name, storer_bytes(name), pool) != APR_SUCCESS) {
            return 2;
        }
    }
    return 0;
}

static apr_status_t count_key(void *baton, storer_bytes_t real_key)
{
    (void)real_key;
    ++*(int *)baton;
    return APR_SUCCESS;
}

static void test_variants(const place_t *place, apr_pool_t *pool)
{
    opened_t *opened = opened_prepare(place->url, options_of(place, "variants", pool), pool);
    pid_t pids[PROCESSES];
    int gate[2], i, failed = 0, found = 0, listed = 0;

    if (pipe(gate) != 0) {
        bail_out("no pipe");
    }
    for (i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            (void)close(gate[1]);
            _exit(store_share(opened, i, gate[0], pool));
        }
    }
    (void)close(gate[0]);
    (void)close(gate[1]); /* they go */
    for (i = 0; i < PROCESSES; i++) {
        failed += tap_wait(pids[i]) != 0;
    }
    is_int(failed, 0, "%s: each of %d processes stored its variants", place->name, PROCESSES);
    (void)opened->store->ops->child_init(opened->store, pool);
    for (i = 0; i < VARIANTS; i++) {
        const char *name = apr_psprintf(pool, "%d", i);

        found += opened_get_variant(opened, "url", name, storer_bytes(name), pool) == 'v';
    }
    is_int(found, VARIANTS, "%s: all of them are found", place->name);
    is_status(storer_list_keys(opened->store, T0, count_key, &listed, pool), APR_SUCCESS, "listed");
    is_int(listed, VARIANTS, "%s: the mapping has each once", place->name);
    is_status(storer_reset(opened->store), APR_SUCCESS, "reset");
}

/* ---- nothing lives for ever ---- */

typedef struct life_t {
    const place_t *place;
    opened_t      *opened;
    apr_pool_t    *pool;
} life_t;

/* No key without an end, none that ends later than its value and the time left to readers. */
static void check_life(const life_t *life, const char *after)
{
    is_int(ask_all(life->place, "local n=0 for _,k in ipairs(redis.call('KEYS','*')) do "
                   "local t=redis.call('PTTL',k) if t<0 or t>tonumber(ARGV[1]) then n=n+1 end end "
                   "return n", "3661000"), 0,
           "%s: everything has an end after %s", life->place->name, after);
}

static storer_bytes_t bytes(const life_t *life, apr_size_t len)
{
    return opened_bytes(len, 7, life->pool);
}

static apr_status_t edit_to_long(void *baton, storer_bytes_t old, storer_bytes_t *value,
                                 storer_expiry_t *expiry, apr_pool_t *scratch)
{
    (void)baton;
    (void)old;
    *value = opened_bytes(LONG_VALUE, 9, scratch);
    *expiry = FAR;
    return APR_SUCCESS;
}

static apr_status_t write_streamed(const life_t *life, const char *key, int commit)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    apr_status_t rv;
    int i;

    rv = storer_open_writer(life->opened->store, storer_bytes(key), FAR, -1, T0, &writer,
                            life->pool);
    for (i = 0; i < 20 && rv == APR_SUCCESS; i++) {
        rv = storer_writer_append(&writer, bytes(life, LONG_VALUE / 20));
    }
    if (rv == APR_SUCCESS && commit) {
        return storer_writer_commit(&writer);
    }
    storer_writer_abort(&writer);
    return rv;
}

/* A process that dies in the middle leaves parts that nobody names. */
static void die_writing(const life_t *life)
{
    pid_t pid = fork();

    if (pid == 0) {
        storer_writer_t writer = STORER_WRITER_CLOSED;

        (void)life->opened->store->ops->child_init(life->opened->store, life->pool);
        (void)storer_open_writer(life->opened->store, storer_bytes("dying"), FAR, -1, T0, &writer,
                                 life->pool);
        (void)storer_writer_append(&writer, bytes(life, 2 * LONG_VALUE));
        (void)kill(getpid(), SIGKILL);
    }
    is_int(tap_wait(pid), -SIGKILL, "a process died while it stored");
}

static void live_values(const life_t *life)
{
    opened_t *opened = life->opened;
    storer_expiry_t over = { T0 - 1, T0 - 1 }, never = { APR_INT64_MAX, APR_INT64_MAX };

    is_status(opened_set(opened, "short", bytes(life, 10)), APR_SUCCESS, "set");
    is_status(opened_set(opened, "long", bytes(life, LONG_VALUE)), APR_SUCCESS, "a long one");
    check_life(life, "set");
    is_status(opened_set(opened, "short", bytes(life, LONG_VALUE)), APR_SUCCESS, "replaced");
    is_status(opened_set(opened, "long", bytes(life, 10)), APR_SUCCESS, "and the long one");
    check_life(life, "values were replaced");
    is_status(storer_set(opened->store, storer_bytes("short"), bytes(life, 1), over, T0),
              APR_SUCCESS, "by one that is over");
    check_life(life, "a value that was over");
    is_status(storer_update(opened->store, storer_bytes("long"), edit_to_long, NULL, T0,
                            life->pool), APR_SUCCESS, "update");
    check_life(life, "an update");
    is_status(write_streamed(life, "streamed", 1), APR_SUCCESS, "streamed");
    check_life(life, "a writer's commit");
    is_status(write_streamed(life, "given up", 0), APR_SUCCESS, "given up");
    check_life(life, "a writer's abort");
    die_writing(life);
    check_life(life, "the death of a writer");
    is_status(storer_delete(opened->store, storer_bytes("streamed")), APR_SUCCESS, "delete");
    check_life(life, "a deletion");

    is_status(storer_set(opened->store, storer_bytes("for ever"), bytes(life, LONG_VALUE), never,
                         T0), APR_SUCCESS, "a value that is never over");
    is_int(ask_all(life->place, "local n=0 for _,k in ipairs(redis.call('KEYS','*')) do "
                   "if redis.call('PTTL',k)<0 then n=n+1 end end return n", ""), 0,
           "%s: and it has an end all the same", life->place->name);
    is_status(storer_delete(opened->store, storer_bytes("for ever")), APR_SUCCESS, "deleted");
}

static void live_mappings(const life_t *life)
{
    opened_t *opened = life->opened;
    apr_pool_t *pool = life->pool;

    is_status(opened_set_variant(opened, "u", "1", bytes(life, 10), pool), APR_SUCCESS, "variant");
    is_status(opened_set_variant(opened, "u", "2", bytes(life, LONG_VALUE), pool), APR_SUCCESS,
              "another");
    check_life(life, "variants were stored");
    is_status(opened_set_variant(opened, "u", "1", bytes(life, 11), pool), APR_SUCCESS,
              "the same anew");
    check_life(life, "one was replaced");
    is_status(opened_set(opened, "IDX_u", bytes(life, 5)), APR_SUCCESS, "damaged");
    is_status(opened_set_variant(opened, "u", "3", bytes(life, 12), pool), APR_SUCCESS, "mended");
    check_life(life, "a mapping was mended");
    is_status(storer_delete_multi_level(opened->store, storer_bytes("u"), T0, pool), APR_SUCCESS,
              "dropped");
    check_life(life, "a URL was dropped");
    is_status(storer_reset(opened->store), APR_SUCCESS, "reset");
    check_life(life, "reset");
    is_int(ask_all(life->place, "local n=0 for _,k in ipairs(redis.call('KEYS','*')) do "
                   "if redis.call('PTTL',k)>60000 then n=n+1 end end return n", ""), 0,
           "%s: after that all that is left, for readers, is over in a minute", life->place->name);
}

static void test_life(const place_t *place, apr_pool_t *pool)
{
    life_t life = { place, opened_create(place->url, options_of(place, "life", pool), pool), pool };

    live_values(&life);
    live_mappings(&life);
}

/* ---- what others keep ---- */

static const char *const foreign[] = {
    "other", "IDX_url", "own", "owner:url", "own2:IDX_url", "xown:url", "own*", "o?n:url",
    "own.url", "SURROGATE_tag", "eviction-lock", NULL
};

/* To whichever node of a cluster takes it. */
static void set_foreign(const place_t *place, const char *name)
{
    const char *const words[] = { "SET", name, "foreign", NULL };
    char answer[256] = "";
    int i;

    for (i = 0; i < place->count && answer[0] != '+'; i++) {
        server_ask(place->servers[i], answer, sizeof(answer), words);
    }
    if (answer[0] != '+') {
        bail_out("SET %s: %s", name, answer);
    }
}

static long count_foreign(const place_t *place)
{
    return ask_all(place, "local n=0 for _,k in ipairs(redis.call('KEYS','*')) do "
                   "if redis.call('TTL',k)==-1 and redis.call('GET',k)=='foreign' then n=n+1 end end "
                   "return n", "");
}

static long count_own(const place_t *place, const char *prefix)
{
    return ask_all(place, "local n=0 for _,k in ipairs(redis.call('KEYS','*')) do "
                   "if k:sub(1,#ARGV[1])==ARGV[1] then n=n+1 end end return n", prefix);
}

static void test_foreign(const place_t *place, apr_pool_t *pool)
{
    opened_t *opened = opened_create(place->url, options_of(place, "own", pool), pool);
    opened_t *other = opened_create(place->url, options_of(place, "own-too", pool), pool);
    storer_pattern_t *pattern;
    const char *errmsg;
    apr_size_t deleted = 0;
    int count = 0, i;

    for (; foreign[count]; count++) {
        set_foreign(place, foreign[count]);
    }
    (void)opened_set_variant(other, "url", "1", storer_bytes("theirs"), pool);
    for (i = 0; i < 300; i++) {
        const char *base = apr_psprintf(pool, "url%d", i);

        (void)opened_set_variant(opened, base, "1", storer_bytes("ours"), pool);
    }
    is_int(count_own(place, "own:"), 600, "%s: mappings and values are there", place->name);
    is_status(storer_pattern_compile(&pattern, storer_bytes("^url1"), &errmsg, pool), APR_SUCCESS,
              "a pattern");
    is_status(storer_delete_many(opened->store, pattern, T0, &deleted, pool), APR_SUCCESS,
              "delete_many");
    is_int(count_own(place, "own:"), 600 - 2 * 111, "%s: those it matches are gone", place->name);
    is_status(storer_pattern_compile(&pattern, storer_bytes("."), &errmsg, pool), APR_SUCCESS, ".");
    is_status(storer_delete_many(opened->store, pattern, T0, &deleted, pool), APR_SUCCESS,
              "delete_many of everything");
    is_int(count_own(place, "own:"), 0, "%s: all of ours is gone", place->name);
    is_int(count_foreign(place), count, "%s: and nothing of others", place->name);

    (void)opened_set_variant(opened, "url", "1", storer_bytes("ours"), pool);
    is_status(storer_reset(opened->store), APR_SUCCESS, "reset");
    is_int(count_own(place, "own:"), 0, "%s: reset drops ours", place->name);
    is_int(count_foreign(place), count, "%s: and nothing of others", place->name);
    is_int(opened_get_variant(other, "url", "1", storer_bytes("theirs"), pool), 'v',
           "%s: nor what has a longer prefix", place->name);
    is_status(storer_reset(other->store), APR_SUCCESS, "reset");
    is_int(opened_said(opened, "") + opened_said(other, ""), 0, "nothing was worth a line");
}

static void run(const place_t *place, apr_pool_t *pool)
{
    test_variants(place, pool);
    test_life(place, pool);
    test_foreign(place, pool);
}

int main(void)
{
    apr_pool_t *pool;
    server_t *one[1], *nodes[3];
    place_t single = { "one server", NULL, "off", one, 1 };
    place_t cluster = { "a cluster", NULL, "on", nodes, 3 };

    pool = server_begin_test();
    one[0] = server_start(NULL, pool);
    single.url = apr_psprintf(pool, "redis://127.0.0.1:%d", one[0]->port);
    run(&single, pool);
    server_start_cluster(nodes, pool);
    cluster.url = apr_psprintf(pool, "redis://127.0.0.1:%d", nodes[0]->port);
    run(&cluster, pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
