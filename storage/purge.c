/* SPDX-License-Identifier: Apache-2.0
 *
 * purge.c - purging by label: for engines that keep no labels themselves, in a table of the host's.
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

apr_uint64_t storer_label(const char *kind, storer_bytes_t text)
{
    storer_assert(kind != NULL);
    return XXH3_64bits_withSeed(text.data, text.len, XXH3_64bits(kind, strlen(kind)));
}

apr_uint64_t storer_label_within(apr_uint64_t outer, apr_uint64_t label)
{
    return XXH3_64bits_withSeed(&label, sizeof(label), outer);
}

apr_status_t storer_purge_prepare(storer_t *store)
{
    const storer_env_t *env = store->env;
    apr_size_t size = marks_size(MARKS);
    marks_t *marks;
    void *base;
    int fresh;
    apr_status_t rv;

    if (store->ops->purge || !env->retain) {
        return APR_SUCCESS;
    }
    rv = env->retain(env->baton, apr_pstrcat(env->pool, "marks-", storer_registry_key(store, env->pool),
                                             NULL), size, &base, &fresh);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    marks = apr_palloc(env->pool, sizeof(*marks));
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

storer_standing_e storer_judge(storer_t *store, apr_uint64_t epoch, const apr_uint64_t *labels,
                               int count, apr_time_t now)
{
    storer_assert(store != NULL && count >= 0 && (count == 0 || labels != NULL));
    if (store->ops->judge) {
        return store->ops->judge(store, epoch, labels, count, now);
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
