/* SPDX-License-Identifier: Apache-2.0
 *
 * test_pattern.c - patterns over keys: what they match, what is refused, and hostile ones.
 */
#include "storer_host.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_pools.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

static storer_pattern_t *compile(storer_bytes_t text, apr_pool_t *pool)
{
    storer_pattern_t *pattern = NULL;
    const char *errmsg = NULL;
    apr_status_t rv = storer_pattern_compile(&pattern, text, &errmsg, pool);

    is_status(rv, APR_SUCCESS, "compile %.*s", text.len < 60 ? (int)text.len : 60, text.data);
    if (rv != APR_SUCCESS) {
        bail_out("pattern refused: %s", errmsg ? errmsg : "no message");
    }
    return pattern;
}

static void matches(const char *text, const char *subject, int want, apr_pool_t *pool)
{
    storer_pattern_t *pattern = compile(storer_bytes(text), pool);

    is_status(storer_pattern_match(pattern, storer_bytes(subject)),
              want ? APR_SUCCESS : APR_NOTFOUND, "%s %s \"%s\"", text,
              want ? "matches" : "does not match", subject);
}

static void what_matches(apr_pool_t *pool)
{
    matches("a", "xay", 1, pool); /* not anchored */
    matches("a", "xAy", 0, pool);
    matches("(?i)a", "xAy", 1, pool);
    matches("^GET-http-example\\.com-/a", "GET-http-example.com-/a?b=1", 1, pool);
    matches("^GET-http-example\\.com-/a$", "GET-http-example.com-/ab", 0, pool);
    matches(".+", "anything", 1, pool);
    matches(".+", "", 0, pool);
    matches("", "", 1, pool);
    matches("", "anything", 1, pool);
    matches("/(css|js)/", "/static/js/x", 1, pool);
    matches("/(css|js)/", "/static/img/x", 0, pool);
    matches("^(?!.*private).*", "/private/x", 0, pool);
    matches("a{2,3}b", "caaab", 1, pool);
    matches("a{2,3}b", "cab", 0, pool);
}

static void bytes_not_characters(apr_pool_t *pool)
{
    static const char nul_key[] = "a\0b";
    static const char nul_pattern[] = "a\0b$";
    storer_bytes_t key = { nul_key, 3 }, shorter = { nul_key, 2 };
    storer_pattern_t *pattern = compile((storer_bytes_t){ nul_pattern, 4 }, pool);

    is_status(storer_pattern_match(pattern, key), APR_SUCCESS, "a NUL in pattern and key");
    is_status(storer_pattern_match(pattern, shorter), APR_NOTFOUND, "the length counts");
    matches("^..$", "\xff\xfe", 1, pool);
    matches("^..$", "\xc3\xa4", 1, pool); /* one letter, two bytes */
    matches("\\xff", "a\xff" "b", 1, pool);
    pattern = compile((storer_bytes_t){ NULL, 0 }, pool);
    is_status(storer_pattern_match(pattern, (storer_bytes_t){ NULL, 0 }), APR_SUCCESS,
              "nothing matches nothing");
}

static void used_again(apr_pool_t *pool)
{
    storer_pattern_t *pattern = compile(storer_bytes("^k(\\d+)$"), pool);
    int i;

    for (i = 0; i < 100; i++) {
        storer_bytes_t key = storer_bytes(i % 3 ? "k42" : "k");

        if (storer_pattern_match(pattern, key) != (i % 3 ? APR_SUCCESS : APR_NOTFOUND)) {
            break;
        }
    }
    is_int(i, 100, "a pattern may be used many times");
}

/* @return the message */
static const char *refused(storer_bytes_t text, const char *part, apr_pool_t *pool)
{
    storer_pattern_t *pattern = NULL;
    const char *errmsg = NULL;

    is_status(storer_pattern_compile(&pattern, text, &errmsg, pool), APR_EINVAL, "%.*s is refused",
              text.len < 30 ? (int)text.len : 30, text.data);
    ok(!pattern, "there is no pattern");
    ok(errmsg && strstr(errmsg, part), "the message names %s: %s", part,
       errmsg ? errmsg : "(none)");
    return errmsg;
}

/* PCRE2 counts up to the character that is wrong, and since some version before 10.49 behind it. */
static void refused_at(const char *text, int offset, apr_pool_t *pool)
{
    const char *errmsg = refused(storer_bytes(text), " at offset ", pool);
    const char *told = errmsg ? strstr(errmsg, " at offset ") : NULL;
    int at = told ? atoi(told + strlen(" at offset ")) : -1;

    ok(at == offset || at == offset + 1, "offset %d is that of the character, %d, or the next one", at,
       offset);
}

static void what_is_refused(apr_pool_t *pool)
{
    char longest[4097];

    refused_at("a(", 2, pool);
    refused_at("a)b", 1, pool);
    refused_at("[a", 2, pool);
    refused_at("*", 0, pool);
    refused_at("a\\", 2, pool);
    (void)refused(storer_bytes("(?<n>a)(?<n>b)"), "offset", pool);
    (void)refused(storer_bytes("(*UTF)a"), "offset", pool);  /* keys are bytes */
    (void)refused(storer_bytes("a\\Cb"), "offset", pool);
    memset(longest, 'a', sizeof(longest));
    (void)refused((storer_bytes_t){ longest, 4097 }, "4096", pool);
    (void)compile((storer_bytes_t){ longest, 4096 }, pool);
}

/* Each would run for hours without a limit. */
static void hostile(apr_pool_t *pool)
{
    static const char *const patterns[] = { "(a+)+$", "(a|aa)+$", "(a*)*[bc]", "(aa*)*[xy]",
                                            "^(([a-z])+.)+[A-Z]([a-z])+$", "(a|a|a|a)*$",
                                            "(*LIMIT_MATCH=4000000000)(a+)+$" };
    char subject[2000];
    storer_bytes_t key = { subject, sizeof(subject) };
    size_t i;

    memset(subject, 'a', sizeof(subject));
    subject[sizeof(subject) - 1] = '!';
    for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        storer_pattern_t *pattern = compile(storer_bytes(patterns[i]), pool);
        clock_t start = clock();

        is_status(storer_pattern_match(pattern, key), APR_TIMEUP, "%s is stopped", patterns[i]);
        ok(clock() - start < CLOCKS_PER_SEC / 20 * (tap_slow() ? 100 : 1), "after few steps");
    }
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    what_matches(pool);
    bytes_not_characters(pool);
    used_again(pool);
    what_is_refused(pool);
    hostile(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
