/* SPDX-License-Identifier: Apache-2.0
 *
 * contract.c - runs the contract suite, and what its tests have in common. See contract.h for those
 * who call it and contract_private.h for the tests.
 */
#include "contract_private.h"

#include <apr_strings.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the log ---- */

static void take_line(void *baton, storer_log_level_e level, apr_status_t rv, const char *message)
{
    contract_log_t *log = baton;
    char text[120];

    if (level > STORER_LOG_WARNING) {
        return;
    }
    pthread_mutex_lock(&log->lock);
    if (log->warnings < CONTRACT_LOG_MAX) {
        char *line = malloc(1400);

        if (line) {
            snprintf(line, 1400, "%s (%s)", message, apr_strerror(rv, text, sizeof(text)));
        }
        log->lines[log->warnings] = line;
    }
    log->warnings++;
    pthread_mutex_unlock(&log->lock);
}

int contract_warnings(contract_t *test)
{
    int warnings;

    pthread_mutex_lock(&test->log.lock);
    warnings = test->log.warnings;
    pthread_mutex_unlock(&test->log.lock);
    return warnings;
}

void contract_expect_log(contract_t *test, int min, int max)
{
    test->expected_min = min;
    test->expected_max = max;
}

static void log_check(contract_t *test)
{
    int warnings = contract_warnings(test);
    int as_expected = warnings >= test->expected_min && warnings <= test->expected_max;

    ok(as_expected, "the log has what was expected");
    for (int i = 0; i < warnings && i < CONTRACT_LOG_MAX; i++) {
        if (!as_expected) {
            diag("  logged: %s", test->log.lines[i] ? test->log.lines[i] : "?");
        }
        free(test->log.lines[i]);
    }
}

/* ---- values ---- */

storer_bytes_t contract_key(const char *prefix, int number, apr_pool_t *pool)
{
    return storer_bytes(apr_psprintf(pool, "%s%03d", prefix, number));
}

static char byte_at(apr_size_t at, unsigned seed)
{
    return (char)((at * 31 + (at >> 8) * 7 + seed * 101 + (at >> 16)) & 0xff);
}

storer_bytes_t contract_value(apr_size_t len, unsigned seed, apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, len + 1);

    for (apr_size_t i = 0; i < len; i++) {
        bytes[i] = byte_at(i, seed);
    }
    return (storer_bytes_t){ bytes, len };
}

int contract_is_value(storer_bytes_t bytes, apr_size_t len, unsigned seed)
{
    if (!bytes.data || bytes.len != len) {
        return 0;
    }
    for (apr_size_t i = 0; i < len; i++) {
        if (bytes.data[i] != byte_at(i, seed)) {
            return 0;
        }
    }
    return 1;
}

apr_status_t contract_set(contract_t *test, const char *key, storer_bytes_t value)
{
    return storer_set(test->store, storer_bytes(key), value, EXPIRY_FAR, T0);
}

storer_bytes_t contract_drain(storer_view_t *view, apr_pool_t *pool)
{
    storer_bytes_t none = { NULL, 0 };
    apr_size_t length = (apr_size_t)view->length, used = 0;
    char *bytes = apr_palloc(pool, length + 1);
    apr_status_t rv;

    do {
        if (view->part.len > length - used || !view->part.data) {
            return none;
        }
        memcpy(bytes + used, view->part.data, view->part.len);
        used += view->part.len;
        rv = storer_view_next(view);
    } while (rv == APR_SUCCESS);
    if (rv != APR_EOF || used != length) {
        return none;
    }
    return (storer_bytes_t){ bytes, length };
}

apr_status_t contract_read(storer_t *store, storer_bytes_t key, apr_time_t now,
                           storer_bytes_t *out, apr_pool_t *pool)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_status_t rv;

    out->data = NULL;
    out->len = 0;
    rv = storer_get(store, key, now, &view, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *out = contract_drain(&view, pool);
    storer_view_release(&view);
    return out->data ? APR_SUCCESS : APR_EGENERAL;
}

void contract_has(contract_t *test, const char *key, storer_bytes_t value, const char *what)
{
    storer_bytes_t got;
    apr_status_t rv;

    rv = contract_read(test->store, storer_bytes(key), T0, &got, test->pool);
    if (rv != APR_SUCCESS) {
        is_status(rv, APR_SUCCESS, "%s", what);
        return;
    }
    is_bytes(got, value, "%s", what);
}

void contract_lacks(contract_t *test, const char *key, const char *what)
{
    storer_bytes_t got;
    apr_status_t rv;

    rv = contract_read(test->store, storer_bytes(key), T0, &got, test->pool);
    is_status(rv, APR_NOTFOUND, "%s", what);
}

static apr_status_t count_key(void *baton, storer_bytes_t key, storer_view_t *value)
{
    long *count = baton;

    (void)key;
    (void)value;
    (*count)++;
    return APR_SUCCESS;
}

long contract_count(contract_t *test, const char *prefix, apr_time_t now)
{
    long count = 0;
    apr_status_t rv;

    rv = storer_map_keys(test->store, storer_bytes(prefix), now, count_key, &count, test->pool);
    return rv == APR_SUCCESS ? count : -1;
}

/* ---- threads and processes ---- */

apr_status_t contract_child_init(contract_t *test)
{
    if (!test->store->ops->child_init) {
        return APR_SUCCESS;
    }
    return test->store->ops->child_init(test->store, test->pool);
}

typedef struct worker_t {
    contract_t *test;
    contract_work_fn *work;
    int number;
    int result;
    pthread_t thread;
} worker_t;

static void *worker_main(void *data)
{
    worker_t *worker = data;
    apr_pool_t *pool;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        worker->result = -1;
        return NULL;
    }
    worker->result = worker->work(worker->test, worker->number, pool);
    apr_pool_destroy(pool);
    return NULL;
}

int contract_threads(contract_t *test, int count, contract_work_fn *work)
{
    worker_t *workers = apr_pcalloc(test->pool, sizeof(*workers) * (apr_size_t)count);
    int failed = 0;

    for (int i = 0; i < count; i++) {
        workers[i] = (worker_t){ .test = test, .work = work, .number = i };
        if (pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]) != 0) {
            bail_out("cannot make a thread");
        }
    }
    for (int i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        failed += workers[i].result != 0;
    }
    return failed;
}

/* A child leaves by _exit: pools, buffers and the leak check are the parent's. */
static void child_main(contract_t *test, int gate, contract_work_fn *work, int number)
{
    apr_pool_t *pool;
    int inherited = contract_warnings(test);
    char go;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS || contract_child_init(test) != APR_SUCCESS) {
        _exit(TAP_CHILD_FAILED);
    }
    while (read(gate, &go, 1) < 0 && errno == EINTR) {
    }
    if (work(test, number, pool) != 0 || contract_warnings(test) != inherited) {
        _exit(TAP_CHILD_FAILED);
    }
    apr_pool_destroy(test->pool);  /* which ends what child_init began */
    _exit(0);
}

int contract_processes_run(contract_t *test, int count, contract_work_fn *work,
                           void (*meanwhile)(contract_t *test))
{
    pid_t *pids = apr_pcalloc(test->pool, sizeof(*pids) * (apr_size_t)count);
    int gate[2];
    int failed = 0;

    if (pipe(gate) != 0) {
        bail_out("cannot make a pipe");
    }
    for (int i = 0; i < count; i++) {
        pids[i] = fork();
        if (pids[i] < 0) {
            bail_out("cannot fork");
        }
        if (pids[i] == 0) {
            close(gate[1]);
            child_main(test, gate[0], work, i);
        }
    }
    close(gate[0]);
    ok(contract_child_init(test) == APR_SUCCESS, "child_init in the parent");
    if (meanwhile) {
        meanwhile(test);
    }
    close(gate[1]);  /* all children see the end of the pipe at once */
    for (int i = 0; i < count; i++) {
        int status = tap_wait(pids[i]);

        failed += status != 0;
        if (status != 0) {
            diag("  process %d ended with %d", i, status);
        }
    }
    return failed;
}

/* ---- the suite ---- */

static int test_begin(contract_t *test, const contract_target_t *target, int no_child_init)
{
    apr_status_t rv;

    memset(test, 0, sizeof(*test));
    test->target = target;
    pthread_mutex_init(&test->log.lock, NULL);
    if (apr_pool_create(&test->pool, NULL) != APR_SUCCESS
        || apr_pool_create(&test->store_pool, NULL) != APR_SUCCESS) {
        bail_out("cannot make a pool");
    }
    test->env.pool = test->store_pool;
    test->env.log = take_line;
    test->env.baton = &test->log;
    test->env.api = &storer_api;
    rv = target->create(target->baton, &test->env, &test->store);
    if (!is_status(rv, APR_SUCCESS, "a new store")) {
        return 0;
    }
    if (no_child_init) {
        return 1;
    }
    rv = contract_child_init(test);
    return is_status(rv, APR_SUCCESS, "child_init");
}

static void test_end(contract_t *test)
{
    if (test->store && test->target->finish) {
        test->target->finish(test->target->baton, test->store);
    }
    apr_pool_destroy(test->pool);
    apr_pool_destroy(test->store_pool);
    log_check(test);
    pthread_mutex_destroy(&test->log.lock);
}

static void run_list(const contract_target_t *target, const contract_test_t *tests)
{
    for (; tests->name; tests++) {
        int failures = tap_failures();
        contract_t test;

        note("%s: %s", target->name, tests->name);
        if (test_begin(&test, target, tests->no_child_init)) {
            tests->run(&test);
        }
        test_end(&test);
        if (tap_failures() != failures) {
            diag("  the above is of \"%s\" over %s", tests->name, target->name);
        }
    }
}

void contract_run(const contract_target_t *target)
{
    run_list(target, contract_values);
    run_list(target, contract_views);
    run_list(target, contract_writers);
    run_list(target, contract_updates);
    run_list(target, contract_keys);
    run_list(target, contract_variants);
    run_list(target, contract_elections);
    if (target->shared) {
        run_list(target, contract_processes);
    }
    else {
        skip("%s: tests of forked processes, which do not share this store", target->name);
    }
}
