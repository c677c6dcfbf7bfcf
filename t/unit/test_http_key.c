/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_key.c - the grammar of keys: parts, escapes, variants, and what people read and write.
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/key.h"
#include "tap.h"

#include <apr_strings.h>

#include <string.h>

static storer_bytes_t bytes(const char *text)
{
    return storer_bytes(text);
}

static const char *text_of(storer_bytes_t value, apr_pool_t *pool)
{
    return value.data ? apr_pstrmemdup(pool, value.data, value.len) : NULL;
}

/* "scheme|host|port|path|query"; "-": there is no query at all */
static const char *parts_of(const char *text, apr_pool_t *pool)
{
    key_parts_t parts;

    if (!key_take_apart(bytes(text), &parts)) {
        return NULL;
    }
    return apr_psprintf(pool, "%s|%s|%s|%s|%s", text_of(parts.scheme, pool), text_of(parts.host, pool),
                        parts.port.len ? text_of(parts.port, pool) : "",
                        parts.path.len ? text_of(parts.path, pool) : "",
                        parts.query.data ? text_of(parts.query, pool) : "-");
}

static void test_parts(apr_pool_t *pool)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "http://h:80/?", "http|h|80|/|" },
        { "http://h/a/b?c=d?e", "http|h||/a/b|c=d?e" },
        { "http://h", "http|h|||-" },
        { "http://h?q", "http|h|||q" },
        { "http://h:/a", "http|h||/a|-" },
        { "https+x://h:1/a", "https+x|h|1|/a|-" },
        { "http://[::1]:8080/a?", "http|[::1]|8080|/a|" },
        { "http://[::1]", "http|[::1]|||-" },
        { "http://h/a:b@c", "http|h||/a:b@c|-" },
        { "http://h/x?u=http://other/y", "http|h||/x|u=http://other/y" },
        { "http://h//double//slash", "http|h||//double//slash|-" },
        { "http://_default_:80/?", "http|_default_|80|/|" },
        /* none of these is a URL with an authority */
        { "", NULL },
        { "/path", NULL },
        { "http:/h", NULL },
        { "http://", NULL },
        { "http:///path", NULL },
        { "http://:80/", NULL },
        { "://h/", NULL },
        { "1http://h/", NULL },
        { "/x?u=http://other/y", NULL },
        { "http://user@h/", NULL },
        { "http://user:pw@h/", NULL },
        { "http://h:port/", NULL },
        { "http://h:65536/", NULL },
        { "http://h:99999999999999999999/", NULL },
        { "http://[::1/", NULL },
        { "http://[]/", NULL },
        { "http://[::1]x/", NULL },
        { "http://::1/", NULL },
    };
    int i;

    for (i = 0; i < HTTP_COUNT(cases); i++) {
        is_string(parts_of(cases[i].text, pool), cases[i].want, "parts of %s", cases[i].text);
    }
}

static void test_read(apr_pool_t *pool)
{
    static const struct {
        const char *text, *url, *prefix;
    } cases[] = {
        { "http://h", "http://h:80/?", "http://h:80" },
        { "http://h/", "http://h:80/?", "http://h:80/" },
        { "https://h/a", "https://h:443/a?", "https://h:443/a" },
        { "HTTP://WWW.Example.ORG/Path", "http://www.example.org:80/Path?",
          "http://www.example.org:80/Path" },
        { "http://h./a", "http://h:80/a?", "http://h:80/a" },
        { "http://h:80/a?b", "http://h:80/a?b", "http://h:80/a?b" },
        { "http://h:8080/a?", "http://h:8080/a?", "http://h:8080/a?" },
        { "http://h?b", "http://h:80/?b", "http://h:80?b" },
        { "http://h:/a", "http://h:80/a?", "http://h:80/a" },
        { "http://h:0080/a", "http://h:80/a?", "http://h:80/a" },
        { "http://h/a#b", "http://h:80/a?", "http://h:80/a" },
        { "http://h/a?b#c?d", "http://h:80/a?b", "http://h:80/a?b" },
        { "http://[::1]/a", "http://[::1]:80/a?", "http://[::1]:80/a" },
        { "http://[2001:DB8::1]:8080/a", "http://[2001:db8::1]:8080/a?",
          "http://[2001:db8::1]:8080/a" },
        { "www.example.org/a", NULL, NULL },
        { "/a", NULL, NULL },
        { "http://user@h/", NULL, NULL },
    };
    int i;

    for (i = 0; i < HTTP_COUNT(cases); i++) {
        is_string(key_read(http_exactly(cases[i].text, pool), pool), cases[i].url, "url %s",
                  cases[i].text);
        is_string(key_read_prefix(http_exactly(cases[i].text, pool), pool), cases[i].prefix,
                  "prefix %s", cases[i].text);
    }
}

static void test_show(apr_pool_t *pool)
{
    static const struct {
        const char *key, *want;
    } cases[] = {
        { "http://h:80/?", "http://h/" },
        { "http://h:80/a?b=c", "http://h/a?b=c" },
        { "http://h:80/a??", "http://h/a??" },
        { "http://h:8080/?", "http://h:8080/" },
        { "http://h:800/?", "http://h:800/" },
        { "http://h:443/?", "http://h:443/" },
        { "https://h:443/a:80/b?", "https://h/a:80/b" },
        { "https://h:80/?", "https://h:80/" },
        { "http://[::1]:80/a?", "http://[::1]/a" },
        { "http://[::80]:8080/a?", "http://[::80]:8080/a" },
        { "http://h:80/a{7B}b?", "http://h/a{7B}b" },
    };
    int i;

    for (i = 0; i < HTTP_COUNT(cases); i++) {
        is_bytes(key_show(bytes(cases[i].key), pool), bytes(cases[i].want), "%s for people",
                 cases[i].key);
    }
}

static void test_keys(apr_pool_t *pool)
{
    static const storer_header_t headers[] = {
        { { "accept", 6 }, { "a;b:c", 5 } },
        { { "x-{", 3 }, { "{7B}", 4 } },
    };
    storer_bytes_t key = bytes("http://h:80/a?"), same = key, base;
    char *longest = apr_pcalloc(pool, KEY_MAX + 2);

    is_status(key_of_url(key, &base, pool), APR_SUCCESS, "a url");
    ok(base.data == key.data, "that needs no escape is not copied");
    is_status(key_of_variant(base, headers, 0, &key, pool), APR_SUCCESS, "no Vary");
    is_bytes(key, same, "the key is the base key");
    is_status(key_of_variant(base, headers, 2, &key, pool), APR_SUCCESS, "two fields");
    is_bytes(key, bytes("http://h:80/a?{-VARY-}accept:a{3B}b{3A}c;x-{7B}:{7B}7B}"),
             "the key of the variant");
    is_bytes(key_base(key), base, "its base key");

    is_status(key_of_url(bytes("http://h:80/{-VARY-}x\xc3?{"), &base, pool), APR_SUCCESS, "imitation");
    is_bytes(base, bytes("http://h:80/{7B}-VARY-}x{C3}?{7B}"), "is escaped");
    is_bytes(key_base(base), base, "so that the whole is a base key");

    is_int((long long)key_base(bytes("IDX_http://h:80/a?")).len, 0, "a mapping has no base key");
    is_int((long long)key_base(bytes("IDX_")).len, 0, "nor has the shortest");
    is_int((long long)key_base(bytes("surrogate_tags")).len, 0, "nor has a foreign key");
    is_int((long long)key_base(bytes("")).len, 0, "nor has none");

    memset(longest, 'a', KEY_MAX + 1);
    is_status(key_of_url(bytes(longest), &base, pool), APR_ENOSPC, "a byte too long");
    longest[KEY_MAX] = '\0';
    is_status(key_of_url(bytes(longest), &base, pool), APR_SUCCESS, "the longest");
    is_status(key_of_variant(base, headers, 1, &key, pool), APR_ENOSPC, "its variant");
    longest[0] = '{';
    is_status(key_of_url(bytes(longest), &base, pool), APR_ENOSPC, "too long once it is escaped");
}

static void test_unescape(apr_pool_t *pool)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "a{7B}b", "a{b" },
        { "{7B}{C3}{A4}", "{\xc3\xa4" },
        { "{7B}7B}", "{7B}" },
        { "plain", NULL },
        { "", NULL },
        { "{", NULL },
        { "{7", NULL },
        { "{7B", NULL },
        { "{7b}", NULL },      /* keys have capital digits */
        { "{41}", NULL },      /* a byte that is never escaped in a URL */
        { "{00}", NULL },
        { "{-VARY-}", NULL },
    };
    int i;

    for (i = 0; i < HTTP_COUNT(cases); i++) {
        is_string(key_unescape(http_exactly(cases[i].text, pool), pool), cases[i].want,
                  "unescaped: %s", cases[i].text);
    }
}

/* What is shown of any URL leads back to its key. */
static const char *check_round_trip(void *baton, const char *input, apr_pool_t *pool)
{
    const char *url = key_read(input, pool), *again, *shown, *plain;
    storer_bytes_t base;

    (void)baton;
    (void)key_read_prefix(input, pool);
    if (!url || key_of_url(bytes(url), &base, pool) != APR_SUCCESS) {
        return NULL;
    }
    if (key_base(base).len != base.len) {
        return "not a base key";
    }
    shown = text_of(key_show(base, pool), pool);
    plain = key_unescape(shown, pool);
    again = key_read(plain ? plain : shown, pool);
    return again && strcmp(again, url) == 0 ? NULL
           : apr_pstrcat(pool, url, " is shown as ", shown, ", which is ", again, NULL);
}

static void test_any(apr_pool_t *pool)
{
    static const char *const seeds[] = {
        "http://www.example.org/", "https://[2001:db8::1]:8443/a?b#c", "http://h:80/a{7B}?{C3}{",
        "http://h.?", "HTTP://H:443//?http://x", "http://h:0080/a\xc3\xa4??",
    };

    (void)pool;
    http_fuzz("what is shown leads back to the key", seeds, HTTP_COUNT(seeds), check_round_trip,
                NULL);
}

int main(void)
{
    apr_pool_t *pool = http_pool();

    test_parts(pool);
    test_read(pool);
    test_show(pool);
    test_keys(pool);
    test_unescape(pool);
    test_any(pool);
    apr_pool_destroy(pool);
    return done_testing();
}
