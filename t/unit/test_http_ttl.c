/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_ttl.c - freshness by status or content type: which rule is the most special one.
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/ttl.h"
#include "tap.h"

#include <apr_strings.h>

#include <limits.h>
#include <string.h>

typedef struct rule_t {
    const char *what, *time;
} rule_t;

static ttl_rules_t *rules_of(const rule_t *list, int count, apr_pool_t *pool)
{
    ttl_rules_t *rules = ttl_rules_create(pool);
    const char *problem = NULL;
    int i;

    for (i = 0; i < count; i++) {
        if (ttl_rules_add(rules, http_exactly(list[i].what, pool), list[i].time, &problem)
            != APR_SUCCESS) {
            bail_out("%s", problem);
        }
    }
    return rules;
}

/* ---- which one ---- */

/* the most special ones are not the last ones */
static const rule_t list[] = {
    { "404", "1" }, { "4xx", "2" }, { "5XX", "3" }, { "text/html", "4" }, { "Text/*", "5" },
    { "image/*", "6" }, { "image/png", "7" }, { "204", "8" }, { "410", "9" }, { "410", "10" },
    { "image/svg+xml", "250ms" }, { "503", "0" },
};

static const struct found_t {
    int         status;
    const char *type;
    long long   milliseconds;   /* -1: no rule */
} founds[] = {
    { 404, NULL, 1000 }, { 404, "text/html", 1000 }, { 403, NULL, 2000 }, { 400, "", 2000 },
    { 499, NULL, 2000 }, { 500, NULL, 3000 }, { 599, "image/png", 3000 }, { 503, NULL, 0 },
    { 410, NULL, 10000 },                          /* of equal ones the last */
    { 200, NULL, -1 }, { 200, "", -1 }, { 301, NULL, -1 }, { 100, NULL, -1 }, { 0, NULL, -1 },
    { 200, "text/html", 4000 }, { 200, "TEXT/HTML", 4000 }, { 299, "text/html", 4000 },
    { 200, "text/html; charset=utf-8", 4000 }, { 200, "text/html;charset=utf-8", 4000 },
    { 200, "text/html\t;x", 4000 }, { 200, "text/html, text/plain", 4000 },
    { 200, "text/htm", 5000 }, { 200, "text/html5", 5000 }, { 200, "text/plain", 5000 },
    { 200, "text/", -1 }, { 200, "text", -1 }, { 200, "text/;x=y", -1 }, { 200, "texts/html", -1 },
    { 200, "image/png", 7000 }, { 200, "image/gif", 6000 }, { 200, "image/svg+xml", 250 },
    { 200, "image/svg", 6000 }, { 200, "application/json", -1 }, { 200, " text/html", -1 },
    { 204, "text/html", 8000 },
    { 301, "text/html", -1 }, { 304, "text/html", -1 },   /* types are for success only */
};

static void test_found(apr_pool_t *pool)
{
    const ttl_rules_t *rules = rules_of(list, HTTP_COUNT(list), pool);
    int i, named;

    for (i = 0; i < HTTP_COUNT(founds); i++) {
        const struct found_t *one = &founds[i];
        const char *type = one->type ? http_exactly(one->type, pool) : NULL;
        apr_interval_time_t want = one->milliseconds < 0 ? -1 : one->milliseconds * 1000;

        is_int(ttl_find(rules, one->status, type, &named), want, "%d %s", one->status,
               type ? type : "of no type");
        is_int(named, one->status == 204 || one->status == 404 || one->status == 410
                      || one->status == 503,
               "%d: by its name", one->status);
    }
    is_int(ttl_find(ttl_rules_create(pool), 200, "text/html", &named), -1, "no rules");
}

/* Which one is the most special one does not depend on the order in which they are written. */
static void test_order(apr_pool_t *pool)
{
    static const rule_t kinds[] = {
        { "204", "4" }, { "2xx", "3" }, { "text/html", "2" }, { "text/*", "1" },
    };
    int first, second;

    for (first = 0; first < HTTP_COUNT(kinds); first++) {
        for (second = 0; second < HTTP_COUNT(kinds); second++) {
            rule_t both[2] = { kinds[first], kinds[second] };
            const rule_t *special = &kinds[first < second ? first : second];

            is_int(ttl_find(rules_of(both, 2, pool), 204, "text/html", NULL),
                   apr_atoi64(special->time) * APR_USEC_PER_SEC, "%s, then %s", both[0].what,
                   both[1].what);
        }
    }
}

/* ---- what is no rule ---- */

static const struct refused_t {
    const char *what, *time, *names;
} refused[] = {
    { "", "1", "''" }, { "40", "1", "'40'" }, { "4044", "1", "'4044'" }, { "099", "1", "'099'" },
    { "600", "1", "'600'" }, { "6xx", "1", "'6xx'" }, { "40x", "1", "'40x'" },
    { "x04", "1", "'x04'" }, { "-40", "1", "'-40'" }, { "4 4", "1", "'4 4'" },
    { "4*", "1", "'4*'" }, { "text", "1", "'text'" }, { "text/", "1", "'text/'" },
    { "/html", "1", "'/html'" }, { "/", "1", "'/'" }, { "*/*", "1", "'*/*'" },
    { "*/html", "1", "'*/html'" }, { "text/*+xml", "1", "'text/*+xml'" },
    { "text/**", "1", "'text/**'" }, { "a/b/c", "1", "'a/b/c'" },
    { "text/html;q=1", "1", "'text/html;q=1'" }, { "text/html,a/b", "1", "'text/html,a/b'" },
    { "text/ html", "1", "'text/ html'" }, { "*", "1", "'*'" },
    { "404", "", "''" }, { "404", "-1", "'-1'" }, { "404", "x", "'x'" }, { "404", "1y", "'1y'" },
    { "404", "1 s", "'1 s'" }, { "404", "9223372036855s", "'9223372036855s'" },
    { "text/html", "99999999999999999999d", "'99999999999999999999d'" },
};

static void test_refused(apr_pool_t *pool)
{
    ttl_rules_t *rules = ttl_rules_create(pool);
    int i;

    for (i = 0; i < HTTP_COUNT(refused); i++) {
        const char *problem = NULL;
        apr_status_t rv = ttl_rules_add(rules, http_exactly(refused[i].what, pool),
                                        refused[i].time, &problem);

        is_status(rv, APR_EINVAL, "<%s> <%s> is refused", refused[i].what, refused[i].time);
        ok(problem && strstr(problem, refused[i].names), "and said so: %s",
           problem ? problem : "nothing");
    }
    for (i = 0; i < 1000; i++) {
        if (ttl_find(rules, i, "text/html", NULL) != -1) {
            break;
        }
    }
    is_int(i, 1000, "no rule has come of these");
}

/* Rules are added while the configuration is read, in whatever number. */
static void test_many(apr_pool_t *pool)
{
    ttl_rules_t *rules = ttl_rules_create(pool);
    const char *problem;
    int i, wrong = 0;

    for (i = 100; i < 600; i++) {
        wrong += ttl_rules_add(rules, apr_itoa(pool, i), apr_psprintf(pool, "%ds", i), &problem)
                 != APR_SUCCESS;
    }
    for (i = 100; i < 600; i++) {
        wrong += ttl_find(rules, i, NULL, NULL) != apr_time_from_sec(i);
    }
    is_int(wrong, 0, "500 rules");
    is_status(ttl_rules_add(rules, "200", "9223372036854s", &problem), APR_SUCCESS, "a long time");
    is_int(ttl_find(rules, 200, NULL, NULL), apr_time_from_sec(APR_INT64_C(9223372036854)), "is kept");
}

int main(void)
{
    apr_pool_t *pool = http_pool();

    test_found(pool);
    test_order(pool);
    test_refused(pool);
    test_many(pool);
    apr_pool_destroy(pool);
    return done_testing();
}
