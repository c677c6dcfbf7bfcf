/* SPDX-License-Identifier: Apache-2.0
 *
 * test_redis_cluster.c - a cluster that changes under our hands: slots that have moved, slots on their
 * way, a node that dies and comes back. (What a cluster at rest does, the contract suite has seen.)
 */
#include "names.h"
#include "opened.h"
#include "server.h"
#include "tap.h"

#include <apr_strings.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static server_t *nodes[3];
static char ids[3][64];
static apr_pool_t *pool;
static const storer_bytes_t small = { "small", 5 };
static const char *const options[] = { "cluster", "on", "timeout", "20s", "interval", "200ms", NULL };

static void command(int node, const char *const *words)
{
    char answer[256];

    server_ask(nodes[node], answer, sizeof(answer), words);
    if (answer[0] != '+') {
        bail_out("%s %s: %s", words[0], words[1], answer);
    }
}

static void read_ids(void)
{
    static const char *const words[] = { "CLUSTER", "MYID", NULL };
    char answer[256];
    int i;

    for (i = 0; i < 3; i++) {
        server_ask(nodes[i], answer, sizeof(answer), words);
        if (sscanf(answer, "$40\r\n%40s", ids[i]) != 1) {
            bail_out("CLUSTER MYID: %s", answer);
        }
    }
}

static void set_slot(int at, int slot, const char *how, int node)
{
    const char *const words[] = { "CLUSTER", "SETSLOT", apr_itoa(pool, slot), how, ids[node], NULL };

    command(at, words);
}

/* A word whose slot the node has; number: of many. */
static const char *tag_of(int node, int number)
{
    static const int first[] = { 0, 5462, 10924, 16384 };
    int i;

    for (i = 0;; i++) {
        const char *tag = apr_psprintf(pool, "t%d", i);
        int slot = names_slot(tag, strlen(tag));

        if (slot >= first[node] && slot < first[node + 1] && number-- == 0) {
            return tag;
        }
    }
}

/* A key that is in the slot of the tag: what stands before its first } decides. */
static const char *key_of(const char *tag, const char *name)
{
    return apr_pstrcat(pool, tag, "}", name, NULL);
}

static int holds(int node, const char *key)
{
    const char *const words[] = { "EXISTS", apr_pstrcat(pool, "storer:{", key, "}", NULL), NULL };

    return server_ask_number(nodes[node], words) == 1;
}

/* ---- a slot that has moved ---- */

static void test_moved(opened_t *opened)
{
    const char *tag = tag_of(0, 0), *key = key_of(tag, "moved");
    int slot = names_slot(tag, strlen(tag)), i;

    is_int(opened_get(opened, key, small, NULL), '-', "the slot is where the map says");
    for (i = 1; i < 4; i++) {
        set_slot(i % 3, slot, "NODE", 1);
    }
    is_status(opened_set(opened, key, small), APR_SUCCESS, "it has moved: stored");
    ok(holds(1, key), "at its new place");
    is_int(opened_get(opened, key, small, NULL), 'v', "and found");
    is_status(opened_set_variant(opened, key, "1", small, pool), APR_SUCCESS, "a variant, too");
    is_int(opened_get_variant(opened, key, "1", small, pool), 'v', "is found");
}

/* ---- a slot on its way ---- */

static void test_asked(opened_t *opened)
{
    const char *tag = tag_of(0, 1), *before = key_of(tag, "before"), *after = key_of(tag, "after");
    int slot = names_slot(tag, strlen(tag));

    is_status(opened_set(opened, before, small), APR_SUCCESS, "stored before the slot leaves");
    set_slot(1, slot, "IMPORTING", 0);
    set_slot(0, slot, "MIGRATING", 1);
    is_int(opened_get(opened, before, small, NULL), 'v', "found while it is on its way");
    is_int(opened_get(opened, after, small, NULL), '-', "what is absent is asked for elsewhere");
    is_status(opened_set(opened, after, small), APR_SUCCESS, "what is new");
    ok(!holds(0, after), "goes there");
    is_int(opened_get(opened, after, small, NULL), 'v', "and is found there");
    is_status(opened_set_variant(opened, key_of(tag, "url"), "1", small, pool), APR_SUCCESS,
              "mappings go as well");
    is_status(opened_set_variant(opened, key_of(tag, "url"), "2", small, pool), APR_SUCCESS,
              "and a second time");
    is_int(opened_get_variant(opened, key_of(tag, "url"), "1", small, pool), 'v', "found");
    is_int(opened_get_variant(opened, key_of(tag, "url"), "2", small, pool), 'v', "both");
    is_status(storer_delete(opened->store, storer_bytes(after)), APR_SUCCESS, "deleted");
    is_int(opened_get(opened, after, small, NULL), '-', "gone");
}

/* ---- a node that hangs ---- */

/* It costs all the time of an operation, and then the map is in doubt: no other node is to be blamed
 * for having no time left to say it. */
static void test_hanging(void)
{
    static const char *const hasty[] = { "cluster", "on", "timeout", "1s", "interval", "60s", NULL };
    int hanging = names_slot("purges", 6) < 5462 ? 1 : 0, i; /* not the one that has the epoch */
    opened_t *opened = opened_create(apr_psprintf(pool, "redis://127.0.0.1:%d", nodes[2]->port), hasty,
                                     pool);
    const char *keys[3];

    for (i = 0; i < 3; i++) {
        keys[i] = key_of(tag_of(i, 1), "hang");
        is_status(opened_set(opened, keys[i], small), APR_SUCCESS, "stored at each node");
    }
    server_pause(nodes[hanging]);
    is_int(opened_get(opened, keys[hanging], small, NULL), 'e', "one hangs");
    for (i = 0; i < 3; i++) {
        is_int(opened_get(opened, keys[i], small, NULL), i == hanging ? 'e' : 'v',
               i == hanging ? "and is left alone" : "another one serves");
    }
    is_int(opened_said(opened, "until it answers again"), 1, "one line");
    server_continue(nodes[hanging]);
}

/* ---- a node that dies ---- */

static void test_dead(opened_t *opened)
{
    const char *here = key_of(tag_of(1, 0), "here"), *there = key_of(tag_of(2, 0), "there");
    apr_time_t start;
    char got;

    is_status(opened_set(opened, here, small), APR_SUCCESS, "stored at one node");
    is_status(opened_set(opened, there, small), APR_SUCCESS, "and at another");
    opened_forget(opened);
    server_kill(nodes[2]);
    is_int(opened_get(opened, there, small, NULL), 'e', "its node is dead");
    is_int(opened_get(opened, here, small, NULL), 'v', "the other one serves");
    is_status(opened_set(opened, here, small), APR_SUCCESS, "and stores");
    is_int(opened_said(opened, "until it answers again"), 1, "one line");
    server_restart(nodes[2]);
    start = apr_time_now();
    do {
        got = opened_get(opened, there, small, NULL);
        (void)usleep(10000);
    } while (got == 'e' && apr_time_now() - start < apr_time_from_sec(60));
    is_int(got, '-', "it came back, empty");
    start = apr_time_now();
    while (opened_set(opened, there, small) != APR_SUCCESS
           && apr_time_now() - start < apr_time_from_sec(60)) {
        (void)usleep(10000);
    }
    is_int(opened_get(opened, there, small, NULL), 'v', "and stores");
}

/* The configuration names one node only: which is the one that is dead. */
static void test_seeds(void)
{
    const char *key = key_of(tag_of(0, 2), "seed");
    opened_t *both, *one;

    server_kill(nodes[1]);
    both = opened_create(apr_psprintf(pool, "redis://127.0.0.1:%d,127.0.0.1:%d", nodes[1]->port,
                                      nodes[2]->port), options, pool);
    is_status(opened_set(both, key, small), APR_SUCCESS, "another seed is asked for the map");
    one = opened_create(apr_psprintf(pool, "redis://127.0.0.1:%d", nodes[1]->port), options, pool);
    is_int(opened_get(one, key, small, NULL), 'e', "without a map nothing is found");
}

int main(void)
{
    static const char *const part[] = { "CONFIG", "SET", "cluster-require-full-coverage", "no",
                                        NULL };
    opened_t *opened;
    int i;

    pool = server_begin_test();
    server_start_cluster(nodes, pool);
    read_ids();
    for (i = 0; i < 3; i++) {
        command(i, part);
    }
    opened = opened_create(apr_psprintf(pool, "redis://127.0.0.1:%d", nodes[0]->port), options,
                           pool);
    test_moved(opened);
    test_asked(opened);
    if (!ok(opened_said(opened, "") == 0, "none of this is worth a line")) {
        opened_show(opened);
    }
    test_hanging();
    test_dead(opened);
    test_seeds();
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
