/* SPDX-License-Identifier: Apache-2.0
 *
 * purge_method.c - see purge_method.h. Which URLs are cached is mod_cache's to know (CacheEnable):
 * so it is made to invalidate the URL, which then is a purge.
 */
#include "purge_method.h"

#include "purge.h"

#include "../access/stranger.h"
#include "../admin/admin.h"
#include "../invalidate.h"

#include "../stats/stats.h"

#include "http_log.h"
#include "http_protocol.h"
#include "apr_strings.h"

#include <string.h>

/* All clients of a URL that has two keys, one for each scheme that a proxy in front may tell. */
static apr_status_t each_key(const provider_object_t *object, request_rec *r, const purge_t *purge,
                             apr_size_t *count)
{
    storer_bytes_t twin;
    apr_status_t rv;

    /* a look that fails must not keep the purge from its work */
    (void)purge_count_url(purge, object->base_key, count);
    rv = purge_url(purge, object->base_key);
    if (rv == APR_SUCCESS && url_twin(r, object->base.key, &twin) == APR_SUCCESS) {
        (void)purge_count_url(purge, twin, count);
        rv = purge_url(purge, twin);
    }
    return rv;
}

int purge_method_meets(const provider_object_t *object, request_rec *r)
{
    state_t *state = state_find(r);
    purge_t purge = { object->store, 0, 1, r->pool };
    apr_status_t rv;

    if (!state || !state->purging) {
        return 0;
    }
    purge.hard = !state->purging_softly;
    if (r->server->is_virtual) {
        purge.site = object->config->site;
    }
    rv = each_key(object, r, &purge, &state->purge_count);
    if (rv == APR_SUCCESS) {
        stats_count(r, purge.hard ? STATS_PURGES_HARD : STATS_PURGES_SOFT);
    }
    state->purged = 1;
    state->purge_status = rv;
    ap_log_rerror(APLOG_MARK, rv == APR_SUCCESS ? APLOG_INFO : APLOG_ERR, rv, r,
                  STORERNO(0513) "%s %s: %" APR_SIZE_T_FMT " responses",
                  rv == APR_SUCCESS ? "purged" : "could not purge", object->base.key,
                  state->purge_count);
    return 1;
}

/* ------------------------------------------------------------------------------------------------
 * What PURGE is asked to do elsewhere, and does not do here
 * --------------------------------------------------------------------------------------------- */

#define WANTS_PATTERN                                                                              \
    "By pattern or by the beginning of a URL the admin API purges (SetHandler cache-storer, "      \
    "docs/admin-api.md): {\"type\": \"pattern\", ...}, {\"type\": \"uri-prefix\", ...}.\n"
#define WANTS_TAGS                                                                                 \
    "By tag the admin API purges (SetHandler cache-storer, docs/admin-api.md): {\"type\": "        \
    "\"group\", ...}; so does the field of CacheStorerPurgeHeader in a response.\n"

/* Fields by which other caches are told to purge more than the URL: Varnish as Magento, WordPress,
 * Drupal, TYPO3 and FOSHttpCache set it up, Fastly, Cloudflare. */
static const struct {
    const char *field, *cure;
} dialects[] = {
    { "X-Purge-Regex", WANTS_PATTERN },
    { "X-Magento-Tags-Pattern", WANTS_TAGS },
    { "Surrogate-Key", WANTS_TAGS },
    { "Cache-Tag", WANTS_TAGS },
    { "Cache-Tags", WANTS_TAGS },
    { "X-Cache-Tags", WANTS_TAGS },
    { "xkey", WANTS_TAGS },
    { "xkey-purge", WANTS_TAGS },
    { "xkey-softpurge", WANTS_TAGS },
};

/* X-Purge-Method of the plugins for WordPress: "default" and "exact" mean the URL. */
static int means_regex(const char *method)
{
    return method && ap_cstr_casecmp(method, "default") != 0
           && ap_cstr_casecmp(method, "exact") != 0;
}

/* @return what to do instead; NULL: the URL is meant */
static const char *wants_more(const state_t *state, const char **field)
{
    const apr_table_t *headers = state->r->headers_in;
    const apr_array_header_t *tags = state->config->tags;
    apr_size_t i;
    int j;

    *field = "X-Purge-Method";
    if (means_regex(apr_table_get(headers, *field))) {
        return WANTS_PATTERN;
    }
    for (i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
        *field = dialects[i].field;
        if (apr_table_get(headers, *field)) {
            return dialects[i].cure;
        }
    }
    for (j = 0; j < tags->nelts; j++) {
        *field = APR_ARRAY_IDX(tags, j, const char *);
        if (apr_table_get(headers, *field)) {
            return WANTS_TAGS;
        }
    }
    return NULL;
}

/* Else the Require would replace those of earlier sections, for GET as well. */
#define CURE                                                                                        \
    "Say who may, beside CacheStorerPurge: \"AuthMerging And\", and in a <Limit PURGE> a \"Require\" " \
    "such as \"Require local\" or \"Require ip 192.168.0.0/16\""

static int answer(request_rec *r, int status, const char *text)
{
    r->status = status;
    ap_set_content_type(r, "text/plain");
    (void)ap_rputs(text, r);
    return OK;
}

static const char *entries(const state_t *state)
{
    return apr_psprintf(state->r->pool, "%" APR_SIZE_T_FMT " %s", state->purge_count,
                        state->purge_count == 1 ? "response" : "responses");
}

/* Nothing is stored there; for a URL that looks like a pattern it is worth a word why. */
static int answer_none(const state_t *state, const char *text)
{
    request_rec *r = state->r;

    if (r->unparsed_uri && strchr(r->unparsed_uri, '*')) {
        return answer(r, HTTP_NOT_IMPLEMENTED, "PURGE takes a URL, to the letter, and nothing is "
                      "stored under this one. " WANTS_PATTERN);
    }
    return answer(r, HTTP_NOT_FOUND, text);
}

/* What was done is what is answered. */
static int answer_purged(const state_t *state)
{
    request_rec *r = state->r;

    if (state->purge_status == APR_ENOTIMPL) {
        return answer(r, HTTP_NOT_IMPLEMENTED, "This storage cannot purge so.\n");
    }
    if (state->purge_status != APR_SUCCESS) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (state->purge_count > 0) {
        return answer(r, HTTP_OK, apr_pstrcat(r->pool, state->purging_softly ? "Stale now: "
                                                                             : "Purged: ",
                                              entries(state), ".\n", NULL));
    }
    return answer_none(state, "Nothing is stored under this URL. (A response that is being "
                  "fetched now will not be used.)\n");
}

static int purge(state_t *state)
{
    request_rec *r = state->r;
    const char *softly = apr_table_get(r->headers_in, "Soft-Purge"), *field;
    const char *cure = wants_more(state, &field);
    const url_t *url;

    state->management = 1;
    if (cure) {
        return answer(r, HTTP_NOT_IMPLEMENTED, apr_pstrcat(
                      r->pool, "Nothing is purged: PURGE takes a URL, and not what ", field,
                      " names. ", cure, NULL));
    }
    state->purging = 1;
    state->purging_softly = softly && strcmp(softly, "0") != 0;
    if (!invalidate_now(r)) {
        return answer_none(state, "Nothing is cached under this URL: no CacheEnable covers it.\n");
    }
    if (!state->purged) {
        url = url_of(r);
        return answer_none(state, apr_pstrcat(
                      r->pool, "Nothing is cached under this URL: ",
                      url && url->problem ? url->problem : "it is none of the cache's", ".\n", NULL));
    }
    return answer_purged(state);
}

static int handle(request_rec *r)
{
    state_t *state;

    if (strcmp(r->method, "PURGE") != 0 || !config_allows_purge(r)
        || (r->handler && strcmp(r->handler, ADMIN_HANDLER) == 0)) {
        return DECLINED;
    }
    if (!access_is_restricted(r, "PURGE", CURE) || access_is_cross_site(r)
        || (apr_table_get(r->headers_in, "Origin") && !access_is_own_name(r, "PURGE"))) {
        return HTTP_FORBIDDEN;
    }
    state = state_of(r);
    return state ? purge(state) : HTTP_SERVICE_UNAVAILABLE;
}

void purge_method_register(void)
{
    static const char *const mod_cache[] = { "mod_cache.c", NULL };

    ap_hook_handler(handle, mod_cache, NULL, APR_HOOK_REALLY_FIRST);
}
