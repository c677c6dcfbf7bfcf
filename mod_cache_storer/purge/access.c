/* SPDX-License-Identifier: Apache-2.0
 *
 * access.c - see access.h.
 */
#include "access.h"

#include "../mod_cache_storer.h"

#include "http_log.h"
#include "http_request.h"
#include "apr_strings.h"

/* RFC 5737 section 3: an address for documentation, which nobody has. */
#define STRANGER "192.0.2.1"

/* What httpd may decide by, as the stranger has it. mod_authz_core would log that it denied him. */
static int lets_stranger_in(request_rec *r)
{
    static const struct ap_logconf silent = { NULL, APLOG_EMERG };
    request_rec mine = *r;
    apr_sockaddr_t *address = NULL;
    int result;

    if (apr_sockaddr_info_get(&address, STRANGER, APR_INET, 0, 0, r->pool) != APR_SUCCESS) {
        return 1;
    }
    r->useragent_addr = address;
    r->useragent_ip = apr_pstrdup(r->pool, STRANGER);
    r->user = NULL;
    r->ap_auth_type = NULL;
    r->headers_in = apr_table_make(r->pool, 1);
    r->subprocess_env = apr_table_make(r->pool, 1);
    r->log = &silent;
    result = ap_run_access_checker_ex(r);
    r->useragent_addr = mine.useragent_addr;
    r->useragent_ip = mine.useragent_ip;
    r->user = mine.user;
    r->ap_auth_type = mine.ap_auth_type;
    r->headers_in = mine.headers_in;
    r->subprocess_env = mine.subprocess_env;
    r->log = mine.log;
    return result == OK;
}

int access_is_restricted(request_rec *r, const char *what)
{
    if (!lets_stranger_in(r)) {
        return 1;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  STORERNO(0521) "%s is refused for %s: everybody may do it. Add a \"Require\" that "
                  "says who, such as \"Require local\", \"Require ip 192.168.0.0/16\" or \"Require "
                  "valid-user\", to the <Location> it is in", what, r->uri);
    return 0;
}
