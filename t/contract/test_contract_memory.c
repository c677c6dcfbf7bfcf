/* SPDX-License-Identifier: Apache-2.0
 *
 * test_contract_memory.c - the contract suite over the memory engine, opened as a host does: by the
 * registry. Once as it is, once wrapped by the fault-injecting engine without a fault.
 */
#include "contract.h"
#include "faulty.h"
#include "tap.h"

static apr_status_t create(void *baton, const storer_env_t *env, storer_t **out)
{
    storer_registry_t *registry = storer_registry_create(env);
    const char *errmsg = NULL;
    apr_status_t rv;

    rv = storer_registry_open(registry, "memory", baton, out, &errmsg);
    if (rv != APR_SUCCESS) {
        diag("%s", errmsg);
    }
    return rv;
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
    (void)baton;
    is_int(faulty_open_views(store), 0, "no view is left");
    is_int(faulty_open_writers(store), 0, "no writer is left");
}

int main(void)
{
    static const storer_option_t options[] = { { "size", "16M" }, { NULL, NULL } };
    contract_target_t target = {
        .name = "memory", .create = create, .baton = (void *)options,
        .capacity = 4 * 1024 * 1024, .too_large = 16 * 1024 * 1024,
        .eviction = 1, .shared = 1, .in_place = 1,
    };

    apr_initialize();
    contract_run(&target);
    target.name = "faulty over memory";
    target.create = create_wrapped;
    target.finish = finish_wrapped;
    contract_run(&target);
    apr_terminate();
    return done_testing();
}
