/* SPDX-License-Identifier: Apache-2.0
 *
 * url.c - see url.h.
 */
#include "url.h"

#include "state.h"

#include "http/number.h"
#include "http/query.h"
#include "http/forwarded.h"
#include "http/session_ids.h"

#include "http_core.h"
#include "http_protocol.h"
#include "http_vhost.h"
#include "apr_strings.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------------
 * Path and query
 * --------------------------------------------------------------------------------------------- */

/* The same URL with its query in normal form. Every url has a "?". */
static const char *normal_query(const query_rules_t *rules, const char *url, apr_pool_t *pool)
{
    const char *query = strchr(url, '?');

    if (!query || !query[1]) {
        return url;
    }
    query++;
    return apr_pstrcat(pool, apr_pstrmemdup(pool, url, (apr_size_t)(query - url)),
                       query_normal_form(rules, query, pool), NULL);
}

apr_status_t url_base_key(const config_server_t *config, const char *url, storer_bytes_t *base_key,
                          apr_pool_t *pool)
{
    return key_of_url(storer_bytes(config->query ? normal_query(config->query, url, pool) : url),
                      base_key, pool);
}

const char *url_beside(const config_server_t *config, const key_parts_t *origin, const char *path,
                       const char *query, apr_pool_t *pool)
{
    key_parts_t parts = *origin;

    if (config->ignore_query) {
        query = NULL;
    }
    if (config->session_ids) {
        session_ids_cut(config->session_ids, &path, &query, pool);
    }
    parts.path = storer_bytes(path);
    parts.query = storer_bytes(query ? query : "");
    return key_put_together(&parts, pool);
}

/* RFC 9112 section 3.2: of a request's target only these are part of a URL. */
static int is_plain(const char *target)
{
    for (; *target; target++) {
        unsigned char byte = (unsigned char)*target;

        if (byte <= ' ' || byte == 0x7f || byte == '#') {
            return 0;
        }
    }
    return 1;
}

/* As httpd decodes it, for comparisons with the paths of directives; NULL: it is the same anyway, or
 * no path at all. */
static const char *decoded_path(const char *path, apr_pool_t *pool)
{
    char *copy;

    if (!strchr(path, '%') && !strstr(path, "//") && !strstr(path, "/.")) {
        return path;
    }
    copy = apr_pstrdup(pool, path);
    if (!ap_normalize_path(copy, AP_NORMALIZE_NOT_ABOVE_ROOT | AP_NORMALIZE_MERGE_SLASHES
                                 | AP_NORMALIZE_DECODE_UNRESERVED)
        || ap_unescape_url_ex(copy, AP_UNESCAPE_URL_KEEP_UNRESERVED | AP_UNESCAPE_URL_KEEP_SLASHES)
           != OK) {
        return path;
    }
    return copy;
}

/* ------------------------------------------------------------------------------------------------
 * Scheme, host and port
 * --------------------------------------------------------------------------------------------- */

static int is_local_address(const conn_rec *c, const char *host)
{
    return c->local_ip && strcmp(host, c->local_ip) == 0;
}

/* The names that the configuration gives to the server, and those that lead to this machine. */
static int is_own_host(request_rec *r)
{
    return ap_matches_request_vhost(r, r->hostname, r->server->port)
           || strcmp(r->hostname, "localhost") == 0 || is_local_address(r->connection, r->hostname);
}

static int is_own_port(const request_rec *r)
{
    apr_port_t port = r->parsed_uri.port;

    return !r->parsed_uri.port_str || port == r->connection->local_addr->port
           || port == r->server->port || port == DEFAULT_HTTP_PORT || port == DEFAULT_HTTPS_PORT;
}

/* Where the server has a name to compare with, and the key would have the client's. */
static int is_invented(request_rec *r, const config_server_t *config)
{
    if (config->any_host || !config->named || !r->hostname
        || (config->key_base && config->key_base->hostname)
        || ap_get_server_name(r) != r->hostname) {
        return 0;
    }
    return !is_own_host(r) || !is_own_port(r);
}

static const char *default_port(const apr_uri_t *base, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%u", (unsigned)apr_uri_port_of_scheme(base->scheme ? base->scheme
                                                                                  : "http"));
}

static const char *port_of(request_rec *r, const apr_uri_t *base)
{
    if (base && base->hostname) {
        return base->port_str ? base->port_str : default_port(base, r->pool);
    }
    return number_decimal(apr_palloc(r->pool, NUMBER_DIGITS), ap_get_server_port(r));
}

static const char *host_of(request_rec *r, const apr_uri_t *base)
{
    const char *host = base && base->hostname ? base->hostname : ap_get_server_name(r);

    if (!host || !*host) {
        return "_default_"; /* mod_cache's word */
    }
    return strchr(host, ':') ? apr_pstrcat(r->pool, "[", host, "]", NULL) : host;
}

/* @return NULL, or what is wrong */
static const char *find_origin(request_rec *r, const config_server_t *config, key_parts_t *origin)
{
    const apr_uri_t *base = config->key_base;
    const char *scheme = ap_http_scheme(r);

    if (is_invented(r, config)) {
        return "the Host is none of this server's names (CacheStorerHosts)";
    }
    if (base && base->scheme) {
        scheme = base->scheme;
    }
    else if (!forwarded_scheme(apr_table_get(r->subprocess_env, "HTTPS"), r->headers_in, &scheme)) {
        return "the scheme of the client is neither http nor https, by a proxy in front";
    }
    origin->scheme = storer_bytes(scheme);
    origin->host = storer_bytes(host_of(r, base));
    origin->port = storer_bytes(port_of(r, base));
    return NULL;
}

/* ------------------------------------------------------------------------------------------------
 * The client's request
 * --------------------------------------------------------------------------------------------- */

request_rec *url_first(const request_rec *r)
{
    while (r->prev) {
        r = r->prev;
    }
    return (request_rec *)r;
}

static int has_body(const request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    return (length && strcmp(length, "0") != 0) || apr_table_get(r->headers_in, "Transfer-Encoding");
}

/* The target of a forward proxy is another server's URL, as it stands. */
static const char *find_foreign(request_rec *r, url_t *url, const char *target)
{
    const char *text = key_read(target, r->pool);

    if (!text) {
        return "the target of the request is no URL";
    }
    url->text = text;
    return NULL;
}

/* The path and what follows it. @return NULL: the target has no such form */
static const char *path_of_target(const request_rec *r, const char *target)
{
    key_parts_t parts;

    if (*target == '/') {
        return target;
    }
    if (!key_take_apart(storer_bytes(target), &parts)
        || ap_cstr_casecmpn(parts.scheme.data, ap_http_scheme(r), parts.scheme.len) != 0
        || ap_http_scheme(r)[parts.scheme.len] != '\0') {
        return NULL;
    }
    return parts.path.len ? parts.path.data : parts.query.data ? parts.query.data - 1 : "";
}

/* @return NULL, or why the request has no URL */
static const char *find_own(request_rec *r, const config_server_t *config, url_t *url,
                            const char *target)
{
    const char *begin = path_of_target(r, target), *mark, *path, *problem;
    key_parts_t origin = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };

    if (!begin) {
        return "the target of the request is no URL of this server";
    }
    mark = begin + strcspn(begin, "?");
    path = mark > begin ? apr_pstrmemdup(r->pool, begin, (apr_size_t)(mark - begin)) : "/";
    url->path = decoded_path(path, r->pool);
    problem = find_origin(r, config, &origin);
    if (!problem) {
        url->text = url_beside(config, &origin, path, *mark ? mark + 1 : NULL, r->pool);
    }
    return problem;
}

/* For the same answer whenever it is asked: as the quick handler sees the request, which comes before
 * any section of the configuration is looked at. */
static const char *find_url(request_rec *r, const config_server_t *config, url_t *url)
{
    ap_conf_vector_t *sections = r->per_dir_config;
    const char *target = r->unparsed_uri, *problem;

    url->unsafe = r->method_number != M_GET;
    if (!target || !is_plain(target)) {
        return "the target of the request is no URL";
    }
    r->per_dir_config = r->server->lookup_defaults;
    problem = r->proxyreq == PROXYREQ_PROXY ? find_foreign(r, url, target)
                                            : find_own(r, config, url, target);
    r->per_dir_config = sections;
    if (problem) {
        return problem;
    }
    if (url_base_key(config, url->text, &url->base_key, r->pool) != APR_SUCCESS) {
        url->text = NULL;
        return "its URL is too long for a key";
    }
    return has_body(r) ? "the request has a body" : NULL;
}

const url_t *url_of(request_rec *r)
{
    request_rec *first = url_first(r);
    state_t *state = state_of(first);

    if (!state) {
        return NULL;
    }
    if (!state->url.known) {
        state->url.known = 1;
        state->url.problem = find_url(first, state->config, &state->url);
    }
    return &state->url;
}

int url_is_error_page(const request_rec *r)
{
    for (r = r->prev; r; r = r->prev) {
        if (r->status != HTTP_OK) {
            return 1;
        }
    }
    return 0;
}

int url_is_unsafe(request_rec *r)
{
    const url_t *url = url_of(r);
    const request_rec *each;

    for (each = r; each; each = each->prev) {
        if (each->method_number != M_GET) {
            return 1;
        }
    }
    return url && url->unsafe;
}

const char *url_problem(request_rec *r)
{
    const url_t *url = url_of(r);

    if (!url) {
        return "nothing is cached for this server";
    }
    if (url->problem) {
        return url->problem;
    }
    return url_is_unsafe(r) ? "the client's request is no GET" : NULL;
}

apr_status_t url_twin(const request_rec *r, const char *url, storer_bytes_t *base_key)
{
    const config_server_t *config = config_of(r->server);
    key_parts_t parts;

    if ((config->key_base && config->key_base->scheme) || r->proxyreq == PROXYREQ_PROXY
        || !key_take_apart(storer_bytes(url), &parts)) {
        return APR_NOTFOUND;
    }
    parts.scheme = storer_bytes(parts.scheme.len == 5 ? "http" : "https");
    return url_base_key(config, key_put_together(&parts, r->pool), base_key, r->pool);
}

/* ------------------------------------------------------------------------------------------------
 * What people write
 * --------------------------------------------------------------------------------------------- */

typedef struct each_t {
    const server_rec *server;
    int               is_prefix;
    url_key_fn       *fn;
    void             *baton;
    apr_pool_t       *pool;
} each_t;

static void add_parts(const each_t *each, const key_parts_t *parts)
{
    const config_server_t *config = config_of(each->server);
    apr_pool_t *pool = each->pool;
    storer_bytes_t base_key;

    if (each->is_prefix) {
        each->fn(each->baton, key_escape(storer_bytes(key_put_prefix(parts, pool)), pool));
    }
    else {
        const char *path = apr_pstrmemdup(pool, parts->path.data, parts->path.len);
        const char *query = apr_pstrmemdup(pool, parts->query.data, parts->query.len);

        if (url_base_key(config, url_beside(config, parts, path, query, pool), &base_key, pool)
            == APR_SUCCESS) {
            each->fn(each->baton, base_key);
        }
    }
}

static int is_https_at_its_port(const key_parts_t *parts)
{
    return storer_bytes_equal(parts->scheme, storer_bytes("https"))
           && storer_bytes_equal(parts->port, storer_bytes("443"));
}

/* As it stands; with the origin that CacheKeyBaseURL gives to all keys of the server; and for https
 * also with the port at which a proxy in front, which has the TLS, reaches the server. */
static void add_text(const each_t *each, const char *text)
{
    const apr_uri_t *base = config_of(each->server)->key_base;
    apr_pool_t *pool = each->pool;
    const char *url = each->is_prefix ? key_read_prefix(text, pool) : key_read(text, pool);
    unsigned port = each->server->port ? each->server->port : DEFAULT_HTTP_PORT;
    key_parts_t parts;

    if (!url || !key_take_apart(storer_bytes(url), &parts)) {
        return;
    }
    add_parts(each, &parts);
    if (is_https_at_its_port(&parts)) {
        parts.port = storer_bytes(apr_psprintf(pool, "%u", port));
        add_parts(each, &parts);
    }
    if (base && base->hostname && base->scheme) {
        parts.scheme = storer_bytes(base->scheme);
        parts.host = storer_bytes(base->hostname);
        parts.port = storer_bytes(base->port_str ? base->port_str : default_port(base, pool));
        add_parts(each, &parts);
    }
}

void url_each_key(const server_rec *server, const char *text, int is_prefix, url_key_fn *fn,
                  void *baton, apr_pool_t *pool)
{
    each_t each = { server, is_prefix, fn, baton, pool };
    const char *plain = key_unescape(text, pool);

    add_text(&each, text);
    if (plain) {
        add_text(&each, plain);
    }
}
