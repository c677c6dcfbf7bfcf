/* SPDX-License-Identifier: Apache-2.0
 *
 * queue.h - which of the waiting jobs runs next: in the order in which they came, but never more than a
 * few at a time for one backend of one virtual host (its *route*), and for one backend in all, so
 * that one that hangs holds up its own jobs only.
 *
 * Which backend a request goes to is not known before it runs. Until then it is guessed: jobs with the
 * same `guess` (one virtual host, one first segment of the path) count as going to where such a job
 * went the last time. As long as nothing is known of a guess, one job of it runs at a time.
 *
 * Called by refresh.c, which holds its mutex. Knows numbers; no requests, no threads.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "apr.h"
#include "apr_errno.h"

#define QUEUE_PER_ROUTE    8    /* jobs that run at a time, at most */
#define QUEUE_PER_BACKEND  16
#define QUEUE_WAITING      64   /* jobs of one route that wait */
#define QUEUE_IN_TOTAL     256  /* jobs of all that wait */
#define QUEUE_GUESSES      128  /* a table by hash; what collides is guessed anew */

/** A job; embedded. Zeroed, but for key and guess, before queue_add(). */
typedef struct queue_entry_t {
    struct queue_entry_t *next;
    apr_uint64_t          key;     /**< what it fetches: no two with the same are in the queue */
    apr_uint64_t          guess;
    apr_uint64_t          route;   /**< as far as is known; its guess if nothing is */
    apr_uint64_t          backend; /**< 0: not known */
} queue_entry_t;

typedef struct queue_guess_t {
    apr_uint64_t guess, route, backend; /**< backend 0: nothing is known */
} queue_guess_t;

typedef struct queue_t {
    unsigned       per_route, per_backend;
    queue_entry_t *waiting;  /**< first to last */
    queue_entry_t *running;
    queue_guess_t  guesses[QUEUE_GUESSES];
} queue_t;

/** An empty queue.
 * @param connections that requests of clients share with the jobs of a route: they keep most of them */
void queue_init(queue_t *queue, unsigned connections);

/** @return APR_SUCCESS; APR_EEXIST: one with this key waits or runs; APR_EAGAIN: as many wait as may */
apr_status_t queue_add(queue_t *queue, queue_entry_t *entry);

/** The next one that may run, which now runs; NULL: none. */
queue_entry_t *queue_take(queue_t *queue);

/** One that waits, whether it may run or not, taken out; NULL: none. */
queue_entry_t *queue_drop(queue_t *queue);

/** Whether one that waits may run now. */
int queue_may_run(const queue_t *queue, const queue_entry_t *entry);

/** One that waits is taken out. */
void queue_remove(queue_t *queue, const queue_entry_t *entry);

/** How many that wait may run now. */
unsigned queue_ready(const queue_t *queue);

/** It has run. */
void queue_end(queue_t *queue, const queue_entry_t *entry);

/** It is known now where this one goes, which runs; remembered for its guess. backend is not 0. */
void queue_learn(queue_t *queue, queue_entry_t *entry, apr_uint64_t route, apr_uint64_t backend);

#endif /* QUEUE_H */
