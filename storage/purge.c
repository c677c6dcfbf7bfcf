/* SPDX-License-Identifier: Apache-2.0
 *
 * purge.c - purging by label: for engines that keep no labels themselves, in a table of the host's;
 * for those that several machines share, that table follows what the store remembers for all.
 *
 * Called by hosts, and by the registry when it opens a store. The table is purge_table.h's; the
 * memory engine has it in its segment, so that it lasts as long as a file.
 */
#include "shared/purge_table.h"
#include "storer_private.h"

#include <apr_strings.h>

#include <limits.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* For a store whose size nobody here knows: 4 MB. */
#define LABELS 131072

/* For one that follows a store's own list: several times as much as such a list is long, so that
 * hardly any mark is ever displaced. */
#define LABELS_FOLLOWING 524288

struct storer_tidy_t {
    purge_tidy_t table;
};

apr_uint64_t storer_label(const char *kind, storer_bytes_t text)
{
    storer_assert(kind != NULL);
    return XXH3_64bits_withSeed(text.data, text.len, XXH3_64bits(kind, strlen(kind)));
}

apr_uint64_t storer_label_within(apr_uint64_t outer, apr_uint64_t label)
{
    return XXH3_64bits_withSeed(&label, sizeof(label), outer);
}

static int follows(const storer_t *store)
{
    return store->ops->list_purges != NULL;
}

/* The memory for a table; without the host's it is this process' alone, which is enough for one
 * that follows the store. */
static apr_status_t find_memory(storer_t *store, apr_size_t size, void **base, int *fresh)
{
    const storer_env_t *env = store->env;

    if (!env->retain) {
        *base = (void *)APR_ALIGN((apr_uintptr_t)apr_pcalloc(env->pool, size + 64), 64);
        *fresh = 1;
        return APR_SUCCESS;
    }
    return env->retain(env->baton,
                       apr_psprintf(env->pool, "purges-%d-%s", PURGE_TABLE_LAYOUT_VERSION,
                                    storer_registry_key(store, env->pool)),
                       size, base, fresh);
}

apr_status_t storer_purge_prepare(storer_t *store)
{
    apr_size_t size = purge_table_size(follows(store) ? LABELS_FOLLOWING : LABELS);
    purge_table_t *table;
    void *base;
    int fresh;
    apr_status_t rv;

    if (store->host || (!store->env->retain && !follows(store))) {
        return APR_SUCCESS;
    }
    rv = find_memory(store, size, &base, &fresh);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    table = apr_palloc(store->env->pool, sizeof(*table));
    rv = purge_table_attach(table, base, size, fresh);
    if (rv == APR_SUCCESS) {
        store->host = table;
    }
    return rv;
}

static apr_status_t each_of_table(void *purges, storer_purged_fn *fn, void *baton)
{
    return purge_table_each(purges, fn, baton);
}

/* A store that has lost its list of purges gets it back from the table, if that one is complete. */
static void restore(storer_t *store, apr_uint64_t epoch)
{
    if (store->ops->restore_purges && purge_table_epoch(store->host) == epoch) {
        /* else a purge that comes to the loss purges all that was fetched before */
        (void)store->ops->restore_purges(store, epoch, each_of_table, store->host);
    }
}

/* In a store of several machines the epoch rises only. */
apr_status_t storer_epoch(storer_t *store, apr_time_t now, apr_uint64_t *epoch)
{
    apr_uint64_t known;
    apr_status_t rv;

    storer_assert(store != NULL && epoch != NULL);
    if (!store->host) {
        return APR_ENOTIMPL;
    }
    known = purge_table_epoch(store->host);
    if (!follows(store)) {
        *epoch = known;
        return APR_SUCCESS;
    }
    rv = store->ops->epoch(store, known, now, epoch);
    if (rv == APR_INCOMPLETE) {
        restore(store, *epoch);
        rv = APR_SUCCESS;
    }
    if (rv == APR_SUCCESS && *epoch < known) {
        *epoch = known; /* another process has heard of it in this moment */
    }
    return rv;
}

/* As long as a table that follows does not know of all purges, each of them may have been a lasting
 * one. */
apr_uint64_t storer_lasting_epoch(storer_t *store)
{
    apr_uint64_t lasting, known, present;

    storer_assert(store != NULL);
    if (!store->host) {
        return 0;
    }
    known = purge_table_epoch(store->host);
    lasting = purge_table_lasting(store->host);
    if (follows(store) && (storer_epoch(store, 0, &present) != APR_SUCCESS || present > known)) {
        return ~APR_UINT64_C(0);
    }
    return lasting;
}

static void log_floor(storer_t *store, apr_time_t now)
{
    if (purge_table_may_tell(store->host, now)) {
        storer_log(store->env, STORER_LOG_WARNING, APR_SUCCESS,
                   "%s: there were more purges than can be remembered one by one, or some were lost: "
                   "what was fetched before the oldest of them counts as purged, whatever its tags "
                   "(said once a minute)", store->ops->name);
    }
}

/* ------------------------------------------------------------------------------------------------
 * Following a store that is shared by several machines
 * --------------------------------------------------------------------------------------------- */

typedef struct learning_t {
    const purge_table_t *table;
    apr_uint64_t         last;   /* all purges before this epoch were told */
} learning_t;

/* Purges come in the order of their epochs: with the first one of an epoch all earlier epochs are
 * complete, also if this list ends in the middle. */
static apr_status_t learn(void *baton, const apr_uint64_t *label, storer_purge_e kind,
                          apr_uint64_t epoch)
{
    learning_t *learning = baton;

    if (epoch > learning->last) {
        purge_table_advance(learning->table, epoch - 1);
        learning->last = epoch;
    }
    return purge_table_learn(learning->table, label, kind, epoch);
}

/* The table knows all purges up to the store's present epoch. Who comes at the same time asks as
 * well, which costs a question and no wait. A table that has known nothing learns of a floor as of
 * any other purge. */
static apr_status_t follow(storer_t *store, apr_time_t now, apr_uint64_t *present)
{
    const purge_table_t *table = store->host;
    apr_uint64_t known = purge_table_epoch(table), floor = purge_table_floor(table);
    learning_t learning = { table, known + 1 };
    apr_status_t rv = storer_epoch(store, now, present);

    if (rv != APR_SUCCESS || *present <= known) {
        return rv;
    }
    rv = store->ops->list_purges(store, known, learn, &learning);
    if (rv == APR_SUCCESS) {
        purge_table_advance(table, *present);
    }
    if (floor > 0 && purge_table_floor(table) > floor) {
        log_floor(store, now);
    }
    return rv;
}

storer_standing_e storer_judge(storer_t *store, apr_uint64_t epoch, const apr_uint64_t *labels,
                               int count, int arriving, apr_time_t now)
{
    apr_uint64_t present;

    storer_assert(store != NULL && count >= 0 && (count == 0 || labels != NULL));
    if (!store->host) {
        return STORER_STANDS;
    }
    /* a value that claims to be later than the present is damaged, or of a list that is lost */
    if (follows(store) && (follow(store, now, &present) != APR_SUCCESS || epoch > present)) {
        return STORER_GONE;
    }
    return purge_table_judge(store->host, epoch, labels, count, arriving);
}

/* ------------------------------------------------------------------------------------------------
 * Purging
 * --------------------------------------------------------------------------------------------- */

/* What this machine has purged it knows for all its processes, whatever becomes of the store. */
static apr_status_t purge_for_all(storer_t *store, const apr_uint64_t *labels, int count,
                                  storer_purge_e kind, apr_time_t now)
{
    const storer_ops_t *ops = store->ops;
    apr_uint64_t known = purge_table_epoch(store->host), present;
    apr_status_t rv = ops->purge(store, labels, count, kind, known, now);

    if (rv == APR_INCOMPLETE) {
        restore(store, known);
        rv = ops->purge(store, labels, count, kind, known, now);
    }
    if (rv == APR_INCOMPLETE) {
        rv = ops->purge(store, labels, count, kind, 0, now);
    }
    if (rv == APR_SUCCESS) {
        (void)follow(store, now, &present); /* else the next look-up does */
    }
    return rv;
}

apr_status_t storer_purge(storer_t *store, const apr_uint64_t *labels, int count,
                          storer_purge_e kind, apr_time_t now)
{
    apr_uint64_t floor;
    apr_status_t rv;

    storer_assert(store != NULL && count >= 0 && (count == 0 || labels != NULL));
    if (!store->host) {
        return APR_ENOTIMPL;
    }
    if (follows(store)) {
        return purge_for_all(store, labels, count, kind, now);
    }
    floor = purge_table_floor(store->host);
    rv = purge_table_purge(store->host, labels, count, kind);
    if (purge_table_floor(store->host) > floor) {
        log_floor(store, now);
    }
    return rv;
}

/* ------------------------------------------------------------------------------------------------
 * Tidying
 * --------------------------------------------------------------------------------------------- */

int storer_tidy_room(storer_t *store)
{
    storer_assert(store != NULL);
    return store->host && !follows(store) ? purge_table_room(store->host) : INT_MAX;
}

int storer_tidy_is_due(storer_t *store)
{
    storer_assert(store != NULL);
    return store->host && !follows(store) && purge_table_is_crowded(store->host);
}

apr_status_t storer_tidy_begin(storer_t *store, storer_tidy_t **tidy, apr_pool_t *pool)
{
    storer_tidy_t *begun;
    apr_status_t rv;

    storer_assert(store != NULL && tidy != NULL);
    if (!store->host || follows(store)) {
        return APR_ENOTIMPL;
    }
    begun = apr_palloc(pool, sizeof(*begun));
    rv = purge_tidy_begin(&begun->table, store->host);
    if (rv == APR_SUCCESS) {
        *tidy = begun;
    }
    return rv;
}

storer_standing_e storer_tidy_see(storer_tidy_t *tidy, apr_uint64_t epoch, const apr_uint64_t *labels,
                                  int count)
{
    return purge_tidy_see(&tidy->table, epoch, labels, count);
}

void storer_tidy_end(storer_tidy_t *tidy, int complete)
{
    purge_tidy_end(&tidy->table, complete);
}
