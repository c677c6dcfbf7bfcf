/* SPDX-License-Identifier: Apache-2.0
 *
 * provider_purge.c - removal: what mod_cache asks for after an unsafe request, or when an entry
 * turned out to be of no use any more.
 */
#include "provider.h"

#include "invalidate.h"

#include "purge/purge_method.h"
#include "stats/stats.h"

/* mod_cache is about to store another response in this one's place. The stored entry stays until it
 * is replaced: should the new one fail half-way, there is still something to revalidate. */
int provider_remove_entity(cache_handle_t *handle)
{
    provider_object_t *object = provider_object_of(handle);

    if (object) {
        storer_view_release(&object->view);
    }
    handle->cache_obj = NULL;
    return OK;
}

/* cache_remove_url_filter() stays behind when an internal redirect takes the place of the request that
 * has found something stale, and drops that when the redirect's response comes by, though that one may
 * have confirmed or replaced it: for the same URL, as mod_cache does not know. What is true of an error
 * is true of the URL, unless it is the server's. */
static int is_overtaken(const provider_object_t *object, const request_rec *r)
{
    return object->r != r && (!url_is_error_page(r) || r->status >= HTTP_INTERNAL_SERVER_ERROR);
}

/* All variants: whatever made this one invalid (the resource is gone, or not cacheable any more) is
 * a property of the URL, and a variant left behind would contradict the origin. */
int provider_remove_url(cache_handle_t *handle, request_rec *r)
{
    provider_object_t *object = provider_object_of(handle);

    if (!object) {
        return DECLINED;
    }
    if (is_overtaken(object, r)) {
        return OK;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, STORERNO(0501) "dropping %s", object->base.key);
    return provider_result(provider_drop(object, r));
}

/* RFC 9111 section 4.4. Dropping is stronger than marking as invalid, and reaches every variant. */
apr_status_t provider_invalidate_entity(cache_handle_t *handle, request_rec *r)
{
    provider_object_t *object = provider_object_of(handle);

    if (!object) {
        return APR_NOTFOUND;
    }
    if (purge_method_meets(object, r)) {
        return APR_SUCCESS;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, STORERNO(0502) "invalidating %s",
                  object->base.key);
    stats_count(r, STATS_INVALIDATIONS);
    invalidate_locations(object, r);
    return invalidate_url(object, r);
}
