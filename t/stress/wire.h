/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.h - one connection of the load client: requests out, heads and bodies in, with every way in
 * which a response can end told from the others. Used by exchange.c; knows nothing of what is asked
 * for.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>

#define WIRE_BUFFER 65536

typedef enum wire_end_e {
    WIRE_OK = 0,
    WIRE_REFUSED,  /**< no connection could be made */
    WIRE_LOST,     /**< the connection ended before the first byte of the response */
    WIRE_BROKEN,   /**< it ended in the middle of the response, as the framing tells */
    WIRE_TIMEOUT,  /**< the server said nothing for too long */
    WIRE_MALFORMED /**< that was not HTTP, or a response without framing */
} wire_end_e;

typedef struct wire_t {
    int port;
    int socket;  /**< -1: not connected */
    size_t from; /**< unread bytes are [from, to) of the buffer */
    size_t to;
    char buffer[WIRE_BUFFER];
} wire_t;

typedef struct wire_head_t {
    int status;
    long long length; /**< negative: not told in the head */
    int close;
    char seed[64];
    char identity[32];
    char cache[16];       /**< the first word of X-Cache */
    long long range_from; /**< -1: no Content-Range */
} wire_head_t;

/** Called with each piece of a body. */
typedef void wire_sink_fn(void *baton, const char *bytes, size_t len);

void wire_init(wire_t *wire, int port);
void wire_close(wire_t *wire);

/** Connect where that is needed, and send a request. */
wire_end_e wire_send(wire_t *wire, const char *request, size_t len);

/** Read a head. Interim responses are passed over. */
wire_end_e wire_read_head(wire_t *wire, wire_head_t *head);

/** Read the body that the head announces. */
wire_end_e wire_read_body(wire_t *wire, const wire_head_t *head, wire_sink_fn *sink, void *baton);

#endif /* WIRE_H */
