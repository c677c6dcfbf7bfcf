/* SPDX-License-Identifier: Apache-2.0
 *
 * state.c - see state.h.
 */
#include "state.h"

#include "ap_expr.h"
#include "http_request.h"

state_t *state_find(const request_rec *r)
{
    return ap_get_module_config(r->request_config, &cache_storer_module);
}

/* In one look at the fields. Credentials count also where they are gone by now: "RequestHeader unset
 * Authorization" leaves them to httpd alone, and what comes of an internal redirect is for whom the
 * first request was let in. */
static void see_fields(state_t *state)
{
    const request_rec *r = state->r;
    const apr_array_header_t *fields = apr_table_elts(r->headers_in);
    const state_t *before = NULL;
    int i;

    for (i = 0; i < fields->nelts; i++) {
        const char *name = APR_ARRAY_IDX(fields, i, apr_table_entry_t).key;

        switch (name[0] | 0x20) {
        case 'a':
            state->credentials |= ap_cstr_casecmp(name, "Authorization") == 0;
            break;
        case 'c':
            state->directives |= ap_cstr_casecmp(name, "Cache-Control") == 0;
            break;
        case 'p':
            state->directives |= ap_cstr_casecmp(name, "Pragma") == 0;
            break;
        default:
            break;
        }
    }
    if (r->main || r->prev) {
        before = state_find(r->main ? r->main : r->prev);
    }
    if (before && before->credentials) {
        state->credentials = 1;
    }
}

state_t *state_of(request_rec *r)
{
    state_t *state = state_find(r);
    const config_server_t *config;

    if (state) {
        return state;
    }
    config = config_of(r->server);
    if (!config->store) {
        return NULL;
    }
    state = apr_pcalloc(r->pool, sizeof(*state));
    state->r = r;
    state->config = config;
    see_fields(state);
    (void)storer_epoch(config->store, r->request_time, &state->epoch); /* else 0: the oldest */
    ap_set_module_config(r->request_config, &cache_storer_module, state);
    return state;
}

static int is_true(request_rec *r, const ap_expr_info_t *expression)
{
    const char *problem = NULL;
    int result = ap_expr_exec(r, expression, &problem);

    if (result < 0) {
        /* who asks for a bypass means to protect something */
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      STORERNO(0701) "CacheStorerBypass: the expression at line %u of %s failed, "
                      "so that nothing is cached: %s", expression->line_number,
                      expression->filename, problem ? problem : "no reason given");
        return 1;
    }
    return result > 0;
}

static int is_any_true(request_rec *r, const apr_array_header_t *expressions)
{
    int i, result = 0;

    for (i = 0; i < expressions->nelts && !result; i++) {
        result = is_true(r, APR_ARRAY_IDX(expressions, i, const ap_expr_info_t *));
    }
    return result;
}

static int is_bypassed(state_t *state)
{
    apr_table_t *shown = state->r->headers_in, *masked = shown;
    int result;

    /* an expression may well be about the fields that mod_cache is not to see now */
    if (state->mask.hidden || state->mask.undirected) {
        shown = apr_table_copy(state->r->pool, masked);
        if (state->mask.hidden) {
            apr_table_setn(shown, "Authorization", state->mask.authorization);
        }
        if (state->mask.undirected) {
            apr_table_overlap(shown, state->mask.directives, APR_OVERLAP_TABLES_MERGE);
        }
        state->r->headers_in = shown;
    }
    result = is_any_true(state->r, state->config->bypass);
    state->r->headers_in = masked;
    return result;
}

/* What the expressions said of the client's request is true of what it is redirected to. */
static const char *bypass_reason(state_t *state)
{
    const state_t *before = state->r->prev ? state_find(state->r->prev) : NULL;
    const char *problem = url_problem(state->r);

    if (problem || !state->config->bypass) {
        return problem;
    }
    if (before && before->bypass_known) {
        return before->bypass ? before->detail : NULL;
    }
    return is_bypassed(state) ? "CacheStorerBypass" : NULL;
}

int state_bypasses(state_t *state)
{
    const char *reason;

    if (state->bypass_known) {
        return state->bypass;
    }
    state->bypass_known = 1;
    reason = bypass_reason(state);
    if (reason) {
        state->bypass = 1;
        state->forward = STATE_FORWARD_BYPASS;
        state->detail = reason;
    }
    return state->bypass;
}
