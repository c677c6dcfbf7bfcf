/* SPDX-License-Identifier: Apache-2.0
 *
 * directive.c - see directive.h. All of it works for any row of the table.
 */
#include "directive.h"

#include "directives.h"

#include "../config.h"

#include "http_core.h"
#include "apr_strings.h"

static const directive_t *row(int i)
{
    return config_directives[i].name ? config_directives[i].cmd_data : NULL;
}

static int index_of(const char *name)
{
    int i;

    for (i = 0; row(i) && ap_cstr_casecmp(config_directives[i].name, name) != 0; i++) {
    }
    ap_assert(row(i) != NULL);
    return i;
}

static void *member_of(void *config, const directive_t *directive)
{
    return (char *)config + directive->offset;
}

static int is_server_member(const directive_t *directive)
{
    return directive->size > 0 && !directive->of_directory;
}

/* ------------------------------------------------------------------------------------------------
 * Reading
 * --------------------------------------------------------------------------------------------- */

const char *directive_place(const ap_directive_t *directive, apr_pool_t *pool)
{
    return apr_psprintf(pool, "line %d of %s", directive->line_num, directive->filename);
}

static const char *syntax_of(const directive_t *directive, apr_pool_t *pool)
{
    return apr_psprintf(pool, "Syntax: %s %s; default: %s", directive->name, directive->syntax,
                        directive->by_default ? directive->by_default : directive->otherwise);
}

const char *directive_syntax(const char *name, apr_pool_t *pool)
{
    return syntax_of(row(index_of(name)), pool);
}

/* The one form of all error messages. */
static const char *refuse(const directive_use_t *use, const char *problem)
{
    return apr_psprintf(use->pool, "%s: %s. %s", use->directive->name, problem,
                        syntax_of(use->directive, use->pool));
}

static const char *parse_words(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    const directive_t *directive = use->directive;

    if (argc < 1) {
        return "a value is missing";
    }
    if (directive->most_words > 0 && argc > directive->most_words) {
        return apr_psprintf(use->pool, "'%s' is one word too many; a value with blanks in it needs "
                            "quotes around it", argv[directive->most_words]);
    }
    return directive->parse(use, argc, argv, member);
}

int directive_warns(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG
           || ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST;
}

/* A server that has the directive already, with other words, has it from two files, probably. */
static void warn_of_second(const directive_use_t *use, const char *replaced)
{
    const ap_directive_t *second = use->cmd->directive;

    if (!directive_warns()) {
        return;
    }
    /* not of this server: a virtual host has no LogLevel until all of the configuration is read */
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, NULL,
                 STORERNO(0215) "%s %s in %s replaces %s; remove one of them",
                 use->directive->name, second->args, directive_place(second, use->pool), replaced);
}

/* What is wrong with a directive that the server has already; NULL: nothing. */
static const char *find_second(const directive_use_t *use, const ap_directive_t *first)
{
    if (!first) {
        return NULL;
    }
    if (!use->directive->once) {
        if (!use->directive->repeats && strcmp(first->args, use->cmd->directive->args) != 0) {
            warn_of_second(use, apr_psprintf(use->pool, "%s %s in %s", use->directive->name,
                                             first->args, directive_place(first, use->pool)));
        }
        return NULL;
    }
    return apr_psprintf(use->pool, "this server already has '%s %s' in %s. A server has one: change "
                        "that line, or remove it", use->directive->name, first->args,
                        directive_place(first, use->pool));
}

/* The setting of a directory, which is an int; 0: not set in this section. */
static const char *take_setting(const directive_use_t *use, int argc, char *const argv[], int *setting)
{
    int first = *setting;
    const char *problem = parse_words(use, argc, argv, setting);

    if (!problem && first && first != *setting) {
        warn_of_second(use, "another one of the same section");
    }
    return problem;
}

const char *directive_take(cmd_parms *cmd, void *directory, int argc, char *const argv[])
{
    const directive_use_t use = { cmd->info, cmd->pool, cmd };
    config_server_t *config = config_of(cmd->server);
    const ap_directive_t **told = &config->told[cmd->cmd - config_directives];
    const char *problem = NULL;

    if (use.directive->of_directory) {
        problem = take_setting(&use, argc, argv, member_of(directory, use.directive));
        return problem ? refuse(&use, problem) : NULL;
    }
    problem = find_second(&use, *told);
    if (!problem) {
        problem = parse_words(&use, argc, argv, member_of(config, use.directive));
    }
    if (problem) {
        return refuse(&use, problem);
    }
    *told = cmd->directive;
    return NULL;
}

const char *directive_see(cmd_parms *cmd, void *directory, int argc, char *const argv[])
{
    const directive_use_t use = { cmd->info, cmd->pool, cmd };
    config_server_t *config = config_of(cmd->server);

    (void)directory;
    if (argc > 0 && !use.directive->parse(&use, argc, argv, member_of(config, use.directive))) {
        config->told[cmd->cmd - config_directives] = cmd->directive;
    }
    return DECLINE_CMD;
}

/* ------------------------------------------------------------------------------------------------
 * Defaults and merging
 * --------------------------------------------------------------------------------------------- */

static char *const *default_words(const directive_use_t *use, int *count)
{
    char **words = NULL;
    apr_status_t rv = apr_tokenize_to_argv(use->directive->by_default, &words, use->pool);

    ap_assert(rv == APR_SUCCESS && words);
    for (*count = 0; words[*count]; (*count)++) {
    }
    return words;
}

const char *directive_default_word(const directive_use_t *use, int n)
{
    int count = 0;
    char *const *words = default_words(use, &count);

    ap_assert(n < count);
    return words[n];
}

void directives_fill(apr_pool_t *pool, void *config_server)
{
    int i;

    for (i = 0; row(i); i++) {
        const directive_use_t use = { row(i), pool, NULL };

        if (is_server_member(use.directive) && use.directive->by_default) {
            int count = 0;
            char *const *words = default_words(&use, &count);
            const char *problem = parse_words(&use, count, words,
                                              member_of(config_server, use.directive));

            ap_assert(!problem);
        }
    }
}

void directives_merge(apr_pool_t *pool, void *merged_config, const void *base_config,
                      const void *add_config)
{
    config_server_t *merged = merged_config;
    const config_server_t *base = base_config, *add = add_config;
    int i;

    for (i = 0; row(i); i++) {
        const directive_t *directive = row(i);
        void *member = member_of(merged, directive);
        const void *of_base = (const char *)base + directive->offset;

        if (!is_server_member(directive)) {
            continue;
        }
        if (directive->merge) {
            directive->merge(pool, member, of_base, (const char *)add + directive->offset);
        }
        else if (!add->told[i]) {
            memcpy(member, of_base, directive->size);
            merged->told[i] = base->told[i];
        }
    }
}

void directive_keep_own(apr_pool_t *pool, void *merged, const void *base, const void *add)
{
    (void)pool;
    (void)merged;
    (void)base;
    (void)add;
}

const ap_directive_t *config_told(const config_server_t *config, const char *name)
{
    return config->told[index_of(name)];
}
