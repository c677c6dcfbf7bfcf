/* SPDX-License-Identifier: Apache-2.0
 *
 * relay.h - a response between two threads: the background request that fetches it, and the request
 * of the client, which takes as much of it as it needs and is then free. The fetcher waits for a
 * slow client as long as the client is there; what comes after the client has left is the fetcher's
 * alone.
 *
 * Two ends, each of which is closed once, by its own thread; the relay goes with the second one. Knows
 * nothing of httpd: t/unit/test_fetch_relay.c runs both ends.
 */
#ifndef RELAY_H
#define RELAY_H

#include "apr_tables.h"
#include "apr_time.h"

/** Bytes that wait for the client, at most. */
#define RELAY_SIZE (128 * 1024)

typedef struct relay_t relay_t;

/** What the client is to know before the body comes. */
typedef struct relay_head_t {
    int          status;
    const char  *content_type;      /**< NULL: none */
    apr_table_t *headers, *errors;  /**< as headers_out and err_headers_out of a request */
} relay_head_t;

/** With both ends open. NULL: no memory. */
relay_t *relay_create(void);

/* the client's end */

/**
 * Wait for the head.
 * @param head   the relay's, constant, until relay_leave()
 * @return APR_SUCCESS; APR_NOTFOUND: there will be none; APR_TIMEUP
 */
apr_status_t relay_wait(relay_t *relay, apr_interval_time_t timeout, const relay_head_t **head);

/**
 * The next bytes of the body.
 * @param length in: room; out: how many
 * @return APR_SUCCESS; APR_EOF: that was all; APR_INCOMPLETE: the fetcher has given up; APR_TIMEUP:
 * nothing
 *         has come for so long
 */
apr_status_t relay_read(relay_t *relay, char *bytes, apr_size_t *length, apr_interval_time_t timeout);

/** The client has what it needs. wanted: whether the rest is worth fetching for the store. */
void relay_leave(relay_t *relay, int wanted);

/* the fetcher's end */

/** The head is there, and the body will be stored. It is copied. */
void relay_send_head(relay_t *relay, const relay_head_t *head);

/** Pass bytes of the body on. Waits for room, at most so long, and no longer than the client is there.
 * @return whether the client wants more */
int relay_write(relay_t *relay, const char *bytes, apr_size_t length, apr_interval_time_t timeout);

/** Whether the client is still there. */
int relay_is_attended(relay_t *relay);

/** Whether the client has left and said that the rest is not worth fetching. */
int relay_is_unwanted(relay_t *relay);

/** The body has come to its end. */
void relay_complete(relay_t *relay);

/** The fetch is over; if it is not complete the client is told that it is not. */
void relay_close(relay_t *relay);

#endif /* RELAY_H */
