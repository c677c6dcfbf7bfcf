/* SPDX-License-Identifier: Apache-2.0
 *
 * count.h - how many stored responses a purge is about to meet. A purge by URL, host or tag does not
 * look at the responses it makes invalid, so that it costs the same however many they are; an admin
 * who wants to know their number pays for a walk over all keys.
 */
#ifndef COUNT_H
#define COUNT_H

#include "entries.h"

/** Whether a stored response is selected. selector: as the purge's type expects it. */
typedef int count_selects_fn(const entries_entry_t *entry, const char *selector);

count_selects_fn count_by_host, count_by_tags, count_by_nothing;

/**
 * Count the responses, each variant of a URL as one, that the admin may see and that are selected.
 * Several calls add up.
 * @return APR_SUCCESS; APR_EINTR: see admin_should_stop(); or the failure of a store
 */
apr_status_t count_walk(const admin_t *admin, count_selects_fn *selects, const char *selector,
                        apr_size_t *count);

/** The same for the variants of the URLs that have these base keys: an array of storer_bytes_t. This is
 * no walk over all keys. */
apr_status_t count_urls(const admin_t *admin, const apr_array_header_t *base_keys, apr_size_t *count);

#endif /* COUNT_H */
