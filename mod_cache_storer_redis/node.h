/* SPDX-License-Identifier: Apache-2.0
 *
 * node.h - one server, as a process sees it: its address, a bounded pool of connections, and the two
 * breakers (it is out of reach; it takes no writes). Made in the parent, used after the fork: a
 * process opens its own connections when it first needs them.
 */
#ifndef NODE_H
#define NODE_H

#include "address.h"
#include "breaker.h"
#include "connection.h"

#include <pthread.h>

typedef struct node_t {
    /* immutable after creation, but for address: set before a node is published */
    const options_t    *options;
    const storer_env_t *env;
    const tls_t        *tls;
    char                name[256];   /* host, or path */
    int                 port;
    address_t           address;

    /* atomic */
    breaker_t   reach, write;
    atomic_uint turns;               /* of the addresses */
    _Atomic apr_int64_t complained;  /* when the last odd error was logged */

    pthread_mutex_t lock;
    pthread_cond_t  freed;
    /* guarded by lock */
    connection_t *idle;              /* last in, first out: those not needed grow old */
    int           count;             /* idle or in use */
} node_t;

/** The name is copied. No socket is opened, nothing looked up. */
void node_init(node_t *node, const char *name, int port, const options_t *options,
               const storer_env_t *env, const tls_t *tls);

/** A process begins: what it inherited is not its own. */
void node_child_init(node_t *node);

/** Close what is idle. */
void node_close(node_t *node);

/**
 * A connection, idle or new. Waits no longer than the deadline for one of the bounded number.
 * @param fresh 1: not an idle one; those are closed
 * @return APR_SUCCESS; APR_EAGAIN: all are in use; or what connection_open returned, with reason
 */
apr_status_t node_take(node_t *node, int fresh, clock_point_t deadline, connection_t **out,
                       char *reason, apr_size_t reason_size);
/** Give it back for reuse. */
void node_give(node_t *node, connection_t *connection);
/** Give it up. */
void node_drop(node_t *node, connection_t *connection);

/** How it went, to the breaker; a transition is logged. `what` is a text of ours. */
void node_succeeded(node_t *node);
void node_failed(node_t *node, apr_status_t rv, const char *what);
void node_write_succeeded(node_t *node);
void node_write_failed(node_t *node, const char *what);

/** Once a minute: an error is worth a line. */
int  node_may_complain(node_t *node);

#endif /* NODE_H */
