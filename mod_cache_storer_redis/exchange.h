/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange.h - a batch sent to one server and its answers, judged: what is the server's trouble goes
 * to its breakers, what is an answer to the caller.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "batch.h"
#include "node.h"

typedef enum exchange_kind_e {
    EXCHANGE_READ,   /**< also deletions: a full server takes those */
    EXCHANGE_WRITE   /**< stores something: not tried while the server takes no writes */
} exchange_kind_e;

/**
 * Run a batch. A connection that turns out to be broken before the first answer is replaced, once:
 * so a batch must be one that may be run twice.
 * @param replies as many as the batch has commands; the caller frees them. Among the errors only
 *        WRONGTYPE and those of a cluster (MOVED, ASK) are handed on.
 * @return APR_SUCCESS; APR_TIMEUP; APR_EAGAIN: the server is not asked at present, or is in trouble;
 *         APR_ENOSPC: it is full; anything else: it is out of reach, or its answers make no sense.
 *         No reply is left then.
 */
apr_status_t exchange_run(node_t *node, const batch_t *batch, exchange_kind_e kind,
                          clock_point_t deadline, reply_t **replies);

#endif /* EXCHANGE_H */
