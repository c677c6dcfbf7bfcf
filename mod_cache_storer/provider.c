/* SPDX-License-Identifier: Apache-2.0
 *
 * provider.c - what the provider's callbacks have in common.
 */
#include "provider.h"

#include "purge/labels.h"

provider_object_t *provider_object_of(const cache_handle_t *handle)
{
    return handle->cache_obj ? handle->cache_obj->vobj : NULL;
}

provider_object_t *provider_object_create(cache_handle_t *handle, request_rec *r)
{
    const config_server_t *config = config_of(r->server);
    const url_t *url = config->store ? url_of(r) : NULL;
    provider_object_t *object;

    /* mod_cache hands in uninitialised memory, or what another provider left */
    handle->cache_obj = NULL;
    handle->req_hdrs = NULL;
    handle->resp_hdrs = NULL;
    if (!url || !url->text) {
        if (url) {
            state_of(r)->detail = url->problem; /* url_of() found a store for r's server */
            ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, STORERNO(0301) "not cached: %s: %s", r->uri,
                          url->problem);
        }
        return NULL;
    }
    object = apr_pcalloc(r->pool, sizeof(*object));
    object->base.key = url->text;
    object->base.vobj = object;
    object->r = r;
    object->config = config;
    object->store = config->store;
    object->base_key = url->base_key;
    handle->cache_obj = &object->base;
    return object;
}

int provider_result(apr_status_t rv)
{
    return rv == APR_SUCCESS ? OK : DECLINED;
}

/* proxy-revalidate, which mod_cache takes as well, is none of the directives that allow it. */
int provider_is_shared(const freshness_t *response, const state_t *state)
{
    return !state->credentials || response->is_public || response->s_maxage != -1
           || response->must_revalidate;
}

apr_status_t provider_drop_key(const provider_object_t *object, storer_bytes_t base_key,
                               request_rec *r)
{
    apr_status_t rv = storer_delete_multi_level(object->store, base_key, r->request_time, r->pool);

    if (rv != APR_SUCCESS) {
        /* A store that is too busy for that, or may not: what is invalid must not be served for it. */
        apr_uint64_t label = labels_url(base_key);

        if (storer_purge(object->store, &label, 1, STORER_PURGE_HARD, r->request_time) == APR_SUCCESS) {
            ap_log_rerror(APLOG_MARK, APLOG_INFO, rv, r,
                          STORERNO(0303) "%.*s is purged, since it could not be dropped",
                          (int)base_key.len, base_key.data);
            return APR_SUCCESS;
        }
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, rv, r,
                      STORERNO(0302) "%.*s could not be dropped from the cache",
                      (int)base_key.len, base_key.data);
    }
    return rv;
}

apr_status_t provider_drop(const provider_object_t *object, request_rec *r)
{
    return provider_drop_key(object, object->base_key, r);
}

/* First the purge of what is being fetched: what is stored between the two is dropped. */
apr_status_t provider_invalidate_key(const provider_object_t *object, storer_bytes_t base_key,
                                     request_rec *r)
{
    apr_uint64_t label = labels_url(base_key);
    apr_status_t fetches = storer_purge(object->store, &label, 1, STORER_PURGE_DROPPED,
                                        apr_time_now());
    apr_status_t rv = provider_drop_key(object, base_key, r); /* logs by itself */

    if (fetches != APR_SUCCESS && fetches != APR_ENOTIMPL && rv == APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, fetches, r,
                      STORERNO(0910) "%.*s is dropped from the cache, but a response that is being "
                      "fetched now may be stored", (int)base_key.len, base_key.data);
        rv = fetches;
    }
    return rv;
}
