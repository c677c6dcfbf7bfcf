/* SPDX-License-Identifier: Apache-2.0
 *
 * storer.c - the operations as a host calls them: arguments are checked here once, so that engines
 * need not, and an optional slot that is NULL is served by the library's version.
 *
 * Called by hosts, and by the generic versions themselves. Knows no engine. Views and writers have
 * files of their own.
 */
#include "storer_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Longer lines are cut; the messages of the library and its engines stay far below. */
#define LOG_LINE_MAX 1024

static int key_is_valid(storer_bytes_t key)
{
    return key.data && key.len > 0 && key.len <= STORER_KEY_MAX;
}

/* The mapping's key is the base key with a prefix, and must itself be a key. */
static int base_key_is_valid(storer_bytes_t base_key)
{
    return key_is_valid(base_key)
           && base_key.len <= STORER_KEY_MAX - (sizeof(STORER_MAPPING_PREFIX) - 1);
}

static int store_is_sound(const storer_t *store)
{
    return store && store->ops && store->env;
}

/* A callback stops an operation with APR_EOF and means that all is well. Engines may hand that on
 * as it is; a host sees APR_SUCCESS. */
static apr_status_t without_eof(apr_status_t rv)
{
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static void view_clear(storer_view_t *view)
{
    static const storer_view_t empty = STORER_VIEW_EMPTY;

    if (view) {
        *view = empty;
    }
}

/* An engine need not fill in where a view came from, but a wrapping one may: it stays. */
static void view_complete(storer_view_t *view, storer_t *store)
{
    storer_assert(view->ops != NULL);
    if (!view->store) {
        view->store = store;
    }
}

apr_status_t storer_get(storer_t *store, storer_bytes_t key, apr_time_t now, storer_view_t *view,
                        apr_pool_t *pool)
{
    apr_status_t rv;

    storer_assert(store_is_sound(store));
    storer_assert(view != NULL);
    view_clear(view);
    if (!key_is_valid(key)) {
        return APR_EINVAL;
    }
    rv = store->ops->get(store, key, now, view, pool);
    if (rv != APR_SUCCESS) {
        view_clear(view);
        return rv;
    }
    view_complete(view, store);
    return APR_SUCCESS;
}

apr_status_t storer_set(storer_t *store, storer_bytes_t key, storer_bytes_t value,
                        storer_expiry_t expiry, apr_time_t now)
{
    storer_assert(store_is_sound(store));
    if (!key_is_valid(key) || !value.data) {
        return APR_EINVAL;
    }
    return store->ops->set(store, key, value, expiry, now);
}

apr_status_t storer_delete(storer_t *store, storer_bytes_t key)
{
    apr_status_t rv;

    storer_assert(store_is_sound(store));
    if (!key_is_valid(key)) {
        return APR_EINVAL;
    }
    rv = store->ops->delete_(store, key);
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t storer_update(storer_t *store, storer_bytes_t key, storer_edit_fn *edit, void *baton,
                           apr_time_t now, apr_pool_t *scratch)
{
    apr_status_t rv;

    storer_assert(store_is_sound(store));
    storer_assert(edit != NULL);
    if (!key_is_valid(key)) {
        return APR_EINVAL;
    }
    rv = store->ops->update(store, key, edit, baton, now, scratch);
    return without_eof(rv);
}

apr_status_t storer_map_keys(storer_t *store, storer_bytes_t prefix, apr_time_t now,
                             storer_key_fn *fn, void *baton, apr_pool_t *scratch)
{
    apr_status_t rv;

    storer_assert(store_is_sound(store));
    storer_assert(fn != NULL);
    if (!prefix.data && prefix.len > 0) {
        return APR_EINVAL;
    }
    if (prefix.len > STORER_KEY_MAX) {
        return APR_SUCCESS;  /* no key is that long */
    }
    if (!prefix.data) {
        prefix.data = "";
    }
    rv = store->ops->map_keys(store, prefix, now, fn, baton, scratch);
    return without_eof(rv);
}

apr_status_t storer_list_keys(storer_t *store, apr_time_t now, storer_list_fn *fn, void *baton,
                              apr_pool_t *scratch)
{
    storer_list_keys_fn *slot;
    apr_status_t rv;

    storer_assert(store_is_sound(store));
    storer_assert(fn != NULL);
    slot = store->ops->list_keys ? store->ops->list_keys : storer_generic_list_keys;
    rv = slot(store, now, fn, baton, scratch);
    return without_eof(rv);
}

apr_status_t storer_delete_many(storer_t *store, storer_pattern_t *pattern, apr_time_t now,
                                apr_size_t *deleted, apr_pool_t *scratch)
{
    storer_delete_many_fn *slot;
    apr_size_t count = 0;
    apr_status_t rv;

    storer_assert(store_is_sound(store));
    storer_assert(pattern != NULL);
    slot = store->ops->delete_many ? store->ops->delete_many : storer_generic_delete_many;
    rv = slot(store, pattern, now, &count, scratch);
    if (deleted) {
        *deleted = count;
    }
    return rv;
}

apr_status_t storer_reset(storer_t *store)
{
    storer_assert(store_is_sound(store));
    return store->ops->reset(store);
}

apr_status_t storer_stat(storer_t *store, storer_stat_t *stat)
{
    storer_stat_t numbers;
    apr_status_t rv;

    storer_assert(store_is_sound(store));
    storer_assert(stat != NULL);
    if (!store->ops->stat) {
        return APR_ENOTIMPL;
    }
    memset(&numbers, 0, sizeof(numbers));
    rv = store->ops->stat(store, &numbers);
    if (rv == APR_SUCCESS) {
        *stat = numbers;
    }
    return rv;
}

static int is_owner(storer_bytes_t owner)
{
    return owner.data && owner.len > 0 && owner.len <= STORER_OWNER_MAX;
}

apr_status_t storer_claim(storer_t *store, storer_bytes_t key, storer_bytes_t owner,
                          apr_interval_time_t lease)
{
    storer_assert(store_is_sound(store));
    if (!key_is_valid(key) || !is_owner(owner) || lease <= 0) {
        return APR_EINVAL;
    }
    return store->ops->claim ? store->ops->claim(store, key, owner, lease) : APR_ENOTIMPL;
}

apr_status_t storer_release(storer_t *store, storer_bytes_t key, storer_bytes_t owner)
{
    storer_assert(store_is_sound(store));
    if (!key_is_valid(key) || !is_owner(owner)) {
        return APR_EINVAL;
    }
    return store->ops->release ? store->ops->release(store, key, owner) : APR_ENOTIMPL;
}

apr_status_t storer_get_multi_level(storer_t *store, storer_bytes_t base_key,
                                    const storer_request_t *request, storer_validator_t *validator,
                                    apr_time_t now, storer_view_t *fresh, storer_view_t *stale,
                                    apr_pool_t *pool)
{
    storer_get_multi_level_fn *slot;
    storer_view_t *filled;
    apr_status_t rv;

    storer_assert(store_is_sound(store));
    storer_assert(request != NULL && request->header != NULL);
    storer_assert(fresh == NULL || fresh != stale);
    view_clear(fresh);
    view_clear(stale);
    if (!base_key_is_valid(base_key)) {
        return APR_EINVAL;
    }
    slot = store->ops->get_multi_level ? store->ops->get_multi_level
                                       : storer_generic_get_multi_level;
    rv = slot(store, base_key, request, validator, now, fresh, stale, pool);
    if (rv != APR_SUCCESS) {
        view_clear(fresh);
        view_clear(stale);
        return rv;
    }
    filled = fresh && fresh->ops ? fresh : stale;
    if (filled) {
        view_complete(filled, store);
    }
    return APR_SUCCESS;
}

static int variant_is_valid(const storer_variant_t *variant)
{
    return base_key_is_valid(variant->base_key) && key_is_valid(variant->varied_key)
           && variant->varied_count >= 0 && variant->max_variants >= 0
           && (variant->varied_count == 0 || variant->varied_headers);
}

apr_status_t storer_set_multi_level(storer_t *store, const storer_variant_t *variant,
                                    storer_bytes_t value, apr_time_t now, apr_pool_t *scratch)
{
    storer_set_multi_level_fn *slot;

    storer_assert(store_is_sound(store));
    storer_assert(variant != NULL);
    if (!variant_is_valid(variant) || !value.data) {
        return APR_EINVAL;
    }
    slot = store->ops->set_multi_level ? store->ops->set_multi_level
                                       : storer_generic_set_multi_level;
    return slot(store, variant, value, now, scratch);
}

/* A log is read line by line, and keys and addresses come from outside. */
static void one_line(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            *text = '?';
        }
    }
}

void storer_log(const storer_env_t *env, storer_log_level_e level, apr_status_t rv,
                const char *format, ...)
{
    char line[LOG_LINE_MAX];
    va_list args;

    if (!env || !env->log) {
        return;
    }
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    one_line(line);
    env->log(env->baton, level, rv, line);
}

void storer_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "storer: assertion \"%s\" failed, %s line %d\n", condition, file, line);
    fflush(stderr);
    abort();
}
