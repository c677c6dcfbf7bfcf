/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c - see storerctl.h: options, and which command.
 */
#include "storerctl.h"
#include "text.h"

#include "../mod_cache_storer/stats/stats_layout.h"

#include <apr_general.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include <curl/curl.h>

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define URL_DEFAULT "http://localhost/cache-storer"

typedef struct command_t {
    const char      *name;
    tool_command_fn *api, *direct;   /* direct: with --store; NULL: there is no such way */
    const char      *arguments, *what;
} command_t;

static const command_t commands[] = {
    { "stats", numbers_stats, numbers_stats, "", "counters and stores" },
    { "top", numbers_top, NULL, "", "the same, again and again, and what is popular" },
    { "list", entries_list, direct_list, "[PATTERN]", "keys, in order" },
    { "show", entries_show, direct_show, "URL", "one URL with all its variants" },
    { "purge", entries_purge, direct_purge, "TYPE [SELECTOR ...]",
      "uri, uri-prefix, host, tag, pattern or everything" },
    { "warm", warm_run, NULL, "FILE|URL", "fetch each URL of a list or a sitemap" },
    { "check", NULL, direct_check, "[FILE]", "whether a store in a file is sound" },
    { NULL, NULL, NULL, NULL, NULL }
};

static const apr_getopt_option_t options[] = {
    { "url", 'u', 1, "of the admin API (else $STORERCTL_URL, else " URL_DEFAULT ")" },
    { "host", 'a', 1, "the virtual host that is asked (else that of a URL to show or purge)" },
    { "header", 'H', 1, "a field for each request to it: \"Name: value\"; again for more" },
    { "user", 'U', 1, "USER:PASSWORD for it; $STORERCTL_USER keeps it out of the list of processes" },
    { "insecure", 'k', 0, "take any certificate" },
    { "stats", 's', 1, "the file of the counters (else the one in httpd's runtime directory)" },
    { "store", 'S', 1, "a store's file (path= of CacheStorer): without the API" },
    { "json", 'j', 0, "JSON to standard output, one value, or one a line" },
    { "soft", 'o', 0, "purge: stale at once, served while it is fetched again" },
    { "no-count", 'c', 0, "purge: do not count what it meets, which takes a look at every key" },
    { "limit", 'l', 1, "list: no more than so many keys" },
    { "interval", 'i', 1, "top: seconds between two looks (2)" },
    { "count", 'n', 1, "top: end after so many" },
    { "rate", 'r', 1, "warm: URLs a second, at most (10)" },
    { "help", 'h', 0, "this" },
    { "version", 'V', 0, "the release" },
    { NULL, 0, 0, NULL }
};

tool_exit_e tool_fail(tool_exit_e code, const char *format, ...)
{
    va_list arguments;
    apr_pool_t *pool;
    const char *text;

    apr_pool_create(&pool, NULL);
    va_start(arguments, format);
    text = apr_pvsprintf(pool, format, arguments);
    va_end(arguments);
    fprintf(stderr, "storerctl: %s\n", text_printable(text, strlen(text), pool));
    apr_pool_destroy(pool);
    return code;
}

const char *tool_size(double bytes, apr_pool_t *pool)
{
    static const char units[] = "BKMGTP";
    int unit = 0;

    while (bytes >= 1024 && units[unit + 1]) {
        bytes /= 1024;
        unit++;
    }
    return apr_psprintf(pool, unit && bytes < 100 ? "%.1f%c" : "%.0f%c", bytes, units[unit]);
}

const char *tool_string(const json_t *json, apr_pool_t *pool)
{
    const char *text = json_string_value(json);

    return text ? text_printable(text, json_string_length(json), pool) : "-";
}

int tool_is_terminal(void)
{
    const char *kind = getenv("TERM");

    return isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb") != 0;
}

static void help(FILE *to)
{
    const command_t *command;
    const apr_getopt_option_t *option;

    fputs("usage: storerctl [OPTION ...] COMMAND [ARGUMENT ...]\n\n", to);
    for (command = commands; command->name; command++) {
        fprintf(to, "  %-6s %-20s %s\n", command->name, command->arguments, command->what);
    }
    fputc('\n', to);
    for (option = options; option->name; option++) {
        fprintf(to, "  -%c, --%-9s %s %s\n", option->optch, option->name,
                option->has_arg ? "..." : "   ", option->description);
    }
    fputs("\nExit: 0 done; 1 nothing found, or damage; 2 usage; 3 not reachable; 4 refused; 5 failed.\n"
          "See storerctl(1).\n", to);
}

/* A positive number. @return 0: it is none */
static int read_number(const char *text, double *number)
{
    char *end;

    errno = 0;
    *number = strtod(text, &end);
    return !errno && end != text && !*end && *number > 0 && *number < 1e9;
}

static tool_exit_e take_number(tool_t *tool, int option, const char *text)
{
    double number;

    if (!read_number(text, &number)) {
        return tool_fail(TOOL_USAGE, "%s: expected a positive number", text);
    }
    switch (option) {
    case 'i':
        tool->interval = number;
        break;
    case 'r':
        tool->rate = number;
        break;
    case 'n':
        tool->count = (long)number;
        break;
    default:
        tool->limit = (long)number;
        break;
    }
    return TOOL_OK;
}

static tool_exit_e take_option(tool_t *tool, int option, const char *value)
{
    switch (option) {
    case 'u':
        tool->url = value;
        tool->url_given = 1;
        return TOOL_OK;
    case 'a':
        tool->host = value;
        return TOOL_OK;
    case 'c':
        tool->no_count = 1;
        return TOOL_OK;
    case 'H':
        APR_ARRAY_PUSH(tool->headers, const char *) = value;
        return TOOL_OK;
    case 'U':
        tool->user = value;
        return TOOL_OK;
    case 'k':
        tool->insecure = 1;
        return TOOL_OK;
    case 's':
        tool->stats_file = value;
        return TOOL_OK;
    case 'S':
        tool->store = value;
        return TOOL_OK;
    case 'j':
        tool->json = 1;
        return TOOL_OK;
    case 'o':
        tool->soft = 1;
        return TOOL_OK;
    case 'h':
        help(stdout);
        exit(TOOL_OK);
    case 'V':
        puts("storerctl " PACKAGE_VERSION);
        exit(TOOL_OK);
    default:
        return take_number(tool, option, value);
    }
}

static tool_exit_e read_options(tool_t *tool, int argc, const char *const *argv)
{
    apr_getopt_t *state;
    const char *value;
    int option;
    apr_status_t rv;

    if (apr_getopt_init(&state, tool->pool, argc, argv) != APR_SUCCESS) {
        return TOOL_FAILED;
    }
    state->interleave = 1;
    for (rv = apr_getopt_long(state, options, &option, &value); rv == APR_SUCCESS;
         rv = apr_getopt_long(state, options, &option, &value)) {
        tool_exit_e taken = take_option(tool, option, value);

        if (taken != TOOL_OK) {
            return taken;
        }
    }
    if (rv != APR_EOF || state->ind >= argc) {
        help(stderr);
        return TOOL_USAGE;
    }
    tool->argc = argc - state->ind;
    tool->argv = state->argv + state->ind;
    return TOOL_OK;
}

static tool_exit_e run(tool_t *tool)
{
    const char *name = tool->argv[0];
    const command_t *command;

    for (command = commands; command->name; command++) {
        if (strcmp(command->name, name) == 0) {
            tool->argc--;
            tool->argv++;
            if (tool->store || !command->api) {
                return command->direct ? command->direct(tool)
                       : tool_fail(TOOL_USAGE, "%s does not take --store", name);
            }
            return command->api(tool);
        }
    }
    return tool_fail(TOOL_USAGE, "unknown command \"%s\"; see storerctl --help", name);
}

int main(int argc, const char *const *argv)
{
    tool_t tool = { 0 };
    const char *url = getenv("STORERCTL_URL");
    tool_exit_e result;
    apr_size_t length;

    apr_initialize();
    apr_pool_create(&tool.pool, NULL);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    tool.url = url ? url : URL_DEFAULT;
    tool.url_given = url != NULL;
    tool.user = getenv("STORERCTL_USER");
    tool.headers = apr_array_make(tool.pool, 2, sizeof(const char *));
    tool.stats_file = STORERCTL_RUNTIME_DIR "/" STATS_FILE_NAME;
    tool.interval = 2;
    tool.rate = 10;
    result = read_options(&tool, argc, argv);
    if (result == TOOL_OK) {
        length = strlen(tool.url);
        while (length > 0 && tool.url[length - 1] == '/') {
            length--;
        }
        tool.url = apr_pstrmemdup(tool.pool, tool.url, length);
        result = run(&tool);
    }
    if (fflush(stdout) != 0 && result == TOOL_OK) {
        result = TOOL_FAILED;
    }
    curl_global_cleanup();
    apr_pool_destroy(tool.pool);
    apr_terminate();
    return (int)result;
}
