/* SPDX-License-Identifier: Apache-2.0
 *
 * nested_subrequest.c - see nested_subrequest.h.
 */
#include "nested_subrequest.h"

#include "util_filter.h"

static ap_filter_rec_t *end_handle;

static apr_status_t end_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    apr_bucket *bucket, *next;

    for (bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = next) {
        next = APR_BUCKET_NEXT(bucket);
        if (APR_BUCKET_IS_EOS(bucket)) {
            apr_bucket_delete(bucket);
        }
    }
    return APR_BRIGADE_EMPTY(brigade) ? APR_SUCCESS : ap_pass_brigade(filter->next, brigade);
}

/* Whether one of the request's own filters takes the end of stream away. They come first in the
 * chain. */
static int has_end(const request_rec *r)
{
    const ap_filter_rec_t *core = ap_get_output_filter_handle("SUBREQ_CORE");
    const ap_filter_t *filter;

    for (filter = r->output_filters; filter && filter->r == r; filter = filter->next) {
        if (filter->frec == core || filter->frec == end_handle) {
            return 1;
        }
    }
    return 0;
}

void nested_subrequest_insert(request_rec *r)
{
    if (r->main && r->main->main && !has_end(r)) {
        ap_add_output_filter_handle(end_handle, NULL, r, r->connection);
    }
}

void nested_subrequest_register(void)
{
    end_handle = ap_register_output_filter("CACHE_STORER_END_SUBREQ", end_filter, NULL,
                                           AP_FTYPE_CONTENT_SET);
}
