/* SPDX-License-Identifier: Apache-2.0
 *
 * opened.h - a store of the Redis engine as a host would open it, whose log lines are kept; and the
 * short forms of the tests that use one.
 */
#ifndef OPENED_H
#define OPENED_H

#include <storer_host.h>

#include <pthread.h>

#define OPENED_LINES 256

/* Now. Any time will do: what Redis is told is how long, not until when. */
#define T0 ((apr_time_t)1700000000 * APR_USEC_PER_SEC + 250000)
/* Fresh for a minute, stale for an hour. */
#define FAR ((storer_expiry_t){ T0 + 60 * APR_USEC_PER_SEC, T0 + 3600 * APR_USEC_PER_SEC })

typedef struct opened_t {
    storer_env_t    env;
    storer_t       *store;
    apr_pool_t     *pool;
    pthread_mutex_t lock;
    /* guarded by lock */
    char           *lines[OPENED_LINES];
    int             count;
    struct opened_machine_t *machine;   /* NULL: the process is alone on its machine */
} opened_t;

/** What the processes of one machine share, as a host provides it. */
typedef struct opened_machine_t {
    void      *memory;
    apr_size_t size;
} opened_machine_t;

/** Open a store, child_init included. options: names and values in turn, then NULL; may be NULL.
 * Bails out where that fails. Closed with pool. */
opened_t *opened_create(const char *url, const char *const *options, apr_pool_t *pool);
/** The same in another process of a machine, which begins as zeroes. */
opened_t *opened_on(opened_machine_t *machine, const char *url, const char *const *options,
                    apr_pool_t *pool);
/** The same without child_init, for tests that fork. */
opened_t *opened_prepare(const char *url, const char *const *options, apr_pool_t *pool);
/** What the factory says of these options: NULL: they are fine. In pool. */
const char *opened_problem(const char *const *options, apr_pool_t *pool);

/** Log lines so far that have this text in them. */
int  opened_said(opened_t *opened, const char *text);
/** Forget the lines so far. */
void opened_forget(opened_t *opened);
/** Show them as diagnostics. */
void opened_show(opened_t *opened);

/** len bytes that follow from seed; in pool. */
storer_bytes_t opened_bytes(apr_size_t len, unsigned seed, apr_pool_t *pool);

apr_status_t opened_set(opened_t *opened, const char *key, storer_bytes_t value);
/** 'v': the key has this value; '-': it has none; '?': it has another; 'e': a failure, in *rv (which
 * may be NULL). */
char opened_get(opened_t *opened, const char *key, storer_bytes_t value, apr_status_t *rv);
/** Store a variant of base, "BASE{-VARY-}x:NAME", for requests with the header X: NAME, as a host does:
 * by a writer. name "": for all requests. */
apr_status_t opened_set_variant(opened_t *opened, const char *base, const char *name,
                                storer_bytes_t value, apr_pool_t *pool);
/** As opened_get, for the variant a request with X: NAME gets. */
char opened_get_variant(opened_t *opened, const char *base, const char *name, storer_bytes_t value,
                        apr_pool_t *pool);

#endif /* OPENED_H */
