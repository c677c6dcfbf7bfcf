/* SPDX-License-Identifier: Apache-2.0
 *
 * url.h - the URL that a request is cached under, and whether it is the cache's at all.
 *
 * That is the URL of the request that the client made, by its request line: rewrites, DirectoryIndex,
 * MultiViews, FallbackResource, Action, ErrorDocument and CGI's local redirects change what httpd
 * works on, in the same request_rec or in a further one (r->prev), and change nothing here. What
 * mod_cache calls the key is made of what httpd works on at the moment, so that a front controller
 * has one for all of its pages; it is not used. A subrequest has the URL that it was made for.
 *
 * Path and query are the client's, without a change but for CacheIgnoreQueryString,
 * CacheIgnoreURLSessionIdentifiers and CacheStorerKeyQuery. Scheme, host and port follow mod_cache:
 * CacheKeyBaseURL, or UseCanonicalName and the Host; but
 *   - a Host that is none of the server's names makes the request none of the cache's
 *     (CacheStorerHosts), for anybody may invent names;
 *   - where a proxy in front says that the client's scheme is another one than the connection's
 *     (X-Forwarded-Proto and its kin), the key has the client's scheme and the connection's port,
 *     which no connection with TLS of its own has.
 */
#ifndef URL_H
#define URL_H

#include "config.h"

#include "http/key.h"

#include "httpd.h"

/** What is known of the request that the client made. In its state. */
typedef struct url_t {
    const char    *text;      /**< "http://host:80/path?query"; NULL: there is none, see problem */
    storer_bytes_t base_key;  /**< set if text is */
    const char    *path;      /**< decoded, for CacheEnable and CacheDisable; NULL: as httpd has it */
    const char    *problem;   /**< why nothing may be looked up or stored: a text for the log */
    int            unsafe;    /**< its method is not GET or HEAD, whatever r says by now */
    int            known;     /**< the rest was found out */
} url_t;

/** The request that the client or, for a subrequest, a module made: the first of r's chain. */
request_rec *url_first(const request_rec *r);

/** The URL of r's chain; NULL: nothing is cached for its server. */
const url_t *url_of(request_rec *r);

/** Why nothing may be looked up for r, and nothing stored; NULL: it may. */
const char *url_problem(request_rec *r);

/** Whether r makes the page for an error of the request before it (ErrorDocument): what it makes is
 * not what the URL has, and the URL's response is not what the client may get. */
int url_is_error_page(const request_rec *r);

/** Whether some request of the chain is none to be answered from a cache, by its method. */
int url_is_unsafe(request_rec *r);

/** The base key that a url of r's server has for clients whose scheme is the other one of http and
 * https, as a proxy in front says. @return APR_SUCCESS; APR_NOTFOUND: there is none */
apr_status_t url_twin(const request_rec *r, const char *url, storer_bytes_t *base_key);

/** The url of another path and query of the same origin, by the directives of the server. path,
 * query: as in a URL; query may be NULL. In pool. */
const char *url_beside(const config_server_t *config, const key_parts_t *origin, const char *path,
                       const char *query, apr_pool_t *pool);

/** The base key of a url by CacheStorerKeyQuery. @see key_of_url() */
apr_status_t url_base_key(const config_server_t *config, const char *url, storer_bytes_t *base_key,
                          apr_pool_t *pool);

typedef void url_key_fn(void *baton, storer_bytes_t base_key);

/** Calls back with each base key, or beginning of one, that a URL may have that a person wrote or
 * copied from a list of keys, at a server of this kind.
 * @param is_prefix the text is the beginning of a URL: scheme and host, and what else there is */
void url_each_key(const server_rec *server, const char *text, int is_prefix, url_key_fn *fn,
                  void *baton, apr_pool_t *pool);

#endif /* URL_H */
