/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_accept.c - request headers in the forms in which Vary compares them (RFC 9110 section
 * 12.4 and 12.5). What means something else must never become the same.
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/accept.h"
#include "tap.h"

#include <apr_strings.h>

#include <string.h>

#define ALL (ACCEPT_BR | ACCEPT_GZIP | ACCEPT_ZSTD)

typedef struct case_t {
    const char *text, *want;
} case_t;

/* ---- Accept-Encoding ---- */

static const case_t codings[] = {
    { NULL, "" },
    { "", "" },
    { " , ", "" },
    { "gzip", "gzip" },
    { "x-gzip", "gzip" },
    { "GZip", "gzip" },
    { "br", "br" },
    { "zstd", "zstd" },
    { "gzip, deflate, br, zstd", "br, gzip, zstd" },   /* browsers, in whatever order */
    { "gzip, deflate, br", "br, gzip" },
    { "br,gzip,deflate", "br, gzip" },
    { "br;q=1.0, gzip;q=0.8, *;q=0.1", "br, gzip, zstd" },
    { "gzip\t;\tq=0.5 ,\tbr", "br, gzip" },
    { "gzip;q=0.001", "gzip" },
    { "gzip;q=1", "gzip" },
    { "gzip;Q=0.5", "gzip" },
    { "gzip;x=y;q=0.5", "gzip" },
    { "identity", "" },
    { "identity;q=0", "" },
    { "deflate", "" },
    { "compress, x-compress", "" },
    { "gz, gzi, gzipp, x-gzi, b, brr, zst, zstdd, xgzip", "" },

    /* not acceptable */
    { "gzip;q=0", "" },
    { "gzip;q=0.0", "" },
    { "gzip;q=0.000", "" },
    { "gzip ; q=0", "" },
    { "gzip;x=y;q=0", "" },
    { "gzip;q=0, br", "br" },

    /* any */
    { "*", "br, gzip, zstd" },
    { "*;q=0", "" },
    { "*;q=0.5", "br, gzip, zstd" },
    { "gzip, *;q=0", "gzip" },
    { "*, gzip;q=0", "br, zstd" },
    { "gzip;q=0, *", "br, zstd" },
    { "br;q=0, gzip, *;q=0.1", "gzip, zstd" },
    { "x-gzip;q=0, *", "br, zstd" },
    { "**", "" },

    /* no weights: as if there were none */
    { "gzip;q=", "gzip" },
    { "gzip;q", "gzip" },
    { "gzip;q=x", "gzip" },
    { "gzip;q=-1", "gzip" },
    { "gzip;q=2", "gzip" },
    { "gzip;q=1.5", "gzip" },
    { "gzip;", "gzip" },
    { "gzip;;q=0", "" },
    { ";q=0, gzip", "gzip" },
    { "gzip br", "gzip" },
    { "\"gzip\"", "" },
    { "\xff\x01, br", "br" },
};

static const case_t content_codings[] = {
    { NULL, "identity" }, { "", "identity" }, { " , ", "identity" }, { "identity", "identity" },
    { "Identity", "identity" }, { "gzip", "gzip" }, { "x-gzip", "gzip" }, { "GZIP", "gzip" },
    { ", gzip ,", "gzip" }, { "br", "br" }, { "zstd", "zstd" }, { "deflate", "other" },
    { "gzip, br", "other" }, { "gzip, gzip", "other" }, { "gzip, identity", "other" },
    { "identity, gzip", "other" }, { "identity, aes128gcm", "other" }, { "gzipp", "other" },
    { "aes128gcm", "other" },
};

static void test_codings(void)
{
    int i;

    for (i = 0; i < HTTP_COUNT(codings); i++) {
        is_string(accept_codings_name(accept_codings(codings[i].text)), codings[i].want,
                  "12.5.3: <%s>", codings[i].text ? codings[i].text : "none");
    }
    for (i = 0; i < HTTP_COUNT(content_codings); i++) {
        is_string(accept_coding_name(accept_coding_of(content_codings[i].text)),
                  content_codings[i].want, "8.4: <%s>",
                  content_codings[i].text ? content_codings[i].text : "none");
    }
}

/* The name of a set is a field value that means this set, and of no other one. */
static void test_names(void)
{
    unsigned set;

    for (set = 0; set <= ALL; set++) {
        is_int(accept_codings(accept_codings_name(set)), set, "the name of set %u means it", set);
    }
    is_string(accept_codings_name(ALL + 1), "", "an unknown bit has no name");
}

static unsigned bit_of(accept_coding_e coding)
{
    switch (coding) {
    case ACCEPT_CODING_BR:
        return ACCEPT_BR;
    case ACCEPT_CODING_GZIP:
        return ACCEPT_GZIP;
    case ACCEPT_CODING_ZSTD:
        return ACCEPT_ZSTD;
    default:
        return 0;
    }
}

/* All of them. A response must never go to who does not accept its coding, except that the origin
 * chose to for just this set; and whom the origin might have sent something better is not served. */
static void test_fits(apr_pool_t *pool)
{
    int coding, wrong = 0, checked = 0;
    unsigned offered, asked;

    for (coding = ACCEPT_CODING_IDENTITY; coding < ACCEPT_CODING_OTHER; coding++) {
        for (offered = 0; offered <= ALL; offered++) {
            const char *text = accept_coding_remembered(coding, offered, pool);

            for (asked = 0; asked <= ALL; asked++) {
                int same = asked == offered;
                int accepts = (bit_of(coding) & asked) == bit_of(coding);
                int offers_more = (asked & ~offered) != 0;
                int fits = accept_coding_fits(text, strlen(text), asked);

                checked++;
                wrong += fits != (same || (accepts && !offers_more));
            }
        }
    }
    is_int(checked, 256, "every coding, for every set, to every set");
    is_int(wrong, 0, "fits whom the origin would have sent the same");
}

static void test_remembered(apr_pool_t *pool)
{
    static const char *const none[] = {
        "", "gzip", "gzip of", "gzip of br,gzip", "gzip of gzip, br", "gzip of br, gzip ",
        "gzip  of gzip", "Gzip of gzip", "other of gzip", "deflate of gzip", " of gzip", "of",
        "gzip of br, gzip, zstd, br", "br of x", "identity of identity",
    };
    const char *text = accept_coding_remembered(ACCEPT_CODING_GZIP, ACCEPT_BR | ACCEPT_GZIP, pool);
    apr_size_t i, length = strlen(text);

    is_string(text, "gzip of br, gzip", "as a text");
    for (i = 0; i < HTTP_COUNT(none); i++) {
        const char *exactly = http_exactly(none[i], pool);

        ok(!accept_coding_fits(exactly, strlen(exactly), ALL), "no such text: <%s>", none[i]);
    }
    for (i = 0; i < length; i++) {
        char *cut = apr_palloc(pool, i + 1);

        memcpy(cut, text, i);
        cut[i] = '?';
        ok(!accept_coding_fits(cut, i, ACCEPT_BR | ACCEPT_GZIP), "cut after %d bytes", (int)i);
    }
}

/* ---- Accept-Language ---- */

static const case_t languages[] = {
    { "", "" },
    { "en", "en" },
    { "en-US", "en-us" },
    { "en-US,en;q=0.5", "en-us, en;q=0.5" },
    { "en;q=0.5, en-US", "en-us, en;q=0.5" },
    { "de, en", "de, en" },
    { "en, de", "de, en" },                         /* the order of equals says nothing */
    { "en;q=0.8, de;q=0.8, fr;q=0.9", "fr;q=0.9, de;q=0.8, en;q=0.8" },
    { "en-gb, en", "en, en-gb" },
    { "en;q=1.0, de;q=1", "de, en" },
    { "en;q=0.50", "en;q=0.5" },
    { "en;q=0.500, de;q=0.05, fr;q=0.005", "en;q=0.5, de;q=0.05, fr;q=0.005" },
    { "en;q=0.123", "en;q=0.123" },
    { "en;q=0.12345", "en;q=0.123" },
    { "en;q=0.", "en;q=0" },
    { "en;q=0, de", "de, en;q=0" },                 /* not wanted is not the same as not named */
    { "*", "*" },
    { "*;q=0.1, de", "de, *;q=0.1" },
    { "en, en", "en" },
    { "en;q=0.5, EN", "en" },
    { "en, en;q=0", "en" },
    { "en;q=2", "en" },
    { "en;q=", "en" },
    { "en;q=x", "en" },
    { " ,\ten ;\tq=0.5 ,, de ", "de, en;q=0.5" },
    { "en;level=1;q=0.5", "en;q=0.5" },
    { ";q=0.5, en", "en" },
    { ";, en, ;q=1", "en" },
    { ";", "" },
};

static const struct {
    const char *text, *want;
} preferred[] = {
    { "de", "de" }, { "DE-at", "de-at" }, { "fr;q=0.5, de;q=1.0", "de" }, { "de, en;q=0.9", "de" },
    { "en;q=0.2, de;q=0.3", "de" }, { "de;q=0.3, DE", "de" }, { "de, de", "de" },
    { "de, *;q=0.1", "de" },
    { "de, en", NULL }, { "de;q=0.5, en;q=0.5", NULL }, { "*", NULL }, { "de, *", NULL },
    { "*, de;q=0.5", NULL }, { "de;q=0", NULL }, { "", NULL }, { ",", NULL }, { ";q=1", NULL },
};

static const struct {
    const char *content_language, *languages, *want;
} remembered[] = {
    { "de", "de, en", "{de}de, en" }, { "DE-AT", "de", "{de-at}de" }, { "de", "", "{de}" },
    { NULL, "de", NULL }, { "", "de", NULL }, { "de, en", "de", NULL }, { "{de}", "de", NULL },
    { "de}x", "de", NULL },
};

static const struct {
    const char *remembered, *languages, *preferred;
    int         fits;
} fits[] = {
    { "{de}de, en", "de, en", NULL, 1 }, { "{de}de, en", "de, fr;q=0.5", "de", 1 },
    { "{de}de, en", "de", "de", 1 }, { "{de}de, en", "en", "en", 0 },
    { "{de}de, en", "en, de", NULL, 0 },
    { "{de}", "", NULL, 1 }, { "{de}", "fr", "fr", 0 }, { "{}fr", "", NULL, 0 },
    { "{de", "de", "de", 0 },
    { "de", "de", "de", 0 }, { "", "", NULL, 0 }, { "{d}de", "de", "de", 1 },
    { "{d}x", "de", "de", 0 },
    { "{deu}x", "de", "de", 0 },
};

static void test_language_of_response(apr_pool_t *pool)
{
    int i;

    for (i = 0; i < HTTP_COUNT(preferred); i++) {
        is_string(accept_language_preferred(http_exactly(preferred[i].text, pool), pool),
                  preferred[i].want, "preferred of <%s>", preferred[i].text);
    }
    for (i = 0; i < HTTP_COUNT(remembered); i++) {
        is_string(accept_language_remembered(remembered[i].content_language, remembered[i].languages,
                                             pool),
                  remembered[i].want, "remembered %d", i);
    }
    for (i = 0; i < HTTP_COUNT(fits); i++) {
        const char *text = http_exactly(fits[i].remembered, pool);

        is_int(accept_language_fits(text, strlen(text), fits[i].languages, strlen(fits[i].languages),
                                    fits[i].preferred), fits[i].fits, "%s for %s", text,
               fits[i].languages);
    }
}

static const char *many_languages(int count, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, (apr_size_t)count * 6 + 1), *to = text;
    int i;

    for (i = 0; i < count; i++) {
        to += apr_snprintf(to, 7, "%sl%03d", i > 0 ? ", " : "", i);
    }
    return text;
}

static void test_languages(apr_pool_t *pool)
{
    const char *many;
    int i, count;

    for (i = 0; i < HTTP_COUNT(languages); i++) {
        is_string(accept_languages(languages[i].text, pool), languages[i].want, "12.5.4: <%s>",
                  languages[i].text);
    }
    for (count = 62; count <= 66; count++) {
        many = many_languages(count, pool);
        is_string(accept_languages(many, pool), many, "12.5.4: %d languages", count);
    }
    many = apr_pstrcat(pool, many_languages(70, pool), ",  EN", NULL);
    is_string(accept_languages(many, pool), apr_pstrcat(pool, many_languages(70, pool), ", EN", NULL),
              "12.5.4: many of them are left as they are");
}

/* The normal form is one: it is its own, and the one of the members in any order. */
static const char *by_normal_form(void *baton, const char *input, apr_pool_t *pool)
{
    const char *normal = accept_languages(input, pool);
    const char *again = accept_languages(normal, pool);
    const char *codings_first = accept_codings_name(accept_codings(input));
    const char *list = accept_list(input, pool);

    (void)baton;
    if (strcmp(normal, again) != 0) {
        return apr_psprintf(pool, "<%s> becomes <%s>", normal, again);
    }
    if (accept_codings(list) != accept_codings(input) && !strchr(input, '"')) {
        return apr_psprintf(pool, "<%s> becomes <%s>", codings_first, list);
    }
    if (strcmp(accept_list(list, pool), list) != 0) {
        return apr_psprintf(pool, "<%s> becomes <%s>", list, accept_list(list, pool));
    }
    return NULL;
}

/* ---- other lists ---- */

static const case_t lists[] = {
    { "", "" },
    { "a", "a" },
    { " a", "a" },
    { "a\t ", "a" },
    { "  ", "" },
    { ",", "" },
    { "a,b", "a, b" },
    { "a ,\t b", "a, b" },
    { ",, a, ,b,,", "a, b" },
    { "a b,c", "a b, c" },
    { "a;x=1 ; y=2,b", "a;x=1 ; y=2, b" },
    { "\"a,b\",c", "\"a,b\", c" },
    { "x=\" , \",y", "x=\" , \", y" },
    { "\"a\\\",b\",c", "\"a\\\",b\", c" },
    { "\"a\\\\\",b", "\"a\\\\\", b" },
    { "\"a,b", "\"a,b" },
    { "a\"b,c\"d,e", "a\"b,c\"d, e" },
    { "\"a\\", "\"a\\" },
    { "a\\,b", "a\\, b" },
};

static void test_lists(apr_pool_t *pool)
{
    static const char same[] = "Mozilla/5.0 (X11; Linux x86_64)";
    const char *const *seeds;
    apr_array_header_t *all = apr_array_make(pool, 64, sizeof(const char *));
    apr_size_t allocated;
    int i;

    for (i = 0; i < HTTP_COUNT(lists); i++) {
        is_string(accept_list(http_exactly(lists[i].text, pool), pool), lists[i].want,
                  "5.6.1: <%s>", lists[i].text);
        APR_ARRAY_PUSH(all, const char *) = lists[i].text;
    }
    http_allocated();
    ok(accept_list(same, pool) == same && http_allocated() == 0, "5.6.1: mostly nothing to do");
    for (i = 0; i < HTTP_COUNT(languages); i++) {
        APR_ARRAY_PUSH(all, const char *) = languages[i].text;
    }
    for (i = 1; i < HTTP_COUNT(codings); i++) {
        APR_ARRAY_PUSH(all, const char *) = codings[i].text;
    }
    seeds = (const char *const *)all->elts;
    http_fuzz("normal forms are their own", seeds, all->nelts, by_normal_form, NULL);

    http_allocated();
    accept_list(http_repeated("", "a,", 32768, "", pool), pool);
    allocated = http_allocated();
    ok(allocated <= 4 * 65536, "64 KB of commas take %lu bytes", (unsigned long)allocated);
}

/* ---- User-Agent ---- */

static const case_t agents[] = {
    { NULL, NULL },
    { "", "other" },
    { "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "desktop" },
    { "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0", "desktop" },
    { "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Safari/605.1.15",
      "desktop" },
    { "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/126.0.0.0", "desktop" },
    { "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148 Safari/604.1",
      "mobile" },
    { "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126.0.0.0 Mobile Safari/537.36", "mobile" },
    { "Mozilla/5.0 (Linux; Android 14; SM-X710) Chrome/126.0.0.0 Safari/537.36", "tablet" },
    { "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) Mobile/15E148 Safari/604.1", "tablet" },
    { "Mozilla/5.0 (Android 14; Tablet; rv:128.0) Gecko/128.0 Firefox/128.0", "tablet" },
    { "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) Mobile Safari (compatible; Googlebot/2.1)",
      "bot" },
    { "curl/8.8.0", "bot" },
    { "Lynx/2.9.0", "other" },
};

static void test_kinds(void)
{
    static const char *const list_fields[] = { "Accept", "accept-language", "Cache-Control",
                                               "Via", "Foo" };
    static const char *const singletons[] = { "Cookie", "cookie", "User-Agent", "Authorization" };
    int i;

    for (i = 0; i < HTTP_COUNT(list_fields); i++) {
        ok(accept_is_list(list_fields[i], strlen(list_fields[i])), "%s is a list", list_fields[i]);
    }
    for (i = 0; i < HTTP_COUNT(singletons); i++) {
        ok(!accept_is_list(singletons[i], strlen(singletons[i])), "%s is no list", singletons[i]);
    }
}

static void test_agents(void)
{
    int i;

    for (i = 0; i < HTTP_COUNT(agents); i++) {
        is_string(accept_agent_class(agents[i].text), agents[i].want, "User-Agent: %s",
                  agents[i].text ? agents[i].text : "none");
    }
}

int main(void)
{
    apr_pool_t *pool = http_pool();

    test_codings();
    test_names();
    test_fits(pool);
    test_remembered(pool);
    test_languages(pool);
    test_language_of_response(pool);
    test_lists(pool);
    test_kinds();
    test_agents();
    apr_pool_destroy(pool);
    return done_testing();
}
