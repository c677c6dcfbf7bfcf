/* SPDX-License-Identifier: Apache-2.0
 *
 * tls.h - rediss://, where hiredis has it (REDIS_HAVE_TLS). Elsewhere options.c refuses such a url,
 * so that none of these is called.
 */
#ifndef TLS_H
#define TLS_H

#include "clock.h"
#include "options.h"

#include <hiredis/hiredis.h>

/** Certificates and the like, for all connections of an instance. */
typedef struct tls_t tls_t;

/** Parent, once. Lives as long as env->pool. errmsg set on failure. */
apr_status_t tls_create(tls_t **out, const options_t *options, const storer_env_t *env,
                        const char **errmsg);

/** Begin TLS on a connected socket. The handshake is done by the first send. */
apr_status_t tls_start(const tls_t *tls, redisContext *context, const char *name);

/** As connection_send. */
apr_status_t tls_send(redisContext *context, const char *bytes, apr_size_t len,
                      clock_point_t deadline);
/** Whatever has arrived, to the parser. APR_EAGAIN: nothing yet. */
apr_status_t tls_read(redisContext *context);

#endif /* TLS_H */
