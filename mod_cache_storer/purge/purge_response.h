/* SPDX-License-Identifier: Apache-2.0
 *
 * purge_response.h - what an application says of purging in the fields of its responses: the client
 * never sees it.
 */
#ifndef PURGE_RESPONSE_H
#define PURGE_RESPONSE_H

#include "../state.h"

/** Registers the filter; in register_hooks. */
void purge_response_register(void);

/** Whether anything is to be hidden, or purged, for this virtual host: it has a CacheEnable of
 * ours. What the application tells this cache is then none of the clients' business, wherever it
 * comes from. */
int purge_response_matters(const state_t *state);

/** Whether clients do not get to see a field: CacheStorerTagHeader, CacheStorerPurgeHeader. */
int purge_response_hides(const state_t *state, const char *name, apr_size_t length);

/** Take what is for the cache out of fields that are about to be stored.
 * @return the tags, as tags_take() does */
const char *purge_response_take(const config_server_t *config, apr_table_t *headers,
                                apr_pool_t *pool);

/** Before the head of a response that no store has served is sent: drops the fields with tags, and
 * purges what the application asks for after an unsafe request that succeeded
 * (CacheStorerPurgeHeader). */
void purge_response_see(state_t *state);

/** See that it is called for a response that does not pass the filters of a cached one; in
 * insert_filter. */
void purge_response_watch(state_t *state);

#endif /* PURGE_RESPONSE_H */
