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
#include "util_filter.h"

#include <string.h>

static ap_filter_rec_t *purge_response_handle;

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

int purge_response_matters(const state_t *state)
{
    const config_server_t *config = state->config;

    return config->prefixes && (config->tags->nelts > 0 || config->purge_field);
}

static int is_named(const char *field, const char *name, apr_size_t length)
{
    return field && strlen(field) == length && ap_cstr_casecmpn(field, name, length) == 0;
}

int purge_response_hides(const state_t *state, const char *name, apr_size_t length)
{
    const apr_array_header_t *tags = state->config->tags;
    int i;

    for (i = 0; i < tags->nelts; i++) {
        if (is_named(APR_ARRAY_IDX(tags, i, const char *), name, length)) {
            return 1;
        }
    }
    return is_named(state->config->purge_field, name, length);
}

/* The field that purges was obeyed before, if at all. */
const char *purge_response_take(const config_server_t *config, apr_table_t *headers,
                                apr_pool_t *pool)
{
    const char *field = config->purge_field;

    if (field) {
        apr_table_unset(headers, field);
    }
    return tags_take(headers, config->tags, pool);
}

void purge_response_see(state_t *state)
{
    request_rec *r = state->r;
    const char *field = state->config->purge_field;
    apr_table_t *tables[2] = { r->headers_out, r->err_headers_out };
    int i;

    for (i = 0; i < 2; i++) {
        (void)tags_take(tables[i], state->config->tags, r->pool);
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

static apr_status_t see_response(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    purge_response_see(filter->ctx);
    ap_remove_output_filter(filter);
    return ap_pass_brigade(filter->next, brigade);
}

void purge_response_register(void)
{
    purge_response_handle = ap_register_output_filter("CACHE_STORER_PURGE", see_response, NULL,
                                                      AP_FTYPE_CONTENT_SET + 2);
}

void purge_response_watch(state_t *state)
{
    request_rec *r = state->r;

    if (!r->main) {
        ap_add_output_filter_handle(purge_response_handle, state, r, r->connection);
    }
}
