/* SPDX-License-Identifier: Apache-2.0
 *
 * pattern.c - PCRE2 with limits: one pattern language for every engine.
 */
#include "storer_private.h"

#include <apr_strings.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Steps of one match: a sane pattern needs a few hundred on a key, and a hostile one is stopped
 * after about a millisecond. The JIT compiler is not used, since it counts steps in a way of its
 * own. */
#define MATCH_LIMIT  100000
#define HEAP_LIMIT_K 1024
#define PATTERN_MAX  4096

struct storer_pattern_t {
    pcre2_code          *code;
    pcre2_match_data    *match;
    pcre2_match_context *context;
};

static apr_status_t release(void *data)
{
    storer_pattern_t *pattern = data;

    pcre2_match_context_free(pattern->context);
    pcre2_match_data_free(pattern->match);
    pcre2_code_free(pattern->code);
    return APR_SUCCESS;
}

apr_status_t storer_pattern_compile(storer_pattern_t **out, storer_bytes_t pattern,
                                    const char **errmsg, apr_pool_t *pool)
{
    storer_pattern_t *compiled = apr_pcalloc(pool, sizeof(*compiled));
    PCRE2_UCHAR text[128];
    PCRE2_SIZE offset;
    int error;

    if (pattern.len > PATTERN_MAX) {
        *errmsg = apr_psprintf(pool, "the pattern is longer than %d bytes", PATTERN_MAX);
        return APR_EINVAL;
    }
    compiled->code = pcre2_compile((PCRE2_SPTR)(pattern.data ? pattern.data : ""), pattern.len,
                                   PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &offset,
                                   NULL);
    if (!compiled->code) {
        pcre2_get_error_message(error, text, sizeof(text));
        *errmsg = apr_psprintf(pool, "%s at offset %lu", (const char *)text,
                               (unsigned long)offset);
        return APR_EINVAL;
    }
    compiled->match = pcre2_match_data_create_from_pattern(compiled->code, NULL);
    compiled->context = pcre2_match_context_create(NULL);
    apr_pool_cleanup_register(pool, compiled, release, apr_pool_cleanup_null);
    if (!compiled->match || !compiled->context) {
        *errmsg = "out of memory";
        return APR_ENOMEM;
    }
    pcre2_set_match_limit(compiled->context, MATCH_LIMIT);
    pcre2_set_depth_limit(compiled->context, MATCH_LIMIT);
    pcre2_set_heap_limit(compiled->context, HEAP_LIMIT_K);
    *out = compiled;
    return APR_SUCCESS;
}

apr_status_t storer_pattern_match(storer_pattern_t *pattern, storer_bytes_t subject)
{
    int rc = pcre2_match(pattern->code, (PCRE2_SPTR)(subject.data ? subject.data : ""),
                         subject.len, 0, 0, pattern->match, pattern->context);

    if (rc >= 0) {
        return APR_SUCCESS;
    }
    switch (rc) {
    case PCRE2_ERROR_NOMATCH:
        return APR_NOTFOUND;
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
        return APR_TIMEUP;
    default:
        return APR_EGENERAL;
    }
}
