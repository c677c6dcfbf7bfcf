/* SPDX-License-Identifier: Apache-2.0
 *
 * router.h - a batch to the server that is to have it.
 */
#ifndef ROUTER_H
#define ROUTER_H

#include "exchange.h"
#include "redis.h"

/**
 * As exchange_run, at the node of the batch's slot, which all keys in it must share; redirections
 * are followed. Among the errors only WRONGTYPE is handed on.
 */
apr_status_t router_run(redis_t *redis, const batch_t *batch, exchange_kind_e kind,
                        clock_point_t deadline, reply_t **replies);

/** A batch of one command, which is ended. */
apr_status_t router_run_one(redis_t *redis, batch_t *batch, exchange_kind_e kind,
                            clock_point_t deadline, reply_t **reply);

/** What the server says of a thing makes no sense, though each answer did: its breaker opens.
 * kind: of what there is one. */
void router_blame(redis_t *redis, names_kind_e kind, const char *what);

/** The nth server that holds keys; NULL: there are no more. For walks. */
node_t *router_nth(redis_t *redis, int nth, clock_point_t deadline);

#endif /* ROUTER_H */
