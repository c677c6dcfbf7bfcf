/* SPDX-License-Identifier: Apache-2.0
 *
 * query.c - see query.h.
 */
#include "query.h"

#include <apr_fnmatch.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include <stdlib.h>
#include <string.h>

struct query_rules_t {
    int                       sorted;
    int                       nothing;  /* nothing of it is kept */
    int                       keeps;    /* the globs name what is kept, not what is dropped */
    const apr_array_header_t *globs;    /* of const char *; NULL: none */
};

typedef struct parameter_t {
    char      *text;
    apr_size_t name_length;
    int        index;     /* qsort is not stable */
} parameter_t;

static const apr_array_header_t *split_globs(const char *list, apr_pool_t *pool)
{
    apr_array_header_t *globs = apr_array_make(pool, 4, sizeof(const char *));

    while (*list) {
        apr_size_t length = strcspn(list, ",");

        if (length > 0) {
            APR_ARRAY_PUSH(globs, const char *) = apr_pstrmemdup(pool, list, length);
        }
        list += length + (list[length] == ',');
    }
    return globs;
}

static const char *parse_word(query_rules_t *rules, const char *word, apr_pool_t *pool)
{
    int keeps = strncmp(word, "keep=", 5) == 0;

    if (strcmp(word, "sort") == 0) {
        rules->sorted = 1;
        return NULL;
    }
    if (strcmp(word, "none") == 0) {
        rules->nothing = 1;
        return NULL;
    }
    if (!keeps && strncmp(word, "drop=", 5) != 0) {
        return apr_psprintf(pool, "'%s' is none of sort, drop=..., keep=... and none", word);
    }
    if (rules->globs) {
        return apr_psprintf(pool, "'%s': there is a list of parameters already", word);
    }
    rules->keeps = keeps;
    rules->globs = split_globs(word + 5, pool);
    return rules->globs->nelts > 0 ? NULL
                                   : apr_psprintf(pool, "'%s' names no parameter", word);
}

const query_rules_t *query_rules_parse(int count, const char *const *words, const char **problem,
                                       apr_pool_t *pool)
{
    query_rules_t *rules = apr_pcalloc(pool, sizeof(*rules));
    int i;

    for (i = 0; i < count; i++) {
        *problem = parse_word(rules, words[i], pool);
        if (*problem) {
            return NULL;
        }
    }
    if (count < 1) {
        *problem = "sort, drop=..., keep=... or none is missing";
        return NULL;
    }
    if (rules->nothing && count > 1) {
        *problem = "'none' goes with nothing else";
        return NULL;
    }
    return rules;
}

static int is_kept(const query_rules_t *rules, const parameter_t *parameter)
{
    char *end = parameter->text + parameter->name_length, ended_by = *end;
    int i, found = 0;

    if (!rules->globs) {
        return 1;
    }
    *end = '\0';
    for (i = 0; i < rules->globs->nelts && !found; i++) {
        found = apr_fnmatch(APR_ARRAY_IDX(rules->globs, i, const char *), parameter->text, 0)
                == APR_SUCCESS;
    }
    *end = ended_by;
    return found == rules->keeps;
}

static int compare(const void *left, const void *right)
{
    const parameter_t *a = left, *b = right;
    apr_size_t shorter = a->name_length < b->name_length ? a->name_length : b->name_length;
    int order = memcmp(a->text, b->text, shorter);

    if (order == 0) {
        order = (a->name_length > b->name_length) - (a->name_length < b->name_length);
    }
    return order ? order : a->index - b->index;
}

/* Those that are kept, of a copy of the query that is cut into pieces. */
static apr_array_header_t *collect(const query_rules_t *rules, char *query, apr_pool_t *pool)
{
    apr_array_header_t *kept = apr_array_make(pool, 16, sizeof(parameter_t));

    while (*query) {
        apr_size_t length = strcspn(query, "&");
        char *next = query + length + (query[length] == '&');
        parameter_t parameter = { query, 0, kept->nelts };

        query[length] = '\0';
        parameter.name_length = strcspn(query, "=");
        if (length > 0 && is_kept(rules, &parameter)) {
            APR_ARRAY_PUSH(kept, parameter_t) = parameter;
        }
        query = next;
    }
    return kept;
}

const char *query_normal_form(const query_rules_t *rules, const char *query, apr_pool_t *pool)
{
    apr_size_t length = strlen(query);
    apr_array_header_t *kept;
    char *result, *to;
    int i;

    if (rules->nothing) {
        return "";
    }
    kept = collect(rules, apr_pstrmemdup(pool, query, length), pool);
    if (rules->sorted) {
        qsort(kept->elts, (size_t)kept->nelts, sizeof(parameter_t), compare);
    }
    result = to = apr_palloc(pool, length + 1);
    for (i = 0; i < kept->nelts; i++) {
        const char *text = APR_ARRAY_IDX(kept, i, parameter_t).text;
        apr_size_t text_length = strlen(text);

        if (i > 0) {
            *to++ = '&';
        }
        memcpy(to, text, text_length);
        to += text_length;
    }
    *to = '\0';
    return result;
}
