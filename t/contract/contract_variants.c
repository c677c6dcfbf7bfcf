/* SPDX-License-Identifier: Apache-2.0
 *
 * contract_variants.c - storing variants: storer_set_multi_level, storer_commit_variant,
 * storer_delete_multi_level, and what they keep in the mapping. And, for all tests of variants, the
 * short forms of contract_private.h.
 */
#include "contract_private.h"

#include <apr_strings.h>
#include <strings.h>

storer_variant_t contract_variant(const char *base, const char *varied_key)
{
    return (storer_variant_t){
        .base_key = storer_bytes(base),
        .varied_key = storer_bytes(varied_key),
        .real_key = storer_bytes(varied_key),
        .stored_at = T0,
        .expiry = EXPIRY_FAR,
    };
}

static storer_bytes_t value_of(storer_bytes_t varied_key, apr_pool_t *pool)
{
    return storer_bytes(apr_psprintf(pool, "value of %.*s", (int)varied_key.len, varied_key.data));
}

apr_status_t contract_store(contract_t *test, const storer_variant_t *variant, apr_pool_t *pool)
{
    return storer_set_multi_level(test->store, variant, value_of(variant->varied_key, pool),
                                  variant->stored_at, pool);
}

static storer_bytes_t find_header(void *baton, storer_bytes_t name)
{
    const char *const *headers = baton;
    storer_bytes_t none = { NULL, 0 };

    for (; headers && *headers; headers += 2) {
        if (strlen(headers[0]) == name.len && strncasecmp(headers[0], name.data, name.len) == 0) {
            return storer_bytes(headers[1]);
        }
    }
    return none;
}

char contract_elect(contract_t *test, const char *base, const char *const *headers, apr_time_t now,
                    storer_bytes_t *value, apr_pool_t *pool)
{
    storer_view_t fresh = STORER_VIEW_EMPTY, stale = STORER_VIEW_EMPTY;
    storer_request_t request = { find_header, (void *)headers, NULL };
    apr_status_t rv;
    char how;

    value->data = NULL;
    value->len = 0;
    rv = storer_get_multi_level(test->store, storer_bytes(base), &request, NULL, now, &fresh,
                                &stale, pool);
    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND && !fresh.ops && !stale.ops ? '-' : '!';
    }
    if (!fresh.ops == !stale.ops) {
        how = '!';
    }
    else {
        *value = contract_drain(fresh.ops ? &fresh : &stale, pool);
        how = fresh.ops ? 'F' : 'S';
    }
    storer_view_release(&fresh);
    storer_view_release(&stale);
    return value->data ? how : '!';
}

void contract_elects(contract_t *test, const char *base, const char *const *headers,
                     apr_time_t now, char how, const char *varied_key)
{
    storer_bytes_t value, want = { NULL, 0 };
    char got = contract_elect(test, base, headers, now, &value, test->pool);

    if (how != '-') {
        want = value_of(storer_bytes(varied_key), test->pool);
    }
    if (got != how) {
        ok(0, "%s is elected as %c, but got %c", varied_key, how, got);
        return;
    }
    is_bytes(value, want, "%s is elected as %c", varied_key, how);
}

/* Whether the mapping of base names this varied key. */
static int names(contract_t *test, const char *base, const char *varied_key)
{
    const char *key = apr_pstrcat(test->pool, STORER_MAPPING_PREFIX, base, (char *)NULL);
    apr_size_t len = strlen(varied_key);
    storer_bytes_t mapping;

    (void)contract_read(test->store, storer_bytes(key), T0, &mapping, test->pool);
    for (apr_size_t at = 0; at + len <= mapping.len; at++) {
        if (memcmp(mapping.data + at, varied_key, len) == 0) {
            return 1;
        }
    }
    return 0;
}

static void store_and_replace(contract_t *test)
{
    storer_variant_t variant = contract_variant("base", "variant");
    storer_bytes_t binary = contract_value(5000, 3, test->pool), got;

    contract_elects(test, "base", NULL, T0, '-', "nothing");
    is_status(contract_store(test, &variant, test->pool), APR_SUCCESS, "store a variant");
    contract_elects(test, "base", NULL, T0, 'F', "variant");
    contract_has(test, "variant", value_of(variant.varied_key, test->pool),
                 "its value lies under its varied key");
    variant.stored_at = T0 + SECONDS(1);
    is_status(storer_set_multi_level(test->store, &variant, binary, T0, test->pool), APR_SUCCESS,
              "store it again");
    is_int(contract_elect(test, "base", NULL, T0, &got, test->pool), 'F', "it is elected");
    is_bytes(got, binary, "with the new value");
    is_int(contract_count(test, "", T0), 2, "there are two keys: the mapping and the value");
    contract_elects(test, "bas", NULL, T0, '-', "another base");
}

static void bad_arguments(contract_t *test)
{
    storer_variant_t variant = contract_variant("base", "variant");
    storer_bytes_t value = { "value", 5 }, none = { NULL, 0 };
    storer_request_t request = { find_header, NULL, NULL };
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_bytes_t longest = contract_value(STORER_KEY_MAX, 1, test->pool);
    storer_t *store = test->store;

    is_status(storer_set_multi_level(store, &variant, none, T0, test->pool), APR_EINVAL,
              "no value");
    variant.base_key.len = 0;
    is_status(storer_set_multi_level(store, &variant, value, T0, test->pool), APR_EINVAL,
              "an empty base key");
    variant.base_key = longest;
    is_status(storer_set_multi_level(store, &variant, value, T0, test->pool), APR_EINVAL,
              "a base key whose mapping's key would be too long");
    variant = contract_variant("base", "");
    is_status(storer_set_multi_level(store, &variant, value, T0, test->pool), APR_EINVAL,
              "an empty varied key");
    variant = contract_variant("base", "variant");
    variant.varied_count = 1;
    is_status(storer_set_multi_level(store, &variant, value, T0, test->pool), APR_EINVAL,
              "headers that are none");
    is_status(storer_get_multi_level(store, longest, &request, NULL, T0, &view, NULL, test->pool),
              APR_EINVAL, "a base key too long, to get");
    ok(!view.ops, "the view is empty");
    is_int(contract_count(test, "", T0), 0, "nothing was stored");
}

static void pruning(contract_t *test)
{
    storer_variant_t brief = contract_variant("base", "brief"), later;

    brief.expiry = (storer_expiry_t){ T0 + SECONDS(5), T0 + SECONDS(10) };
    is_status(contract_store(test, &brief, test->pool), APR_SUCCESS, "store for 10 seconds");
    ok(names(test, "base", "brief"), "the mapping names it");
    later = contract_variant("base", "later");
    later.stored_at = T0 + SECONDS(10);
    is_status(contract_store(test, &later, test->pool), APR_SUCCESS, "store another, 10 s later");
    ok(names(test, "base", "later"), "the mapping names that");
    ok(!names(test, "base", "brief"), "and the expired one no more");
    contract_elects(test, "base", NULL, T0 + SECONDS(10), 'F', "later");
}

static void bound(contract_t *test)
{
    for (int i = 0; i < 6; i++) {
        const char *key = contract_key("variant", i, test->pool).data;
        storer_variant_t variant = contract_variant("base", key);

        variant.max_variants = 3;
        /* not in the order of the keys: 5 0 1 2 3 4 */
        variant.stored_at = T0 + SECONDS((i + 1) % 6);
        is_status(contract_store(test, &variant, test->pool), APR_SUCCESS, "store %s", key);
        ok(names(test, "base", key) || i == 5, "%s is named, unless it is the oldest", key);
    }
    ok(!names(test, "base", "variant000"), "of a bound of 3, the oldest gave way");
    ok(!names(test, "base", "variant001"), "and the next");
    ok(names(test, "base", "variant003") && names(test, "base", "variant004"),
       "the latest are there");
    contract_elects(test, "base", NULL, T0 + SECONDS(6), 'F', "variant004");
}

static void garbage(contract_t *test)
{
    static const storer_bytes_t damaged[] = {
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12 },
        { "\x0a\x7f" "cut off", 9 },
        { "plain text, and nothing of a mapping", 36 },
    };
    int count = (int)(sizeof(damaged) / sizeof(damaged[0]));
    int warned;

    contract_expect_log(test, count, 2 * count);
    for (int i = 0; i < count; i++) {
        storer_variant_t variant = contract_variant("base", "variant");

        (void)contract_set(test, "IDX_base", damaged[i]);
        warned = contract_warnings(test);
        contract_elects(test, "base", NULL, T0, '-', "nothing in damage");
        is_int(contract_warnings(test) - warned, 1, "there is one warning");
        warned = contract_warnings(test);
        is_status(contract_store(test, &variant, test->pool), APR_SUCCESS, "the next store");
        ok(contract_warnings(test) - warned <= 1, "warns once more at most");
        warned = contract_warnings(test);
        contract_elects(test, "base", NULL, T0, 'F', "variant");
        is_int(contract_warnings(test) - warned, 0, "and has repaired the mapping");
    }
    (void)contract_set(test, "IDX_base", (storer_bytes_t){ "", 0 });
    warned = contract_warnings(test);
    contract_elects(test, "base", NULL, T0, '-', "nothing in an empty mapping");
    is_int(contract_warnings(test) - warned, 0, "which is no damage");
}

static apr_status_t commit(contract_t *test, const storer_variant_t *variant, storer_bytes_t value)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    apr_status_t rv;

    rv = storer_open_writer(test->store, variant->varied_key, variant->expiry, -1, T0, &writer,
                            test->pool);
    is_status(rv, APR_SUCCESS, "open a writer");
    is_status(storer_writer_append(&writer, value), APR_SUCCESS, "append");
    contract_elects(test, "base", NULL, T0, '-', "nothing before commit");
    rv = storer_commit_variant(&writer, variant, T0, test->pool);
    ok(!writer.ops, "the writer has ended");
    return rv;
}

static void by_writer(contract_t *test)
{
    storer_variant_t variant = contract_variant("base", "variant");
    storer_bytes_t value = value_of(variant.varied_key, test->pool);

    is_status(commit(test, &variant, value), APR_SUCCESS, "commit a variant");
    contract_elects(test, "base", NULL, T0, 'F', "variant");
    variant.base_key.len = 0;
    (void)storer_delete_multi_level(test->store, storer_bytes("base"), T0, test->pool);
    is_status(commit(test, &variant, value), APR_EINVAL, "commit with an empty base key");
    contract_elects(test, "base", NULL, T0, '-', "nothing");
}

static apr_status_t join_keys(void *baton, storer_bytes_t key, storer_view_t *value)
{
    const char **joined = baton;

    (void)value;
    *joined = apr_psprintf(value->store->env->pool, "%s %.*s", *joined, (int)key.len, key.data);
    return APR_SUCCESS;
}

static void is_mapped(contract_t *test, const char *base, const char *keys, const char *what)
{
    const char *joined = "";

    is_status(storer_map_variants(test->store, storer_bytes(base), T0, join_keys, &joined,
                                  test->pool), APR_SUCCESS, "walk the variants of %s", what);
    is_string(joined, keys, "%s", *keys ? "each that is there" : "there are none");
}

static void map_variants(contract_t *test)
{
    static const char *const keys[] = { "base-a", "base-b", "base-c" };
    storer_variant_t variant;
    int i;

    is_mapped(test, "base", "", "an unknown URL");
    for (i = 0; i < 3; i++) {
        variant = contract_variant("base", keys[i]);
        (void)contract_store(test, &variant, test->pool);
    }
    variant = contract_variant("base2", "other");
    (void)contract_store(test, &variant, test->pool);
    (void)storer_delete(test->store, storer_bytes("base-b"));
    is_mapped(test, "base", " base-a base-c", "a URL");
}

static void delete_all(contract_t *test)
{
    storer_variant_t other = contract_variant("base2", "other");
    storer_stat_t before, after;
    apr_status_t has_stat;

    is_status(storer_delete_multi_level(test->store, storer_bytes("base"), T0, test->pool),
              APR_SUCCESS, "delete of an unknown URL");
    (void)contract_store(test, &other, test->pool);
    has_stat = storer_stat(test->store, &before);
    for (int i = 0; i < 10; i++) {
        const char *key = contract_key("variant", i, test->pool).data;
        storer_variant_t variant = contract_variant("base", key);

        (void)contract_store(test, &variant, test->pool);
    }
    is_int(contract_count(test, "", T0), 11 + 2, "10 variants and a mapping, beside the other's");
    is_status(storer_delete_multi_level(test->store, storer_bytes("base"), T0, test->pool),
              APR_SUCCESS, "delete the URL");
    is_int(contract_count(test, "", T0), 2, "the mapping and all variants are gone");
    contract_elects(test, "base", NULL, T0, '-', "nothing");
    contract_elects(test, "base2", NULL, T0, 'F', "other");
    if (has_stat == APR_SUCCESS) {
        (void)storer_stat(test->store, &after);
        is_int((long long)after.used, (long long)before.used, "and so is what they used");
    }
}

static int store_fifty(contract_t *test, int number, apr_pool_t *pool)
{
    for (int i = 0; i < 50; i++) {
        storer_variant_t variant;
        apr_status_t rv = APR_EAGAIN;

        apr_pool_clear(pool);
        variant = contract_variant("base", contract_key("variant", number * 50 + i, pool).data);
        for (int tries = 0; rv == APR_EAGAIN && tries < 1000; tries++) {
            rv = contract_store(test, &variant, pool);
        }
        if (rv != APR_SUCCESS) {
            return 1;
        }
    }
    return 0;
}

static void all_are_named(contract_t *test)
{
    int named = 0;

    for (int i = 0; i < 200; i++) {
        named += names(test, "base", contract_key("variant", i, test->pool).data);
    }
    is_int(named, 200, "none of 200 variants was lost");
    is_int(contract_count(test, "", T0), 201, "and there is a value of each");
}

static void in_threads(contract_t *test)
{
    is_int(contract_threads(test, 4, store_fifty), 0, "4 threads store 50 variants each");
    all_are_named(test);
}

static void in_processes(contract_t *test)
{
    int failed;

    if (!test->target->shared) {
        skip("variants in processes: they do not share this store");
        return;
    }
    failed = contract_processes_run(test, 4, store_fifty, NULL);
    is_int(failed, 0, "4 processes store 50 variants each");
    all_are_named(test);
}

const contract_test_t contract_variants[] = {
    { "store and replace", store_and_replace, 0 },
    { "bad arguments", bad_arguments, 0 },
    { "expired variants are pruned", pruning, 0 },
    { "the number of variants is bounded", bound, 0 },
    { "a damaged mapping", garbage, 0 },
    { "variants by writer", by_writer, 0 },
    { "walk the variants of a URL", map_variants, 0 },
    { "delete a URL", delete_all, 0 },
    { "variants in threads", in_threads, 0 },
    { "variants in processes", in_processes, 1 },
    { NULL, NULL, 0 },
};
