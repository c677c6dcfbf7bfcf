/* SPDX-License-Identifier: Apache-2.0
 *
 * control.c - see control.h.
 */
#include "control.h"

#include "structured.h"

#include <apr_strings.h>

#include <string.h>
#include <strings.h>

static const control_t nothing = { -1, -1, -1, -1, -1, -1, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

/* One directive; the texts are not terminated. value NULL: it has none. */
typedef struct directive_t {
    const char *name, *value;
    apr_size_t  name_length, value_length;
} directive_t;

static const char *skip_white_space(const char *text)
{
    return text + strspn(text, " \t");
}

static const char *end_of_quoted(const char *text)
{
    for (text++; *text && *text != '"'; text++) {
        if (*text == '\\' && text[1]) {
            text++;
        }
    }
    return text;
}

/* The next directive of a list (RFC 9110 section 5.6.1); 0: there is none. */
static int next_directive(const char **list, directive_t *directive)
{
    const char *at = *list + strspn(*list, " \t,");

    if (!*at) {
        return 0;
    }
    directive->name = at;
    at += strcspn(at, "= \t,\"");
    directive->name_length = (apr_size_t)(at - directive->name);
    directive->value = NULL;
    directive->value_length = 0;
    if (*at == '=') {
        directive->value = ++at;
        if (*at == '"') {
            directive->value++;
            at = end_of_quoted(at);
            directive->value_length = (apr_size_t)(at - directive->value);
            at += *at == '"';
        }
        else {
            at += strcspn(at, " \t,");
            directive->value_length = (apr_size_t)(at - directive->value);
        }
    }
    else if (*skip_white_space(at) == '=') {
        directive->value = at; /* no white space may be there: a value, but none to be read */
    }
    /* what is left of it is not known to anybody */
    while (*at && *at != ',') {
        at = *at == '"' ? end_of_quoted(at) : at;
        at += *at != '\0';
    }
    *list = skip_white_space(at);
    return 1;
}

static int is_named(const directive_t *directive, const char *name)
{
    return directive->name_length == strlen(name)
           && strncasecmp(directive->name, name, directive->name_length) == 0;
}

/* Digits and nothing else; -1: it is not a number. */
static apr_int64_t seconds_of(const directive_t *directive)
{
    apr_int64_t seconds = 0;
    apr_size_t i;

    for (i = 0; i < directive->value_length; i++) {
        char byte = directive->value[i];

        if (byte < '0' || byte > '9') {
            return -1;
        }
        seconds = seconds * 10 + (byte - '0');
        if (seconds > CONTROL_SECONDS_MAX) {
            seconds = CONTROL_SECONDS_MAX;
        }
    }
    return directive->value_length > 0 ? seconds : -1;
}

static void take_seconds(apr_int64_t *to, apr_int64_t seconds)
{
    if (seconds >= 0 && (*to < 0 || seconds < *to)) {
        *to = seconds;
    }
}

/* The field names in the value of no-cache or private. @return 0: there are none */
static int take_fields(control_t *control, const directive_t *directive, apr_pool_t *pool)
{
    const char *end = directive->value + directive->value_length, *at = directive->value;
    int found = 0;

    while (at < end) {
        const char *begin = at;

        while (at < end && !strchr(" \t,\"", *at)) {
            at++;
        }
        if (at > begin) {
            control->fields = apr_pstrcat(pool, control->fields ? control->fields : "",
                                          control->fields ? ", " : "",
                                          apr_pstrmemdup(pool, begin, (apr_size_t)(at - begin)),
                                          NULL);
            found = 1;
        }
        at++;
    }
    return found;
}

static int take_flag(control_t *control, const directive_t *directive, apr_pool_t *pool)
{
    if (is_named(directive, "no-store")) {
        control->no_store = 1;
    }
    else if (is_named(directive, "must-revalidate")) {
        control->must_revalidate = 1;
    }
    else if (is_named(directive, "proxy-revalidate")) {
        control->proxy_revalidate = 1;
    }
    else if (is_named(directive, "public")) {
        control->is_public = 1;
    }
    else if (is_named(directive, "must-understand")) {
        control->must_understand = 1;
    }
    else if (is_named(directive, "only-if-cached")) {
        control->only_if_cached = 1;
    }
    else if (is_named(directive, "no-cache")) {
        control->no_cache |= !take_fields(control, directive, pool);
    }
    else if (is_named(directive, "private")) {
        control->is_private |= !take_fields(control, directive, pool);
    }
    else {
        return 0;
    }
    return 1;
}

static apr_int64_t *number_named(control_t *control, const directive_t *directive)
{
    if (is_named(directive, "max-age")) {
        return &control->max_age;
    }
    if (is_named(directive, "s-maxage")) {
        return &control->s_maxage;
    }
    if (is_named(directive, "stale-while-revalidate")) {
        return &control->stale_while_revalidate;
    }
    if (is_named(directive, "stale-if-error")) {
        return &control->stale_if_error;
    }
    if (is_named(directive, "min-fresh")) {
        return &control->min_fresh;
    }
    return is_named(directive, "max-stale") ? &control->max_stale : NULL;
}

const char *control_lines(const apr_table_t *headers, const char *name, apr_pool_t *pool)
{
    return apr_table_getm(pool, headers, name);
}

control_t control_of(const apr_table_t *headers, apr_pool_t *pool)
{
    const char *list = control_lines(headers, "Cache-Control", pool);
    control_t control = nothing;
    directive_t directive;

    while (list && next_directive(&list, &directive)) {
        apr_int64_t *number = number_named(&control, &directive);

        if (number == &control.max_stale && !directive.value) {
            take_seconds(number, CONTROL_SECONDS_MAX);
        }
        else if (number) {
            apr_int64_t seconds = seconds_of(&directive);

            take_seconds(number, seconds);
            control.unreadable |= seconds < 0
                                  && (number == &control.max_age || number == &control.s_maxage);
        }
        else {
            (void)take_flag(&control, &directive, pool);
        }
    }
    return control;
}

/* A number must be an Integer, or the field is not what it should be: 0. Any other directive counts
 * unless it is false. */
static int take_member(control_t *control, const structured_member_t *member, apr_pool_t *pool)
{
    directive_t directive = { member->key, NULL, strlen(member->key), 0 };
    apr_int64_t *number = number_named(control, &directive);

    if (number) {
        if (member->type != STRUCTURED_INTEGER || member->integer < 0) {
            return 0;
        }
        *number = member->integer < CONTROL_SECONDS_MAX ? member->integer : CONTROL_SECONDS_MAX;
    }
    else if (member->type != STRUCTURED_BOOLEAN || member->integer) {
        if (member->type == STRUCTURED_STRING) {
            directive.value = member->text;
            directive.value_length = strlen(member->text);
        }
        (void)take_flag(control, &directive, pool);
    }
    return 1;
}

static int take_members(control_t *control, const apr_array_header_t *members, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < members->nelts; i++) {
        if (!take_member(control, &APR_ARRAY_IDX(members, i, structured_member_t), pool)) {
            return 0;
        }
    }
    return 1;
}

int control_of_targeted(const apr_table_t *headers, const apr_array_header_t *fields,
                        control_t *control, apr_pool_t *pool)
{
    apr_array_header_t *members;
    int i;

    for (i = 0; i < fields->nelts; i++) {
        const char *text = control_lines(headers, APR_ARRAY_IDX(fields, i, const char *), pool);
        control_t found = nothing;

        /* an empty one is not valid either: section 2.2 */
        if (text && structured_dictionary(text, &members, pool) == APR_SUCCESS
            && members->nelts > 0 && take_members(&found, members, pool)) {
            *control = found;
            return 1;
        }
    }
    return 0;
}

static void add(apr_array_header_t *words, int present, const char *word)
{
    if (present) {
        APR_ARRAY_PUSH(words, const char *) = word;
    }
}

static void add_seconds(apr_array_header_t *words, const char *name, apr_int64_t seconds)
{
    if (seconds >= 0) {
        APR_ARRAY_PUSH(words, const char *) =
            apr_psprintf(words->pool, "%s=%" APR_INT64_T_FMT, name, seconds);
    }
}

const char *control_text(const control_t *control, apr_pool_t *pool)
{
    apr_array_header_t *words = apr_array_make(pool, 8, sizeof(const char *));
    apr_array_header_t *joined;
    int i;

    add(words, control->no_store, "no-store");
    add(words, control->no_cache, "no-cache");
    add(words, control->is_private, "private");
    if (control->fields) {
        add(words, 1, apr_pstrcat(pool, "no-cache=\"", control->fields, "\"", NULL));
    }
    add(words, control->is_public, "public");
    add(words, control->must_revalidate, "must-revalidate");
    add(words, control->proxy_revalidate, "proxy-revalidate");
    add_seconds(words, "max-age", control->max_age);
    add_seconds(words, "s-maxage", control->s_maxage);
    joined = apr_array_make(pool, 2 * words->nelts + 1, sizeof(const char *));
    for (i = 0; i < words->nelts; i++) {
        add(joined, i > 0, ", ");
        add(joined, 1, APR_ARRAY_IDX(words, i, const char *));
    }
    return apr_array_pstrcat(pool, joined, 0);
}
