/* SPDX-License-Identifier: Apache-2.0
 *
 * directives.c - the directives: parses their words into the configuration (config.h) and refuses
 * what makes no sense. Engine options are checked by the engines themselves (lifecycle.c asks them).
 */
#include "config.h"
#include "config_seen.h"

#include "http/structured.h"

#include "ap_expr.h"
#include "apr_lib.h"
#include "apr_strings.h"

#define MAX_VARIANTS 10000

/* Longer times are refused, so that sums of them do not overflow. */
#define MAX_TIME (APR_INT64_C(100) * 365 * 86400 * APR_USEC_PER_SEC)

static const storer_option_t no_options[] = { { NULL, NULL } };

/* Split key=value; the engine decides which keys there are. */
static const char *parse_option(cmd_parms *cmd, const char *text, storer_option_t *options,
                                int *count)
{
    const char *equals = ap_strchr_c(text, '=');
    const char *name;
    int i;

    if (!equals || equals == text) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not of the form key=value",
                            cmd->cmd->name, text);
    }
    name = apr_pstrmemdup(cmd->pool, text, (apr_size_t)(equals - text));
    for (i = 0; i < *count; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return apr_psprintf(cmd->pool, "%s: '%s' is given twice, the second time as '%s'",
                                cmd->cmd->name, name, text);
        }
    }
    options[*count].name = name;
    options[*count].value = apr_pstrdup(cmd->pool, equals + 1);
    (*count)++;
    return NULL;
}

static const char *set_storer(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    config_server_t *config = config_of(cmd->server);
    storer_option_t *options;
    const char *problem;
    int i, count = 0;

    (void)dummy;
    if (argc < 1) {
        return apr_psprintf(cmd->pool, "%s: the name of an engine is missing", cmd->cmd->name);
    }
    if (config->engine) {
        return apr_psprintf(cmd->pool, "%s %s: this server already has '%s %s' in %s. A server has "
                            "one store: change that line, or remove it",
                            cmd->cmd->name, argv[0], cmd->cmd->name, config->engine, config->where);
    }
    options = apr_pcalloc(cmd->pool, sizeof(*options) * (apr_size_t)argc);
    for (i = 1; i < argc; i++) {
        problem = parse_option(cmd, argv[i], options, &count);
        if (problem) {
            return problem;
        }
    }
    config->engine = apr_pstrdup(cmd->pool, argv[0]);
    config->options = count > 0 ? options : no_options;
    config->where = apr_psprintf(cmd->pool, "line %d of %s", cmd->directive->line_num,
                                 cmd->directive->filename);
    return NULL;
}

static const char *parse_time(cmd_parms *cmd, const char *text, apr_interval_time_t *time)
{
    apr_interval_time_t parsed = 0;
    apr_status_t rv = storer_parse_duration(text, &parsed);

    if (rv != APR_SUCCESS || parsed < 0) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a time: a number with ms, s, min, h or d "
                            "is expected, as in 30s", cmd->cmd->name, text);
    }
    if (parsed > MAX_TIME) {
        return apr_psprintf(cmd->pool, "%s: '%s' is longer than 100 years", cmd->cmd->name, text);
    }
    *time = parsed;
    return NULL;
}

static const char *set_stale(cmd_parms *cmd, void *dummy, const char *text)
{
    config_server_t *config = config_of(cmd->server);

    (void)dummy;
    return parse_time(cmd, text, &config->stale);
}

/* cmd->info: offset of the member to set */
static const char *set_size(cmd_parms *cmd, void *dummy, const char *text)
{
    char *config = (char *)config_of(cmd->server);
    apr_off_t size = 0;
    apr_status_t rv = storer_parse_size(text, &size);

    (void)dummy;
    if (rv != APR_SUCCESS || size < 0) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a size: a number of bytes is expected, "
                            "with K, M or G if wanted, as in 10M", cmd->cmd->name, text);
    }
    *(apr_off_t *)(void *)(config + (apr_size_t)cmd->info) = size;
    return NULL;
}

static const char *set_max_variants(cmd_parms *cmd, void *dummy, const char *text)
{
    config_server_t *config = config_of(cmd->server);
    char *end = NULL;
    apr_int64_t count;

    (void)dummy;
    count = apr_isdigit(*text) ? apr_strtoi64(text, &end, 10) : 0;
    if (count < 1 || count > MAX_VARIANTS || *end) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a number from 1 to %d", cmd->cmd->name,
                            text, MAX_VARIANTS);
    }
    config->max_variants = (int)count;
    return NULL;
}

static const char *set_compression(cmd_parms *cmd, void *dummy, const char *text)
{
    config_server_t *config = config_of(cmd->server);

    (void)dummy;
    if (ap_cstr_casecmp(text, "auto") == 0) {
        config->compression = CONFIG_COMPRESSION_AUTO;
    }
    else if (ap_cstr_casecmp(text, "lz4") == 0) {
        config->compression = CONFIG_COMPRESSION_LZ4;
    }
    else if (ap_cstr_casecmp(text, "none") == 0) {
        config->compression = CONFIG_COMPRESSION_NONE;
    }
    else {
        return apr_psprintf(cmd->pool, "%s: '%s' is none of auto, lz4 and none", cmd->cmd->name,
                            text);
    }
    return NULL;
}

static const char *parse_flag(cmd_parms *cmd, const char *text, int *flag)
{
    if (ap_cstr_casecmp(text, "on") == 0) {
        *flag = 1;
    }
    else if (ap_cstr_casecmp(text, "off") == 0) {
        *flag = 0;
    }
    else {
        return apr_psprintf(cmd->pool, "%s: '%s' is neither on nor off", cmd->cmd->name, text);
    }
    return NULL;
}

static const char *set_collapse(cmd_parms *cmd, void *dummy, const char *flag, const char *time)
{
    config_server_t *config = config_of(cmd->server);
    apr_interval_time_t limit = -1;
    const char *problem;
    int on = 0;

    (void)dummy;
    problem = parse_flag(cmd, flag, &on);
    if (!problem && time) {
        problem = parse_time(cmd, time, &limit);
    }
    if (problem) {
        return problem;
    }
    if (limit == 0) {
        return apr_psprintf(cmd->pool, "%s: a request that waits 0 s does not wait at all; say off",
                            cmd->cmd->name);
    }
    config->collapse = on;
    config->collapse_time = limit;
    return NULL;
}

/* on, off, or a time; cmd->info: offset of the member to set */
static const char *set_grace(cmd_parms *cmd, void *dummy, const char *text)
{
    char *config = (char *)config_of(cmd->server);
    config_grace_t grace = { CONFIG_GRACE_ON, -1 };

    (void)dummy;
    if (ap_cstr_casecmp(text, "off") == 0) {
        grace.mode = CONFIG_GRACE_OFF;
    }
    else if (ap_cstr_casecmp(text, "on") != 0) {
        const char *problem = parse_time(cmd, text, &grace.fallback);

        if (problem) {
            return apr_psprintf(cmd->pool, "%s: '%s' is neither on nor off nor a time, as in 30s",
                                cmd->cmd->name, text);
        }
    }
    *(config_grace_t *)(void *)(config + (apr_size_t)cmd->info) = grace;
    return NULL;
}

static const char *set_finish_fill(cmd_parms *cmd, void *dummy, const char *text)
{
    config_server_t *config = config_of(cmd->server);

    if (ap_cstr_casecmp(text, "off") == 0) {
        config->finish_fill = 0;
        return NULL;
    }
    return set_size(cmd, dummy, text);
}

static const char *set_cookies(cmd_parms *cmd, void *dummy, const char *text)
{
    config_server_t *config = config_of(cmd->server);

    (void)dummy;
    if (ap_cstr_casecmp(text, "decline") == 0) {
        config->cookies = CONFIG_COOKIES_DECLINE;
    }
    else if (ap_cstr_casecmp(text, "strip") == 0) {
        config->cookies = CONFIG_COOKIES_STRIP;
    }
    else if (ap_cstr_casecmp(text, "store") == 0) {
        config->cookies = CONFIG_COOKIES_STORE;
    }
    else {
        return apr_psprintf(cmd->pool, "%s: '%s' is none of decline, strip and store",
                            cmd->cmd->name, text);
    }
    return NULL;
}

/* The words are the configuration's own, and live as long. A single "none" empties the list. */
static const char *set_names(cmd_parms *cmd, const apr_array_header_t **names, int argc,
                             char *const argv[])
{
    apr_array_header_t *array = apr_array_make(cmd->pool, argc, sizeof(const char *));
    int i;

    if (argc < 1) {
        return apr_psprintf(cmd->pool, "%s: the name of a header field, or none, is missing",
                            cmd->cmd->name);
    }
    for (i = 0; i < argc; i++) {
        const char *byte = argv[i];

        if (argc == 1 && ap_cstr_casecmp(argv[0], "none") == 0) {
            break;
        }
        while (apr_isalnum(*byte) || *byte == '-' || *byte == '_') {
            byte++;
        }
        if (*byte || byte == argv[i]) {
            return apr_psprintf(cmd->pool, "%s: '%s' is not the name of a header field",
                                cmd->cmd->name, argv[i]);
        }
        APR_ARRAY_PUSH(array, const char *) = apr_pstrdup(cmd->pool, argv[i]);
    }
    *names = array;
    return NULL;
}

static const char *set_normalized(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    static const char *const known[] = { "Accept-Encoding", "Accept-Language", "User-Agent" };
    const apr_array_header_t *names = NULL;
    const char *problem;
    int i;
    apr_size_t j;

    (void)dummy;
    problem = set_names(cmd, &names, argc, argv);
    if (problem) {
        return problem;
    }
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        for (j = 0; j < sizeof(known) / sizeof(known[0]); j++) {
            if (ap_cstr_casecmp(name, known[j]) == 0) {
                break;
            }
        }
        if (j == sizeof(known) / sizeof(known[0])) {
            return apr_psprintf(cmd->pool, "%s: '%s' cannot be folded; Accept-Encoding, "
                                "Accept-Language and User-Agent can", cmd->cmd->name, name);
        }
    }
    config_of(cmd->server)->normalized = names;
    return NULL;
}

static const char *set_targeted(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    (void)dummy;
    return set_names(cmd, &config_of(cmd->server)->targeted, argc, argv);
}

static const char *set_tags(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    (void)dummy;
    return set_names(cmd, &config_of(cmd->server)->tags, argc, argv);
}

static const char *set_purge_field(cmd_parms *cmd, void *dummy, const char *name)
{
    char *argv[] = { apr_pstrdup(cmd->pool, name) };
    const apr_array_header_t *names = NULL;
    const char *problem = set_names(cmd, &names, 1, argv);

    (void)dummy;
    if (!problem && names) {
        config_of(cmd->server)->purge_field = names->nelts ? APR_ARRAY_IDX(names, 0, const char *)
                                                           : "";
    }
    return problem;
}

static const char *set_purge(cmd_parms *cmd, void *directory, int flag)
{
    config_directory_t *config = directory;

    (void)cmd;
    config->purge = flag;
    return NULL;
}

static const char *set_access(cmd_parms *cmd, void *directory, const char *text)
{
    config_directory_t *config = directory;

    if (ap_cstr_casecmp(text, "check") == 0) {
        config->access = CONFIG_ACCESS_CHECK;
    }
    else if (ap_cstr_casecmp(text, "ignore") == 0) {
        config->access = CONFIG_ACCESS_IGNORE;
    }
    else {
        return apr_psprintf(cmd->pool, "%s: '%s' is neither check nor ignore", cmd->cmd->name, text);
    }
    return NULL;
}

static const char *set_query(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    const query_rules_t *rules = NULL;
    const char *problem = NULL;

    (void)dummy;
    rules = query_rules_parse(argc, (const char *const *)argv, &problem, cmd->pool);
    if (!rules) {
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, problem);
    }
    config_of(cmd->server)->query = rules;
    return NULL;
}

static const char *set_ttl(cmd_parms *cmd, void *dummy, const char *what, const char *time)
{
    config_server_t *config = config_of(cmd->server);
    ttl_rules_t *rules = config->ttl ? config->ttl : ttl_rules_create(cmd->pool);
    const char *problem = NULL;

    (void)dummy;
    if (ttl_rules_add(rules, what, time, &problem) != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, problem);
    }
    config->ttl = rules;
    return NULL;
}

/* Several of them: each is a reason of its own. */
static const char *set_bypass(cmd_parms *cmd, void *dummy, const char *text)
{
    config_server_t *config = config_of(cmd->server);
    const char *problem = NULL;
    ap_expr_info_t *expression;

    (void)dummy;
    expression = ap_expr_parse_cmd(cmd, text, AP_EXPR_FLAG_DONT_VARY, &problem, NULL);
    if (!expression || problem) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not an expression: %s", cmd->cmd->name, text,
                            problem ? problem : "it cannot be parsed");
    }
    if (!config->bypass) {
        config->bypass = apr_array_make(cmd->pool, 2, sizeof(ap_expr_info_t *));
    }
    APR_ARRAY_PUSH(config->bypass, ap_expr_info_t *) = expression;
    return NULL;
}

/* on|off [name] [key] [detail] */
static const char *set_status(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    config_server_t *config = config_of(cmd->server);
    config_status_t status = { 1, 0, "storer", NULL, 0, 0, 0 };
    const char *problem;
    int i;

    (void)dummy;
    if (argc < 1) {
        return apr_psprintf(cmd->pool, "%s: on or off is missing", cmd->cmd->name);
    }
    problem = parse_flag(cmd, argv[0], &status.on);
    if (problem) {
        return problem;
    }
    for (i = 1; i < argc; i++) {
        if (ap_cstr_casecmp(argv[i], "key") == 0) {
            status.key = 1;
        }
        else if (ap_cstr_casecmp(argv[i], "detail") == 0) {
            status.detail = 1;
        }
        else if (i == 1) {
            status.name = structured_token_or_string(argv[i], cmd->pool);
        }
        else {
            return apr_psprintf(cmd->pool, "%s: '%s' is neither key nor detail", cmd->cmd->name,
                                argv[i]);
        }
    }
    status.hit = apr_pstrcat(cmd->pool, status.name, "; hit; ttl=", NULL);
    status.hit_length = strlen(status.hit);
    config->status = status;
    return NULL;
}

static const char *set_hosts(cmd_parms *cmd, void *dummy, const char *text)
{
    config_server_t *config = config_of(cmd->server);

    (void)dummy;
    if (ap_cstr_casecmp(text, "any") == 0) {
        config->any_host = 1;
    }
    else if (ap_cstr_casecmp(text, "named") == 0) {
        config->any_host = 0;
    }
    else {
        return apr_psprintf(cmd->pool, "%s: '%s' is neither named nor any", cmd->cmd->name, text);
    }
    return NULL;
}

static int mentions(const ap_directive_t *directive, const char *text)
{
    for (; directive; directive = directive->next) {
        if ((directive->args && ap_strstr_c(directive->args, text))
            || mentions(directive->first_child, text)) {
            return 1;
        }
    }
    return 0;
}

int config_mentions(const char *text)
{
    return mentions(ap_conftree, text);
}

const command_rec config_directives[] = {
    AP_INIT_TAKE_ARGV("CacheStorer", set_storer, NULL, RSRC_CONF,
                      "a storage engine and its options as key=value; the default is "
                      "'memory size=64M'"),
    AP_INIT_TAKE1("CacheStorerStale", set_stale, NULL, RSRC_CONF,
                  "how long past its freshness a response is kept for revalidation, as in 1d (the "
                  "default)"),
    AP_INIT_TAKE1("CacheStorerMaxFileSize", set_size,
                  (void *)APR_OFFSETOF(config_server_t, max_body), RSRC_CONF,
                  "largest body that is stored; the default is a quarter of the engine's size"),
    AP_INIT_TAKE1("CacheStorerMinFileSize", set_size,
                  (void *)APR_OFFSETOF(config_server_t, min_body), RSRC_CONF,
                  "smallest body that is stored; the default is 0"),
    AP_INIT_TAKE1("CacheStorerMaxVariants", set_max_variants, NULL, RSRC_CONF,
                  "how many variants (Vary) of one URL are kept; the default is 64"),
    AP_INIT_TAKE1("CacheStorerCompression", set_compression, NULL, RSRC_CONF,
                  "auto (the default), lz4 or none: how bodies are compressed in the storage"),
    AP_INIT_TAKE12("CacheStorerCollapse", set_collapse, NULL, RSRC_CONF,
                   "on (the default) or off, and how long a request for something that is not "
                   "cached waits for another one's response; the default is 5s"),
    AP_INIT_TAKE1("CacheStorerFinishFill", set_finish_fill,
                  (void *)APR_OFFSETOF(config_server_t, finish_fill), RSRC_CONF,
                  "how much of a body may be missing when its client goes away, for it to be "
                  "fetched to the end nevertheless; off: none; the default is 1M"),
    AP_INIT_TAKE1("CacheStorerStaleWhileRevalidate", set_grace,
                  (void *)APR_OFFSETOF(config_server_t, while_revalidate), RSRC_CONF,
                  "on (the default): as the response says; off; or a time for responses that say "
                  "nothing"),
    AP_INIT_TAKE1("CacheStorerStaleIfError", set_grace,
                  (void *)APR_OFFSETOF(config_server_t, if_error), RSRC_CONF,
                  "on (the default): as the response says; off; or a time for responses that say "
                  "nothing"),
    AP_INIT_TAKE_ARGV("CacheStorerNormalize", set_normalized, NULL, RSRC_CONF,
                      "request headers that are folded before Vary is matched: Accept-Encoding "
                      "(the default), Accept-Language, User-Agent; or none"),
    AP_INIT_TAKE_ARGV("CacheStorerKeyQuery", set_query, NULL, RSRC_CONF,
                      "the query part of the key: sort, drop=GLOB,..., keep=GLOB,..., or none"),
    AP_INIT_TAKE1("CacheStorerSetCookie", set_cookies, NULL, RSRC_CONF,
                  "decline (the default), strip or store: what becomes of a response that sets a "
                  "cookie"),
    AP_INIT_TAKE1("CacheStorerBypass", set_bypass, NULL, RSRC_CONF,
                  "an expression: requests for which it is true are neither served from the cache "
                  "nor stored"),
    AP_INIT_TAKE2("CacheStorerTTL", set_ttl, NULL, RSRC_CONF,
                  "a status, as in 404 or 5xx, or a content type, as in image/*, and how long "
                  "responses are fresh that do not say so themselves"),
    AP_INIT_TAKE_ARGV("CacheStorerTargetedControl", set_targeted, NULL, RSRC_CONF,
                      "response fields that go before Cache-Control (RFC 9213), in order; the "
                      "default is CDN-Cache-Control; or none"),
    AP_INIT_TAKE_ARGV("CacheStorerTagHeader", set_tags, NULL, RSRC_CONF,
                      "response fields that carry tags, such as Surrogate-Key, or none"),
    AP_INIT_TAKE1("CacheStorerPurgeHeader", set_purge_field, NULL, RSRC_CONF,
                  "field by which the response to an unsafe request purges tags, or none"),
    AP_INIT_FLAG("CacheStorerPurge", set_purge, NULL, ACCESS_CONF,
                 "on or off: the PURGE method, under Require"),
    AP_INIT_TAKE1("CacheStorerAccess", set_access, NULL, RSRC_CONF | ACCESS_CONF,
                  "check (the default) or ignore: whether a response is kept from clients that access "
                  "control may refuse"),
    AP_INIT_TAKE_ARGV("CacheStorerStatus", set_status, NULL, RSRC_CONF,
                      "on (the default, named storer) or off [name] [key] [detail]: the "
                      "Cache-Status field of responses (RFC 9211)"),
    AP_INIT_TAKE1("CacheStorerHosts", set_hosts, NULL, RSRC_CONF,
                  "named (the default) or any: whether requests are cached whose Host is none of the "
                  "names of a server that has a ServerName"),
    CONFIG_SEEN_DIRECTIVES,
    ACCESS_RULES_DIRECTIVES,
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL }
};
