/* SPDX-License-Identifier: Apache-2.0
 *
 * invalidate.c - see invalidate.h.
 *
 * After an unsafe request mod_cache invalidates the URL that it has a key for. That key is not ours
 * (url.h): so mod_cache decides whether and when, and which URLs is decided here.
 */
#include "invalidate.h"

#include "filter.h"

#include "http_request.h"
#include "apr_strings.h"

static ap_filter_rec_t *invalidate_handle;

/* Stands where mod_cache's filter would pass on what it is given, which is nothing. */
static apr_status_t swallow(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    (void)filter;
    return apr_brigade_cleanup(brigade);
}

/* mod_cache invalidates after a 2xx only, and when it has seen the response. Its filter, which is one
 * of these, is called as if that were so, with nothing to pass on, and then removed. */
static int invalidate_as_success(request_rec *r, ap_filter_t *filters)
{
    static ap_filter_rec_t sink_record = {
        .name = "CACHE_STORER_SINK",
        .filter_func = { .out_func = swallow },
        .ftype = AP_FTYPE_PROTOCOL
    };
    ap_filter_rec_t *wanted = ap_get_output_filter_handle("CACHE_INVALIDATE");
    ap_filter_t *found = filter_find(filters, wanted), copy, sink;
    apr_bucket_brigade *nothing;
    int status = r->status;

    if (!found) {
        return 0;
    }
    memset(&sink, 0, sizeof(sink));
    sink.frec = &sink_record;
    sink.r = r;
    sink.c = r->connection;
    copy = *found;
    copy.next = &sink;
    nothing = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    r->status = HTTP_OK;
    (void)wanted->filter_func.out_func(&copy, nothing);
    r->status = status;
    ap_remove_output_filter(found);
    return 1;
}

int invalidate_now(request_rec *r)
{
    return invalidate_as_success(r, r->output_filters);
}

static apr_status_t invalidate_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    if (ap_is_HTTP_REDIRECT(filter->r->status)) {
        (void)invalidate_as_success(filter->r, filter->next);
    }
    ap_remove_output_filter(filter);
    return ap_pass_brigade(filter->next, brigade);
}

void invalidate_register(void)
{
    /* not a content filter: those are gone where httpd itself makes the response */
    invalidate_handle = ap_register_output_filter("CACHE_STORER_INVALIDATE", invalidate_filter,
                                                  NULL, AP_FTYPE_PROTOCOL);
}

void invalidate_watch(request_rec *r)
{
    ap_add_output_filter_handle(invalidate_handle, NULL, r, r->connection);
}

/* Whether a URL is on the authority given as host[:port]. "host" and "host:80" are the same. */
static int is_on(const request_rec *r, const apr_uri_t *uri, const char *authority)
{
    apr_port_t default_port = apr_uri_port_of_scheme(uri->scheme ? uri->scheme : "http");
    apr_port_t port = uri->port_str && *uri->port_str ? uri->port : default_port;
    apr_uri_t own;

    if (apr_uri_parse_hostinfo(r->pool, authority, &own) != APR_SUCCESS || !own.hostname) {
        return 0;
    }
    return ap_cstr_casecmp(own.hostname, uri->hostname) == 0
           && (own.port_str && *own.port_str ? own.port : default_port) == port;
}

/* The host as the client calls it, or as the key has it. */
static int is_this_host(const request_rec *r, const apr_uri_t *uri, const key_parts_t *own)
{
    const char *host = apr_table_get(r->headers_in, "Host");
    const char *authority = apr_pstrmemdup(r->pool, own->host.data,
                                           own->host.len + (own->port.len ? own->port.len + 1 : 0));

    return (host && is_on(r, uri, host)) || is_on(r, uri, authority);
}

/* RFC 3986 section 5.2.3: in the folder of the request's own path. */
static const char *absolute_path(request_rec *r, const char *base, const char *path)
{
    const char *slash = strrchr(base, '/');
    char *joined;

    if (*path == '/') {
        return path;
    }
    joined = apr_pstrcat(r->pool, slash ? apr_pstrmemdup(r->pool, base, (apr_size_t)(slash - base))
                                        : "", "/", path, NULL);
    return ap_normalize_path(joined, AP_NORMALIZE_NOT_ABOVE_ROOT) ? joined : NULL;
}

/* The path that a reference means, with the query's in *query. @return NULL: none of this origin */
static const char *refer(request_rec *r, const key_parts_t *own, const char *location,
                         const char **query)
{
    const char *base = apr_pstrmemdup(r->pool, own->path.data, own->path.len), *path;
    apr_uri_t uri;

    if (apr_uri_parse(r->pool, location, &uri) != APR_SUCCESS
        || (uri.hostname && !is_this_host(r, &uri, own))) {
        return NULL;
    }
    *query = uri.query;
    path = uri.path && *uri.path ? uri.path : uri.hostname ? "/" : base;
    return absolute_path(r, base, path);
}

static void drop_twin(const provider_object_t *object, request_rec *r, const char *url)
{
    storer_bytes_t base_key;

    if (url_twin(r, url, &base_key) == APR_SUCCESS) {
        (void)provider_invalidate_key(object, base_key, r); /* logs by itself */
    }
}

apr_status_t invalidate_url(const provider_object_t *object, request_rec *r)
{
    drop_twin(object, r, object->base.key);
    return provider_invalidate_key(object, object->base_key, r);
}

static void drop_location(const provider_object_t *object, request_rec *r, const char *location)
{
    const char *path, *query = NULL, *url;
    storer_bytes_t base_key;
    key_parts_t own;

    if (!key_take_apart(storer_bytes(object->base.key), &own)) {
        return;
    }
    path = refer(r, &own, location, &query);
    if (!path) {
        return;
    }
    url = url_beside(object->config, &own, path, query, r->pool);
    if (url_base_key(object->config, url, &base_key, r->pool) != APR_SUCCESS) {
        return;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, STORERNO(0503) "invalidating %s as well", url);
    (void)provider_invalidate_key(object, base_key, r); /* logs by itself */
    drop_twin(object, r, url);
}

void invalidate_locations(const provider_object_t *object, request_rec *r)
{
    static const char *const names[] = { "Location", "Content-Location" };
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *location = apr_table_get(r->headers_out, names[i]);

        if (!location) {
            location = apr_table_get(r->err_headers_out, names[i]);
        }
        if (location) {
            drop_location(object, r, location);
        }
    }
}
