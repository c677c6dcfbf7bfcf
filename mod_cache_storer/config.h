/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - the configuration of a server and of a directory, read-only while requests run.
 * directives/directives.c is the table of the directives that set it. Nearly everything is server
 * level: mod_cache's quick handler runs before any <Location> is looked at.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "mod_cache_storer.h"

#include "access/rules.h"
#include "directives/directive.h"
#include "http/query.h"
#include "http/ttl.h"

#include "../storage/storer_host.h"

#include "apr_uri.h"

/** CacheStorerCompression; the member is an int, as those of the other words. */
typedef enum config_compression_e {
    CONFIG_COMPRESSION_AUTO,   /**< as LZ4, but not if the engine serves in place */
    CONFIG_COMPRESSION_LZ4,
    CONFIG_COMPRESSION_NONE
} config_compression_e;

/** CacheStorerSetCookie */
typedef enum config_cookies_e {
    CONFIG_COOKIES_DECLINE,    /**< a response that sets a cookie is not stored */
    CONFIG_COOKIES_STRIP,      /**< it is stored without; the client it was made for gets it */
    CONFIG_COOKIES_STORE       /**< it is stored with it, for everyone */
} config_cookies_e;

/** CacheStorerNormalize: bits */
typedef enum config_folded_e {
    CONFIG_FOLDED_ENCODING = 1,
    CONFIG_FOLDED_LANGUAGE = 2,
    CONFIG_FOLDED_AGENT = 4
} config_folded_e;

/** The names of the request headers that can be folded. */
extern const directive_word_t config_folded[];

/** RFC 5861: CacheStorerStaleWhileRevalidate, CacheStorerStaleIfError. */
typedef enum config_grace_e {
    CONFIG_GRACE_OFF,
    CONFIG_GRACE_ON            /**< what the response says; config_grace_t.fallback if it does not */
} config_grace_e;

typedef struct config_grace_t {
    config_grace_e      mode;
    apr_interval_time_t fallback; /**< -1: none */
} config_grace_t;

/** CacheStorer */
typedef struct config_storage_t {
    const char            *engine;
    const storer_option_t *options; /**< ends with name NULL */
} config_storage_t;

/** CacheStorerStatus: Cache-Status (RFC 9211). */
typedef struct config_status_t {
    int         on;
    const char *name;   /**< an sf-token or a quoted sf-string */
    const char *hit;    /**< the name and what a hit always has behind it */
    apr_size_t  hit_length;
    int         key;    /**< with the key */
    int         detail; /**< with the reason in words */
} config_status_t;

/** The settings of a directory, each an int; 0: not set here. */
typedef enum config_setting_e {
    CONFIG_PURGE,
    CONFIG_ACCESS,
    CONFIG_DIRECTORY_SETTINGS
} config_setting_e;

/** CacheStorerPurge: the values of CONFIG_PURGE. If it is not set, it is off. */
typedef enum config_purge_e {
    CONFIG_PURGE_OFF = 1,
    CONFIG_PURGE_ON
} config_purge_e;

/** CacheStorerAccess, a response of which access depends on the client: the values of CONFIG_ACCESS.
 * If it is not set, it is checked. */
typedef enum config_access_e {
    CONFIG_ACCESS_CHECK = 1,   /**< no client gets it before access control */
    CONFIG_ACCESS_IGNORE       /**< it is stored and served as any other */
} config_access_e;

/** The configuration of a directory. */
typedef struct config_directory_t {
    int            settings[CONFIG_DIRECTORY_SETTINGS];
    access_rules_t rules;     /**< the access control in force there */
} config_directory_t;

/** The configuration of a server. Each virtual host has one of its own, also without a directive. Each
 * member that a directive sets has the value in effect: without the directive, the default. */
typedef struct config_server_t {
    config_storage_t        storage;
    apr_interval_time_t     stale;
    apr_off_t               min_body;
    apr_off_t               max_body;      /**< 0: a quarter of the store, see body_limit */
    int                     max_variants;
    int                     compression;   /**< config_compression_e */
    apr_interval_time_t     collapse;      /**< how long a request waits for the response to another
                                                one; 0: not at all */
    apr_off_t               finish_fill;   /**< bytes that may be missing when a client goes away */
    config_grace_t          while_revalidate, if_error;
    int                     cookies;       /**< config_cookies_e */
    config_status_t         status;
    int                     normalized;    /**< bits of config_folded_e */
    const apr_array_header_t *targeted;    /**< of const char *: fields before Cache-Control */
    apr_array_header_t     *bypass;        /**< of ap_expr_info_t *; NULL: none */
    const query_rules_t    *query;         /**< NULL: the query as it is */
    ttl_rules_t            *ttl;           /**< NULL: none */
    const apr_array_header_t *tags;        /**< of const char *: response fields that carry tags */
    const char             *purge_field;   /**< of responses to unsafe requests; NULL: none */
    int                     any_host;      /**< CacheStorerHosts any */

    /* other modules' directives, see directives/seen.h */
    const apr_array_header_t *prefixes;    /**< of const char *: the paths of CacheEnable storer */
    const apr_uri_t        *key_base;      /**< CacheKeyBaseURL */
    int                     ignore_query;  /**< CacheIgnoreQueryString */
    apr_array_header_t     *session_ids;   /**< of const char *: CacheIgnoreURLSessionIdentifiers */
    int                     ignore_control; /**< CacheIgnoreCacheControl */
    int                     quick;         /**< CacheQuickHandler: mod_cache works as a quick handler */
    int                     named;         /**< this very server has a ServerName */

    /* resolved by lifecycle.c, read-only while requests run */
    apr_uint64_t            site;          /**< label of the virtual host, see purge/labels.h */
    storer_t               *store;         /**< NULL: nothing is read or stored */
    apr_off_t               body_limit;    /**< largest body that is stored */
    int                     environment;   /**< somebody asks for cache-storer-... */
    apr_uint64_t           *counters;      /**< of the virtual host, see stats/; NULL: none */
    apr_uint32_t            stripes;       /**< of the counters */

    /** By row of the table of directives: the directive that set the member, here or in the main
     * server; NULL: none, so that it has its default. */
    const ap_directive_t   *told[DIRECTIVE_ROWS_MAX];
} config_server_t;

/** module record slots */
void *config_create_server(apr_pool_t *pool, server_rec *server);
void *config_merge_server(apr_pool_t *pool, void *base, void *add);

void *config_create_directory(apr_pool_t *pool, char *directory);
void *config_merge_directory(apr_pool_t *pool, void *base, void *add);

config_server_t *config_of(const server_rec *server);

/** The configuration of the directory that a request is in by now. */
const config_directory_t *config_directory_of(const request_rec *r);

/** CacheStorerPurge, for this request. */
int config_allows_purge(const request_rec *r);

/** CacheStorerAccess ignore, for this request. */
int config_ignores_access(const request_rec *r);

/** Whether a request header is folded before Vary is matched. The name is in any case. */
int config_normalizes(const config_server_t *config, storer_bytes_t name);

/** Whether some CacheEnable that names us may cover this path; NULL: the request's target has none. */
int config_covers(const config_server_t *config, const char *path);

/** Whether some directive of the configuration mentions a text, .htaccess files apart. */
int config_mentions(const char *text);

/** The directive of this name that is in effect for a server; NULL: none. While the configuration is
 * read only. */
const ap_directive_t *config_told(const config_server_t *config, const char *name);

#endif /* CONFIG_H */
