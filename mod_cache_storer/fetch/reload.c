/* SPDX-License-Identifier: Apache-2.0
 *
 * reload.c - see reload.h.
 */
#include "reload.h"

#include "collapse.h"

#include "../mask.h"

#include "../http/control.h"

#include "apr_strings.h"

/* Pragma counts if there is no Cache-Control. */
static int has_pragma(const request_rec *r)
{
    const char *pragma = apr_table_get(r->headers_in, "Pragma");

    return pragma && !apr_table_get(r->headers_in, "Cache-Control")
           && ap_find_token(r->pool, pragma, "no-cache");
}

static state_reload_e wish_of(const request_rec *r)
{
    control_t control = control_of(r->headers_in, r->pool);

    if (control.no_store || control.only_if_cached || control.min_fresh >= 0
        || control.max_stale >= 0) {
        return STATE_RELOAD_NONE; /* mod_cache has its own answers to these */
    }
    if (control.no_cache || has_pragma(r)) {
        return STATE_RELOAD_ALL;
    }
    return control.max_age == 0 ? STATE_RELOAD_VALIDATE : STATE_RELOAD_NONE;
}

void reload_begin(state_t *state)
{
    const request_rec *r = state->r;

    if (r->method_number != M_GET || r->header_only || r->main || state->lookup
        || state->config->ignore_control || !collapse_is_open()
        || state->config->collapse <= 0) {
        return;
    }
    state->reload = wish_of(r);
    if (state->reload != STATE_RELOAD_NONE) {
        mask_put_directives(state);
    }
}

apr_status_t reload_judge(state_t *state, provider_object_t *object, apr_status_t rv)
{
    if (state->reload == STATE_RELOAD_NONE || rv != APR_SUCCESS
        || object->record.freshness.response_time >= state->r->request_time) {
        return rv;
    }
    if (state->reload == STATE_RELOAD_ALL) {
        storer_view_release(&object->view);
        return APR_NOTFOUND;
    }
    object->stale = 1;
    return APR_SUCCESS;
}

storer_bytes_t reload_key(const state_t *state, storer_bytes_t key)
{
    apr_pool_t *pool = state->r->pool;

    if (state->reload == STATE_RELOAD_NONE) {
        return key;
    }
    return storer_bytes(apr_pstrcat(pool, apr_pstrmemdup(pool, key.data, key.len),
                                    state->reload == STATE_RELOAD_ALL ? "\nreload" : "\nvalidate",
                                    NULL));
}
