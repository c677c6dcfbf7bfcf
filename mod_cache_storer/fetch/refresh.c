/* SPDX-License-Identifier: Apache-2.0
 *
 * refresh.c - see refresh.h: where and when background requests run.
 *
 * Threads. A mutex guards queue and counts. A thread is started where a job finds none idle, up to a
 * few; each ends when it has been idle for a while. They are detached, and all they use lies in pools
 * that nobody destroys: nothing is ever joined without a bound.
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

#define THREADS_MAX   4
#define QUEUE_MAX     64
#define IDLE_SECONDS  10
#define STOP_STEPS    100   /* of 10 ms */

typedef struct refresh_crew_t {
    pthread_mutex_t mutex;
    pthread_cond_t  work;
    refresh_job_t  *first, *last;
    refresh_job_t  *running[THREADS_MAX];
    unsigned        queued, threads, idle;
    int             threaded;
    int             stopping;
} refresh_crew_t;

/* One per child, made before its threads start; never freed, see above. */
static refresh_crew_t *refresh_crew;

/* ------------------------------------------------------------------------------------------------
 * Threads
 * --------------------------------------------------------------------------------------------- */

static refresh_job_t *take(refresh_crew_t *crew)
{
    refresh_job_t *job = crew->first;

    if (job) {
        crew->first = job->next;
        crew->queued--;
    }
    return job;
}

/* With the mutex held, as all functions that take a crew. NULL: there was nothing to do for long. */
static refresh_job_t *wait_for_job(refresh_crew_t *crew)
{
    struct timespec until;
    int error = 0;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += IDLE_SECONDS;
    crew->idle++;
    while (!crew->first && !crew->stopping && error == 0) {
        error = pthread_cond_timedwait(&crew->work, &crew->mutex, &until);
    }
    crew->idle--;
    return take(crew);
}

static void run_job(refresh_crew_t *crew, refresh_job_t *job, apr_thread_t *thread)
{
    unsigned i;
    int stopping = crew->stopping;

    for (i = 0; crew->running[i]; i++) {
    }
    crew->running[i] = job;
    pthread_mutex_unlock(&crew->mutex);
    if (!stopping) {
        refresh_job_run(job, thread);
    }
    pthread_mutex_lock(&crew->mutex);
    crew->running[i] = NULL;
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

/* An idle thread takes it; else a new one, if there may be one. */
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

static apr_status_t enqueue(refresh_crew_t *crew, refresh_job_t *job)
{
    apr_status_t rv = APR_SUCCESS;

    if (crew->stopping) {
        return APR_ENOTIMPL;
    }
    if (crew->queued >= QUEUE_MAX) {
        return APR_EAGAIN;
    }
    if (crew->idle <= crew->queued && crew->threads < THREADS_MAX) {
        rv = start_thread(crew);
        if (rv != APR_SUCCESS && crew->threads == 0) {
            return rv;
        }
    }
    job->next = NULL;
    if (crew->first) {
        crew->last->next = job;
    }
    else {
        crew->first = job;
    }
    crew->last = job;
    crew->queued++;
    pthread_cond_signal(&crew->work);
    return APR_SUCCESS;
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
    int i, running = 0;

    for (i = 0; i < THREADS_MAX; i++) {
        if (crew->running[i]) {
            if (cancel) {
                refresh_job_cancel(crew->running[i]);
            }
            running = 1;
        }
    }
    return running;
}

static apr_status_t stop(void *baton)
{
    static const struct timespec step = { 0, 10 * 1000 * 1000 };
    refresh_crew_t *crew = baton;
    refresh_job_t *job;
    int steps;

    pthread_mutex_lock(&crew->mutex);
    crew->stopping = 1;
    pthread_cond_broadcast(&crew->work);
    for (job = take(crew); job; job = take(crew)) {
        pthread_mutex_unlock(&crew->mutex);
        refresh_job_end(job);
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
    int threaded = 0;
    apr_status_t rv;

    rv = refresh_request_child_init(pchild);
    if (!crew || rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, main_server,
                     STORERNO(0741) "no background requests in this process");
        free(crew);
        return;
    }
    (void)ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded);
    crew->threaded = threaded != AP_MPMQ_NOT_SUPPORTED;
    (void)pthread_mutex_init(&crew->mutex, NULL);
    (void)pthread_cond_init(&crew->work, NULL);
    refresh_crew = crew;
    /* before the pools of the child's connections and of other modules go */
    apr_pool_pre_cleanup_register(pchild, crew, stop);
}

apr_status_t refresh_start(request_rec *r, const void *baton, apr_size_t size,
                           refresh_done_fn *done)
{
    refresh_crew_t *crew = refresh_crew;
    refresh_job_t *job;
    apr_status_t rv;

    if (!crew || crew->stopping || refresh_of(r) || r->main) {
        return APR_ENOTIMPL;
    }
    job = refresh_job_create(r, baton, size, done);
    if (!job) {
        return APR_ENOMEM;
    }
    if (!crew->threaded) {
        stats_count(r, STATS_REFRESHES);
        return run_after(r->connection, job);
    }
    pthread_mutex_lock(&crew->mutex);
    rv = enqueue(crew, job);
    pthread_mutex_unlock(&crew->mutex);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(job->pool);
        return rv;
    }
    stats_count(r, STATS_REFRESHES);
    return APR_SUCCESS;
}
