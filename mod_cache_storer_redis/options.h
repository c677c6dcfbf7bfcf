/* SPDX-License-Identifier: Apache-2.0
 *
 * options.h - what `CacheStorer redis key=value ...` says, read and checked. The only place that
 * has a password in clear text until it is sent; nothing here writes one into a message.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <storer.h>

#define OPTIONS_HOSTS_MAX  32
#define OPTIONS_PREFIX_MAX 64
#define OPTIONS_PURGES_MAX 200000

/** Where a server listens. */
typedef struct options_host_t {
    const char *name;   /**< host name or address, or the path of a unix socket */
    int         port;   /**< 0: a unix socket */
} options_host_t;

typedef struct options_t {
    options_host_t hosts[OPTIONS_HOSTS_MAX];
    int            host_count;
    int            database;
    int            tls;         /**< rediss:// */
    const char    *tls_ca;      /**< file of trusted certificates; NULL: the system's */
    const char    *user;        /**< NULL: none */
    const char    *password;    /**< NULL: none */
    const char    *prefix;      /**< of all our keys; without glob characters, ':' or braces */
    apr_interval_time_t timeout;  /**< of one operation */
    apr_interval_time_t interval; /**< how long a server in trouble is left alone */
    int            pool;        /**< most connections of a process to one server */
    int            cluster;
    int            purges;      /**< how many labels are remembered as purged */
} options_t;

/**
 * @param errmsg set on failure: names option and reason; never has the url's user or password in it
 * @return APR_SUCCESS; APR_EINVAL; all strings are in pool
 */
apr_status_t options_read(options_t *options, const storer_option_t *given,
                          const storer_env_t *env, const char **errmsg);

/** "host:port,host2:port/database/prefix": identity, and nothing secret. In pool. */
const char *options_uuid(const options_t *options, apr_pool_t *pool);

#endif /* OPTIONS_H */
