/* SPDX-License-Identifier: Apache-2.0
 *
 * options.c - see options.h. Called by the factory, in the parent. Knows no socket.
 */
#include "options.h"

#include "host.h"
#include "url.h"

#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include <string.h>

#define PASSWORD_MAX 4096

/* What an option's reader works on. */
typedef struct reading_t {
    options_t          *options;
    const storer_env_t *env;
    const char         *password_file;
} reading_t;

typedef const char *read_fn(reading_t *reading, const char *value);

static const char *read_url(reading_t *reading, const char *value)
{
    const char *reason = NULL;
    apr_status_t rv = url_read(reading->options, value, &reason, reading->env->pool);

    return rv == APR_SUCCESS ? NULL : reason;
}

static const char *read_time(const reading_t *reading, const char *value, apr_interval_time_t max,
                             apr_interval_time_t *time)
{
    apr_status_t rv = reading->env->api->parse_duration(value, time);

    if (rv != APR_SUCCESS || *time < 1000 || *time > max) {
        return "a time from 1ms to 60s is expected, as in 50ms";
    }
    return NULL;
}

static const char *read_timeout(reading_t *reading, const char *value)
{
    return read_time(reading, value, apr_time_from_sec(60), &reading->options->timeout);
}

static const char *read_interval(reading_t *reading, const char *value)
{
    return read_time(reading, value, apr_time_from_sec(60), &reading->options->interval);
}

static const char *read_prefix(reading_t *reading, const char *value)
{
    apr_size_t len = strlen(value), i;

    if (len == 0 || len > OPTIONS_PREFIX_MAX) {
        return "1 to 64 letters are expected: it is by the prefix that our keys are told from others";
    }
    for (i = 0; i < len; i++) {
        if (!apr_isalnum(value[i]) && !strchr("_.-", value[i])) {
            return "only letters, digits, '_', '.' and '-' are allowed";
        }
    }
    reading->options->prefix = apr_pstrdup(reading->env->pool, value);
    return NULL;
}

/* A number from 1 to most; 0: it is none. */
static int number(const char *value, int most)
{
    char *end;
    apr_int64_t count = apr_isdigit(*value) ? apr_strtoi64(value, &end, 10) : 0;

    return count < 1 || count > most || *end ? 0 : (int)count;
}

static const char *read_pool(reading_t *reading, const char *value)
{
    reading->options->pool = number(value, 1024);
    return reading->options->pool ? NULL : "a number from 1 to 1024 is expected";
}

static const char *read_purges(reading_t *reading, const char *value)
{
    reading->options->purges = number(value, OPTIONS_PURGES_MAX);
    return reading->options->purges ? NULL : "a number from 1 to 200000 is expected";
}

static const char *read_cluster(reading_t *reading, const char *value)
{
    if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0) {
        return "on or off is expected";
    }
    reading->options->cluster = strcmp(value, "on") == 0;
    return NULL;
}

static const char *read_tls_ca(reading_t *reading, const char *value)
{
    reading->options->tls_ca = apr_pstrdup(reading->env->pool, value);
    return NULL;
}

static const char *read_password_file(reading_t *reading, const char *value)
{
    reading->password_file = value;
    return NULL;
}

/* The first line of a file is the password. */
static const char *load_password(options_t *options, const char *path, apr_pool_t *pool)
{
    char line[PASSWORD_MAX];
    apr_file_t *file;
    apr_status_t rv;

    if (options->password) {
        return "there is a password in the url already";
    }
    rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BUFFERED, APR_OS_DEFAULT, pool);
    if (rv != APR_SUCCESS) {
        char text[120];

        return apr_psprintf(pool, "%s: %s", path, apr_strerror(rv, text, sizeof(text)));
    }
    rv = apr_file_gets(line, sizeof(line), file);
    (void)apr_file_close(file);
    if (rv == APR_SUCCESS) {
        line[strcspn(line, "\r\n")] = '\0';
    }
    if (rv != APR_SUCCESS || !line[0]) {
        return apr_psprintf(pool, "%s: the first line has no password in it", path);
    }
    options->password = apr_pstrdup(pool, line);
    return NULL;
}

static const char *contradiction(const options_t *options)
{
    if (options->user && !options->password) {
        return "url: there is a user but no password (in the url or by password-file)";
    }
    if (options->cluster && options->database != 0) {
        return "cluster=on: a Redis Cluster has database 0 only";
    }
    if (options->cluster && options->hosts[0].port == 0) {
        return "cluster=on: the nodes of a Redis Cluster are reached by TCP, not by a unix socket";
    }
#ifndef REDIS_HAVE_TLS
    if (options->tls) {
        return "url: rediss:// needs hiredis 1.0 or later with TLS, which this build lacks";
    }
#endif
    if (options->tls_ca && !options->tls) {
        return "tls-ca: only with rediss://";
    }
    return NULL;
}

static const struct {
    const char *name;
    read_fn    *read;
} readers[] = {
    { "url", read_url },
    { "timeout", read_timeout },
    { "interval", read_interval },
    { "prefix", read_prefix },
    { "pool", read_pool },
    { "purges", read_purges },
    { "cluster", read_cluster },
    { "password-file", read_password_file },
    { "tls-ca", read_tls_ca },
};

static const char *read_one(reading_t *reading, const storer_option_t *option)
{
    apr_pool_t *pool = reading->env->pool;
    apr_size_t i;

    for (i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        if (strcmp(readers[i].name, option->name) == 0) {
            const char *reason = readers[i].read(reading, option->value);

            return reason ? apr_psprintf(pool, "%s: %s", option->name, reason) : NULL;
        }
    }
    return apr_psprintf(pool, "unknown option \"%s\"; there are url, timeout, interval, prefix, "
                        "pool, purges, cluster, password-file and tls-ca", option->name);
}

apr_status_t options_read(options_t *options, const storer_option_t *given,
                          const storer_env_t *env, const char **errmsg)
{
    reading_t reading = { options, env, NULL };
    const char *problem = NULL;

    memset(options, 0, sizeof(*options));
    options->prefix = "storer";
    options->timeout = 50 * 1000;
    options->interval = apr_time_from_sec(1);
    options->pool = 16;
    options->purges = 65536;
    for (; given->name && !problem; given++) {
        problem = read_one(&reading, given);
    }
    if (!problem && options->host_count == 0) {
        problem = read_url(&reading, "redis://127.0.0.1");
    }
    if (!problem && reading.password_file) {
        problem = load_password(options, reading.password_file, env->pool);
        problem = problem ? apr_pstrcat(env->pool, "password-file: ", problem, (char *)NULL) : NULL;
    }
    if (!problem) {
        problem = contradiction(options);
    }
    if (problem) {
        *errmsg = problem;
        return APR_EINVAL;
    }
    return APR_SUCCESS;
}

const char *options_uuid(const options_t *options, apr_pool_t *pool)
{
    const char *uuid = "";
    int i;

    for (i = 0; i < options->host_count; i++) {
        const options_host_t *host = &options->hosts[i];

        uuid = host->port ? apr_psprintf(pool, "%s%s%s:%d", uuid, i ? "," : "", host->name,
                                         host->port)
                          : apr_pstrdup(pool, host->name);
    }
    return apr_psprintf(pool, "%s/%d/%s", uuid, options->database, options->prefix);
}
