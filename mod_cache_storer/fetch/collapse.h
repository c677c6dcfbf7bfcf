/* SPDX-License-Identifier: Apache-2.0
 *
 * collapse.h - one fetch for many requests (CacheStorerCollapse): who leads, who waits, and how it
 * ends. The table of flights behind it (storage/flights.h) is shared by all processes.
 */
#ifndef COLLAPSE_H
#define COLLAPSE_H

#include "../state.h"

typedef enum collapse_role_e {
    COLLAPSE_ALONE,   /**< fetch, and tell nobody */
    COLLAPSE_LEAD,    /**< fetch; it ends with the request at the latest */
    COLLAPSE_FOLLOW   /**< somebody fetches it: collapse_wait() */
} collapse_role_e;

/** Open the table. Parent, in post_config; it is forgotten with pconf. */
apr_status_t collapse_open(apr_pool_t *pconf);

/** Take part. Each child, before its threads start. */
void collapse_child_init(server_rec *main_server);

/** Whether there is a table: without one, nobody knows of the others. */
int collapse_is_open(void);

/** Whether a request may lead or wait at all: it waits for nobody where others wait for it, nor
 * where nothing will be stored of what it fetches. */
int collapse_is_possible(const state_t *state);

/** Lead or follow the fetch of state->fetch.key. A request that has waited in vain does neither. */
collapse_role_e collapse_join(state_t *state);

/**
 * After COLLAPSE_FOLLOW. Blocks until the fetch has ended, or until it has taken so long that one
 * more request is to fetch it as well (CacheStorerCollapse), or until the request has waited for as
 * long as a fetch of its own might take (Timeout).
 * @return COLLAPSE_FOLLOW: look again, and join again if it is not there; COLLAPSE_LEAD: as after
 *         collapse_join(); COLLAPSE_ALONE: fetch it without
 */
collapse_role_e collapse_wait(state_t *state);

/**
 * After COLLAPSE_LEAD, in a store of several machines: whether another one fetches it, so that it
 * may be in the store soon. Where none does it is claimed, and looked up once more by the caller,
 * for it may have been stored in between. Waits a little before it says 1, and says 0 in the end.
 * @return 1: look again, and ask again; 0: fetch it if it is not there
 */
int collapse_is_elsewhere(state_t *state);

/** After that, if it is not there: who has waited for another machine in vain fetches it for
 * itself. */
void collapse_not_elsewhere(state_t *state);

/** The head of the response is stored, and the length of its body is not known. */
void collapse_stream(state_t *state);

/** Whether a key is being fetched, however slowly, or remembered as not to be stored. */
int collapse_is_settled(storer_bytes_t key);

/** A background request begins: lead the fetch of its key on this machine, and among all.
 * @param fetch led on success: the caller passes it on to collapse_adopt(), or ends it
 * @return 0: another request fetches it, or nobody may */
int collapse_begin(fetch_t *fetch, storer_t *store, storer_bytes_t key, apr_interval_time_t lease);

/** r is the target of an internal redirect (an ErrorDocument, say): nothing will be stored of what
 * the requests before it were to fetch. Nothing where there are none. */
void collapse_end_redirected(const request_rec *r);

/** An internal redirect goes on for the same URL: it takes over the fetch of the request before it,
 * and what that one has seen of others'. */
void collapse_follow_redirect(state_t *state, state_t *before);

/** What was remembered as uncacheable is stored now. */
void collapse_forget(storer_bytes_t key);

/** Take over what another request leads: the background request does. */
void collapse_adopt(state_t *state, fetch_t *fetch);

/** Does somebody wait for what this request fetches? */
int collapse_is_awaited(const state_t *state);

#endif /* COLLAPSE_H */
