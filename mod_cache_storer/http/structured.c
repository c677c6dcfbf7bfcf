/* SPDX-License-Identifier: Apache-2.0
 *
 * structured.c - see structured.h. Follows the algorithms of RFC 9651 section 4, step by step and as
 * strictly. Each function leaves the cursor behind what it has read, and returns 0 where the field
 * is not one.
 */
#include "structured.h"

#include <apr_strings.h>

#include <string.h>

#define INTEGER_DIGITS 15
#define DECIMAL_DIGITS 12
#define MEMBERS_MAX    1024 /* section 3.2 */

typedef struct cursor_t {
    const char *at;
    apr_pool_t *pool;
} cursor_t;

static int is_lower(char byte)
{
    return byte >= 'a' && byte <= 'z';
}

static int is_alpha(char byte)
{
    return is_lower(byte) || (byte >= 'A' && byte <= 'Z');
}

static int is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* RFC 9110 section 5.6.2 */
static int is_tchar(char byte)
{
    return is_alpha(byte) || is_digit(byte) || (byte && strchr("!#$%&'*+-.^_`|~", byte));
}

static int is_base64(char byte)
{
    return is_alpha(byte) || is_digit(byte) || byte == '+' || byte == '/';
}

static int is_visible(char byte)
{
    return byte >= 0x20 && byte <= 0x7e;
}

static void skip_spaces(cursor_t *cursor)
{
    cursor->at += strspn(cursor->at, " ");
}

static void skip_white_space(cursor_t *cursor)
{
    cursor->at += strspn(cursor->at, " \t");
}

/* Section 4.2.3.3 */
static int read_key(cursor_t *cursor, const char **key)
{
    const char *begin = cursor->at;

    if (!is_lower(*begin) && *begin != '*') {
        return 0;
    }
    while (is_lower(*cursor->at) || is_digit(*cursor->at)
           || (*cursor->at && strchr("_-.*", *cursor->at))) {
        cursor->at++;
    }
    if (key) {
        *key = apr_pstrmemdup(cursor->pool, begin, (apr_size_t)(cursor->at - begin));
    }
    return 1;
}

/* Section 4.2.4 */
static int read_number(cursor_t *cursor, structured_member_t *member)
{
    int negative = *cursor->at == '-', digits = 0, fraction = 0;
    apr_int64_t value = 0;

    cursor->at += negative;
    for (; is_digit(*cursor->at); cursor->at++) {
        if (++digits > INTEGER_DIGITS) {
            return 0;
        }
        value = value * 10 + (*cursor->at - '0');
    }
    if (digits == 0) {
        return 0;
    }
    if (*cursor->at != '.') {
        member->type = STRUCTURED_INTEGER;
        member->integer = negative ? -value : value;
        return 1;
    }
    for (cursor->at++; is_digit(*cursor->at); cursor->at++) {
        fraction++;
    }
    member->type = STRUCTURED_DECIMAL;
    return digits <= DECIMAL_DIGITS && fraction >= 1 && fraction <= 3;
}

static const char *without_escapes(const char *begin, const char *end, apr_pool_t *pool)
{
    char *text = apr_pstrmemdup(pool, begin, (apr_size_t)(end - begin)), *from, *to;

    for (from = to = text; *from; from++) {
        from += *from == '\\';
        *to++ = *from;
    }
    *to = '\0';
    return text;
}

/* Section 4.2.5. Its end is looked for first: a field may consist of nothing but strings, and they
 * have to take no more room than there is in it. */
static int read_string(cursor_t *cursor, structured_member_t *member)
{
    const char *begin = ++cursor->at;

    for (; *cursor->at != '"'; cursor->at++) {
        if (*cursor->at == '\\') {
            cursor->at++;
            if (*cursor->at != '"' && *cursor->at != '\\') {
                return 0;
            }
        }
        if (!is_visible(*cursor->at)) {
            return 0; /* also where it does not end */
        }
    }
    member->type = STRUCTURED_STRING;
    member->text = without_escapes(begin, cursor->at, cursor->pool);
    cursor->at++;
    return 1;
}

/* Section 4.2.6 */
static int read_token(cursor_t *cursor, structured_member_t *member)
{
    const char *begin = cursor->at;

    while (is_tchar(*cursor->at) || *cursor->at == ':' || *cursor->at == '/') {
        cursor->at++;
    }
    member->type = STRUCTURED_TOKEN;
    member->text = apr_pstrmemdup(cursor->pool, begin, (apr_size_t)(cursor->at - begin));
    return 1;
}

/* Section 4.2.7. What it says is of no use here; that it is Base64 is. Padding may be missing, and
 * what is behind the last byte need not be zero bits. */
static int read_bytes(cursor_t *cursor, structured_member_t *member)
{
    static const int padding_max[] = { 0, -1, 2, 1 }; /* six bits alone are no byte */
    int digits = 0, padding = 0;

    for (cursor->at++; is_base64(*cursor->at); cursor->at++) {
        digits++;
    }
    for (; *cursor->at == '='; cursor->at++) {
        padding++;
    }
    if (*cursor->at != ':' || padding > padding_max[digits % 4]) {
        return 0;
    }
    cursor->at++;
    member->type = STRUCTURED_BYTES;
    return 1;
}

/* Section 4.2.8 */
static int read_boolean(cursor_t *cursor, structured_member_t *member)
{
    char digit = cursor->at[1];

    if (digit != '0' && digit != '1') {
        return 0;
    }
    cursor->at += 2;
    member->type = STRUCTURED_BOOLEAN;
    member->integer = digit == '1';
    return 1;
}

/* Section 4.2.9 */
static int read_date(cursor_t *cursor, structured_member_t *member)
{
    cursor->at++;
    if (!read_number(cursor, member) || member->type != STRUCTURED_INTEGER) {
        return 0;
    }
    member->type = STRUCTURED_DATE;
    return 1;
}

/* Bytes of a character that are still to come, and the range of the next one (RFC 3629 section 4). */
typedef struct utf8_t {
    int      missing;
    unsigned lowest, highest;
} utf8_t;

static int utf8_begins(utf8_t *state, unsigned byte)
{
    state->missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    state->lowest = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;  /* shortest forms only */
    state->highest = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf; /* no surrogates; the last */
    return byte >= 0xc2 && byte <= 0xf4;
}

static int utf8_takes(utf8_t *state, unsigned byte)
{
    if (state->missing == 0) {
        return byte < 0x80 || utf8_begins(state, byte);
    }
    if (byte < state->lowest || byte > state->highest) {
        return 0;
    }
    state->missing--;
    state->lowest = 0x80;
    state->highest = 0xbf;
    return 1;
}

/* The value of a digit, or -1. Only lower case counts. */
static int hex_value(char byte)
{
    if (is_digit(byte)) {
        return byte - '0';
    }
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Section 4.2.10. What it says is of no use here; that it is text is. */
static int read_display(cursor_t *cursor, structured_member_t *member)
{
    utf8_t state = { 0, 0, 0 };

    if (cursor->at[1] != '"') {
        return 0;
    }
    for (cursor->at += 2; *cursor->at != '"'; cursor->at++) {
        int byte = (unsigned char)*cursor->at;

        if (!is_visible(*cursor->at)) {
            return 0;
        }
        if (byte == '%') {
            int high = hex_value(cursor->at[1]), low = high < 0 ? -1 : hex_value(cursor->at[2]);

            if (low < 0) {
                return 0;
            }
            byte = high * 16 + low;
            cursor->at += 2;
        }
        if (!utf8_takes(&state, (unsigned)byte)) {
            return 0;
        }
    }
    cursor->at++;
    member->type = STRUCTURED_DISPLAY;
    return state.missing == 0;
}

/* Section 4.2.3.1 */
static int read_bare_item(cursor_t *cursor, structured_member_t *member)
{
    member->integer = 0;
    member->text = NULL;
    switch (*cursor->at) {
    case '"':
        return read_string(cursor, member);
    case ':':
        return read_bytes(cursor, member);
    case '?':
        return read_boolean(cursor, member);
    case '@':
        return read_date(cursor, member);
    case '%':
        return read_display(cursor, member);
    default:
        break;
    }
    if (*cursor->at == '-' || is_digit(*cursor->at)) {
        return read_number(cursor, member);
    }
    return is_alpha(*cursor->at) || *cursor->at == '*' ? read_token(cursor, member) : 0;
}

/* Section 4.2.3.2 */
static int read_parameters(cursor_t *cursor)
{
    structured_member_t ignored;

    while (*cursor->at == ';') {
        cursor->at++;
        skip_spaces(cursor);
        if (!read_key(cursor, NULL)) {
            return 0;
        }
        if (*cursor->at == '=') {
            cursor->at++;
            if (!read_bare_item(cursor, &ignored)) {
                return 0;
            }
        }
    }
    return 1;
}

/* Section 4.2.1.2 */
static int read_inner_list(cursor_t *cursor, structured_member_t *member)
{
    structured_member_t ignored;

    cursor->at++;
    for (;;) {
        skip_spaces(cursor);
        if (*cursor->at == ')') {
            cursor->at++;
            member->type = STRUCTURED_INNER_LIST;
            member->integer = 0;
            member->text = NULL;
            return read_parameters(cursor);
        }
        if (!read_bare_item(cursor, &ignored) || !read_parameters(cursor)
            || (*cursor->at != ' ' && *cursor->at != ')')) {
            return 0;
        }
    }
}

/* Section 4.2.2, one member */
static int read_member(cursor_t *cursor, structured_member_t *member)
{
    if (!read_key(cursor, &member->key)) {
        return 0;
    }
    if (*cursor->at != '=') {
        member->type = STRUCTURED_BOOLEAN;
        member->integer = 1;
        member->text = NULL;
        return read_parameters(cursor);
    }
    cursor->at++;
    if (*cursor->at == '(') {
        return read_inner_list(cursor, member);
    }
    return read_bare_item(cursor, member) && read_parameters(cursor);
}

/* The last of a key counts. Nobody sends many: what is beyond has to be refused, not to be read in
 * quadratic time. */
static int keep(apr_array_header_t *members, const structured_member_t *member)
{
    int i;

    for (i = 0; i < members->nelts; i++) {
        structured_member_t *known = &APR_ARRAY_IDX(members, i, structured_member_t);

        if (strcmp(known->key, member->key) == 0) {
            *known = *member;
            return 1;
        }
    }
    if (members->nelts == MEMBERS_MAX) {
        return 0;
    }
    APR_ARRAY_PUSH(members, structured_member_t) = *member;
    return 1;
}

apr_status_t structured_dictionary(const char *text, apr_array_header_t **members,
                                   apr_pool_t *pool)
{
    cursor_t cursor = { text, pool };
    apr_array_header_t *found = apr_array_make(pool, 4, sizeof(structured_member_t));
    structured_member_t member;

    skip_spaces(&cursor);
    while (*cursor.at) {
        if (!read_member(&cursor, &member) || !keep(found, &member)) {
            return APR_EINVAL;
        }
        skip_white_space(&cursor);
        if (!*cursor.at) {
            break;
        }
        if (*cursor.at != ',') {
            return APR_EINVAL;
        }
        cursor.at++;
        skip_white_space(&cursor);
        if (!*cursor.at) {
            return APR_EINVAL; /* a comma with nothing behind it */
        }
    }
    *members = found;
    return APR_SUCCESS;
}

const char *structured_string(const char *text, apr_pool_t *pool)
{
    static const char digits[] = "0123456789ABCDEF";
    char *result = apr_palloc(pool, 3 * strlen(text) + 3), *to = result;

    *to++ = '"';
    for (; *text; text++) {
        if (!is_visible(*text)) {
            *to++ = '%';
            *to++ = digits[((unsigned char)*text) >> 4];
            *to++ = digits[*text & 15];
            continue;
        }
        if (*text == '"' || *text == '\\') {
            *to++ = '\\';
        }
        *to++ = *text;
    }
    *to++ = '"';
    *to = '\0';
    return result;
}

const char *structured_token_or_string(const char *text, apr_pool_t *pool)
{
    const char *byte = text;

    if (is_alpha(*byte) || *byte == '*') {
        while (is_tchar(*byte) || *byte == ':' || *byte == '/') {
            byte++;
        }
        if (!*byte) {
            return text;
        }
    }
    return structured_string(text, pool);
}
