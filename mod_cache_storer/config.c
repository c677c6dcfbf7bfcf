/* SPDX-License-Identifier: Apache-2.0
 *
 * config.c - parses the directives and merges them field by field from the main server into virtual
 * hosts. Engine options are checked by the engines themselves (lifecycle.c asks them).
 */
#include "config.h"

#include "apr_lib.h"
#include "apr_strings.h"

#define CONFIG_UNSET        (-1)
#define CONFIG_MAX_VARIANTS 10000

static const storer_option_t no_options[] = { { NULL, NULL } };
static const storer_option_t default_options[] = { { "size", "64M" }, { NULL, NULL } };

void *config_create_server(apr_pool_t *pool, server_rec *server)
{
    config_server_t *config = apr_pcalloc(pool, sizeof(*config));

    (void)server;
    config->stale = CONFIG_UNSET;
    config->min_body = CONFIG_UNSET;
    config->max_body = CONFIG_UNSET;
    config->max_variants = CONFIG_UNSET;
    config->compression = CONFIG_COMPRESSION_UNSET;
    return config;
}

void *config_merge_server(apr_pool_t *pool, void *base_config, void *add_config)
{
    const config_server_t *base = base_config, *add = add_config;
    config_server_t *merged = apr_pcalloc(pool, sizeof(*merged));
    const config_server_t *storage = add->engine ? add : base;

    merged->engine = storage->engine;
    merged->options = storage->options;
    merged->where = storage->where;
    merged->stale = add->stale >= 0 ? add->stale : base->stale;
    merged->min_body = add->min_body >= 0 ? add->min_body : base->min_body;
    merged->max_body = add->max_body >= 0 ? add->max_body : base->max_body;
    merged->max_variants = add->max_variants >= 0 ? add->max_variants : base->max_variants;
    merged->compression = add->compression != CONFIG_COMPRESSION_UNSET ? add->compression
                                                                       : base->compression;
    return merged;
}

config_server_t *config_of(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &cache_storer_module);
}

const char *config_engine(const config_server_t *config)
{
    return config->engine ? config->engine : "memory";
}

const storer_option_t *config_options(const config_server_t *config)
{
    return config->engine ? config->options : default_options;
}

apr_interval_time_t config_stale(const config_server_t *config)
{
    return config->stale >= 0 ? config->stale : apr_time_from_sec(86400);
}

apr_off_t config_min_body(const config_server_t *config)
{
    return config->min_body >= 0 ? config->min_body : 0;
}

int config_max_variants(const config_server_t *config)
{
    return config->max_variants >= 0 ? config->max_variants : 64;
}

config_compression_e config_compression(const config_server_t *config)
{
    return config->compression != CONFIG_COMPRESSION_UNSET ? config->compression
                                                           : CONFIG_COMPRESSION_AUTO;
}

const char *config_contradiction(const config_server_t *config)
{
    if (config->max_body >= 0 && config_min_body(config) > config->max_body) {
        return "CacheStorerMinFileSize is larger than CacheStorerMaxFileSize: no response would "
               "ever be stored";
    }
    return NULL;
}

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
        return apr_psprintf(cmd->pool, "%s %s: this server already has '%s %s', and several tiers "
                            "are not supported yet", cmd->cmd->name, argv[0], cmd->cmd->name,
                            config->engine);
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

static const char *set_stale(cmd_parms *cmd, void *dummy, const char *text)
{
    config_server_t *config = config_of(cmd->server);
    apr_interval_time_t stale = 0;
    apr_status_t rv = storer_parse_duration(text, &stale);

    (void)dummy;
    if (rv != APR_SUCCESS || stale < 0) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a time: a number with ms, s, min, h or d "
                            "is expected, as in 1d", cmd->cmd->name, text);
    }
    config->stale = stale;
    return NULL;
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
    if (count < 1 || count > CONFIG_MAX_VARIANTS || *end) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a number from 1 to %d", cmd->cmd->name,
                            text, CONFIG_MAX_VARIANTS);
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
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL }
};
