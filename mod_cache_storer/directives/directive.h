/* SPDX-License-Identifier: Apache-2.0
 *
 * directive.h - one directive, as the table in directives.c tells it. From a row of that table are
 * made: httpd's command record, the value without the directive, the merging of virtual hosts with the
 * main server, and the error messages. docs/reference.md and README.md are checked against it by
 * build/lint.
 *
 * Everything here runs while the configuration is read; no request looks at the table.
 */
#ifndef DIRECTIVE_H
#define DIRECTIVE_H

#include "httpd.h"
#include "http_config.h"

/** More rows than the table has. */
#define DIRECTIVE_ROWS_MAX 64

/** One of the words that a directive takes. A list of them ends with word NULL. */
typedef struct directive_word_t {
    const char *word;
    int         value;
} directive_word_t;

typedef struct directive_t directive_t;

/** A directive in the configuration, or the default of one. */
typedef struct directive_use_t {
    const directive_t *directive;
    apr_pool_t        *pool;    /**< lives as long as the configuration */
    cmd_parms         *cmd;     /**< NULL: the words are those of the default */
} directive_use_t;

/**
 * Read the words behind the name of a directive, at least one, into its member.
 * @return what is wrong with them, in words that name the wrong one, without the name of the
 *         directive, its syntax and its default, which the caller adds; NULL: nothing. The member is
 *         changed on success only.
 */
typedef const char *directive_parse_fn(const directive_use_t *use, int argc, char *const argv[],
                                       void *member);

/**
 * Merge the member of a virtual host (add) with that of the main server (base), if a virtual host does
 * not simply take over a member that it does not set itself. merged begins as a copy of add.
 */
typedef void directive_merge_fn(apr_pool_t *pool, void *merged, const void *base, const void *add);

/** A row of the table. */
struct directive_t {
    const char *name;
    const char *syntax;         /**< the words behind the name */
    const char *by_default;     /**< the words that the server uses without the directive; NULL: none */
    const char *otherwise;      /**< what happens without the directive, if by_default is NULL */
    directive_parse_fn *parse;
    apr_size_t  offset;         /**< of the member of config_server_t, or of config_directory_t */
    apr_size_t  size;           /**< of the member; 0: the directive sets none */
    int         of_directory;   /**< the member is one of config_directory_t */
    int         most_words;     /**< 0: any number */
    int         repeats;        /**< each further one adds to those before */
    int         once;           /**< a second one for a server is refused; else it replaces the first */
    const directive_word_t *words; /**< for value_word() and the like */
    int         least, most;    /**< for value_number(); least for value_size() as well */
    directive_merge_fn *merge;  /**< NULL: a virtual host takes over what it does not set */
    const char *owner;          /**< the module that the directive belongs to; NULL: this one */
};

/** What httpd calls for each directive of this module. */
const char *directive_take(cmd_parms *cmd, void *directory, int argc, char *const argv[]);

/** What httpd calls for a directive of another module, which says itself what is wrong with it. */
const char *directive_see(cmd_parms *cmd, void *directory, int argc, char *const argv[]);

/** Give each member of a server's configuration the value that it has without its directive. */
void directives_fill(apr_pool_t *pool, void *config_server);

/** Each member that add does not set becomes that of base. merged begins as a copy of add. */
void directives_merge(apr_pool_t *pool, void *merged, const void *base, const void *add);

/** For the merge of a member that each server has for itself: it is not taken over. */
directive_merge_fn directive_keep_own;

/**
 * A sentence that says what to write: "Syntax: NAME WORDS; default: WORDS".
 * @param name of a directive of this module
 */
const char *directive_syntax(const char *name, apr_pool_t *pool);

/** The n-th word, from 0, of the default of a directive, which has that many. */
const char *directive_default_word(const directive_use_t *use, int n);

/** Whether warnings are due: httpd reads the configuration twice when it starts. */
int directive_warns(void);

/** "line N of FILE" */
const char *directive_place(const ap_directive_t *directive, apr_pool_t *pool);

#endif /* DIRECTIVE_H */
