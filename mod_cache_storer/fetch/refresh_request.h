/* SPDX-License-Identifier: Apache-2.0
 *
 * refresh_request.h - a request without a client: what refresh.c runs.
 */
#ifndef REFRESH_REQUEST_H
#define REFRESH_REQUEST_H

#include "queue.h"
#include "refresh.h"

#include <pthread.h>

typedef struct refresh_job_t refresh_job_t;

/** A job to run: owns a pool of its own, and nothing of the client's. */
struct refresh_job_t {
    queue_entry_t    entry;        /**< first; refresh.c's */
    apr_pool_t      *pool;         /**< with an allocator of its own: any thread may destroy it */
    conn_rec        *connection;
    server_rec      *server;
    const char      *target;       /**< as in the request line */
    apr_table_t     *headers;
    const char      *hostname;
    char            *port_str;
    apr_port_t       port;
    int              is_tls;
    refresh_order_t  order;        /**< with copies of key and baton */
    void            *baton;        /**< the copy */
    /** it is known where the request goes */
    void           (*routed)(refresh_job_t *job, apr_uint64_t route, apr_uint64_t backend);
    pthread_mutex_t  mutex;        /**< for backend */
    int              backend;      /**< a descriptor of the origin's connection; -1: none yet */
};

/** Registers the filters and hooks; in register_hooks. */
void refresh_request_register(void);

/** Take a socket that stands for the client's where hooks want one. Each child. */
apr_status_t refresh_request_child_init(apr_pool_t *pchild);

/** A job for what r asks for. In the client's thread. @return NULL: no memory */
refresh_job_t *refresh_job_create(request_rec *r, const refresh_order_t *order);

/** Begin the order, and if it is still needed, run the request. thread: the current one, NULL: the
 * process's only one. */
void refresh_job_run(refresh_job_t *job, apr_thread_t *thread);

/** End the wait of a job that runs: its connection counts as aborted, and where mod_proxy_http waits
 * for the origin, it reads the end of it. Any thread but the job's, any number of times. */
void refresh_job_cancel(refresh_job_t *job);

/** Free a job that was not accepted. */
void refresh_job_drop(refresh_job_t *job);

/** Call done, and free the job. */
void refresh_job_end(refresh_job_t *job);

#endif /* REFRESH_REQUEST_H */
