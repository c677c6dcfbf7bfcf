/* SPDX-License-Identifier: Apache-2.0
 *
 * config.c - the configuration of a server and of a directory: made, merged, and read.
 */
#include "config.h"

#include "apr_strings.h"

const directive_word_t config_folded[] = {
    { "Accept-Encoding", CONFIG_FOLDED_ENCODING },
    { "Accept-Language", CONFIG_FOLDED_LANGUAGE },
    { "User-Agent", CONFIG_FOLDED_AGENT },
    { NULL, 0 }
};

void *config_create_server(apr_pool_t *pool, server_rec *server)
{
    config_server_t *config = apr_pcalloc(pool, sizeof(*config));

    (void)server;
    directives_fill(pool, config);
    return config;
}

void *config_merge_server(apr_pool_t *pool, void *base, void *add)
{
    config_server_t *merged = apr_pmemdup(pool, add, sizeof(*merged));

    directives_merge(pool, merged, base, add);
    return merged;
}

void *config_create_directory(apr_pool_t *pool, char *directory)
{
    (void)directory;
    return apr_pcalloc(pool, sizeof(config_directory_t));
}

/* Requests do this as well, for each section that applies to them. */
void *config_merge_directory(apr_pool_t *pool, void *base_config, void *add_config)
{
    const config_directory_t *base = base_config, *add = add_config;
    config_directory_t *merged = apr_palloc(pool, sizeof(*merged));
    int i;

    for (i = 0; i < CONFIG_DIRECTORY_SETTINGS; i++) {
        merged->settings[i] = add->settings[i] ? add->settings[i] : base->settings[i];
    }
    merged->rules = access_rules_merge(&base->rules, &add->rules, pool);
    return merged;
}

config_server_t *config_of(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &cache_storer_module);
}

const config_directory_t *config_directory_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &cache_storer_module);
}

int config_allows_purge(const request_rec *r)
{
    return config_directory_of(r)->settings[CONFIG_PURGE] == CONFIG_PURGE_ON;
}

int config_ignores_access(const request_rec *r)
{
    return config_directory_of(r)->settings[CONFIG_ACCESS] == CONFIG_ACCESS_IGNORE;
}

int config_normalizes(const config_server_t *config, storer_bytes_t name)
{
    const directive_word_t *header;

    for (header = config_folded; header->word; header++) {
        if ((config->normalized & header->value) && strlen(header->word) == name.len
            && ap_cstr_casecmpn(name.data, header->word, name.len) == 0) {
            return 1;
        }
    }
    return 0;
}

/* A prefix may also be a URL: whether its host is the request's is mod_cache's to know. */
int config_covers(const config_server_t *config, const char *path)
{
    int i;

    if (!path) {
        path = "/"; /* RFC 3986 section 6.2.3: "GET http://host"; CONNECT has none either */
    }
    for (i = 0; config->prefixes && i < config->prefixes->nelts; i++) {
        const char *prefix = APR_ARRAY_IDX(config->prefixes, i, const char *);

        if (*prefix != '/' || strncmp(path, prefix, strlen(prefix)) == 0) {
            return 1;
        }
    }
    return 0;
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
