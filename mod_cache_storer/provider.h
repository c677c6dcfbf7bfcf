/* SPDX-License-Identifier: Apache-2.0
 *
 * provider.h - the ten callbacks of a mod_cache provider, and the state of a request they share.
 *
 * What mod_cache makes of the callbacks decides their shape: what open_entity and create_entity
 * return becomes the request's status, if it is neither OK nor DECLINED (hit.h makes use of that),
 * and the status of recall_body is not looked at, so that everything that can fail happens in
 * open_entity.
 */
#ifndef PROVIDER_H
#define PROVIDER_H

#include "mod_cache_storer.h"

#include "config.h"
#include "request.h"
#include "state.h"

#include "http/record.h"

#include "../storage/frame.h"

#include "mod_cache.h"

/** A response on its way into the store. */
typedef struct provider_writing_t {
    storer_writer_t   writer;
    storer_encoder_t *encoder;      /**< NULL: the body is stored as it is */
    request_variant_t variant;
    record_t          record;
    storer_expiry_t   expiry;
    storer_bytes_t    etag;
    apr_off_t         size_hint;    /**< mod_cache's idea of the body's length; -1: none */
    apr_off_t         announced;    /**< what received must be in the end; -1: not known */
    apr_off_t         received;     /**< bytes of the body so far */
    unsigned          complete:1;   /**< the whole body was appended */
} provider_writing_t;

/** What a handle stands for. Lives in r->pool. */
typedef struct provider_object_t {
    cache_object_t         base;     /**< first: what h->cache_obj points to; vobj points back */
    request_rec           *r;        /**< the request that it was made for */
    const config_server_t *config;
    storer_t              *store;
    storer_bytes_t         base_key;
    storer_view_t          view;     /**< the lease; empty before open_entity, and once moved */
    record_t               record;   /**< valid where opened */
    provider_writing_t    *writing;  /**< NULL before something is stored */
    unsigned               stale:1;  /**< past its freshness, and to be validated */
    unsigned               soft:1;   /**< it is stale since a soft purge */
    unsigned               whole:1;  /**< the length of the body is needed before its bytes: a Range,
                                          or a HEAD */
    unsigned               opened:1; /**< a stored response was found; 0 also for a handle that only
                                          names a URL, to be invalidated */
} provider_object_t;

/* provider_read.c */
int          provider_open_entity(cache_handle_t *handle, request_rec *r, const char *mod_cache_key);
apr_status_t provider_recall_headers(cache_handle_t *handle, request_rec *r);

/** Whether a response that was just stored is what this request would find. */
int          provider_is_found(const provider_object_t *stored, request_rec *r);
apr_status_t provider_recall_body(cache_handle_t *handle, apr_pool_t *pool,
                                  apr_bucket_brigade *brigade);

/* provider_write.c */
int          provider_create_entity(cache_handle_t *handle, request_rec *r, const char *mod_cache_key,
                                    apr_off_t length, apr_bucket_brigade *brigade);
apr_status_t provider_store_headers(cache_handle_t *handle, request_rec *r, cache_info *info);
apr_status_t provider_commit_entity(cache_handle_t *handle, request_rec *r);

/* provider_body.c */
apr_status_t provider_store_body(cache_handle_t *handle, request_rec *r, apr_bucket_brigade *in,
                                 apr_bucket_brigade *out);

/* provider_write.c, for these two */

/** The response is not stored: one line in the log, nothing half-stored, and requests that wait for it
 * are told at once. @return rv, or APR_EGENERAL in place of APR_SUCCESS */
apr_status_t provider_decline(const provider_object_t *object, request_rec *r, apr_status_t rv,
                              fetch_event_e event, const char *reason);

/** The same, since the store does not take it. */
apr_status_t provider_store_failed(const provider_object_t *object, request_rec *r, apr_status_t rv);

/* provider_refusal.c: each tells the reason in words, or NULL: none */

/** All that stands against storing the response to a HEAD. */
#define PROVIDER_REFUSAL_HEAD "the response to HEAD has no body, and GET shares its key"

/** Why a response is not stored, as far as its head and length tell. state->url_key is as the look-up
 * has left it: NULL if there was none. */
const char *provider_refusal(const state_t *state, apr_off_t length);

/** Whether r makes the page for an error that may be this client's or this moment's (ErrorDocument).
 * That the URL is not there is the URL's own. */
int provider_is_passing_error(const request_rec *r);

/** Why a response that went by is not kept after all. */
const char *provider_objection(const provider_object_t *object, const request_rec *r);

/** The same, for reasons that the next one will have too. */
const char *provider_lasting_objection(const provider_object_t *object, const request_rec *r);

/* provider_purge.c */
int          provider_remove_entity(cache_handle_t *handle);
int          provider_remove_url(cache_handle_t *handle, request_rec *r);
apr_status_t provider_invalidate_entity(cache_handle_t *handle, request_rec *r);

/* provider.c, for these three */

/** The object of a handle; NULL: it has none. */
provider_object_t *provider_object_of(const cache_handle_t *handle);

/** An object for the URL of this request, in *handle as well. mod_cache's key is not used, see url.h.
 * @return NULL: nothing is cached for this server, or the request has no URL */
provider_object_t *provider_object_create(cache_handle_t *handle, request_rec *r);

/** The only translation of a status to what mod_cache understands. */
int provider_result(apr_status_t rv);

/** RFC 9111 section 3.5: whether a response may be stored that was made for this request, which may
 * have credentials. And whether it may be served to it: what was stored without credentials and says
 * nothing of being for all may not be what the origin would tell to somebody it knows. */
int provider_is_shared(const freshness_t *response, const state_t *state);

/** Drop a URL with all its variants. What goes wrong is logged and returned. */
apr_status_t provider_drop(const provider_object_t *object, request_rec *r);

/** The same for another URL of this server. */
apr_status_t provider_drop_key(const provider_object_t *object, storer_bytes_t base_key,
                               request_rec *r);

/** The same after an unsafe request (RFC 9111 section 4.4): a response that is being fetched now is
 * not stored either, since it may be from before that request. */
apr_status_t provider_invalidate_key(const provider_object_t *object, storer_bytes_t base_key,
                                     request_rec *r);

#endif /* PROVIDER_H */
