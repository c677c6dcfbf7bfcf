/* SPDX-License-Identifier: Apache-2.0
 *
 * test_multilevel.c - variants on top of the smallest engine: the bounds of a mapping, mappings
 * that somebody else wrote or broke, and what is left behind. What every engine must do is in the
 * contract suite; here are the corners of the library's own version.
 */
#include "election.h"
#include "../contract/plain.h"
#include "storer_private.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

#define NOW  ((apr_time_t)1700000000 * APR_USEC_PER_SEC)
#define HOUR ((apr_time_t)3600 * APR_USEC_PER_SEC)

typedef struct scene_t {
    apr_pool_t  *pool;
    storer_env_t env;
    storer_t    *store;
    int          warnings;
} scene_t;

static void count_warning(void *baton, storer_log_level_e level, apr_status_t rv, const char *line)
{
    scene_t *scene = baton;

    (void)rv;
    (void)line;
    scene->warnings += level <= STORER_LOG_WARNING;
}

static void open_scene(scene_t *scene, apr_pool_t *parent)
{
    static const storer_option_t none[] = { { NULL, NULL } };

    memset(scene, 0, sizeof(*scene));
    apr_pool_create(&scene->pool, parent);
    scene->env.pool = scene->pool;
    scene->env.api = &storer_api;
    scene->env.log = count_warning;
    scene->env.baton = scene;
    if (plain_open(&scene->store, none, &scene->env) != APR_SUCCESS) {
        bail_out("no store");
    }
}

static storer_bytes_t find_header(void *baton, storer_bytes_t name)
{
    storer_bytes_t none = { NULL, 0 };

    return baton && name.len == 1 && *name.data == 'X' ? storer_bytes(baton) : none;
}

/* A variant for all requests, or, with a header, for those with that value of X. */
static storer_variant_t variant_of(const char *key, storer_header_t *header, const char *value)
{
    storer_variant_t variant = {
        .base_key = storer_bytes("url"), .varied_key = storer_bytes(key),
        .real_key = storer_bytes(key), .etag = { "", 0 }, .stored_at = NOW,
        .expiry = { NOW + HOUR, NOW + 2 * HOUR }
    };

    if (header) {
        header->name = storer_bytes("X");
        header->value = storer_bytes(value);
        variant.varied_headers = header;
        variant.varied_count = 1;
    }
    return variant;
}

static apr_status_t store_variant(scene_t *scene, const storer_variant_t *variant)
{
    return storer_set_multi_level(scene->store, variant, storer_bytes("a value"), NOW, scene->pool);
}

static apr_status_t store_key(scene_t *scene, const char *key, apr_time_t stored_at)
{
    storer_variant_t variant = variant_of(key, NULL, NULL);

    variant.stored_at = stored_at;
    return store_variant(scene, &variant);
}

static apr_status_t find(scene_t *scene, const char *x, apr_time_t now)
{
    storer_request_t request = { find_header, (void *)x, NULL };
    storer_view_t fresh = STORER_VIEW_EMPTY, stale = STORER_VIEW_EMPTY;
    apr_status_t rv = storer_get_multi_level(scene->store, storer_bytes("url"), &request, NULL, now,
                                             &fresh, &stale, scene->pool);

    storer_view_release(&fresh);
    storer_view_release(&stale);
    return rv;
}

static int has_key(scene_t *scene, const char *key)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_status_t rv = storer_get(scene->store, storer_bytes(key), NOW, &view, scene->pool);

    storer_view_release(&view);
    return rv == APR_SUCCESS;
}

static apr_off_t mapping_length(scene_t *scene)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_off_t length = -1;

    if (storer_get(scene->store, storer_bytes("IDX_url"), NOW, &view, scene->pool) == APR_SUCCESS) {
        length = view.length;
    }
    storer_view_release(&view);
    return length;
}

static void set_mapping(scene_t *scene, const char *data, apr_size_t len)
{
    storer_bytes_t mapping = { data, len };
    storer_expiry_t expiry = { NOW + HOUR, NOW + HOUR };

    is_status(storer_set(scene->store, storer_bytes("IDX_url"), mapping, expiry, NOW), APR_SUCCESS,
              "a mapping from elsewhere");
}

/* ---- bounds ---- */

static void values_that_are_gone(apr_pool_t *parent)
{
    scene_t scene;
    int i;

    open_scene(&scene, parent);
    for (i = 0; i < 64; i++) {
        store_key(&scene, apr_psprintf(scene.pool, "key%02d", i), NOW + i);
    }
    for (i = 63; i > 0; i--) {
        storer_delete(scene.store, storer_bytes(apr_psprintf(scene.pool, "key%02d", i)));
    }
    is_status(find(&scene, NULL, NOW), APR_SUCCESS, "63 variants whose value is gone are passed over");
    store_key(&scene, "key99", NOW + 99);
    storer_delete(scene.store, storer_bytes("key99"));
    is_status(find(&scene, NULL, NOW), APR_NOTFOUND, "after 64 the search ends");
    is_int(scene.warnings, 0, "nothing to warn of");
    storer_delete(scene.store, storer_bytes("key00"));
    is_int((long long)plain_versions(scene.store), 1, "only the mapping is left, and no view");
    apr_pool_destroy(scene.pool);
}

static void the_number_of_variants(apr_pool_t *parent)
{
    static const char *const keys[] = { "b", "c", "a", "d" }; /* by age */
    storer_variant_t variant;
    scene_t scene;
    int i;

    open_scene(&scene, parent);
    for (i = 0; i < 4; i++) {
        variant = variant_of(keys[i], NULL, NULL);
        variant.stored_at = NOW + i;
        variant.max_variants = 3;
        is_status(store_variant(&scene, &variant), APR_SUCCESS, "variant %s", keys[i]);
    }
    ok(!has_key(&scene, "b"), "the oldest went, and its value with it");
    ok(has_key(&scene, "c") && has_key(&scene, "a") && has_key(&scene, "d"), "the others did not");
    variant = variant_of("e", NULL, NULL);
    variant.stored_at = NOW - HOUR;
    variant.max_variants = 1;
    is_status(store_variant(&scene, &variant), APR_SUCCESS, "a lower bound, by one of long ago");
    ok(has_key(&scene, "e"), "what is stored stays, however old");
    is_int((long long)plain_versions(scene.store), 2, "all others went");
    apr_pool_destroy(scene.pool);
}

static void the_length_of_a_mapping(apr_pool_t *parent)
{
    scene_t scene;
    storer_header_t header;
    storer_variant_t variant;
    char *value;
    int i, largest = 0;

    open_scene(&scene, parent);
    value = apr_palloc(scene.pool, STORER_MAPPING_MAX + 1);
    memset(value, 'v', STORER_MAPPING_MAX);
    value[100000] = '\0';
    for (i = 0; i < 20; i++) {
        value[0] = (char)('a' + i);
        variant = variant_of(apr_psprintf(scene.pool, "key%02d", i), &header, value);
        variant.stored_at = NOW + i;
        is_status(store_variant(&scene, &variant), APR_SUCCESS, "variant %d of 100 KB of headers", i);
        largest = mapping_length(&scene) > largest ? (int)mapping_length(&scene) : largest;
        is_status(find(&scene, value, NOW), APR_SUCCESS, "is found");
    }
    ok(largest > 1000000 && largest <= STORER_MAPPING_MAX, "the mapping was never too long: %d",
       largest);
    is_int((long long)plain_versions(scene.store), 11, "ten variants and the mapping are left");
    ok(!has_key(&scene, "key09") && has_key(&scene, "key10"), "the ten latest ones");
    value[100000] = 'v';
    value[STORER_MAPPING_MAX] = '\0';
    variant = variant_of("huge", &header, value);
    is_status(store_variant(&scene, &variant), APR_ENOSPC, "headers beyond the limit");
    ok(!has_key(&scene, "huge"), "no value is left that nobody finds");
    is_int((long long)plain_versions(scene.store), 11, "and nothing else went");
    apr_pool_destroy(scene.pool);
}

static void the_number_of_headers(apr_pool_t *parent)
{
    storer_header_t headers[65];
    storer_variant_t variant;
    scene_t scene;
    int i;

    open_scene(&scene, parent);
    for (i = 0; i < 65; i++) {
        variant = variant_of("key", &headers[i], "x");
    }
    variant.varied_headers = headers;
    variant.varied_count = 64;
    is_status(store_variant(&scene, &variant), APR_SUCCESS, "a variant by 64 headers");
    is_status(find(&scene, "x", NOW), APR_SUCCESS, "is found");
    is_status(find(&scene, "y", NOW), APR_NOTFOUND, "by who has them");
    variant.varied_count = 65;
    is_status(store_variant(&scene, &variant), APR_SUCCESS, "one by 65");
    is_status(find(&scene, "x", NOW), APR_NOTFOUND, "is nobody's");
    is_int(scene.warnings, 0, "nothing to warn of");
    apr_pool_destroy(scene.pool);
}

static void as_long_as_its_longest(apr_pool_t *parent)
{
    scene_t scene;
    storer_variant_t variant;

    open_scene(&scene, parent);
    store_key(&scene, "long", NOW);
    variant = variant_of("short", NULL, NULL);
    variant.expiry.fresh_until = variant.expiry.stale_until = NOW + 1;
    is_status(store_variant(&scene, &variant), APR_SUCCESS, "a variant that lasts less");
    is_status(find(&scene, NULL, NOW + 2 * HOUR - 1), APR_SUCCESS, "the other one is there to its end");
    is_status(find(&scene, NULL, NOW + 2 * HOUR), APR_NOTFOUND, "and then gone");
    apr_pool_destroy(scene.pool);
}

/* ---- mappings from elsewhere ---- */

static void damaged(apr_pool_t *parent)
{
    scene_t scene;

    open_scene(&scene, parent);
    store_key(&scene, "key", NOW);
    set_mapping(&scene, "\x0a\x05key", 5);
    is_status(find(&scene, NULL, NOW), APR_NOTFOUND, "a damaged mapping holds nothing");
    is_int(scene.warnings, 1, "one warning");
    is_status(find(&scene, NULL, NOW), APR_NOTFOUND, "again");
    is_int(scene.warnings, 2, "one more");
    is_status(store_key(&scene, "other", NOW), APR_SUCCESS, "the next store");
    is_int(scene.warnings, 3, "says so, too");
    is_status(find(&scene, NULL, NOW), APR_SUCCESS, "and repairs it");
    is_int(scene.warnings, 3, "for good");
    apr_pool_destroy(scene.pool);
}

/* Field 9, of nearly the length given. */
static char *unknown_field(apr_pool_t *pool, apr_size_t len)
{
    char *data = apr_pcalloc(pool, len);
    apr_size_t content = len - 5, i;

    data[0] = 9 << 3 | 2;
    for (i = 1; i < 5; i++) {
        data[i] = (char)((content & 0x7f) | (i < 4 ? 0x80 : 0));
        content >>= 7;
    }
    return data;
}

static void too_long(apr_pool_t *parent)
{
    scene_t scene;

    open_scene(&scene, parent);
    set_mapping(&scene, unknown_field(scene.pool, STORER_MAPPING_MAX + 1), STORER_MAPPING_MAX + 1);
    is_status(find(&scene, NULL, NOW), APR_NOTFOUND, "a mapping beyond the limit is not read");
    is_int(scene.warnings, 1, "one warning");
    is_status(store_key(&scene, "key", NOW), APR_SUCCESS, "it is replaced");
    is_int(scene.warnings, 2, "another warning");
    is_status(find(&scene, NULL, NOW), APR_SUCCESS, "and found");
    ok(mapping_length(&scene) < 100, "nothing is left of it");

    set_mapping(&scene, unknown_field(scene.pool, STORER_MAPPING_MAX), STORER_MAPPING_MAX);
    scene.warnings = 0;
    is_status(find(&scene, NULL, NOW), APR_NOTFOUND, "one of the longest kind, without entries");
    is_int(scene.warnings, 0, "which is no damage");
    is_status(store_key(&scene, "key", NOW), APR_SUCCESS, "no room for an entry is made room for");
    is_status(find(&scene, NULL, NOW), APR_SUCCESS, "and found");
    apr_pool_destroy(scene.pool);
}

/* Entries for ever fresh, key and time of storing as given. */
static apr_size_t add_entry(char *to, const char *key, int stored)
{
    static const char fresh[] = "\x12\x06\x08\x80\xd0\xdb\xc3\x1f"; /* 2237 */
    apr_size_t length = strlen(key);
    char *start = to;

    *to++ = 0x0a;
    *to++ = (char)(2 + length + 2 + 5 + 8);
    *to++ = 0x0a;
    *to++ = (char)length;
    memcpy(to, key, length);
    to += length;
    memcpy(to, "\x12\x0d\x0a\x03\x08", 5);
    to[5] = (char)((stored & 0x7f) | 0x80);
    to[6] = (char)(stored >> 7 & 0x7f);
    memcpy(to + 7, fresh, 8);
    return (apr_size_t)(to + 15 - start);
}

/* What could keep a reader busy for ever, if each entry were looked for among all others. */
static void busy_work(apr_pool_t *parent)
{
    apr_size_t length = 0;
    scene_t scene;
    char *data;
    int i;

    open_scene(&scene, parent);
    data = apr_palloc(scene.pool, STORER_MAPPING_MAX);
    for (i = 0; length + 40 < STORER_MAPPING_MAX; i++) {
        length += add_entry(data + length, "same", i / 4 & 0x3fff);
    }
    storer_set(scene.store, storer_bytes("same"), storer_bytes("v"),
               (storer_expiry_t){ NOW + HOUR, NOW + HOUR }, NOW);
    set_mapping(&scene, data, length);
    is_status(find(&scene, NULL, NOW), APR_SUCCESS, "%d times the same key, each newer: the last", i);
    length = 0;
    for (i = 0; length + 40 < STORER_MAPPING_MAX; i++) {
        length += add_entry(data + length, "same", 0x3fff - (i / 4 & 0x3fff));
    }
    set_mapping(&scene, data, length);
    is_status(find(&scene, NULL, NOW), APR_NOTFOUND, "each older, so that the best never counts");
    is_int(scene.warnings, 1, "is damage");
    is_status(store_key(&scene, "new", NOW), APR_SUCCESS, "and repaired");
    ok(mapping_length(&scene) < 100, "to two entries");
    length = 0;
    for (i = 0; length + 40 < STORER_MAPPING_MAX; i++) {
        length += add_entry(data + length, apr_psprintf(scene.pool, "k%d", i), i / 4 & 0x3fff);
    }
    set_mapping(&scene, data, length);
    is_status(find(&scene, NULL, NOW), APR_NOTFOUND, "%d keys, none of which is there", i);
    is_status(store_key(&scene, "new", NOW), APR_SUCCESS, "and one more");
    is_status(find(&scene, NULL, NOW), APR_SUCCESS, "which is there");
    apr_pool_destroy(scene.pool);
}

static void strange_keys(apr_pool_t *parent)
{
    static const char data[] = "\x0a\x11\x0a\x00\x12\x0d\x0a\x03\x08\x80\x01"
                               "\x12\x06\x08\x80\xd0\xdb\xc3\x1f";
    scene_t scene;

    open_scene(&scene, parent);
    set_mapping(&scene, data, sizeof(data) - 1);
    is_status(find(&scene, NULL, NOW), APR_NOTFOUND, "an empty key names nothing");
    is_status(storer_delete_multi_level(scene.store, storer_bytes("url"), NOW, scene.pool),
              APR_SUCCESS, "and is no obstacle when the URL goes");
    is_int((long long)plain_versions(scene.store), 0, "nothing is left");
    is_int(scene.warnings, 0, "nothing to warn of");
    apr_pool_destroy(scene.pool);
}

/* ---- names that are not UTF-8 ---- */

/* Keys of all lengths, in memory of exactly that, with a letter that takes two bytes, or half of it. */
static void utf8_at_all_places(apr_pool_t *parent)
{
    storer_mapping_new_t entry = { { NULL, 0 }, { "", 0 }, { "", 0 }, { 0, 0, 1 }, { 0, 0, 1 },
                                   { 0, 0, 1 }, NULL, 0, NULL, NULL };
    storer_bytes_t none = { NULL, 0 }, mapping;
    int length, place, wrong = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    for (length = 2; length < 100; length++) {
        for (place = 0; place < length - 1; place++) {
            char *key = malloc((size_t)length);

            if (!key) {
                bail_out("no memory");
            }
            memset(key, 'k', (size_t)length);
            memcpy(key + place, "\xc3\xa9", 2);
            entry.key.data = key;
            entry.key.len = (apr_size_t)length;
            wrong += storer_mapping_put(none, &entry, NOW, 0, &mapping, NULL, NULL, NULL, pool)
                     != APR_SUCCESS;
            key[place + 1] = 'k';
            wrong += storer_mapping_put(none, &entry, NOW, 0, &mapping, NULL, NULL, NULL, pool)
                     != APR_EINVAL;
            key[place] = 'k';
            key[length - 1] = '\xc3';
            wrong += storer_mapping_put(none, &entry, NOW, 0, &mapping, NULL, NULL, NULL, pool)
                     != APR_EINVAL;
            free(key);
        }
        apr_pool_clear(pool);
    }
    is_int(wrong, 0, "wherever it is in a key, what is UTF-8 is taken, and what is not is refused");
    apr_pool_destroy(pool);
}

static void not_utf8(apr_pool_t *parent)
{
    scene_t scene;
    storer_variant_t variant;
    storer_writer_t writer = STORER_WRITER_CLOSED;

    open_scene(&scene, parent);
    variant = variant_of("caf\xe9", NULL, NULL);
    is_status(store_variant(&scene, &variant), APR_EINVAL, "a key that is not UTF-8");
    is_int((long long)plain_versions(scene.store), 0, "leaves nothing");
    variant = variant_of("key", NULL, NULL);
    variant.etag = storer_bytes("\"\xff\"");
    is_status(storer_open_writer(scene.store, variant.varied_key, variant.expiry, -1, NOW, &writer,
                                 scene.pool), APR_SUCCESS, "a writer");
    is_status(storer_writer_append(&writer, storer_bytes("text")), APR_SUCCESS, "some text");
    is_status(storer_commit_variant(&writer, &variant, NOW, scene.pool), APR_EINVAL,
              "a tag that is not UTF-8");
    is_int((long long)plain_versions(scene.store), 0, "leaves nothing");
    apr_pool_destroy(scene.pool);
}

/* ---- what is wanted, and what is said ---- */

static void one_kind_wanted(apr_pool_t *parent)
{
    storer_request_t request = { find_header, NULL, NULL };
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_variant_t variant;
    scene_t scene;

    open_scene(&scene, parent);
    store_key(&scene, "fresh", NOW);
    variant = variant_of("stale", NULL, NULL);
    variant.expiry.fresh_until = NOW - 1;
    variant.real_key = storer_bytes("s");
    is_status(store_variant(&scene, &variant), APR_SUCCESS, "a stale variant");
    is_status(storer_get_multi_level(scene.store, storer_bytes("url"), &request, NULL, NOW, NULL,
                                     &view, scene.pool), APR_SUCCESS, "stale ones alone are wanted");
    is_int(view.expiry.fresh_until == NOW - 1, 1, "that one it is");
    storer_view_release(&view);
    storer_delete(scene.store, storer_bytes("fresh"));
    is_status(storer_get_multi_level(scene.store, storer_bytes("url"), &request, NULL, NOW, &view,
                                     NULL, scene.pool), APR_NOTFOUND, "fresh ones alone are wanted");
    ok(!view.ops, "the view is empty");
    apr_pool_destroy(scene.pool);
}

static void validators(apr_pool_t *parent)
{
    storer_request_t request = { find_header, NULL, NULL };
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_validator_t validator;
    storer_variant_t variant;
    scene_t scene;

    open_scene(&scene, parent);
    variant = variant_of("tagged", NULL, NULL);
    variant.etag = storer_bytes("\"tag\"");
    store_variant(&scene, &variant);
    storer_validator_parse(&validator, &request, scene.pool);
    is_status(storer_get_multi_level(scene.store, variant.base_key, &request, &validator, NOW, &view,
                                     NULL, scene.pool), APR_SUCCESS, "a variant with a tag");
    storer_view_release(&view);
    is_status(storer_delete_multi_level(scene.store, variant.base_key, NOW, scene.pool), APR_SUCCESS,
              "which then goes");
    is_int((long long)plain_versions(scene.store), 0, "with all there is");
    is_bytes(validator.response_etag, storer_bytes("\"tag\""), "its tag can still be read");
    ok(validator.matched && validator.need_revalidation, "and it was a match");
    is_status(storer_get_multi_level(scene.store, variant.base_key, &request, &validator, NOW, &view,
                                     NULL, scene.pool), APR_NOTFOUND, "nothing is there now");
    ok(!validator.matched && !validator.need_revalidation && !validator.response_etag.data,
       "and nothing is left of the match before");
    apr_pool_destroy(scene.pool);
}

/* ---- keys ---- */

static apr_status_t append_key(void *baton, storer_bytes_t real_key)
{
    apr_array_header_t *keys = baton;

    APR_ARRAY_PUSH(keys, const char *) = apr_pstrmemdup(keys->pool, real_key.data, real_key.len);
    return APR_SUCCESS;
}

static void lists(apr_pool_t *parent)
{
    apr_array_header_t *keys;
    storer_variant_t variant;
    apr_size_t length;
    scene_t scene;
    char data[100];

    open_scene(&scene, parent);
    keys = apr_array_make(scene.pool, 4, sizeof(const char *));
    store_key(&scene, "key", NOW);
    variant = variant_of("brief", NULL, NULL);
    variant.expiry.fresh_until = variant.expiry.stale_until = NOW + 1;
    store_variant(&scene, &variant);
    is_status(storer_list_keys(scene.store, NOW + 1, append_key, keys, scene.pool), APR_SUCCESS,
              "the list, later");
    is_string(apr_array_pstrcat(scene.pool, keys, ' '), "key", "what has not expired, by its real key");
    apr_array_clear(keys);
    length = add_entry(data, "live", 1);
    set_mapping(&scene, data, length);
    is_status(storer_list_keys(scene.store, NOW, append_key, keys, scene.pool), APR_SUCCESS, "list");
    is_int(keys->nelts, 1, "an entry made by hand");
    apr_array_clear(keys);
    memcpy(data + length, "\x0a\x05", 2);
    set_mapping(&scene, data, length + 2);
    is_status(storer_list_keys(scene.store, NOW, append_key, keys, scene.pool), APR_SUCCESS, "list");
    is_int(keys->nelts, 0, "nothing of a damaged mapping");
    apr_pool_destroy(scene.pool);
}

static apr_size_t delete_matching(scene_t *scene, const char *text)
{
    storer_pattern_t *pattern;
    const char *errmsg;
    apr_size_t deleted = 99;

    if (storer_pattern_compile(&pattern, storer_bytes(text), &errmsg, scene->pool) != APR_SUCCESS) {
        bail_out("%s: %s", text, errmsg);
    }
    is_status(storer_delete_many(scene->store, pattern, NOW, &deleted, scene->pool), APR_SUCCESS,
              "delete %s", text);
    return deleted;
}

static void deletes(apr_pool_t *parent)
{
    scene_t scene;

    open_scene(&scene, parent);
    store_key(&scene, "a", NOW);
    store_key(&scene, "b", NOW + 1);
    store_key(&scene, "c", NOW + 2);
    is_int((long long)delete_matching(&scene, "IDX_"), 0, "nobody sees the prefix");
    is_int((long long)delete_matching(&scene, "^c$"), 1, "a value alone");
    is_status(find(&scene, NULL, NOW), APR_SUCCESS, "the others are still found");
    is_int((long long)delete_matching(&scene, "^url$"), 3, "a URL: its mapping and two values");
    is_int((long long)plain_versions(scene.store), 0, "nothing is left");
    store_key(&scene, "a", NOW);
    store_key(&scene, "b", NOW + 1);
    is_int((long long)delete_matching(&scene, ""), 3, "all: each key counts once");
    is_int((long long)plain_versions(scene.store), 0, "nothing is left");
    store_key(&scene, "a", NOW);
    set_mapping(&scene, "\x0a\x03\x0a\x01" "a\x0a\x05", 7);
    is_int((long long)delete_matching(&scene, "^url$"), 2, "a damaged mapping, as far as it goes");
    is_int((long long)plain_versions(scene.store), 0, "nothing is left");
    apr_pool_destroy(scene.pool);
}

int main(void)
{
    static void (*const tests[])(apr_pool_t *) = {
        values_that_are_gone, the_number_of_variants, the_length_of_a_mapping, the_number_of_headers,
        as_long_as_its_longest, utf8_at_all_places, damaged, too_long, busy_work, strange_keys,
        not_utf8, one_kind_wanted, validators, lists, deletes
    };
    apr_pool_t *pool;
    size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        tests[i](pool);
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
