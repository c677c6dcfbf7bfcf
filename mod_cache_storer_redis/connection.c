/* SPDX-License-Identifier: Apache-2.0
 *
 * connection.c - see connection.h. Called by the pool and by exchange.c. hiredis parses answers and
 * does TLS; connecting, sending and waiting is done here, because its own time-outs are those of a
 * single read and not of an answer, and because its writes may raise SIGPIPE.
 */
#include "connection.h"

#include <apr_lib.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of the protocol around the content of an answer. */
#define FRAMING_MAX (1024 * 1024)

/* What is read at once. */
#define CHUNK_SIZE (64 * 1024)

/* Room that a connection keeps between answers: one of ordinary length needs no memory anew. */
#define BUFFER_KEPT (256 * 1024)

/* A connection that was used a moment ago is looked at again only now and then: that costs a system
 * call, and one that has an answer too many in it is found out soon enough. */
#define QUIET_AFTER (1000 /* us */)
#define QUIET_EVERY 64

static apr_status_t wait_for(int fd, short events, clock_point_t deadline)
{
    struct pollfd waiting = { fd, events, 0 };
    int ready;

    do {
        int left = clock_left(deadline);

        if (left == 0) {
            return APR_TIMEUP;
        }
        ready = poll(&waiting, 1, left);
    } while (ready < 0 && errno == EINTR);
    if (ready < 0) {
        return errno;
    }
    return ready == 0 ? APR_TIMEUP : APR_SUCCESS;
}

static apr_status_t connect_socket(int fd, const struct sockaddr *to, socklen_t len,
                                   clock_point_t deadline)
{
    int error = 0;
    socklen_t size = sizeof(error);
    apr_status_t rv;

    if (connect(fd, to, len) == 0) {
        return APR_SUCCESS;
    }
    if (errno == EAGAIN) { /* a unix socket with its queue full */
        return APR_ECONNREFUSED;
    }
    if (errno != EINPROGRESS) {
        return errno;
    }
    rv = wait_for(fd, POLLOUT, deadline);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        return errno;
    }
    return error;
}

static apr_status_t open_socket(int *out, const address_t *address, unsigned which,
                                clock_point_t deadline)
{
    const struct sockaddr_storage *to;
    int fd, on = 1;
    apr_status_t rv;

    if (address->count == 0) {
        return APR_NOTFOUND;
    }
    which %= (unsigned)address->count;
    to = &address->socket[which];
    fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return errno;
    }
    if (to->ss_family != AF_UNIX) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    rv = connect_socket(fd, (const struct sockaddr *)to, address->length[which], deadline);
    if (rv != APR_SUCCESS) {
        (void)close(fd);
        return rv;
    }
    *out = fd;
    return APR_SUCCESS;
}

/* From now on a read waits by itself for as long as an operation may take: one system call in place of
 * three for nearly every answer. What must not wait says so by MSG_DONTWAIT. */
static apr_status_t make_blocking(int fd, apr_interval_time_t timeout)
{
    struct timeval patience = { timeout / APR_USEC_PER_SEC, timeout % APR_USEC_PER_SEC };
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0
        || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0) {
        return errno;
    }
    return APR_SUCCESS;
}

static apr_status_t create(connection_t **out, int fd)
{
    connection_t *connection = calloc(1, sizeof(*connection));

    if (!connection) {
        return APR_ENOMEM;
    }
    connection->context = redisConnectFd(fd);
    if (!connection->context || connection->context->err) {
        if (connection->context) {
            connection->context->fd = -1;
            redisFree(connection->context);
        }
        free(connection);
        return APR_ENOMEM;
    }
    connection->context->flags &= ~REDIS_BLOCK;
    connection->context->reader->fn = &reply_functions;
    connection->context->reader->privdata = &connection->limits;
    connection->context->reader->maxbuf = BUFFER_KEPT;
    connection->limits.bytes_max = CONNECTION_REPLY_MAX;
    connection->limits.nodes_max = 256 * 1024;
    *out = connection;
    return APR_SUCCESS;
}

void connection_close(connection_t *connection)
{
    redisFree(connection->context);
    free(connection);
}

/* ---- sending ---- */

static apr_status_t send_plain(const connection_t *connection, const char *bytes, apr_size_t len,
                               clock_point_t deadline)
{
    int fd = connection->context->fd;

    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent >= 0) {
            bytes += sent;
            len -= (apr_size_t)sent;
        }
        else if (errno == EAGAIN) {
            apr_status_t rv = wait_for(fd, POLLOUT, deadline);

            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        else if (errno != EINTR) {
            return APR_ECONNRESET;
        }
    }
    return APR_SUCCESS;
}

apr_status_t connection_send(connection_t *connection, const char *bytes, apr_size_t len,
                             clock_point_t deadline)
{
    if (!connection->tls) {
        return send_plain(connection, bytes, len, deadline);
    }
    return tls_send(connection->context, bytes, len, deadline);
}

/* ---- receiving ---- */

/* Whatever has arrived, to the parser. */
static apr_status_t read_plain(const connection_t *connection, int flags)
{
    char buffer[CHUNK_SIZE];
    ssize_t got = recv(connection->context->fd, buffer, sizeof(buffer), flags);

    if (got == 0) {
        return APR_ECONNRESET;
    }
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? APR_EAGAIN : APR_ECONNRESET;
    }
    if (redisReaderFeed(connection->context->reader, buffer, (size_t)got) != REDIS_OK) {
        return APR_EINVAL;
    }
    return APR_SUCCESS;
}

/* Reads and waits by itself where that cannot take longer than the deadline allows, but for what has
 * passed of the time between taking the connection and sending: the socket's patience is that of a
 * whole operation. */
static apr_status_t read_some(connection_t *connection, clock_point_t deadline)
{
    const redisReader *reader = connection->context->reader;
    int may_block = !connection->tls
                    && deadline - clock_now() > connection->patience - QUIET_AFTER;
    apr_status_t rv = connection->tls ? tls_read(connection->context)
                                      : read_plain(connection, may_block ? 0 : MSG_DONTWAIT);

    if (rv == APR_EAGAIN) {
        return wait_for(connection->context->fd, POLLIN, deadline);
    }
    if (rv == APR_SUCCESS
        && reader->len - reader->pos > connection->limits.bytes_max + FRAMING_MAX) {
        return APR_EINVAL;
    }
    /* a server that never stops sending would never let poll() tell the time */
    if (rv == APR_SUCCESS && clock_left(deadline) == 0) {
        return APR_TIMEUP;
    }
    return rv;
}

apr_status_t connection_receive(connection_t *connection, reply_t **out, clock_point_t deadline)
{
    redisReader *reader = connection->context->reader;

    connection->limits.bytes = connection->limits.nodes = 0;
    for (;;) {
        void *reply = NULL;
        apr_status_t rv;

        if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
            return APR_EINVAL;
        }
        if (reply) {
            *out = reply;
            return APR_SUCCESS;
        }
        rv = read_some(connection, deadline);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
}

int connection_has_more(const connection_t *connection)
{
    const redisReader *reader = connection->context->reader;

    return reader->pos < reader->len;
}

/* TLS has messages of its own that may lie there unread. */
int connection_is_quiet(connection_t *connection)
{
    char byte;
    ssize_t got;

    if (clock_now() - connection->idle_since < QUIET_AFTER
        && ++connection->unseen % QUIET_EVERY != 0) {
        return 1;
    }
    got = recv(connection->context->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return got < 0 ? errno == EAGAIN : got > 0 && connection->tls;
}

void connection_error_code(const reply_t *reply, char *code, apr_size_t size)
{
    apr_size_t len = 0;

    while (len + 1 < size && len < reply->text.len && apr_isupper(reply->text.data[len])) {
        code[len] = reply->text.data[len];
        len++;
    }
    if (len == 0) {
        snprintf(code, size, "an error");
        return;
    }
    code[len] = '\0';
}

/* ---- logging in ---- */

/* One command and its answer, which must be OK. */
static apr_status_t ask(connection_t *connection, int count, const char **words,
                        clock_point_t deadline, char *reason, apr_size_t reason_size)
{
    char *bytes = NULL;
    reply_t *reply = NULL;
    apr_status_t rv;
    long long len;

    len = redisFormatCommandArgv(&bytes, count, words, NULL);
    if (len < 0) {
        return APR_ENOMEM;
    }
    rv = connection_send(connection, bytes, (apr_size_t)len, deadline);
    redisFreeCommand(bytes);
    if (rv == APR_SUCCESS) {
        rv = connection_receive(connection, &reply, deadline);
    }
    if (rv != APR_SUCCESS) {
        snprintf(reason, reason_size, "no answer to %s", words[0]);
        return rv;
    }
    if (reply->type == REPLY_ERROR) {
        char code[24];

        connection_error_code(reply, code, sizeof(code));
        snprintf(reason, reason_size, "%s was answered with %s", words[0], code);
        rv = APR_EACCES;
    }
    else if (reply->type != REPLY_STATUS) {
        snprintf(reason, reason_size, "no sensible answer to %s", words[0]);
        rv = APR_EINVAL;
    }
    reply_free(reply);
    return rv;
}

static apr_status_t log_in(connection_t *connection, const options_t *options,
                           clock_point_t deadline, char *reason, apr_size_t reason_size)
{
    char database[16];
    apr_status_t rv = APR_SUCCESS;

    if (options->password) {
        const char *words[3] = { "AUTH", options->user, options->password };

        if (!options->user) {
            words[1] = options->password;
        }
        rv = ask(connection, options->user ? 3 : 2, words, deadline, reason, reason_size);
    }
    if (rv == APR_SUCCESS && options->database != 0) {
        const char *words[2] = { "SELECT", database };

        snprintf(database, sizeof(database), "%d", options->database);
        rv = ask(connection, 2, words, deadline, reason, reason_size);
    }
    return rv;
}

apr_status_t connection_open(connection_t **out, const options_t *options, const tls_t *tls,
                             const address_t *address, const char *name, unsigned which,
                             clock_point_t deadline, char *reason, apr_size_t reason_size)
{
    connection_t *connection = NULL;
    apr_status_t rv;
    int fd = -1;

    snprintf(reason, reason_size, address->count ? "cannot connect" : "its name is not known");
    rv = open_socket(&fd, address, which, deadline);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = create(&connection, fd);
    if (rv != APR_SUCCESS) {
        (void)close(fd);
        return rv;
    }
    if (options->tls) {
        rv = tls_start(tls, connection->context, name);
        connection->tls = 1;
        snprintf(reason, reason_size, "no TLS with it");
    }
    else {
        rv = make_blocking(fd, options->timeout);
        connection->patience = options->timeout;
    }
    if (rv == APR_SUCCESS) {
        rv = log_in(connection, options, deadline, reason, reason_size);
    }
    if (rv != APR_SUCCESS) {
        connection_close(connection);
        return rv;
    }
    *out = connection;
    return APR_SUCCESS;
}
