/* SPDX-License-Identifier: Apache-2.0
 *
 * purge.h - what is stored is purged: by URL, host, tag, site, prefix, pattern, or all of it; hard
 * (it is gone) or softly (it is stale, and served while it is fetched again). And the question at
 * each look-up whether that has happened to what was found.
 *
 * All but prefixes and patterns cost the same however much they purge (storer_host.h); these look
 * at every key. When a purge has returned, nothing that was fetched before is served by any
 * process.
 */
#ifndef PURGE_H
#define PURGE_H

#include "../http/record.h"

#include "../../storage/storer_host.h"

#include "httpd.h"

/** Whose purge, of what, and how. */
typedef struct purge_t {
    storer_t    *store;
    apr_uint64_t site;   /**< of labels.h: nothing of another site is touched; 0: all sites */
    int          hard;
    apr_pool_t  *pool;
} purge_t;

apr_status_t purge_everything(const purge_t *purge);
apr_status_t purge_host(const purge_t *purge, storer_bytes_t host);
apr_status_t purge_tags(const purge_t *purge, const char *tags);

/** All variants of a URL, by its base key. A hard purge also frees what it holds. */
apr_status_t purge_url(const purge_t *purge, storer_bytes_t base_key);

/** Add to *count how many responses purge_url() would meet: the variants that are stored, by this
 * site if it is in one, and that no purge has met before. */
apr_status_t purge_count_url(const purge_t *purge, storer_bytes_t base_key, apr_size_t *count);

/**
 * Every URL whose key begins with prefix, up to the end of a segment of the path, or matches the
 * pattern. For a pattern the key is shown as
 * people write it: "http://host/path?query", without a default port and an empty query.
 * @param stop   looked at now and then; may be NULL. Not 0: give up.
 * @param purged how many URLs, also on failure
 * @return APR_SUCCESS; APR_TIMEUP: the pattern takes too long on some key; APR_EINTR: stopped
 */
apr_status_t purge_prefix(const purge_t *purge, storer_bytes_t prefix, int (*stop)(void *baton),
                          void *baton, apr_size_t *purged);
apr_status_t purge_pattern(const purge_t *purge, storer_pattern_t *pattern,
                           int (*stop)(void *baton), void *baton, apr_size_t *purged);

/** What has become of a response that was found. Any thread; nothing is written to pool where
 * nothing was purged since it was fetched. */
storer_standing_e purge_standing(storer_t *store, const record_t *record, storer_bytes_t base_key,
                                 apr_time_t now, apr_pool_t *pool);

/** Whether a purge, hard or soft, has met a response that is about to be stored, or was just now:
 * also one of those that look at what is stored, and may have passed by before it was.
 * @param epoch out: the epoch in which that is so, for storer_commit_variant() */
int purge_meets(storer_t *store, const record_t *record, storer_bytes_t base_key,
                apr_uint64_t *epoch, apr_time_t now, apr_pool_t *pool);

#endif /* PURGE_H */
