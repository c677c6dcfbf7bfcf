/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange.c - see exchange.h. Called by router.c and cluster.c, in any thread. Knows what errors
 * say of a server, and nothing of what was asked.
 */
#include "exchange.h"

#include "host.h"

#include <stdio.h>
#include <string.h>

#define REASON_MAX 160

/* What answers another question is known at once: it belongs to another command, or the server makes
 * it up. */
static apr_status_t check_kind(const batch_t *batch, int nth, reply_t *const *replies)
{
    return reply_is_one_of(replies[nth], batch->entries[nth].answers) ? APR_SUCCESS : APR_EINVAL;
}

/* All of the batch over one connection. *answered: how many replies came. */
static apr_status_t converse(connection_t *connection, const batch_t *batch,
                             clock_point_t deadline, reply_t **replies, int *answered)
{
    apr_status_t rv;

    *answered = 0;
    rv = connection_send(connection, batch->bytes, batch->used, deadline);
    while (rv == APR_SUCCESS && *answered < batch->count) {
        rv = connection_receive(connection, &replies[*answered], deadline);
        if (rv == APR_SUCCESS) {
            (*answered)++;
            rv = check_kind(batch, *answered - 1, replies);
        }
    }
    if (rv == APR_SUCCESS && connection_has_more(connection)) {
        rv = APR_EINVAL; /* an answer nobody asked for: the next ones could not be told apart */
    }
    return rv;
}

static void describe(apr_status_t rv, char *reason, apr_size_t size)
{
    if (rv == APR_TIMEUP) {
        snprintf(reason, size, "no answer in time");
    }
    else if (rv == APR_EINVAL) {
        snprintf(reason, size, "its answer makes no sense");
    }
    else {
        snprintf(reason, size, "the connection broke");
    }
}

/* With one retry, over a new connection, where the one from the pool had been closed meanwhile. */
static apr_status_t attempt(node_t *node, const batch_t *batch, clock_point_t deadline,
                            reply_t **replies, char *reason, apr_size_t reason_size)
{
    int tries;

    for (tries = 0;; tries++) {
        connection_t *connection = NULL;
        int answered = 0, was_reused;
        apr_status_t rv;

        rv = node_take(node, tries > 0, deadline, &connection, reason, reason_size);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rv = converse(connection, batch, deadline, replies, &answered);
        if (rv == APR_SUCCESS) {
            node_give(node, connection);
            return APR_SUCCESS;
        }
        was_reused = connection->reused;
        node_drop(node, connection);
        reply_free_all(replies, answered);
        if (rv != APR_ECONNRESET || answered > 0 || !was_reused || tries > 0) {
            describe(rv, reason, reason_size);
            return rv;
        }
    }
}

/* ---- what errors mean ---- */

typedef enum verdict_e {
    VERDICT_FINE,
    VERDICT_ODD,       /* the command is at fault, or our rights */
    VERDICT_READ_ONLY, /* it takes no writes */
    VERDICT_FULL,
    VERDICT_TROUBLE    /* it serves nobody at present */
} verdict_e;

static const struct {
    const char *code;
    verdict_e   verdict;
    const char *reason;
} codes[] = {
    { "WRONGTYPE", VERDICT_FINE, NULL },
    { "MOVED", VERDICT_FINE, NULL },
    { "ASK", VERDICT_FINE, NULL },
    { "OOM", VERDICT_FULL, "it has reached its maxmemory" },
    { "READONLY", VERDICT_READ_ONLY, "it is a read-only replica" },
    { "MISCONF", VERDICT_READ_ONLY, "it cannot write its own data to disk" },
    { "NOREPLICAS", VERDICT_READ_ONLY, "it has too few replicas" },
    { "LOADING", VERDICT_TROUBLE, "it is loading its data" },
    { "MASTERDOWN", VERDICT_TROUBLE, "it has lost its master" },
    { "CLUSTERDOWN", VERDICT_TROUBLE, "the cluster is down" },
    { "BUSY", VERDICT_TROUBLE, "it is busy with a script" },
    { "NOAUTH", VERDICT_TROUBLE, "it asks for a password" },
};

#define CODE_COUNT (sizeof(codes) / sizeof(codes[0]))

/* Up to version 6 a script's error is "ERR Error running script ...: -OOM command ...". */
static int is_inner_error(const reply_t *reply, const char *code)
{
    const char *found = reply->text.data;
    apr_size_t len = strlen(code);

    if (!reply_is_error(reply, "ERR")) {
        return 0;
    }
    for (found = strstr(found, " -"); found; found = strstr(found + 2, " -")) {
        if (strncmp(found + 2, code, len) == 0) {
            return 1;
        }
    }
    return 0;
}

static verdict_e judge_one(const reply_t *reply, const char **reason)
{
    apr_size_t i;

    if (reply->type != REPLY_ERROR) {
        return VERDICT_FINE;
    }
    for (i = 0; i < CODE_COUNT; i++) {
        if (reply_is_error(reply, codes[i].code) || is_inner_error(reply, codes[i].code)) {
            *reason = codes[i].reason;
            return codes[i].verdict;
        }
    }
    return VERDICT_ODD;
}

static void log_odd(node_t *node, const reply_t *reply)
{
    char code[24];

    if (node_may_complain(node)) {
        connection_error_code(reply, code, sizeof(code));
        host_log(node->env, STORER_LOG_WARNING, APR_SUCCESS,
                 "redis: %s:%d refuses a command with %s: what it is asked for is not cached (said "
                 "once a minute)", node->name, node->port, code);
    }
}

/* The worst of the answers decides. */
static apr_status_t judge(node_t *node, reply_t *const *replies, int count, exchange_kind_e kind)
{
    verdict_e worst = VERDICT_FINE;
    const char *reason = NULL;
    const reply_t *culprit = NULL;
    int i;

    for (i = 0; i < count; i++) {
        const char *why = NULL;
        verdict_e verdict = judge_one(replies[i], &why);

        if (verdict > worst) {
            worst = verdict;
            reason = why;
            culprit = replies[i];
        }
    }
    if (worst == VERDICT_TROUBLE) {
        node_failed(node, APR_SUCCESS, reason);
        return APR_EAGAIN;
    }
    node_succeeded(node);
    switch (worst) {
        case VERDICT_ODD:
            log_odd(node, culprit);
            return APR_EGENERAL;
        case VERDICT_FULL:
            node_write_failed(node, reason);
            return APR_ENOSPC;
        case VERDICT_READ_ONLY:
            node_write_failed(node, reason);
            return APR_EAGAIN;
        default:
            if (kind == EXCHANGE_WRITE) {
                node_write_succeeded(node);
            }
            return APR_SUCCESS;
    }
}

/* Each breaker that gave its turn is told how it went. */
static int has_turn(node_t *node, exchange_kind_e kind)
{
    clock_point_t now = 0;

    if (breaker_is_closed(&node->reach) && breaker_is_closed(&node->write)) {
        return 1; /* without a look at the clock */
    }
    now = clock_now();
    if (!breaker_allows(&node->reach, now)) {
        return 0;
    }
    if (kind == EXCHANGE_WRITE && !breaker_allows(&node->write, now)) {
        breaker_skipped(&node->reach);
        return 0;
    }
    return 1;
}

static void skip_write_turn(node_t *node, exchange_kind_e kind)
{
    if (kind == EXCHANGE_WRITE && !breaker_is_closed(&node->write)) {
        breaker_skipped(&node->write);
    }
}

apr_status_t exchange_run(node_t *node, const batch_t *batch, exchange_kind_e kind,
                          clock_point_t deadline, reply_t **replies)
{
    char reason[REASON_MAX] = "";
    apr_status_t rv;

    if (batch->failed) {
        return APR_ENOMEM;
    }
    if (clock_left(deadline) == 0) { /* spent elsewhere, which is not this server's fault */
        return APR_TIMEUP;
    }
    if (!has_turn(node, kind)) {
        return APR_EAGAIN;
    }
    rv = attempt(node, batch, deadline, replies, reason, sizeof(reason));
    if (rv == APR_EAGAIN) { /* no connection was free: that says nothing of the server */
        breaker_skipped(&node->reach);
        skip_write_turn(node, kind);
        return rv;
    }
    if (rv != APR_SUCCESS) {
        node_failed(node, rv, reason);
        skip_write_turn(node, kind);
        return rv;
    }
    rv = judge(node, replies, batch->count, kind);
    if (rv != APR_SUCCESS) {
        skip_write_turn(node, kind);
        reply_free_all(replies, batch->count);
    }
    return rv;
}
