/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.c - see settings.h. The options of a storage are checked by the engine itself, which
 * lifecycle.c asks.
 */
#include "settings.h"

#include "values.h"

#include "../config.h"
#include "../http/storable.h"
#include "../http/structured.h"

#include "ap_expr.h"
#include "apr_lib.h"
#include "apr_strings.h"

/* Split key=value; the engine decides which keys there are. */
static const char *parse_option(const directive_use_t *use, const char *text,
                                storer_option_t *options, int *count)
{
    const char *equals = ap_strchr_c(text, '=');
    const char *name;
    int i;

    if (!equals || equals == text) {
        apr_off_t size;

        return apr_psprintf(use->pool, "'%s' is not of the form OPTION=VALUE%s%s", text,
                            storer_parse_size(text, &size) == APR_SUCCESS ? "; write size=" : "",
                            storer_parse_size(text, &size) == APR_SUCCESS ? text : "");
    }
    name = apr_pstrmemdup(use->pool, text, (apr_size_t)(equals - text));
    for (i = 0; i < *count; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return apr_psprintf(use->pool, "'%s' is given twice, the second time as '%s'", name, text);
        }
    }
    options[*count].name = name;
    options[*count].value = apr_pstrdup(use->pool, equals + 1);
    (*count)++;
    return NULL;
}

const char *setting_storage(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    config_storage_t *storage = member;
    storer_option_t *options = apr_pcalloc(use->pool, sizeof(*options) * (apr_size_t)argc);
    int i, count = 0;

    if (ap_strchr_c(argv[0], '=')) {
        return apr_psprintf(use->pool, "'%s' is an option, and the engine before it is missing; write "
                            "\"memory %s\"", argv[0], argv[0]);
    }
    for (i = 1; i < argc; i++) {
        const char *problem = parse_option(use, argv[i], options, &count);

        if (problem) {
            return problem;
        }
    }
    storage->engine = apr_pstrdup(use->pool, argv[0]);
    storage->options = options;
    return NULL;
}

static const char *parse_flag(const directive_use_t *use, const char *text, int *flag)
{
    directive_t on_or_off = *use->directive;
    const directive_use_t with_words = { &on_or_off, use->pool, use->cmd };
    char *const words[] = { apr_pstrdup(use->pool, text) };

    on_or_off.words = value_on_off;
    return value_word(&with_words, 1, words, flag);
}

/* on|off [TIME] */
const char *setting_collapse(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    char *const by_default[] = { apr_pstrdup(use->pool, directive_default_word(use, 1)) };
    apr_interval_time_t time = 0;
    const char *problem;
    int on = 0;

    problem = parse_flag(use, argv[0], &on);
    if (!problem) {
        problem = value_time(use, 1, argc > 1 ? argv + 1 : by_default, &time);
    }
    if (problem) {
        return problem;
    }
    if (time == 0) {
        return "a request that waits 0 s does not wait at all; say off";
    }
    *(apr_interval_time_t *)member = on ? time : 0;
    return NULL;
}

/* on, off, or a time */
const char *setting_grace(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    config_grace_t grace = { CONFIG_GRACE_ON, -1 };
    int on = 1;

    if (parse_flag(use, argv[0], &on) != NULL
        && value_time(use, argc, argv, &grace.fallback) != NULL) {
        return apr_psprintf(use->pool, "'%s' is neither on nor off nor a time, as in 30s", argv[0]);
    }
    grace.mode = on ? CONFIG_GRACE_ON : CONFIG_GRACE_OFF;
    *(config_grace_t *)member = grace;
    return NULL;
}

const char *setting_query(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    const char *problem = NULL;
    const query_rules_t *rules = query_rules_parse(argc, (const char *const *)argv, &problem,
                                                   use->pool);

    if (rules) {
        *(const query_rules_t **)member = rules;
    }
    return rules ? NULL : problem;
}

/* "206" and the like: for what is wrong with the form, see ttl.h. 206 is the status of a part of a
 * response, which is not stored as a response of its own. */
static int is_never_stored(const char *text)
{
    int status;

    if (!apr_isdigit(text[0]) || strlen(text) != 3) {
        return 0;
    }
    status = apr_isdigit(text[1]) ? atoi(text) : (text[0] - '0') * 100;
    return status == HTTP_PARTIAL_CONTENT || storable_by(status) == STORABLE_NEVER;
}

static const char *never_stored(const directive_use_t *use, const char *status)
{
    return apr_psprintf(use->pool, "a response with status '%s' is never stored; remove this line%s",
                        status, strcmp(status, "206") == 0 || strcmp(status, "304") == 0
                                ? ", and name 200 or a content type instead" : "");
}

/* A status or a content type, and a time */
const char *setting_ttl(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    ttl_rules_t **rules = member;
    apr_interval_time_t time = 0;
    const char *problem = NULL;

    if (argc < 2) {
        return apr_psprintf(use->pool, "behind '%s' the time is missing", argv[0]);
    }
    problem = is_never_stored(argv[0]) ? never_stored(use, argv[0])
                                       : value_time(use, 1, argv + 1, &time);
    if (problem) {
        return problem;
    }
    if (!*rules) {
        *rules = ttl_rules_create(use->pool);
    }
    return ttl_rules_add(*rules, argv[0], argv[1], &problem) == APR_SUCCESS ? NULL : problem;
}

/* Several of them: each is a reason of its own. */
const char *setting_bypass(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    apr_array_header_t **expressions = member;
    const char *problem = NULL;
    ap_expr_info_t *expression = ap_expr_parse_cmd(use->cmd, argv[0], AP_EXPR_FLAG_DONT_VARY, &problem,
                                                   NULL);

    (void)argc;
    if (ap_cstr_casecmp(argv[0], "on") == 0 || ap_cstr_casecmp(argv[0], "off") == 0) {
        return apr_psprintf(use->pool, "'%s' is not an expression: a condition is expected, as in "
                            "\"%%{HTTP_COOKIE} =~ /session=/\"; CacheDisable keeps URLs out of the "
                            "cache", argv[0]);
    }
    if (!expression || problem) {
        return apr_psprintf(use->pool, "'%s' is not an expression: %s", argv[0],
                            problem ? problem : "it cannot be parsed");
    }
    if (!*expressions) {
        *expressions = apr_array_make(use->pool, 2, sizeof(ap_expr_info_t *));
    }
    APR_ARRAY_PUSH(*expressions, ap_expr_info_t *) = expression;
    return NULL;
}

/* on|off [NAME] [key] [detail] */
const char *setting_status(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    config_status_t status = { 0, directive_default_word(use, 1), NULL, 0, 0, 0 };
    const char *problem = parse_flag(use, argv[0], &status.on);
    int i;

    if (problem) {
        return problem;
    }
    for (i = 1; i < argc; i++) {
        if (ap_cstr_casecmp(argv[i], "key") == 0) {
            status.key = 1;
        }
        else if (ap_cstr_casecmp(argv[i], "detail") == 0) {
            status.detail = 1;
        }
        else if (i == 1) {
            status.name = structured_token_or_string(argv[i], use->pool);
        }
        else {
            return apr_psprintf(use->pool, "'%s' is neither key nor detail", argv[i]);
        }
    }
    status.hit = apr_pstrcat(use->pool, status.name, "; hit; ttl=", NULL);
    status.hit_length = strlen(status.hit);
    *(config_status_t *)member = status;
    return NULL;
}
