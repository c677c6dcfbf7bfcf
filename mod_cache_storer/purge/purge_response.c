/* SPDX-License-Identifier: Apache-2.0
 *
 * purge_response.c - see purge_response.h.
 */
#include "purge_response.h"

#include "purge.h"
#include "tags.h"

#include "../mask.h"

#include "../stats/stats.h"

#include "http_log.h"

static void purge_tags_of(const state_t *state, const char *tags)
{
    request_rec *r = state->r;
    purge_t purge = { state->config->store, state->config->site, 1, r->pool };
    apr_status_t rv = purge_tags(&purge, tags);

    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, rv, r,
                      STORERNO(0511) "the tags %s could not be purged", tags);
        return;
    }
    stats_count(r, STATS_PURGES_HARD);
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, STORERNO(0512) "purged the tags %s", tags);
}

static int is_success(int status)
{
    return status >= 200 && status < 400;
}

void purge_response_see(state_t *state)
{
    request_rec *r = state->r;
    const char *field = config_purge_field(state->config);
    apr_table_t *tables[2] = { r->headers_out, r->err_headers_out };
    int i;

    for (i = 0; i < 2; i++) {
        (void)tags_take(tables[i], config_tags(state->config), r->pool);
        if (field) {
            const char *name[1] = { field };
            const apr_array_header_t fields = { r->pool, sizeof(name[0]), 1, 1, (char *)name };
            const char *tags = tags_take(tables[i], &fields, r->pool);

            if (tags && mask_is_unsafe(r) && is_success(r->status)) {
                purge_tags_of(state, tags);
            }
        }
    }
}
