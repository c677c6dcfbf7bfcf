/* SPDX-License-Identifier: Apache-2.0
 *
 * faulty.h - an engine that wraps another one and makes it fail, for tests of error paths.
 *
 * Everything goes through to the wrapped store, views and writers included, until a fault is set.
 * An optional slot the wrapped store lacks is lacking here too, so that the library's version runs
 * on the faulty slots. What is set and counted is per process: set it before or after a fork,
 * whichever process it is meant for.
 */
#ifndef FAULTY_H
#define FAULTY_H

#include "storer_host.h"

typedef enum faulty_slot_e {
    FAULTY_INIT,
    FAULTY_CHILD_INIT,
    FAULTY_GET,
    FAULTY_SET,
    FAULTY_DELETE,
    FAULTY_UPDATE,
    FAULTY_MAP_KEYS,
    FAULTY_RESET,
    FAULTY_LIST_KEYS,
    FAULTY_DELETE_MANY,
    FAULTY_OPEN_WRITER,
    FAULTY_GET_MULTI_LEVEL,
    FAULTY_SET_MULTI_LEVEL,
    FAULTY_STAT,
    FAULTY_VIEW_NEXT,      /**< of any view that came from the store */
    FAULTY_WRITER_APPEND,
    FAULTY_WRITER_COMMIT,
    FAULTY_SLOT_COUNT
} faulty_slot_e;

typedef enum faulty_when_e {
    FAULTY_INSTEAD,  /**< the wrapped store is not asked: it was out of reach */
    FAULTY_AFTER     /**< the wrapped store did it, but the answer was lost. Views and writers it
                          opened are released and aborted. */
} faulty_when_e;

/** Called before each call of a slot goes through. May call the *wrapped* store, and set faults. */
typedef void faulty_hook_fn(void *baton, storer_t *faulty, faulty_slot_e slot);

/** Wraps inner, which the caller keeps. init and child_init go through to it, so pass one that had
 * no init yet, or do not call init again. Lives as long as env->pool. */
storer_t *faulty_create(storer_t *inner, const storer_env_t *env);

/** The nth call of the slot from now on (1: the next one; 0: every call) fails with status. One
 *  fault
 * for each slot; APR_SUCCESS takes it away. */
void faulty_fail(storer_t *faulty, faulty_slot_e slot, apr_uint64_t nth, apr_status_t status,
                 faulty_when_e when);

/** From now on room for that many bytes of values is left: what goes beyond, in set, update or in
 * the middle of a writer, is APR_ENOSPC. Nothing gives room back. -1: no bound. */
void faulty_space(storer_t *faulty, apr_off_t bytes);

/** Call hook before each call that goes through; NULL: none. */
void faulty_hook(storer_t *faulty, faulty_hook_fn *hook, void *baton);

/** Really wait before each call of the slot, but never longer than a second. */
void faulty_delay(storer_t *faulty, faulty_slot_e slot, apr_interval_time_t delay);

/** Takes all faults, hooks, delays and the bound away; counters stay. */
void faulty_clear(storer_t *faulty);

/** Calls of a slot so far, those that failed included. */
apr_uint64_t faulty_calls(storer_t *faulty, faulty_slot_e slot);

/** Faults that struck so far, short space included. */
apr_uint64_t faulty_strikes(storer_t *faulty);

/** Views not released, and writers neither committed nor aborted. */
long faulty_open_views(storer_t *faulty);
long faulty_open_writers(storer_t *faulty);

/** A slot's name, for messages. */
const char *faulty_slot_name(faulty_slot_e slot);

#endif /* FAULTY_H */
