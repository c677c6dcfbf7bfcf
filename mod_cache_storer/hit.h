/* SPDX-License-Identifier: Apache-2.0
 *
 * hit.h - the plain hit: a fresh response for a request that asks for nothing else. There is nothing
 * to decide about it that mod_cache has not decided by the time it calls open_entity (is this URL
 * cached, with which key, is no-store or no-cache asked for), or that the election has not (Vary,
 * freshness). What mod_cache does next takes 4,000 of the 30,000 instructions of a hit: it compares
 * Vary and five conditions, copies the fields from table to table, writes Last-Modified anew, and adds
 * a filter to remove all others. So open_entity sends the response itself and returns DONE, which
 * mod_cache hands on as what became of the request. The client, the log, and who listens to the hook
 * cache_status see the same, but for a Last-Modified that mod_cache would have changed.
 *
 * All else goes on in mod_cache: conditions, Cache-Control in the request, what is stale, subrequests,
 * internal redirects, CacheQuickHandler off.
 */
#ifndef HIT_H
#define HIT_H

#include "provider.h"
#include "state.h"

/**
 * Send what was found, if that is plain. The request has no conditions and no Cache-Control or Pragma.
 * @param handle the one mod_cache has passed to open_entity
 * @return what open_entity is to return: OK, it is for mod_cache to serve; DONE; or why the response
 *         could not be sent
 */
int hit_serve(state_t *state, cache_handle_t *handle);

/** Remove the filters that what is sent has passed before: those on this side of where it was
 * stored. */
void hit_skip_content_filters(request_rec *r);

#endif /* HIT_H */
