/* SPDX-License-Identifier: Apache-2.0
 *
 * negotiation.c - see negotiation.h.
 */
#include "negotiation.h"

#include "../filter.h"

ap_filter_t *negotiation_keep(const request_rec *r)
{
    /* subrequests are negotiated before there is a quick handler */
    return r->main ? NULL : filter_find(r->output_filters, ap_get_output_filter_handle("CACHE_SAVE"));
}

void negotiation_restore(request_rec *r, ap_filter_t *save)
{
    if (save && !filter_find(r->output_filters, save->frec)) {
        ap_add_output_filter_handle(save->frec, save->ctx, r, r->connection);
    }
}
