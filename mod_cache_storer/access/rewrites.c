/* SPDX-License-Identifier: Apache-2.0
 *
 * rewrites.c - see rewrites.h.
 */
#include "rewrites.h"

#include "http_config.h"
#include "apr_strings.h"

#include <string.h>

access_rewrites_t access_rewrites_merge(const access_rewrites_t *base, const access_rewrites_t *add,
                                        apr_pool_t *pool)
{
    access_rewrites_t merged = *add;

    if (!merged.patterns) {
        merged.patterns = base->patterns;
    }
    else if (base->patterns) {
        merged.patterns = apr_array_append(pool, base->patterns, add->patterns);
    }
    merged.asks = 0;
    return merged;
}

/* A rule of a directory is matched against what follows the directory in the path, which may be
 * any part behind a slash. */
static int matches_path(const ap_regex_t *pattern, const char *path)
{
    const char *rest = path;

    while (rest && ap_regexec(pattern, rest, 0, NULL, 0) != 0) {
        rest = strchr(rest, '/');
        rest = rest ? rest + 1 : NULL;
    }
    return rest != NULL;
}

int access_rewrites_match(const access_rewrites_t *rewrites, const request_rec *r)
{
    int i;

    for (i = 0; rewrites->patterns && i < rewrites->patterns->nelts; i++) {
        const ap_regex_t *pattern = APR_ARRAY_IDX(rewrites->patterns, i, const ap_regex_t *);

        /* r->uri is what an earlier rule, or mod_dir, has made of the path */
        if (!pattern || !r->uri || matches_path(pattern, r->uri)
            || (r->parsed_uri.path && matches_path(pattern, r->parsed_uri.path))) {
            return 1;
        }
    }
    return 0;
}

/* Variables of mod_rewrite, and words of its expressions, that tell one client from another. */
static int asks_client(const char *text)
{
    static const char *const names[] = { "REMOTE_", "SSL:", "SSL_CLIENT", "HTTP:Authorization", "-R " };
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ap_strcasestr(text, names[i])) {
            return 1;
        }
    }
    return 0;
}

void access_rewrites_see_condition(access_rewrites_t *rewrites, const char *arguments,
                                   apr_pool_t *pool)
{
    const char *text = ap_getword_conf(pool, &arguments);

    if (strcasecmp(text, "expr") == 0) {
        text = arguments;
    }
    if (asks_client(text)) {
        rewrites->asks = 1;
    }
}

void access_rewrites_see_rule(access_rewrites_t *rewrites, const char *arguments, apr_pool_t *pool)
{
    const char *text = ap_getword_conf(pool, &arguments);

    if (rewrites->asks) {
        if (!rewrites->patterns) {
            rewrites->patterns = apr_array_make(pool, 2, sizeof(ap_regex_t *));
        }
        /* without regard to case, which matches more than the rule does if it has no flag NC */
        APR_ARRAY_PUSH(rewrites->patterns, ap_regex_t *) =
            *text == '!' ? NULL : ap_pregcomp(pool, text, AP_REG_EXTENDED | AP_REG_ICASE);
    }
    rewrites->asks = 0;
}
