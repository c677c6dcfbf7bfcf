/* SPDX-License-Identifier: Apache-2.0
 *
 * session_ids.h - URLs without the identifiers of sessions in them
 * (CacheIgnoreURLSessionIdentifiers).
 */
#ifndef SESSION_IDS_H
#define SESSION_IDS_H

#include <apr_pools.h>
#include <apr_tables.h>

/**
 * Cut each identifier out of a path, whose last segment may end with ";NAME=VALUE", or else out of a
 * query, where "NAME=VALUE" may be one of the parameters: as mod_cache does.
 * @param names of const char *
 * @param path  replaced by a copy in pool if there is anything to cut
 * @param query the same; may be NULL
 */
void session_ids_cut(const apr_array_header_t *names, const char **path, const char **query,
                     apr_pool_t *pool);

#endif /* SESSION_IDS_H */
