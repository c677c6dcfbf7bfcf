/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_session_ids.c - URLs without the identifiers of sessions, as mod_cache's key has them.
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/session_ids.h"
#include "tap.h"

#include <apr_strings.h>

typedef struct case_t {
    const char *names, *path, *query, *want_path, *want_query;
} case_t;

static const case_t cases[] = {
    { "sid", "/a", NULL, "/a", NULL },
    { "sid", "/a", "", "/a", "" },
    { "sid", "/a;sid=1", NULL, "/a", NULL },
    { "sid", "/a;sid=1", "sid=2", "/a", "sid=2" },   /* in one place or the other */
    { "sid", "/a;sid=1/b", "x", "/a;sid=1/b", "x" }, /* not in the last segment */
    { "sid", "/a;sid", "x", "/a;sid", "x" },
    { "sid", "/a;sid2=1", "x", "/a;sid2=1", "x" },
    { "sid", "/a;v=2;sid=1", "x", "/a;v=2", "x" },
    { "sid", "/a;sid=1;v=2", "x", "/a;sid=1;v=2", "x" },
    { "sid", "/a", "sid=1", "/a", "" },
    { "sid", "/a", "sid=1&b=2", "/a", "b=2" },
    { "sid", "/a", "b=2&sid=1", "/a", "b=2" },
    { "sid", "/a", "b=2&sid=1&c=3", "/a", "b=2&c=3" },
    { "sid", "/a", "xsid=1&b", "/a", "xsid=1&b" },
    { "sid", "/a", "b=sid=1", "/a", "b=sid=1" },
    { "sid", "/a", "&sid=1", "/a", "" },
    { "sid", "/a", "sid=", "/a", "" },
    { "sid tok", "/a", "tok=1&sid=2&c", "/a", "c" },
    { "sid tok", "/a;tok=1", "sid=2", "/a", "" },
};

int main(void)
{
    apr_pool_t *pool = http_pool();
    int i;

    for (i = 0; i < HTTP_COUNT(cases); i++) {
        apr_array_header_t *names = apr_array_make(pool, 2, sizeof(const char *));
        const char *path = http_exactly(cases[i].path, pool);
        const char *query = cases[i].query ? http_exactly(cases[i].query, pool) : NULL;
        char *state = NULL, *name;

        for (name = apr_strtok(apr_pstrdup(pool, cases[i].names), " ", &state); name;
             name = apr_strtok(NULL, " ", &state)) {
            APR_ARRAY_PUSH(names, const char *) = name;
        }
        session_ids_cut(names, &path, &query, pool);
        is_string(path, cases[i].want_path, "path of %s?%s", cases[i].path,
                  cases[i].query ? cases[i].query : "");
        is_string(query, cases[i].want_query, "its query");
    }
    apr_pool_destroy(pool);
    return done_testing();
}
