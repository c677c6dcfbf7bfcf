/* SPDX-License-Identifier: Apache-2.0
 *
 * storerctl.h - the command line tool. It asks the admin API, or reads what it may without httpd: the
 * counters in the runtime directory, and a store in a file.
 *
 *   main.c      options, and which command
 *   api.c       the admin API
 *   transfer.c  requests by libcurl, for it and for warm
 *   numbers.c   stats, top
 *   entries.c   list, show, purge
 *   direct.c    the same on a store in a file; check
 *   text.c      bytes from outside as a person reads them
 *   warm.c      warm
 *   urls.c      the URLs of a list or a sitemap, for warm
 */
#ifndef STORERCTL_H
#define STORERCTL_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <jansson.h>

#include <stdio.h>

/** Exit codes; the man page says what they mean. */
typedef enum tool_exit_e {
    TOOL_OK,
    TOOL_NO,          /**< nothing found; damage found */
    TOOL_USAGE,
    TOOL_UNREACHABLE, /**< no server, no file */
    TOOL_REFUSED,     /**< by the server: 401, 403 */
    TOOL_FAILED
} tool_exit_e;

typedef struct tool_t {
    const char         *url;          /**< of the API, without "/" at its end */
    const char         *stats_file;
    const char         *store;        /**< a store's file; NULL: by the API */
    const char         *host;         /**< the virtual host that is asked; NULL: the one in url */
    const char         *scope;        /**< of the last answer of the API: the virtual host whose entries
                                           it sees, "*" for all; NULL: it did not say */
    const char         *user;         /**< USER:PASSWORD; NULL: none */
    apr_array_header_t *headers;      /**< of const char *: "Name: value" */
    int                 json, soft, insecure, no_count, url_given;
    double              interval, rate;
    long                count, limit;
    apr_pool_t         *pool;
    int                 argc;         /**< of the command: its arguments */
    const char *const  *argv;
} tool_t;

typedef tool_exit_e tool_command_fn(tool_t *tool);

/** "storerctl: ..." to standard error, control characters of the arguments shown as \xNN.
 * @return what is given as the exit code */
tool_exit_e tool_fail(tool_exit_e code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** A number of bytes for people, in pool: "1.5M". */
const char *tool_size(double bytes, apr_pool_t *pool);

/** A string of a server's answer, for a person to read: text_printable(), in pool. "-": no string. */
const char *tool_string(const json_t *json, apr_pool_t *pool);

/** Whether standard output is a terminal that may be redrawn. */
int tool_is_terminal(void);

/** list has found no key in a place: says so. @return TOOL_NO */
tool_exit_e entries_none(const tool_t *tool, const char *place);

tool_command_fn numbers_stats, numbers_top;
tool_command_fn entries_list, entries_show, entries_purge;
tool_command_fn direct_list, direct_show, direct_purge, direct_check;
tool_command_fn warm_run;

/**
 * One call of the API.
 * @param method "GET" ...; body: JSON or NULL
 * @param path   behind the URL, with its query; escaped
 * @param answer a new reference; NULL where there is no JSON
 * @param next   the query of the next page, in pool; NULL: there is none. May be NULL
 * @return TOOL_OK; TOOL_NO for 404; others after a message
 */
tool_exit_e api_call(tool_t *tool, const char *method, const char *path, const char *body,
                     json_t **answer, const char **next);

/** Whether the API's URL is on this machine, so that it names no virtual host. */
int api_is_local(const tool_t *tool);

/** Ask the virtual host that a URL (or an authority alone) names, unless --host or --url names one. */
void api_take_host(tool_t *tool, const char *url);

/** The API's URL, and which virtual host's entries it sees, as far as the last answer told; in pool. */
const char *api_place(const tool_t *tool);

/** A text for a query, escaped, in pool. */
const char *api_escape(const tool_t *tool, const char *text);

#endif /* STORERCTL_H */
