/* SPDX-License-Identifier: Apache-2.0
 *
 * mod_floor.c - the cheapest cache provider there can be, for t/bench/hit and t/bench/cost:
 * everything is a hit on one constant response. What a hit costs above it is a provider's own.
 *
 *   CacheEnable floor /
 *   FloorBody BYTES
 *   FloorField NAME VALUE    of the response; any number of them
 */
#include "httpd.h"
#include "http_config.h"
#include "ap_provider.h"
#include "mod_cache.h"

#include "apr_buckets.h"
#include "apr_strings.h"

#include <stdlib.h>
#include <string.h>

module AP_MODULE_DECLARE_DATA floor_module;

#define FIELDS_MAX 16

/* Of the whole server; written while it is configured. */
static struct {
    char       *body;
    apr_size_t  length;
    const char *names[FIELDS_MAX], *values[FIELDS_MAX];
    int         count;
} response;

static const char *set_body(cmd_parms *cmd, void *dummy, const char *bytes)
{
    (void)dummy;
    response.length = (apr_size_t)strtoul(bytes, NULL, 10);
    response.body = apr_palloc(cmd->pool, response.length + 1);
    memset(response.body, 'x', response.length);
    response.count = 0;
    return NULL;
}

static const char *add_field(cmd_parms *cmd, void *dummy, const char *name, const char *value)
{
    (void)cmd;
    (void)dummy;
    if (response.count == FIELDS_MAX) {
        return "too many fields";
    }
    response.names[response.count] = name;
    response.values[response.count++] = value;
    return NULL;
}

static int open_entity(cache_handle_t *handle, request_rec *r, const char *key)
{
    cache_object_t *object = apr_pcalloc(r->pool, sizeof(*object));

    object->key = key;
    object->vobj = object;
    object->info.status = HTTP_OK;
    object->info.date = object->info.request_time = object->info.response_time = r->request_time;
    object->info.expire = r->request_time + apr_time_from_sec(86000);
    object->info.control.parsed = 1;
    object->info.control.cache_control = 1;
    object->info.control.max_age = 1;
    object->info.control.max_age_value = 86400;
    object->info.control.s_maxage_value = -1;
    object->info.control.max_stale_value = -1;
    object->info.control.min_fresh_value = -1;
    handle->cache_obj = object;
    handle->req_hdrs = NULL;
    handle->resp_hdrs = NULL;
    return OK;
}

static apr_status_t recall_headers(cache_handle_t *handle, request_rec *r)
{
    int i;

    handle->req_hdrs = r->headers_in;
    handle->resp_hdrs = apr_table_make(r->pool, response.count + 3);
    for (i = 0; i < response.count; i++) {
        apr_table_addn(handle->resp_hdrs, response.names[i], response.values[i]);
    }
    return APR_SUCCESS;
}

static apr_status_t recall_body(cache_handle_t *handle, apr_pool_t *pool, apr_bucket_brigade *brigade)
{
    (void)handle;
    (void)pool;
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_immortal_create(response.body, response.length,
                                                                brigade->bucket_alloc));
    return APR_SUCCESS;
}

static int remove_entity(cache_handle_t *handle)
{
    (void)handle;
    return OK;
}

static int remove_url(cache_handle_t *handle, request_rec *r)
{
    (void)handle, (void)r;
    return OK;
}

static int create_entity(cache_handle_t *handle, request_rec *r, const char *key, apr_off_t length,
                         apr_bucket_brigade *brigade)
{
    (void)handle, (void)r, (void)key, (void)length, (void)brigade;
    return DECLINED;
}

static apr_status_t store_headers(cache_handle_t *handle, request_rec *r, cache_info *info)
{
    (void)handle, (void)r, (void)info;
    return APR_EGENERAL;
}

static apr_status_t store_body(cache_handle_t *handle, request_rec *r, apr_bucket_brigade *in,
                               apr_bucket_brigade *out)
{
    (void)handle, (void)r, (void)in, (void)out;
    return APR_EGENERAL;
}

static apr_status_t commit_entity(cache_handle_t *handle, request_rec *r)
{
    (void)handle, (void)r;
    return APR_EGENERAL;
}

static apr_status_t invalidate_entity(cache_handle_t *handle, request_rec *r)
{
    (void)handle, (void)r;
    return APR_SUCCESS;
}

static const cache_provider provider = {
    remove_entity, store_headers, store_body, recall_headers, recall_body, create_entity, open_entity,
    remove_url, commit_entity, invalidate_entity
};

static const command_rec commands[] = {
    AP_INIT_TAKE1("FloorBody", set_body, NULL, RSRC_CONF, "bytes of the body"),
    AP_INIT_TAKE2("FloorField", add_field, NULL, RSRC_CONF, "name and value of a header field"),
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL }
};

static void register_hooks(apr_pool_t *pool)
{
    ap_register_provider(pool, CACHE_PROVIDER_GROUP, "floor", "0", &provider);
}

AP_DECLARE_MODULE(floor) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands, register_hooks, 0
};
