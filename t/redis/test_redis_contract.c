/* SPDX-License-Identifier: Apache-2.0
 *
 * test_redis_contract.c - the contract suite over the Redis engine: by TCP, by unix socket, over a
 * cluster of three, and wrapped by the fault-injecting engine without a fault.
 */
#include "contract.h"
#include "engine.h"
#include "faulty.h"
#include "server.h"
#include "tap.h"

#include <apr_strings.h>

typedef struct place_t {
    const char *url, *cluster;
    int stores;      /* so that each has a prefix of its own, and is empty */
} place_t;

static apr_status_t create(void *baton, const storer_env_t *env, storer_t **out)
{
    storer_registry_t *registry = storer_registry_create(env);
    place_t *place = baton;
    const storer_option_t options[] = {
        { "url", place->url },
        { "cluster", place->cluster },
        { "timeout", "20s" },  /* the machine may be busy; what is bounded is tested elsewhere */
        { "prefix", apr_psprintf(env->pool, "contract%d", place->stores++) },
        { NULL, NULL },
    };
    const char *errmsg = NULL;
    apr_status_t rv;

    rv = storer_registry_add_engine(registry, "redis", &redis_engine, &errmsg);
    if (rv == APR_SUCCESS) {
        rv = storer_registry_open(registry, "redis", options, out, &errmsg);
    }
    if (rv != APR_SUCCESS) {
        diag("%s", errmsg);
    }
    return rv;
}

static void finish(void *baton, storer_t *store)
{
    (void)baton;
    is_status(storer_reset(store), APR_SUCCESS, "reset at the end");
}

static apr_status_t create_wrapped(void *baton, const storer_env_t *env, storer_t **out)
{
    storer_t *inner;
    apr_status_t rv;

    rv = create(baton, env, &inner);
    if (rv == APR_SUCCESS) {
        *out = faulty_create(inner, env);
    }
    return rv;
}

static void finish_wrapped(void *baton, storer_t *store)
{
    is_int(faulty_open_views(store), 0, "no view is left");
    is_int(faulty_open_writers(store), 0, "no writer is left");
    finish(baton, store);
}

static void run(const char *name, place_t *place, int wrapped)
{
    contract_target_t target = {
        .name = name, .create = wrapped ? create_wrapped : create,
        .finish = wrapped ? finish_wrapped : finish, .baton = place,
        .capacity = 3 * 1024 * 1024, .shared = 1,
    };

    contract_run(&target);
}

int main(void)
{
    apr_pool_t *pool;
    server_t *server, *nodes[3];
    place_t tcp = { NULL, "off", 0 }, path = { NULL, "off", 1000 }, cluster = { NULL, "on", 0 };

    pool = server_begin_test();
    server = server_start(NULL, pool);
    tcp.url = apr_psprintf(pool, "redis://127.0.0.1:%d/3", server->port);
    path.url = apr_psprintf(pool, "unix:%s?db=4", server->socket);
    run("redis by TCP", &tcp, 0);
    if (!tap_slow()) { /* each of the ways is seen in any case */
        run("redis by unix socket", &path, 0);
        run("faulty over redis by TCP", &tcp, 1);
    }
    run("faulty over redis by unix socket", &path, 1);
    server_start_cluster(nodes, pool);
    cluster.url = apr_psprintf(pool, "redis://127.0.0.1:%d,127.0.0.1:%d", nodes[1]->port,
                               nodes[2]->port);
    run("redis cluster", &cluster, 0);
    if (!tap_slow()) {
        run("faulty over redis cluster", &cluster, 1);
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
