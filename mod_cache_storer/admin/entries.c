/* SPDX-License-Identifier: Apache-2.0
 *
 * entries.c - see entries.h.
 */
#include "entries.h"

#include "answer.h"

#include "../http/key.h"

#include "http_protocol.h"

#include <string.h>

/* Keys between two looks whether to stop. */
#define STOP_INTERVAL 1024

typedef struct walk_t {
    const admin_t    *admin;
    storer_pattern_t *pattern;
    entries_fn       *fn;
    void             *baton;
    storer_t         *store;
    apr_size_t        seen;
    apr_pool_t       *scratch;   /* cleared for each key */
} walk_t;

static apr_status_t look(void *baton, storer_bytes_t key, storer_view_t *value)
{
    walk_t *walk = baton;
    apr_pool_t *scratch = walk->scratch;
    entries_entry_t entry = { walk->store, key_base(key), { NULL, 0 }, { NULL, 0 }, NULL, value, 0 };
    record_t record;

    if (++walk->seen % STOP_INTERVAL == 0 && admin_should_stop((void *)walk->admin)) {
        return APR_EINTR;
    }
    if (entry.base_key.len == 0) {
        return APR_SUCCESS; /* of the store's own */
    }
    apr_pool_clear(scratch);
    entry.url = key_show(entry.base_key, scratch);
    if (walk->pattern) {
        apr_status_t rv = storer_pattern_match(walk->pattern, entry.url);

        if (rv != APR_SUCCESS) {
            return APR_STATUS_IS_NOTFOUND(rv) ? APR_SUCCESS : rv;
        }
    }
    if (record_decode(value, &record, scratch) != APR_SUCCESS
        || (walk->admin->site && record.site != walk->admin->site)) {
        return APR_SUCCESS;
    }
    switch (purge_standing(walk->store, &record, entry.base_key, walk->admin->r->request_time,
                           scratch)) {
    case STORER_GONE:
        return APR_SUCCESS;
    case STORER_STALE:
        entry.soft = 1;
        break;
    case STORER_STANDS:
    default:
        break;
    }
    entry.variant.data = key.data + entry.base_key.len;
    entry.variant.len = key.len - entry.base_key.len;
    entry.record = &record;
    return walk->fn(walk->baton, &entry, scratch);
}

/* Each store of the scope. */
static apr_status_t each_store(walk_t *walk, const storer_bytes_t *base_key)
{
    const admin_t *admin = walk->admin;
    apr_time_t now = admin->r->request_time;
    apr_status_t rv = APR_SUCCESS;
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, admin->r->pool);
    apr_pool_create(&walk->scratch, pool);
    for (i = 0; i < admin->stores->nelts && rv == APR_SUCCESS; i++) {
        walk->store = APR_ARRAY_IDX(admin->stores, i, storer_t *);
        rv = base_key ? storer_map_variants(walk->store, *base_key, now, look, walk, pool)
                      : storer_map_keys(walk->store, storer_bytes(""), now, look, walk, pool);
    }
    apr_pool_destroy(pool);
    return rv;
}

apr_status_t entries_walk(const admin_t *admin, storer_pattern_t *pattern, entries_fn *fn,
                          void *baton)
{
    walk_t walk = { admin, pattern, fn, baton, NULL, 0, NULL };

    return each_store(&walk, NULL);
}

apr_status_t entries_of_url(const admin_t *admin, storer_bytes_t base_key, entries_fn *fn,
                            void *baton)
{
    walk_t walk = { admin, NULL, fn, baton, NULL, 0, NULL };

    return each_store(&walk, &base_key);
}

storer_bytes_t entries_shown(const entries_entry_t *entry, apr_pool_t *pool)
{
    storer_bytes_t shown = entry->url;
    char *text;

    if (entry->variant.len > 0) {
        text = apr_palloc(pool, shown.len + entry->variant.len);
        memcpy(text, shown.data, shown.len);
        memcpy(text + shown.len, entry->variant.data, entry->variant.len);
        shown.data = text;
        shown.len += entry->variant.len;
    }
    return shown;
}

int entries_failed(const admin_t *admin, apr_status_t rv)
{
    if (APR_STATUS_IS_TIMEUP(rv)) {
        return answer_error(admin, HTTP_BAD_REQUEST, "the pattern takes too long on some key: it has "
                            "to try too many ways to match it");
    }
    if (APR_STATUS_IS_EINTR(rv)) {
        return answer_error(admin, HTTP_SERVICE_UNAVAILABLE, "stopped half way: the server is "
                            "restarting");
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, admin->r,
                  STORERNO(0542) "the entries of the store could not be walked");
    return answer_error(admin, HTTP_INTERNAL_SERVER_ERROR, "the store failed; see the error log");
}
