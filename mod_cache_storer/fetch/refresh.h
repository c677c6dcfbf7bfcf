/* SPDX-License-Identifier: Apache-2.0
 *
 * refresh.h - a request in the background: fetches again what a client was served stale
 * (stale-while-revalidate), past the client, through all of httpd and mod_cache.
 *
 * Under a threaded MPM a few threads of the child's own run such requests, so that neither the
 * client's next request nor a worker has to wait for the origin. Where modules may not stand threads
 * (prefork) the child closes the client's connection behind the response, and then runs it itself.
 */
#ifndef REFRESH_H
#define REFRESH_H

#include "../mod_cache_storer.h"

#include "../../storage/storer.h"

/** Called at most once, where and when the request is about to run. A request that waits for its turn
 * has done nothing yet: it must not lead a fetch, or others would wait for the queue.
 * @param key the order's
 * @return 0: it is not needed any more */
typedef int refresh_begin_fn(void *baton, storer_bytes_t key);

/** Called once, when the request is over or will never be. Any thread. */
typedef void refresh_done_fn(void *baton);

typedef struct refresh_order_t {
    storer_bytes_t    key;    /**< what it fetches, copied: it is done once at a time in a process */
    const void       *baton;  /**< copied, with its size; what refresh_of() finds */
    apr_size_t        size;
    refresh_begin_fn *begin;
    refresh_done_fn  *done;
    unsigned          at_once:1; /**< it is of no use later: APR_EAGAIN if it would have to wait */
} refresh_order_t;

/** Hooks; in register_hooks. */
void refresh_register(void);

/** Get ready; starts no thread yet. Each child, before its threads start. */
void refresh_child_init(apr_pool_t *pchild, server_rec *main_server);

/**
 * Start a background GET for what r asks for, with its headers but for conditions, Range and
 * directives. Never blocks.
 * @param order done is called exactly once where APR_SUCCESS is returned, unless the process ends
 * before
 * @return APR_SUCCESS; APR_EEXIST: it waits or runs already; APR_EAGAIN: as many are waiting as may;
 *         APR_ENOTIMPL: not for this request, or the child is about to end; nothing happens then
 */
apr_status_t refresh_start(request_rec *r, const refresh_order_t *order);

/** The baton, if this request or the one it belongs to is a background one; else NULL. */
void *refresh_of(const request_rec *r);

#endif /* REFRESH_H */
