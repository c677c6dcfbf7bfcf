/* SPDX-License-Identifier: Apache-2.0
 *
 * claim.c - see claim.h.
 */
#include "claim.h"

#include "apr_strings.h"

#include <string.h>

apr_status_t claim_take(claim_t *claim, storer_t *store, storer_bytes_t key, apr_uint64_t owner,
                        apr_interval_time_t lease)
{
    claim_t taken;
    apr_status_t rv;

    if (!store->ops->claim) {
        return APR_ENOTIMPL;
    }
    memset(&taken, 0, sizeof(taken));
    taken.store = store;
    apr_snprintf(taken.key, sizeof(taken.key), "%016" APR_UINT64_T_HEX_FMT "%016" APR_UINT64_T_HEX_FMT,
                 storer_label("claim 1", key), storer_label("claim 2", key));
    apr_snprintf(taken.owner, sizeof(taken.owner), "%016" APR_UINT64_T_HEX_FMT, owner);
    rv = storer_claim(store, storer_bytes(taken.key), storer_bytes(taken.owner), lease);
    if (rv != APR_EEXIST) {
        *claim = taken; /* after an error too: it may have been made, and only the answer been lost */
    }
    return rv;
}

void claim_end(claim_t *claim)
{
    if (claim->store) {
        /* else it ends with its lease */
        (void)storer_release(claim->store, storer_bytes(claim->key), storer_bytes(claim->owner));
        memset(claim, 0, sizeof(*claim));
    }
}
