/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.c - the stores of a configuration, by "NAME-UUID": two places that configure the same
 * store share one instance.
 *
 * Called by the host: opened to and added to in the parent while there is one thread, read by all
 * afterwards. Knows engines by their table only.
 */
#include "engines.h"
#include "storer_private.h"

#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

struct storer_registry_t {
    /* immutable after creation */
    const storer_env_t *env;
    /* changed by add_engine, open and add only */
    apr_array_header_t *engines;      /* of known_t: those that are not built in */
    apr_hash_t         *by_key;
    apr_hash_t         *places;       /* of what was opened or checked: its place to its key */
    apr_array_header_t *stores;       /* of storer_t *, in the order of registration */
    apr_hash_t         *labels;       /* of a store's address: const char * */
};

typedef struct known_t {
    const char            *name;
    const storer_engine_t *engine;
} known_t;

/* An instance and all that its factory allocated, so that a rejected one can be dropped whole: it
 * has a pool of its own and, in that, the environment that names the pool. */
typedef struct candidate_t {
    apr_pool_t *pool;
    storer_t   *store;
} candidate_t;

storer_registry_t *storer_registry_create(const storer_env_t *env)
{
    storer_registry_t *registry;

    storer_assert(env != NULL && env->pool != NULL);
    registry = apr_pcalloc(env->pool, sizeof(*registry));
    registry->env = env;
    registry->engines = apr_array_make(env->pool, 2, sizeof(known_t));
    registry->by_key = apr_hash_make(env->pool);
    registry->places = apr_hash_make(env->pool);
    registry->stores = apr_array_make(env->pool, 4, sizeof(storer_t *));
    registry->labels = apr_hash_make(env->pool);
    return registry;
}

static const storer_engine_t *find_engine(const storer_registry_t *registry, const char *name)
{
    const storer_engine_t *engine = storer_builtin_engine(name);

    for (int i = 0; !engine && i < registry->engines->nelts; i++) {
        const known_t *known = &APR_ARRAY_IDX(registry->engines, i, known_t);

        if (strcmp(known->name, name) == 0) {
            engine = known->engine;
        }
    }
    return engine;
}

static const char *unknown_engine(const storer_registry_t *registry, const char *name)
{
    apr_pool_t *pool = registry->env->pool;
    const char *names = storer_builtin_names(pool);

    for (int i = 0; i < registry->engines->nelts; i++) {
        names = apr_pstrcat(pool, names, ", ", APR_ARRAY_IDX(registry->engines, i, known_t).name,
                            (char *)NULL);
    }
    return apr_psprintf(pool, "unknown storage engine \"%s\"; known: %s", name, names);
}

apr_status_t storer_registry_add_engine(storer_registry_t *registry, const char *name,
                                        const storer_engine_t *engine, const char **errmsg)
{
    known_t *known;

    storer_assert(registry != NULL && name != NULL && engine != NULL && errmsg != NULL);
    if (engine->abi_version != STORER_ABI_VERSION) {
        *errmsg = apr_psprintf(registry->env->pool,
                               "storage engine \"%s\" was built for version %u of the storer "
                               "interface, but this is version %u: build it anew with this storer.h",
                               name, engine->abi_version, (unsigned)STORER_ABI_VERSION);
        return APR_EINVAL;
    }
    if (!*name || !engine->create) {
        *errmsg = apr_psprintf(registry->env->pool, "storage engine \"%s\" has no name or no factory",
                               name);
        return APR_EINVAL;
    }
    if (find_engine(registry, name)) {
        *errmsg = apr_psprintf(registry->env->pool,
                               "there is another storage engine \"%s\" already", name);
        return APR_EEXIST;
    }
    known = apr_array_push(registry->engines);
    known->name = name;
    known->engine = engine;
    return APR_SUCCESS;
}

/* What is wrong with an instance; NULL: nothing. Engines come from others, so this is no assertion. */
static const char *find_flaw(storer_t *store)
{
    const storer_ops_t *ops;
    const char *uuid;

    if (!store || !store->ops || !store->env) {
        return "it made no usable instance";
    }
    ops = store->ops;
    if (!ops->name || !*ops->name || !ops->uuid) {
        return "it has no name or no uuid";
    }
    if (!ops->init || !ops->get || !ops->set || !ops->delete_ || !ops->update || !ops->map_keys
        || !ops->reset) {
        return "it lacks a required operation";
    }
    if (!ops->epoch != !ops->purge || !ops->epoch != !ops->list_purges) {
        return "it has some of epoch, purge and list_purges, but not all";
    }
    if (!ops->claim != !ops->release) {
        return "it has one of claim and release, but not both";
    }
    uuid = ops->uuid(store);
    return uuid && *uuid ? NULL : "its uuid is empty";
}

/* Does another store have the place of this one? Else it has it now. @return why not */
static const char *take_place(const storer_registry_t *registry, storer_t *store)
{
    apr_pool_t *pool = registry->env->pool;
    const char *place = store->ops->place ? store->ops->place(store) : NULL;
    const char *key, *known;

    if (!place) {
        return NULL;
    }
    place = apr_pstrcat(pool, store->ops->name, " ", place, (char *)NULL);
    key = storer_registry_key(store, pool);
    known = apr_hash_get(registry->places, place, APR_HASH_KEY_STRING);
    if (known && strcmp(known, key) != 0) {
        return apr_psprintf(pool, "%s is in use by another store of this configuration: %s and %s "
                            "differ", store->ops->place(store), known, key);
    }
    apr_hash_set(registry->places, place, APR_HASH_KEY_STRING, key);
    return NULL;
}

static void candidate_drop(candidate_t *candidate)
{
    apr_pool_destroy(candidate->pool);
    candidate->pool = NULL;
    candidate->store = NULL;
}

/* errmsg must outlive the candidate's pool, where an engine was told to put it. */
static const char *describe(const storer_registry_t *registry, const char *engine,
                            const char *reason, apr_status_t rv)
{
    char text[120];

    if (!reason) {
        reason = apr_strerror(rv, text, sizeof(text));
    }
    return apr_psprintf(registry->env->pool, "%s: %s", engine, reason);
}

static apr_status_t candidate_make(candidate_t *candidate, const storer_registry_t *registry,
                                   const char *engine_name, const storer_option_t *options,
                                   const char **errmsg)
{
    static const storer_option_t no_options[] = { { NULL, NULL } };
    const storer_engine_t *engine = find_engine(registry, engine_name);
    const char *reason = NULL;
    storer_env_t *env;
    apr_status_t rv;

    if (!engine) {
        *errmsg = unknown_engine(registry, engine_name);
        return APR_NOTFOUND;
    }
    rv = apr_pool_create(&candidate->pool, registry->env->pool);
    if (rv != APR_SUCCESS) {
        *errmsg = describe(registry, engine_name, NULL, rv);
        return rv;
    }
    apr_pool_tag(candidate->pool, "storer");
    env = apr_pmemdup(candidate->pool, registry->env, sizeof(*env));
    env->pool = candidate->pool;
    if (!env->api) {
        env->api = &storer_api;
    }
    candidate->store = NULL;
    rv = engine->create(&candidate->store, options ? options : no_options, env, &reason);
    if (rv != APR_SUCCESS) {
        rv = rv == APR_ENOMEM ? APR_ENOMEM : APR_EINVAL;
    }
    else {
        reason = find_flaw(candidate->store);
        reason = reason ? reason : take_place(registry, candidate->store);
        rv = reason ? APR_EINVAL : APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        *errmsg = describe(registry, engine_name, reason, rv);
        candidate_drop(candidate);
    }
    return rv;
}

apr_status_t storer_registry_check(storer_registry_t *registry, const char *engine,
                                   const storer_option_t *options, const char **errmsg)
{
    candidate_t candidate;
    apr_status_t rv;

    storer_assert(registry != NULL && engine != NULL && errmsg != NULL);
    rv = candidate_make(&candidate, registry, engine, options, errmsg);
    if (rv == APR_SUCCESS) {
        candidate_drop(&candidate);
    }
    return rv;
}

const char *storer_registry_key(storer_t *store, apr_pool_t *pool)
{
    storer_assert(store != NULL && store->ops != NULL);
    return apr_pstrcat(pool, store->ops->name, "-", store->ops->uuid(store), (char *)NULL);
}

storer_t *storer_registry_find(const storer_registry_t *registry, const char *name_uuid)
{
    storer_assert(registry != NULL && name_uuid != NULL);
    return apr_hash_get(registry->by_key, name_uuid, APR_HASH_KEY_STRING);
}

const char *storer_registry_label(const storer_registry_t *registry, const storer_t *store)
{
    storer_assert(registry != NULL && store != NULL);
    return apr_hash_get(registry->labels, &store, sizeof(store));
}

static int label_is_taken(const storer_registry_t *registry, const char *label)
{
    for (int i = 0; i < registry->stores->nelts; i++) {
        if (strcmp(storer_registry_label(registry, APR_ARRAY_IDX(registry->stores, i, storer_t *)),
                   label) == 0) {
            return 1;
        }
    }
    return 0;
}

/* The engine, its option name=, and a number if that is not unique. */
static const char *make_label(const storer_registry_t *registry, const storer_t *store,
                              const storer_option_t *options)
{
    apr_pool_t *pool = registry->env->pool;
    char *base = apr_pstrdup(pool, store->ops->name);
    const char *label;

    for (char *byte = base; *byte; byte++) {
        *byte = (char)apr_tolower(*byte);
    }
    for (; options && options->name; options++) {
        if (strcmp(options->name, "name") == 0 && options->value) {
            base = apr_pstrcat(pool, base, ":", options->value, (char *)NULL);
        }
    }
    label = base;
    for (int number = 2; label_is_taken(registry, label); number++) {
        label = apr_psprintf(pool, "%s-%d", base, number);
    }
    return label;
}

const apr_array_header_t *storer_registry_list(const storer_registry_t *registry)
{
    storer_assert(registry != NULL);
    return registry->stores;
}

static apr_status_t add(storer_registry_t *registry, storer_t *store,
                        const storer_option_t *options)
{
    const char *key = storer_registry_key(store, registry->env->pool), *label;
    storer_t **address;

    if (storer_registry_find(registry, key)) {
        return APR_EEXIST;
    }
    label = make_label(registry, store, options);
    address = apr_pmemdup(registry->env->pool, &store, sizeof(store));
    apr_hash_set(registry->labels, address, sizeof(*address), label);
    apr_hash_set(registry->by_key, key, APR_HASH_KEY_STRING, store);
    APR_ARRAY_PUSH(registry->stores, storer_t *) = store;
    return APR_SUCCESS;
}

apr_status_t storer_registry_add(storer_registry_t *registry, storer_t *store)
{
    storer_assert(registry != NULL && store != NULL);
    return add(registry, store, NULL);
}

apr_status_t storer_registry_open(storer_registry_t *registry, const char *engine,
                                  const storer_option_t *options, storer_t **out,
                                  const char **errmsg)
{
    const char *reason = NULL;
    candidate_t candidate;
    storer_t *known;
    apr_status_t rv;

    storer_assert(registry != NULL && engine != NULL && out != NULL && errmsg != NULL);
    rv = candidate_make(&candidate, registry, engine, options, errmsg);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    known = storer_registry_find(registry, storer_registry_key(candidate.store, candidate.pool));
    if (known) {
        candidate_drop(&candidate);
        *out = known;
        return APR_SUCCESS;
    }
    rv = candidate.store->ops->init(candidate.store, &reason);
    if (rv != APR_SUCCESS) {
        *errmsg = describe(registry, engine, reason, rv);
        candidate_drop(&candidate);
        return rv;
    }
    rv = storer_purge_prepare(candidate.store);
    if (rv != APR_SUCCESS) {
        *errmsg = describe(registry, engine, "no memory for what is purged", rv);
        candidate_drop(&candidate);
        return rv;
    }
    rv = add(registry, candidate.store, options);
    storer_assert(rv == APR_SUCCESS);
    *out = candidate.store;
    return APR_SUCCESS;
}

apr_status_t storer_registry_reset(storer_registry_t *registry, storer_t **failed)
{
    apr_status_t first = APR_SUCCESS;

    storer_assert(registry != NULL);
    for (int i = 0; i < registry->stores->nelts; i++) {
        storer_t *store = APR_ARRAY_IDX(registry->stores, i, storer_t *);
        apr_status_t rv = storer_reset(store);

        if (rv == APR_SUCCESS) {
            continue;
        }
        if (first != APR_SUCCESS) {  /* only the first can be returned */
            storer_log(store->env, STORER_LOG_ERROR, rv, "%s-%s: reset failed", store->ops->name,
                       store->ops->uuid(store));
            continue;
        }
        first = rv;
        if (failed) {
            *failed = store;
        }
    }
    return first;
}

apr_status_t storer_registry_child_init(storer_registry_t *registry, apr_pool_t *pchild)
{
    apr_status_t first = APR_SUCCESS;

    storer_assert(registry != NULL);
    for (int i = 0; i < registry->stores->nelts; i++) {
        storer_t *store = APR_ARRAY_IDX(registry->stores, i, storer_t *);
        apr_status_t rv = APR_SUCCESS;

        if (store->ops->child_init) {
            rv = store->ops->child_init(store, pchild);
        }
        if (rv != APR_SUCCESS) {
            storer_log(store->env, STORER_LOG_ERROR, rv, "%s-%s: not usable in this child",
                       store->ops->name, store->ops->uuid(store));
            first = first == APR_SUCCESS ? rv : first;
        }
    }
    return first;
}
