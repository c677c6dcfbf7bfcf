/* SPDX-License-Identifier: Apache-2.0
 *
 * ttl.c - see ttl.h.
 */
#include "ttl.h"

#include "../../storage/storer.h"

#include <apr_strings.h>
#include <apr_tables.h>

#include <string.h>
#include <strings.h>

/* Less special first. */
typedef enum ttl_kind_e {
    TTL_ANY_SUBTYPE, TTL_TYPE, TTL_CLASS, TTL_STATUS
} ttl_kind_e;

typedef struct ttl_rule_t {
    ttl_kind_e          kind;
    int                 number;  /* the status, or its first digit */
    const char         *type;    /* as far as the star */
    apr_interval_time_t time;
} ttl_rule_t;

struct ttl_rules_t {
    apr_array_header_t *rules;   /* of ttl_rule_t */
};

ttl_rules_t *ttl_rules_create(apr_pool_t *pool)
{
    ttl_rules_t *rules = apr_palloc(pool, sizeof(*rules));

    rules->rules = apr_array_make(pool, 4, sizeof(ttl_rule_t));
    return rules;
}

/* "404" or "4xx" */
static int parse_status(const char *what, ttl_rule_t *rule)
{
    if (what[0] < '1' || what[0] > '5' || strlen(what) != 3) {
        return 0;
    }
    if (strcasecmp(what + 1, "xx") == 0) {
        rule->kind = TTL_CLASS;
        rule->number = what[0] - '0';
        return 1;
    }
    if (what[1] < '0' || what[1] > '9' || what[2] < '0' || what[2] > '9') {
        return 0;
    }
    rule->kind = TTL_STATUS;
    rule->number = (what[0] - '0') * 100 + (what[1] - '0') * 10 + what[2] - '0';
    return 1;
}

/* "text/html" or "image/" and a star */
static int parse_type(const char *what, ttl_rule_t *rule, apr_pool_t *pool)
{
    const char *slash = strchr(what, '/');

    if (!slash || slash == what || !slash[1] || strchr(slash + 1, '/') || strpbrk(what, " \t;,")) {
        return 0;
    }
    rule->kind = strcmp(slash + 1, "*") == 0 ? TTL_ANY_SUBTYPE : TTL_TYPE;
    rule->type = rule->kind == TTL_TYPE
                 ? apr_pstrdup(pool, what)
                 : apr_pstrmemdup(pool, what, (apr_size_t)(slash + 1 - what));
    return !strchr(rule->type, '*');
}

apr_status_t ttl_rules_add(ttl_rules_t *rules, const char *what, const char *time,
                           const char **problem)
{
    apr_pool_t *pool = rules->rules->pool;
    ttl_rule_t rule = { TTL_STATUS, 0, NULL, 0 };

    if (!parse_status(what, &rule) && !parse_type(what, &rule, pool)) {
        *problem = apr_psprintf(pool, "'%s' is neither a status (404, 5xx) nor a content type "
                                "(text/html, image/*)", what);
        return APR_EINVAL;
    }
    if (storer_parse_duration(time, &rule.time) != APR_SUCCESS || rule.time < 0) {
        *problem = apr_psprintf(pool, "'%s' is not a time: a number with ms, s, min, h or d is "
                                "expected, as in 10min", time);
        return APR_EINVAL;
    }
    APR_ARRAY_PUSH(rules->rules, ttl_rule_t) = rule;
    return APR_SUCCESS;
}

static int applies(const ttl_rule_t *rule, int status, const char *type, apr_size_t type_length)
{
    switch (rule->kind) {
    case TTL_STATUS:
        return rule->number == status;
    case TTL_CLASS:
        return rule->number == status / 100;
    case TTL_TYPE:
        return status / 100 == 2 && type_length == strlen(rule->type)
               && strncasecmp(type, rule->type, type_length) == 0;
    case TTL_ANY_SUBTYPE:
    default:
        return status / 100 == 2 && type_length > strlen(rule->type)
               && strncasecmp(type, rule->type, strlen(rule->type)) == 0;
    }
}

apr_interval_time_t ttl_find(const ttl_rules_t *rules, int status, const char *content_type,
                             int *named)
{
    const char *type = content_type ? content_type : "";
    apr_size_t type_length = strcspn(type, " \t;,");
    const ttl_rule_t *best = NULL;
    int i;

    for (i = 0; i < rules->rules->nelts; i++) {
        const ttl_rule_t *rule = &APR_ARRAY_IDX(rules->rules, i, ttl_rule_t);

        if (applies(rule, status, type, type_length) && (!best || rule->kind >= best->kind)) {
            best = rule;
        }
    }
    if (named) {
        *named = best && best->kind == TTL_STATUS;
    }
    return best ? best->time : -1;
}
