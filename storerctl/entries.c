/* SPDX-License-Identifier: Apache-2.0
 *
 * entries.c - list, show and purge by the admin API.
 */
#include "storerctl.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

#define PAGE 1000

static void print_json(const json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    fputc('\n', stdout);
}

/* ---- list ---- */

/* @return how many were printed */
static long print_keys(const tool_t *tool, const json_t *page, long left, apr_pool_t *scratch)
{
    size_t i;
    const json_t *key;

    json_array_foreach(page, i, key) {
        if ((long)i == left) {
            break;
        }
        if (tool->json) {
            print_json(key);
        }
        else {
            puts(tool_string(key, scratch));
        }
    }
    return (long)i;
}

tool_exit_e entries_none(const tool_t *tool, const char *place)
{
    return tool->argc > 0 ? tool_fail(TOOL_NO, "%s: no key matches \"%s\"", place, tool->argv[0])
                          : tool_fail(TOOL_NO, "%s: no responses are stored", place);
}

tool_exit_e entries_list(tool_t *tool)
{
    long left = tool->limit ? tool->limit : -1, printed = 0;
    apr_pool_t *scratch;
    const char *query = apr_psprintf(tool->pool, "?limit=%d%s%s", PAGE,
                                     tool->argc > 0 ? "&pattern=" : "",
                                     tool->argc > 0 ? api_escape(tool, tool->argv[0]) : "");

    if (tool->argc > 1) {
        return tool_fail(TOOL_USAGE, "list: one pattern, or none");
    }
    apr_pool_create(&scratch, tool->pool);
    while (query && left != 0) {
        json_t *page;
        const char *next;
        tool_exit_e result = api_call(tool, "GET", query, NULL, &page, &next);
        long count = print_keys(tool, page, left, scratch);

        json_decref(page);
        apr_pool_clear(scratch);
        if (result != TOOL_OK) {
            return result == TOOL_NO ? entries_none(tool, api_place(tool)) : result;
        }
        printed += count;
        left -= left > 0 ? count : 0;
        query = next;
    }
    return printed ? TOOL_OK : entries_none(tool, api_place(tool));
}

/* ---- show ---- */

static long long number_of(const json_t *json, const char *name)
{
    return (long long)json_integer_value(json_object_get(json, name));
}

static void print_variant(const json_t *variant, apr_pool_t *pool)
{
    const json_t *line, *tag;
    size_t i;

    printf("%s\n", tool_string(json_object_get(variant, "key"), pool));
    printf("  state        %s: %s\n", tool_string(json_object_get(variant, "state"), pool),
           tool_string(json_object_get(variant, "why"), pool));
    printf("  status       %lld\n", number_of(variant, "status"));
    printf("  served to    %s\n", tool_string(json_object_get(variant, "served_to"), pool));
    printf("  hits         %lld\n", number_of(variant, "hits"));
    printf("  stored       %s%s\n", tool_size((double)number_of(variant, "stored_bytes"), pool),
           json_is_true(json_object_get(variant, "compressed")) ? ", compressed" : "");
    printf("  received     %s\n", tool_string(json_object_get(variant, "received_at"), pool));
    printf("  fresh until  %s\n", tool_string(json_object_get(variant, "fresh_until"), pool));
    printf("  kept until   %s\n", tool_string(json_object_get(variant, "kept_until"), pool));
    printf("  tags        ");
    json_array_foreach(json_object_get(variant, "tags"), i, tag) {
        printf(" %s", tool_string(tag, pool));
    }
    printf("\n");
    json_array_foreach(json_object_get(variant, "headers"), i, line) {
        printf("    %s: %s\n", tool_string(json_array_get(line, 0), pool),
               tool_string(json_array_get(line, 1), pool));
    }
}

tool_exit_e entries_show(tool_t *tool)
{
    const json_t *variant;
    json_t *answer;
    tool_exit_e result;
    size_t i;

    if (tool->argc != 1) {
        return tool_fail(TOOL_USAGE, "show: expected one URL");
    }
    api_take_host(tool, tool->argv[0]);
    result = api_call(tool, "GET", apr_pstrcat(tool->pool, "/entry?url=",
                                               api_escape(tool, tool->argv[0]), NULL), NULL, &answer,
                      NULL);
    if (result == TOOL_NO) {
        (void)tool_fail(TOOL_NO, "%s is not stored, says %s", tool->argv[0], api_place(tool));
    }
    else if (result == TOOL_OK && tool->json) {
        print_json(answer);
    }
    else if (result == TOOL_OK) {
        json_array_foreach(json_object_get(answer, "variants"), i, variant) {
            print_variant(variant, tool->pool);
        }
    }
    json_decref(answer);
    return result;
}

/* ---- purge ---- */

/* The API's name for a type, and for the words that people use. */
static const char *type_of(const char *name)
{
    static const char *const names[][2] = {
        { "uri", "uri" }, { "url", "uri" }, { "uri-prefix", "uri-prefix" },
        { "prefix", "uri-prefix" }, { "origin", "origin" }, { "host", "origin" },
        { "group", "group" }, { "tag", "group" }, { "pattern", "pattern" },
        { "everything", "everything" }, { NULL, NULL }
    };
    int i;

    for (i = 0; names[i][0]; i++) {
        if (strcmp(names[i][0], name) == 0) {
            return names[i][1];
        }
    }
    return NULL;
}

/* Types whose selector begins with a host. */
static int names_a_host(const char *type)
{
    return strcmp(type, "uri") == 0 || strcmp(type, "uri-prefix") == 0 || strcmp(type, "origin") == 0;
}

static json_t *purge_message(const tool_t *tool, const char *type)
{
    json_t *message = json_pack("{s:s, s:b, s:b}", "type", type, "purge", !tool->soft, "count",
                                !tool->no_count);
    int i;

    if (tool->argc > 1) {
        json_t *selectors = json_array();

        for (i = 1; i < tool->argc; i++) {
            json_array_append_new(selectors, json_string(tool->argv[i]));
        }
        json_object_set_new(message, "selectors", selectors);
    }
    return message;
}

static tool_exit_e print_purged(const tool_t *tool, const json_t *answer)
{
    const json_t *purged = json_object_get(answer, "purged");

    if (tool->json) {
        print_json(answer);
    }
    else if (purged) {
        printf("purged %lld\n", (long long)json_integer_value(purged));
    }
    else {
        puts("purged");
    }
    return purged && json_integer_value(purged) == 0
           ? tool_fail(TOOL_NO, "the purge met no response in %s", api_place(tool)) : TOOL_OK;
}

tool_exit_e entries_purge(tool_t *tool)
{
    const char *type = tool->argc > 0 ? type_of(tool->argv[0]) : NULL;
    json_t *message, *answer;
    char *body;
    tool_exit_e result;

    if (!type || (strcmp(type, "everything") == 0) != (tool->argc == 1)) {
        return tool_fail(TOOL_USAGE, "purge: expected everything, or one of uri, uri-prefix, host, tag "
                         "and pattern with a selector");
    }
    if (names_a_host(type)) {
        api_take_host(tool, tool->argv[1]);
    }
    message = purge_message(tool, type);
    body = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    result = api_call(tool, "POST", "", body, &answer, NULL);
    free(body);
    if (result == TOOL_OK) {
        result = print_purged(tool, answer);
    }
    json_decref(answer);
    return result;
}
