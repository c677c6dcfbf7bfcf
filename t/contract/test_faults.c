/* SPDX-License-Identifier: Apache-2.0
 *
 * test_faults.c - what the library makes of an engine that fails: over all slots, calls, statuses
 * and kinds of failure. The status is passed on, no value is ever seen that was not stored whole,
 * nothing leaks, and the next store makes everything good.
 *
 * A URL with two variants, A (for "X: a") and B (for "X: b"), is stored in version 1. Then one
 * fault is set and everything is done that there is to do. What anybody may see meanwhile is looked
 * up behind the fault's back.
 */
#include "faulty.h"
#include "plain.h"
#include "tap.h"

#include <apr_strings.h>
#include <string.h>

#define NOW ((apr_time_t)1700000000 * APR_USEC_PER_SEC)
#define EXPIRY ((storer_expiry_t){ NOW + APR_USEC_PER_SEC * 60, NOW + APR_USEC_PER_SEC * 600 })

typedef struct scene_t {
    apr_pool_t *pool;
    storer_env_t env;
    storer_t *inner;
    storer_t *store;
    int warnings;
    apr_status_t status;     /* what the fault fails with */
    const char *name;        /* of the fault */
    int wrong;
} scene_t;

static void wrong(scene_t *scene, const char *what, apr_status_t rv)
{
    char text[120];

    scene->wrong++;
    diag("  %s: %s: %s", scene->name, what, apr_strerror(rv, text, sizeof(text)));
}

static void count_warning(void *baton, storer_log_level_e level, apr_status_t rv, const char *line)
{
    scene_t *scene = baton;

    (void)rv;
    (void)line;
    scene->warnings += level <= STORER_LOG_WARNING;
}

static storer_bytes_t find_header(void *baton, storer_bytes_t name)
{
    storer_bytes_t none = { NULL, 0 };

    return name.len == 1 && (*name.data == 'X' || *name.data == 'x') ? storer_bytes(baton) : none;
}

/* Longer than a part of the store's views. */
static storer_bytes_t value_of(scene_t *scene, const char *name, int version)
{
    return storer_bytes(apr_psprintf(scene->pool, "%s, version %d, and some more of it", name,
                                     version));
}

static storer_variant_t variant_of(const char *base, const char *name, storer_header_t *header)
{
    header->name = storer_bytes("X");
    header->value = storer_bytes(name);
    return (storer_variant_t){
        .base_key = storer_bytes(base),
        .varied_key = storer_bytes(name),
        .real_key = storer_bytes(name),
        .varied_headers = header,
        .varied_count = 1,
        .stored_at = NOW,
        .expiry = EXPIRY,
    };
}

static apr_status_t store(scene_t *scene, const char *base, const char *name, int version)
{
    storer_header_t header;
    storer_variant_t variant = variant_of(base, name, &header);

    return storer_set_multi_level(scene->store, &variant, value_of(scene, name, version), NOW,
                                  scene->pool);
}

static apr_status_t write_variant(scene_t *scene, const char *name, int version)
{
    storer_header_t header;
    storer_variant_t variant = variant_of("base", name, &header);
    storer_writer_t writer = STORER_WRITER_CLOSED;
    storer_bytes_t value = value_of(scene, name, version);
    apr_status_t rv;

    rv = storer_open_writer(scene->store, variant.varied_key, variant.expiry, -1, NOW, &writer,
                            scene->pool);
    for (apr_size_t at = 0; rv == APR_SUCCESS && at < value.len; at += 15) {
        storer_bytes_t piece = { value.data + at, value.len - at < 15 ? value.len - at : 15 };

        rv = storer_writer_append(&writer, piece);
    }
    if (rv != APR_SUCCESS) {
        storer_writer_abort(&writer);
        return rv;
    }
    return storer_commit_variant(&writer, &variant, NOW, scene->pool);
}

static apr_status_t elect(scene_t *scene, storer_t *from, const char *name, storer_bytes_t *value)
{
    storer_view_t fresh = STORER_VIEW_EMPTY, stale = STORER_VIEW_EMPTY;
    storer_request_t request = { find_header, (void *)name, NULL };
    apr_status_t rv;

    value->data = NULL;
    value->len = 0;
    rv = storer_get_multi_level(from, storer_bytes("base"), &request, NULL, NOW, &fresh, &stale,
                                scene->pool);
    if (rv == APR_SUCCESS) {
        rv = storer_view_flatten(&fresh, 10000, value, scene->pool);
        if (rv == APR_SUCCESS) {
            value->data = apr_pmemdup(scene->pool, value->data, value->len);
        }
    }
    storer_view_release(&fresh);
    storer_view_release(&stale);
    return rv;
}

static int is_version(scene_t *scene, storer_bytes_t value, const char *name, int version)
{
    storer_bytes_t want = value_of(scene, name, version);

    return value.len == want.len && memcmp(value.data, want.data, want.len) == 0;
}

/* What is there of a variant, after it was stored in version with this result, is that version, or,
 * if the result was a failure, the one before it or nothing. */
static void check_seen(scene_t *scene, const char *name, int version, apr_status_t result)
{
    storer_bytes_t value;
    apr_status_t rv;

    rv = elect(scene, scene->inner, name, &value);
    if (rv == APR_SUCCESS) {
        if (!is_version(scene, value, name, version)
            && (result == APR_SUCCESS || !is_version(scene, value, name, version - 1))) {
            wrong(scene, "a wrong value is seen", rv);
        }
    }
    else if (rv != APR_NOTFOUND || result == APR_SUCCESS) {
        wrong(scene, "a value cannot be seen", rv);
    }
}

/* A call during which the fault struck returns its status, any other one succeeds. */
static apr_status_t check_status(scene_t *scene, const char *what, apr_uint64_t strikes_before,
                                 apr_status_t rv)
{
    int struck = faulty_strikes(scene->store) != strikes_before;

    if (rv != (struck ? scene->status : APR_SUCCESS)) {
        wrong(scene, apr_psprintf(scene->pool, "%s (%s)", what, struck ? "struck" : "not struck"),
              rv);
    }
    return rv;
}

static apr_status_t append_name(void *baton, storer_bytes_t old, storer_bytes_t *value,
                                storer_expiry_t *expiry, apr_pool_t *scratch)
{
    (void)baton;
    *value = storer_bytes(apr_pstrcat(scratch, "!", old.data
                                      ? apr_pstrmemdup(scratch, old.data, old.len) : "",
                                      (char *)NULL));
    *expiry = EXPIRY;
    return APR_SUCCESS;
}

static apr_status_t nothing(void *baton, storer_bytes_t real_key)
{
    (void)baton;
    (void)real_key;
    return APR_SUCCESS;
}

static void do_reads(scene_t *scene, const char *name, int version, apr_status_t stored)
{
    apr_uint64_t strikes = faulty_strikes(scene->store);
    storer_bytes_t value;
    apr_status_t rv;

    rv = elect(scene, scene->store, name, &value);
    if (stored == APR_SUCCESS || faulty_strikes(scene->store) != strikes) {
        (void)check_status(scene, "elect", strikes, rv);
    }
    if (rv == APR_SUCCESS && !is_version(scene, value, name, version)
        && (stored == APR_SUCCESS || !is_version(scene, value, name, version - 1))) {
        wrong(scene, "a wrong value is elected", rv);
    }
}

static void do_rest(scene_t *scene)
{
    storer_pattern_t *pattern;
    const char *errmsg;
    apr_uint64_t strikes = faulty_strikes(scene->store);
    apr_status_t rv;

    rv = storer_update(scene->store, storer_bytes("count"), append_name, NULL, NOW, scene->pool);
    (void)check_status(scene, "update", strikes, rv);
    strikes = faulty_strikes(scene->store);
    rv = storer_list_keys(scene->store, NOW, nothing, NULL, scene->pool);
    (void)check_status(scene, "list_keys", strikes, rv);
    (void)storer_pattern_compile(&pattern, storer_bytes("^victim"), &errmsg, scene->pool);
    strikes = faulty_strikes(scene->store);
    rv = storer_delete_many(scene->store, pattern, NOW, NULL, scene->pool);
    (void)check_status(scene, "delete_many", strikes, rv);
    strikes = faulty_strikes(scene->store);
    rv = storer_delete_multi_level(scene->store, storer_bytes("other"), NOW, scene->pool);
    (void)check_status(scene, "delete_multi_level", strikes, rv);
}

static void do_everything(scene_t *scene)
{
    apr_uint64_t strikes = faulty_strikes(scene->store);
    apr_status_t stored_a, stored_b;

    stored_a = store(scene, "base", "a", 2);
    (void)check_status(scene, "set_multi_level", strikes, stored_a);
    check_seen(scene, "a", 2, stored_a);
    strikes = faulty_strikes(scene->store);
    stored_b = write_variant(scene, "b", 2);
    (void)check_status(scene, "commit_variant", strikes, stored_b);
    check_seen(scene, "b", 2, stored_b);
    check_seen(scene, "a", 2, stored_a);
    for (int i = 0; i < 2; i++) {
        do_reads(scene, "a", 2, stored_a);
        do_reads(scene, "b", 2, stored_b);
    }
    do_rest(scene);
}

static void make_good(scene_t *scene)
{
    storer_bytes_t value;
    apr_status_t rv;

    faulty_clear(scene->store);
    rv = store(scene, "base", "a", 3);
    if (rv == APR_SUCCESS) {
        rv = elect(scene, scene->store, "a", &value);
    }
    if (rv != APR_SUCCESS || !is_version(scene, value, "a", 3)) {
        wrong(scene, "the next store does not make it good", rv);
    }
    rv = write_variant(scene, "b", 3);
    if (rv == APR_SUCCESS) {
        rv = elect(scene, scene->store, "b", &value);
    }
    if (rv != APR_SUCCESS || !is_version(scene, value, "b", 3)) {
        wrong(scene, "the next writer does not make it good", rv);
    }
    if (faulty_open_views(scene->store) != 0 || faulty_open_writers(scene->store) != 0) {
        wrong(scene, "a view or a writer is left open", APR_SUCCESS);
    }
    (void)storer_reset(scene->inner);
    if (plain_versions(scene->inner) != 0) {
        wrong(scene, "a value is held after reset", APR_SUCCESS);
    }
}

/* Counts what went wrong, and how often the fault struck. */
typedef struct score_t {
    int wrong;
    apr_uint64_t strikes;
} score_t;

static void play(score_t *score, faulty_slot_e slot, int nth, apr_status_t status,
                 faulty_when_e when, apr_off_t space, const storer_option_t *options)
{
    scene_t scene;
    char text[120];

    memset(&scene, 0, sizeof(scene));
    apr_pool_create(&scene.pool, NULL);
    scene.env = (storer_env_t){ .pool = scene.pool, .log = count_warning,
                                .baton = &scene, .api = &storer_api };
    scene.status = status;
    scene.name = apr_psprintf(scene.pool, "%s %d %s \"%s\", space %ld", faulty_slot_name(slot), nth,
                              when == FAULTY_AFTER ? "after" : "instead",
                              apr_strerror(status, text, sizeof(text)), (long)space);
    if (plain_open(&scene.inner, options, &scene.env) != APR_SUCCESS) {
        bail_out("cannot make a store");
    }
    scene.store = faulty_create(scene.inner, &scene.env);
    if (store(&scene, "base", "a", 1) != APR_SUCCESS || store(&scene, "base", "b", 1) != APR_SUCCESS
        || store(&scene, "other", "victim 1", 1) != APR_SUCCESS
        || store(&scene, "other", "c", 1) != APR_SUCCESS) {
        bail_out("cannot store without a fault");
    }
    if (space >= 0) {
        faulty_space(scene.store, space);
    }
    else {
        faulty_fail(scene.store, slot, (apr_uint64_t)nth, status, when);
    }
    do_everything(&scene);
    make_good(&scene);
    if (scene.warnings > 0) {
        wrong(&scene, "what is returned was logged as well", APR_SUCCESS);
    }
    score->wrong += scene.wrong;
    score->strikes += faulty_strikes(scene.store);
    apr_pool_destroy(scene.pool);
}

static const faulty_slot_e slots[] = {
    FAULTY_GET, FAULTY_SET, FAULTY_DELETE, FAULTY_UPDATE, FAULTY_MAP_KEYS, FAULTY_OPEN_WRITER,
    FAULTY_VIEW_NEXT, FAULTY_WRITER_APPEND, FAULTY_WRITER_COMMIT,
};
static const apr_status_t statuses[] = { APR_EAGAIN, APR_TIMEUP, APR_ENOSPC, APR_EGENERAL };

static void play_slot(faulty_slot_e slot, const storer_option_t *options, const char *how)
{
    int plays = sizeof(statuses) / sizeof(statuses[0]);

    for (int nth = 0; nth <= 3; nth++) {
        score_t score = { 0, 0 };

        for (int i = 0; i < plays; i++) {
            play(&score, slot, nth, statuses[i], FAULTY_INSTEAD, -1, options);
            play(&score, slot, nth, statuses[i], FAULTY_AFTER, -1, options);
        }
        is_int(score.wrong, 0, "%s fails at call %d, %s", faulty_slot_name(slot), nth, how);
        ok(nth > 1 || score.strikes > 0, "and it really did (%d times)", (int)score.strikes);
    }
}

int main(void)
{
    static const storer_option_t whole[] = { { NULL, NULL } };
    static const storer_option_t in_parts[] = { { "part", "10" }, { NULL, NULL } };
    score_t score = { 0, 0 };

    apr_initialize();
    for (unsigned i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        if (slots[i] != FAULTY_VIEW_NEXT) {  /* of whole values it may never be called */
            play_slot(slots[i], whole, "values whole");
        }
        play_slot(slots[i], in_parts, "values in parts");
    }
    for (apr_off_t space = 0; space < 600; space += 7) {
        play(&score, FAULTY_SET, 0, APR_ENOSPC, FAULTY_INSTEAD, space, whole);
    }
    is_int(score.wrong, 0, "the store runs out of space");
    ok(score.strikes > 10, "and it really did (%d times)", (int)score.strikes);
    apr_terminate();
    return done_testing();
}
