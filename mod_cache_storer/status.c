/* SPDX-License-Identifier: Apache-2.0
 *
 * status.c - see status.h. The hit is on the hot path: no formatting by printf there, unless more
 * than the usual is asked for.
 */
#include "status.h"

#include "http/control.h"
#include "http/number.h"
#include "http/structured.h"

#include "apr_strings.h"

#include <string.h>

/* Section 2.4: may be negative, for a response that is stale. */
static apr_int64_t seconds_left(const state_t *state)
{
    apr_interval_time_t left = state->fresh_until - state->r->request_time;

    return left / APR_USEC_PER_SEC - (left % APR_USEC_PER_SEC < 0);
}

/* A parameter with a text from anywhere as its value, or nothing. */
static const char *parameter(const state_t *state, const char *name, const char *text)
{
    return text ? apr_pstrcat(state->r->pool, name,
                              structured_string(text, state->r->pool), NULL) : "";
}

static const char *more(const state_t *state, const config_status_t *config)
{
    if (!config->key && !config->detail) {
        return "";
    }
    return apr_pstrcat(state->r->pool,
                       parameter(state, "; key=", config->key ? state->url_key : NULL),
                       parameter(state, "; detail=", config->detail ? state->detail : NULL), NULL);
}

static void set_environment(const state_t *state, const char *age)
{
    apr_table_t *environment = state->r->subprocess_env;

    if (!state->config->environment) {
        return;
    }
    apr_table_setn(environment, "cache-storer-engine", state->config->store->ops->name);
    if (state->url_key) {
        apr_table_setn(environment, "cache-storer-key", state->url_key);
    }
    if (age) {
        apr_table_setn(environment, "cache-storer-age", age);
    }
    if (state->detail) {
        apr_table_setn(environment, "cache-storer-detail", state->detail);
    }
}

static char *put(char *to, const char *text, apr_size_t length)
{
    memcpy(to, text, length);
    return to + length;
}

/* "NAME; hit; ttl=59" and perhaps more */
static const char *hit_text(const state_t *state, const config_status_t *config)
{
    static const char collapsed_text[] = "; collapsed";
    const char *rest = more(state, config), *ttl;
    apr_size_t rest_length = strlen(rest);
    char digits[NUMBER_DIGITS], *text, *to;

    ttl = number_decimal(digits, seconds_left(state));
    text = apr_palloc(state->r->pool, config->hit_length + NUMBER_DIGITS + sizeof(collapsed_text)
                      + rest_length);
    to = put(text, config->hit, config->hit_length);
    to = put(to, ttl, (apr_size_t)(digits + NUMBER_DIGITS - 1 - ttl));
    if (state->fetch.collapsed) {
        to = put(to, collapsed_text, sizeof(collapsed_text) - 1);
    }
    (void)put(to, rest, rest_length + 1);
    return text;
}

void status_add_hit(state_t *state, apr_table_t *headers)
{
    const config_status_t *config = &state->config->status;

    if (state->config->environment) {
        set_environment(state, apr_table_get(headers, "Age"));
    }
    if (config->on) {
        /* upstream caches come first in the list (section 2): ours is the last line */
        apr_table_addn(headers, "Cache-Status", hit_text(state, config));
    }
}

state_forward_e status_forward(const state_t *state)
{
    control_t control;

    if (state->forward != STATE_FORWARD_NONE) {
        return state->forward;
    }
    if (state->r->method_number != M_GET) {
        return STATE_FORWARD_METHOD;
    }
    control = control_of(state->r->headers_in, state->r->pool);
    return control.no_cache || control.no_store ? STATE_FORWARD_REQUEST : STATE_FORWARD_BYPASS;
}

static const char *forward_name(state_forward_e forward)
{
    switch (forward) {
    case STATE_FORWARD_METHOD:
        return "method";
    case STATE_FORWARD_URI_MISS:
        return "uri-miss";
    case STATE_FORWARD_VARY_MISS:
        return "vary-miss";
    case STATE_FORWARD_REQUEST:
        return "request";
    case STATE_FORWARD_STALE:
        return "stale";
    case STATE_FORWARD_NONE:
    case STATE_FORWARD_BYPASS:
    default:
        return "bypass";
    }
}

/* Section 2.3. The head goes out before the body has come: of a body whose length is not known it is
 * too early to tell, and so it is if the store learns at its end only whether there is room. */
static int is_stored(const state_t *state)
{
    return state->fetch.phase == FETCH_STORED || state->reserved;
}

void status_add_forwarded(state_t *state, apr_table_t *headers)
{
    const config_status_t *config = &state->config->status;
    const char *forward_status = "", *ttl = "";

    if (state->r->main) {
        return;
    }
    set_environment(state, NULL);
    if (!config->on) {
        return;
    }
    if (state->forward_status) {
        forward_status = apr_psprintf(state->r->pool, "; fwd-status=%d", state->forward_status);
    }
    if (fetch_is_storing(&state->fetch)) {
        ttl = apr_psprintf(state->r->pool, "%s; ttl=%" APR_INT64_T_FMT,
                           is_stored(state) ? "; stored" : "", seconds_left(state));
    }
    apr_table_addn(headers, "Cache-Status",
                   apr_pstrcat(state->r->pool, config->name, "; fwd=",
                               forward_name(status_forward(state)), forward_status, ttl,
                               more(state, config), NULL));
}
