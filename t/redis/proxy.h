/* SPDX-License-Identifier: Apache-2.0
 *
 * proxy.h - between the engine and a Redis server, in a thread of the test: passes everything on, or
 * does what networks, middle boxes and broken servers do.
 */
#ifndef PROXY_H
#define PROXY_H

#include <storer.h>

typedef enum proxy_mode_e {
    PROXY_PASS,
    PROXY_REFUSE,         /**< each connection is closed as soon as something is asked */
    PROXY_CUT,            /**< after `amount` bytes of answers a connection is closed */
    PROXY_DELAY,          /**< each answer comes `amount` milliseconds late */
    PROXY_SWALLOW,        /**< no answer ever comes */
    PROXY_CORRUPT,        /**< one byte in about `amount` of the answers is another */
    PROXY_CORRUPT_BOTH,   /**< of the questions, too */
    PROXY_EXTRA,          /**< behind each answer comes one that nobody asked for */
    PROXY_FLOOD,          /**< the answer never ends */
    PROXY_SAY,            /**< each command is answered with a text, and not passed on */
    PROXY_LIE             /**< see proxy_lie() */
} proxy_mode_e;

typedef struct proxy_t proxy_t;

/** Begins to listen; ends with pool. */
proxy_t *proxy_start(int server_port, apr_pool_t *pool);
int      proxy_port(const proxy_t *proxy);

/** From now on, for all connections. */
void proxy_set(proxy_t *proxy, proxy_mode_e mode, unsigned amount);
/** PROXY_SAY with this text, a complete answer, which is kept. */
void proxy_say(proxy_t *proxy, const char *text);
/** What a server that lies answers to a command: a complete answer, which the caller frees; data NULL:
 * the truth. In the thread of the proxy. */
typedef storer_bytes_t proxy_lie_fn(void *baton, const char *verb);
/** PROXY_LIE: commands that come in one go are all answered with lies, or, if it has no lie for the
 * first of them, are all passed on. Those that it has no lie for are then answered with nil. */
void proxy_lie(proxy_t *proxy, proxy_lie_fn *fn, void *baton);
/** Close all connections there are. */
void proxy_hang_up(proxy_t *proxy);
/** Connections that were made so far. */
unsigned proxy_connections(const proxy_t *proxy);
/** How often a client has asked after it was answered, over all connections: round trips. */
unsigned proxy_rounds(const proxy_t *proxy);

#endif /* PROXY_H */
