/* SPDX-License-Identifier: Apache-2.0
 *
 * tls.c - see tls.h. Called by connection.c. A file of its own because it is the only one that needs
 * hiredis_ssl and OpenSSL.
 */
#include "tls.h"

#include <apr_strings.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#ifdef REDIS_HAVE_TLS

#include <hiredis/hiredis_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* How long to wait before looking again: which way TLS waits, hiredis does not say. */
#define LOOK_AGAIN_MS 5

struct tls_t {
    SSL_CTX *context;
};

static apr_status_t destroy(void *data)
{
    tls_t *tls = data;

    SSL_CTX_free(tls->context);
    tls->context = NULL;
    return APR_SUCCESS;
}

apr_status_t tls_create(tls_t **out, const options_t *options, const storer_env_t *env,
                        const char **errmsg)
{
    tls_t *tls = apr_pcalloc(env->pool, sizeof(*tls));
    int trusts;

    tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls->context) {
        *errmsg = "TLS cannot be set up";
        return APR_EGENERAL;
    }
    apr_pool_cleanup_register(env->pool, tls, destroy, apr_pool_cleanup_null);
    trusts = options->tls_ca ? SSL_CTX_load_verify_locations(tls->context, options->tls_ca, NULL)
                             : SSL_CTX_set_default_verify_paths(tls->context);
    if (trusts != 1) {
        *errmsg = apr_psprintf(env->pool, "tls-ca: no certificates can be read from %s",
                               options->tls_ca ? options->tls_ca : "the system's place");
        return APR_EINVAL;
    }
    (void)SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    *out = tls;
    return APR_SUCCESS;
}

/* The certificate must be that of the host we meant: hiredis itself does not look. */
apr_status_t tls_start(const tls_t *tls, redisContext *context, const char *name)
{
    SSL *ssl = SSL_new(tls->context);

    if (!ssl) {
        return APR_ENOMEM;
    }
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) != 1) {
        if (SSL_set1_host(ssl, name) != 1 || SSL_set_tlsext_host_name(ssl, name) != 1) {
            SSL_free(ssl);
            return APR_EINVAL;
        }
    }
    if (redisInitiateSSL(context, ssl) != REDIS_OK) {
        return APR_ECONNRESET; /* hiredis has freed ssl, or will with the context */
    }
    return APR_SUCCESS;
}

/* OpenSSL writes with write(), which raises SIGPIPE on a broken connection. */
static int write_quietly(redisContext *context, int *done)
{
    sigset_t pipe_signal, before, pending;
    struct timespec now = { 0, 0 };
    int was_pending, result;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    (void)sigpending(&pending);
    was_pending = sigismember(&pending, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    result = redisBufferWrite(context, done);
    if (!was_pending) {
        while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR) {
        }
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

apr_status_t tls_send(redisContext *context, const char *bytes, apr_size_t len,
                      clock_point_t deadline)
{
    int done = 0;

    if (redisAppendFormattedCommand(context, bytes, len) != REDIS_OK) {
        return APR_ENOMEM;
    }
    for (;;) {
        struct pollfd waiting = { context->fd, POLLIN, 0 };

        if (write_quietly(context, &done) != REDIS_OK) {
            return APR_ECONNRESET;
        }
        if (done) {
            return APR_SUCCESS;
        }
        if (clock_left(deadline) == 0) {
            return APR_TIMEUP;
        }
        (void)poll(&waiting, 1, LOOK_AGAIN_MS);
    }
}

apr_status_t tls_read(redisContext *context)
{
    const redisReader *reader = context->reader;
    size_t before = reader->len - reader->pos;

    if (redisBufferRead(context) != REDIS_OK) {
        return context->err == REDIS_ERR_PROTOCOL ? APR_EINVAL : APR_ECONNRESET;
    }
    return reader->len - reader->pos > before ? APR_SUCCESS : APR_EAGAIN;
}

#else

apr_status_t tls_create(tls_t **out, const options_t *options, const storer_env_t *env,
                        const char **errmsg)
{
    (void)out;
    (void)options;
    (void)env;
    *errmsg = "this build has no TLS";
    return APR_ENOTIMPL;
}

apr_status_t tls_start(const tls_t *tls, redisContext *context, const char *name)
{
    (void)tls;
    (void)context;
    (void)name;
    return APR_ENOTIMPL;
}

apr_status_t tls_send(redisContext *context, const char *bytes, apr_size_t len,
                      clock_point_t deadline)
{
    (void)context;
    (void)bytes;
    (void)len;
    (void)deadline;
    return APR_ENOTIMPL;
}

apr_status_t tls_read(redisContext *context)
{
    (void)context;
    return APR_ENOTIMPL;
}

#endif
