/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_control.c - cache directives: of Cache-Control, which is read tolerantly (RFC 9111
 * section 5.2), and of targeted fields, which are not (RFC 9213 section 2).
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/control.h"
#include "tap.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include <string.h>
#include <strings.h>

/* ---- directives as text: "no-store max-age=5" ---- */

static const char *with_number(const char *text, const char *name, apr_int64_t seconds,
                               apr_pool_t *pool)
{
    return seconds == -1 ? text : apr_psprintf(pool, "%s %s=%" APR_INT64_T_FMT, text, name, seconds);
}

static const char *control_shown(const control_t *control, apr_pool_t *pool)
{
    const char *text = apr_pstrcat(pool, control->no_store ? " no-store" : "",
                                   control->no_cache ? " no-cache" : "",
                                   control->is_private ? " private" : "",
                                   control->is_public ? " public" : "",
                                   control->must_revalidate ? " must-revalidate" : "",
                                   control->proxy_revalidate ? " proxy-revalidate" : "",
                                   control->must_understand ? " must-understand" : "",
                                   control->only_if_cached ? " only-if-cached" : "", NULL);

    if (control->fields) {
        text = apr_pstrcat(pool, text, " [", control->fields, "]", NULL);
    }
    text = with_number(text, "max-age", control->max_age, pool);
    text = with_number(text, "s-maxage", control->s_maxage, pool);
    text = with_number(text, "swr", control->stale_while_revalidate, pool);
    text = with_number(text, "sie", control->stale_if_error, pool);
    text = with_number(text, "max-stale", control->max_stale, pool);
    text = with_number(text, "min-fresh", control->min_fresh, pool);
    return *text ? text + 1 : text;
}

/* lines are separated by '|' in all of these tables */
static apr_table_t *headers_of(const char *name, const char *lines, apr_pool_t *pool)
{
    apr_table_t *headers = apr_table_make(pool, 4);
    char *state, *line;

    apr_table_setn(headers, "Content-Type", "no-store");
    if (lines && !*lines) {
        apr_table_addn(headers, name, "");
    }
    for (line = lines ? apr_strtok(apr_pstrdup(pool, lines), "|", &state) : NULL; line;
         line = apr_strtok(NULL, "|", &state)) {
        apr_table_addn(headers, name, http_exactly(line, pool));
    }
    return headers;
}

static const char *read_control(const char *lines, apr_pool_t *pool)
{
    control_t control = control_of(headers_of("cache-control", lines, pool), pool);

    return control_shown(&control, pool);
}

/* ---- Cache-Control ---- */

typedef struct case_t {
    const char *text, *want;
} case_t;

static const case_t controls[] = {
    { NULL, "" },
    { "", "" },
    { " , ,\t,", "" },
    { "no-store", "no-store" },
    { "NO-STORE", "no-store" },
    { "no-store,", "no-store" },
    { ",\tno-store ,,", "no-store" },
    { "no-store no-cache", "no-store" },
    { "no-stores", "" },
    { "no-stor", "" },
    { "x-no-store", "" },
    { "no-store|max-age=5", "no-store max-age=5" },
    { "public, must-revalidate, proxy-revalidate, must-understand, only-if-cached",
      "public must-revalidate proxy-revalidate must-understand only-if-cached" },
    { "max-age=1,s-maxage=2,stale-while-revalidate=3,stale-if-error=4,max-stale=5,min-fresh=6",
      "max-age=1 s-maxage=2 swr=3 sie=4 max-stale=5 min-fresh=6" },
    { "Max-Age=1, S-MaxAge=2", "max-age=1 s-maxage=2" },
    { "no-store=1, public=x", "no-store public" },
    { "unknown, other=1, more=\"x\", no-store", "no-store" },

    /* numbers */
    { "max-age=0", "max-age=0" },
    { "max-age=007", "max-age=7" },
    { "max-age=\"60\"", "max-age=60" },
    { "max-age=2147483647", "max-age=2147483647" },
    { "max-age=2147483648", "max-age=2147483648" },
    { "max-age=2147483649", "max-age=2147483648" },
    { "max-age=4294967296", "max-age=2147483648" },
    { "max-age=9223372036854775807", "max-age=2147483648" },
    { "max-age=9223372036854775808", "max-age=2147483648" },
    { "max-age=18446744073709551617", "max-age=2147483648" },
    { "max-age=99999999999999999999999999999999999999", "max-age=2147483648" },
    { "max-age=00000000000000000000000000000000000005", "max-age=5" },
    { "max-age", "" },
    { "max-age=", "" },
    { "max-age=\"\"", "" },
    { "max-age=-1", "" },
    { "max-age=+1", "" },
    { "max-age=1.5", "" },
    { "max-age=1e3", "" },
    { "max-age=0x10", "" },
    { "max-age=60s", "" },
    { "max-age=a60", "" },
    { "max-age='60'", "" },
    { "max-age=\" 60\"", "" },
    { "max-age=99999999999999999999a", "" },
    { "max-age=5 6", "max-age=5" },
    { "max-age =5", "" },
    { "max-age= 5", "" },
    { "max-age:5", "" },
    { "max-age==5", "" },
    { "max-age=\"5", "max-age=5" },
    { "max-age=5;x, no-store", "no-store" },

    /* repeated: the smaller one, of those that are some */
    { "max-age=5, max-age=9", "max-age=5" },
    { "max-age=9|max-age=5", "max-age=5" },
    { "max-age=9, max-age=0", "max-age=0" },
    { "max-age=x, max-age=9", "max-age=9" },
    { "max-age=9, max-age=-5", "max-age=9" },
    { "max-age=9, max-age", "max-age=9" },

    /* of a request; without a value any age is right */
    { "max-stale", "max-stale=2147483648" },
    { "max-stale, max-stale=9", "max-stale=9" },
    { "max-stale=9, max-stale", "max-stale=9" },
    { "max-stale=x", "" },
    { "max-stale=", "" },
    { "max-stale =9", "" },
    { "max-stale\t= 9", "" },
    { "max-stale x", "max-stale=2147483648" },

    /* field names: the directive is about them only, and not about the response */
    { "no-cache", "no-cache" },
    { "private", "private" },
    { "no-cache=\"Set-Cookie\", max-age=5", "[Set-Cookie] max-age=5" },
    { "private=\"X-A, X-B\", max-age=5", "[X-A, X-B] max-age=5" },
    { "private=X-A", "[X-A]" },
    { "no-cache=\"X-A\", no-cache", "no-cache [X-A]" },
    { "private, private=\"X-A\"", "private [X-A]" },
    { "no-cache=", "no-cache" },
    { "private=\"\"", "private" },
    { "private=\" ,\"", "private" },
    { "no-cache=X-A, private=\"X-B\"", "[X-A, X-B]" },
    { "private =\"X-A\"", "private" },
    { "no-cache = \"X-A\"", "no-cache" },

    /* what is in quotes is no directive */
    { "x=\"no-store, private\", max-age=5", "max-age=5" },
    { "x=\"a\\\", no-store, b\", max-age=5", "max-age=5" },
    { "x=\"a\\\\\", no-store", "no-store" },
    { "x=\"a\"b, no-store", "no-store" },
    { "x \"no-store, private\", max-age=5", "max-age=5" },
    { "\"a, no-store, b\", max-age=5", "max-age=5" },
    { "x\"a, no-store, b\", max-age=5", "max-age=5" },
    { "x=\"no-store", "" },
    { "x=\"no-store\\", "" },
    { "x=\"no-store|max-age=5", "" },
    { "\"", "" },
    { "=", "" },
    { "=5, no-store", "no-store" },
    { "=no-store", "" },
    { "\xff\x01, no-store", "no-store" },
};

static void test_controls(apr_pool_t *pool)
{
    int i;

    for (i = 0; i < HTTP_COUNT(controls); i++) {
        is_string(read_control(controls[i].text, pool), controls[i].want, "5.2: %s",
                  controls[i].text ? controls[i].text : "(none)");
    }
}

static const char *upper_case(const char *text, apr_pool_t *pool)
{
    char *upper = apr_pstrdup(pool, text), *at;

    for (at = upper; *at; at++) {
        *at = (char)apr_toupper(*at);
    }
    return upper;
}

/* Names of fields stay as they are written. */
static int means_the_same(const char *one, const char *other)
{
    return strcasecmp(one, other) == 0;
}

static int is_in_range(apr_int64_t seconds)
{
    return seconds >= -1 && seconds <= CONTROL_SECONDS_MAX;
}

/* Whatever it is that is behind a directive, it does not hide it; and nothing else than letters in
 * upper case comes of letters in upper case. */
static const char *by_properties(void *baton, const char *input, apr_pool_t *pool)
{
    apr_table_t *headers = apr_table_make(pool, 2);
    const char *shown, *upper = upper_case(input, pool);
    control_t control;

    (void)baton;
    apr_table_addn(headers, "Cache-Control", input);
    control = control_of(headers, pool);
    shown = control_shown(&control, pool);
    if (!is_in_range(control.max_age) || !is_in_range(control.s_maxage)
        || !is_in_range(control.max_stale) || !is_in_range(control.stale_if_error)) {
        return apr_pstrcat(pool, "numbers beyond their range: ", shown, NULL);
    }
    apr_table_setn(headers, "Cache-Control", upper);
    control = control_of(headers, pool);
    if (!means_the_same(control_shown(&control, pool), shown)) {
        return apr_pstrcat(pool, "means something else in upper case than: ", shown, NULL);
    }
    apr_table_setn(headers, "Cache-Control", "private,max-age=0");
    apr_table_addn(headers, "Cache-Control", input);
    control = control_of(headers, pool);
    if (!control.is_private || control.max_age != 0) {
        return apr_pstrcat(pool, "hides what is in front of it", NULL);
    }
    return NULL;
}

static void test_fuzz(apr_pool_t *pool)
{
    const char *seeds[HTTP_COUNT(controls)];
    int i, count = 0;

    (void)pool;
    for (i = 0; i < HTTP_COUNT(controls); i++) {
        if (controls[i].text) {
            seeds[count++] = controls[i].text;
        }
    }
    http_fuzz("5.2: any text", seeds, count, by_properties, NULL);
}

/* ---- targeted fields ---- */

typedef struct targeted_t {
    const char *first, *second;  /* lines of the fields; NULL: not there */
    const char *want;            /* NULL: Cache-Control counts */
} targeted_t;

static const targeted_t targeteds[] = {
    { NULL, NULL, NULL },
    { "max-age=5", NULL, "max-age=5" },
    { NULL, "max-age=6", "max-age=6" },
    { "max-age=5", "max-age=6, no-store", "max-age=5" },    /* the first; they are not mixed */
    { "no-store", NULL, "no-store" },
    { "max-age=5|no-cache", NULL, "no-cache max-age=5" },
    { "max-age=5;x=y, public;z", NULL, "public max-age=5" },
    { "unknown, max-age=5, more=1.5, last=(a b)", NULL, "max-age=5" },
    { "unknown", "max-age=6", "" },
    { "max-age=5, max-age=4", NULL, "max-age=4" },          /* the last: it is a dictionary */
    { "max-age=4, max-age=5", NULL, "max-age=5" },
    { "max-age=1, s-maxage=2, stale-while-revalidate=3, stale-if-error=4, must-revalidate", NULL,
      "must-revalidate max-age=1 s-maxage=2 swr=3 sie=4" },

    /* booleans */
    { "no-store=?1", NULL, "no-store" },
    { "no-store=?0, max-age=5", NULL, "max-age=5" },
    { "no-store, no-store=?0", NULL, "" },
    { "no-store=1", NULL, "no-store" },
    { "private=?0", NULL, "" },

    /* field names */
    { "private=\"X-A\", max-age=5", NULL, "[X-A] max-age=5" },
    { "private=\"\"", NULL, "private" },
    { "private=X-A", NULL, "private" },
    { "no-cache=(\"X-A\")", NULL, "no-cache" },

    /* not valid as a whole: the next one */
    { "", "max-age=6", "max-age=6" },
    { "  ", "max-age=6", "max-age=6" },
    { "max-age=5,", "max-age=6", "max-age=6" },
    { "Max-Age=5", "max-age=6", "max-age=6" },
    { "no-store, max-age=5 x", "max-age=6", "max-age=6" },
    { "max-age=\"5\"", "max-age=6", "max-age=6" },
    { "max-age=5.0", "max-age=6", "max-age=6" },
    { "max-age=@5", "max-age=6", "max-age=6" },
    { "max-age=-5", "max-age=6", "max-age=6" },
    { "max-age", "max-age=6", "max-age=6" },
    { "no-store, max-age=x", "max-age=6", "max-age=6" },
    { "max-age=x, max-age=5", NULL, "max-age=5" },          /* the last counts: it is a number */
    { "max-age=5,", "max-age=6,", NULL },
    { "!", NULL, NULL },

    /* numbers */
    { "max-age=0", NULL, "max-age=0" },
    { "max-age=-0", NULL, "max-age=0" },
    { "max-age=2147483647", NULL, "max-age=2147483647" },
    { "max-age=2147483649", NULL, "max-age=2147483648" },
    { "max-age=999999999999999", NULL, "max-age=2147483648" },
    { "max-age=1000000000000000", "max-age=6", "max-age=6" },
};

static void test_targeted(apr_pool_t *pool)
{
    apr_array_header_t *fields = apr_array_make(pool, 2, sizeof(const char *));
    apr_array_header_t *none = apr_array_make(pool, 2, sizeof(const char *));
    control_t control;
    int i;

    APR_ARRAY_PUSH(fields, const char *) = "First-Control";
    APR_ARRAY_PUSH(fields, const char *) = "second-control";
    for (i = 0; i < HTTP_COUNT(targeteds); i++) {
        const targeted_t *one = &targeteds[i];
        apr_table_t *headers = apr_table_overlay(pool,
                                                 headers_of("First-Control", one->first, pool),
                                                 headers_of("Second-Control", one->second, pool));
        int found;

        memset(&control, 0x55, sizeof(control));
        apr_table_setn(headers, "Cache-Control", "max-age=99");
        found = control_of_targeted(headers, fields, &control, pool);
        is_string(found ? control_shown(&control, pool) : NULL, one->want,
                  "RFC 9213 2.2: <%s> <%s>", one->first ? one->first : "none",
                  one->second ? one->second : "none");
        if (!found) {
            is_int(control.max_age, 0x5555555555555555, "and nothing is written");
        }
    }
    ok(!control_of_targeted(headers_of("First-Control", "max-age=1", pool), none, &control, pool),
       "no targeted field is asked for");
}

/* ---- written ---- */

static const case_t writtens[] = {
    { "", "" },
    { "max-age=5", "max-age=5" },
    { "s-maxage=9, MAX-AGE=\"5\", public", "public, max-age=5, s-maxage=9" },
    { "no-store, no-cache, private, must-revalidate, proxy-revalidate",
      "no-store, no-cache, private, must-revalidate, proxy-revalidate" },
    { "max-age=99999999999", "max-age=2147483648" },
    /* mod_cache has no use for these */
    { "stale-while-revalidate=1, stale-if-error=1, must-understand, max-age=0", "max-age=0" },
};

static void test_written(apr_pool_t *pool)
{
    int i;

    for (i = 0; i < HTTP_COUNT(writtens); i++) {
        control_t control = control_of(headers_of("Cache-Control", writtens[i].text, pool), pool);

        is_string(control_text(&control, pool), writtens[i].want, "written: <%s>", writtens[i].text);
    }
}

/* 64 KiB of each: reading it takes no more room than it has itself. */
static void test_sizes(apr_pool_t *parent)
{
    static const case_t larges[] = {
        { ",", "" }, { " ", "" }, { "max-age=5,", "max-age=5" }, { "\"", "" }, { "x=\"\\\"", "" },
        { "no-cache=\"\",", "no-cache" }, { "9", "" }, { "=", "" },
    };
    int i;

    for (i = 0; i < HTTP_COUNT(larges); i++) {
        const char *unit = larges[i].text;
        apr_table_t *headers;
        control_t control;
        apr_size_t allocated;
        apr_pool_t *pool;

        apr_pool_create(&pool, parent);
        headers = apr_table_make(pool, 1);
        apr_table_addn(headers, "Cache-Control",
                       http_repeated("", unit, 65536 / (int)strlen(unit), "", pool));
        http_allocated();
        control = control_of(headers, pool);
        allocated = http_allocated();
        is_string(control_shown(&control, pool), larges[i].want, "64 KB of <%s>", unit);
        ok(allocated <= 2 * 65536, "64 KB of <%s>: takes %lu bytes", unit,
           (unsigned long)allocated);
        apr_pool_destroy(pool);
    }
}

int main(void)
{
    apr_pool_t *pool = http_pool();

    test_controls(pool);
    test_fuzz(pool);
    test_targeted(pool);
    test_written(pool);
    test_sizes(pool);
    apr_pool_destroy(pool);
    return done_testing();
}
