/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_staleness.c - for how long past its freshness a response may be served (RFC 9111 section
 * 4.2.4): one rule, whatever the reason is to serve it.
 */
#include "mod_cache_storer/http/staleness.h"
#include "tap.h"

#define CONFIGURED apr_time_from_sec(3600)

static freshness_t response(void)
{
    freshness_t response = { 0, 0, 0, 0, 60, -1, 0, 0, 0, 0 };

    return response;
}

static void allowed(void)
{
    freshness_t it = response();

    ok(!staleness_is_forbidden(&it), "max-age forbids nothing");
    is_int(staleness_window(&it, -1, CONFIGURED), CONFIGURED, "as long as is configured");
    is_int(staleness_window(&it, 30, CONFIGURED), apr_time_from_sec(30), "as long as it says");
    is_int(staleness_window(&it, 0, CONFIGURED), 0, "it may say 0");
    is_int(staleness_window(&it, -1, -1), -1, "or nobody says anything");
    it.is_public = 1;
    is_int(staleness_window(&it, -1, CONFIGURED), CONFIGURED, "public forbids nothing");
}

static void is_forbidden(const freshness_t *it, const char *what)
{
    ok(staleness_is_forbidden(it), "%s forbids it", what);
    is_int(staleness_window(it, -1, CONFIGURED), 0, "%s: whatever is configured", what);
    is_int(staleness_window(it, 30, CONFIGURED), 0, "%s: whatever else it says", what);
}

static void forbidden(void)
{
    freshness_t it = response();

    it.no_cache = 1;
    is_forbidden(&it, "no-cache");
    it = response();
    it.must_revalidate = 1;
    is_forbidden(&it, "must-revalidate");
    it = response();
    it.proxy_revalidate = 1;
    is_forbidden(&it, "proxy-revalidate");
    it = response();
    it.s_maxage = 60;
    is_forbidden(&it, "s-maxage");
    it.s_maxage = 0;
    is_forbidden(&it, "s-maxage=0");
}

int main(void)
{
    allowed();
    forbidden();
    return done_testing();
}
