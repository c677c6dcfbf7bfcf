/* SPDX-License-Identifier: Apache-2.0
 *
 * node.c - see node.h. Called by exchange.c, cluster.c and redis.c, in any thread.
 *
 * The lock is held for list operations only: connecting, closing and logging are done without it.
 */
#include "node.h"

#include "host.h"

#include <stdio.h>
#include <string.h>

/* Longer idle ones are not worth their place; the server may have closed them as well. */
#define IDLE_MAX (60 * APR_USEC_PER_SEC)

static void init_locks(node_t *node)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&node->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&node->freed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void node_init(node_t *node, const char *name, int port, const options_t *options,
               const storer_env_t *env, const tls_t *tls)
{
    memset(node, 0, sizeof(*node));
    node->options = options;
    node->env = env;
    node->tls = tls;
    node->port = port;
    snprintf(node->name, sizeof(node->name), "%s", name);
    breaker_init(&node->reach, options->interval);
    breaker_init(&node->write, options->interval);
    init_locks(node);
}

/* The parent may have used it (it never does under httpd). Its sockets are closed here, without a
 * word to the server: the connections live on in the parent. */
void node_child_init(node_t *node)
{
    init_locks(node);
    node_close(node);
    node->count = 0;
    breaker_init(&node->reach, node->options->interval);
    breaker_init(&node->write, node->options->interval);
}

/* ---- the pool ---- */

static connection_t *take_all(node_t *node)
{
    connection_t *list, *each;

    pthread_mutex_lock(&node->lock);
    list = node->idle;
    node->idle = NULL;
    for (each = list; each; each = each->next) {
        node->count--;
    }
    pthread_cond_broadcast(&node->freed);
    pthread_mutex_unlock(&node->lock);
    return list;
}

static void close_all(connection_t *list)
{
    while (list) {
        connection_t *next = list->next;

        connection_close(list);
        list = next;
    }
}

void node_close(node_t *node)
{
    close_all(take_all(node));
}

/* The ones behind the first that is too old are older still. */
static connection_t *cut_old_locked(node_t *node, clock_point_t now)
{
    connection_t **place = &node->idle, *old, *each;

    while (*place && now - (*place)->idle_since < IDLE_MAX) {
        place = &(*place)->next;
    }
    old = *place;
    *place = NULL;
    for (each = old; each; each = each->next) {
        node->count--;
    }
    return old;
}

/* An idle connection, or (NULL) the right to open one. */
static apr_status_t wait_for_place(node_t *node, clock_point_t deadline, connection_t **out)
{
    struct timespec until = { deadline / APR_USEC_PER_SEC, deadline % APR_USEC_PER_SEC * 1000 };
    connection_t *old;
    int waited = 0;

    pthread_mutex_lock(&node->lock);
    while (!node->idle && node->count >= node->options->pool && waited == 0) {
        waited = pthread_cond_timedwait(&node->freed, &node->lock, &until);
    }
    old = cut_old_locked(node, clock_now());
    *out = node->idle;
    if (*out) {
        node->idle = (*out)->next;
        (*out)->next = NULL;
    }
    else if (node->count < node->options->pool) {
        node->count++;
    }
    else {
        pthread_mutex_unlock(&node->lock);
        close_all(old);
        return APR_EAGAIN;
    }
    pthread_mutex_unlock(&node->lock);
    close_all(old);
    return APR_SUCCESS;
}

static void give_place_back(node_t *node)
{
    pthread_mutex_lock(&node->lock);
    node->count--;
    pthread_cond_signal(&node->freed);
    pthread_mutex_unlock(&node->lock);
}

apr_status_t node_take(node_t *node, int fresh, clock_point_t deadline, connection_t **out,
                       char *reason, apr_size_t reason_size)
{
    connection_t *connection = NULL;
    apr_status_t rv;

    if (fresh) {
        node_close(node);
    }
    rv = wait_for_place(node, deadline, &connection);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (connection && connection_is_quiet(connection)) {
        connection->reused = 1;
        *out = connection;
        return APR_SUCCESS;
    }
    if (connection) { /* its place is taken by a new one */
        connection_close(connection);
    }
    rv = connection_open(out, node->options, node->tls, &node->address, node->name,
                         atomic_load(&node->turns), deadline, reason, reason_size);
    if (rv != APR_SUCCESS) {
        atomic_fetch_add(&node->turns, 1);
        give_place_back(node);
    }
    return rv;
}

void node_give(node_t *node, connection_t *connection)
{
    connection->idle_since = clock_now();
    pthread_mutex_lock(&node->lock);
    connection->next = node->idle;
    node->idle = connection;
    pthread_cond_signal(&node->freed);
    pthread_mutex_unlock(&node->lock);
}

void node_drop(node_t *node, connection_t *connection)
{
    connection_close(connection);
    give_place_back(node);
}

/* ---- the breakers, and the one line of each transition ---- */

void node_succeeded(node_t *node)
{
    if (breaker_succeeded(&node->reach)) {
        host_log(node->env, STORER_LOG_NOTICE, APR_SUCCESS, "redis: %s:%d answers again",
                 node->name, node->port);
    }
}

void node_failed(node_t *node, apr_status_t rv, const char *what)
{
    if (breaker_failed(&node->reach, clock_now())) {
        host_log(node->env, STORER_LOG_WARNING, rv,
                 "redis: %s:%d: %s; until it answers again nothing is cached there, and it is "
                 "asked once in %d ms", node->name, node->port, what,
                 (int)(node->options->interval / 1000));
    }
}

void node_write_succeeded(node_t *node)
{
    if (breaker_succeeded(&node->write)) {
        host_log(node->env, STORER_LOG_NOTICE, APR_SUCCESS, "redis: %s:%d takes values again",
                 node->name, node->port);
    }
}

void node_write_failed(node_t *node, const char *what)
{
    if (breaker_failed(&node->write, clock_now())) {
        host_log(node->env, STORER_LOG_WARNING, APR_SUCCESS,
                 "redis: %s:%d takes no values (%s); what it has is served, and a store is tried "
                 "once in %d ms", node->name, node->port, what,
                 (int)(node->options->interval / 1000));
    }
}

int node_may_complain(node_t *node)
{
    apr_int64_t now = clock_now(), last = atomic_load(&node->complained);

    if (last != 0 && now - last < 60 * APR_USEC_PER_SEC) {
        return 0;
    }
    return atomic_compare_exchange_strong(&node->complained, &last, now);
}
