/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - the directives, per server. Everything is server level: mod_cache's quick handler runs
 * before any <Location> is looked at.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "mod_cache_storer.h"

#include "../storage/storer.h"

typedef enum config_compression_e {
    CONFIG_COMPRESSION_UNSET = -1,
    CONFIG_COMPRESSION_AUTO,   /**< as LZ4, but not where the engine serves in place */
    CONFIG_COMPRESSION_LZ4,
    CONFIG_COMPRESSION_NONE
} config_compression_e;

/** The configuration of a server. Virtual hosts without a directive of ours share the main one. */
typedef struct config_server_t {
    /* as configured; a negative number or NULL: not set here */
    const char             *engine;
    const storer_option_t  *options;       /**< ends with name NULL; set where engine is */
    const char             *where;         /**< line and file of CacheStorer; set where engine is */
    apr_interval_time_t     stale;
    apr_off_t               min_body, max_body;
    int                     max_variants;
    config_compression_e    compression;

    /* resolved by lifecycle.c, read-only while requests run */
    storer_t               *store;         /**< NULL: nothing is read or stored */
    apr_off_t               body_limit;    /**< largest body that is stored */
} config_server_t;

extern const command_rec config_directives[];

/** module record slots */
void *config_create_server(apr_pool_t *pool, server_rec *server);
void *config_merge_server(apr_pool_t *pool, void *base, void *add);

config_server_t *config_of(const server_rec *server);

/* the value in effect: as configured, else the default */
const char            *config_engine(const config_server_t *config);
const storer_option_t *config_options(const config_server_t *config);
apr_interval_time_t    config_stale(const config_server_t *config);
apr_off_t              config_min_body(const config_server_t *config);
int                    config_max_variants(const config_server_t *config);
config_compression_e   config_compression(const config_server_t *config);

/** What is wrong with the values as a whole; NULL: nothing. */
const char *config_contradiction(const config_server_t *config);

#endif /* CONFIG_H */
