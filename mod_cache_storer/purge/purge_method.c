/* SPDX-License-Identifier: Apache-2.0
 *
 * purge_method.c - see purge_method.h. Which URLs are cached is mod_cache's to know (CacheEnable): so
 * it is made to invalidate the URL, which then is a purge.
 */
#include "purge_method.h"

#include "purge.h"

#include "../access/stranger.h"
#include "../admin/admin.h"
#include "../invalidate.h"

#include "../stats/stats.h"

#include "http_log.h"
#include "http_protocol.h"

#include <string.h>

int purge_method_meets(const provider_object_t *object, request_rec *r)
{
    state_t *state = state_find(r);
    purge_t purge = { object->store, 0, 1, r->pool };
    storer_bytes_t twin;
    apr_status_t rv;

    if (!state || !state->purging) {
        return 0;
    }
    purge.hard = !state->purging_softly;
    if (r->server->is_virtual) {
        purge.site = object->config->site;
    }
    rv = purge_url(&purge, object->base_key);
    if (rv == APR_SUCCESS && url_twin(r, object->base.key, &twin) == APR_SUCCESS) {
        rv = purge_url(&purge, twin);
    }
    if (rv == APR_SUCCESS) {
        state->purged = 1;
        stats_count(r, purge.hard ? STATS_PURGES_HARD : STATS_PURGES_SOFT);
    }
    ap_log_rerror(APLOG_MARK, rv == APR_SUCCESS ? APLOG_INFO : APLOG_ERR, rv, r,
                  STORERNO(0513) "%s %s", rv == APR_SUCCESS ? "purged" : "could not purge",
                  object->base.key);
    return 1;
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

static int handle(request_rec *r)
{
    const char *softly;
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
    if (!state) {
        return HTTP_SERVICE_UNAVAILABLE;
    }
    softly = apr_table_get(r->headers_in, "Soft-Purge");
    state->management = 1;
    state->purging = 1;
    state->purging_softly = softly && strcmp(softly, "0") != 0;
    if (!invalidate_now(r)) {
        return answer(r, HTTP_NOT_FOUND, "Nothing is cached under this URL: no CacheEnable covers "
                                         "it.\n");
    }
    if (!state->purged) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return answer(r, HTTP_OK, state->purging_softly ? "Purged: stale now.\n" : "Purged.\n");
}

void purge_method_register(void)
{
    static const char *const mod_cache[] = { "mod_cache.c", NULL };

    ap_hook_handler(handle, mod_cache, NULL, APR_HOOK_REALLY_FIRST);
}
