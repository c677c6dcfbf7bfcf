/* SPDX-License-Identifier: Apache-2.0
 *
 * test_contract_plain.c - the contract suite over the smallest engine: the library's own versions
 * of all optional slots. Once as it is; once with a bound, its values in several parts; once
 * wrapped by the fault-injecting engine without a fault.
 */
#include "contract.h"
#include "faulty.h"
#include "plain.h"
#include "tap.h"

static apr_status_t create(void *baton, const storer_env_t *env, storer_t **out)
{
    return plain_open(out, baton, env);
}

static void finish(void *baton, storer_t *store)
{
    (void)baton;
    is_status(storer_reset(store), APR_SUCCESS, "reset at the end");
    is_int((long long)plain_versions(store), 0, "no version of a value is left");
}

static apr_status_t create_wrapped(void *baton, const storer_env_t *env, storer_t **out)
{
    storer_t *inner;
    apr_status_t rv;

    rv = plain_open(&inner, baton, env);
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
    static const storer_option_t as_it_is[] = { { NULL, NULL } };
    static const storer_option_t in_parts[] = {
        { "size", "4M" }, { "part", "1000" }, { NULL, NULL },
    };
    contract_target_t target = {
        .name = "plain", .create = create, .finish = finish, .baton = (void *)as_it_is,
        .capacity = 2 * 1024 * 1024, .in_place = 1,
    };

    apr_initialize();
    contract_run(&target);
    target.name = "plain in parts";
    target.baton = (void *)in_parts;
    target.too_large = 4 * 1024 * 1024 + 1;
    contract_run(&target);
    target.name = "faulty over plain in parts";
    target.create = create_wrapped;
    target.finish = finish_wrapped;
    contract_run(&target);
    apr_terminate();
    return done_testing();
}
