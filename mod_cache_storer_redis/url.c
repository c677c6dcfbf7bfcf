/* SPDX-License-Identifier: Apache-2.0
 *
 * url.c - see url.h. Called by options.c; knows no other option.
 */
#include "url.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include <string.h>

#define DEFAULT_PORT 6379
#define DATABASE_MAX 65535

static apr_status_t fail(const char **errmsg, const char *reason)
{
    *errmsg = reason;
    return APR_EINVAL;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    digit = (char)apr_tolower(digit);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The text with %XX decoded; NULL: a bad escape, or a NUL. */
static const char *decode(const char *text, apr_size_t len, apr_pool_t *pool)
{
    char *decoded = apr_palloc(pool, len + 1), *to = decoded;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        int high, low;

        if (text[i] != '%') {
            *to++ = text[i];
            continue;
        }
        high = len - i > 2 ? hex_value(text[i + 1]) : -1;
        low = len - i > 2 ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            return NULL;
        }
        *to++ = (char)(high << 4 | low);
        i += 2;
    }
    *to = '\0';
    return decoded;
}

/* A number from 0 to max that is all of the text. */
static int read_number(const char *text, apr_size_t len, int max, int *number)
{
    int value = 0;
    apr_size_t i;

    if (len == 0 || len > 9) {
        return 0;
    }
    for (i = 0; i < len; i++) {
        if (!apr_isdigit(text[i])) {
            return 0;
        }
        value = value * 10 + (text[i] - '0');
    }
    *number = value;
    return value <= max;
}

/* user:password, without the @ */
static apr_status_t read_userinfo(options_t *options, const char *text, apr_size_t len,
                                  const char **errmsg, apr_pool_t *pool)
{
    const char *colon = memchr(text, ':', len);
    apr_size_t user_len = colon ? (apr_size_t)(colon - text) : len;

    if (user_len > 0) {
        options->user = decode(text, user_len, pool);
        if (!options->user) {
            return fail(errmsg, "the user has a bad %XX escape in it");
        }
    }
    if (colon) {
        options->password = decode(colon + 1, len - user_len - 1, pool);
        if (!options->password) {
            return fail(errmsg, "the password has a bad %XX escape in it");
        }
        if (!*options->password) {
            options->password = NULL;
        }
    }
    return APR_SUCCESS;
}

static int is_host_character(char c, int bracketed)
{
    return apr_isalnum(c) || c == '.' || c == '-' || c == '_' || (bracketed && (c == ':' || c == '%'));
}

/* host[:port], the whole of the text */
static apr_status_t read_host(options_t *options, const char *text, apr_size_t len,
                              const char **errmsg, apr_pool_t *pool)
{
    options_host_t *host = &options->hosts[options->host_count];
    const char *end = text + len, *name = text, *after;
    int bracketed = len > 0 && *text == '[';

    if (options->host_count == OPTIONS_HOSTS_MAX) {
        return fail(errmsg, "more than 32 hosts");
    }
    name += bracketed;
    for (after = name; after < end && is_host_character(*after, bracketed); after++) {
    }
    if (after == name) {
        return fail(errmsg, "a host is missing");
    }
    host->name = apr_pstrmemdup(pool, name, (apr_size_t)(after - name));
    host->port = DEFAULT_PORT;
    if (bracketed) {
        if (after == end || *after != ']') {
            return fail(errmsg, "an address in [ ] is not closed");
        }
        after++;
    }
    if (after < end) {
        if (*after != ':'
            || !read_number(after + 1, (apr_size_t)(end - after - 1), 65535, &host->port)
            || host->port == 0) {
            return fail(errmsg, "host:port is expected, and a port from 1 to 65535");
        }
    }
    options->host_count++;
    return APR_SUCCESS;
}

/* host:port/database,host:port,... ; the database may stand behind any one of them */
static apr_status_t read_hosts(options_t *options, const char *text, const char **errmsg,
                               apr_pool_t *pool)
{
    int databases = 0;

    for (;;) {
        apr_size_t len = strcspn(text, ","), host_len = len;
        const char *slash = memchr(text, '/', len);
        apr_status_t rv;

        if (slash) {
            apr_size_t rest = len - (apr_size_t)(slash + 1 - text);

            host_len = (apr_size_t)(slash - text);
            if (rest > 0 && (databases++ > 0
                             || !read_number(slash + 1, rest, DATABASE_MAX, &options->database))) {
                return fail(errmsg, "one database, as a number, is expected after the /");
            }
        }
        rv = read_host(options, text, host_len, errmsg, pool);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (!text[len]) {
            return APR_SUCCESS;
        }
        text += len + 1;
    }
}

/* Behind the last @ before the hosts: a password may have an @ in it, hosts have none. */
static apr_status_t skip_userinfo(options_t *options, const char **text, apr_size_t len,
                                  const char **errmsg, apr_pool_t *pool)
{
    apr_size_t at = len;

    while (at > 0 && (*text)[at - 1] != '@') {
        at--;
    }
    if (at > 0) {
        apr_status_t rv = read_userinfo(options, *text, at - 1, errmsg, pool);

        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    *text += at;
    return APR_SUCCESS;
}

static apr_status_t read_unix(options_t *options, const char *text, const char **errmsg,
                              apr_pool_t *pool)
{
    const char *path, *query;
    apr_status_t rv;

    if (strncmp(text, "//", 2) == 0 && text[2] != '/') {
        const char *at = strchr(text, '@');

        text += 2;
        if (!at) {
            return fail(errmsg, "unix:/path or unix://user:password@/path is expected");
        }
        rv = skip_userinfo(options, &text, (apr_size_t)(at + 1 - text), errmsg, pool);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    else if (strncmp(text, "//", 2) == 0) {
        text += 2;
    }
    query = strchr(text, '?');
    path = decode(text, query ? (apr_size_t)(query - text) : strlen(text), pool);
    if (!path || *path != '/') {
        return fail(errmsg, "the path of the unix socket must be absolute");
    }
    if (strlen(path) > 100) {
        return fail(errmsg, "the path of the unix socket is longer than 100 bytes");
    }
    if (query && (strncmp(query, "?db=", 4) != 0
                  || !read_number(query + 4, strlen(query + 4), DATABASE_MAX,
                                  &options->database))) {
        return fail(errmsg, "?db=NUMBER is expected after the path");
    }
    options->hosts[0].name = path;
    options->hosts[0].port = 0;
    options->host_count = 1;
    return APR_SUCCESS;
}

apr_status_t url_read(options_t *options, const char *url, const char **errmsg, apr_pool_t *pool)
{
    const char *text;
    apr_status_t rv;

    if (strncmp(url, "unix:", 5) == 0) {
        return read_unix(options, url + 5, errmsg, pool);
    }
    if (strncmp(url, "redis://", 8) == 0) {
        text = url + 8;
    }
    else if (strncmp(url, "rediss://", 9) == 0) {
        text = url + 9;
        options->tls = 1;
    }
    else {
        return fail(errmsg, "it begins with none of redis://, rediss:// and unix:");
    }
    rv = skip_userinfo(options, &text, strlen(text), errmsg, pool);
    return rv == APR_SUCCESS ? read_hosts(options, text, errmsg, pool) : rv;
}
