/* SPDX-License-Identifier: Apache-2.0
 *
 * filter.h - which filter of a chain is of one kind.
 */
#ifndef FILTER_H
#define FILTER_H

#include "util_filter.h"

/** The first filter with this handle, from `filter` on; NULL: there is none, or no such handle. */
static inline ap_filter_t *filter_find(ap_filter_t *filter, const ap_filter_rec_t *handle)
{
    while (filter && filter->frec != handle) {
        filter = filter->next;
    }
    return handle ? filter : NULL;
}

#endif /* FILTER_H */
