/* SPDX-License-Identifier: Apache-2.0
 *
 * negotiation.c - see negotiation.h.
 */
#include "negotiation.h"

static ap_filter_t *find(const request_rec *r, const ap_filter_rec_t *handle)
{
    ap_filter_t *filter = r->output_filters;

    while (filter && filter->r == r && filter->frec != handle) {
        filter = filter->next;
    }
    return filter && filter->frec == handle ? filter : NULL;
}

ap_filter_t *negotiation_keep(const request_rec *r)
{
    const ap_filter_rec_t *handle;

    if (r->main) {
        return NULL; /* subrequests are negotiated before there is a quick handler */
    }
    handle = ap_get_output_filter_handle("CACHE_SAVE");
    return handle ? find(r, handle) : NULL;
}

void negotiation_restore(request_rec *r, ap_filter_t *save)
{
    if (save && !find(r, save->frec)) {
        ap_add_output_filter_handle(save->frec, save->ctx, r, r->connection);
    }
}
