/* SPDX-License-Identifier: Apache-2.0
 *
 * storer_host.h - the Storer interface from the side of who uses stores (mod_cache_storer, the tests):
 * the registry, the operations with arguments checked and optional slots filled in, and purging by
 * label. The conventions are storer.h's. Not installed: libstorer is part of the module.
 */
#ifndef STORER_HOST_H
#define STORER_HOST_H

#include "storer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------
 * The registry of storers
 * --------------------------------------------------------------------------------------------- */

typedef struct storer_registry_t storer_registry_t;

/**
 * A registry without stores, which knows the engines that the library has built in. It and all
 * instances live as long as env->pool. Add engines and open stores while there is one thread;
 * afterwards it is read-only and may be used by every thread.
 */
storer_registry_t *storer_registry_create(const storer_env_t *env);

/**
 * Make an engine known that comes from elsewhere. Of one with another ABI version nothing is read but
 * that version.
 * @param name   its configuration name; it and the engine outlive the registry
 * @param errmsg set on failure: names the engine
 * @return APR_SUCCESS; APR_EINVAL: built for another version, or not complete; APR_EEXIST: the name is
 *         that of another engine
 */
apr_status_t storer_registry_add_engine(storer_registry_t *registry, const char *name,
                                        const storer_engine_t *engine, const char **errmsg);

/** Check a configuration without opening anything: the factory runs, init does not.
 * @return APR_SUCCESS; or with errmsg APR_EINVAL (which names engine, option and value) or
 *         APR_NOTFOUND: no engine has that name (errmsg names those there are) */
apr_status_t storer_registry_check(storer_registry_t *registry, const char *engine,
                                   const storer_option_t *options, const char **errmsg);

/**
 * The store of this configuration: an instance already registered under the same NAME-UUID, or a
 * new one, initialised and registered.
 * @return APR_SUCCESS; APR_EINVAL or APR_NOTFOUND for a bad configuration, as above; or what init
 * returned. errmsg is set on failure and nothing is registered then.
 */
apr_status_t storer_registry_open(storer_registry_t *registry, const char *engine,
                                  const storer_option_t *options, storer_t **out,
                                  const char **errmsg);

/** Register an instance made elsewhere, initialised by its owner. APR_EEXIST: the key is taken. */
apr_status_t storer_registry_add(storer_registry_t *registry, storer_t *store);

/** By "NAME-UUID"; NULL: none. */
storer_t *storer_registry_find(const storer_registry_t *registry, const char *name_uuid);

/** All, in the order of registration; an array of storer_t *, owned by the registry. */
const apr_array_header_t *storer_registry_list(const storer_registry_t *registry);

/** "NAME-UUID" of a store; allocated in pool. */
const char *storer_registry_key(storer_t *store, apr_pool_t *pool);

/**
 * A name of a store that does not change with its size: the engine in lower case, with ":" and the
 * value of its option name= if it has one ("memory", "memory:images"); a second store of that name gets
 * "-2", in the order of registration. Owned by the registry, and lives as long.
 * The store must be one of the registry's.
 */
const char *storer_registry_label(const storer_registry_t *registry, const storer_t *store);

/** Reset every store. All are tried; the first failure is returned, with the store it came from in
 * *failed (may be NULL). The registry keeps its stores. */
apr_status_t storer_registry_reset(storer_registry_t *registry, storer_t **failed);

/** Call child_init of every store; what fails is logged and returned as above. */
apr_status_t storer_registry_child_init(storer_registry_t *registry, apr_pool_t *pchild);

/* ------------------------------------------------------------------------------------------------
 * The operations, as a host calls them: arguments checked, optional slots filled in
 * --------------------------------------------------------------------------------------------- */

/** The value of a key, in place. pool: for engines that must allocate; the view must be released
 * before pool is destroyed. APR_NOTFOUND: absent or expired. */
apr_status_t storer_get(storer_t *store, storer_bytes_t key, apr_time_t now, storer_view_t *view,
                        apr_pool_t *pool);
apr_status_t storer_set(storer_t *store, storer_bytes_t key, storer_bytes_t value,
                        storer_expiry_t expiry, apr_time_t now);
apr_status_t storer_delete(storer_t *store, storer_bytes_t key);
/** Change a key's value atomically, see storer_edit_fn. APR_EAGAIN: lost the race too often. */
apr_status_t storer_update(storer_t *store, storer_bytes_t key, storer_edit_fn *edit, void *baton,
                           apr_time_t now, apr_pool_t *scratch);
apr_status_t storer_map_keys(storer_t *store, storer_bytes_t prefix, apr_time_t now,
                             storer_key_fn *fn, void *baton, apr_pool_t *scratch);
/** The real_key of every variant that has not expired, duplicates possible. */
apr_status_t storer_list_keys(storer_t *store, apr_time_t now, storer_list_fn *fn, void *baton,
                              apr_pool_t *scratch);
/** Delete every key the pattern matches. deleted: how many went, also on failure; may be NULL.
 * APR_TIMEUP: the pattern reached its match limit, the rest is untouched. */
apr_status_t storer_delete_many(storer_t *store, storer_pattern_t *pattern, apr_time_t now,
                                apr_size_t *deleted, apr_pool_t *scratch);
apr_status_t storer_reset(storer_t *store);
apr_status_t storer_stat(storer_t *store, storer_stat_t *stat);

/**
 * Start a value.
 * @param size_hint its length where known, else -1: reserves room, promises nothing
 * @param pool      lives at least until commit or abort
 */
apr_status_t storer_open_writer(storer_t *store, storer_bytes_t key, storer_expiry_t expiry,
                                apr_off_t size_hint, apr_time_t now, storer_writer_t *writer,
                                apr_pool_t *pool);

/**
 * Elect the variant that fits a request, and view it.
 *
 * Of all variants whose varied headers equal the request's and which the validator allows: a fresh
 * one goes before a stale one, then one that varies before one that does not (RFC 9111 section
 * 4.1), then the latest stored_at, then the smallest key. A variant whose value is gone is passed
 * over. A damaged mapping is APR_NOTFOUND with one warning; the next store repairs it. (Upstream
 * visits its map in random order; ours is one of its outcomes.)
 *
 * @param validator may be NULL: no conditions
 * @param fresh,stale one of them is filled on APR_SUCCESS. Either may be NULL: not wanted.
 * @return APR_SUCCESS, APR_NOTFOUND, or a failure of get.
 */
apr_status_t storer_get_multi_level(storer_t *store, storer_bytes_t base_key,
                                    const storer_request_t *request, storer_validator_t *validator,
                                    apr_time_t now, storer_view_t *fresh, storer_view_t *stale,
                                    apr_pool_t *pool);

/** Store a value and enter it as a variant, replacing one with the same varied_key. The value is
 * written first: a mapping never names what was never there. */
apr_status_t storer_set_multi_level(storer_t *store, const storer_variant_t *variant,
                                    storer_bytes_t value, apr_time_t now, apr_pool_t *scratch);

/**
 * Commit a writer that was opened with the variant's varied_key, then enter the variant: the
 * streaming form of storer_set_multi_level. Ends the writer in any case but one.
 *
 * With variant->epoch the caller says that he has asked storer_judge() in that epoch, and that the
 * value stands. APR_EBUSY: there was a purge since; nothing is stored and the writer is still open:
 * ask again, and commit again with the new epoch. An engine that cannot tell at the moment of
 * publication may store it nevertheless: ask once more afterwards if the epoch has risen.
 */
apr_status_t storer_commit_variant(storer_writer_t *writer, const storer_variant_t *variant,
                                   apr_time_t now, apr_pool_t *scratch);

/**
 * Each variant of a URL that is there, by its mapping: what storer_map_keys finds without a look at
 * all other keys. The same rules hold for the callback.
 * @return APR_SUCCESS, also where there is none; or what fn or get returned
 */
apr_status_t storer_map_variants(storer_t *store, storer_bytes_t base_key, apr_time_t now,
                                 storer_key_fn *fn, void *baton, apr_pool_t *scratch);

/** Drop a URL: its mapping and the values of all variants. An unknown one is APR_SUCCESS. */
apr_status_t storer_delete_multi_level(storer_t *store, storer_bytes_t base_key, apr_time_t now,
                                       apr_pool_t *scratch);

/* ------------------------------------------------------------------------------------------------
 * Purging by label
 *
 * Whoever stores a value gives it labels (a tag, a host, a URL, "everything") and keeps them with
 * it, together with the store's *epoch* from before the fetch began. A purge of a label costs the
 * same however many values carry it: it is remembered with an epoch of its own, and each value is
 * judged when it is looked up. What was being fetched during the purge is purged as well, so that
 * after its return nothing older is served, by any process (Varnish: bans; the idea of an epoch for
 * each label is that of memcached's namespaces).
 *
 * The number of labels that are remembered is bounded. Beyond it lasting purges (hard and soft) of
 * long ago count for everything fetched before them, which is said in the log; dropped ones count
 * for what is fetched at that moment only. storer_tidy_*() keep it from coming to that.
 * --------------------------------------------------------------------------------------------- */

/** The label that stands for a text of a kind ("tag", "host"), the same everywhere and for ever. */
apr_uint64_t storer_label(const char *kind, storer_bytes_t text);

/** A label within another one: "this tag of that site". */
apr_uint64_t storer_label_within(apr_uint64_t outer, apr_uint64_t label);

/** The epoch that something fetched from now on belongs to; ask before the fetch begins. Never 0.
 * @return APR_SUCCESS; APR_ENOTIMPL: the store cannot purge by label; anything else: it cannot tell
 *         now, and what was fetched before does not stand */
apr_status_t storer_epoch(storer_t *store, apr_time_t now, apr_uint64_t *epoch);

/** The epoch of the last lasting purge that is known: what was fetched in it or later can be purged
 * by its URL at most, since other purges last. 0 if the store cannot purge by label. No round
 * trip. */
apr_uint64_t storer_lasting_epoch(storer_t *store);

/**
 * Whether what was fetched in that epoch, with these labels, still stands. STORER_STANDS if the
 * store cannot purge by label; a store that cannot tell at the moment says STORER_GONE.
 * @param arriving 0: it is stored, and was looked up; 1: it is about to be stored, or was just now:
 *        also purged by purges of all fetches, and by those that are remembered no longer
 */
storer_standing_e storer_judge(storer_t *store, apr_uint64_t epoch, const apr_uint64_t *labels,
                               int count, int arriving, apr_time_t now);

/**
 * Purge all that has one of these labels, all at once. STORER_PURGE_DROPPED without a label: all
 * that is being fetched.
 * @return APR_SUCCESS: in effect in every process; APR_ENOTIMPL; or a failure: not in effect
 */
apr_status_t storer_purge(storer_t *store, const apr_uint64_t *labels, int count,
                          storer_purge_e kind, apr_time_t now);

/** A look at all that is stored, by one process at a time, so that purges can be forgotten. */
typedef struct storer_tidy_t storer_tidy_t;

/** So many labels may be purged lastingly before it is asked again whether tidying is due. */
int storer_tidy_room(storer_t *store);

/** So many lasting purges are remembered that it is time to tidy. A few loads; 0 for a store that
 * several machines share. */
int storer_tidy_is_due(storer_t *store);

/** Begin, in this thread. @return APR_SUCCESS: storer_tidy_end() must follow, in this thread;
 * APR_EBUSY: somebody does it already; APR_ENOTIMPL: the store forgets by itself; APR_ENOMEM */
apr_status_t storer_tidy_begin(storer_t *store, storer_tidy_t **tidy, apr_pool_t *pool);

/** Tell of a stored value. @return what has become of it: the caller deletes it if it is
 * STORER_GONE */
storer_standing_e storer_tidy_see(storer_tidy_t *tidy, apr_uint64_t epoch, const apr_uint64_t *labels,
                                  int count);

/** End. complete: all that was stored when it began was told of, and what is gone was deleted. Else
 * no purge is forgotten, and it is due again after some more of them. */
void storer_tidy_end(storer_tidy_t *tidy, int complete);

/* ------------------------------------------------------------------------------------------------
 * Claims
 * --------------------------------------------------------------------------------------------- */

/** Longest owner of a claim, in bytes. */
#define STORER_OWNER_MAX 64

/**
 * Claim a key among all machines that share the store: whoever holds the claim does for all what is to
 * be done once, such as fetching what is not stored. A claim says nothing of the key's value, and
 * nobody is kept from storing one.
 * @param owner 1 to STORER_OWNER_MAX bytes that no other claim has: random ones
 * @param lease of real time; the claim ends by itself after it
 * @return APR_SUCCESS: it is the owner's now, also where it was before (the lease begins anew);
 *         APR_EEXIST: it is another owner's; APR_ENOTIMPL: the store has no claims; anything else: it
 *         is not known, and the caller goes on without
 */
apr_status_t storer_claim(storer_t *store, storer_bytes_t key, storer_bytes_t owner,
                          apr_interval_time_t lease);

/** End a claim, if it is this owner's still; else nothing, which is APR_SUCCESS. */
apr_status_t storer_release(storer_t *store, storer_bytes_t key, storer_bytes_t owner);

#ifdef __cplusplus
}
#endif
#endif /* STORER_HOST_H */
