/* SPDX-License-Identifier: Apache-2.0
 *
 * test_fetch_relay.c - mod_cache_storer/fetch/relay.c: a response between two threads, whichever is
 * slow, and whichever leaves first.
 */
#include "../../mod_cache_storer/fetch/relay.h"
#include "tap.h"

#include <apr_general.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG apr_time_from_sec(3600)
#define BODY (5 * RELAY_SIZE + 12345)

static apr_pool_t *pool;

/* A fetcher, in a thread of its own. */
typedef struct fetcher_t {
    relay_t  *relay;
    apr_off_t length;    /* of the body; it is complete if that is BODY */
    apr_off_t passed;    /* bytes that the client was there for */
    int       unwanted;
} fetcher_t;

static char byte_at(apr_off_t place)
{
    return (char)('a' + place % 23);
}

static void send_head(relay_t *relay)
{
    relay_head_t head = { 206, "text/plain", apr_table_make(pool, 2), apr_table_make(pool, 2) };

    apr_table_set(head.headers, "ETag", "\"x\"");
    apr_table_add(head.headers, "Vary", "A");
    apr_table_add(head.headers, "Vary", "B");
    apr_table_set(head.errors, "X-Error", "1");
    relay_send_head(relay, &head);
}

static void *fetch(void *baton)
{
    fetcher_t *fetcher = baton;
    char piece[10007];
    apr_off_t at = 0;
    apr_size_t i;

    send_head(fetcher->relay);
    while (at < fetcher->length) {
        apr_size_t length = (apr_size_t)(fetcher->length - at);

        length = length < sizeof(piece) ? length : sizeof(piece);
        for (i = 0; i < length; i++) {
            piece[i] = byte_at(at + (apr_off_t)i);
        }
        at += (apr_off_t)length;
        if (relay_is_attended(fetcher->relay)
            && relay_write(fetcher->relay, piece, length, LONG)) {
            fetcher->passed = at;
        }
    }
    if (fetcher->length == BODY) {
        relay_complete(fetcher->relay);
    }
    fetcher->unwanted = relay_is_unwanted(fetcher->relay);
    relay_close(fetcher->relay);
    return NULL;
}

static pthread_t start(fetcher_t *fetcher, apr_off_t length)
{
    pthread_t thread;

    memset(fetcher, 0, sizeof(*fetcher));
    fetcher->relay = relay_create();
    fetcher->length = length;
    if (pthread_create(&thread, NULL, fetch, fetcher) != 0) {
        bail_out("no thread");
    }
    return thread;
}

/* Read so many bytes. @return how many were right; *rv: why there are no more */
static apr_off_t read_bytes(relay_t *relay, apr_off_t wanted, apr_status_t *rv)
{
    char piece[7001];
    apr_off_t at = 0, right = 0;
    apr_size_t i;

    *rv = APR_SUCCESS;
    while (at < wanted && *rv == APR_SUCCESS) {
        apr_size_t length = sizeof(piece);

        *rv = relay_read(relay, piece, &length, LONG);
        for (i = 0; i < length && *rv == APR_SUCCESS; i++) {
            right += piece[i] == byte_at(at + (apr_off_t)i);
        }
        at += *rv == APR_SUCCESS ? (apr_off_t)length : 0;
    }
    return right == at ? right : -1;
}

static void test_whole(void)
{
    const relay_head_t *head = NULL;
    fetcher_t fetcher;
    pthread_t thread = start(&fetcher, BODY);
    apr_status_t rv;

    is_status(relay_wait(fetcher.relay, LONG, &head), APR_SUCCESS, "the head");
    is_int(head->status, 206, "its status");
    is_string(head->content_type, "text/plain", "its type");
    is_string(apr_table_getm(pool, head->headers, "Vary"), "A,B", "its fields, line by line");
    is_string(apr_table_get(head->errors, "X-Error"), "1", "of both tables");
    is_int(read_bytes(fetcher.relay, BODY + 1, &rv), BODY, "all bytes, in order");
    is_status(rv, APR_EOF, "and the end");
    relay_leave(fetcher.relay, 1);
    pthread_join(thread, NULL);
    is_int(fetcher.passed, BODY, "the client was there for all");
}

static void test_part(int wanted)
{
    fetcher_t fetcher;
    const relay_head_t *head = NULL;
    pthread_t thread = start(&fetcher, BODY);
    apr_status_t rv;

    relay_wait(fetcher.relay, LONG, &head);
    ok(read_bytes(fetcher.relay, RELAY_SIZE, &rv) >= RELAY_SIZE, "a part");
    relay_leave(fetcher.relay, wanted);
    pthread_join(thread, NULL);
    ok(fetcher.passed < BODY, "the fetcher goes on without the client");
    is_int(fetcher.unwanted, !wanted, "and knows whether it should");
}

static void test_broken(void)
{
    fetcher_t fetcher;
    pthread_t thread = start(&fetcher, 1000);
    apr_status_t rv;

    is_int(read_bytes(fetcher.relay, BODY, &rv), 1000, "what has come");
    is_status(rv, APR_INCOMPLETE, "is not all");
    relay_leave(fetcher.relay, 1);
    pthread_join(thread, NULL);
}

static void test_nothing(void)
{
    relay_t *relay = relay_create();
    const relay_head_t *head = NULL;
    char *bytes = calloc(1, RELAY_SIZE + 1);
    apr_size_t length = 10;

    is_status(relay_wait(relay, 1000, &head), APR_TIMEUP, "no head for so long");
    relay_close(relay);
    is_status(relay_wait(relay, LONG, &head), APR_NOTFOUND, "no head at all");
    relay_leave(relay, 1);

    relay = relay_create();
    send_head(relay);
    is_status(relay_read(relay, bytes, &length, 1000), APR_TIMEUP, "no body for so long");
    ok(relay_write(relay, bytes, RELAY_SIZE, 1000), "as much as there is room for");
    ok(!relay_write(relay, bytes, 1, 1000), "a client that reads nothing for so long");
    relay_leave(relay, 1);
    ok(!relay_write(relay, bytes, 1, LONG), "one that has left");
    relay_close(relay);
    free(bytes);
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    alarm(300);
    test_whole();
    test_part(1);
    test_part(0);
    test_broken();
    test_nothing();
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
