/* SPDX-License-Identifier: Apache-2.0
 *
 * test_validator.c - the conditional part of a request: how its entity-tags are read and compared
 * (RFC 9110 sections 5.6.1, 8.8.3 and 13.1).
 */
#include "election.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <string.h>
#include <strings.h>

/* Names and values in turn, ended by NULL. */
static storer_bytes_t find(void *baton, storer_bytes_t name)
{
    const char *const *pair;
    storer_bytes_t none = { NULL, 0 };

    for (pair = baton; *pair; pair += 2) {
        if (strlen(pair[0]) == name.len && strncasecmp(pair[0], name.data, name.len) == 0) {
            return storer_bytes(pair[1]);
        }
    }
    return none;
}

static void parse(storer_validator_t *validator, const char *name, const char *value,
                  apr_pool_t *pool)
{
    const char *pairs[3] = { name, value, NULL };
    storer_request_t request = { find, pairs, NULL };

    memset(validator, 0x55, sizeof(*validator)); /* whatever was there */
    storer_validator_parse(validator, &request, pool);
}

static const char *join(const apr_array_header_t *tags, apr_pool_t *pool)
{
    const char *text = "";
    int i;

    for (i = 0; i < tags->nelts; i++) {
        storer_bytes_t tag = APR_ARRAY_IDX(tags, i, storer_bytes_t);

        text = apr_psprintf(pool, "%s<%.*s>", text, (int)tag.len, tag.data);
    }
    return text;
}

typedef struct list_t {
    const char *value, *want;
} list_t;

static const list_t lists[] = {
    { "\"a\"", "<\"a\">" },
    { "W/\"a\"", "<W/\"a\">" },
    { "*", "<*>" },
    { "\"a\", \"b\"", "<\"a\"><\"b\">" },
    { "\"a\",\"b\"", "<\"a\"><\"b\">" },
    { " \t\"a\" \t,\t \"b\"\t ", "<\"a\"><\"b\">" },
    { "\"a\" , W/\"b\" , *", "<\"a\"><W/\"b\"><*>" },
    { "\"a,b\", \"c\"", "<\"a,b\"><\"c\">" },
    { "\",\"", "<\",\">" },
    { "\",,,\",\",\"", "<\",,,\"><\",\">" },
    { "\"a b\"", "<\"a b\">" },
    { "\" a \"", "<\" a \">" },
    { "\"\"", "<\"\">" },
    { "\"\",\"\"", "<\"\"><\"\">" },
    { ",\"a\",,\"b\",", "<\"a\"><\"b\">" },
    { ", ,\t,", "" },
    { "", "" },
    { "   ", "" },
    { "unquoted", "<unquoted>" },
    { "un,quoted", "<un><quoted>" },
    { "\"open", "<\"open>" },
    { "\"open, \"b\"", "<\"open, \"b\">" },
    { "\"a\" \"b\"", "<\"a\" \"b\">" },
    { "\"a\\\",b\"", "<\"a\\\"><b\">" }, /* no escapes in entity-tags */
    { "\"\xff\xfe\"", "<\"\xff\xfe\">" },
};

static void reads_lists(apr_pool_t *pool)
{
    storer_validator_t validator;
    size_t i;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        parse(&validator, "If-None-Match", lists[i].value, pool);
        is_string(join(validator.if_none_match, pool), lists[i].want, "If-None-Match: %s",
                  lists[i].value);
        is_int(validator.if_match->nelts, 0, "and no If-Match");
        parse(&validator, "if-match", lists[i].value, pool);
        is_string(join(validator.if_match, pool), lists[i].want, "If-Match: %s", lists[i].value);
        is_int(validator.if_none_match->nelts, 0, "and no If-None-Match");
    }
}

static void is_untouched(const storer_validator_t *validator, int need, const char *what)
{
    ok(!validator->matched && !validator->not_modified && !validator->response_etag.data
       && !validator->response_etag.len && validator->need_revalidation == need,
       "%s: nothing decided, revalidation %s", what, need ? "asked for" : "not asked for");
}

static void reads_dates(apr_pool_t *pool)
{
    storer_validator_t validator;

    parse(&validator, "Accept", "x", pool);
    is_untouched(&validator, 0, "no condition");
    ok(!validator.if_modified_since_present && !validator.if_unmodified_since_present, "no dates");
    parse(&validator, "If-None-Match", "\"a\"", pool);
    is_untouched(&validator, 0, "If-None-Match");
    parse(&validator, "If-Modified-Since", "Mon, 01 Jan 2024 00:00:00 GMT", pool);
    is_untouched(&validator, 1, "If-Modified-Since");
    ok(validator.if_modified_since_present && !validator.if_unmodified_since_present, "that one");
    parse(&validator, "If-Unmodified-Since", "", pool);
    is_untouched(&validator, 1, "an empty If-Unmodified-Since");
    ok(!validator.if_modified_since_present && validator.if_unmodified_since_present, "that one");
}

typedef struct comparison_t {
    const char *field, *value, *etag;
    int matched;
} comparison_t;

static const comparison_t comparisons[] = {
    /* no condition allows all */
    { "Accept", "x", "", 1 }, { "Accept", "x", "\"a\"", 1 }, { "If-None-Match", "", "\"a\"", 1 },
    { "If-Match", " ", "\"a\"", 1 }, { "If-Match", "", "", 1 },
    /* weakly: the opaque-tags are the same */
    { "If-None-Match", "\"a\"", "\"a\"", 1 }, { "If-None-Match", "W/\"a\"", "\"a\"", 1 },
    { "If-None-Match", "\"a\"", "W/\"a\"", 1 }, { "If-None-Match", "W/\"a\"", "W/\"a\"", 1 },
    { "If-None-Match", "\"a\"", "\"b\"", 0 }, { "If-None-Match", "\"a\"", "\"A\"", 0 },
    { "If-None-Match", "w/\"a\"", "\"a\"", 0 }, /* W has case */
    { "If-None-Match", "\"a\"", "\"aa\"", 0 }, { "If-None-Match", "\"aa\"", "\"a\"", 0 },
    { "If-None-Match", "a", "\"a\"", 0 }, { "If-None-Match", "\"\"", "\"\"", 1 },
    { "If-None-Match", "\"x\", W/\"a\"", "\"a\"", 1 },
    { "If-None-Match", "\"x\", \"y\"", "\"a\"", 0 },
    { "If-None-Match", "\"a,b\"", "\"a,b\"", 1 }, { "If-None-Match", "\"a,b\"", "\"a\"", 0 },
    { "If-None-Match", "*", "\"a\"", 1 }, { "If-None-Match", "\"x\", *", "\"a\"", 1 },
    { "If-None-Match", "*", "", 1 }, { "If-None-Match", "\"a\"", "", 0 },
    { "If-None-Match", "\"\"", "", 0 }, { "If-None-Match", "W/", "", 0 },
    { "If-None-Match", "**", "\"a\"", 0 }, { "If-None-Match", "\"*\"", "\"a\"", 0 },
    { "If-None-Match", "\"*\"", "\"*\"", 1 },
    /* strongly: neither is weak */
    { "If-Match", "\"a\"", "\"a\"", 1 }, { "If-Match", "W/\"a\"", "\"a\"", 0 },
    { "If-Match", "\"a\"", "W/\"a\"", 0 }, { "If-Match", "W/\"a\"", "W/\"a\"", 0 },
    { "If-Match", "\"b\"", "\"a\"", 0 }, { "If-Match", "\"x\" , \"a\"", "\"a\"", 1 },
    { "If-Match", "*", "\"a\"", 1 }, { "If-Match", "*", "W/\"a\"", 1 }, { "If-Match", "*", "", 0 },
    { "If-Match", "\"a\"", "", 0 },
};

static void compares(apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
        const comparison_t *one = &comparisons[i];
        storer_bytes_t etag = storer_bytes(one->etag);
        storer_validator_t validator;
        int has_none_match;

        parse(&validator, one->field, one->value, pool);
        has_none_match = validator.if_none_match->nelts > 0;
        is_int(storer_validator_allows(&validator, etag), one->matched, "%s: %s %s <%s>",
               one->field, one->value, one->matched ? "allows" : "excludes", one->etag);
        is_untouched(&validator, 0, "asking");
        is_int(storer_validator_check(&validator, etag), one->matched, "the same of the check");
        is_int(validator.matched, one->matched, "matched");
        is_int(validator.not_modified, one->matched && has_none_match, "not_modified");
        is_int(validator.need_revalidation, etag.len > 0, "need_revalidation");
        is_bytes(validator.response_etag, etag, "response_etag");
    }
}

static void both_fields(apr_pool_t *pool)
{
    const char *pairs[] = { "If-None-Match", "\"a\"", "If-Match", "\"b\"", NULL };
    storer_request_t request = { find, pairs, NULL };
    storer_validator_t validator;

    storer_validator_parse(&validator, &request, pool);
    ok(storer_validator_check(&validator, storer_bytes("\"a\"")), "If-None-Match decides");
    ok(!storer_validator_check(&validator, storer_bytes("\"b\"")), "If-Match is not asked then");
}

static void nothing_is_left(apr_pool_t *pool)
{
    const char *pairs[] = { "If-None-Match", "\"a\"", "If-Modified-Since", "a date", NULL };
    storer_request_t request = { find, pairs, NULL };
    storer_validator_t validator;

    storer_validator_parse(&validator, &request, pool);
    ok(storer_validator_check(&validator, storer_bytes("\"a\"")), "a match");
    ok(!storer_validator_check(&validator, storer_bytes("\"b\"")), "another tag does not match");
    is_int(validator.not_modified, 0, "nothing is left of the match");
    is_bytes(validator.response_etag, storer_bytes("\"b\""), "nor of its tag");
    ok(!storer_validator_check(&validator, storer_bytes("")), "no tag does not match");
    is_int(validator.need_revalidation, 1, "the date still asks for revalidation");
    storer_validator_check(&validator, storer_bytes("\"a\""));
    storer_validator_reset(&validator);
    is_untouched(&validator, 1, "reset");
    is_string(join(validator.if_none_match, pool), "<\"a\">", "reset keeps the input");
}

static void made_by_hand(apr_pool_t *pool)
{
    storer_validator_t validator = { NULL, NULL, 0, 0, 0, 0, 0, { NULL, 0 } };

    ok(storer_validator_check(&validator, storer_bytes("\"a\"")), "no lists at all");
    validator.if_none_match = apr_array_make(pool, 1, sizeof(storer_bytes_t));
    ok(storer_validator_check(&validator, storer_bytes("\"a\"")), "an empty list");
    APR_ARRAY_PUSH(validator.if_none_match, storer_bytes_t) = storer_bytes("\"b\"");
    ok(!storer_validator_check(&validator, storer_bytes("\"a\"")), "a list");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    reads_lists(pool);
    reads_dates(pool);
    compares(pool);
    both_fields(pool);
    nothing_is_left(pool);
    made_by_hand(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
