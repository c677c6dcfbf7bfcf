/* SPDX-License-Identifier: Apache-2.0
 *
 * url.h - the url= option:
 *
 *   redis[s]://[[user][:password]@]host[:port][/database][,host2[:port2]]...
 *   unix:[//[[user][:password]@]]/path[?db=database]
 *
 * User, password and path may have %XX in them; an IPv6 address stands in [ ].
 */
#ifndef URL_H
#define URL_H

#include "options.h"

/** Fill hosts, database, tls, user and password. APR_SUCCESS, or APR_EINVAL with errmsg: what is
 * wrong, without quoting the part that may hold a secret. */
apr_status_t url_read(options_t *options, const char *url, const char **errmsg, apr_pool_t *pool);

#endif /* URL_H */
