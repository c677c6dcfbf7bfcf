/* SPDX-License-Identifier: Apache-2.0
 *
 * contract.h - one suite for every engine: what storer.h promises is tested here, once.
 *
 * A test program of an engine fills a contract_target_t and calls contract_run(), between its other
 * checks or as its only one. The suite forks and makes threads, but never sleeps: time is a number.
 */
#ifndef CONTRACT_H
#define CONTRACT_H

#include "storer_host.h"

typedef struct contract_target_t {
    const char *name;        /**< for messages */
    /** Make a new, empty store, after init and before child_init (the suite calls that itself, in
     * each process). It lives as long as env->pool. */
    apr_status_t (*create)(void *baton, const storer_env_t *env, storer_t **out);
    /** After each test, with every view and writer given back: time for checks of leaks. env->pool
     * is destroyed next. May be NULL. */
    void (*finish)(void *baton, storer_t *store);
    void *baton;
    apr_off_t capacity;      /**< a value as long as this fits into an empty store: 64 KiB or more */
    apr_off_t too_large;     /**< and a value as long as this never fits; 0: there is no bound */
    int eviction;            /**< a store that is full drops values to take new ones */
    int shared;              /**< processes forked from the creator see one store */
    int in_place;            /**< what its table says */
} contract_target_t;

/** Run the whole suite; results go to TAP. */
void contract_run(const contract_target_t *target);

#endif /* CONTRACT_H */
