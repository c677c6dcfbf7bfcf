/* SPDX-License-Identifier: Apache-2.0
 *
 * text.c - see text.h.
 */
#include "text.h"

#include <stdint.h>

/* Decodes one character (RFC 3629). @return its length in bytes; 0: it is not UTF-8 */
static apr_size_t decode(const unsigned char *data, apr_size_t length, uint32_t *character)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    apr_size_t size = data[0] < 0x80 ? 1 : data[0] < 0xc2 ? 0 : data[0] < 0xe0 ? 2
                      : data[0] < 0xf0 ? 3 : data[0] < 0xf5 ? 4 : 0;
    apr_size_t i;

    if (size == 0 || size > length) {
        return 0;
    }
    *character = size == 1 ? data[0] : data[0] & (0x7fu >> size);
    for (i = 1; i < size; i++) {
        if ((data[i] & 0xc0) != 0x80) {
            return 0;
        }
        *character = *character << 6 | (data[i] & 0x3fu);
    }
    return *character < least[size] || *character > 0x10ffff
           || (*character >= 0xd800 && *character <= 0xdfff) ? 0 : size;
}

static int is_obeyed(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0)
           || character == 0x061c || character == 0x200e || character == 0x200f
           || (character >= 0x2028 && character <= 0x202e)
           || (character >= 0x2066 && character <= 0x2069);
}

static const char *show(const char *data, apr_size_t length, int obeyed_too, apr_pool_t *pool)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = (const unsigned char *)data;
    char *text = apr_palloc(pool, 4 * length + 1), *to = text;

    while (length > 0) {
        uint32_t character = 0;
        apr_size_t size = decode(bytes, length, &character), i;
        int hidden = size == 0 || (obeyed_too && is_obeyed(character));

        size = size ? size : 1;
        for (i = 0; i < size; i++) {
            if (hidden) {
                *to++ = '\\';
                *to++ = 'x';
                *to++ = digits[bytes[i] >> 4];
                *to++ = digits[bytes[i] & 15];
            }
            else {
                *to++ = (char)bytes[i];
            }
        }
        bytes += size;
        length -= size;
    }
    *to = '\0';
    return text;
}

const char *text_printable(const char *data, apr_size_t length, apr_pool_t *pool)
{
    return show(data, length, 1, pool);
}

const char *text_utf8(const char *data, apr_size_t length, apr_pool_t *pool)
{
    return show(data, length, 0, pool);
}
