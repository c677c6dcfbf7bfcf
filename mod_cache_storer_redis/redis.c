/* SPDX-License-Identifier: Apache-2.0
 *
 * redis.c - the engine's table and its factory. Called by the host.
 */
#include "redis.h"

#include "engine.h"

#include <string.h>

static storer_uuid_fn redis_uuid;
static storer_init_fn redis_init;
static storer_child_init_fn redis_child_init;

static const storer_ops_t redis_ops = {
    .name = "REDIS",
    .in_place = 0,
    .uuid = redis_uuid,
    .init = redis_init,
    .get = redis_get,
    .set = redis_set,
    .delete_ = redis_delete,
    .update = redis_update,
    .map_keys = redis_map_keys,
    .reset = redis_reset,
    .child_init = redis_child_init,
    .open_writer = redis_open_writer,
    .get_multi_level = redis_get_multi_level,
    .commit_variant = redis_commit_variant,
    .epoch = redis_epoch,
    .purge = redis_purge,
    .list_purges = redis_list_purges,
    .restore_purges = redis_restore_purges,
    .claim = redis_claim,
    .release = redis_release,
};

redis_t *redis_of(storer_t *self)
{
    redis_assert(self != NULL && self->ops == &redis_ops);
    return (redis_t *)self;
}

clock_point_t redis_deadline(const redis_t *redis)
{
    return clock_now() + redis->options.timeout;
}

int redis_may_complain(redis_t *redis)
{
    apr_int64_t now = clock_now(), last = atomic_load(&redis->complained);

    if (last != 0 && now - last < 60 * APR_USEC_PER_SEC) {
        return 0;
    }
    return atomic_compare_exchange_strong(&redis->complained, &last, now);
}

static const char *redis_uuid(storer_t *self)
{
    return redis_of(self)->uuid;
}

/* No socket: it would be shared by all children. */
static apr_status_t redis_init(storer_t *self, const char **errmsg)
{
    redis_t *redis = redis_of(self);
    const storer_env_t *env = self->env;
    apr_status_t rv;
    int i;

    if (redis->options.tls) {
        rv = tls_create(&redis->tls, &redis->options, env, errmsg);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    redis->nodes = apr_pcalloc(env->pool, sizeof(node_t) * (apr_size_t)redis->options.host_count);
    for (i = 0; i < redis->options.host_count; i++) {
        const options_host_t *host = &redis->options.hosts[i];

        node_init(&redis->nodes[i], host->name, host->port, &redis->options, env, redis->tls);
    }
    redis->node_count = redis->options.host_count;
    if (redis->options.cluster) {
        redis->cluster = cluster_create(redis->nodes, redis->node_count, &redis->options, env,
                                        redis->tls);
    }
    return APR_SUCCESS;
}

static apr_status_t close_connections(void *data)
{
    redis_t *redis = data;
    int i;

    for (i = 0; i < redis->node_count; i++) {
        node_close(&redis->nodes[i]);
    }
    if (redis->cluster) {
        cluster_close(redis->cluster);
    }
    return APR_SUCCESS;
}

/* Here, and not while a request waits, names are looked up. One that is not found now is a server out
 * of reach for as long as the process lives. */
static apr_status_t redis_child_init(storer_t *self, apr_pool_t *pchild)
{
    redis_t *redis = redis_of(self);
    int i;

    for (i = 0; i < redis->node_count; i++) {
        node_t *node = &redis->nodes[i];
        apr_status_t rv;

        node_child_init(node);
        rv = address_find(&node->address, node->name, node->port, 0);
        if (rv != APR_SUCCESS) {
            host_log(self->env, STORER_LOG_WARNING, rv, "redis: the host %s is not known",
                     node->name);
        }
    }
    if (redis->cluster) {
        cluster_child_init(redis->cluster);
    }
    apr_pool_cleanup_register(pchild, redis, close_connections, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

static apr_status_t redis_create(storer_t **out, const storer_option_t *options,
                                 const storer_env_t *env, const char **errmsg)
{
    redis_t *redis = apr_pcalloc(env->pool, sizeof(*redis));
    apr_status_t rv;

    redis->base.ops = &redis_ops;
    redis->base.env = env;
    rv = options_read(&redis->options, options, env, errmsg);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    redis->names.prefix = redis->options.prefix;
    redis->names.prefix_len = strlen(redis->options.prefix);
    redis->names.cluster = redis->options.cluster;
    redis->uuid = options_uuid(&redis->options, env->pool);
    *out = &redis->base;
    return APR_SUCCESS;
}

const storer_engine_t redis_engine = { STORER_ABI_VERSION, "redis", redis_create };
