/* SPDX-License-Identifier: Apache-2.0
 *
 * stale.c - see stale.h.
 */
#include "stale.h"

#include "fetch/background.h"
#include "fetch/collapse.h"
#include "fetch/refresh.h"

#include "http/control.h"
#include "http/staleness.h"

#include "http_request.h"

/* What a response says of its own staleness, in the field that also decides its freshness. */
static control_t words_of(const config_server_t *config, const apr_table_t *headers,
                          apr_pool_t *pool)
{
    control_t control;

    if (!control_of_targeted(headers, config->targeted, &control, pool)) {
        control = control_of(headers, pool);
    }
    return control;
}

static apr_interval_time_t window(const freshness_t *response, const config_grace_t *grace,
                                  apr_int64_t seconds)
{
    return grace->mode == CONFIG_GRACE_OFF
           ? 0 : staleness_window(response, seconds, grace->fallback);
}

apr_interval_time_t stale_longest(const config_server_t *config, const freshness_t *response,
                                  const apr_table_t *headers, apr_pool_t *pool)
{
    control_t control = words_of(config, headers, pool);
    apr_interval_time_t revalidate, error;

    revalidate = window(response, &config->while_revalidate, control.stale_while_revalidate);
    error = window(response, &config->if_error, control.stale_if_error);
    return revalidate > error ? revalidate : error;
}

/* A request that wants something newer than what is there is to get it. */
static int asks_for_newer(const state_t *state)
{
    const request_rec *r = state->r;
    control_t control = control_of(r->headers_in, r->pool);

    if (state->reload != STATE_RELOAD_NONE) {
        return 1;
    }
    if (state->config->ignore_control) {
        return 0; /* CacheIgnoreCacheControl: mod_cache does not mind either */
    }
    return control.max_age >= 0 || control.min_fresh >= 0 || control.no_cache || control.no_store;
}

/* ------------------------------------------------------------------------------------------------
 * While it is refreshed
 * --------------------------------------------------------------------------------------------- */

/* mod_cache compares the age with what the response allows, so that is what grows. The age it tells
 * the client stays true. */
static void stretch(freshness_t *response, apr_interval_time_t lifetime)
{
    apr_int64_t seconds = apr_time_sec(lifetime) + 1;

    if (response->s_maxage != -1) {
        response->s_maxage = seconds;
    }
    else {
        response->max_age = seconds;
    }
}

/* Until when it may be served while it is refreshed; end: of its freshness. A response that was purged
 * softly is to be served meanwhile for as long as it is kept, unless it forbids that: then, at most,
 * for as long as it would be fresh without the purge. */
static apr_time_t last_service(const state_t *state, const provider_object_t *object, apr_time_t end)
{
    const freshness_t *response = &object->record.freshness;
    const config_grace_t *grace = &state->config->while_revalidate;
    control_t control = words_of(state->config, object->record.headers, state->r->pool);
    apr_interval_time_t allowed = window(response, grace, control.stale_while_revalidate);
    apr_time_t last = allowed > 0 ? end + allowed : end, kept;

    if (!object->soft) {
        return allowed > 0 ? last : 0;
    }
    if (grace->mode == CONFIG_GRACE_OFF || response->must_revalidate
        || response->proxy_revalidate) {
        return 0;
    }
    kept = state->r->request_time + state->config->stale;
    return staleness_is_forbidden(response) || last > kept ? last : kept;
}

int stale_serve(state_t *state, provider_object_t *object, storer_bytes_t key)
{
    request_rec *r = state->r;
    freshness_t *response = &object->record.freshness;
    apr_time_t end = freshness_end(response, object->record.headers), last;

    if (state->lookup || refresh_of(r) || !collapse_is_open()) {
        return 0;
    }
    last = last_service(state, object, end);
    if (r->request_time >= last || asks_for_newer(state)) {
        return 0;
    }
    state->fresh_until = object->soft && end > r->request_time ? r->request_time : end;
    background_fetch(state, key, -1);
    stretch(response, freshness_lifetime(response) + (last > end ? last - end : 0));
    return 1;
}

/* ------------------------------------------------------------------------------------------------
 * If the origin fails
 * --------------------------------------------------------------------------------------------- */

static int may_serve_on_error(const state_t *state, const provider_object_t *object)
{
    const freshness_t *response = &object->record.freshness;
    control_t control;
    apr_interval_time_t allowed;

    control = words_of(state->config, object->record.headers, state->r->pool);
    allowed = window(response, &state->config->if_error, control.stale_if_error);
    /* where nobody says how long, CacheStaleOnError decides, for as long as the entry is kept */
    return allowed < 0
           || state->r->request_time < freshness_end(response, object->record.headers) + allowed;
}

static apr_status_t unguard(void *baton)
{
    stale_unguard(baton);
    return APR_SUCCESS;
}

void stale_guard(state_t *state, provider_object_t *object)
{
    conn_rec *c = state->r->connection;

    if (!may_serve_on_error(state, object)
        && (staleness_is_forbidden(&object->record.freshness)
            || control_of(state->r->headers_in, state->r->pool).max_stale < 0)) {
        object->record.freshness.must_revalidate = 1; /* and the client has not allowed it either */
    }
    /* mod_proxy closes a connection that was used before, without an answer, where the origin does
     * that to it. On a first request it makes an error of it, and to that there is an answer: what is
     * stale, or that there is none (RFC 9111 section 5.2.2.2). */
    if (!state->keepalives && c->keepalives > 0) {
        state->keepalives = c->keepalives;
        c->keepalives = 0;
        apr_pool_cleanup_register(state->r->pool, state, unguard, apr_pool_cleanup_null);
    }
}

void stale_unguard(state_t *state)
{
    if (state->keepalives) {
        state->r->connection->keepalives += state->keepalives;
        state->keepalives = 0;
    }
}
