/* SPDX-License-Identifier: Apache-2.0
 *
 * cluster.h - which node of a Redis Cluster serves which slot. A map per process, read without a
 * lock; it is asked for again when a node says that it is wrong or does not answer.
 */
#ifndef CLUSTER_H
#define CLUSTER_H

#include "names.h"
#include "node.h"

#define CLUSTER_NODES_MAX 1024

typedef struct cluster_t cluster_t;

/** Seeds: the nodes of the configuration, which the caller keeps. In env->pool. */
cluster_t *cluster_create(node_t *seeds, int seed_count, const options_t *options,
                          const storer_env_t *env, const tls_t *tls);
void cluster_child_init(cluster_t *cluster);
void cluster_close(cluster_t *cluster);

/** The node of a slot; asks for the map where there is none. NULL: not known. */
node_t *cluster_node(cluster_t *cluster, int slot, clock_point_t deadline);

/** A MOVED or ASK error: the node it points to, NULL where it makes no sense. MOVED changes the
 * map. */
node_t *cluster_redirect(cluster_t *cluster, const reply_t *error, const node_t *from);

/** A node failed: it may have a successor. Asks for the map, at most once in an interval. */
void cluster_doubt(cluster_t *cluster, clock_point_t deadline);

/** The nth node that serves any slot, counted from 0; NULL: there are no more. */
node_t *cluster_nth_master(cluster_t *cluster, int nth, clock_point_t deadline);

#endif /* CLUSTER_H */
