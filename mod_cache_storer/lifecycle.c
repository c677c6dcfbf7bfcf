/* SPDX-License-Identifier: Apache-2.0
 *
 * lifecycle.c - opens the stores at each start and restart and hands each server its own.
 *
 * What happens when:
 *   1. `httpd -t`, start, restart: check_config asks every engine about its options; nothing is
 *      opened.
 *   2. start: post_config runs twice, the module unloaded in between; the first run does nothing.
 *   3. start, restart (SIGHUP, SIGUSR1): post_config makes the registry in pconf, opens the stores,
 *      and only after all of that succeeded drops the memory that no store asked for any more.
 *   4. each child: child_init. Memory segments are inherited by fork and shared.
 * A restart opens everything anew while children of the generation before still serve; what must
 * survive lies in segments (see retain.c), never in pconf.
 */
#include "lifecycle.h"

#include "fetch/collapse.h"
#include "config.h"
#include "config_check.h"
#include "log.h"
#include "fetch/refresh.h"
#include "retain.h"

#include "purge/labels.h"
#include "stats/stats.h"

#include "../storage/limit.h"

#include "ap_mpm.h"
#include "ap_provider.h"
#include "http_core.h"
#include "http_main.h"
#include "apr_strings.h"

/* One per process and generation, read-only after post_config, nulled when pconf goes. */
static storer_registry_t *lifecycle_registry;

storer_registry_t *lifecycle_stores(void)
{
    return lifecycle_registry;
}

static apr_status_t forget_registry(void *baton)
{
    (void)baton;
    lifecycle_registry = NULL;
    return APR_SUCCESS;
}

/* The engines of other modules. By now every module is loaded, in whatever order. One that cannot be
 * used is an error also where no CacheStorer names it: httpd itself refuses a module that was built
 * for another httpd, used or not. */
static apr_status_t add_engines(storer_registry_t *registry, apr_pool_t *pool)
{
    const apr_array_header_t *names = ap_list_provider_names(pool, STORER_ENGINE_GROUP,
                                                             STORER_ENGINE_GROUP_VERSION);
    apr_status_t result = APR_SUCCESS;
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, ap_list_provider_names_t).provider_name;
        const char *problem = NULL;
        apr_status_t rv;

        rv = storer_registry_add_engine(registry, name,
                                        ap_lookup_provider(STORER_ENGINE_GROUP, name,
                                                           STORER_ENGINE_GROUP_VERSION), &problem);
        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_EMERG, 0, ap_server_conf,
                         STORERNO(0211) "CacheStorer: %s (see its LoadModule)", problem);
            result = rv;
        }
    }
    return result;
}

/* Children of the generation before count as well: twice as many as there may be of one, so that there
 * is place also for those that were killed and are not yet known to be dead. */
static void count_processes(storer_env_t *env)
{
    int processes = 0, threads = 0;

    (void)ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &processes);
    (void)ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    env->processes = processes > 0 ? 2 * (apr_uint32_t)processes : 0;
    env->threads = threads > 0 ? (apr_uint32_t)threads : 1;
}

static apr_status_t create_registry(storer_registry_t **out, apr_pool_t *pool,
                                    storer_retain_fn *retain)
{
    storer_env_t *env = apr_pcalloc(pool, sizeof(*env));

    env->pool = pool;
    env->log = log_sink;
    env->retain = retain;
    env->memory_file = retain ? retain_file : NULL;
    env->remember = retain_private; /* for check_config as well: httpd ends if that fails */
    env->api = &storer_api;
    count_processes(env);
    *out = storer_registry_create(env);
    return add_engines(*out, pool);
}

/* Why an engine is not known, probably. */
static const char *engine_hint(storer_registry_t *registry, const config_server_t *config,
                               apr_pool_t *pool)
{
    const char *engine = config->storage.engine, *problem = NULL;
    char *lower = apr_pstrdup(pool, engine);

    ap_str_tolower(lower);
    if (strcmp(lower, engine) != 0
        && storer_registry_check(registry, lower, config->storage.options, &problem) != APR_NOTFOUND) {
        return apr_psprintf(pool, "; write \"%s\", in lower case", lower);
    }
    return apr_psprintf(pool, "; if it is a module of its own, a line like \"LoadModule "
                        "cache_storer_%s_module modules/mod_cache_storer_%s.so\" is missing",
                        engine, engine);
}

/* Where in the configuration to look for what is wrong. */
static const char *place_of(const server_rec *server, apr_pool_t *pool)
{
    const ap_directive_t *told = config_told(config_of(server), "CacheStorer");

    if (told) {
        return directive_place(told, pool);
    }
    if (!server->is_virtual) {
        return "the main server";
    }
    return apr_psprintf(pool, "the virtual host at line %u of %s", server->defn_line_number,
                        server->defn_name ? server->defn_name : "the configuration");
}

/* What a virtual host takes over from the main server is reported there. */
static int is_inherited(const config_server_t *config, const config_server_t *main_config)
{
    return config != main_config && config->storage.options == main_config->storage.options;
}

int lifecycle_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                           server_rec *main_server)
{
    storer_registry_t *registry;
    server_rec *server;
    int result = config_check(main_server, ptemp);

    (void)pconf;
    (void)plog;
    if (create_registry(&registry, ptemp, NULL) != APR_SUCCESS) {
        result = HTTP_INTERNAL_SERVER_ERROR;
    }
    for (server = main_server; server; server = server->next) {
        const config_server_t *config = config_of(server);
        const char *problem = NULL;
        apr_status_t rv;

        if (is_inherited(config, config_of(main_server))) {
            continue;
        }
        rv = storer_registry_check(registry, config->storage.engine, config->storage.options,
                                   &problem);
        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_EMERG, 0, main_server,
                         STORERNO(0202) "CacheStorer: %s%s. %s (see %s)",
                         problem ? problem : config->storage.engine,
                         rv == APR_NOTFOUND ? engine_hint(registry, config, ptemp) : "",
                         directive_syntax("CacheStorer", ptemp), place_of(server, ptemp));
            result = HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return result;
}

/* Memory that is not there is missed when the store is full, not at start: the kernel then kills. */
static void compare_with_limit(server_rec *main_server, apr_pool_t *ptemp)
{
    const apr_array_header_t *stores = storer_registry_list(lifecycle_registry);
    const char *source = NULL;
    apr_uint64_t limit = limit_of_memory("", &source, ptemp), resident = 0;
    int i;

    for (i = 0; i < stores->nelts; i++) {
        storer_stat_t stat;

        if (storer_stat(APR_ARRAY_IDX(stores, i, storer_t *), &stat) == APR_SUCCESS) {
            resident += stat.resident;
        }
    }
    if (limit > 0 && resident > limit) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, main_server,
                     STORERNO(0890) "CacheStorer: the stores may fill %" APR_UINT64_T_FMT " bytes "
                     "of memory, but httpd may use %" APR_UINT64_T_FMT " only (%s): the kernel may "
                     "kill its processes once the stores are full; lower size=", resident, limit,
                     source);
    }
}

/* Without a configured limit a body may take a quarter of the store, so that one response does not
 * push out all others. */
static apr_off_t body_limit(const config_server_t *config, const storer_stat_t *stat)
{
    apr_uint64_t limit = APR_INT64_MAX;

    if (config->max_body > 0) {
        limit = (apr_uint64_t)config->max_body;
    }
    else if (stat->size > 0) {
        limit = stat->size / 4;
    }
    if (stat->largest > 0 && limit > stat->largest) {
        limit = stat->largest;
    }
    return (apr_off_t)limit;
}

/* config_check.c refuses that if the configuration says how large the store is. */
static void compare_with_smallest(const config_server_t *config, const char *place)
{
    const config_server_t *main_config = config_of(ap_server_conf);

    if (config->min_body <= config->body_limit
        || (is_inherited(config, main_config) && config->min_body == main_config->min_body)) {
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, ap_server_conf,
                 STORERNO(0214) "CacheStorerMinFileSize %" APR_OFF_T_FMT ": the store takes no body "
                 "larger than %" APR_OFF_T_FMT ", so that no response is ever stored; lower it or "
                 "enlarge the store (see %s)", config->min_body, config->body_limit, place);
}

static apr_status_t open_store(config_server_t *config, const server_rec *server,
                               apr_pool_t *ptemp)
{
    const char *problem = NULL;
    storer_stat_t stat;
    storer_t *store = NULL;
    apr_status_t rv;

    rv = storer_registry_open(lifecycle_registry, config->storage.engine, config->storage.options,
                              &store, &problem);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, rv, ap_server_conf,
                     STORERNO(0203) "CacheStorer: the storage cannot be opened: %s (see %s)",
                     problem ? problem : config->storage.engine, place_of(server, ptemp));
        return rv;
    }
    memset(&stat, 0, sizeof(stat));
    rv = storer_stat(store, &stat);
    if (rv != APR_SUCCESS) {
        memset(&stat, 0, sizeof(stat)); /* an engine need not know its size */
    }
    config->body_limit = body_limit(config, &stat);
    config->store = store;
    compare_with_smallest(config, place_of(server, ptemp));
    return APR_SUCCESS;
}

int lifecycle_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                          server_rec *main_server)
{
    server_rec *server;
    apr_status_t rv;
    int environment;

    (void)plog;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    rv = retain_begin();
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, rv, main_server,
                     STORERNO(0204) "no memory to keep track of shared memory");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    rv = create_registry(&lifecycle_registry, pconf, retain_segment);
    apr_pool_cleanup_register(pconf, NULL, forget_registry, apr_pool_cleanup_null);
    if (rv != APR_SUCCESS) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }

    environment = config_mentions("cache-storer-");
    for (server = main_server; server; server = server->next) {
        config_server_t *config = config_of(server);

        config->environment = environment;
        config->site = labels_site(server);
        rv = open_store(config, server, ptemp);
        if (rv != APR_SUCCESS) {
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    compare_with_limit(main_server, ptemp);
    stats_start(pconf, main_server);
    rv = collapse_open(pconf);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, rv, main_server,
                     STORERNO(0208) "no shared memory for CacheStorerCollapse");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    retain_end();
    return OK;
}

/* child_init cannot fail: a store that could not start serves nothing in this child. */
static void disable_store(server_rec *main_server, const storer_t *store)
{
    server_rec *server;

    for (server = main_server; server; server = server->next) {
        config_server_t *config = config_of(server);

        if (config->store == store) {
            config->store = NULL;
        }
    }
}

void lifecycle_child_init(apr_pool_t *pchild, server_rec *main_server)
{
    const apr_array_header_t *stores;
    int i;

    if (!lifecycle_registry) {
        return;
    }
    collapse_child_init(main_server);
    refresh_child_init(pchild, main_server);
    /* one by one, not storer_registry_child_init(): one engine that fails must not take the stores
     * of other virtual hosts with it */
    stores = storer_registry_list(lifecycle_registry);
    for (i = 0; i < stores->nelts; i++) {
        storer_t *store = APR_ARRAY_IDX(stores, i, storer_t *);
        apr_status_t rv;

        if (!store->ops->child_init) {
            continue;
        }
        rv = store->ops->child_init(store, pchild);
        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_ERR, rv, main_server,
                         STORERNO(0205) "%s does not work in this process; nothing is cached in it",
                         storer_registry_key(store, pchild));
            disable_store(main_server, store);
        }
    }
}
