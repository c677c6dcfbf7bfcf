/* SPDX-License-Identifier: Apache-2.0
 *
 * entries.h - a walk over the stored responses that an admin may see: those of his virtual host, or of
 * all. What was purged is not there any more, whether its room is used again yet or not.
 */
#ifndef ENTRIES_H
#define ENTRIES_H

#include "admin.h"

/** One variant. Valid during the call. */
typedef struct entries_entry_t {
    storer_t         *store;
    storer_bytes_t    base_key;    /**< of the URL */
    storer_bytes_t    url;         /**< the same as people write it */
    storer_bytes_t    variant;     /**< what follows the base key in the key; may be empty */
    const record_t   *record;
    const storer_view_t *view;
    int               soft;        /**< softly purged */
} entries_entry_t;

/** @return APR_SUCCESS: go on; anything else ends the walk with it */
typedef apr_status_t entries_fn(void *baton, const entries_entry_t *entry, apr_pool_t *scratch);

/**
 * All of them, in no order.
 * @param pattern that the URL must match; NULL: any
 * @return APR_SUCCESS; APR_TIMEUP: the pattern takes too long on some key; APR_EINTR: see
 *         admin_should_stop; or what fn returned, or the store
 */
apr_status_t entries_walk(const admin_t *admin, storer_pattern_t *pattern, entries_fn *fn,
                          void *baton);

/** Those of one URL. */
apr_status_t entries_of_url(const admin_t *admin, storer_bytes_t base_key, entries_fn *fn,
                            void *baton);

/** Entry's key as people read it: URL and variant, in pool. */
storer_bytes_t entries_shown(const entries_entry_t *entry, apr_pool_t *pool);

/** Tell the client that a walk has failed. @return what a handler returns */
int entries_failed(const admin_t *admin, apr_status_t rv);

#endif /* ENTRIES_H */
