/* SPDX-License-Identifier: Apache-2.0
 *
 * vectors_validator.c - vectors of etag and parse_request: conditions, from requests and against
 * tags.
 */
#include "tap.h"
#include "vectors.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include <string.h>

/* ---- requests ---- */

typedef struct fields_t {
    apr_table_t *table;
    apr_pool_t  *pool;
} fields_t;

/* All lines of a field, as RFC 9110 section 5.3 joins them. */
static storer_bytes_t find_field(void *baton, storer_bytes_t name)
{
    const fields_t *fields = baton;
    const apr_array_header_t *array = apr_table_elts(fields->table);
    const apr_table_entry_t *entry = (const apr_table_entry_t *)array->elts;
    storer_bytes_t none = { NULL, 0 };
    const char *joined = NULL;
    int i;

    for (i = 0; i < array->nelts; i++) {
        if (strlen(entry[i].key) == name.len && strncasecmp(entry[i].key, name.data, name.len) == 0) {
            joined = joined ? apr_pstrcat(fields->pool, joined, ", ", entry[i].val, NULL)
                            : entry[i].val;
        }
    }
    return joined ? storer_bytes(joined) : none;
}

static fields_t *make_request(apr_pool_t *pool, storer_request_t **out)
{
    storer_request_t *request = apr_pcalloc(pool, sizeof(*request));
    fields_t *fields = apr_palloc(pool, sizeof(*fields));

    fields->table = apr_table_make(pool, 8);
    fields->pool = pool;
    request->header = find_field;
    request->baton = fields;
    *out = request;
    return fields;
}

static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (apr_isspace(*text)) {
        text++;
    }
    while (end > text && apr_isspace(end[-1])) {
        *--end = '\0';
    }
    return text;
}

const storer_request_t *vector_request(const vector_t *vector, const char *raw, int *repeated)
{
    storer_request_t *request;
    fields_t *fields = make_request(vector->pool, &request);
    char *state, *copy = apr_pstrdup(vector->pool, raw);
    char *line = apr_strtok(copy, "\r\n", &state);

    if (repeated) {
        *repeated = 0;
    }
    for (line = apr_strtok(NULL, "\r\n", &state); line; line = apr_strtok(NULL, "\r\n", &state)) {
        char *colon = strchr(line, ':');

        if (!colon) {
            bail_out("vector \"%s\" has the request line \"%s\"", vector->name, line);
        }
        *colon = '\0';
        if (repeated && apr_table_get(fields->table, line)) {
            *repeated = 1;
        }
        if (strcasecmp(line, "Host") != 0) {
            apr_table_add(fields->table, line, trim(colon + 1));
        }
    }
    return request;
}

/* ---- validators ---- */

static void add_lines(fields_t *fields, const char *name, const json_t *lines, int present)
{
    const json_t *line;
    size_t i;

    if (present && json_array_size(lines) == 0) {
        apr_table_add(fields->table, name, "");
    }
    json_array_foreach(lines, i, line) {
        apr_table_add(fields->table, name, json_string_value(line));
    }
}

static const storer_request_t *conditions(const vector_t *vector, const json_t *given,
                                          const storer_request_t *request)
{
    storer_request_t *made;
    fields_t *fields;

    if (vector_flag(given, "from_request")) {
        return request;
    }
    /* Go keeps lists unsplit, and says by two flags whether they count: that is a request's form. */
    fields = make_request(vector->pool, &made);
    if (vector_flag(given, "if_none_match_present")) {
        add_lines(fields, "If-None-Match", json_object_get(given, "if_none_match"), 1);
    }
    if (vector_flag(given, "if_match_present")) {
        add_lines(fields, "If-Match", json_object_get(given, "if_match"), 1);
    }
    /* This comes of a date condition alone. */
    if (vector_flag(given, "need_revalidation")) {
        apr_table_add(fields->table, "If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT");
    }
    return made;
}

void vector_validator(const vector_t *vector, const json_t *given, const storer_request_t *request,
                      storer_validator_t *validator)
{
    storer_validator_parse(validator, conditions(vector, given, request), vector->pool);
}

static int has(storer_bytes_t text, const char *part)
{
    apr_size_t length = strlen(part), i;

    for (i = 0; i + length <= text.len; i++) {
        if (memcmp(text.data + i, part, length) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Nothing but blanks and commas? */
static int is_blank(storer_bytes_t text)
{
    apr_size_t i;

    for (i = 0; i < text.len && (apr_isspace(text.data[i]) || text.data[i] == ','); i++) {
    }
    return i == text.len;
}

void vector_rule_conditions(const vector_t *vector, const json_t *given,
                            const storer_request_t *request, storer_bytes_t etags,
                            verdict_t *verdict)
{
    const storer_request_t *made = conditions(vector, given, request);
    storer_bytes_t none_match = find_field(made->baton, storer_bytes("If-None-Match"));
    storer_bytes_t match = find_field(made->baton, storer_bytes("If-Match"));
    int from_request = vector_flag(given, "from_request");

    if (has(none_match, ",") || has(match, ",")) {
        vector_rule(verdict, "lists", "...");
    }
    if (has(none_match, "W/") || has(match, "W/") || has(etags, "W/")) {
        vector_rule(verdict, "weak tags", "...");
    }
    if (from_request && match.data) {
        vector_rule(verdict, "If-Match", "...");
    }
    if ((match.data && !none_match.data && is_blank(match))
        || (none_match.data && is_blank(none_match))) {
        vector_rule(verdict, "empty lists", "matched 1 304 0 ...");
    }
    if (!from_request && !none_match.data && !match.data
        && json_array_size(json_object_get(given, "request_etags")) > 0) {
        vector_rule(verdict, "tags without field", "matched 1 304 0 ...");
    }
    if (!from_request && none_match.data && !vector_flag(given, "not_modified")) {
        vector_rule(verdict, "304 is an output", "...");
    }
}

const char *vector_outputs(const vector_t *vector, const storer_validator_t *validator)
{
    return apr_psprintf(vector->pool, "matched %d 304 %d revalidate %d etag %s", validator->matched,
                        validator->not_modified, validator->need_revalidation,
                        vector_quote(vector, validator->response_etag));
}

const char *vector_their_outputs(const vector_t *vector, const json_t *validator)
{
    int matched = vector_flag(validator, "matched");

    return apr_psprintf(vector->pool, "matched %d 304 %d revalidate %d etag %s", matched,
                        matched && vector_flag(validator, "not_modified"),
                        vector_flag(validator, "need_revalidation"),
                        vector_quote(vector, vector_field(vector, validator, "response_etag")));
}

/* ---- the vectors ---- */

static const char *their_sequence(const vector_t *vector, const json_t *out)
{
    const json_t *after = vector_member(vector, out, "after"), *validator;
    const char *text = "";
    size_t i;

    json_array_foreach(after, i, validator) {
        text = apr_pstrcat(vector->pool, text, i > 0 ? "; " : "",
                           vector_their_outputs(vector, validator), NULL);
    }
    return text;
}

void vector_etag(const vector_t *vector, verdict_t *verdict)
{
    const json_t *given = vector_member(vector, vector->in, "validator");
    const json_t *etags = json_object_get(vector->in, "etags");
    size_t i, count = etags ? json_array_size(etags) : 1;
    storer_validator_t validator;

    vector_validator(vector, given, NULL, &validator);
    vector_rule_conditions(vector, given, NULL,
                           etags ? storer_bytes("") : vector_field(vector, vector->in, "etag"),
                           verdict);
    verdict->ours = "";
    for (i = 0; i < count; i++) {
        storer_bytes_t etag = etags ? vector_bytes(vector, json_array_get(etags, i))
                                    : vector_field(vector, vector->in, "etag");

        if (storer_validator_check(&validator, etag) != validator.matched) {
            diag("%s: the result is not what the validator says", vector->name);
            validator.matched = -1;
        }
        verdict->ours = apr_pstrcat(vector->pool, verdict->ours, i > 0 ? "; " : "",
                                    vector_outputs(vector, &validator), NULL);
    }
    vector_expect(verdict, their_sequence(vector, vector->out));
    if (vector->newer) {
        vector_expect(verdict, their_sequence(vector, vector->newer));
    }
}

static const char *tags_text(const vector_t *vector, const apr_array_header_t *tags)
{
    const char *text = "";
    int i;

    for (i = 0; i < tags->nelts; i++) {
        text = apr_pstrcat(vector->pool, text,
                           vector_quote(vector, APR_ARRAY_IDX(tags, i, storer_bytes_t)), NULL);
    }
    return text;
}

static const char *their_tags_text(const vector_t *vector, const json_t *tags)
{
    const char *text = "";
    const json_t *tag;
    size_t i;

    json_array_foreach(tags, i, tag) {
        text = apr_pstrcat(vector->pool, text, vector_quote(vector, vector_bytes(vector, tag)), NULL);
    }
    return text;
}

/* Go's request_etags are what it splits If-None-Match into, at commas. */
void vector_parse_request(const vector_t *vector, verdict_t *verdict)
{
    const char *raw = json_string_value(vector_member(vector, vector->in, "raw"));
    const json_t *theirs = vector_member(vector, vector->out, "validator");
    static const char format[] = "If-None-Match [%s] If-Match [%s] since %d unmodified since %d"
                                 " revalidate %d";
    storer_validator_t validator;
    int repeated;

    storer_validator_parse(&validator, vector_request(vector, raw, &repeated), vector->pool);
    verdict->ours = apr_psprintf(vector->pool, format, tags_text(vector, validator.if_none_match),
                                 tags_text(vector, validator.if_match),
                                 validator.if_modified_since_present,
                                 validator.if_unmodified_since_present,
                                 validator.need_revalidation);
    vector_expect(verdict,
                  apr_psprintf(vector->pool, format,
                               their_tags_text(vector, json_object_get(theirs, "request_etags")),
                               their_tags_text(vector, json_object_get(theirs, "if_match")),
                               vector_flag(theirs, "if_modified_since_present"),
                               vector_flag(theirs, "if_unmodified_since_present"),
                               vector_flag(theirs, "need_revalidation")));
    if (strstr(raw, ",")) {
        vector_rule(verdict, "lists", "...");
    }
    if (strstr(raw, "If-Match:")) {
        vector_rule(verdict, "If-Match", "If-None-Match [] If-Match [...");
    }
    if (repeated) {
        vector_rule(verdict, "every line", "...");
    }
}
