/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - the directives, per server. Nearly everything is server level: mod_cache's quick handler
 * runs before any <Location> is looked at.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "mod_cache_storer.h"

#include "access/rules.h"
#include "http/query.h"
#include "http/ttl.h"

#include "../storage/storer_host.h"

#include "apr_uri.h"

typedef enum config_compression_e {
    CONFIG_COMPRESSION_UNSET = -1,
    CONFIG_COMPRESSION_AUTO,   /**< as LZ4, but not where the engine serves in place */
    CONFIG_COMPRESSION_LZ4,
    CONFIG_COMPRESSION_NONE
} config_compression_e;

typedef enum config_cookies_e {
    CONFIG_COOKIES_UNSET = -1,
    CONFIG_COOKIES_DECLINE,    /**< a response that sets a cookie is not stored */
    CONFIG_COOKIES_STRIP,      /**< it is stored without; the client it was made for gets it */
    CONFIG_COOKIES_STORE       /**< it is stored with it, for everyone */
} config_cookies_e;

/** RFC 5861: CacheStorerStaleWhileRevalidate, CacheStorerStaleIfError. */
typedef enum config_grace_e {
    CONFIG_GRACE_UNSET = -1,
    CONFIG_GRACE_OFF,
    CONFIG_GRACE_ON            /**< what the response says; config_grace_t.fallback where it does not */
} config_grace_e;

typedef struct config_grace_t {
    config_grace_e      mode;
    apr_interval_time_t fallback; /**< -1: none */
} config_grace_t;

/** CacheStorerStatus: Cache-Status (RFC 9211). */
typedef struct config_status_t {
    int         set;
    int         on;
    const char *name;   /**< an sf-token or a quoted sf-string */
    const char *hit;    /**< the name and what a hit always has behind it */
    apr_size_t  hit_length;
    int         key;    /**< with the key */
    int         detail; /**< with the reason in words */
} config_status_t;

/** CacheStorerAccess: a response of which access depends on the client. */
typedef enum config_access_e {
    CONFIG_ACCESS_UNSET = -1,
    CONFIG_ACCESS_CHECK,       /**< no client gets it before access control */
    CONFIG_ACCESS_IGNORE       /**< it is stored and served as any other */
} config_access_e;

/** The configuration of a directory. */
typedef struct config_directory_t {
    int             purge;   /**< CacheStorerPurge; 0, 1 or negative: not set here */
    config_access_e access;
    access_rules_t  rules;   /**< the access control in force there */
} config_directory_t;

/** The configuration of a server. Each virtual host has one of its own, also without a directive. */
typedef struct config_server_t {
    /* as configured; a negative number or NULL: not set here */
    const char             *engine;
    const storer_option_t  *options;       /**< ends with name NULL; set where engine is */
    const char             *where;         /**< line and file of CacheStorer; set where engine is */
    apr_interval_time_t     stale;
    apr_off_t               min_body, max_body;
    int                     max_variants;
    config_compression_e    compression;
    int                     collapse;      /**< 0 or 1 */
    apr_interval_time_t     collapse_time; /**< set where collapse is; -1: the default */
    apr_off_t               finish_fill;   /**< bytes that may be missing when a client goes away */
    config_grace_t          while_revalidate, if_error;
    config_cookies_e        cookies;
    config_status_t         status;
    const apr_array_header_t *normalized;  /**< of const char *, lower case; empty: none */
    const apr_array_header_t *targeted;    /**< of const char *; empty: none */
    apr_array_header_t     *bypass;        /**< of ap_expr_info_t * */
    const query_rules_t    *query;
    ttl_rules_t            *ttl;
    const apr_array_header_t *tags;        /**< of const char *; empty: none */
    const char             *purge_field;   /**< of responses to unsafe requests; NULL or "": none */
    int                     any_host;      /**< CacheStorerHosts any */

    /* other modules' directives, see config_seen.h */
    const apr_array_header_t *prefixes;    /**< of const char *: where CacheEnable names us */
    const apr_uri_t        *key_base;      /**< CacheKeyBaseURL */
    int                     ignore_query;  /**< CacheIgnoreQueryString */
    apr_array_header_t     *session_ids;   /**< of const char *: CacheIgnoreURLSessionIdentifiers */
    int                     ignore_control; /**< CacheIgnoreCacheControl */
    int                     quick;         /**< CacheQuickHandler */
    int                     named;         /**< this very server has a ServerName */

    /* resolved by lifecycle.c, read-only while requests run */
    apr_uint64_t            site;          /**< label of the virtual host, see purge/labels.h */
    storer_t               *store;         /**< NULL: nothing is read or stored */
    apr_off_t               body_limit;    /**< largest body that is stored */
    int                     environment;   /**< somebody asks for cache-storer-... */
    apr_uint64_t           *counters;      /**< of the virtual host, see stats/; NULL: none */
    apr_uint32_t            stripes;       /**< of the counters */
} config_server_t;

/** directives.c */
extern const command_rec config_directives[];

/** module record slots */
void *config_create_server(apr_pool_t *pool, server_rec *server);
void *config_merge_server(apr_pool_t *pool, void *base, void *add);

void *config_create_directory(apr_pool_t *pool, char *directory);
void *config_merge_directory(apr_pool_t *pool, void *base, void *add);

config_server_t *config_of(const server_rec *server);

/** The configuration of the directory that a request is in by now. */
const config_directory_t *config_directory_of(const request_rec *r);

/** CacheStorerPurge, where this request is. */
int config_allows_purge(const request_rec *r);

/* the value in effect: as configured, else the default */
const char            *config_engine(const config_server_t *config);
const storer_option_t *config_options(const config_server_t *config);
apr_interval_time_t    config_stale(const config_server_t *config);
apr_off_t              config_min_body(const config_server_t *config);
int                    config_max_variants(const config_server_t *config);
config_compression_e   config_compression(const config_server_t *config);
/** How long a cold request waits for another one's response; 0: not at all. */
apr_interval_time_t    config_collapse(const config_server_t *config);
apr_off_t              config_finish_fill(const config_server_t *config);
config_cookies_e       config_cookies(const config_server_t *config);
const config_status_t *config_status(const config_server_t *config);
/** Whether a request header is folded before Vary is matched. The name is in any case. */
int                    config_normalizes(const config_server_t *config, storer_bytes_t name);
const apr_array_header_t *config_targeted(const config_server_t *config);
/** The response fields that carry tags. */
const apr_array_header_t *config_tags(const config_server_t *config);
/** The field by which the response to an unsafe request purges tags; NULL: none. */
const char            *config_purge_field(const config_server_t *config);
/** Whether some CacheEnable that names us may cover this path; NULL: the request's target has none. */
int                    config_covers(const config_server_t *config, const char *path);

/** Whether some directive of the configuration mentions a text, .htaccess files apart. (directives.c)
 */
int config_mentions(const char *text);

/** Whether mod_cache works as a quick handler. */
int                    config_is_quick(const config_server_t *config);

/** What is wrong with the values as a whole; NULL: nothing. */
const char *config_contradiction(const config_server_t *config);

#endif /* CONFIG_H */
