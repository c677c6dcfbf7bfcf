/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.c - the load client's connection, see wire.h.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 30
#define LINE_MAX_LENGTH  8192
#define UNFRAMED         (-2)

void wire_init(wire_t *wire, int port)
{
    wire->port = port;
    wire->socket = -1;
    wire->from = 0;
    wire->to = 0;
}

void wire_close(wire_t *wire)
{
    if (wire->socket >= 0) {
        close(wire->socket);
    }
    wire_init(wire, wire->port);
}

static wire_end_e connect_wire(wire_t *wire)
{
    struct timeval patience = { PATIENCE_SECONDS, 0 };
    struct sockaddr_in address;
    int on = 1;

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_port = htons((in_port_t)wire->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    wire->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (wire->socket < 0) {
        return WIRE_REFUSED;
    }
    setsockopt(wire->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(wire->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    setsockopt(wire->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(wire->socket, (struct sockaddr *)&address, sizeof(address)) != 0) {
        wire_end_e end = errno == EINPROGRESS || errno == EAGAIN ? WIRE_TIMEOUT : WIRE_REFUSED;

        wire_close(wire);
        return end;
    }
    return WIRE_OK;
}

wire_end_e wire_send(wire_t *wire, const char *request, size_t len)
{
    if (wire->socket < 0) {
        wire_end_e end = connect_wire(wire);

        if (end != WIRE_OK) {
            return end;
        }
    }
    while (len > 0) {
        ssize_t sent = send(wire->socket, request, len, MSG_NOSIGNAL);

        if (sent <= 0) {
            return errno == EAGAIN ? WIRE_TIMEOUT : WIRE_LOST;
        }
        request += sent;
        len -= (size_t)sent;
    }
    return WIRE_OK;
}

/* More bytes into the buffer; WIRE_BROKEN at the end of the connection. */
static wire_end_e fill(wire_t *wire)
{
    ssize_t got;

    if (wire->from == wire->to) {
        wire->from = 0;
        wire->to = 0;
    }
    if (wire->to == sizeof(wire->buffer)) {
        memmove(wire->buffer, wire->buffer + wire->from, wire->to - wire->from);
        wire->to -= wire->from;
        wire->from = 0;
    }
    if (wire->to == sizeof(wire->buffer)) {
        return WIRE_MALFORMED;
    }
    got = recv(wire->socket, wire->buffer + wire->to, sizeof(wire->buffer) - wire->to, 0);
    if (got > 0) {
        wire->to += (size_t)got;
        return WIRE_OK;
    }
    if (got < 0 && errno == EAGAIN) {
        return WIRE_TIMEOUT;
    }
    return WIRE_BROKEN;
}

/* A line without its end, NUL-terminated; out has LINE_MAX_LENGTH bytes. */
static wire_end_e read_line(wire_t *wire, char *out)
{
    for (;;) {
        char *start = wire->buffer + wire->from;
        char *end = memchr(start, '\n', wire->to - wire->from);
        wire_end_e rv;

        if (end) {
            size_t len = (size_t)(end - start);

            if (len == 0 || end[-1] != '\r' || len > LINE_MAX_LENGTH) {
                return WIRE_MALFORMED;
            }
            memcpy(out, start, len - 1);
            out[len - 1] = '\0';
            wire->from += len + 1;
            return WIRE_OK;
        }
        rv = fill(wire);
        if (rv != WIRE_OK) {
            return rv;
        }
    }
}

static const char *value_of(const char *line, const char *name)
{
    size_t len = strlen(name);

    if (strncasecmp(line, name, len) != 0 || line[len] != ':') {
        return NULL;
    }
    return line + len + 1 + strspn(line + len + 1, " ");
}

static void parse_field(wire_head_t *head, const char *line, int *framed)
{
    const char *value = value_of(line, "Content-Length");

    if (value) {
        head->length = strtoll(value, NULL, 10);
        *framed = 1;
        return;
    }
    value = value_of(line, "Transfer-Encoding");
    if (value) {
        head->length = -1;
        *framed = strcasecmp(value, "chunked") == 0;
        return;
    }
    value = value_of(line, "Connection");
    if (value) {
        head->close = strcasecmp(value, "close") == 0;
        return;
    }
    value = value_of(line, "X-Seed");
    if (value) {
        snprintf(head->seed, sizeof(head->seed), "%s", value);
        return;
    }
    value = value_of(line, "X-Identity");
    if (value) {
        snprintf(head->identity, sizeof(head->identity), "%s", value);
        return;
    }
    value = value_of(line, "X-Cache");
    if (value) {
        snprintf(head->cache, sizeof(head->cache), "%.*s", (int)strcspn(value, " "), value);
        return;
    }
    value = value_of(line, "Content-Range");
    if (value && strncmp(value, "bytes ", 6) == 0) {
        head->range_from = strtoll(value + 6, NULL, 10);
    }
}

static wire_end_e read_fields(wire_t *wire, wire_head_t *head)
{
    char line[LINE_MAX_LENGTH];
    int framed = 0;

    for (;;) {
        wire_end_e rv = read_line(wire, line);

        if (rv != WIRE_OK) {
            return rv;
        }
        if (line[0] == '\0') {
            break;
        }
        parse_field(head, line, &framed);
    }
    if (head->status == 204 || head->status == 304) {
        head->length = 0;
    }
    else if (!framed) {
        head->length = UNFRAMED; /* an answer to HEAD may be */
    }
    return WIRE_OK;
}

wire_end_e wire_read_head(wire_t *wire, wire_head_t *head)
{
    char line[LINE_MAX_LENGTH];
    int begun = wire->from < wire->to;
    wire_end_e rv;

    do {
        memset(head, 0, sizeof(*head));
        head->range_from = -1;
        if (!begun) {
            rv = fill(wire);
            if (rv != WIRE_OK) {
                return rv == WIRE_BROKEN ? WIRE_LOST : rv;
            }
            begun = 1;
        }
        rv = read_line(wire, line);
        if (rv != WIRE_OK) {
            return rv;
        }
        if (strncmp(line, "HTTP/1.1 ", 9) != 0) {
            return WIRE_MALFORMED;
        }
        head->status = atoi(line + 9);
        rv = read_fields(wire, head);
    } while (rv == WIRE_OK && head->status < 200);
    return rv;
}

static wire_end_e read_bytes(wire_t *wire, long long length, wire_sink_fn *sink, void *baton)
{
    while (length > 0) {
        size_t part = wire->to - wire->from;

        if (part == 0) {
            wire_end_e rv = fill(wire);

            if (rv != WIRE_OK) {
                return rv;
            }
            continue;
        }
        if ((long long)part > length) {
            part = (size_t)length;
        }
        sink(baton, wire->buffer + wire->from, part);
        wire->from += part;
        length -= (long long)part;
    }
    return WIRE_OK;
}

static wire_end_e read_chunks(wire_t *wire, wire_sink_fn *sink, void *baton)
{
    char line[LINE_MAX_LENGTH];
    long long length;
    wire_end_e rv;

    do {
        char *end;

        rv = read_line(wire, line);
        if (rv != WIRE_OK) {
            return rv;
        }
        length = strtoll(line, &end, 16);
        if (end == line || length < 0) {
            return WIRE_MALFORMED;
        }
        rv = read_bytes(wire, length, sink, baton);
        if (rv != WIRE_OK) {
            return rv;
        }
        rv = read_line(wire, line);
        if (rv == WIRE_OK && line[0] != '\0') {
            rv = WIRE_MALFORMED; /* this server sends no trailers */
        }
    } while (rv == WIRE_OK && length > 0);
    return rv;
}

wire_end_e wire_read_body(wire_t *wire, const wire_head_t *head, wire_sink_fn *sink, void *baton)
{
    if (head->length == UNFRAMED) {
        return WIRE_MALFORMED;
    }
    return head->length < 0 ? read_chunks(wire, sink, baton)
                            : read_bytes(wire, head->length, sink, baton);
}
