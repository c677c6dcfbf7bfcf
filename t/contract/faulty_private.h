/* SPDX-License-Identifier: Apache-2.0
 *
 * faulty_private.h - what the two files of the fault-injecting engine share: faulty.c has the
 * slots, faulty_leases.c the views and writers.
 */
#ifndef FAULTY_PRIVATE_H
#define FAULTY_PRIVATE_H

#include "faulty.h"
#include "storer_private.h"

#include <stdatomic.h>

typedef struct fault_t {
    atomic_ullong calls;
    atomic_ullong strike_at;   /* the call that fails; 0 with status set: every call */
    atomic_int status;         /* APR_SUCCESS: no fault */
    atomic_int when;
    atomic_llong delay;
} fault_t;

typedef struct faulty_t {
    storer_t base;
    storer_ops_t ops;          /* a table of its own: it lacks what the wrapped store lacks */
    storer_t *inner;
    const char *uuid;
    faulty_hook_fn *hook;      /* set while no other thread uses the store */
    void *hook_baton;
    fault_t faults[FAULTY_SLOT_COUNT];
    atomic_int bounded;
    atomic_llong space;
    atomic_ullong strikes;
    atomic_long views, writers;
} faulty_t;

/* Counts, waits, and says whether the call fails instead. Its number goes to *call, for after. */
apr_status_t faulty_before(faulty_t *faulty, faulty_slot_e slot, apr_uint64_t *call);

/* Says whether a call that went well fails after all. */
apr_status_t faulty_after(faulty_t *faulty, faulty_slot_e slot, apr_uint64_t call,
                          apr_status_t rv);

/* Takes bytes from the room left; on failure none are taken. */
apr_status_t faulty_take_space(faulty_t *faulty, apr_size_t bytes);

/* *view takes over what *inner holds; on failure that is released. */
apr_status_t faulty_view_wrap(faulty_t *faulty, storer_view_t *view, storer_view_t *inner);

/* The slot, entered: opens the wrapped store's writer. */
storer_open_writer_fn faulty_open_writer;

#endif /* FAULTY_PRIVATE_H */
