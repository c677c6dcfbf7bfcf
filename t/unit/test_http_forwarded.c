/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_forwarded.c - the client's scheme, as a proxy in front tells it.
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/forwarded.h"
#include "tap.h"

#include <apr_strings.h>

typedef struct case_t {
    const char *https;               /* of the environment */
    const char *name, *value;        /* of a field */
    const char *other, *other_value; /* of a second one */
    const char *want;                /* NULL: it is not known what */
} case_t;

static const case_t cases[] = {
    { NULL, NULL, NULL, NULL, NULL, "untold" },
    { NULL, "Host", "https", NULL, NULL, "untold" },
    { NULL, "X-Forwarded-Proto", "https", NULL, NULL, "https" },
    { NULL, "x-forwarded-proto", "http", NULL, NULL, "http" },
    { NULL, "X-Forwarded-Scheme", "https", NULL, NULL, "https" },
    { NULL, "X-Url-Scheme", "https", NULL, NULL, "https" },
    { NULL, "CloudFront-Forwarded-Proto", "https", NULL, NULL, "https" },
    { NULL, "X-Forwarded-SSL", "on", NULL, NULL, "https" },
    { NULL, "X-Forwarded-SSL", "off", NULL, NULL, "http" },
    { NULL, "Front-End-Https", "On", NULL, NULL, "https" },
    { "on", NULL, NULL, NULL, NULL, "https" },
    { "1", "X-Forwarded-Proto", "https", NULL, NULL, "https" },
    { "off", NULL, NULL, NULL, NULL, "untold" },
    { "", NULL, NULL, NULL, NULL, "untold" },
    { NULL, "X-Forwarded-Proto", "https", "X-Forwarded-SSL", "on", "https" },

    { NULL, "Forwarded", "proto=https", NULL, NULL, "https" },
    { NULL, "Forwarded", "for=192.0.2.1; PROTO=http;by=192.0.2.2", NULL, NULL, "http" },
    { NULL, "Forwarded", "for=192.0.2.1;proto=https, for=192.0.2.2;proto=https", NULL, NULL, "https" },
    { NULL, "Forwarded", "for=192.0.2.1", NULL, NULL, "untold" },
    { NULL, "Forwarded", "", NULL, NULL, "untold" },
    { NULL, "Forwarded", ",;, ;", NULL, NULL, "untold" },

    /* in other words than those that an application compares with */
    { NULL, "X-Forwarded-Proto", "HTTPS", NULL, NULL, NULL },
    { NULL, "X-Forwarded-Proto", "https, http", NULL, NULL, NULL },
    { NULL, "X-Forwarded-Proto", "https,https", NULL, NULL, NULL },
    { NULL, "X-Forwarded-Proto", "ftp", NULL, NULL, NULL },
    { NULL, "X-Forwarded-Proto", "", NULL, NULL, NULL },
    { NULL, "X-Forwarded-SSL", "yes", NULL, NULL, NULL },
    { NULL, "Forwarded", "proto=", NULL, NULL, NULL },
    { NULL, "Forwarded", "proto=\"https\"", NULL, NULL, NULL },
    { NULL, "Forwarded", "proto=https, proto=http", NULL, NULL, NULL },
    { NULL, "X-Forwarded-Proto", "https", "X-Forwarded-SSL", "off", NULL },
    { NULL, "X-Forwarded-Proto", "https", "Forwarded", "proto=http", NULL },
    { "on", "X-Forwarded-Proto", "http", NULL, NULL, NULL },
};

static void test_cases(apr_pool_t *pool)
{
    int i;

    for (i = 0; i < HTTP_COUNT(cases); i++) {
        const case_t *one = &cases[i];
        apr_table_t *fields = apr_table_make(pool, 2);
        const char *scheme = "untold";

        if (one->name) {
            apr_table_setn(fields, one->name, http_exactly(one->value, pool));
        }
        if (one->other) {
            apr_table_setn(fields, one->other, http_exactly(one->other_value, pool));
        }
        if (!forwarded_scheme(one->https, fields, &scheme)) {
            scheme = NULL;
        }
        is_string(scheme, one->want, "%s %s: %s, %s: %s", one->https ? one->https : "-",
                  one->name ? one->name : "-", one->name ? one->value : "-",
                  one->other ? one->other : "-", one->other ? one->other_value : "-");
    }
}

static const char *check_any(void *baton, const char *input, apr_pool_t *pool)
{
    apr_table_t *fields = apr_table_make(pool, 1);
    const char *scheme = "untold";

    (void)baton;
    apr_table_setn(fields, "Forwarded", input);
    (void)forwarded_scheme(NULL, fields, &scheme);
    return NULL;
}

int main(void)
{
    static const char *const seeds[] = {
        "for=192.0.2.1;proto=https, for=192.0.2.2;proto=https", "proto=http", "Proto=\"https\";;,",
    };
    apr_pool_t *pool = http_pool();

    test_cases(pool);
    http_fuzz("any Forwarded", seeds, HTTP_COUNT(seeds), check_any, NULL);
    apr_pool_destroy(pool);
    return done_testing();
}
