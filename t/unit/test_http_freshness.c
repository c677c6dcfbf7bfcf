/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_freshness.c - lifetime and age of stored responses (RFC 9111 section 4.2), in which the
 * module must agree with mod_cache.
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/control.h"
#include "mod_cache_storer/http/freshness.h"
#include "tap.h"

#include <apr_strings.h>

#include <string.h>

#define NOW (APR_INT64_C(1800000000) * APR_USEC_PER_SEC)

static apr_time_t at(long seconds)
{
    return NOW + apr_time_from_sec(seconds);
}

/* A response that came at NOW, a second after it was asked for. */
static freshness_t response(void)
{
    freshness_t response = { NOW, 0, NOW - APR_USEC_PER_SEC, NOW, -1, -1, 0, 0, 0, 0 };

    return response;
}

static void lifetimes(void)
{
    freshness_t it = response();

    is_int(freshness_lifetime(&it), 0, "a response that says nothing has no lifetime");
    it.expires = at(60);
    is_int(apr_time_sec(freshness_lifetime(&it)), 60, "Expires, from Date on");
    it.expires = at(-60);
    is_int(freshness_lifetime(&it), 0, "Expires before Date: none");
    it.expires = at(60);
    it.max_age = 30;
    is_int(apr_time_sec(freshness_lifetime(&it)), 30, "max-age goes before Expires");
    it.s_maxage = 20;
    is_int(apr_time_sec(freshness_lifetime(&it)), 20, "s-maxage goes before max-age");
    it.s_maxage = 0;
    is_int(freshness_lifetime(&it), 0, "s-maxage=0 is a value");
    it.s_maxage = APR_INT64_MAX;
    is_int(apr_time_sec(freshness_lifetime(&it)), CONTROL_SECONDS_MAX, "a lifetime has an end");
}

static void ages(apr_pool_t *pool)
{
    static const struct {
        const char *age;
        long date;       /* relative to NOW */
        long want;       /* 10 seconds after NOW */
    } cases[] = {
        { NULL, 0, 11 },           /* the second of the exchange counts */
        { "100", 0, 111 },
        { "100", -500, 511 },      /* the apparent age is more */
        { "600", -500, 611 },
        { NULL, 500, 11 },         /* a clock that is ahead */
        { "0", 0, 11 },
        { "2147483648", 0, 2147483659 },
        { "99999999999999999999", 0, 2147483659 },
        { "-5", 0, 11 },
        { "5x", 0, 11 },
        { "", 0, 11 },
    };
    int i;

    for (i = 0; i < HTTP_COUNT(cases); i++) {
        apr_table_t *headers = apr_table_make(pool, 1);
        freshness_t it = response();

        it.date = at(cases[i].date);
        if (cases[i].age) {
            apr_table_setn(headers, "Age", cases[i].age);
        }
        is_int(apr_time_sec(freshness_age(&it, headers, at(10))), cases[i].want,
               "Age %s, Date %lds: %lds old", cases[i].age ? cases[i].age : "none", cases[i].date,
               cases[i].want);
    }
}

static void ages_never_below_zero(apr_pool_t *pool)
{
    freshness_t it = response();

    is_int(freshness_age(&it, apr_table_make(pool, 1), NOW - 3600 * APR_USEC_PER_SEC), 0,
           "a clock that was set back makes nothing younger than 0");
}

static void ends(apr_pool_t *pool)
{
    apr_table_t *headers = apr_table_make(pool, 1);
    freshness_t it = response();
    storer_expiry_t expiry;

    it.max_age = 60;
    is_int(freshness_end(&it, headers), at(59), "fresh for max-age, less the time of the exchange");
    ok(freshness_holds(&it, apr_time_from_sec(60) - 1), "fresh just before the lifetime ends");
    ok(!freshness_holds(&it, apr_time_from_sec(60)), "stale when the age has reached it");
    apr_table_setn(headers, "Age", "70");
    is_int(freshness_end(&it, headers), at(-11), "it may have ended before it came");

    expiry = freshness_expiry(&it, headers, apr_time_from_sec(5), NOW);
    is_int(expiry.fresh_until, NOW, "which a store is told as now");
    is_int(expiry.stale_until, at(5), "and it is kept from then on");

    it.no_cache = 1;
    apr_table_clear(headers);
    ok(!freshness_holds(&it, 0), "no-cache: never fresh");
    is_int(freshness_end(&it, headers), it.request_time, "no-cache: since it was asked for");
}

static void mended_ages(apr_pool_t *pool)
{
    static const char *const cases[][2] = {
        { "0", "0" },
        { "60", "60" },
        { " 60 ", "60" },
        { "060", "60" },
        { "60, 5", "60" },
        { "60 ,5", "60" },
        { "5,x", "5" },
        { "2147483647", "2147483647" },
        { "2147483648", "2147483648" },
        { "2147483649", "2147483648" },
        { "9223372036854775808", "2147483648" },
        { "10000000000000000000", "2147483648" },
        { "99999999999999999999999999999999999999999999", "2147483648" },
        { "", NULL },
        { ",5", NULL },
        { "x", NULL },
        { "x, 5", NULL },
        { "-1", NULL },
        { "+1", NULL },
        { "1.5", NULL },
        { "1 2", NULL },
        { "60;x", NULL },
        { "99999999999999999999x", NULL },
    };
    apr_table_t *headers = apr_table_make(pool, 1);
    int i;

    freshness_mend_age(headers, pool);
    ok(apr_is_empty_table(headers), "no Age stays none");
    for (i = 0; i < HTTP_COUNT(cases); i++) {
        apr_table_setn(headers, "Age", http_exactly(cases[i][0], pool));
        freshness_mend_age(headers, pool);
        is_string(apr_table_get(headers, "Age"), cases[i][1], "Age '%s': %s", cases[i][0],
                  cases[i][1] ? cases[i][1] : "none");
    }
}

int main(void)
{
    apr_pool_t *pool = http_pool();

    lifetimes();
    ages(pool);
    ages_never_below_zero(pool);
    ends(pool);
    mended_ages(pool);
    return done_testing();
}
