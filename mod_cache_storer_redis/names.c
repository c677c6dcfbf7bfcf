/* SPDX-License-Identifier: Apache-2.0
 *
 * names.c - see names.h. Pure.
 */
#include "names.h"

#include <stdio.h>
#include <string.h>

int names_is_mapping(storer_bytes_t key, storer_bytes_t *base_key)
{
    if (key.len <= NAMES_MAPPING_LEN || memcmp(key.data, NAMES_MAPPING, NAMES_MAPPING_LEN) != 0) {
        return 0;
    }
    base_key->data = key.data + NAMES_MAPPING_LEN;
    base_key->len = key.len - NAMES_MAPPING_LEN;
    return 1;
}

static char *put(char *to, const char *bytes, apr_size_t len)
{
    memcpy(to, bytes, len);
    return to + len;
}

static char *put_prefix(const names_t *names, char separator, char *to)
{
    to = put(to, names->prefix, names->prefix_len);
    *to++ = separator;
    return to;
}

static char *put_part(const names_t *names, const names_key_t *key, char *to)
{
    static const char digits[] = "0123456789abcdef";
    apr_size_t i;

    to = put_prefix(names, '#', to);
    if (names->cluster) {
        *to++ = '{';
    }
    for (i = 0; i < key->key.len; i++) {
        *to++ = digits[(unsigned char)key->key.data[i] >> 4];
        *to++ = digits[(unsigned char)key->key.data[i] & 15];
    }
    if (names->cluster) {
        *to++ = '}';
    }
    return to + sprintf(to, ":%u", (unsigned)key->index);
}

static char *put_tagged(const names_t *names, storer_bytes_t tag, char *to)
{
    if (names->cluster) {
        *to++ = '{';
    }
    to = put(to, tag.data, tag.len);
    if (names->cluster) {
        *to++ = '}';
    }
    return to;
}

static char *put_of_purges(const names_t *names, const char *what, char *to)
{
    static const storer_bytes_t tag = { "purges", 6 };

    to = put_tagged(names, tag, put_prefix(names, '!', to));
    return put(to, what, strlen(what));
}

static char *put_claim(const names_t *names, storer_bytes_t key, char *to)
{
    to = put(put_prefix(names, '!', to), "fill:", 5);
    return put_tagged(names, key, to);
}

static char *put_value(const names_t *names, storer_bytes_t key, char *to)
{
    storer_bytes_t base = key;

    to = put_prefix(names, ':', to);
    if (names_is_mapping(key, &base)) {
        to = put(to, NAMES_MAPPING, NAMES_MAPPING_LEN);
    }
    return put_tagged(names, base, to);
}

apr_size_t names_write(const names_t *names, const names_key_t *key, char *to)
{
    char *end = to;

    switch (key->kind) {
    case NAMES_PART:
        end = put_part(names, key, to);
        break;
    case NAMES_EPOCH:
        end = put_of_purges(names, ":epoch", to);
        break;
    case NAMES_PURGES:
        end = put_of_purges(names, ":labels", to);
        break;
    case NAMES_PASSING:
        end = put_of_purges(names, ":passing", to);
        break;
    case NAMES_CLAIM:
        end = put_claim(names, key->key, to);
        break;
    case NAMES_VALUE:
        end = put_value(names, key->key, to);
        break;
    }
    return (apr_size_t)(end - to);
}

static int takes(storer_bytes_t *rest, const char *bytes, apr_size_t len)
{
    if (rest->len < len || memcmp(rest->data, bytes, len) != 0) {
        return 0;
    }
    rest->data += len;
    rest->len -= len;
    return 1;
}

apr_size_t names_read(const names_t *names, storer_bytes_t name, char *to)
{
    char *start = to;

    if (!takes(&name, names->prefix, names->prefix_len) || !takes(&name, ":", 1)) {
        return 0;
    }
    if (names->cluster) {
        if (takes(&name, NAMES_MAPPING "{", NAMES_MAPPING_LEN + 1)) {
            to = put(to, NAMES_MAPPING, NAMES_MAPPING_LEN);
        }
        else if (!takes(&name, "{", 1)) {
            return 0;
        }
        if (name.len == 0 || name.data[name.len - 1] != '}') {
            return 0;
        }
        name.len--;
    }
    if (name.len == 0 || name.len + (apr_size_t)(to - start) > STORER_KEY_MAX) {
        return 0;
    }
    return (apr_size_t)(put(to, name.data, name.len) - start);
}

/* What SCAN's MATCH takes for more than itself. */
static char *put_escaped(char *to, storer_bytes_t bytes)
{
    static const char special[] = { '*', '?', '[', ']', '\\', '^', '-' };
    apr_size_t i;

    for (i = 0; i < bytes.len; i++) {
        if (memchr(special, bytes.data[i], sizeof(special))) {
            *to++ = '\\';
        }
        *to++ = bytes.data[i];
    }
    return to;
}

apr_size_t names_pattern(const names_t *names, storer_bytes_t prefix, char *to)
{
    storer_bytes_t own = { names->prefix, names->prefix_len }, base = { NULL, 0 };
    char *end = put_escaped(to, own);

    *end++ = ':';
    if (!names->cluster) {
        end = put_escaped(end, prefix);
    }
    else if (names_is_mapping(prefix, &base)) {
        end = put(end, NAMES_MAPPING "{", NAMES_MAPPING_LEN + 1);
        end = put_escaped(end, base);
    }
    *end++ = '*';
    return (apr_size_t)(end - to);
}

apr_size_t names_pattern_parts(const names_t *names, char *to)
{
    storer_bytes_t own = { names->prefix, names->prefix_len };
    char *end = put_escaped(to, own);

    *end++ = '#';
    *end++ = '*';
    return (apr_size_t)(end - to);
}

/* ---- Redis Cluster: CRC-16/XMODEM of the hash tag, modulo 16384 ---- */

static unsigned crc16(const char *bytes, apr_size_t len)
{
    unsigned crc = 0;
    apr_size_t i;
    int bit;

    for (i = 0; i < len; i++) {
        crc ^= (unsigned)(unsigned char)bytes[i] << 8;
        for (bit = 0; bit < 8; bit++) {
            crc = crc & 0x8000 ? (crc << 1 ^ 0x1021) : crc << 1;
        }
        crc &= 0xffff;
    }
    return crc;
}

int names_slot(const char *name, apr_size_t len)
{
    const char *open = memchr(name, '{', len), *close;

    if (open) {
        open++;
        close = memchr(open, '}', len - (apr_size_t)(open - name));
        if (close && close > open) {
            name = open;
            len = (apr_size_t)(close - open);
        }
    }
    return (int)(crc16(name, len) % NAMES_SLOTS);
}
