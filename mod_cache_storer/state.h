/* SPDX-License-Identifier: Apache-2.0
 *
 * state.h - what the module knows of a request between mod_cache's callbacks and its own hooks.
 *
 * mod_cache keeps its own state to itself and hands the callbacks a request and a handle. What one
 * of our hooks, filters and callbacks must tell another lies here: one state for each request_rec
 * that comes near the cache, in its pool, made when it is first asked for. A subrequest and the
 * target of an internal redirect have states of their own.
 */
#ifndef STATE_H
#define STATE_H

#include "mod_cache_storer.h"

#include "config.h"
#include "url.h"
#include "compat/backend_head.h"
#include "compat/negotiation.h"
#include "compat/validation.h"
#include "fetch/fetch.h"

/** Why a request went to the origin: the fwd parameter of RFC 9211 section 2.2. */
typedef enum state_forward_e {
    STATE_FORWARD_NONE,       /**< it did not, as far as is known */
    STATE_FORWARD_BYPASS,     /**< it is none of the cache's */
    STATE_FORWARD_METHOD,
    STATE_FORWARD_URI_MISS,
    STATE_FORWARD_VARY_MISS,
    STATE_FORWARD_REQUEST,    /**< the request's directives forbid to use what is there */
    STATE_FORWARD_STALE
} state_forward_e;

/** What a request wants that nothing older than itself is good for, see fetch/reload.h. */
typedef enum state_reload_e {
    STATE_RELOAD_NONE,
    STATE_RELOAD_ALL,         /**< no-cache: all of it, from the origin */
    STATE_RELOAD_VALIDATE     /**< max-age=0: what is stored, if the origin confirms it */
} state_reload_e;

/** What must be back in place once mod_cache has seen a request, see mask.c. */
typedef struct state_mask_t {
    const char *authorization;  /**< what was hidden, also when it is back; NULL: nothing */
    apr_table_t *directives;    /**< Cache-Control and Pragma that were hidden; NULL: none */
    int         method_number;
    unsigned    hidden:1;       /**< authorization is hidden now */
    unsigned    undirected:1;   /**< directives are */
    unsigned    method:1;       /**< method_number is the real one */
    unsigned    path:1;         /**< parsed_uri and uri are the real ones */
    apr_uri_t   parsed_uri;
    char       *uri;
} state_mask_t;

/** Conditions and ranges that a request on a cold key was relieved of, see fetch/fill.c. */
typedef struct state_fill_t {
    apr_table_t *conditions;    /**< NULL: none */
    apr_off_t    length;        /**< of the whole body, by its head; -1: not known */
    apr_off_t    skip, take;    /**< of the body for the client; take -1: all */
    unsigned     sliced:1;
    unsigned     again:1;       /**< it is asked for again, as it came */
    unsigned     done:1;        /**< the rest is not for the client: it has all, or has gone */
    unsigned     gone:1;        /**< it has gone, or never was, and the handler does not know */
    unsigned     left:1;        /**< the client at the other end of a relay has */
    apr_off_t    allowed;       /**< if done: bytes of the body up to which it is fetched nevertheless;
                                     -1: no limit but that of the store */
    apr_off_t    asked_at;      /**< bytes of the body when it was last asked whether anybody waits */
    apr_time_t   deadline;      /**< if done: when it ends, unless somebody waits */
    unsigned     early:1;       /**< it has all before the end, and that was not flushed yet */
} state_fill_t;

/** The fields of a response that mod_cache shall not see as they are, see intake.c. */
typedef struct state_intake_t {
    apr_table_t *hidden;    /**< Cache-Control, Expires, Pragma as the client gets them; NULL: as
                                 they are */
    const char  *problem;   /**< why the response is not stored, whatever mod_cache makes of it */
    unsigned     restored:1; /**< what was hidden is back already */
} state_intake_t;

struct provider_object_t;

/** Grouped by who may write: each group names the files that do. */
typedef struct state_t {
    /* state_of(); constant afterwards */
    request_rec           *r;
    const config_server_t *config;
    unsigned               guarded:1;   /**< access to some target of it depends on the client */
    unsigned               credentials:1; /**< the request came with an Authorization */
    unsigned               directives:1;  /**< it came with Cache-Control or Pragma */

    /* url.c; in the state of the first request of a chain of internal redirects */
    url_t                  url;

    /* fetch/fetch.c; `key`, `passes` and `collapsed` in it: collapse.c, provider_read.c */
    fetch_t                fetch;

    /* the look-up: provider_read.c, stale.c; the URL's key also provider_write.c */
    const char            *url_key;     /**< the URL's; NULL: no callback was called yet */
    apr_table_t           *asked;       /**< the request's fields at the look-up, before mod_cache added
                                             conditions of its own; NULL: nothing is fetched */
    struct provider_object_t *found;    /**< what was found: served, or revalidated */
    state_forward_e        forward;
    apr_uint64_t           epoch;       /**< the store's, from before anything was fetched */
    int                    keepalives;  /**< of the connection, where stale.c has hidden them */
    unsigned               dated:1;     /**< what was found has its Date as its Last-Modified now */
    unsigned               bypass:1;    /**< it is none of the cache's, once bypass_known; state.c */
    unsigned               bypass_known:1;

    /* the store path: provider_write.c */
    struct provider_object_t *storing;  /**< what is being stored */
    apr_time_t             fresh_until; /**< of the response that is served or was stored; also the
                                             look-up */
    unsigned               reserved:1;  /**< the store has taken the room for all of its body */
    const char            *detail;      /**< the reason in words; NULL: none; also hooks.c */

    /* the hooks, in the order of a request's life: hooks.c, mask.c, intake.c, outlet.c */
    state_mask_t           mask;
    state_intake_t         intake;
    ap_filter_t           *save;        /**< by which mod_cache stores the response, see
                                             compat/negotiation.h; NULL: it does not */
    backend_head_t         backend;     /**< compat/backend_head.c */
    validation_t           validation;  /**< compat/validation.c */
    int                    forward_status; /**< of a revalidation's response; 0: unknown */
    unsigned               quick:1;     /**< mod_cache's quick handler looks at it now */
    unsigned               lookup:1;    /**< this is only a question whether it could be served */
    unsigned               file_lookup:1; /**< and the one who asks wants a file */
    unsigned               handling:1;  /**< its handlers run, or have run */
    unsigned               hit:1;
    unsigned               redirected:1; /**< what the request before this one leaves was seen to */
    unsigned               forwarded:1; /**< a handler makes a response, past the cache */
    unsigned               outlet_seen:1;

    /* fetch/reload.c */
    state_reload_e         reload;

    /* fetch/fill.c, fetch/finish.c, fetch/relayed.c */
    state_fill_t           fill;
    unsigned               relayed:1;   /**< answered with what a background request fetches */

    /* management: admin/, purge/ */
    unsigned               management:1; /**< it is for the module itself: not counted */
    unsigned               purging:1;   /**< what mod_cache invalidates is to be purged, see
                                             purge/purge_method.c */
    unsigned               purging_softly:1;
    unsigned               purged:1;    /**< and that was tried */
    apr_status_t           purge_status; /**< with this result */
    apr_size_t             purge_count; /**< responses that the purge met */
} state_t;

/** The state of a request; NULL: none yet. */
state_t *state_find(const request_rec *r);

/** The state of a request, made if there is none; NULL: nothing is cached for its server. */
state_t *state_of(request_rec *r);

/** Whether the request is none of the cache's: it has no URL of its own (url.h), or one of the
 * expressions of CacheStorerBypass is true. Found out once, when mod_cache first asks for the
 * response: in the quick handler, or with CacheQuickHandler off in the handler. */
int state_bypasses(state_t *state);

#endif /* STATE_H */
