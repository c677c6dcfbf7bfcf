/* SPDX-License-Identifier: Apache-2.0
 *
 * accept.c - see accept.h.
 */
#include "accept.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A member of a list with a weight, in thousandths. */
typedef struct weighted_t {
    const char *name;
    apr_size_t  length;
    int         weight;
} weighted_t;

/* qvalue of RFC 9110 section 12.4.2; what is none counts as 1. */
static int weight_of(const char *text)
{
    int weight = *text == '1' ? 1000 : 0, unit = 100;

    if (*text != '0' && *text != '1') {
        return 1000;
    }
    if (text[1] != '.') {
        return weight;
    }
    for (text += 2; *text >= '0' && *text <= '9' && unit > 0; text++, unit /= 10) {
        weight += (*text - '0') * unit;
    }
    return weight < 1000 ? weight : 1000;
}

/* The next member of a list; 0: there is none. */
static int next_weighted(const char **list, weighted_t *member)
{
    const char *at = *list + strspn(*list, " \t,");

    if (!*at) {
        return 0;
    }
    member->name = at;
    at += strcspn(at, " \t,;");
    member->length = (apr_size_t)(at - member->name);
    member->weight = 1000;
    at += strspn(at, " \t");
    while (*at == ';') {
        at++;
        at += strspn(at, " \t");
        if ((*at == 'q' || *at == 'Q') && at[1] == '=') {
            member->weight = weight_of(at + 2);
        }
        at += strcspn(at, ",;");
    }
    *list = at + strcspn(at, ",");
    return 1;
}

static int is_named(const weighted_t *member, const char *name)
{
    return member->length == strlen(name) && strncasecmp(member->name, name, member->length) == 0;
}

/* ------------------------------------------------------------------------------------------------
 * Accept-Encoding
 * --------------------------------------------------------------------------------------------- */

#define ALL_CODINGS (ACCEPT_BR | ACCEPT_GZIP | ACCEPT_ZSTD)

static const char *const set_names[ALL_CODINGS + 1] = {
    "", "br", "gzip", "br, gzip", "zstd", "br, zstd", "gzip, zstd", "br, gzip, zstd"
};

static const char *const coding_names[] = { "identity", "br", "gzip", "zstd", "other" };

static const char between[] = " of ";

static unsigned bit_of(const weighted_t *member)
{
    switch (member->name[0] | 0x20) {
    case 'b':
        return is_named(member, "br") ? ACCEPT_BR : 0;
    case 'g':
        return is_named(member, "gzip") ? ACCEPT_GZIP : 0;
    case 'x':
        return is_named(member, "x-gzip") ? ACCEPT_GZIP : 0;
    case 'z':
        return is_named(member, "zstd") ? ACCEPT_ZSTD : 0;
    default:
        return 0;
    }
}

unsigned accept_codings(const char *accept_encoding)
{
    unsigned accepted = 0, mentioned = 0;
    int any = 0;
    weighted_t member;

    while (accept_encoding && next_weighted(&accept_encoding, &member)) {
        unsigned bit = bit_of(&member);

        mentioned |= bit;
        if (member.weight > 0) {
            accepted |= bit;
            any |= is_named(&member, "*");
        }
    }
    return any ? accepted | (ALL_CODINGS & ~mentioned) : accepted;
}

const char *accept_codings_name(unsigned codings)
{
    return set_names[codings & ALL_CODINGS];
}

accept_coding_e accept_coding_of(const char *content_encoding)
{
    const char *list = content_encoding;
    weighted_t first, second;

    if (!list || !next_weighted(&list, &first)) {
        return ACCEPT_CODING_IDENTITY;
    }
    if (next_weighted(&list, &second)) {
        return ACCEPT_CODING_OTHER;
    }
    if (is_named(&first, "identity")) {
        return ACCEPT_CODING_IDENTITY;
    }
    switch (bit_of(&first)) {
    case ACCEPT_BR:
        return ACCEPT_CODING_BR;
    case ACCEPT_GZIP:
        return ACCEPT_CODING_GZIP;
    case ACCEPT_ZSTD:
        return ACCEPT_CODING_ZSTD;
    default:
        return ACCEPT_CODING_OTHER;
    }
}

int accept_coding_is_readable(accept_coding_e coding, unsigned codings)
{
    switch (coding) {
    case ACCEPT_CODING_BR:
        return (codings & ACCEPT_BR) != 0;
    case ACCEPT_CODING_GZIP:
        return (codings & ACCEPT_GZIP) != 0;
    case ACCEPT_CODING_ZSTD:
        return (codings & ACCEPT_ZSTD) != 0;
    case ACCEPT_CODING_IDENTITY:
    case ACCEPT_CODING_OTHER:
    default:
        return 1;
    }
}

const char *accept_coding_name(accept_coding_e coding)
{
    return coding_names[coding];
}

const char *accept_coding_remembered(accept_coding_e coding, unsigned offered, apr_pool_t *pool)
{
    return apr_pstrcat(pool, coding_names[coding], between, accept_codings_name(offered), NULL);
}

static int begins_with(const char *text, apr_size_t length, const char *begin, apr_size_t *rest)
{
    apr_size_t begin_length = strlen(begin);

    if (length < begin_length || memcmp(text, begin, begin_length) != 0) {
        return 0;
    }
    *rest = length - begin_length;
    return 1;
}

/* The coding and the set of a remembered text. */
static int parse_remembered(const char *text, apr_size_t length, unsigned *coding_bit,
                            unsigned *offered)
{
    static const unsigned bits[] = { 0, ACCEPT_BR, ACCEPT_GZIP, ACCEPT_ZSTD };
    apr_size_t coding, rest = 0;
    unsigned set;

    for (coding = 0; coding < sizeof(bits) / sizeof(bits[0]); coding++) {
        if (begins_with(text, length, coding_names[coding], &rest)) {
            break;
        }
    }
    if (coding == sizeof(bits) / sizeof(bits[0])
        || !begins_with(text + length - rest, rest, between, &rest)) {
        return 0;
    }
    for (set = 0; set <= ALL_CODINGS; set++) {
        if (strlen(set_names[set]) == rest
            && memcmp(text + length - rest, set_names[set], rest) == 0) {
            *coding_bit = bits[coding];
            *offered = set;
            return 1;
        }
    }
    return 0;
}

int accept_coding_fits(const char *remembered, apr_size_t length, unsigned codings)
{
    unsigned coding_bit = 0, offered = 0;

    if (!parse_remembered(remembered, length, &coding_bit, &offered)) {
        return 0;
    }
    return offered == codings || ((coding_bit & ~codings) == 0 && (codings & ~offered) == 0);
}

/* ------------------------------------------------------------------------------------------------
 * Accept-Language
 * --------------------------------------------------------------------------------------------- */

/* Who sends more than that is not a browser. */
#define LANGUAGES_MAX 64

static int compare_languages(const void *left, const void *right)
{
    const weighted_t *a = left, *b = right;
    apr_size_t shorter = a->length < b->length ? a->length : b->length;
    int order;

    if (a->weight != b->weight) {
        return b->weight - a->weight;
    }
    order = memcmp(a->name, b->name, shorter);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

static int is_repeated(const weighted_t *members, int index)
{
    int i;

    for (i = 0; i < index; i++) {
        if (members[i].length == members[index].length
            && memcmp(members[i].name, members[index].name, members[i].length) == 0) {
            return 1;
        }
    }
    return 0;
}

static char *lower_case(const char *text, apr_pool_t *pool)
{
    char *lower = apr_pstrdup(pool, text), *at;

    for (at = lower; *at; at++) {
        *at = (char)apr_tolower(*at);
    }
    return lower;
}

static const char *language_text(const weighted_t *member, apr_pool_t *pool)
{
    int weight = member->weight, digits = 3;

    while (digits > 0 && weight % 10 == 0) {
        weight /= 10;
        digits--;
    }
    if (member->weight == 1000) {
        return apr_pstrmemdup(pool, member->name, member->length);
    }
    if (member->weight == 0) {
        return apr_psprintf(pool, "%.*s;q=0", (int)member->length, member->name);
    }
    return apr_psprintf(pool, "%.*s;q=0.%0*d", (int)member->length, member->name, digits, weight);
}

const char *accept_languages(const char *accept_language, apr_pool_t *pool)
{
    const char *list = lower_case(accept_language, pool), *text = "";
    weighted_t members[LANGUAGES_MAX];
    int i, count = 0;

    while (count < LANGUAGES_MAX && next_weighted(&list, &members[count])) {
        count += members[count].length > 0; /* a weight of nothing */
    }
    if (count == LANGUAGES_MAX) {
        return accept_list(accept_language, pool);
    }
    qsort(members, (size_t)count, sizeof(members[0]), compare_languages);
    for (i = 0; i < count; i++) {
        if (!is_repeated(members, i)) {
            text = apr_pstrcat(pool, text, *text ? ", " : "", language_text(&members[i], pool),
                               NULL);
        }
    }
    return text;
}

const char *accept_language_preferred(const char *accept_language, apr_pool_t *pool)
{
    const char *list = lower_case(accept_language, pool);
    weighted_t member, best = { NULL, 0, 0 };
    int rivals = 0;

    while (next_weighted(&list, &member)) {
        if (member.length == 0 || member.weight < best.weight) {
            continue;
        }
        if (member.weight > best.weight) {
            best = member;
            rivals = 0;
        }
        else if (member.length != best.length
                 || memcmp(member.name, best.name, best.length) != 0) {
            rivals++;
        }
    }
    return best.name && !rivals && *best.name != '*'
           ? apr_pstrmemdup(pool, best.name, best.length) : NULL;
}

/* RFC 5646: letters, digits and hyphens */
static int is_language_tag(const char *tag)
{
    return *tag
           && strspn(tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
              == strlen(tag);
}

const char *accept_language_remembered(const char *content_language, const char *languages,
                                       apr_pool_t *pool)
{
    if (!content_language || !is_language_tag(content_language)) {
        return NULL;
    }
    return apr_pstrcat(pool, "{", lower_case(content_language, pool), "}", languages, NULL);
}

int accept_language_fits(const char *remembered, apr_size_t length, const char *languages,
                         apr_size_t languages_length, const char *preferred)
{
    const char *end = length > 0 && *remembered == '{' ? memchr(remembered, '}', length) : NULL;
    apr_size_t tag_length, rest;

    if (!end) {
        return 0;
    }
    tag_length = (apr_size_t)(end - remembered) - 1;
    rest = length - tag_length - 2;
    return (preferred && tag_length == strlen(preferred)
            && memcmp(remembered + 1, preferred, tag_length) == 0)
           || (rest == languages_length && memcmp(end + 1, languages, rest) == 0);
}

/* ------------------------------------------------------------------------------------------------
 * User-Agent
 * --------------------------------------------------------------------------------------------- */

static int contains_any(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcasestr(text, *words)) {
            return 1;
        }
    }
    return 0;
}

const char *accept_agent_class(const char *user_agent)
{
    static const char *const bots[] = {
        "bot", "crawler", "spider", "slurp", "curl/", "wget/", "python-requests", NULL
    };
    static const char *const tablets[] = { "ipad", "tablet", "kindle", "playbook", NULL };
    static const char *const mobiles[] = {
        "mobile", "iphone", "ipod", "windows phone", "opera mini", NULL
    };
    static const char *const desktops[] = { "windows nt", "macintosh", "x11", "cros ", NULL };

    if (!user_agent) {
        return NULL;
    }
    if (contains_any(user_agent, bots)) {
        return "bot";
    }
    if (contains_any(user_agent, tablets)
        || (strcasestr(user_agent, "android") && !strcasestr(user_agent, "mobile"))) {
        return "tablet";
    }
    if (contains_any(user_agent, mobiles)) {
        return "mobile";
    }
    return contains_any(user_agent, desktops) ? "desktop" : "other";
}

/* ------------------------------------------------------------------------------------------------
 * Lists in general
 * --------------------------------------------------------------------------------------------- */

static int is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Where a member ends: at a comma outside quotes. */
static const char *member_end(const char *text)
{
    int quoted = 0;

    for (; *text && (quoted || *text != ','); text++) {
        if (quoted && *text == '\\' && text[1]) {
            text++;
        }
        else if (*text == '"') {
            quoted = !quoted;
        }
    }
    return text;
}

int accept_is_list(const char *name, apr_size_t length)
{
    static const char *const singletons[] = {
        "Authorization", "Cookie", "Date", "From", "Host", "If-Modified-Since", "If-Range",
        "If-Unmodified-Since", "Origin", "Proxy-Authorization", "Range", "Referer", "User-Agent",
        "Content-Location", "Content-Type", "X-Requested-With"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(singletons) / sizeof(singletons[0]); i++) {
        if (strlen(singletons[i]) == length && strncasecmp(singletons[i], name, length) == 0) {
            return 0;
        }
    }
    return 1;
}

const char *accept_list(const char *value, apr_pool_t *pool)
{
    apr_size_t length = strlen(value);
    char *result, *to;

    if (!memchr(value, ',', length)
        && (length == 0 || (!is_blank(value[0]) && !is_blank(value[length - 1])))) {
        return value; /* nearly all of them */
    }
    result = to = apr_palloc(pool, 2 * length + 1);
    while (*value) {
        const char *end = member_end(value), *next = *end ? end + 1 : end;

        while (is_blank(*value)) {
            value++;
        }
        while (end > value && is_blank(end[-1])) {
            end--;
        }
        if (end > value) {
            if (to > result) {
                *to++ = ',';
                *to++ = ' ';
            }
            memcpy(to, value, (size_t)(end - value));
            to += end - value;
        }
        value = next;
    }
    *to = '\0';
    return result;
}
