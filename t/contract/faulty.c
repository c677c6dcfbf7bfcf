/* SPDX-License-Identifier: Apache-2.0
 *
 * faulty.c - the fault-injecting engine, see faulty.h. Used by tests only. Knows the wrapped store
 * through the public interface.
 *
 * Each slot has the same shape: `before` counts, waits and says whether the call fails instead; the
 * wrapped store is called; `after` says whether the call fails all the same.
 */
#include "faulty_private.h"

#include <apr_strings.h>

#define DELAY_MAX APR_USEC_PER_SEC

static storer_uuid_fn faulty_uuid;
static storer_init_fn faulty_init;
static storer_child_init_fn faulty_child_init;
static storer_get_fn faulty_get;
static storer_set_fn faulty_set;
static storer_delete_fn faulty_delete;
static storer_update_fn faulty_update;
static storer_map_keys_fn faulty_map_keys;
static storer_reset_fn faulty_reset;
static storer_list_keys_fn faulty_list_keys;
static storer_delete_many_fn faulty_delete_many;
static storer_get_multi_level_fn faulty_get_multi_level;
static storer_set_multi_level_fn faulty_set_multi_level;
static storer_stat_fn faulty_stat;

/* Its table is not const and not shared, so a slot's address is the type tag. */
static faulty_t *faulty_of(storer_t *self)
{
    storer_assert(self->ops->get == faulty_get);
    return (faulty_t *)self;
}

/* ---- striking ---- */

static apr_status_t strike(faulty_t *faulty, faulty_slot_e slot, apr_uint64_t call,
                           faulty_when_e when)
{
    fault_t *fault = &faulty->faults[slot];
    apr_status_t status = atomic_load(&fault->status);
    apr_uint64_t strike_at = atomic_load(&fault->strike_at);

    if (status == APR_SUCCESS || atomic_load(&fault->when) != (int)when
        || (strike_at != 0 && strike_at != call)) {
        return APR_SUCCESS;
    }
    atomic_fetch_add(&faulty->strikes, 1);
    return status;
}

apr_status_t faulty_before(faulty_t *faulty, faulty_slot_e slot, apr_uint64_t *call)
{
    fault_t *fault = &faulty->faults[slot];
    apr_interval_time_t delay = atomic_load(&fault->delay);

    *call = atomic_fetch_add(&fault->calls, 1) + 1;
    if (delay > 0) {
        apr_sleep(delay < DELAY_MAX ? delay : DELAY_MAX);
    }
    if (faulty->hook) {
        faulty->hook(faulty->hook_baton, &faulty->base, slot);
    }
    return strike(faulty, slot, *call, FAULTY_INSTEAD);
}

apr_status_t faulty_after(faulty_t *faulty, faulty_slot_e slot, apr_uint64_t call,
                          apr_status_t rv)
{
    return rv == APR_SUCCESS ? strike(faulty, slot, call, FAULTY_AFTER) : rv;
}

apr_status_t faulty_take_space(faulty_t *faulty, apr_size_t bytes)
{
    long long left = atomic_load(&faulty->space);

    if (!atomic_load(&faulty->bounded)) {
        return APR_SUCCESS;
    }
    do {
        if (left < 0 || (unsigned long long)left < bytes) {
            atomic_fetch_add(&faulty->strikes, 1);
            return APR_ENOSPC;
        }
    } while (!atomic_compare_exchange_weak(&faulty->space, &left, left - (long long)bytes));
    return APR_SUCCESS;
}

/* ---- slots ---- */

static const char *faulty_uuid(storer_t *self)
{
    return faulty_of(self)->uuid;
}

static apr_status_t faulty_init(storer_t *self, const char **errmsg)
{
    faulty_t *faulty = faulty_of(self);
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_INIT, &call);
    if (rv != APR_SUCCESS) {
        *errmsg = "injected fault";
        return rv;
    }
    return faulty->inner->ops->init(faulty->inner, errmsg);
}

static apr_status_t faulty_child_init(storer_t *self, apr_pool_t *pchild)
{
    faulty_t *faulty = faulty_of(self);
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_CHILD_INIT, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = faulty->inner->ops->child_init(faulty->inner, pchild);
    return faulty_after(faulty, FAULTY_CHILD_INIT, call, rv);
}

static apr_status_t faulty_get(storer_t *self, storer_bytes_t key, apr_time_t now,
                               storer_view_t *view, apr_pool_t *pool)
{
    faulty_t *faulty = faulty_of(self);
    storer_view_t inner = STORER_VIEW_EMPTY;
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_GET, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_get(faulty->inner, key, now, &inner, pool);
    rv = faulty_after(faulty, FAULTY_GET, call, rv);
    if (rv != APR_SUCCESS) {
        storer_view_release(&inner);
        return rv;
    }
    return faulty_view_wrap(faulty, view, &inner);
}

static apr_status_t faulty_set(storer_t *self, storer_bytes_t key, storer_bytes_t value,
                               storer_expiry_t expiry, apr_time_t now)
{
    faulty_t *faulty = faulty_of(self);
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_SET, &call);
    if (rv == APR_SUCCESS) {
        rv = faulty_take_space(faulty, value.len);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_set(faulty->inner, key, value, expiry, now);
    return faulty_after(faulty, FAULTY_SET, call, rv);
}

static apr_status_t faulty_delete(storer_t *self, storer_bytes_t key)
{
    faulty_t *faulty = faulty_of(self);
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_DELETE, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_delete(faulty->inner, key);
    return faulty_after(faulty, FAULTY_DELETE, call, rv);
}

typedef struct edit_t {
    faulty_t *faulty;
    storer_edit_fn *edit;
    void *baton;
} edit_t;

static apr_status_t edit_within_space(void *baton, storer_bytes_t old, storer_bytes_t *value,
                                      storer_expiry_t *expiry, apr_pool_t *scratch)
{
    edit_t *wrapped = baton;
    apr_status_t rv;

    rv = wrapped->edit(wrapped->baton, old, value, expiry, scratch);
    if (rv == APR_SUCCESS && value->data) {
        rv = faulty_take_space(wrapped->faulty, value->len);
    }
    return rv;
}

static apr_status_t faulty_update(storer_t *self, storer_bytes_t key, storer_edit_fn *edit,
                                  void *baton, apr_time_t now, apr_pool_t *scratch)
{
    faulty_t *faulty = faulty_of(self);
    edit_t wrapped = { faulty, edit, baton };
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_UPDATE, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_update(faulty->inner, key, edit_within_space, &wrapped, now, scratch);
    return faulty_after(faulty, FAULTY_UPDATE, call, rv);
}

typedef struct walk_t {
    faulty_t *faulty;
    storer_key_fn *fn;
    void *baton;
} walk_t;

static apr_status_t walk_key(void *baton, storer_bytes_t key, storer_view_t *value)
{
    walk_t *walk = baton;
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_status_t rv;

    rv = faulty_view_wrap(walk->faulty, &view, value);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = walk->fn(walk->baton, key, &view);
    storer_view_release(&view);
    return rv;
}

static apr_status_t faulty_map_keys(storer_t *self, storer_bytes_t prefix, apr_time_t now,
                                    storer_key_fn *fn, void *baton, apr_pool_t *scratch)
{
    faulty_t *faulty = faulty_of(self);
    walk_t walk = { faulty, fn, baton };
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_MAP_KEYS, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_map_keys(faulty->inner, prefix, now, walk_key, &walk, scratch);
    return faulty_after(faulty, FAULTY_MAP_KEYS, call, rv);
}

static apr_status_t faulty_reset(storer_t *self)
{
    faulty_t *faulty = faulty_of(self);
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_RESET, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_reset(faulty->inner);
    return faulty_after(faulty, FAULTY_RESET, call, rv);
}

static apr_status_t faulty_list_keys(storer_t *self, apr_time_t now, storer_list_fn *fn,
                                     void *baton, apr_pool_t *scratch)
{
    faulty_t *faulty = faulty_of(self);
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_LIST_KEYS, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_list_keys(faulty->inner, now, fn, baton, scratch);
    return faulty_after(faulty, FAULTY_LIST_KEYS, call, rv);
}

static apr_status_t faulty_delete_many(storer_t *self, storer_pattern_t *pattern, apr_time_t now,
                                       apr_size_t *deleted, apr_pool_t *scratch)
{
    faulty_t *faulty = faulty_of(self);
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_DELETE_MANY, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_delete_many(faulty->inner, pattern, now, deleted, scratch);
    return faulty_after(faulty, FAULTY_DELETE_MANY, call, rv);
}

static apr_status_t wrap_elected(faulty_t *faulty, storer_view_t *view, storer_view_t *inner)
{
    if (!inner->ops) {
        return APR_SUCCESS;
    }
    return faulty_view_wrap(faulty, view, inner);
}

static apr_status_t faulty_get_multi_level(storer_t *self, storer_bytes_t base_key,
                                           const storer_request_t *request,
                                           storer_validator_t *validator, apr_time_t now,
                                           storer_view_t *fresh, storer_view_t *stale,
                                           apr_pool_t *pool)
{
    faulty_t *faulty = faulty_of(self);
    storer_view_t inner_fresh = STORER_VIEW_EMPTY, inner_stale = STORER_VIEW_EMPTY;
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_GET_MULTI_LEVEL, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_get_multi_level(faulty->inner, base_key, request, validator, now,
                                fresh ? &inner_fresh : NULL, stale ? &inner_stale : NULL, pool);
    rv = faulty_after(faulty, FAULTY_GET_MULTI_LEVEL, call, rv);
    if (rv != APR_SUCCESS) {
        storer_view_release(&inner_fresh);
        storer_view_release(&inner_stale);
        return rv;
    }
    rv = wrap_elected(faulty, fresh, &inner_fresh);
    if (rv != APR_SUCCESS) {
        storer_view_release(&inner_stale);
        return rv;
    }
    rv = wrap_elected(faulty, stale, &inner_stale);
    if (rv != APR_SUCCESS && fresh) {
        storer_view_release(fresh);
    }
    return rv;
}

static apr_status_t faulty_set_multi_level(storer_t *self, const storer_variant_t *variant,
                                           storer_bytes_t value, apr_time_t now,
                                           apr_pool_t *scratch)
{
    faulty_t *faulty = faulty_of(self);
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_SET_MULTI_LEVEL, &call);
    if (rv == APR_SUCCESS) {
        rv = faulty_take_space(faulty, value.len);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_set_multi_level(faulty->inner, variant, value, now, scratch);
    return faulty_after(faulty, FAULTY_SET_MULTI_LEVEL, call, rv);
}

static apr_status_t faulty_stat(storer_t *self, storer_stat_t *stat)
{
    faulty_t *faulty = faulty_of(self);
    apr_uint64_t call;
    apr_status_t rv;

    rv = faulty_before(faulty, FAULTY_STAT, &call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = storer_stat(faulty->inner, stat);
    return faulty_after(faulty, FAULTY_STAT, call, rv);
}

static void faulty_rank(storer_t *self, storer_rank_t *variants, int count, apr_time_t now)
{
    storer_t *inner = faulty_of(self)->inner;

    inner->ops->rank(inner, variants, count, now);
}

/* ---- for the tests ---- */

storer_t *faulty_create(storer_t *inner, const storer_env_t *env)
{
    faulty_t *faulty = apr_pcalloc(env->pool, sizeof(*faulty));
    const storer_ops_t *has = inner->ops;

    faulty->ops = (storer_ops_t){
        .name = "FAULTY",
        .in_place = has->in_place,
        .uuid = faulty_uuid,
        .init = faulty_init,
        .get = faulty_get,
        .set = faulty_set,
        .delete_ = faulty_delete,
        .update = faulty_update,
        .map_keys = faulty_map_keys,
        .reset = faulty_reset,
        .child_init = has->child_init ? faulty_child_init : NULL,
        .list_keys = has->list_keys ? faulty_list_keys : NULL,
        .delete_many = has->delete_many ? faulty_delete_many : NULL,
        .open_writer = faulty_open_writer,
        .get_multi_level = has->get_multi_level ? faulty_get_multi_level : NULL,
        .set_multi_level = has->set_multi_level ? faulty_set_multi_level : NULL,
        .stat = has->stat ? faulty_stat : NULL,
        .rank = has->rank ? faulty_rank : NULL,
    };
    faulty->base.ops = &faulty->ops;
    faulty->base.env = env;
    faulty->inner = inner;
    faulty->uuid = apr_pstrcat(env->pool, has->name, "-", has->uuid(inner), (char *)NULL);
    return &faulty->base;
}

void faulty_fail(storer_t *self, faulty_slot_e slot, apr_uint64_t nth, apr_status_t status,
                 faulty_when_e when)
{
    fault_t *fault = &faulty_of(self)->faults[slot];

    atomic_store(&fault->strike_at, nth ? atomic_load(&fault->calls) + nth : 0);
    atomic_store(&fault->when, (int)when);
    atomic_store(&fault->status, status);
}

void faulty_space(storer_t *self, apr_off_t bytes)
{
    faulty_t *faulty = faulty_of(self);

    atomic_store(&faulty->space, bytes);
    atomic_store(&faulty->bounded, bytes >= 0);
}

void faulty_hook(storer_t *self, faulty_hook_fn *hook, void *baton)
{
    faulty_t *faulty = faulty_of(self);

    faulty->hook = hook;
    faulty->hook_baton = baton;
}

void faulty_delay(storer_t *self, faulty_slot_e slot, apr_interval_time_t delay)
{
    atomic_store(&faulty_of(self)->faults[slot].delay, delay);
}

void faulty_clear(storer_t *self)
{
    for (int slot = 0; slot < FAULTY_SLOT_COUNT; slot++) {
        faulty_fail(self, (faulty_slot_e)slot, 0, APR_SUCCESS, FAULTY_INSTEAD);
        faulty_delay(self, (faulty_slot_e)slot, 0);
    }
    faulty_hook(self, NULL, NULL);
    faulty_space(self, -1);
}

apr_uint64_t faulty_calls(storer_t *self, faulty_slot_e slot)
{
    return atomic_load(&faulty_of(self)->faults[slot].calls);
}

apr_uint64_t faulty_strikes(storer_t *self)
{
    return atomic_load(&faulty_of(self)->strikes);
}

long faulty_open_views(storer_t *self)
{
    return atomic_load(&faulty_of(self)->views);
}

long faulty_open_writers(storer_t *self)
{
    return atomic_load(&faulty_of(self)->writers);
}

const char *faulty_slot_name(faulty_slot_e slot)
{
    static const char *const names[FAULTY_SLOT_COUNT] = {
        "init", "child_init", "get", "set", "delete", "update", "map_keys", "reset", "list_keys",
        "delete_many", "open_writer", "get_multi_level", "set_multi_level", "stat", "view next",
        "writer append", "writer commit",
    };

    return names[slot];
}
