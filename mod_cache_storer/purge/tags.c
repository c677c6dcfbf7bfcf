/* SPDX-License-Identifier: Apache-2.0
 *
 * tags.c - see tags.h.
 */
#include "tags.h"

#include "apr_hash.h"
#include "apr_strings.h"

#include <string.h>

#define SEPARATORS " \t,"

int tags_next(const char **cursor, storer_bytes_t *tag)
{
    tag->data = *cursor + strspn(*cursor, SEPARATORS);
    tag->len = strcspn(tag->data, SEPARATORS);
    *cursor = tag->data + tag->len;
    return tag->len > 0;
}

typedef struct found_t {
    apr_hash_t         *known;
    apr_array_header_t *tags;   /* of const char * */
    apr_pool_t         *pool;
} found_t;

static int add_line(void *baton, const char *name, const char *value)
{
    found_t *found = baton;
    storer_bytes_t tag;

    (void)name;
    while (tags_next(&value, &tag)) {
        if (!apr_hash_get(found->known, tag.data, (apr_ssize_t)tag.len)) {
            apr_hash_set(found->known, tag.data, (apr_ssize_t)tag.len, tag.data);
            APR_ARRAY_PUSH(found->tags, const char *) = apr_pstrmemdup(found->pool, tag.data,
                                                                       tag.len);
        }
    }
    return 1;
}

const char *tags_take(apr_table_t *headers, const apr_array_header_t *fields, apr_pool_t *pool)
{
    found_t found = { NULL, NULL, pool };
    int i;

    for (i = 0; i < fields->nelts; i++) {
        const char *field = APR_ARRAY_IDX(fields, i, const char *);

        if (!apr_table_get(headers, field)) {
            continue;
        }
        if (!found.tags) {
            found.known = apr_hash_make(pool);
            found.tags = apr_array_make(pool, 8, sizeof(const char *));
        }
        (void)apr_table_do(add_line, &found, headers, field, NULL);
        apr_table_unset(headers, field);
    }
    return found.tags && found.tags->nelts > 0 ? apr_array_pstrcat(pool, found.tags, ' ') : NULL;
}
