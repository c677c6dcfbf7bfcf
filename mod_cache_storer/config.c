/* SPDX-License-Identifier: Apache-2.0
 *
 * config.c - the configuration of a server: made, merged field by field from the main server into
 * virtual hosts, and read with the defaults filled in. directives.c parses.
 */
#include "config.h"

#include "apr_strings.h"

#define CONFIG_UNSET (-1)

static const storer_option_t default_options[] = { { "size", "64M" }, { NULL, NULL } };

void *config_create_server(apr_pool_t *pool, server_rec *server)
{
    config_server_t *config = apr_pcalloc(pool, sizeof(*config));

    (void)server;
    config->stale = CONFIG_UNSET;
    config->min_body = CONFIG_UNSET;
    config->max_body = CONFIG_UNSET;
    config->max_variants = CONFIG_UNSET;
    config->compression = CONFIG_COMPRESSION_UNSET;
    config->collapse = CONFIG_UNSET;
    config->finish_fill = CONFIG_UNSET;
    config->ignore_control = CONFIG_UNSET;
    config->while_revalidate.mode = CONFIG_GRACE_UNSET;
    config->while_revalidate.fallback = CONFIG_UNSET;
    config->if_error.mode = CONFIG_GRACE_UNSET;
    config->if_error.fallback = CONFIG_UNSET;
    config->cookies = CONFIG_COOKIES_UNSET;
    config->any_host = CONFIG_UNSET;
    config->ignore_query = CONFIG_UNSET;
    config->quick = CONFIG_UNSET;
    return config;
}

void *config_create_directory(apr_pool_t *pool, char *directory)
{
    config_directory_t *config = apr_pcalloc(pool, sizeof(*config));

    (void)directory;
    config->purge = CONFIG_UNSET;
    config->access = CONFIG_ACCESS_UNSET;
    return config;
}

void *config_merge_directory(apr_pool_t *pool, void *base_config, void *add_config)
{
    const config_directory_t *base = base_config, *add = add_config;
    config_directory_t *merged = apr_palloc(pool, sizeof(*merged));

    merged->purge = add->purge >= 0 ? add->purge : base->purge;
    merged->access = add->access != CONFIG_ACCESS_UNSET ? add->access : base->access;
    merged->rules = access_rules_merge(&base->rules, &add->rules);
    return merged;
}

const config_directory_t *config_directory_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &cache_storer_module);
}

int config_allows_purge(const request_rec *r)
{
    return config_directory_of(r)->purge == 1;
}

static const config_grace_t *merge_grace(const config_grace_t *base, const config_grace_t *add)
{
    return add->mode != CONFIG_GRACE_UNSET ? add : base;
}

/* As mod_cache does with the directives themselves: a host has those of the main server as well. */
static const apr_array_header_t *merge_prefixes(apr_pool_t *pool, const apr_array_header_t *base,
                                                const apr_array_header_t *add)
{
    if (!base || !add) {
        return base ? base : add;
    }
    return apr_array_append(pool, base, add);
}

/* As their owners merge them. A name is each server's own. */
static void merge_seen(config_server_t *merged, const config_server_t *base,
                       const config_server_t *add)
{
    merged->key_base = add->key_base ? add->key_base : base->key_base;
    merged->ignore_query = add->ignore_query >= 0 ? add->ignore_query : base->ignore_query;
    merged->session_ids = add->session_ids ? add->session_ids : base->session_ids;
    merged->quick = add->quick >= 0 ? add->quick : base->quick;
    merged->named = add->named;
}

void *config_merge_server(apr_pool_t *pool, void *base_config, void *add_config)
{
    const config_server_t *base = base_config, *add = add_config;
    config_server_t *merged = apr_pcalloc(pool, sizeof(*merged));
    const config_server_t *storage = add->engine ? add : base;
    const config_server_t *collapse = add->collapse >= 0 ? add : base;

    merged->engine = storage->engine;
    merged->options = storage->options;
    merged->where = storage->where;
    merged->stale = add->stale >= 0 ? add->stale : base->stale;
    merged->min_body = add->min_body >= 0 ? add->min_body : base->min_body;
    merged->max_body = add->max_body >= 0 ? add->max_body : base->max_body;
    merged->max_variants = add->max_variants >= 0 ? add->max_variants : base->max_variants;
    merged->compression = add->compression != CONFIG_COMPRESSION_UNSET ? add->compression
                                                                       : base->compression;
    merged->collapse = collapse->collapse;
    merged->collapse_time = collapse->collapse_time;
    merged->finish_fill = add->finish_fill >= 0 ? add->finish_fill : base->finish_fill;
    merged->ignore_control = add->ignore_control >= 0 ? add->ignore_control : base->ignore_control;
    merged->while_revalidate = *merge_grace(&base->while_revalidate, &add->while_revalidate);
    merged->if_error = *merge_grace(&base->if_error, &add->if_error);
    merged->cookies = add->cookies != CONFIG_COOKIES_UNSET ? add->cookies : base->cookies;
    merged->status = add->status.set ? add->status : base->status;
    merged->normalized = add->normalized ? add->normalized : base->normalized;
    merged->targeted = add->targeted ? add->targeted : base->targeted;
    merged->tags = add->tags ? add->tags : base->tags;
    merged->purge_field = add->purge_field ? add->purge_field : base->purge_field;
    merged->bypass = add->bypass ? add->bypass : base->bypass;
    merged->query = add->query ? add->query : base->query;
    merged->ttl = add->ttl ? add->ttl : base->ttl;
    merged->any_host = add->any_host >= 0 ? add->any_host : base->any_host;
    merge_seen(merged, base, add);
    merged->prefixes = merge_prefixes(pool, base->prefixes, add->prefixes);
    return merged;
}

config_server_t *config_of(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &cache_storer_module);
}

const char *config_engine(const config_server_t *config)
{
    return config->engine ? config->engine : "memory";
}

const storer_option_t *config_options(const config_server_t *config)
{
    return config->engine ? config->options : default_options;
}

apr_interval_time_t config_stale(const config_server_t *config)
{
    return config->stale >= 0 ? config->stale : apr_time_from_sec(86400);
}

apr_off_t config_min_body(const config_server_t *config)
{
    return config->min_body >= 0 ? config->min_body : 0;
}

int config_max_variants(const config_server_t *config)
{
    return config->max_variants >= 0 ? config->max_variants : 64;
}

config_compression_e config_compression(const config_server_t *config)
{
    return config->compression != CONFIG_COMPRESSION_UNSET ? config->compression
                                                           : CONFIG_COMPRESSION_AUTO;
}

apr_interval_time_t config_collapse(const config_server_t *config)
{
    if (config->collapse == 0) {
        return 0;
    }
    return config->collapse == 1 && config->collapse_time > 0 ? config->collapse_time
                                                              : apr_time_from_sec(5);
}

apr_off_t config_finish_fill(const config_server_t *config)
{
    return config->finish_fill >= 0 ? config->finish_fill : 1024 * 1024;
}

config_cookies_e config_cookies(const config_server_t *config)
{
    return config->cookies != CONFIG_COOKIES_UNSET ? config->cookies : CONFIG_COOKIES_DECLINE;
}

const config_status_t *config_status(const config_server_t *config)
{
    static const char hit[] = "storer; hit; ttl=";
    static const config_status_t by_default = { 1, 1, "storer", hit, sizeof(hit) - 1, 0, 0 };

    return config->status.set ? &config->status : &by_default;
}

int config_normalizes(const config_server_t *config, storer_bytes_t name)
{
    static const char by_default[] = "accept-encoding";
    int i;

    if (!config->normalized) {
        return name.len == sizeof(by_default) - 1
               && ap_cstr_casecmpn(name.data, by_default, name.len) == 0;
    }
    for (i = 0; i < config->normalized->nelts; i++) {
        const char *candidate = APR_ARRAY_IDX(config->normalized, i, const char *);

        if (strlen(candidate) == name.len
            && ap_cstr_casecmpn(name.data, candidate, name.len) == 0) {
            return 1;
        }
    }
    return 0;
}

const apr_array_header_t *config_targeted(const config_server_t *config)
{
    static const char *fields[] = { "CDN-Cache-Control" };
    static const apr_array_header_t by_default = {
        NULL, sizeof(fields[0]), 1, 1, (char *)fields
    };

    return config->targeted ? config->targeted : &by_default;
}

const apr_array_header_t *config_tags(const config_server_t *config)
{
    static const char *fields[] = { "Surrogate-Key", "Cache-Tag" };
    static const apr_array_header_t by_default = {
        NULL, sizeof(fields[0]), 2, 2, (char *)fields
    };

    return config->tags ? config->tags : &by_default;
}

const char *config_purge_field(const config_server_t *config)
{
    return config->purge_field && *config->purge_field ? config->purge_field : NULL;
}

/* A prefix may also be a URL: whether its host is the request's is mod_cache's to know. */
int config_covers(const config_server_t *config, const char *path)
{
    int i;

    if (!path) {
        path = "/"; /* RFC 3986 section 6.2.3: "GET http://host"; CONNECT has none either */
    }
    for (i = 0; config->prefixes && i < config->prefixes->nelts; i++) {
        const char *prefix = APR_ARRAY_IDX(config->prefixes, i, const char *);

        if (*prefix != '/' || strncmp(path, prefix, strlen(prefix)) == 0) {
            return 1;
        }
    }
    return 0;
}

int config_is_quick(const config_server_t *config)
{
    return config->quick != 0;
}

const char *config_contradiction(const config_server_t *config)
{
    if (config->max_body >= 0 && config_min_body(config) > config->max_body) {
        return "CacheStorerMinFileSize is larger than CacheStorerMaxFileSize: no response would "
               "ever be stored";
    }
    return NULL;
}
