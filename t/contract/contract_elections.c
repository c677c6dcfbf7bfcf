/* SPDX-License-Identifier: Apache-2.0
 *
 * contract_elections.c - which variant a request gets: storer_get_multi_level.
 */
#include "contract_private.h"

#include <strings.h>

#define MINUTES(n) SECONDS((n) * 60)

/* Stores a variant that varies on up to two headers. */
static void store(contract_t *test, const char *varied_key, const char *encoding,
                  const char *language)
{
    storer_variant_t variant = contract_variant("base", varied_key);
    storer_header_t headers[2];

    if (encoding) {
        headers[variant.varied_count].name = storer_bytes("Accept-Encoding");
        headers[variant.varied_count++].value = storer_bytes(encoding);
    }
    if (language) {
        headers[variant.varied_count].name = storer_bytes("accept-language");
        headers[variant.varied_count++].value = storer_bytes(language);
    }
    variant.varied_headers = headers;
    is_status(contract_store(test, &variant, test->pool), APR_SUCCESS, "store %s", varied_key);
}

/* Stores a variant without headers, at its own time. */
static void store_at(contract_t *test, const char *varied_key, apr_interval_time_t stored,
                     apr_interval_time_t fresh, apr_interval_time_t stale)
{
    storer_variant_t variant = contract_variant("base", varied_key);

    variant.stored_at = T0 + stored;
    variant.expiry = (storer_expiry_t){ T0 + fresh, T0 + stale };
    is_status(contract_store(test, &variant, test->pool), APR_SUCCESS, "store %s", varied_key);
}

static void one_header(contract_t *test)
{
    static const char *const gzip[] = { "accept-encoding", "gzip", NULL };
    static const char *const br[] = { "Accept-Encoding", "br", "X-Other", "gzip", NULL };
    static const char *const zstd[] = { "Accept-Encoding", "zstd", NULL };
    static const char *const longer[] = { "Accept-Encoding", "gzip, br", NULL };

    store(test, "in gzip", "gzip", NULL);
    store(test, "in br", "br", NULL);
    contract_elects(test, "base", gzip, T0, 'F', "in gzip");
    contract_elects(test, "base", br, T0, 'F', "in br");
    contract_elects(test, "base", zstd, T0, '-', "nothing for zstd");
    contract_elects(test, "base", longer, T0, '-', "nothing for gzip, br");
    contract_elects(test, "base", NULL, T0, '-', "nothing without the header");
    store(test, "as it is", "", NULL);
    contract_elects(test, "base", NULL, T0, 'F', "as it is");
    contract_elects(test, "base", gzip, T0, 'F', "in gzip");
}

static void two_headers(contract_t *test)
{
    static const char *const de[] = { "Accept-Encoding", "br", "Accept-Language", "de", NULL };
    static const char *const en[] = { "Accept-Language", "en", "Accept-Encoding", "br", NULL };
    static const char *const fr[] = { "Accept-Language", "fr", "Accept-Encoding", "br", NULL };
    static const char *const half[] = { "Accept-Language", "de", NULL };

    store(test, "german", "br", "de");
    store(test, "english", "br", "en");
    contract_elects(test, "base", de, T0, 'F', "german");
    contract_elects(test, "base", en, T0, 'F', "english");
    contract_elects(test, "base", fr, T0, '-', "nothing in French");
    contract_elects(test, "base", half, T0, '-', "nothing for half of the headers");
}

static void fresh_before_stale(contract_t *test)
{
    store_at(test, "older but fresh", 0, MINUTES(10), MINUTES(20));
    store_at(test, "newer but stale", MINUTES(1), MINUTES(2), MINUTES(30));
    contract_elects(test, "base", NULL, T0 + MINUTES(1), 'F', "newer but stale");
    contract_elects(test, "base", NULL, T0 + MINUTES(2) - 1, 'F', "newer but stale");
    contract_elects(test, "base", NULL, T0 + MINUTES(2), 'F', "older but fresh");
    contract_elects(test, "base", NULL, T0 + MINUTES(10) - 1, 'F', "older but fresh");
    contract_elects(test, "base", NULL, T0 + MINUTES(10), 'S', "newer but stale");
    contract_elects(test, "base", NULL, T0 + MINUTES(30) - 1, 'S', "newer but stale");
    contract_elects(test, "base", NULL, T0 + MINUTES(30), '-', "nothing in the end");
}

static void latest_first(contract_t *test)
{
    store_at(test, "b", 0, MINUTES(10), MINUTES(20));
    store_at(test, "d", SECONDS(5), MINUTES(10), MINUTES(20));
    store_at(test, "c", SECONDS(5), MINUTES(10), MINUTES(20));
    store_at(test, "a", SECONDS(5) - 1, MINUTES(10), MINUTES(20));
    contract_elects(test, "base", NULL, T0 + MINUTES(1), 'F', "c");
    (void)storer_delete(test->store, storer_bytes("c"));
    contract_elects(test, "base", NULL, T0 + MINUTES(1), 'F', "d");
    (void)storer_delete(test->store, storer_bytes("d"));
    contract_elects(test, "base", NULL, T0 + MINUTES(1), 'F', "a");
    contract_elects(test, "base", NULL, T0 + MINUTES(15), 'S', "a");
    (void)storer_delete(test->store, storer_bytes("a"));
    contract_elects(test, "base", NULL, T0 + MINUTES(1), 'F', "b");
    (void)storer_delete(test->store, storer_bytes("b"));
    contract_elects(test, "base", NULL, T0 + MINUTES(1), '-', "nothing when all values are gone");
}

/* A fresh variant whose value is gone leaves the stale one. */
static void gone_then_stale(contract_t *test)
{
    store_at(test, "stale", 0, SECONDS(1), MINUTES(20));
    store_at(test, "fresh", SECONDS(2), MINUTES(10), MINUTES(20));
    contract_elects(test, "base", NULL, T0 + MINUTES(1), 'F', "fresh");
    (void)storer_delete(test->store, storer_bytes("fresh"));
    contract_elects(test, "base", NULL, T0 + MINUTES(1), 'S', "stale");
}

static storer_bytes_t no_header(void *baton, storer_bytes_t name)
{
    storer_bytes_t none = { NULL, 0 };

    (void)baton;
    (void)name;
    return none;
}

static void one_view_wanted(contract_t *test)
{
    storer_request_t request = { no_header, NULL, NULL };
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_bytes_t base = storer_bytes("base");
    apr_time_t later = T0 + MINUTES(15);
    apr_status_t rv;

    store_at(test, "variant", 0, MINUTES(10), MINUTES(20));
    rv = storer_get_multi_level(test->store, base, &request, NULL, T0, &view, NULL, test->pool);
    is_status(rv, APR_SUCCESS, "only fresh wanted, and it is");
    storer_view_release(&view);
    rv = storer_get_multi_level(test->store, base, &request, NULL, later, &view, NULL, test->pool);
    is_status(rv, APR_NOTFOUND, "only fresh wanted, but it is stale");
    ok(!view.ops, "the view is empty");
    rv = storer_get_multi_level(test->store, base, &request, NULL, later, NULL, &view, test->pool);
    is_status(rv, APR_SUCCESS, "only stale wanted, and it is");
    storer_view_release(&view);
}

static void view_over_store(contract_t *test)
{
    storer_request_t request = { no_header, NULL, NULL };
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_variant_t variant = contract_variant("base", "variant");
    apr_status_t rv;

    store_at(test, "variant", 0, MINUTES(10), MINUTES(20));
    rv = storer_get_multi_level(test->store, storer_bytes("base"), &request, NULL, T0, &view, NULL,
                                test->pool);
    is_status(rv, APR_SUCCESS, "view a variant");
    ok(view.expiry.fresh_until == T0 + MINUTES(10)
       && view.expiry.stale_until == T0 + MINUTES(20), "it has the variant's expiry");
    rv = storer_set_multi_level(test->store, &variant, storer_bytes("new"), T0, test->pool);
    is_status(rv, APR_SUCCESS, "replace it");
    (void)storer_delete_multi_level(test->store, storer_bytes("base"), T0, test->pool);
    is_bytes(contract_drain(&view, test->pool), storer_bytes("value of variant"),
             "the view still reads the old value");
    storer_view_release(&view);
}

static storer_bytes_t if_match(void *baton, storer_bytes_t name)
{
    storer_bytes_t none = { NULL, 0 };

    return name.len == 8 && strncasecmp(name.data, "if-match", 8) == 0 ? storer_bytes(baton) : none;
}

static void conditional(contract_t *test)
{
    storer_request_t request = { if_match, (void *)"\"old\"", NULL };
    storer_variant_t variant = contract_variant("base", "older");
    storer_validator_t validator;
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_status_t rv;

    variant.etag = storer_bytes("\"old\"");
    (void)contract_store(test, &variant, test->pool);
    variant = contract_variant("base", "newer");
    variant.etag = storer_bytes("\"new\"");
    variant.stored_at += SECONDS(1);
    (void)contract_store(test, &variant, test->pool);
    contract_elects(test, "base", NULL, T0 + SECONDS(2), 'F', "newer");
    memset(&validator, 0, sizeof(validator));
    storer_validator_parse(&validator, &request, test->pool);
    rv = storer_get_multi_level(test->store, storer_bytes("base"), &request, &validator,
                                T0 + SECONDS(2), &view, NULL, test->pool);
    is_status(rv, APR_SUCCESS, "a request with If-Match");
    ok(validator.matched, "its condition is met");
    is_bytes(contract_drain(&view, test->pool), storer_bytes("value of older"),
             "by the variant that has this ETag");
    is_bytes(validator.response_etag, storer_bytes("\"old\""), "which is said");
    storer_view_release(&view);
    request.baton = (void *)"\"none\"";
    memset(&validator, 0, sizeof(validator));
    storer_validator_parse(&validator, &request, test->pool);
    rv = storer_get_multi_level(test->store, storer_bytes("base"), &request, &validator,
                                T0 + SECONDS(2), &view, NULL, test->pool);
    is_status(rv, APR_NOTFOUND, "an If-Match that no variant meets");
}

const contract_test_t contract_elections[] = {
    { "one varying header", one_header, 0 },
    { "two varying headers", two_headers, 0 },
    { "fresh before stale", fresh_before_stale, 0 },
    { "the latest first", latest_first, 0 },
    { "a value gone", gone_then_stale, 0 },
    { "one view wanted", one_view_wanted, 0 },
    { "a view over a store", view_over_store, 0 },
    { "a conditional request", conditional, 0 },
    { NULL, NULL, 0 },
};
