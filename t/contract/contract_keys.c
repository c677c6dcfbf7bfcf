/* SPDX-License-Identifier: Apache-2.0
 *
 * contract_keys.c - walking over keys: storer_map_keys, storer_list_keys, storer_delete_many.
 */
#include "contract_private.h"

#include <apr_strings.h>
#include <stdlib.h>

#define KEY_COUNT 300

/* What a walk saw, and what it does. */
typedef struct walk_t {
    contract_t *test;
    int seen[KEY_COUNT];     /* how often key number i came */
    int calls, wrong;
    int delete_each;         /* delete the key in the callback */
    int replace_each;
    int stop_after;          /* end with stop_status at this call; 0: never */
    apr_status_t stop_status;
    storer_view_t kept;      /* the first view, taken over */
    int keep_first;
} walk_t;

/* Keys "apple000".. and "bread000".., the value of number i is contract_value(i, i). */
static void set_keys(contract_t *test)
{
    int set = 0;

    for (int i = 0; i < KEY_COUNT; i++) {
        set += storer_set(test->store, contract_key("apple", i, test->pool),
                          contract_value((apr_size_t)i, (unsigned)i, test->pool), EXPIRY_FAR, T0)
               == APR_SUCCESS;
    }
    for (int i = 0; i < 10; i++) {
        set += contract_set(test, contract_key("bread", i, test->pool).data, storer_bytes("bread"))
               == APR_SUCCESS;
    }
    is_int(set, KEY_COUNT + 10, "%d keys set", KEY_COUNT + 10);
}

static apr_status_t on_key(void *baton, storer_bytes_t key, storer_view_t *value)
{
    walk_t *walk = baton;
    storer_t *store = walk->test->store;
    int number;

    walk->calls++;
    if (key.len != 8 || memcmp(key.data, "apple", 5) != 0) {
        walk->wrong++;
        return APR_SUCCESS;
    }
    number = atoi(apr_pstrmemdup(walk->test->pool, key.data + 5, 3));
    walk->seen[number % KEY_COUNT]++;
    if (walk->keep_first && walk->calls == 1) {
        storer_view_move(&walk->kept, value);
    }
    if (walk->delete_each) {
        walk->wrong += storer_delete(store, key) != APR_SUCCESS;
    }
    if (walk->replace_each) {
        walk->wrong += storer_set(store, key, storer_bytes("new"), EXPIRY_FAR, T0) != APR_SUCCESS;
    }
    if (value->ops) {
        storer_bytes_t got = contract_drain(value, walk->test->pool);

        walk->wrong += !contract_is_value(got, (apr_size_t)number, (unsigned)number);
    }
    return walk->stop_after == walk->calls ? walk->stop_status : APR_SUCCESS;
}

static apr_status_t walk_over(contract_t *test, walk_t *walk, const char *prefix, apr_time_t now)
{
    walk->test = test;
    return storer_map_keys(test->store, storer_bytes(prefix), now, on_key, walk, test->pool);
}

static void each_once(const walk_t *walk, const char *what)
{
    int not_once = 0;

    for (int i = 0; i < KEY_COUNT; i++) {
        not_once += walk->seen[i] != 1;
    }
    is_int(not_once, 0, "%s: each key came once", what);
    is_int(walk->calls, KEY_COUNT, "%s: and no other", what);
    is_int(walk->wrong, 0, "%s: with its value", what);
}

static void prefixes(contract_t *test)
{
    walk_t walk = { .calls = 0 };
    storer_bytes_t none = { NULL, 0 }, invalid = { NULL, 3 };
    storer_bytes_t longest = contract_value(STORER_KEY_MAX + 10, 1, test->pool);

    set_keys(test);
    is_status(walk_over(test, &walk, "apple", T0), APR_SUCCESS, "walk over a prefix");
    each_once(&walk, "prefix");
    is_int(contract_count(test, "", T0), KEY_COUNT + 10, "the empty prefix is that of all");
    is_int(contract_count(test, "bread", T0), 10, "another prefix");
    is_int(contract_count(test, "apple29", T0), 10, "a longer prefix");
    is_int(contract_count(test, "apple299", T0), 1, "a whole key is a prefix of itself");
    is_int(contract_count(test, "apple2999", T0), 0, "a prefix longer than the key");
    is_int(contract_count(test, "Apple", T0), 0, "a prefix nobody has");
    walk = (walk_t){ .test = test };
    is_status(storer_map_keys(test->store, none, T0, on_key, &walk, test->pool), APR_SUCCESS,
              "no prefix");
    is_int(walk.calls, KEY_COUNT + 10, "is that of all, too");
    is_status(storer_map_keys(test->store, longest, T0, on_key, &walk, test->pool), APR_SUCCESS,
              "a prefix longer than any key");
    is_int(walk.calls, KEY_COUNT + 10, "matches none");
    is_status(storer_map_keys(test->store, invalid, T0, on_key, &walk, test->pool), APR_EINVAL,
              "a prefix that is none");
}

static void expired_unseen(contract_t *test)
{
    storer_expiry_t brief = { T0 + SECONDS(1), T0 + SECONDS(2) };

    set_keys(test);
    for (int i = 0; i < KEY_COUNT; i += 3) {
        (void)storer_set(test->store, contract_key("apple", i, test->pool), storer_bytes("brief"),
                         brief, T0);
    }
    is_int(contract_count(test, "apple", T0 + SECONDS(2) - 1), KEY_COUNT, "all live");
    is_int(contract_count(test, "apple", T0 + SECONDS(2)), KEY_COUNT - KEY_COUNT / 3,
           "what has expired is not among the keys");
}

static void change_within(contract_t *test)
{
    walk_t removing = { .delete_each = 1, .keep_first = 1 }, replacing = { .replace_each = 1 };
    storer_bytes_t got;

    set_keys(test);
    is_status(walk_over(test, &replacing, "apple", T0), APR_SUCCESS, "replace each key in a walk");
    each_once(&replacing, "replacing");
    contract_has(test, "apple123", storer_bytes("new"), "it has its new value");
    (void)storer_reset(test->store);
    set_keys(test);
    is_status(walk_over(test, &removing, "apple", T0), APR_SUCCESS, "delete each key in a walk");
    each_once(&removing, "deleting");
    is_int(contract_count(test, "apple", T0), 0, "none is left");
    is_int(contract_count(test, "", T0), 10, "except the others");
    ok(removing.kept.ops != NULL, "a view was taken over");
    got = contract_drain(&removing.kept, test->pool);
    ok(contract_is_value(got, got.len, (unsigned)got.len), "it reads after the walk");
    storer_view_release(&removing.kept);
}

static void stop(contract_t *test)
{
    walk_t done = { .stop_after = 7, .stop_status = APR_EOF };
    walk_t failed = { .stop_after = 3, .stop_status = APR_EACCES };

    set_keys(test);
    is_status(walk_over(test, &done, "apple", T0), APR_SUCCESS, "APR_EOF stops a walk, all is well");
    is_int(done.calls, 7, "at that key");
    is_status(walk_over(test, &failed, "apple", T0), APR_EACCES, "a failure stops it, and shows");
    is_int(failed.calls, 3, "at that key");
}

static int walk_and_change(contract_t *test, int number, apr_pool_t *pool)
{
    int wrong = 0, rounds = tap_slow() ? 2 : 10;

    for (int round = 0; round < rounds; round++) {
        walk_t walk = { .test = test };

        for (int i = 0; i < 100; i++) {
            storer_bytes_t key = contract_key(number % 2 ? "odd" : "even", i, pool);

            wrong += storer_set(test->store, key, key, EXPIRY_FAR, T0) != APR_SUCCESS;
            if (i % 3 == round % 3) {
                wrong += storer_delete(test->store, key) != APR_SUCCESS;
            }
        }
        walk.test = apr_pmemdup(pool, test, sizeof(*test));
        walk.test->pool = pool;  /* a pool is for one thread */
        wrong += storer_map_keys(test->store, storer_bytes("apple"), T0, on_key, &walk, pool)
                 != APR_SUCCESS;
        wrong += walk.wrong;
        for (int i = 0; i < KEY_COUNT; i++) {
            wrong += walk.seen[i] != 1;
        }
        apr_pool_clear(pool);
    }
    return wrong;
}

static void in_threads(contract_t *test)
{
    set_keys(test);
    is_int(contract_threads(test, 4, walk_and_change), 0,
           "keys nobody touches come once each, while 4 threads add and delete others");
}

/* ---- delete_many ---- */

static storer_pattern_t *pattern_of(contract_t *test, const char *text)
{
    storer_pattern_t *pattern = NULL;
    const char *errmsg = "?";
    apr_status_t rv;

    rv = storer_pattern_compile(&pattern, storer_bytes(text), &errmsg, test->pool);
    if (!is_status(rv, APR_SUCCESS, "compile %s", text)) {
        bail_out("%s", errmsg);
    }
    return pattern;
}

static void delete_many(contract_t *test)
{
    static const storer_bytes_t binary = { "a\0b", 3 };
    apr_size_t deleted = 99;
    storer_bytes_t got;

    set_keys(test);
    (void)storer_set(test->store, binary, storer_bytes("value"), EXPIRY_FAR, T0);
    is_status(storer_delete_many(test->store, pattern_of(test, "^nobody"), T0, &deleted,
                                 test->pool), APR_SUCCESS, "delete many, none matches");
    is_int((long long)deleted, 0, "none went");
    is_status(storer_delete_many(test->store, pattern_of(test, "^apple.*[02468]$"), T0, &deleted,
                                 test->pool), APR_SUCCESS, "delete many");
    is_int((long long)deleted, KEY_COUNT / 2, "as many as match went");
    is_int(contract_count(test, "apple", T0), KEY_COUNT / 2, "the others are left");
    contract_lacks(test, "apple008", "one that matched");
    ok(contract_read(test->store, storer_bytes("apple009"), T0, &got, test->pool) == APR_SUCCESS,
       "one that did not");
    is_status(storer_delete_many(test->store, pattern_of(test, "read00[1-3]"), T0, NULL,
                                 test->pool), APR_SUCCESS, "unanchored, and nobody counts");
    is_int(contract_count(test, "bread", T0), 7, "three went");
    is_status(storer_delete_many(test->store, pattern_of(test, "\\x00"), T0, &deleted, test->pool),
              APR_SUCCESS, "a pattern for a zero byte");
    is_int((long long)deleted, 1, "one went");
    is_status(contract_read(test->store, binary, T0, &got, test->pool), APR_NOTFOUND,
              "the key that has it");
    is_status(storer_delete_many(test->store, pattern_of(test, ""), T0, &deleted, test->pool),
              APR_SUCCESS, "the empty pattern matches everything");
    is_int(contract_count(test, "", T0), 0, "nothing is left");
}

static void hostile_pattern(contract_t *test)
{
    apr_size_t deleted = 99;
    apr_status_t rv;
    long left;

    for (int i = 0; i < 20; i++) {
        (void)contract_set(test, apr_psprintf(test->pool, "%.*s", i + 1, "aaaaaaaaaaaaaaaaaaaaa"),
                           storer_bytes("harmless"));
    }
    (void)contract_set(test, apr_pstrcat(test->pool, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", NULL),
                       storer_bytes("hostile"));
    rv = storer_delete_many(test->store, pattern_of(test, "^(a|aa)+$"), T0, &deleted, test->pool);
    is_status(rv, APR_TIMEUP, "a pattern that would run for ever is stopped");
    left = contract_count(test, "", T0);
    is_int((long long)deleted, 21 - left, "and what went before was counted");
    ok(left >= 1, "the key that stopped it is left");
}

/* ---- list_keys ---- */

static apr_status_t collect(void *baton, storer_bytes_t real_key)
{
    apr_array_header_t *list = baton;

    APR_ARRAY_PUSH(list, const char *) = apr_pstrmemdup(list->pool, real_key.data, real_key.len);
    return APR_SUCCESS;
}

static int has_line(const apr_array_header_t *list, const char *line)
{
    int count = 0;

    for (int i = 0; i < list->nelts; i++) {
        count += strcmp(APR_ARRAY_IDX(list, i, const char *), line) == 0;
    }
    return count;
}

static apr_status_t stop_at_once(void *baton, storer_bytes_t real_key)
{
    (void)real_key;
    return *(apr_status_t *)baton;
}

static void list_keys(contract_t *test)
{
    apr_array_header_t *list = apr_array_make(test->pool, 8, sizeof(const char *));
    apr_status_t stop_status = APR_EOF;
    apr_status_t rv;

    for (int i = 0; i < 3; i++) {
        storer_variant_t variant = {
            .base_key = contract_key("base", i, test->pool),
            .varied_key = contract_key("varied", i, test->pool),
            .real_key = contract_key("http://host/", i, test->pool),
            .stored_at = T0,
            .expiry = EXPIRY_FAR,
        };

        if (i == 2) {
            variant.expiry = (storer_expiry_t){ T0 + SECONDS(1), T0 + SECONDS(2) };
        }
        rv = storer_set_multi_level(test->store, &variant, storer_bytes("body"), T0, test->pool);
        is_status(rv, APR_SUCCESS, "store variant %d", i);
    }
    (void)contract_set(test, "no mapping", storer_bytes("value"));
    rv = storer_list_keys(test->store, T0, collect, list, test->pool);
    is_status(rv, APR_SUCCESS, "list keys");
    is_int(has_line(list, "http://host/000") > 0 && has_line(list, "http://host/001") > 0
           && has_line(list, "http://host/002") > 0, 1, "all real keys are there");
    is_int(has_line(list, "no mapping") + has_line(list, "base000") + has_line(list, "varied000"),
           0, "and no others");
    apr_array_clear(list);
    rv = storer_list_keys(test->store, T0 + SECONDS(3), collect, list, test->pool);
    is_status(rv, APR_SUCCESS, "list keys later");
    is_int(has_line(list, "http://host/001") > 0, 1, "what lives is there");
    is_int(has_line(list, "http://host/002"), 0, "what has expired is not");
    rv = storer_list_keys(test->store, T0, stop_at_once, &stop_status, test->pool);
    is_status(rv, APR_SUCCESS, "APR_EOF stops, all is well");
    stop_status = APR_EACCES;
    rv = storer_list_keys(test->store, T0, stop_at_once, &stop_status, test->pool);
    is_status(rv, APR_EACCES, "a failure stops, and shows");
}

const contract_test_t contract_keys[] = {
    { "prefixes", prefixes, 0 },
    { "expired keys", expired_unseen, 0 },
    { "changes within a walk", change_within, 0 },
    { "stopping a walk", stop, 0 },
    { "walks in threads", in_threads, 0 },
    { "delete many", delete_many, 0 },
    { "delete many with a hostile pattern", hostile_pattern, 0 },
    { "list keys", list_keys, 0 },
    { NULL, NULL, 0 },
};
