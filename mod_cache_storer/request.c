/* SPDX-License-Identifier: Apache-2.0
 *
 * request.c - builds keys and answers the questions of an election; see request.h.
 */
#include "request.h"

#include "state.h"

#include "http/accept.h"
#include "http/key.h"

#include "apr_lib.h"
#include "apr_strings.h"

#include <stdlib.h>
#include <string.h>

static int name_matches(const char *candidate, storer_bytes_t name)
{
    /* the first letter tells most names apart without a call */
    return (candidate[0] | 0x20) == (name.data[0] | 0x20)
           && ap_cstr_casecmpn(candidate, name.data, name.len) == 0 && candidate[name.len] == '\0';
}

static int is_named(storer_bytes_t name, const char *other)
{
    return name_matches(other, name);
}

/* A response is selected by the fields that the client sent (RFC 9111 section 4.1). By the time it
 * comes, "RequestHeader set" and the like have changed them for the origin. */
static const apr_table_t *fields_of(const request_rec *r)
{
    const state_t *state = state_find(r);

    return state && state->asked ? state->asked : r->headers_in;
}

/* All lines of a request header, joined with ", " (RFC 9110 section 5.3). */
static const char *header_lines(request_rec *r, storer_bytes_t name)
{
    const apr_array_header_t *array = apr_table_elts(fields_of(r));
    const apr_table_entry_t *entries = (const apr_table_entry_t *)array->elts;
    const char *value = NULL;
    int i;

    if (name.len == 0) {
        return NULL;
    }
    for (i = 0; i < array->nelts; i++) {
        if (name_matches(entries[i].key, name)) {
            value = value ? apr_pstrcat(r->pool, value, ", ", entries[i].val, NULL)
                          : entries[i].val;
        }
    }
    if (!value && is_named(name, "Authorization")) {
        const state_t *state = state_find(r);

        /* hidden from mod_cache, not from us; and it restores the request as it has seen it */
        value = state ? state->mask.authorization : NULL;
    }
    return value;
}

static unsigned codings_of(request_look_t *look)
{
    static const storer_bytes_t name = { "accept-encoding", sizeof("accept-encoding") - 1 };

    if (!look->codings_known) {
        look->codings = accept_codings(header_lines(look->r, name));
        look->codings_known = 1;
    }
    return look->codings;
}

/* A header in the form in which it is compared; data NULL: the request has none, and folding does
 * not make one of it. Accept-Encoding is compared by answer_match(), if it is folded. */
static storer_bytes_t folded_value(request_look_t *look, storer_bytes_t name)
{
    const char *lines = header_lines(look->r, name);
    apr_pool_t *pool = look->r->pool;
    storer_bytes_t none = { NULL, 0 };

    if (config_normalizes(look->config, name)) {
        if (lines && is_named(name, "User-Agent")) {
            return storer_bytes(accept_agent_class(lines));
        }
        if (lines && is_named(name, "Accept-Language")) {
            return key_escape(storer_bytes(accept_languages(lines, pool)), pool);
        }
    }
    if (lines && !accept_is_list(name.data, name.len)) {
        return key_escape(storer_bytes(lines), pool);
    }
    return lines ? key_escape(storer_bytes(accept_list(lines, pool)), pool) : none;
}

static int is_folded_coding(const request_look_t *look, storer_bytes_t name)
{
    return is_named(name, "Accept-Encoding") && config_normalizes(look->config, name);
}

static void note_question(request_look_t *look, storer_bytes_t name, storer_bytes_t value)
{
    apr_pool_t *pool = look->r->pool;
    storer_header_t *question;
    int i;

    for (i = 0; i < look->asked->nelts; i++) {
        if (storer_bytes_equal(APR_ARRAY_IDX(look->asked, i, storer_header_t).name, name)) {
            return;
        }
    }
    question = apr_array_push(look->asked);
    question->name.data = apr_pmemdup(pool, name.data, name.len);
    question->name.len = name.len;
    question->value = is_folded_coding(look, name)
                      ? storer_bytes(accept_codings_name(codings_of(look))) : value;
}

static storer_bytes_t answer_header(void *baton, storer_bytes_t name)
{
    request_look_t *look = baton;
    storer_bytes_t value = folded_value(look, name);

    if (look->asked) {
        note_question(look, name, value);
    }
    return value;
}

static int is_folded_language(const request_look_t *look, storer_bytes_t name)
{
    return is_named(name, "Accept-Language") && config_normalizes(look->config, name);
}

static int language_fits(request_look_t *look, storer_bytes_t name, storer_bytes_t own,
                         storer_bytes_t stored)
{
    const char *lines = stored.len > 0 && stored.data[0] == '{' && own.data
                        ? header_lines(look->r, name) : NULL;

    return lines && accept_language_fits(stored.data, stored.len, own.data, own.len,
                                         accept_language_preferred(lines, look->r->pool));
}

static int answer_match(void *baton, storer_bytes_t name, storer_bytes_t stored)
{
    request_look_t *look = baton;
    storer_bytes_t own = answer_header(look, name);

    if (is_folded_language(look, name) && language_fits(look, name, own, stored)) {
        return 1;
    }

    if (is_folded_coding(look, name)
        && accept_coding_fits(stored.data, stored.len, codings_of(look))) {
        return 1;
    }
    return storer_bytes_equal(own, stored);
}

storer_request_t request_of(request_look_t *look, request_rec *r, const config_server_t *config)
{
    storer_request_t request;

    look->r = r;
    look->config = config;
    look->asked = NULL;
    look->codings_known = 0;
    request.header = answer_header;
    request.matches = answer_match;
    request.baton = look;
    return request;
}

/* The election is held once more, and asks for just the headers on which the variants differ. */
storer_bytes_t request_flight_key(const config_server_t *config, storer_t *store,
                                  storer_bytes_t base_key, request_rec *r)
{
    storer_view_t fresh = STORER_VIEW_EMPTY, stale = STORER_VIEW_EMPTY;
    apr_array_header_t *parts;
    request_look_t look;
    storer_request_t request = request_of(&look, r, config);
    int i;

    look.asked = apr_array_make(r->pool, 4, sizeof(storer_header_t));
    (void)storer_get_multi_level(store, base_key, &request, NULL, r->request_time, &fresh, &stale,
                                 r->pool); /* whatever it finds: only the questions count */
    storer_view_release(&fresh);
    storer_view_release(&stale);
    if (look.asked->nelts == 0) {
        return base_key;
    }
    parts = apr_array_make(r->pool, 8, sizeof(const char *));
    APR_ARRAY_PUSH(parts, const char *) = apr_pstrmemdup(r->pool, base_key.data, base_key.len);
    for (i = 0; i < look.asked->nelts; i++) {
        const storer_header_t *question = &APR_ARRAY_IDX(look.asked, i, storer_header_t);

        APR_ARRAY_PUSH(parts, const char *) = apr_psprintf(
            r->pool, "%.*s:%.*s", (int)question->name.len, question->name.data,
            (int)question->value.len, question->value.data ? question->value.data : "");
    }
    return storer_bytes(apr_array_pstrcat(r->pool, parts, '\n'));
}

/* The next member of a comma-separated list, without white space around it; length 0: an empty one.
 * Returns 0 at the end. */
static int next_token(const char **list, storer_bytes_t *token)
{
    const char *begin = *list, *end;

    if (!*begin) {
        return 0;
    }
    while (*begin == ' ' || *begin == '\t') {
        begin++;
    }
    end = begin + strcspn(begin, ",");
    *list = *end ? end + 1 : end;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    token->data = begin;
    token->len = (apr_size_t)(end - begin);
    return 1;
}

/* Returns 0 to stop. */
typedef int vary_name_fn(void *baton, storer_bytes_t name);

/* Calls back for each name in Vary, all lines. Returns 0 if it was stopped. */
static int each_vary_name(const apr_table_t *headers, vary_name_fn *found, void *baton)
{
    const apr_array_header_t *array = apr_table_elts(headers);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)array->elts;
    int i;

    for (i = 0; i < array->nelts; i++) {
        const char *list = entries[i].val;
        storer_bytes_t name;

        if (ap_cstr_casecmp(entries[i].key, "Vary") != 0) {
            continue;
        }
        while (next_token(&list, &name)) {
            if (name.len > 0 && !found(baton, name)) {
                return 0;
            }
        }
    }
    return 1;
}

static int is_not_star(void *baton, storer_bytes_t name)
{
    (void)baton;
    return !(name.len == 1 && name.data[0] == '*');
}

static int is_not_named(void *baton, storer_bytes_t name)
{
    return !is_named(name, baton);
}

int request_varies_on(const apr_table_t *headers, const char *name)
{
    return !each_vary_name(headers, is_not_named, (void *)name);
}

int request_varies_on_all(const apr_table_t *headers)
{
    return !each_vary_name(headers, is_not_star, NULL);
}

/* The fields that mod_cache changes in the request when it revalidates. */
static int is_condition(storer_bytes_t name)
{
    return (name.len > 3 && ap_cstr_casecmpn(name.data, "if-", 3) == 0)
           || (name.len == 5 && ap_cstr_casecmpn(name.data, "range", 5) == 0);
}

typedef struct name_list_t {
    apr_array_header_t *headers; /* of storer_header_t; names in lower case */
    apr_pool_t         *pool;
    int                 modified;
    const char         *problem;
} name_list_t;

/* RFC 9110 section 5.6.2. Nothing else can be the name of a request header. */
static int is_token(storer_bytes_t name)
{
    apr_size_t i;

    for (i = 0; i < name.len; i++) {
        char byte = name.data[i];

        if (!apr_isalnum(byte) && !(byte && strchr("!#$%&'*+-.^_`|~", byte))) {
            return 0;
        }
    }
    return 1;
}

static int collect_name(void *baton, storer_bytes_t name)
{
    name_list_t *list = baton;
    storer_header_t *header;
    char *lower;

    if (!is_not_star(NULL, name)) {
        list->problem = "Vary contains *";
        return 0;
    }
    if (!is_token(name)) {
        list->problem = "Vary contains something that is not a field name";
        return 0;
    }
    if (list->modified && is_condition(name)) {
        list->problem = "Vary names a condition, which a revalidation replaces";
        return 0;
    }
    lower = apr_pstrmemdup(list->pool, name.data, name.len);
    ap_str_tolower(lower);
    header = apr_array_push(list->headers);
    header->name.data = lower;
    header->name.len = name.len;
    return 1;
}

static int compare_names(const void *left, const void *right)
{
    const storer_header_t *a = left, *b = right;

    return strcmp(a->name.data, b->name.data); /* copied with a NUL by collect_name() */
}

/* Sort, and keep one of each name. Returns how many there are. */
static int order_names(storer_header_t *headers, int count)
{
    int i, kept = 0;

    if (count > 1) {
        qsort(headers, (apr_size_t)count, sizeof(*headers), compare_names);
    }
    for (i = 0; i < count; i++) {
        if (kept == 0 || compare_names(&headers[kept - 1], &headers[i]) != 0) {
            headers[kept++] = headers[i];
        }
    }
    return kept;
}

/* Under which coding a response is stored, and for which requests: see request.h. An unknown coding
 * is none that a client could be known to accept: then the request's own words count. */
static void fold_coding(request_look_t *look, const apr_table_t *headers, storer_header_t *in_key,
                        storer_header_t *in_mapping)
{
    accept_coding_e coding = accept_coding_of(apr_table_get(headers, "Content-Encoding"));

    if (coding == ACCEPT_CODING_OTHER) {
        return;
    }
    in_mapping->value = storer_bytes(accept_coding_remembered(coding, codings_of(look),
                                                              look->r->pool));
    in_key->value = storer_bytes(accept_coding_name(coding));
}

/* For which requests a response in one language is stored. Its key is that of the request's languages:
 * requests that want several languages alike get one of them by the origin's choice. */
static void remember_language(const request_look_t *look, const apr_table_t *headers,
                              storer_header_t *in_mapping)
{
    const char *remembered;

    remembered = accept_language_remembered(apr_table_get(headers, "Content-Language"),
                                            apr_pstrmemdup(look->r->pool, in_mapping->value.data,
                                                           in_mapping->value.len),
                                            look->r->pool);
    if (remembered) {
        in_mapping->value = storer_bytes(remembered);
    }
}

/* The values: in the mapping those that an election compares, in the key those that tell two variants
 * apart. */
static void fill_values(request_look_t *look, const apr_table_t *headers, storer_header_t *in_key,
                        storer_header_t *in_mapping, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        in_mapping[i].value = folded_value(look, in_mapping[i].name);
        if (!in_mapping[i].value.data) {
            in_mapping[i].value = storer_bytes("");
        }
        in_key[i] = in_mapping[i];
        if (is_folded_coding(look, in_mapping[i].name)) {
            fold_coding(look, headers, &in_key[i], &in_mapping[i]);
        }
        else if (is_folded_language(look, in_mapping[i].name)) {
            remember_language(look, headers, &in_mapping[i]);
        }
    }
}

const char *request_variant(const config_server_t *config, request_rec *r, storer_bytes_t base_key,
                            const apr_table_t *headers, int modified, request_variant_t *variant)
{
    request_look_t look;
    name_list_t list;
    storer_header_t *names, *in_key;
    storer_bytes_t key = base_key;
    int count;

    list.headers = apr_array_make(r->pool, 4, sizeof(storer_header_t));
    list.pool = r->pool;
    list.modified = modified;
    list.problem = NULL;
    if (!each_vary_name(headers, collect_name, &list)) {
        return list.problem;
    }
    names = (storer_header_t *)list.headers->elts;
    count = order_names(names, list.headers->nelts);
    if (count > 0) {
        (void)request_of(&look, r, config);
        in_key = apr_palloc(r->pool, (apr_size_t)count * sizeof(*in_key));
        fill_values(&look, headers, in_key, names, count);
        if (key_of_variant(base_key, in_key, count, &key, r->pool) != APR_SUCCESS) {
            return "the request header fields named by Vary are too long for a key";
        }
    }
    variant->key = key;
    variant->headers = names;
    variant->count = count;
    return NULL;
}
