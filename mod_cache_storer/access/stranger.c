/* SPDX-License-Identifier: Apache-2.0
 *
 * stranger.c - see stranger.h.
 */
#include "stranger.h"

#include "../mod_cache_storer.h"

#include "http_core.h"
#include "http_log.h"
#include "http_request.h"
#include "apr_lib.h"
#include "apr_strings.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------------
 * Access control
 * --------------------------------------------------------------------------------------------- */

/* As ap_process_request_internal() decides, for a client that has no credentials. */
static int is_let_in(request_rec *r)
{
    if (ap_satisfies(r) == SATISFY_ANY) { /* mod_access_compat */
        return ap_run_access_checker(r) == OK || ap_run_access_checker_ex(r) == OK;
    }
    return ap_run_access_checker_ex(r) == OK && ap_run_access_checker(r) == OK;
}

/* What httpd may decide by, as the stranger has it. Modules would log that they refused him. */
static int lets_in(request_rec *r, const char *address)
{
    static const struct ap_logconf silent = { NULL, APLOG_EMERG };
    request_rec mine = *r;
    apr_sockaddr_t *parsed = NULL;
    int result;

    if (apr_sockaddr_info_get(&parsed, address, APR_UNSPEC, 0, 0, r->pool) != APR_SUCCESS) {
        return 0; /* no IPv6 here */
    }
    r->useragent_addr = parsed;
    r->useragent_ip = apr_pstrdup(r->pool, address);
    r->useragent_host = apr_pstrdup(r->pool, ""); /* looked up, and there is none */
    r->user = NULL;
    r->ap_auth_type = NULL;
    r->headers_in = apr_table_make(r->pool, 1);
    r->subprocess_env = apr_table_make(r->pool, 1);
    r->log = &silent;
    result = is_let_in(r);
    r->useragent_addr = mine.useragent_addr;
    r->useragent_ip = mine.useragent_ip;
    r->useragent_host = mine.useragent_host;
    r->user = mine.user;
    r->ap_auth_type = mine.ap_auth_type;
    r->headers_in = mine.headers_in;
    r->subprocess_env = mine.subprocess_env;
    r->log = mine.log;
    return result;
}

/* RFC 5737 and RFC 3849: addresses for documentation, which nobody has. Several: a rule may name
 * one of them. */
static int lets_strangers_in(request_rec *r)
{
    static const char *const addresses[] = {
        "192.0.2.1", "198.51.100.77", "203.0.113.154", "2001:db8::1"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        if (lets_in(r, addresses[i])) {
            return 1;
        }
    }
    return 0;
}

int access_is_restricted(request_rec *r, const char *what, const char *cure)
{
    if (!lets_strangers_in(r)) {
        return 1;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  STORERNO(0521) "%s is refused for %s: everybody may do it. %s", what, r->uri, cure);
    return 0;
}

/* ------------------------------------------------------------------------------------------------
 * Host names
 * --------------------------------------------------------------------------------------------- */

static int is_among(const apr_array_header_t *names, const char *host)
{
    int i;

    for (i = 0; names && i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (name && ap_cstr_casecmp(name, host) == 0) {
            return 1;
        }
    }
    return 0;
}

/* "ServerAlias *.example.org" names hosts of ours, "ServerAlias *" those of everybody. */
static int is_under_wildcard(const apr_array_header_t *patterns, const char *host)
{
    int i;

    for (i = 0; patterns && i < patterns->nelts; i++) {
        const char *pattern = APR_ARRAY_IDX(patterns, i, const char *), *byte = pattern;

        while (byte && *byte && !apr_isalnum(*byte)) {
            byte++;
        }
        if (byte && *byte && ap_strcasecmp_match(host, pattern) == 0) {
            return 1;
        }
    }
    return 0;
}

/* <VirtualHost www.example.org:80> */
static int is_address_name(const server_addr_rec *address, const char *host)
{
    for (; address; address = address->next) {
        if (address->virthost && ap_cstr_casecmp(address->virthost, host) == 0) {
            return 1;
        }
    }
    return 0;
}

/* httpd has split off the port, and the brackets of an IPv6 address. */
static int is_address(const char *host)
{
    return strspn(host, "0123456789.") == strlen(host) || strchr(host, ':');
}

int access_is_own_name(request_rec *r, const char *what)
{
    const server_rec *server = r->server;
    const char *host = r->hostname;

    if (!host || apr_table_get(r->headers_in, "Sec-Cache-Storer") || is_address(host)
        || ap_cstr_casecmp(host, "localhost") == 0
        || (server->server_hostname && ap_cstr_casecmp(server->server_hostname, host) == 0)
        || is_among(server->names, host) || is_under_wildcard(server->wild_names, host)
        || is_address_name(server->addrs, host)) {
        return 1;
    }
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                  STORERNO(0820) "%s is refused under the host name %s, which is no ServerName or "
                  "ServerAlias of this server: a page of another site may have it, and lead a browser "
                  "here. Add a ServerName or ServerAlias if it is yours", what,
                  ap_escape_logitem(r->pool, host));
    return 0;
}

/* ------------------------------------------------------------------------------------------------
 * Pages of other sites
 * --------------------------------------------------------------------------------------------- */

/* Whether a browser sends this on behalf of somebody else's page: Fetch Metadata, and RFC 6454 for
 * browsers without it. */
static int is_cross_site(const request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin");
    const char *host = apr_table_get(r->headers_in, "Host");
    const char *authority;

    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0) {
        return 1;
    }
    if (origin) {
        authority = strstr(origin, "://");
        if (!authority || !host || ap_cstr_casecmp(authority + 3, host) != 0) {
            return 1;
        }
    }
    return 0;
}

int access_is_cross_site(request_rec *r)
{
    if (!is_cross_site(r)) {
        return 0;
    }
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                  STORERNO(0544) "refused: a page of another site asks for a purge");
    return 1;
}
