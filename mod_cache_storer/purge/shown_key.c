/* SPDX-License-Identifier: Apache-2.0
 *
 * shown_key.c - see shown_key.h. The forms of keys are request.h's and mod_cache's.
 */
#include "shown_key.h"

#include "apr_lib.h"
#include "apr_strings.h"
#include "apr_uri.h"

#include <string.h>

/* request.h: between the base key and the fields of Vary; cannot come out of a URL */
#define VARY_MARK "{-VARY-}"

static const char *find(storer_bytes_t text, const char *what)
{
    apr_size_t length = strlen(what), i;

    for (i = 0; i + length <= text.len; i++) {
        if (memcmp(text.data + i, what, length) == 0) {
            return text.data + i;
        }
    }
    return NULL;
}

storer_bytes_t shown_key_base(storer_bytes_t key)
{
    const char *mark;

    if (!find(key, "://") || (key.len > 4 && memcmp(key.data, "IDX_", 4) == 0)) {
        key.len = 0;
        return key;
    }
    mark = find(key, VARY_MARK);
    if (mark) {
        key.len = (apr_size_t)(mark - key.data);
    }
    return key;
}

/* The end of the host in "http://host:80/path?"; *default_port: the ":80" behind it, as a length */
static const char *end_of_host(storer_bytes_t key, apr_size_t *default_port)
{
    const char *begin = find(key, "://"), *end = key.data + key.len, *byte;
    int is_https = key.len > 8 && memcmp(key.data, "https://", 8) == 0;
    const char *port = is_https ? ":443" : ":80";

    *default_port = 0;
    if (!begin) {
        return end;
    }
    for (byte = begin + 3; byte < end && *byte != '/' && *byte != '?'; byte++) {
        apr_size_t length = strlen(port);

        if ((apr_size_t)(end - byte) >= length && memcmp(byte, port, length) == 0
            && (byte + length == end || byte[length] == '/' || byte[length] == '?')) {
            *default_port = length;
            break;
        }
    }
    return byte;
}

storer_bytes_t shown_key(storer_bytes_t base_key, apr_pool_t *pool)
{
    apr_size_t port;
    const char *host_end = end_of_host(base_key, &port);
    apr_size_t head = (apr_size_t)(host_end - base_key.data);
    storer_bytes_t shown = base_key;
    char *copy;

    if (shown.len > 0 && shown.data[shown.len - 1] == '?') {
        shown.len--;
    }
    if (port == 0 || head + port > shown.len) {
        return shown;
    }
    copy = apr_palloc(pool, shown.len);
    memcpy(copy, shown.data, head);
    memcpy(copy + head, shown.data + head + port, shown.len - head - port);
    shown.data = copy;
    shown.len -= port;
    return shown;
}

static void lower(char *text)
{
    for (; *text; text++) {
        *text = (char)apr_tolower(*text);
    }
}

/* "scheme://host:port" as keys have it, and where the path begins; NULL: it is no URL. */
static const char *parse_origin(const char *text, const char **path, apr_pool_t *pool)
{
    apr_uri_t uri;
    apr_size_t length;
    const char *authority = strstr(text, "://");

    if (!authority) {
        return NULL;
    }
    length = (apr_size_t)(authority - text) + 3;
    length += strcspn(text + length, "/?#");
    if (apr_uri_parse(pool, apr_pstrmemdup(pool, text, length), &uri) != APR_SUCCESS || !uri.scheme
        || !uri.hostname || !*uri.hostname || uri.user || uri.password) {
        return NULL;
    }
    lower(uri.scheme);
    lower(uri.hostname);
    *path = text + length;
    if (uri.port_str && *uri.port_str) {
        return apr_psprintf(pool, "%s://%s:%s", uri.scheme, uri.hostname, uri.port_str);
    }
    return apr_psprintf(pool, "%s://%s:%u", uri.scheme, uri.hostname,
                        (unsigned)apr_uri_port_of_scheme(uri.scheme));
}

const char *shown_key_parse(const char *text, apr_pool_t *pool)
{
    const char *path, *origin = parse_origin(text, &path, pool);

    if (!origin) {
        return NULL;
    }
    path = apr_pstrmemdup(pool, path, strcspn(path, "#"));
    return apr_pstrcat(pool, origin, *path == '/' ? "" : "/", path, strchr(path, '?') ? "" : "?",
                       NULL);
}

const char *shown_key_parse_prefix(const char *text, apr_pool_t *pool)
{
    const char *path, *origin = parse_origin(text, &path, pool);

    return origin ? apr_pstrcat(pool, origin, path, NULL) : NULL;
}
