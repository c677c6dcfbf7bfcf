/* SPDX-License-Identifier: Apache-2.0
 *
 * contract_private.h - what the files of the suite share: the test at hand, and short forms.
 *
 * Each file contract_TOPIC.c exports one list of tests. A test gets a new store, and whatever the
 * store logs at WARNING or above without being announced by contract_expect_log() fails it.
 */
#ifndef CONTRACT_PRIVATE_H
#define CONTRACT_PRIVATE_H

#include "contract.h"
#include "storer_private.h"
#include "tap.h"

#include <pthread.h>

/* Now. Any time will do, but the mapping's has seconds and fractions. */
#define T0 ((apr_time_t)1700000000 * APR_USEC_PER_SEC + 250000)
#define SECONDS(n) ((apr_interval_time_t)(n) * APR_USEC_PER_SEC)

/* Fresh for a minute, stale for an hour. */
#define EXPIRY_FAR ((storer_expiry_t){ T0 + SECONDS(60), T0 + SECONDS(3600) })

#define CONTRACT_LOG_MAX 64

typedef struct contract_log_t {
    pthread_mutex_t lock;
    /* guarded by lock */
    int warnings;            /* lines at WARNING or above */
    char *lines[CONTRACT_LOG_MAX];
} contract_log_t;

typedef struct contract_t {
    const contract_target_t *target;
    apr_pool_t *pool;        /* of this test; destroyed after it */
    apr_pool_t *store_pool;  /* the store's */
    storer_env_t env;
    storer_t *store;
    contract_log_t log;
    int expected_min, expected_max;
} contract_t;

typedef struct contract_test_t {
    const char *name;
    void (*run)(contract_t *test);
    int no_child_init;       /* 1: the test calls it, in the processes it forks */
} contract_test_t;

extern const contract_test_t contract_values[];
extern const contract_test_t contract_views[];
extern const contract_test_t contract_writers[];
extern const contract_test_t contract_updates[];
extern const contract_test_t contract_keys[];
extern const contract_test_t contract_variants[];
extern const contract_test_t contract_elections[];
extern const contract_test_t contract_processes[];

/* ---- contract.c ---- */

/* Lines at WARNING or above so far, in this process. */
int contract_warnings(contract_t *test);
/* By its end the test will have caused this many. */
void contract_expect_log(contract_t *test, int min, int max);
/* child_init, where there is one; pchild lives as long as the test. */
apr_status_t contract_child_init(contract_t *test);

/* "prefixNNN", in pool. */
storer_bytes_t contract_key(const char *prefix, int number, apr_pool_t *pool);
/* len bytes that follow from seed, zeros among them; in pool. */
storer_bytes_t contract_value(apr_size_t len, unsigned seed, apr_pool_t *pool);
/* Whether bytes are those of contract_value(len, seed). */
int contract_is_value(storer_bytes_t bytes, apr_size_t len, unsigned seed);

apr_status_t contract_set(contract_t *test, const char *key, storer_bytes_t value);
/* The whole value, copied to pool; none unless the status is APR_SUCCESS. */
apr_status_t contract_read(storer_t *store, storer_bytes_t key, apr_time_t now,
                           storer_bytes_t *out, apr_pool_t *pool);
/* All of a view's bytes, copied to pool; data NULL: next() failed or the length was wrong. */
storer_bytes_t contract_drain(storer_view_t *view, apr_pool_t *pool);
/* One check each: the key has this value at T0 / has none. */
void contract_has(contract_t *test, const char *key, storer_bytes_t value, const char *what);
void contract_lacks(contract_t *test, const char *key, const char *what);
/* Keys with the prefix at this time; -1: map_keys failed. */
long contract_count(contract_t *test, const char *prefix, apr_time_t now);

/* Runs work in count threads, each with a pool and a number from 0, and waits for them.
 * @return how many returned anything but 0 */
typedef int contract_work_fn(contract_t *test, int number, apr_pool_t *pool);
int contract_threads(contract_t *test, int count, contract_work_fn *work);
/* The same in forked processes that all begin at the same time, after child_init in each. This
 * process calls child_init after the fork, and then `meanwhile` (may be NULL), before they begin.
 * For tests with no_child_init. */
int contract_processes_run(contract_t *test, int count, contract_work_fn *work,
                           void (*meanwhile)(contract_t *test));

/* ---- contract_variants.c ---- */

/* A variant of base under varied_key, with no headers; good as EXPIRY_FAR, stored at T0. */
storer_variant_t contract_variant(const char *base, const char *varied_key);
/* storer_set_multi_level, the value being "value of VARIED_KEY". */
apr_status_t contract_store(contract_t *test, const storer_variant_t *variant, apr_pool_t *pool);

/* What an election found: 'F' fresh, 'S' stale, '-' none, '!' anything else. The value goes to
 * *value, in pool. headers: names and values in turn, then NULL. */
char contract_elect(contract_t *test, const char *base, const char *const *headers, apr_time_t now,
                    storer_bytes_t *value, apr_pool_t *pool);
/* One check: that variant is elected, as fresh ('F') or as stale ('S'); '-': none is. */
void contract_elects(contract_t *test, const char *base, const char *const *headers,
                     apr_time_t now, char how, const char *varied_key);

#endif /* CONTRACT_PRIVATE_H */
