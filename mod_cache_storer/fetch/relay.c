/* SPDX-License-Identifier: Apache-2.0
 *
 * relay.c - see relay.h. A ring of bytes, a mutex, and a condition that each change signals.
 */
#include "relay.h"

#include "apr_strings.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct relay_t {
    pthread_mutex_t mutex;
    pthread_cond_t  changed;
    /* guarded by mutex */
    apr_pool_t     *pool;       /* of the head; created by the fetcher's thread */
    relay_head_t    head;
    unsigned        has_head:1, complete:1;
    unsigned        attended:1; /* the client's end is open */
    unsigned        wanted:1;   /* what the client said when it left */
    unsigned        open:1;     /* the fetcher's end is */
    apr_size_t      first, used;
    char            bytes[RELAY_SIZE];
};

relay_t *relay_create(void)
{
    pthread_condattr_t attributes;
    relay_t *relay = calloc(1, sizeof(*relay));

    if (!relay) {
        return NULL;
    }
    (void)pthread_mutex_init(&relay->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&relay->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    relay->attended = 1;
    relay->wanted = 1;
    relay->open = 1;
    return relay;
}

static void destroy(relay_t *relay)
{
    if (relay->pool) {
        apr_pool_destroy(relay->pool);
    }
    (void)pthread_cond_destroy(&relay->changed);
    (void)pthread_mutex_destroy(&relay->mutex);
    free(relay);
}

/* One end is closed, with the mutex held, which is given up. */
static void unlock_or_destroy(relay_t *relay)
{
    int over = !relay->attended && !relay->open;

    (void)pthread_cond_broadcast(&relay->changed);
    (void)pthread_mutex_unlock(&relay->mutex);
    if (over) {
        destroy(relay);
    }
}

static struct timespec end_of(apr_interval_time_t timeout)
{
    struct timespec end;

    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)apr_time_sec(timeout);
    end.tv_nsec += (long)apr_time_usec(timeout) * 1000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_nsec -= 1000000000;
        end.tv_sec++;
    }
    return end;
}

/* Until something changes. @return 0: nothing has, for too long */
static int wait_for_change(relay_t *relay, const struct timespec *end)
{
    return pthread_cond_timedwait(&relay->changed, &relay->mutex, end) == 0;
}

/* ------------------------------------------------------------------------------------------------
 * The client's end
 * --------------------------------------------------------------------------------------------- */

apr_status_t relay_wait(relay_t *relay, apr_interval_time_t timeout, const relay_head_t **head)
{
    struct timespec end = end_of(timeout);
    apr_status_t rv = APR_SUCCESS;

    (void)pthread_mutex_lock(&relay->mutex);
    while (!relay->has_head && relay->open && rv == APR_SUCCESS) {
        rv = wait_for_change(relay, &end) ? APR_SUCCESS : APR_TIMEUP;
    }
    if (relay->has_head) {
        *head = &relay->head;
        rv = APR_SUCCESS;
    }
    else if (!relay->open) {
        rv = APR_NOTFOUND;
    }
    (void)pthread_mutex_unlock(&relay->mutex);
    return rv;
}

static apr_size_t take_out(relay_t *relay, char *bytes, apr_size_t room)
{
    apr_size_t until_end = RELAY_SIZE - relay->first;
    apr_size_t length = relay->used < room ? relay->used : room;

    length = length < until_end ? length : until_end;
    memcpy(bytes, relay->bytes + relay->first, length);
    relay->first = (relay->first + length) % RELAY_SIZE;
    relay->used -= length;
    return length;
}

apr_status_t relay_read(relay_t *relay, char *bytes, apr_size_t *length, apr_interval_time_t timeout)
{
    struct timespec end = end_of(timeout);
    apr_status_t rv = APR_SUCCESS;

    (void)pthread_mutex_lock(&relay->mutex);
    while (relay->used == 0 && !relay->complete && relay->open && rv == APR_SUCCESS) {
        rv = wait_for_change(relay, &end) ? APR_SUCCESS : APR_TIMEUP;
    }
    if (relay->used > 0) {
        *length = take_out(relay, bytes, *length);
        rv = APR_SUCCESS;
    }
    else if (relay->complete || !relay->open) {
        *length = 0;
        rv = relay->complete ? APR_EOF : APR_INCOMPLETE;
    }
    (void)pthread_cond_broadcast(&relay->changed);
    (void)pthread_mutex_unlock(&relay->mutex);
    return rv;
}

void relay_leave(relay_t *relay, int wanted)
{
    (void)pthread_mutex_lock(&relay->mutex);
    relay->attended = 0;
    relay->wanted = wanted != 0;
    unlock_or_destroy(relay);
}

/* ------------------------------------------------------------------------------------------------
 * The fetcher's end
 * --------------------------------------------------------------------------------------------- */

static int copy_line(void *baton, const char *name, const char *value)
{
    apr_table_add(baton, name, value);
    return 1;
}

static apr_table_t *copy_table(const apr_table_t *from, apr_pool_t *pool)
{
    apr_table_t *copy = apr_table_make(pool, 16);

    (void)apr_table_do(copy_line, copy, from, NULL);
    return copy;
}

void relay_send_head(relay_t *relay, const relay_head_t *head)
{
    apr_pool_t *pool = NULL;

    /* unmanaged: whichever thread is the last one destroys it */
    if (apr_pool_create_unmanaged_ex(&pool, NULL, NULL) != APR_SUCCESS) {
        return; /* the client is told at the end that there was none */
    }
    (void)pthread_mutex_lock(&relay->mutex);
    relay->pool = pool;
    relay->head.status = head->status;
    relay->head.content_type = apr_pstrdup(pool, head->content_type);
    relay->head.headers = copy_table(head->headers, pool);
    relay->head.errors = copy_table(head->errors, pool);
    relay->has_head = 1;
    (void)pthread_cond_broadcast(&relay->changed);
    (void)pthread_mutex_unlock(&relay->mutex);
}

static apr_size_t put_in(relay_t *relay, const char *bytes, apr_size_t length)
{
    apr_size_t last = (relay->first + relay->used) % RELAY_SIZE;
    apr_size_t room = RELAY_SIZE - relay->used, until_end = RELAY_SIZE - last;

    length = length < room ? length : room;
    length = length < until_end ? length : until_end;
    memcpy(relay->bytes + last, bytes, length);
    relay->used += length;
    return length;
}

int relay_write(relay_t *relay, const char *bytes, apr_size_t length, apr_interval_time_t timeout)
{
    struct timespec end = end_of(timeout);
    int attended;

    (void)pthread_mutex_lock(&relay->mutex);
    while (length > 0 && relay->attended) {
        apr_size_t put = put_in(relay, bytes, length);

        bytes += put;
        length -= put;
        (void)pthread_cond_broadcast(&relay->changed);
        if (length > 0 && put == 0 && !wait_for_change(relay, &end)) {
            break; /* it reads no more: what has been put in is all it gets */
        }
    }
    attended = relay->attended && length == 0;
    (void)pthread_mutex_unlock(&relay->mutex);
    return attended;
}

int relay_is_attended(relay_t *relay)
{
    int attended;

    (void)pthread_mutex_lock(&relay->mutex);
    attended = relay->attended;
    (void)pthread_mutex_unlock(&relay->mutex);
    return attended;
}

int relay_is_unwanted(relay_t *relay)
{
    int unwanted;

    (void)pthread_mutex_lock(&relay->mutex);
    unwanted = !relay->attended && !relay->wanted;
    (void)pthread_mutex_unlock(&relay->mutex);
    return unwanted;
}

void relay_complete(relay_t *relay)
{
    (void)pthread_mutex_lock(&relay->mutex);
    relay->complete = 1;
    (void)pthread_cond_broadcast(&relay->changed);
    (void)pthread_mutex_unlock(&relay->mutex);
}

void relay_close(relay_t *relay)
{
    (void)pthread_mutex_lock(&relay->mutex);
    relay->open = 0;
    unlock_or_destroy(relay);
}
