/* SPDX-License-Identifier: Apache-2.0
 *
 * purge.c - purging by label: for engines that keep no labels themselves, in a table of the host's;
 * for those that several machines share, that table follows what the store remembers for all.
 *
 * Called by hosts, and by the registry when it opens a store. The table is marks.h's.
 */
#include "marks.h"
#include "storer_private.h"

#include <apr_strings.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* For a store whose size nobody here knows: 4 MB. */
#define MARKS 131072

/* For one that follows a store's own list: several times as much as such a list is long, so that
 * hardly any mark ever gives way. */
#define MARKS_FOLLOWING 524288

apr_uint64_t storer_label(const char *kind, storer_bytes_t text)
{
    storer_assert(kind != NULL);
    return XXH3_64bits_withSeed(text.data, text.len, XXH3_64bits(kind, strlen(kind)));
}

apr_uint64_t storer_label_within(apr_uint64_t outer, apr_uint64_t label)
{
    return XXH3_64bits_withSeed(&label, sizeof(label), outer);
}

/* The memory for a table; without the host's it is this process' alone, which is enough for one that
 * follows the store. */
static apr_status_t find_memory(storer_t *store, apr_size_t size, void **base, int *fresh)
{
    const storer_env_t *env = store->env;

    if (!env->retain) {
        *base = (void *)APR_ALIGN((apr_uintptr_t)apr_pcalloc(env->pool, size + 64), 64);
        *fresh = 1;
        return APR_SUCCESS;
    }
    return env->retain(env->baton, apr_pstrcat(env->pool, "marks-",
                                               storer_registry_key(store, env->pool), NULL),
                       size, base, fresh);
}

apr_status_t storer_purge_prepare(storer_t *store)
{
    int follows = store->ops->purges != NULL;
    apr_size_t size = marks_size(follows ? MARKS_FOLLOWING : MARKS);
    marks_t *marks;
    void *base;
    int fresh;
    apr_status_t rv;

    if (store->ops->judge || (!store->env->retain && !follows)) {
        return APR_SUCCESS;
    }
    rv = find_memory(store, size, &base, &fresh);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    marks = apr_palloc(store->env->pool, sizeof(*marks));
    rv = marks_attach(marks, base, size, fresh);
    if (rv == APR_SUCCESS) {
        store->host = marks;
    }
    return rv;
}

apr_status_t storer_epoch(storer_t *store, apr_time_t now, apr_uint64_t *epoch)
{
    storer_assert(store != NULL && epoch != NULL);
    if (store->ops->epoch) {
        return store->ops->epoch(store, now, epoch);
    }
    if (!store->host) {
        return APR_ENOTIMPL;
    }
    *epoch = marks_epoch(store->host);
    return APR_SUCCESS;
}

static apr_status_t learn(void *baton, const apr_uint64_t *label, int hard, apr_uint64_t epoch)
{
    return marks_learn(baton, label, hard, epoch);
}

/* The table knows all purges up to the store's present epoch. Who comes at the same time asks as well,
 * which costs a question and no wait. */
static apr_status_t follow(storer_t *store, apr_time_t now, apr_uint64_t *present)
{
    apr_uint64_t known = marks_epoch(store->host);
    apr_status_t rv = store->ops->epoch(store, now, present);

    if (rv != APR_SUCCESS || *present <= known) {
        return rv;
    }
    rv = store->ops->purges(store, known, learn, store->host);
    if (rv == APR_SUCCESS) {
        marks_advance(store->host, *present);
    }
    return rv;
}

storer_standing_e storer_judge(storer_t *store, apr_uint64_t epoch, const apr_uint64_t *labels,
                               int count, apr_time_t now)
{
    apr_uint64_t present;

    storer_assert(store != NULL && count >= 0 && (count == 0 || labels != NULL));
    if (store->ops->judge) {
        return store->ops->judge(store, epoch, labels, count, now);
    }
    if (store->ops->purges && follow(store, now, &present) != APR_SUCCESS) {
        return STORER_GONE;
    }
    return store->host ? marks_judge(store->host, epoch, labels, count) : STORER_STANDS;
}

apr_status_t storer_purge(storer_t *store, const apr_uint64_t *labels, int count, int hard,
                          apr_time_t now)
{
    storer_assert(store != NULL && count >= 0 && (count == 0 || labels != NULL));
    if (store->ops->purge) {
        return store->ops->purge(store, labels, count, hard, now);
    }
    return store->host ? marks_purge(store->host, labels, count, hard) : APR_ENOTIMPL;
}
