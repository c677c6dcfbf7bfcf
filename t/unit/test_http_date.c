/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_date.c - dates of HTTP (RFC 9110 section 5.6.7), and what is none.
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/date.h"
#include "tap.h"

#include <apr_strings.h>

#define NOW (APR_INT64_C(1800000000) * APR_USEC_PER_SEC) /* January 2027 */

static const struct {
    const char *text;
    apr_int64_t seconds;
} dates[] = {
    { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
    { "sun, 06 nov 1994 08:49:37 gmt", 784111777 },
    { "SUN, 06 NOV 1994 08:49:37 GMT", 784111777 },
    { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
    { "Sun Nov  6 08:49:37 1994", 784111777 },
    { "Sun Nov 06 08:49:37 1994", 784111777 },
    { "Wed Nov 16 08:49:37 1994", 784975777 },
    { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
    { "Thu, 01 Jan 1970 00:00:01 GMT", 1 },
    { "Thu, 18 Aug 2050 02:01:18 GMT", 2544400878 },
    { "Thursday, 18-Aug-50 02:01:18 GMT", 2544400878 },
    { "Thursday, 18-Aug-77 02:01:18 GMT", 3396477678 },  /* 50 years ahead */
    { "Thursday, 18-Aug-78 02:01:18 GMT", 272253678 },   /* 51: of the last century */
    { "Fri, 31 Dec 1999 23:59:60 GMT", 946684800 },
};

static const char *const no_dates[] = {
    "", "0", "-1", "x", "Sun", "Sun,", "now",
    "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 ", "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 AEST", "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1994 08:49:37 GMTx",
    " Sun, 06 Nov 1994 08:49:37 GMT", "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun,06 Nov 1994 08:49:37 GMT", "Sun,  06 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06-Nov-1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 1994 08.49.37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
    "Sun, 06 November 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
    "Xyz, 06 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT", "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT", "Sun Nov  6 08:49:37 94",
    "1994-11-06T08:49:37Z", "784111777",
};

static const char *check(void *baton, const char *input, apr_pool_t *pool)
{
    apr_time_t time = 0;
    int result = date_read(input, NOW, &time);

    (void)baton;
    return result == 0 || result == 1 ? NULL : apr_psprintf(pool, "result %d", result);
}

int main(void)
{
    apr_pool_t *pool = http_pool();
    const char *seeds[HTTP_COUNT(dates)];
    apr_time_t time;
    int i;

    for (i = 0; i < HTTP_COUNT(dates); i++) {
        seeds[i] = dates[i].text;
        time = -1;
        ok(date_read(http_exactly(dates[i].text, pool), NOW, &time), "%s", dates[i].text);
        is_int(apr_time_sec(time), dates[i].seconds, "and when that is");
    }
    for (i = 0; i < HTTP_COUNT(no_dates); i++) {
        ok(!date_read(http_exactly(no_dates[i], pool), NOW, &time), "'%s' is none", no_dates[i]);
    }
    http_fuzz("texts like dates", seeds, HTTP_COUNT(dates), check, NULL);
    return done_testing();
}
