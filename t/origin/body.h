/* SPDX-License-Identifier: Apache-2.0
 *
 * body.h - the bytes that the origin sends, as a function of what was asked for.
 *
 * Shared by the origin (which sends them), the load client (which checks them), and told again in
 * Perl by t/lib/Storer/Client.pm. A body consists of lines of 64 bytes; each names the identity of
 * the response and its own place in the body, so that a byte of another response, of another
 * variant or from another place is seen wherever it stands.
 */
#ifndef BODY_H
#define BODY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BODY_LINE 64

/* FNV-1a, 64 bits: easy to write down in any language. */
#define BODY_HASH_START 0xcbf29ce484222325u

static inline uint64_t body_hash(uint64_t hash, const char *text)
{
    for (; *text; text++) {
        hash ^= (unsigned char)*text;
        hash *= 0x100000001b3u;
    }
    return hash;
}

/**
 * What tells one response from any other.
 * @param path    path of the URL, without its query
 * @param seed    version of the content
 * @param variant values of the request headers that the content depends on, joined by '|'
 */
static inline uint64_t body_identity(const char *path, const char *seed, const char *variant)
{
    uint64_t hash = body_hash(BODY_HASH_START, path);

    hash = body_hash(hash, "?");
    hash = body_hash(hash, seed);
    hash = body_hash(hash, "?");
    return body_hash(hash, variant);
}

/** Line number `number` of a body: 16 hex digits, 10 decimal ones, 35 letters, a line feed. */
static inline void body_line(uint64_t identity, uint64_t number, char line[BODY_LINE])
{
    static const char hex[] = "0123456789abcdef";
    unsigned letter = (unsigned)((identity % 26 + number) % 26);
    int i;

    for (i = 15; i >= 0; i--) {
        line[i] = hex[(identity >> (60 - 4 * i)) & 15];
    }
    line[16] = ' ';
    for (i = 26; i >= 17; i--) {
        line[i] = (char)('0' + number % 10);
        number /= 10;
    }
    line[27] = ' ';
    for (i = 28; i < BODY_LINE - 1; i++) {
        line[i] = (char)('a' + letter);
        letter = letter == 25 ? 0 : letter + 1;
    }
    line[BODY_LINE - 1] = '\n';
}

/** Bytes [offset, offset + len) of a body. */
static inline void body_fill(uint64_t identity, uint64_t offset, char *out, size_t len)
{
    char line[BODY_LINE];

    while (len > 0) {
        size_t skip = (size_t)(offset % BODY_LINE);
        size_t part = BODY_LINE - skip;

        part = part < len ? part : len;
        body_line(identity, offset / BODY_LINE, line);
        memcpy(out, line + skip, part);
        out += part;
        offset += part;
        len -= part;
    }
}

/** Do these bytes stand at this offset of the body? */
static inline int body_matches(uint64_t identity, uint64_t offset, const char *bytes, size_t len)
{
    char line[BODY_LINE];

    while (len > 0) {
        size_t skip = (size_t)(offset % BODY_LINE);
        size_t part = BODY_LINE - skip;

        part = part < len ? part : len;
        body_line(identity, offset / BODY_LINE, line);
        if (memcmp(bytes, line + skip, part) != 0) {
            return 0;
        }
        bytes += part;
        offset += part;
        len -= part;
    }
    return 1;
}

#endif /* BODY_H */
