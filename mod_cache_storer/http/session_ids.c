/* SPDX-License-Identifier: Apache-2.0
 *
 * session_ids.c - see session_ids.h.
 */
#include "session_ids.h"

#include <apr_strings.h>

#include <string.h>

static int is_named(const char *text, const char *name, apr_size_t length)
{
    return strncmp(text, name, length) == 0 && text[length] == '=';
}

static int cut_from_path(const char *name, const char **path, apr_pool_t *pool)
{
    const char *parameter = strrchr(*path, ';');

    if (!parameter || !is_named(parameter + 1, name, strlen(name)) || strchr(parameter, '/')) {
        return 0;
    }
    *path = apr_pstrmemdup(pool, *path, (apr_size_t)(parameter - *path));
    return 1;
}

static void cut_from_query(const char *name, const char **query, apr_pool_t *pool)
{
    const char *begin = *query, *end;
    apr_size_t length = strlen(name), before;

    while (!is_named(begin, name, length)) {
        begin = strchr(begin, '&');
        if (!begin) {
            return;
        }
        begin++;
    }
    end = strchr(begin, '&');
    before = (apr_size_t)(begin - *query);
    if (!end && before > 0) {
        before--; /* the "&" before the last one */
    }
    *query = apr_pstrcat(pool, apr_pstrmemdup(pool, *query, before), end ? end + 1 : "", NULL);
}

void session_ids_cut(const apr_array_header_t *names, const char **path, const char **query,
                     apr_pool_t *pool)
{
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (!cut_from_path(name, path, pool) && *query) {
            cut_from_query(name, query, pool);
        }
    }
}
