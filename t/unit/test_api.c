/* SPDX-License-Identifier: Apache-2.0
 *
 * test_api.c - storage/api.c: the table is complete, tells what it has, and its parts are enough for
 * multi-level slots of an engine's own.
 */
#include "storer_host.h"
#include "tap.h"

#include <apr_strings.h>
#include <string.h>

#define T0 ((apr_time_t)1700000000 * APR_USEC_PER_SEC)
#define SECONDS(n) ((apr_interval_time_t)(n) * APR_USEC_PER_SEC)

static void complete(void)
{
    const char *at = (const char *)&storer_api + offsetof(storer_api_t, log);
    const char *end = (const char *)&storer_api + sizeof(storer_api);
    int missing = 0, count = 0;

    for (; at < end; at += sizeof(void *)) {
        void *function;

        memcpy(&function, at, sizeof(function));
        missing += function == NULL;
        count++;
    }
    is_int(missing, 0, "none of %d functions is missing", count);
    is_int(storer_api.abi_version, STORER_ABI_VERSION, "it has the version of the header");
}

static void growth(void)
{
    storer_api_t older = storer_api;

    ok(STORER_API_HAS(&storer_api, log), "the first function is there");
    ok(STORER_API_HAS(&storer_api, set_multi_level), "and the last one of today");
    older.size = offsetof(storer_api_t, set_multi_level);
    ok(!STORER_API_HAS(&older, set_multi_level), "an older host does not have it");
    ok(STORER_API_HAS(&older, get_multi_level), "but the one before");
}

static char logged[200];

static void take_line(void *baton, storer_log_level_e level, apr_status_t rv, const char *message)
{
    (void)baton, (void)level, (void)rv;
    apr_cpystrn(logged, message, sizeof(logged));
}

static void options_and_log(void)
{
    storer_env_t env = { .log = take_line, .api = &storer_api };
    apr_interval_time_t duration = 0;
    apr_off_t size = 0;

    is_status(env.api->parse_size("16M", &size), APR_SUCCESS, "a size");
    is_int(size, 16 * 1024 * 1024, "is in bytes");
    is_status(env.api->parse_duration("50ms", &duration), APR_SUCCESS, "a duration");
    is_int(duration, 50000, "is in microseconds");
    env.api->log(&env, STORER_LOG_INFO, APR_SUCCESS, "%d of %s", 7, "them\n");
    is_string(logged, "7 of them?", "a line is formatted, and stays one line");
}

static storer_bytes_t no_header(void *baton, storer_bytes_t name)
{
    static const storer_bytes_t none = { NULL, 0 };

    (void)baton, (void)name;
    return none;
}

static storer_variant_t variant_of(const char *varied_key, apr_time_t stored_at)
{
    storer_variant_t variant = {
        .base_key = storer_bytes("base"), .varied_key = storer_bytes(varied_key),
        .real_key = storer_bytes("real"), .etag = storer_bytes("\"tag\""), .stored_at = stored_at,
        .expiry = { stored_at + SECONDS(60), stored_at + SECONDS(90) }, .max_variants = 2,
    };

    return variant;
}

/* What a set_multi_level and a get_multi_level of an engine's own do, without an engine. */
static void multi_level(apr_pool_t *pool)
{
    static const char *const keys[] = { "one", "two", "three" };
    const storer_request_t request = { no_header, NULL, NULL };
    apr_array_header_t *dropped = apr_array_make(pool, 2, sizeof(storer_bytes_t));
    storer_bytes_t mapping = { NULL, 0 };
    storer_expiry_t expiry = { 0, 0 };
    storer_candidate_t first, second;
    int damaged = 1;

    for (int i = 0; i < 3; i++) {
        storer_variant_t variant = variant_of(keys[i], T0 + SECONDS(i));

        apr_array_clear(dropped);
        is_status(storer_api.mapping_enter(NULL, mapping, &variant, T0, &mapping, &expiry, dropped,
                                           &damaged, pool), APR_SUCCESS, "enter %s", keys[i]);
    }
    is_int(dropped->nelts, 1, "of three variants one gives way to two");
    is_bytes(APR_ARRAY_IDX(dropped, 0, storer_bytes_t), storer_bytes("one"),
             "the one stored longest ago");
    is_int(damaged, 0, "nothing is damaged");
    is_int(expiry.fresh_until - T0, SECONDS(92), "the mapping lives as long as its last entry");
    is_status(storer_api.elect(mapping, &request, NULL, T0 + SECONDS(2), NULL, &first), APR_SUCCESS,
              "an election");
    is_bytes(first.key, storer_bytes("three"), "the latest");
    is_int(first.fresh, 1, "which is fresh");
    is_status(storer_api.elect(mapping, &request, NULL, T0 + SECONDS(2), &first, &second),
              APR_SUCCESS, "the next best");
    is_bytes(second.key, storer_bytes("two"), "the other one");
    is_status(storer_api.elect(mapping, &request, NULL, T0 + SECONDS(200), NULL, &first),
              APR_NOTFOUND, "nothing once all have expired");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    complete();
    growth();
    options_and_log();
    multi_level(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
