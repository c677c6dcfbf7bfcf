/* SPDX-License-Identifier: Apache-2.0
 *
 * router.c - see router.h. Called by the operations, in any thread.
 */
#include "router.h"

/* A slot that has moved is found with one; more only while the cluster is being changed. */
#define REDIRECTIONS_MAX 5

/* ---- one server ---- */

static int is_sound(const node_t *node)
{
    return breaker_is_closed(&node->reach) && breaker_is_closed(&node->write);
}

/* The first that is well; else the first that may be tried, in the order of the configuration. */
static node_t *choose(redis_t *redis)
{
    int i;

    for (i = 0; i < redis->node_count; i++) {
        if (is_sound(&redis->nodes[i])) {
            return &redis->nodes[i];
        }
    }
    return NULL;
}

static apr_status_t run_on_server(redis_t *redis, const batch_t *batch, exchange_kind_e kind,
                                  clock_point_t deadline, reply_t **replies)
{
    node_t *node = choose(redis);
    apr_status_t rv = APR_EAGAIN;
    int i;

    if (node) {
        return exchange_run(node, batch, kind, deadline, replies);
    }
    for (i = 0; i < redis->node_count && rv == APR_EAGAIN; i++) {
        rv = exchange_run(&redis->nodes[i], batch, kind, deadline, replies);
    }
    return rv;
}

/* ---- a cluster ---- */

/* The first answer that points elsewhere; NULL: none does. */
static const reply_t *find_redirection(reply_t *const *replies, int count, const char *word)
{
    int i;

    for (i = 0; i < count; i++) {
        if (reply_is_error(replies[i], word)) {
            return replies[i];
        }
    }
    return NULL;
}

/* While a slot is on its way, the node that gives it away asks for single keys to be looked for at
 * the other one, which answers only to those who say ASKING. */
static apr_status_t follow_ask(redis_t *redis, const node_t *from, const batch_t *batch, int nth,
                               exchange_kind_e kind, clock_point_t deadline, reply_t **replies)
{
    node_t *node = cluster_redirect(redis->cluster, replies[nth], from);
    reply_t *answers[2] = { NULL, NULL };
    batch_t asking;
    apr_status_t rv;

    if (!node) {
        return APR_EINVAL;
    }
    batch_begin(&asking, &redis->names);
    batch_command(&asking, REPLY_IS_STATUS, 1, "ASKING");
    batch_copy(&asking, batch, nth);
    rv = exchange_run(node, &asking, kind, deadline, answers);
    batch_end(&asking);
    if (rv == APR_SUCCESS) {
        reply_free(answers[0]);
        reply_free(replies[nth]);
        replies[nth] = answers[1];
    }
    return rv;
}

static apr_status_t follow_asks(redis_t *redis, const node_t *from, const batch_t *batch,
                                exchange_kind_e kind, clock_point_t deadline, reply_t **replies)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < batch->count && rv == APR_SUCCESS; i++) {
        if (reply_is_error(replies[i], "ASK")) {
            rv = follow_ask(redis, from, batch, i, kind, deadline, replies);
        }
    }
    return rv;
}

static apr_status_t run_in_cluster(redis_t *redis, const batch_t *batch, exchange_kind_e kind,
                                   clock_point_t deadline, reply_t **replies)
{
    node_t *node = cluster_node(redis->cluster, batch->slot, deadline);
    int hops;

    for (hops = 0; node && hops < REDIRECTIONS_MAX; hops++) {
        apr_status_t rv = exchange_run(node, batch, kind, deadline, replies);
        const reply_t *moved;

        if (rv != APR_SUCCESS) {
            if (rv != APR_ENOSPC && rv != APR_EGENERAL) {
                cluster_doubt(redis->cluster, deadline);
            }
            return rv;
        }
        moved = find_redirection(replies, batch->count, "MOVED");
        if (!moved) {
            rv = follow_asks(redis, node, batch, kind, deadline, replies);
            if (rv == APR_SUCCESS && find_redirection(replies, batch->count, "MOVED")) {
                rv = APR_EAGAIN;
            }
            if (rv != APR_SUCCESS) {
                reply_free_all(replies, batch->count);
            }
            return rv;
        }
        node = cluster_redirect(redis->cluster, moved, node);
        reply_free_all(replies, batch->count);
    }
    cluster_doubt(redis->cluster, deadline);
    return APR_EAGAIN;
}

/* ---- both ---- */

apr_status_t router_run(redis_t *redis, const batch_t *batch, exchange_kind_e kind,
                        clock_point_t deadline, reply_t **replies)
{
    if (redis->cluster) {
        return run_in_cluster(redis, batch, kind, deadline, replies);
    }
    return run_on_server(redis, batch, kind, deadline, replies);
}

apr_status_t router_run_one(redis_t *redis, batch_t *batch, exchange_kind_e kind,
                            clock_point_t deadline, reply_t **reply)
{
    apr_status_t rv;

    redis_assert(batch->count == 1 || batch->failed);
    rv = router_run(redis, batch, kind, deadline, reply);
    batch_end(batch);
    return rv;
}

void router_blame(redis_t *redis, names_kind_e kind, const char *what)
{
    names_key_t key = { kind, { "", 0 }, 0 };
    char name[OPTIONS_PREFIX_MAX + 64]; /* without a key in it */
    node_t *node;

    if (redis->cluster) {
        int slot = names_slot(name, names_write(&redis->names, &key, name));

        node = cluster_node(redis->cluster, slot, redis_deadline(redis));
    }
    else {
        node = router_nth(redis, 0, redis_deadline(redis));
    }
    if (node) {
        node_failed(node, APR_SUCCESS, what);
    }
}

node_t *router_nth(redis_t *redis, int nth, clock_point_t deadline)
{
    if (redis->cluster) {
        return cluster_nth_master(redis->cluster, nth, deadline);
    }
    if (nth > 0) {
        return NULL;
    }
    return choose(redis) ? choose(redis) : &redis->nodes[0];
}
