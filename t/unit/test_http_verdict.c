/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_verdict.c - for how long a response is good, as mod_cache is told.
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/storable.h"
#include "mod_cache_storer/http/verdict.h"
#include "tap.h"

#include <apr_strings.h>

#include <string.h>

#define NOW     (APR_INT64_C(1800000000) * APR_USEC_PER_SEC)
#define DATE    "Fri, 15 Jan 2027 08:00:00 GMT"  /* the same */
#define EXPIRED "Thu, 01 Jan 1970 00:00:01 GMT"

typedef struct case_t {
    const char *fields;      /* lines, separated by '|' */
    int         status;      /* 0: 200 */
    const char *ttl;         /* "404 60s", separated by '|'; NULL: none */
    const char *modified;    /* Last-Modified */
    unsigned    form;
    int         confirmed;
    const char *control, *expires; /* wanted */
    int         stored;
} case_t;

#define OLD "Fri, 15 Jan 2027 07:00:00 GMT"  /* an hour: 360 s */
#define OLDER "Mon, 15 Jan 2024 07:00:00 GMT"

static const case_t cases[] = {
    /* what it says itself */
    { "", 0, NULL, NULL, 0, 0, NULL, NULL, 1 },
    { "Cache-Control: max-age=60", 0, NULL, NULL, 0, 0, "max-age=60", NULL, 1 },
    { "Cache-Control: MAX-AGE=60, x=y , public", 0, NULL, NULL, 0, 0, "public, max-age=60", NULL, 1 },
    { "Cache-Control: public|Cache-Control: max-age=5", 0, NULL, NULL, 0, 0, "public, max-age=5",
      NULL, 1 },
    { "Cache-Control: max-age=100000000000000000000", 0, NULL, NULL, 0, 0, "max-age=2147483648",
      NULL, 1 },
    { "Cache-Control: max-age=1e20", 0, NULL, OLD, 0, 0, "max-age=0", NULL, 1 },
    { "Cache-Control: s-maxage=x", 0, NULL, OLD, 0, 0, "max-age=0", NULL, 1 },
    { "Cache-Control: max-age=x, s-maxage=9", 0, NULL, NULL, 0, 0, "s-maxage=9", NULL, 1 },
    { "Cache-Control: unknown", 0, NULL, NULL, 0, 0, NULL, NULL, 1 },
    { "Cache-Control: private", 0, NULL, NULL, 0, 0, "private", NULL, 1 },
    { "Cache-Control: private=\"\", max-age=60", 0, NULL, NULL, 0, 0, "private, max-age=60", NULL, 1 },
    { "Cache-Control: private=\" , \"", 0, NULL, NULL, 0, 0, "private", NULL, 1 },
    { "Cache-Control: no-cache=\"\"", 0, NULL, NULL, 0, 0, "no-cache", NULL, 1 },
    { "Cache-Control: private=\"a,b\", max-age=9", 0, NULL, NULL, 0, 0,
      "no-cache=\"a, b\", max-age=9", NULL, 1 },
    { "Cache-Control: no-cache=a, private=b", 0, NULL, NULL, 0, 0, "no-cache=\"a, b\"", NULL, 1 },

    /* Expires, and dates that are none */
    { "Expires: " DATE, 0, NULL, NULL, 0, 0, NULL, DATE, 1 },
    { "Expires: fri, 15 jan 2027 08:00:00 gmt", 0, NULL, NULL, 0, 0, NULL, DATE, 1 },
    { "Expires: Friday, 15-Jan-27 08:00:00 GMT", 0, NULL, NULL, 0, 0, NULL, DATE, 1 },
    { "Expires: 0", 0, NULL, NULL, 0, 0, NULL, EXPIRED, 1 },
    { "Expires: Thu, 18 Aug 2050 02:01:18 UTC", 0, NULL, NULL, 0, 0, NULL, EXPIRED, 1 },
    { "Expires: Thu, 18 Aug 2050 02:01:18 GMT|Expires: Thu, 18 Aug 2050 02:01:18 GMT", 0, NULL, NULL,
      0, 0, NULL, EXPIRED, 1 },
    { "Cache-Control: max-age=60|Expires: x", 0, NULL, NULL, 0, 0, "max-age=60", EXPIRED, 1 },

    /* Pragma */
    { "Pragma: no-cache", 0, NULL, OLD, 0, 0, "no-cache", NULL, 1 },
    { "Pragma: No-Cache, x", 0, NULL, OLD, 0, 0, "no-cache", NULL, 1 },
    { "Pragma: x", 0, NULL, OLD, 0, 0, NULL, NULL, 1 },
    { "Pragma: no-cache|Cache-Control: max-age=60", 0, NULL, NULL, 0, 0, "max-age=60", NULL, 1 },
    { "Pragma: no-cache|Cache-Control: public", 0, NULL, NULL, 0, 0, "public", NULL, 1 },
    { "Pragma: no-cache|CDN-Cache-Control: max-age=9", 0, NULL, NULL, 0, 0, "max-age=9", NULL, 1 },

    /* a targeted field */
    { "CDN-Cache-Control: max-age=9|Cache-Control: no-store|Expires: 0", 0, NULL, NULL, 0, 0,
      "max-age=9", NULL, 1 },
    { "CDN-Cache-Control: no-cache=\"a\", max-age=9", 0, NULL, NULL, 0, 0,
      "no-cache=\"a\", max-age=9", NULL, 1 },
    { "CDN-Cache-Control: x;|Cache-Control: max-age=8", 0, NULL, NULL, 0, 0, "max-age=8", NULL, 1 },

    /* CacheStorerTTL: what the response says goes before it */
    { "", 404, "404 60s", NULL, 0, 0, "max-age=60", NULL, 1 },
    { "", 404, "4xx 60s", NULL, 0, 0, "max-age=60", NULL, 1 },
    { "", 200, "text/html 60s", NULL, 0, 0, "max-age=60", NULL, 1 },
    { "", 503, "5xx 60s", NULL, 0, 0, "max-age=60", NULL, 1 },
    { "Cache-Control: max-age=5", 404, "404 60s", NULL, 0, 0, "max-age=5", NULL, 1 },
    { "Expires: " DATE, 404, "404 60s", NULL, 0, 0, NULL, DATE, 1 },
    { "Cache-Control: no-store", 404, "404 60s", NULL, 0, 0, "no-store", NULL, 1 },
    { "Cache-Control: no-cache", 404, "404 60s", NULL, 0, 0, "no-cache", NULL, 1 },
    { "Cache-Control: private", 404, "404 60s", NULL, 0, 0, "private", NULL, 1 },

    /* errors that are about the request */
    { "", 403, "4xx 60s", NULL, 0, 0, NULL, NULL, 0 },
    { "", 403, "403 60s", NULL, 0, 0, "max-age=60", NULL, 1 },
    { "", 400, "4xx 60s", NULL, 0, 0, NULL, NULL, 0 },
    { "", 431, "4xx 60s", NULL, 0, 0, NULL, NULL, 0 },
    { "", 431, "431 60s", NULL, 0, 0, NULL, NULL, 0 },
    { "Cache-Control: max-age=60", 431, NULL, NULL, 0, 0, "max-age=60", NULL, 0 },
    { "Cache-Control: max-age=60", 400, NULL, NULL, 0, 0, "max-age=60", NULL, 1 },
    { "Expires: " DATE, 400, NULL, NULL, 0, 0, NULL, DATE, 1 },
    { "Cache-Control: public", 400, NULL, OLD, 0, 0, "public", NULL, 0 },
    { "Cache-Control: public", 302, NULL, OLD, 0, 0, "public", NULL, 1 },
    { "Cache-Control: must-revalidate", 302, NULL, OLD, 0, 0, "must-revalidate", NULL, 0 },
    { "", 401, "401 60s", NULL, 0, 0, NULL, NULL, 0 },
    { "Cache-Control: max-age=60", 412, NULL, NULL, STORABLE_FORM_CONDITION, 0, "max-age=60", NULL,
      0 },
    { "Cache-Control: max-age=60", 412, NULL, NULL, 0, 0, "max-age=60", NULL, 1 },
    { "Cache-Control: max-age=60", 99, NULL, NULL, 0, 0, "max-age=60", NULL, 0 },

    /* the heuristic, for statuses that mod_cache has none for */
    { "", 200, NULL, OLD, 0, 0, NULL, NULL, 1 },
    { "", 404, NULL, OLD, 0, 0, "max-age=360", NULL, 1 },
    { "", 404, NULL, OLDER, 0, 0, "max-age=600", NULL, 1 },
    { "", 308, NULL, OLDER, 0, 0, "max-age=86400", NULL, 1 },
    { "", 405, NULL, OLD, 0, 0, "max-age=360", NULL, 1 },
    { "", 405, NULL, OLD, STORABLE_FORM_OVERRIDE, 0, "max-age=360", NULL, 0 },
    { "", 414, NULL, OLD, STORABLE_FORM_LONG, 0, "max-age=360", NULL, 0 },
    { "", 403, NULL, OLD, 0, 0, NULL, NULL, 0 },
    { "", 404, NULL, "Fri, 15 Jan 2027 09:00:00 GMT", 0, 0, "max-age=0", NULL, 1 },

    /* must-understand */
    { "Cache-Control: must-understand, no-store, max-age=9", 200, NULL, NULL, 0, 0, "max-age=9", NULL,
      1 },
    { "Cache-Control: must-understand, max-age=9", 599, NULL, NULL, 0, 0, "no-store, max-age=9", NULL,
      1 },

    /* confirmed by a 304: in seconds, however few */
    { "Expires: Fri, 15 Jan 2027 08:01:00 GMT", 0, NULL, NULL, 0, 1, "max-age=60", NULL, 1 },
    { "Expires: Fri, 15 Jan 2027 07:00:00 GMT", 0, NULL, NULL, 0, 1, "max-age=0", NULL, 1 },
    { "Expires: x", 0, NULL, NULL, 0, 1, "max-age=0", NULL, 1 },
    { "Cache-Control: max-age=9|Expires: x", 0, NULL, NULL, 0, 1, "max-age=9", EXPIRED, 1 },
    { "Cache-Control: max-age=9", 412, NULL, NULL, STORABLE_FORM_CONDITION, 1, "max-age=9", NULL, 1 },
};

static apr_table_t *fields_of(const char *lines, apr_pool_t *pool)
{
    apr_table_t *fields = apr_table_make(pool, 4);
    char *state, *line;

    for (line = apr_strtok(apr_pstrdup(pool, lines), "|", &state); line;
         line = apr_strtok(NULL, "|", &state)) {
        char *colon = strchr(line, ':');

        *colon = '\0';
        apr_table_addn(fields, line, http_exactly(colon + 2, pool));
    }
    return fields;
}

static ttl_rules_t *rules_of(const char *lines, apr_pool_t *pool)
{
    ttl_rules_t *rules = ttl_rules_create(pool);
    char *state, *line;

    for (line = apr_strtok(apr_pstrdup(pool, lines), "|", &state); line;
         line = apr_strtok(NULL, "|", &state)) {
        char *space = strchr(line, ' ');
        const char *problem;

        *space = '\0';
        if (ttl_rules_add(rules, line, space + 1, &problem) != APR_SUCCESS) {
            bail_out("%s", problem);
        }
    }
    return rules;
}

static verdict_t verdict_for(const case_t *one, const apr_array_header_t *targeted, apr_pool_t *pool)
{
    verdict_case_t response;

    memset(&response, 0, sizeof(response));
    response.fields = fields_of(one->fields, pool);
    response.targeted = targeted;
    response.ttl = one->ttl ? rules_of(one->ttl, pool) : NULL;
    response.status = one->status ? one->status : 200;
    response.content_type = "text/html";
    response.last_modified = one->modified;
    response.date = DATE;
    response.form = one->form;
    response.confirmed = one->confirmed;
    response.now = NOW;
    return verdict_of(&response, pool);
}

int main(void)
{
    apr_pool_t *pool = http_pool();
    apr_array_header_t *targeted = apr_array_make(pool, 1, sizeof(const char *));
    int i;

    APR_ARRAY_PUSH(targeted, const char *) = "CDN-Cache-Control";
    for (i = 0; i < HTTP_COUNT(cases); i++) {
        const case_t *one = &cases[i];
        verdict_t verdict = verdict_for(one, targeted, pool);

        is_string(verdict.control, one->control, "%d %s %s", one->status, one->fields,
                  one->ttl ? one->ttl : "");
        is_string(verdict.expires, one->expires, "its Expires");
        is_int(!verdict.problem, one->stored, "and whether it is stored");
    }
    return done_testing();
}
