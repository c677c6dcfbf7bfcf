/* SPDX-License-Identifier: Apache-2.0
 *
 * server.h - Redis servers of the tests' own: on free ports of 127.0.0.1, in a temporary folder,
 * ended with the test whatever becomes of it. For one thread.
 */
#ifndef SERVER_H
#define SERVER_H

#include <storer_host.h>

#include <sys/types.h>

typedef struct server_t {
    pid_t       pid;       /**< 0: not running */
    int         port;
    const char *folder;
    const char *socket;    /**< path of its unix socket */
    const char *const *arguments;
    apr_pool_t *pool;
} server_t;

/** Is there a redis-server? Else the tests that need one are skipped. */
int server_is_installed(void);

/** For a test program that is nothing without one: skips all of it, or sets APR up. @return a pool */
apr_pool_t *server_begin_test(void);

/** A new server with these further arguments (NULL-terminated; may be NULL; kept). Bails out where it
 * does not come up. Stopped and its folder removed with pool. */
server_t *server_start(const char *const *arguments, apr_pool_t *pool);

void server_pause(server_t *server);      /**< SIGSTOP, and until it has stopped */
void server_continue(server_t *server);
void server_kill(server_t *server);       /**< SIGKILL */
void server_restart(server_t *server);    /**< at the same port; empty, after a kill */

/** Send one command by a connection of its own and read the answer's bytes, up to size - 1, as they
 * come: good for short ones. words end with NULL. Bails out where there is no answer. */
void server_ask(const server_t *server, char *answer, apr_size_t size, const char *const *words);
/** The same with any bytes as words, which end with data NULL. */
void server_ask_bytes(const server_t *server, char *answer, apr_size_t size,
                      const storer_bytes_t *words);
/** The answer as an integer (":5"); -1: it is none. */
long server_ask_number(const server_t *server, const char *const *words);

/** A cluster of three masters, all slots covered. servers: 3 of them. */
void server_start_cluster(server_t **servers, apr_pool_t *pool);

/** A port of 127.0.0.1 that nobody uses. */
int server_free_port(void);

#endif /* SERVER_H */
