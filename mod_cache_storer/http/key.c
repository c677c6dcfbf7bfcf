/* SPDX-License-Identifier: Apache-2.0
 *
 * key.c - see key.h.
 */
#include "key.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>

#include <string.h>

#define VARY_MARK      "{-VARY-}"
#define MAPPING_PREFIX "IDX_"

#define ESCAPE_LENGTH 4        /* "{7B}" */

static const char digits[] = "0123456789ABCDEF";

/* ------------------------------------------------------------------------------------------------
 * Escapes
 * --------------------------------------------------------------------------------------------- */

static int is_special(char byte, const char *also)
{
    return (unsigned char)byte >= 0x80 || byte == '{' || (byte && strchr(also, byte));
}

/* Nearly always true where a request waits for it, hence eight bytes a step. */
static int is_plain(const char *data, apr_size_t length)
{
    apr_uint64_t word, high = 0;
    apr_size_t i;

    for (i = 0; i + sizeof(word) <= length; i += sizeof(word)) {
        memcpy(&word, data + i, sizeof(word));
        high |= word;
    }
    for (; i < length; i++) {
        high |= (unsigned char)data[i];
    }
    return (high & APR_UINT64_C(0x8080808080808080)) == 0 && !memchr(data, '{', length);
}

static apr_size_t escaped_length(storer_bytes_t text, const char *also)
{
    apr_size_t i, length = text.len;

    for (i = 0; i < text.len; i++) {
        if (is_special(text.data[i], also)) {
            length += ESCAPE_LENGTH - 1;
        }
    }
    return length;
}

static char *escape(char *to, storer_bytes_t text, const char *also)
{
    apr_size_t i;

    for (i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (!is_special(text.data[i], also)) {
            *to++ = text.data[i];
            continue;
        }
        *to++ = '{';
        *to++ = digits[byte >> 4];
        *to++ = digits[byte & 15];
        *to++ = '}';
    }
    return to;
}

storer_bytes_t key_escape(storer_bytes_t text, apr_pool_t *pool)
{
    storer_bytes_t result;
    char *data;

    if (is_plain(text.data, text.len)) {
        return text;
    }
    data = apr_palloc(pool, escaped_length(text, ""));
    result.data = data;
    result.len = (apr_size_t)(escape(data, text, "") - data);
    return result;
}

/* The byte that an escape stands for; 0: the text does not begin with an escape. */
static char escaped_byte(const char *text)
{
    const char *high, *low;
    unsigned byte;

    if (text[0] != '{' || !text[1] || !text[2] || text[3] != '}') {
        return 0;
    }
    high = strchr(digits, text[1]);
    low = strchr(digits, text[2]);
    if (!high || !low) {
        return 0;
    }
    byte = (unsigned)(high - digits) << 4 | (unsigned)(low - digits);
    return byte == '{' || byte >= 0x80 ? (char)byte : 0;
}

const char *key_unescape(const char *text, apr_pool_t *pool)
{
    char *copy = apr_palloc(pool, strlen(text) + 1), *to = copy;
    int found = 0;

    while (*text) {
        char byte = escaped_byte(text);

        *to++ = byte ? byte : *text;
        text += byte ? ESCAPE_LENGTH : 1;
        found |= byte != 0;
    }
    *to = '\0';
    return found ? copy : NULL;
}

/* ------------------------------------------------------------------------------------------------
 * Keys
 * --------------------------------------------------------------------------------------------- */

apr_status_t key_of_url(storer_bytes_t url, storer_bytes_t *base_key, apr_pool_t *pool)
{
    storer_bytes_t key;

    if (url.len > KEY_MAX) {
        return APR_ENOSPC;
    }
    key = key_escape(url, pool);
    if (key.len > KEY_MAX) {
        return APR_ENOSPC;
    }
    *base_key = key;
    return APR_SUCCESS;
}

/* A value is escaped already, and here once more, with the separators: longer than need be if there
 * is anything to escape at all, and still unique. */
apr_status_t key_of_variant(storer_bytes_t base_key, const storer_header_t *headers, int count,
                            storer_bytes_t *key, apr_pool_t *pool)
{
    static const char separators[] = ";:";
    apr_size_t length = base_key.len + sizeof(VARY_MARK) - 1;
    char *data, *to;
    int i;

    if (count == 0) {
        *key = base_key;
        return APR_SUCCESS;
    }
    for (i = 0; i < count; i++) {
        length += escaped_length(headers[i].name, separators)
                  + escaped_length(headers[i].value, separators) + 2;
    }
    if (length > KEY_MAX) {
        return APR_ENOSPC;
    }
    data = apr_palloc(pool, length);
    memcpy(data, base_key.data, base_key.len);
    to = data + base_key.len;
    memcpy(to, VARY_MARK, sizeof(VARY_MARK) - 1);
    to += sizeof(VARY_MARK) - 1;
    for (i = 0; i < count; i++) {
        if (i > 0) {
            *to++ = ';';
        }
        to = escape(to, headers[i].name, separators);
        *to++ = ':';
        to = escape(to, headers[i].value, separators);
    }
    key->data = data;
    key->len = (apr_size_t)(to - data);
    return APR_SUCCESS;
}

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

static int begins_with(storer_bytes_t text, const char *what)
{
    apr_size_t length = strlen(what);

    return text.len >= length && memcmp(text.data, what, length) == 0;
}

storer_bytes_t key_base(storer_bytes_t key)
{
    const char *mark;

    if (begins_with(key, MAPPING_PREFIX) || !find(key, "://")) {
        key.len = 0;
        return key;
    }
    mark = find(key, VARY_MARK);
    if (mark) {
        key.len = (apr_size_t)(mark - key.data);
    }
    return key;
}

/* ------------------------------------------------------------------------------------------------
 * Parts
 * --------------------------------------------------------------------------------------------- */

static storer_bytes_t between(const char *begin, const char *end)
{
    storer_bytes_t bytes = { begin, (apr_size_t)(end - begin) };

    return bytes;
}

static const char *end_of_span(const char *begin, const char *end, const char *stops)
{
    while (begin < end && !(*begin && strchr(stops, *begin))) {
        begin++;
    }
    return begin;
}

/* RFC 3986 section 3.1 */
static int is_scheme(storer_bytes_t text)
{
    apr_size_t i;

    for (i = 0; i < text.len; i++) {
        char byte = text.data[i];

        if (!apr_isalpha(byte) && (i == 0 || !(apr_isdigit(byte) || (byte && strchr("+-.", byte))))) {
            return 0;
        }
    }
    return text.len > 0;
}

static int is_port(storer_bytes_t text)
{
    apr_size_t i;
    unsigned long number = 0;

    for (i = 0; i < text.len; i++) {
        if (!apr_isdigit(text.data[i])) {
            return 0;
        }
        number = number * 10 + (unsigned long)(text.data[i] - '0');
        if (number > 65535) {
            return 0;
        }
    }
    return 1;
}

/* RFC 3986 section 3.2.2: an IPv6 address has colons, hence brackets. */
static int take_authority(storer_bytes_t text, key_parts_t *parts)
{
    const char *begin = text.data, *end = begin + text.len, *host_end;

    if (begin < end && *begin == '[') {
        host_end = end_of_span(begin, end, "]");
        if (host_end == end || host_end == begin + 1) {
            return 0;
        }
        host_end++;
    }
    else {
        host_end = end_of_span(begin, end, ":");
    }
    parts->host = between(begin, host_end);
    parts->port = between(host_end < end ? host_end + 1 : end, end);
    return parts->host.len > 0 && (host_end == end || *host_end == ':') && is_port(parts->port)
           && end_of_span(begin, end, "@") == end;
}

int key_take_apart(storer_bytes_t text, key_parts_t *parts)
{
    const char *end = text.data + text.len, *mark = find(text, "://"), *at;

    if (!mark) {
        return 0;
    }
    parts->scheme = between(text.data, mark);
    at = end_of_span(mark + 3, end, "/?#");
    if (!is_scheme(parts->scheme) || !take_authority(between(mark + 3, at), parts)) {
        return 0;
    }
    parts->path = between(at, end_of_span(at, end, "?"));
    at += parts->path.len;
    parts->query = at < end ? between(at + 1, end) : between(NULL, NULL);
    return 1;
}

const char *key_put_together(const key_parts_t *parts, apr_pool_t *pool)
{
    const storer_bytes_t *path = &parts->path, *query = &parts->query;

    return apr_psprintf(pool, "%.*s://%.*s%s%.*s%s%.*s?%.*s",
                        (int)parts->scheme.len, parts->scheme.data,
                        (int)parts->host.len, parts->host.data,
                        parts->port.len ? ":" : "", (int)parts->port.len,
                        parts->port.len ? parts->port.data : "",
                        path->len && *path->data == '/' ? "" : "/",
                        (int)path->len, path->len ? path->data : "",
                        (int)query->len, query->data ? query->data : "");
}

const char *key_put_prefix(const key_parts_t *parts, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%.*s://%.*s:%.*s%.*s%s%.*s",
                        (int)parts->scheme.len, parts->scheme.data,
                        (int)parts->host.len, parts->host.data,
                        (int)parts->port.len, parts->port.data,
                        (int)parts->path.len, parts->path.len ? parts->path.data : "",
                        parts->query.data ? "?" : "",
                        (int)parts->query.len, parts->query.data ? parts->query.data : "");
}

/* ------------------------------------------------------------------------------------------------
 * For people
 * --------------------------------------------------------------------------------------------- */

static unsigned default_port(storer_bytes_t scheme)
{
    char name[16];

    if (scheme.len >= sizeof(name)) {
        return 0;
    }
    memcpy(name, scheme.data, scheme.len);
    name[scheme.len] = '\0';
    return apr_uri_port_of_scheme(name);
}

static unsigned number_of_port(storer_bytes_t port)
{
    unsigned number = 0;
    apr_size_t i;

    for (i = 0; i < port.len; i++) {
        number = number * 10 + (unsigned)(port.data[i] - '0');
    }
    return number;
}

storer_bytes_t key_show(storer_bytes_t base_key, apr_pool_t *pool)
{
    storer_bytes_t shown = base_key;
    key_parts_t parts;
    apr_size_t head, cut;
    char *copy;

    if (!key_take_apart(base_key, &parts)) {
        return shown;
    }
    if (parts.query.data && parts.query.len == 0) {
        shown.len--;
    }
    if (parts.port.len == 0 || number_of_port(parts.port) != default_port(parts.scheme)) {
        return shown;
    }
    head = (apr_size_t)(parts.host.data + parts.host.len - base_key.data);
    cut = parts.port.len + 1;
    copy = apr_palloc(pool, shown.len);
    memcpy(copy, shown.data, head);
    memcpy(copy + head, shown.data + head + cut, shown.len - head - cut);
    shown.data = copy;
    shown.len -= cut;
    return shown;
}

static storer_bytes_t lower(storer_bytes_t text, apr_pool_t *pool)
{
    char *copy = apr_pstrmemdup(pool, text.data, text.len);
    apr_size_t i;

    for (i = 0; i < text.len; i++) {
        copy[i] = (char)apr_tolower(copy[i]);
    }
    text.data = copy;
    return text;
}

/* Take apart what a person wrote, and put its origin in the form that keys have. */
static int read_parts(const char *text, key_parts_t *parts, apr_pool_t *pool)
{
    if (!key_take_apart(storer_bytes(apr_pstrmemdup(pool, text, strcspn(text, "#"))), parts)) {
        return 0;
    }
    parts->scheme = lower(parts->scheme, pool);
    parts->host = lower(parts->host, pool);
    while (parts->host.len > 1 && parts->host.data[parts->host.len - 1] == '.') {
        parts->host.len--; /* as httpd does */
    }
    parts->port = storer_bytes(apr_psprintf(pool, "%u", parts->port.len ? number_of_port(parts->port)
                                                        : default_port(parts->scheme)));
    return 1;
}

const char *key_read(const char *text, apr_pool_t *pool)
{
    key_parts_t parts;

    return read_parts(text, &parts, pool) ? key_put_together(&parts, pool) : NULL;
}

const char *key_read_prefix(const char *text, apr_pool_t *pool)
{
    key_parts_t parts;

    return read_parts(text, &parts, pool) ? key_put_prefix(&parts, pool) : NULL;
}
