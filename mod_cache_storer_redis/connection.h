/* SPDX-License-Identifier: Apache-2.0
 *
 * connection.h - one connection to one server: opened with name and password, bytes out, answers in,
 * each within a deadline. Used by one thread at a time. After any failure it can only be closed:
 * nobody knows which answer would come next.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "address.h"
#include "clock.h"
#include "options.h"
#include "reply.h"
#include "tls.h"

typedef struct connection_t connection_t;
struct connection_t {
    redisContext  *context;
    reply_limits_t limits;
    clock_point_t  idle_since;  /**< the pool's */
    connection_t  *next;        /**< the pool's */
    apr_interval_time_t patience;  /**< how long a read waits by itself; not with TLS */
    unsigned       unseen;      /**< uses since it was looked at */
    int            tls;
    int            reused;      /**< it has served before, so the server may have closed it since */
};

/** What one answer may be: the longest part of a value, or a mapping with its overhead. */
#define CONNECTION_REPLY_MAX (4 * 1024 * 1024)

/**
 * Connect, log in, select the database.
 * @param which  the address to try, counted round
 * @param reason set on failure: a constant text, or the server's error code in buffer
 * @return APR_SUCCESS; APR_TIMEUP; APR_EACCES: the server refused to let us in; or why there is no
 *         connection
 */
apr_status_t connection_open(connection_t **out, const options_t *options, const tls_t *tls,
                             const address_t *address, const char *name, unsigned which,
                             clock_point_t deadline, char *reason, apr_size_t reason_size);
void connection_close(connection_t *connection);

/** APR_SUCCESS; APR_TIMEUP; APR_ECONNRESET: the connection is broken. */
apr_status_t connection_send(connection_t *connection, const char *bytes, apr_size_t len,
                             clock_point_t deadline);

/** The next answer. APR_SUCCESS; APR_TIMEUP; APR_ECONNRESET; APR_EINVAL: that is no answer, or one
 * larger than any of ours. */
apr_status_t connection_receive(connection_t *connection, reply_t **out, clock_point_t deadline);

/** Is there anything unread? After the last answer there must not be. */
int connection_has_more(const connection_t *connection);

/** Before it is used again (and not each time, where that is often): is there nothing to be read from
 * it, neither an answer that nobody asked
 * for (the next ones would be taken for each other's) nor its end? */
int connection_is_quiet(connection_t *connection);

/** The first word of an error as a name for logs: a server could put anything behind it, our
 * password included. */
void connection_error_code(const reply_t *reply, char *code, apr_size_t size);

#endif /* CONNECTION_H */
