/* SPDX-License-Identifier: Apache-2.0
 *
 * direct.c - a store in a file (CacheStorer memory path=FILE), without httpd: its keys, one URL, purges
 * that are in effect for all processes that use it, and whether it is sound.
 */
#include "storerctl.h"
#include "text.h"

#include "../mod_cache_storer/http/key.h"
#include "../mod_cache_storer/purge/labels.h"
#include "../mod_cache_storer/purge/tags.h"
#include "../mod_cache_storer/http/record.h"

#include "../storage/memory/inspect.h"
#include "../storage/storer_host.h"

#include <apr_strings.h>
#include <apr_time.h>

#include <grp.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Has no rights on any system: "nobody". */
#define USER_NOBODY 65534

static void say(void *baton, storer_log_level_e level, apr_status_t rv, const char *message)
{
    (void)baton;
    (void)rv;
    if (level <= STORER_LOG_WARNING) {
        (void)tool_fail(TOOL_OK, "%s", message);
    }
}

static storer_env_t *environment(tool_t *tool)
{
    storer_env_t *env = apr_pcalloc(tool->pool, sizeof(*env));

    env->pool = tool->pool;
    env->log = say;
    env->api = &storer_api;
    return env;
}

static tool_exit_e opened(apr_status_t rv, const char *problem)
{
    char reason[120];

    return rv == APR_SUCCESS ? TOOL_OK
           : tool_fail(TOOL_UNREACHABLE, "%s", problem ? problem
                       : apr_strerror(rv, reason, sizeof(reason)));
}

static tool_exit_e attach(tool_t *tool, storer_t **store)
{
    const char *problem = NULL;
    apr_status_t rv = inspect_read(store, tool->store, environment(tool), &problem);

    return opened(rv, problem);
}

/* ---- list and show ---- */

typedef struct walk_t {
    tool_t           *tool;
    storer_t         *store;
    storer_pattern_t *pattern;
    long              printed;
    apr_pool_t       *scratch;
} walk_t;

static void print_key(const tool_t *tool, storer_bytes_t shown, storer_bytes_t variant,
                      apr_pool_t *scratch)
{
    apr_size_t length = shown.len + variant.len;
    char *key = apr_palloc(scratch, length + 1);

    memcpy(key, shown.data, shown.len);
    memcpy(key + shown.len, variant.data, variant.len);
    if (tool->json) {
        json_t *text = json_string(text_utf8(key, length, scratch));

        json_dumpf(text, stdout, JSON_ENCODE_ANY);
        putchar('\n');
        json_decref(text);
    }
    else {
        puts(text_printable(key, length, scratch));
    }
}

static const char *printable(const char *text, apr_pool_t *pool)
{
    return text ? text_printable(text, strlen(text), pool) : "";
}

static apr_status_t list_key(void *baton, storer_bytes_t key, storer_view_t *value)
{
    walk_t *walk = baton;
    storer_bytes_t base = key_base(key), shown, variant;

    (void)value;
    if (base.len == 0) {
        return APR_SUCCESS;
    }
    apr_pool_clear(walk->scratch);
    shown = key_show(base, walk->scratch);
    if (walk->pattern) {
        apr_status_t rv = storer_pattern_match(walk->pattern, shown);

        if (rv != APR_SUCCESS) {
            return APR_STATUS_IS_NOTFOUND(rv) ? APR_SUCCESS : rv;
        }
    }
    variant.data = key.data + base.len;
    variant.len = key.len - base.len;
    print_key(walk->tool, shown, variant, walk->scratch);
    walk->printed++;
    return walk->tool->limit && walk->printed >= walk->tool->limit ? APR_EOF : APR_SUCCESS;
}

tool_exit_e direct_list(tool_t *tool)
{
    walk_t walk = { tool, NULL, NULL, 0, NULL };
    const char *problem;
    tool_exit_e result = attach(tool, &walk.store);
    apr_status_t rv;

    if (result != TOOL_OK) {
        return result;
    }
    if (tool->argc > 0 && storer_pattern_compile(&walk.pattern, storer_bytes(tool->argv[0]), &problem,
                                                 tool->pool) != APR_SUCCESS) {
        return tool_fail(TOOL_USAGE, "the pattern %s: %s", tool->argv[0], problem);
    }
    apr_pool_create(&walk.scratch, tool->pool);
    rv = storer_map_keys(walk.store, storer_bytes(""), apr_time_now(), list_key, &walk, tool->pool);
    if (rv != APR_SUCCESS) {
        return tool_fail(TOOL_FAILED, "%s: the walk over the store failed", tool->store);
    }
    return walk.printed ? TOOL_OK : entries_none(tool, tool->store);
}

static apr_status_t show_value(void *baton, storer_bytes_t key, storer_view_t *value)
{
    walk_t *walk = baton;
    apr_pool_t *pool = walk->tool->pool;
    storer_bytes_t base = key_base(key), variant = { key.data + base.len, key.len - base.len };
    apr_off_t length = value->length;
    apr_uint64_t hits = value->hits;
    const apr_array_header_t *lines;
    record_t record;
    int i;

    if (record_decode(value, &record, pool) != APR_SUCCESS) {
        (void)tool_fail(TOOL_NO, "%.*s is damaged", (int)key.len, key.data);
        return APR_SUCCESS;
    }
    print_key(walk->tool, key_show(base, pool), variant, pool);
    walk->printed++;
    if (walk->tool->json) {
        return APR_SUCCESS;
    }
    printf("  status       %d\n  hits         %" APR_UINT64_T_FMT "\n  stored       %s\n  tags"
           "         %s\n", record.status, hits, tool_size((double)length, pool),
           printable(record.tags, pool));
    lines = apr_table_elts(record.headers);
    for (i = 0; i < lines->nelts; i++) {
        const apr_table_entry_t *line = &APR_ARRAY_IDX(lines, i, apr_table_entry_t);

        printf("    %s: %s\n", printable(line->key, pool), printable(line->val, pool));
    }
    return APR_SUCCESS;
}

tool_exit_e direct_show(tool_t *tool)
{
    walk_t walk = { tool, NULL, NULL, 0, NULL };
    const char *key = tool->argc == 1 ? key_read(tool->argv[0], tool->pool) : NULL;
    tool_exit_e result;

    if (!key) {
        return tool_fail(TOOL_USAGE, "show: expected one URL");
    }
    result = attach(tool, &walk.store);
    if (result != TOOL_OK) {
        return result;
    }
    if (storer_map_variants(walk.store, storer_bytes(key), apr_time_now(), show_value, &walk,
                            tool->pool) != APR_SUCCESS) {
        return tool_fail(TOOL_FAILED, "%s: the look-up failed", tool->store);
    }
    return walk.printed ? TOOL_OK : tool_fail(TOOL_NO, "%s is not stored", tool->argv[0]);
}

/* ---- purge ---- */

/* The labels of what is meant. @return 0: there is no such type, or it needs a walk */
static int labels_of_order(tool_t *tool, apr_array_header_t *labels)
{
    const char *type = tool->argv[0];
    int i;

    if (strcmp(type, "everything") == 0) {
        APR_ARRAY_PUSH(labels, apr_uint64_t) = labels_everything();
        return tool->argc == 1;
    }
    for (i = 1; i < tool->argc; i++) {
        const char *text = tool->argv[i], *key;

        if (strcmp(type, "uri") == 0) {
            key = key_read(text, tool->pool);
            if (!key) {
                return 0;
            }
            APR_ARRAY_PUSH(labels, apr_uint64_t) = labels_url(storer_bytes(key));
        }
        else if (strcmp(type, "host") == 0) {
            APR_ARRAY_PUSH(labels, apr_uint64_t) = labels_host(storer_bytes(text));
        }
        else if (strcmp(type, "tag") == 0) {
            APR_ARRAY_PUSH(labels, apr_uint64_t) = labels_tag(storer_bytes(text));
        }
        else {
            return 0;
        }
    }
    return tool->argc > 1;
}

/* root gives its rights up first: the lock in the store can be written by httpd's children, and a mutex
 * has addresses in it. */
static tool_exit_e give_up_rights(const tool_t *tool)
{
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(USER_NOBODY) != 0
                           || setuid(USER_NOBODY) != 0)) {
        return tool_fail(TOOL_FAILED, "%s: root's rights cannot be given up", tool->store);
    }
    return TOOL_OK;
}

tool_exit_e direct_purge(tool_t *tool)
{
    apr_array_header_t *labels = apr_array_make(tool->pool, 4, sizeof(apr_uint64_t));
    const char *problem = NULL;
    storer_t *store;
    tool_exit_e result;
    apr_status_t rv;

    if (tool->argc < 1 || !labels_of_order(tool, labels)) {
        return tool_fail(TOOL_USAGE, "purge --store: expected everything, or one of uri, host and tag "
                         "with what is meant");
    }
    rv = inspect_purge(&store, tool->store, environment(tool), &problem);
    result = opened(rv, problem);
    if (result == TOOL_OK) {
        result = give_up_rights(tool);
    }
    if (result != TOOL_OK) {
        return result;
    }
    if (storer_purge(store, (const apr_uint64_t *)labels->elts, labels->nelts,
                     tool->soft ? STORER_PURGE_SOFT : STORER_PURGE_HARD, apr_time_now())
        != APR_SUCCESS) {
        return tool_fail(TOOL_FAILED, "%s: the purge failed", tool->store);
    }
    puts(tool->json ? "{\"purge\":true}" : "purged");
    return TOOL_OK;
}

/* ---- check ---- */

typedef struct check_t {
    long        values, foreign, broken;
    apr_pool_t *scratch;
} check_t;

static apr_status_t check_value(void *baton, storer_bytes_t key, storer_view_t *value)
{
    check_t *check = baton;
    record_t record;

    apr_pool_clear(check->scratch);
    if (key_base(key).len == 0) {
        check->foreign++;
        return APR_SUCCESS;
    }
    check->values++;
    if (record_decode(value, &record, check->scratch) != APR_SUCCESS) {
        check->broken++;
        (void)tool_fail(TOOL_NO, "%.*s: the head of the response is damaged", (int)key.len, key.data);
    }
    return APR_SUCCESS;
}

static void print_check(const tool_t *tool, const check_t *check, int in_use, const char *problem)
{
    if (tool->json) {
        json_t *json = json_pack("{s:b, s:i, s:i, s:b, s:s?}", "sound", !problem && !check->broken,
                                 "responses", (int)check->values, "damaged", (int)check->broken,
                                 "in_use", in_use, "problem", problem);

        json_dumpf(json, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(json);
        return;
    }
    if (in_use) {
        puts("in use: what follows is of a copy made in the middle of changes");
    }
    if (problem) {
        printf("damaged: %s\n", problem);
        return;
    }
    printf("%s: %ld responses, %ld damaged, %ld mappings\n", check->broken ? "damaged" : "sound",
           check->values, check->broken, check->foreign);
}

tool_exit_e direct_check(tool_t *tool)
{
    const char *path = tool->argc == 1 ? tool->argv[0] : tool->store, *problem = NULL;
    check_t check = { 0, 0, 0, NULL };
    storer_t *store;
    int in_use = 0;
    apr_status_t rv;

    if (!path || tool->argc > 1) {
        return tool_fail(TOOL_USAGE, "check: expected the file of a store");
    }
    rv = inspect_copy(&store, path, environment(tool), &in_use, &problem);
    if (rv == APR_SUCCESS) {
        apr_pool_create(&check.scratch, tool->pool);
        if (storer_map_keys(store, storer_bytes(""), 0, check_value, &check, tool->pool)
            != APR_SUCCESS) {
            problem = "the walk over its keys does not end well";
        }
    }
    else if (rv != APR_EGENERAL) {
        return tool_fail(TOOL_UNREACHABLE, "%s", problem ? problem : path);
    }
    print_check(tool, &check, in_use, problem);
    return problem || check.broken ? TOOL_NO : TOOL_OK;
}
