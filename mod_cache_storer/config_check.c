/* SPDX-License-Identifier: Apache-2.0
 *
 * config_check.c - see config_check.h.
 */
#include "config_check.h"

#include "config.h"

#include "ap_provider.h"
#include "apr_strings.h"
#include "mod_cache.h"

/* What is wrong with the values of two directives; NULL: nothing. */
typedef const char *check_fn(const config_server_t *config, apr_pool_t *pool);

typedef struct check_t {
    check_fn   *find;
    const char *first, *second;   /* the directives that it is about */
} check_t;

/* ------------------------------------------------------------------------------------------------
 * Contradictions
 * --------------------------------------------------------------------------------------------- */

static const char *find_sizes(const config_server_t *config, apr_pool_t *pool)
{
    if (config->max_body == 0 || config->min_body <= config->max_body) {
        return NULL;
    }
    return apr_psprintf(pool, "CacheStorerMinFileSize %" APR_OFF_T_FMT " is larger than "
                        "CacheStorerMaxFileSize %" APR_OFF_T_FMT ": no response would ever be stored; "
                        "lower the first or raise the second", config->min_body, config->max_body);
}

/* The size of the store, if it is among its options; else 0. */
static apr_off_t size_of_store(const config_server_t *config)
{
    const storer_option_t *option;
    apr_off_t size = 0;

    for (option = config->storage.options; option->name; option++) {
        if (strcmp(option->name, "size") == 0
            && storer_parse_size(option->value, &size) == APR_SUCCESS) {
            return size;
        }
    }
    return 0;
}

/* lifecycle.c knows the limit of any engine, but no sooner than the store is open. */
static const char *find_room(const config_server_t *config, apr_pool_t *pool)
{
    apr_off_t size = size_of_store(config);

    if (config->max_body > 0 || size == 0 || config->min_body <= size / 4) {
        return NULL;
    }
    return apr_psprintf(pool, "CacheStorerMinFileSize %" APR_OFF_T_FMT " is larger than a quarter of "
                        "the store (size=%" APR_OFF_T_FMT "), which is the largest body that is "
                        "stored: no response would ever be stored; lower it or enlarge the store",
                        config->min_body, size);
}

static const char *find_fields(const config_server_t *config, apr_pool_t *pool)
{
    int i;

    for (i = 0; config->purge_field && i < config->tags->nelts; i++) {
        if (ap_cstr_casecmp(APR_ARRAY_IDX(config->tags, i, const char *), config->purge_field) == 0) {
            return apr_psprintf(pool, "CacheStorerPurgeHeader %s is one of the fields of "
                                "CacheStorerTagHeader: the tags that a response has are not those that "
                                "it purges; name another field, as in Surrogate-Purge",
                                config->purge_field);
        }
    }
    return NULL;
}

static const check_t checks[] = {
    { find_sizes, "CacheStorerMinFileSize", "CacheStorerMaxFileSize" },
    { find_room, "CacheStorerMinFileSize", "CacheStorer" },
    { find_fields, "CacheStorerPurgeHeader", "CacheStorerTagHeader" },
};

/* "line 5 of FILE and line 7 of FILE" */
static const char *places(const check_t *check, const config_server_t *config, apr_pool_t *pool)
{
    const ap_directive_t *first = config_told(config, check->first);
    const ap_directive_t *second = config_told(config, check->second);

    if (!first || !second) {
        return directive_place(first ? first : second, pool);
    }
    return apr_pstrcat(pool, directive_place(first, pool), " and ", directive_place(second, pool),
                       NULL);
}

/* What a virtual host takes over from the main server is reported there. */
static int is_inherited(const check_t *check, const config_server_t *config,
                        const config_server_t *main_config)
{
    return config != main_config
           && config_told(config, check->first) == config_told(main_config, check->first)
           && config_told(config, check->second) == config_told(main_config, check->second);
}

static int find_contradictions(server_rec *main_server, apr_pool_t *scratch)
{
    server_rec *server;
    apr_size_t i;
    int result = OK;

    for (server = main_server; server; server = server->next) {
        for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
            const config_server_t *config = config_of(server);
            const char *problem = is_inherited(&checks[i], config, config_of(main_server))
                                  ? NULL : checks[i].find(config, scratch);

            if (problem) {
                ap_log_error(APLOG_MARK, APLOG_EMERG, 0, main_server, STORERNO(0201) "%s (see %s)",
                             problem, places(&checks[i], config, scratch));
                result = HTTP_INTERNAL_SERVER_ERROR;
            }
        }
    }
    return result;
}

/* ------------------------------------------------------------------------------------------------
 * Without effect
 * --------------------------------------------------------------------------------------------- */

static int uses(const server_rec *server, const ap_directive_t *store)
{
    for (; server; server = server->next) {
        const config_server_t *config = config_of(server);

        if (config->prefixes && config_told(config, "CacheStorer") == store) {
            return 1;
        }
    }
    return 0;
}

/* Stores in which nothing is cached. That of a virtual host is its own. */
static void warn_of_unused_stores(server_rec *main_server, apr_pool_t *scratch)
{
    const ap_directive_t *of_main = config_told(config_of(main_server), "CacheStorer");
    server_rec *server;

    for (server = main_server; server; server = server->next) {
        const ap_directive_t *store = config_told(config_of(server), "CacheStorer");

        if (!store || (server != main_server && store == of_main)) {
            continue;
        }
        if (server == main_server ? !uses(server, store) : !config_of(server)->prefixes) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, main_server,
                         STORERNO(0212) "CacheStorer %s: nothing is cached in this store, for it has "
                         "no CacheEnable; add \"CacheEnable storer /\", or remove this line (see %s)",
                         store->args, directive_place(store, scratch));
        }
    }
}

/* mod_cache itself says nothing about a storage that is not there. */
static void warn_of_unknown_storages(const ap_directive_t *directive, const server_rec *main_server,
                                     apr_pool_t *scratch)
{
    for (; directive; directive = directive->next) {
        const char *args = directive->args;
        const char *type = ap_cstr_casecmp(directive->directive, "CacheEnable") == 0
                           ? ap_getword_conf(scratch, &args) : NULL;

        if (type && !ap_lookup_provider(CACHE_PROVIDER_GROUP, type, "0")) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, main_server,
                         STORERNO(0213) "CacheEnable %s: no module is loaded that provides the storage "
                         "'%s', so that it caches nothing; that of mod_cache_storer is 'storer' (see "
                         "%s)", directive->args, type, directive_place(directive, scratch));
        }
        warn_of_unknown_storages(directive->first_child, main_server, scratch);
    }
}

int config_check(server_rec *main_server, apr_pool_t *scratch)
{
    if (directive_warns()) {
        warn_of_unused_stores(main_server, scratch);
        warn_of_unknown_storages(ap_conftree, main_server, scratch);
    }
    return find_contradictions(main_server, scratch);
}
