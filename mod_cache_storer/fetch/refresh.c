/* SPDX-License-Identifier: Apache-2.0
 *
 * refresh.c - see refresh.h: where and when background requests run.
 *
 * Threads. A mutex guards the queue (queue.c, which says what runs next) and the counts. A thread is
 * started if more jobs may run than threads are idle; each ends when it has been idle for a while. They
 * are detached, and all they use lies in pools that nobody destroys: nothing is ever joined without a
 * bound.
 *
 * End of a child. Queued jobs end at once, running ones have a second. After that those that wait for
 * mod_proxy_http's origin are cut off. The others (CGI, FastCGI) are waited for, as the MPM has waited
 * for its workers: they use what belongs to the child's pools. httpd's Timeout bounds that, and its
 * parent ends who is late.
 */
#include "refresh.h"

#include "refresh_request.h"

#include "../stats/stats.h"

#include "ap_mpm.h"
#include "mpm_common.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define THREADS_MAX   32
#define IDLE_SECONDS  10
#define STOP_STEPS    100   /* of 10 ms */

typedef struct refresh_crew_t {
    pthread_mutex_t mutex;
    pthread_cond_t  work;
    queue_t         queue;
    unsigned        threads, idle;
    int             threaded;
    int             stopping;
} refresh_crew_t;

/* One per child, made before its threads start; never freed, see above. */
static refresh_crew_t *refresh_crew;

/* ------------------------------------------------------------------------------------------------
 * Threads
 * --------------------------------------------------------------------------------------------- */

static refresh_job_t *job_of_entry(queue_entry_t *entry)
{
    return (refresh_job_t *)entry;
}

/* With the mutex held, as all functions that take a crew. NULL: there was nothing to do for long. */
static refresh_job_t *wait_for_job(refresh_crew_t *crew)
{
    queue_entry_t *entry = queue_take(&crew->queue);
    struct timespec until;
    int error = 0;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += IDLE_SECONDS;
    while (!entry && !crew->stopping && error == 0) {
        crew->idle++;
        error = pthread_cond_timedwait(&crew->work, &crew->mutex, &until);
        crew->idle--;
        entry = queue_take(&crew->queue);
    }
    return job_of_entry(entry);
}

static void run_job(refresh_crew_t *crew, refresh_job_t *job, apr_thread_t *thread)
{
    int stopping = crew->stopping;

    pthread_mutex_unlock(&crew->mutex);
    if (!stopping) {
        refresh_job_run(job, thread);
    }
    pthread_mutex_lock(&crew->mutex);
    queue_end(&crew->queue, &job->entry);
    pthread_mutex_unlock(&crew->mutex);
    refresh_job_end(job);
    pthread_mutex_lock(&crew->mutex);
}

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *baton)
{
    refresh_crew_t *crew = baton;
    refresh_job_t *job;

    pthread_mutex_lock(&crew->mutex);
    for (job = wait_for_job(crew); job; job = wait_for_job(crew)) {
        run_job(crew, job, thread);
    }
    crew->threads--;
    pthread_mutex_unlock(&crew->mutex);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static apr_status_t start_thread(refresh_crew_t *crew)
{
    apr_threadattr_t *attributes = NULL;
    apr_thread_t *thread = NULL;
    apr_pool_t *pool = NULL;
    apr_status_t rv;

    rv = apr_pool_create_unmanaged_ex(&pool, NULL, NULL); /* a detached thread's, freed with it */
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_threadattr_create(&attributes, pool);
    if (rv == APR_SUCCESS) {
        rv = apr_threadattr_detach_set(attributes, 1);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_create(&thread, attributes, work, crew, pool);
    }
    if (rv == APR_SUCCESS) {
        crew->threads++;
    }
    else {
        apr_pool_destroy(pool);
    }
    return rv;
}

/* Idle threads take what may run; for more there is a new one, if there may be one. */
static apr_status_t find_threads(refresh_crew_t *crew)
{
    apr_status_t rv = APR_SUCCESS;

    if (queue_ready(&crew->queue) > crew->idle && crew->threads < THREADS_MAX) {
        rv = start_thread(crew);
    }
    pthread_cond_broadcast(&crew->work);
    return crew->threads > 0 ? APR_SUCCESS : rv;
}

/* Whether a thread takes it now. */
static int has_room(const refresh_crew_t *crew, const refresh_job_t *job)
{
    return queue_may_run(&crew->queue, &job->entry)
           && queue_ready(&crew->queue) <= crew->idle + (THREADS_MAX - crew->threads);
}

static apr_status_t enqueue(refresh_crew_t *crew, refresh_job_t *job)
{
    apr_status_t rv;

    if (crew->stopping) {
        return APR_ENOTIMPL;
    }
    rv = queue_add(&crew->queue, &job->entry);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = job->order.at_once && !has_room(crew, job) ? APR_EAGAIN : find_threads(crew);
    if (rv != APR_SUCCESS) {
        queue_remove(&crew->queue, &job->entry);
    }
    return rv;
}

/* In the job's thread. More of its kind may run now. */
static void learn_route(refresh_job_t *job, apr_uint64_t route, apr_uint64_t backend)
{
    refresh_crew_t *crew = refresh_crew;

    pthread_mutex_lock(&crew->mutex);
    queue_learn(&crew->queue, &job->entry, route, backend);
    (void)find_threads(crew);
    pthread_mutex_unlock(&crew->mutex);
}

/* ------------------------------------------------------------------------------------------------
 * Without threads
 * --------------------------------------------------------------------------------------------- */

/* The client's connection is closed, and its pool about to be cleared. */
static apr_status_t run_behind(void *baton)
{
    refresh_job_t *job = baton;

    if (refresh_crew && !refresh_crew->stopping) {
        refresh_job_run(job, NULL);
    }
    refresh_job_end(job);
    return APR_SUCCESS;
}

static apr_status_t run_after(conn_rec *c, refresh_job_t *job)
{
    if (c->keepalive == AP_CONN_UNKNOWN) {
        c->keepalive = AP_CONN_CLOSE; /* so that its next request finds another child */
    }
    apr_pool_cleanup_register(c->pool, job, run_behind, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

/* ------------------------------------------------------------------------------------------------
 * The life of a child
 * --------------------------------------------------------------------------------------------- */

/* @return whether any runs */
static int end_running(refresh_crew_t *crew, int cancel)
{
    queue_entry_t *entry;

    for (entry = crew->queue.running; entry && cancel; entry = entry->next) {
        refresh_job_cancel(job_of_entry(entry));
    }
    return crew->queue.running != NULL;
}

static apr_status_t stop(void *baton)
{
    static const struct timespec step = { 0, 10 * 1000 * 1000 };
    refresh_crew_t *crew = baton;
    queue_entry_t *entry;
    int steps;

    pthread_mutex_lock(&crew->mutex);
    crew->stopping = 1;
    pthread_cond_broadcast(&crew->work);
    for (entry = queue_drop(&crew->queue); entry; entry = queue_drop(&crew->queue)) {
        pthread_mutex_unlock(&crew->mutex);
        refresh_job_end(job_of_entry(entry));
        pthread_mutex_lock(&crew->mutex);
    }
    for (steps = 0; end_running(crew, steps >= STOP_STEPS); steps++) {
        pthread_mutex_unlock(&crew->mutex);
        (void)nanosleep(&step, NULL);
        pthread_mutex_lock(&crew->mutex);
    }
    pthread_mutex_unlock(&crew->mutex);
    return APR_SUCCESS;
}

void refresh_register(void)
{
    refresh_request_register();
}

void refresh_child_init(apr_pool_t *pchild, server_rec *main_server)
{
    refresh_crew_t *crew = calloc(1, sizeof(*crew));
    int threaded = 0, threads = 1;
    apr_status_t rv;

    rv = refresh_request_child_init(pchild);
    if (!crew || rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, main_server,
                     STORERNO(0741) "no background requests in this process");
        free(crew);
        return;
    }
    (void)ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded);
    /* mod_proxy has as many connections to a backend as a child has threads, and waits for a free
     * one */
    (void)ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    queue_init(&crew->queue, threads > 0 ? (unsigned)threads : 1);
    crew->threaded = threaded != AP_MPMQ_NOT_SUPPORTED;
    (void)pthread_mutex_init(&crew->mutex, NULL);
    (void)pthread_cond_init(&crew->work, NULL);
    refresh_crew = crew;
    /* before the pools of the child's connections and of other modules go */
    apr_pool_pre_cleanup_register(pchild, crew, stop);
}

apr_status_t refresh_start(request_rec *r, const refresh_order_t *order)
{
    refresh_crew_t *crew = refresh_crew;
    refresh_job_t *job;
    apr_status_t rv;

    if (!crew || crew->stopping || refresh_of(r)) {
        return APR_ENOTIMPL;
    }
    job = refresh_job_create(r, order);
    if (!job) {
        return APR_ENOMEM;
    }
    if (!crew->threaded && order->at_once) {
        refresh_job_drop(job);
        return APR_EAGAIN;
    }
    if (!crew->threaded) {
        stats_count(r, STATS_REFRESHES);
        return run_after(r->connection, job);
    }
    job->routed = learn_route;
    pthread_mutex_lock(&crew->mutex);
    rv = enqueue(crew, job);
    pthread_mutex_unlock(&crew->mutex);
    if (rv != APR_SUCCESS) {
        refresh_job_drop(job);
        return rv;
    }
    stats_count(r, STATS_REFRESHES);
    return APR_SUCCESS;
}
