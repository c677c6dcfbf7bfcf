/* SPDX-License-Identifier: Apache-2.0
 *
 * entry.c - one URL: each variant that is stored, what is in it, how long it is good, and whether it
 * would be served now, with the reason.
 */
#include "answer.h"
#include "entries.h"
#include "selectors.h"

#include "../purge/tags.h"

#include "http_protocol.h"
#include "apr_strings.h"

typedef struct show_t {
    const admin_t *admin;
    json_t        *variants;
} show_t;

static json_t *json_of_headers(const apr_table_t *headers)
{
    const apr_array_header_t *array = apr_table_elts(headers);
    const apr_table_entry_t *line = (const apr_table_entry_t *)array->elts;
    json_t *json = json_array();
    int i;

    for (i = 0; i < array->nelts; i++) {
        json_array_append_new(json, json_pack("[oo]", answer_text(storer_bytes(line[i].key)),
                                              answer_text(storer_bytes(line[i].val))));
    }
    return json;
}

static json_t *json_of_tags(const char *tags)
{
    json_t *json = json_array();
    storer_bytes_t tag;

    while (tags && tags_next(&tags, &tag)) {
        json_array_append_new(json, answer_text(tag));
    }
    return json;
}

/* In which state it is, in a word for programs and a sentence for people. */
static const char *state_of_entry(const entries_entry_t *entry, apr_time_t now, apr_time_t end,
                                  apr_pool_t *pool, const char **word)
{
    const freshness_t *response = &entry->record->freshness;
    apr_time_t fresh_until = entry->view->expiry.fresh_until;
    long seconds = (long)apr_time_sec(end > now ? end - now : now - end);

    if (entry->soft) {
        *word = "purged";
        return "softly purged: the next request gets it stale at most, and it is fetched again";
    }
    if (response->no_cache) {
        *word = "revalidated";
        return "the response says no-cache: the origin is asked each time";
    }
    if (fresh_until <= now && now < end) {
        *word = "invalidated";
        return "invalidated: the origin is asked before it is served again";
    }
    if (now < end) {
        *word = "fresh";
        return apr_psprintf(pool, "served without a question for %ld s more", seconds);
    }
    *word = "stale";
    return apr_psprintf(pool, "its freshness ended %ld s ago: the origin is asked before it is served, "
                        "unless it may be served stale meanwhile", seconds);
}

static const char *who_gets_it(const entries_entry_t *entry)
{
    const freshness_t *response = &entry->record->freshness;

    return response->is_public || response->s_maxage != -1 || response->must_revalidate
           ? "everyone" : "requests without Authorization";
}

static apr_status_t show_variant(void *baton, const entries_entry_t *entry, apr_pool_t *scratch)
{
    show_t *show = baton;
    const record_t *record = entry->record;
    const freshness_t *response = &record->freshness;
    apr_time_t now = show->admin->r->request_time;
    apr_time_t end = freshness_end(response, record->headers);
    apr_time_t last = entry->view->expiry.stale_until > entry->view->expiry.fresh_until
                      ? entry->view->expiry.stale_until : entry->view->expiry.fresh_until;
    const char *word, *why = state_of_entry(entry, now, end, scratch, &word);
    json_t *json = json_object();

    json_object_set_new(json, "key", answer_text(entries_shown(entry, scratch)));
    json_object_set_new(json, "status", json_integer(record->status));
    json_object_set_new(json, "state", json_string(word));
    json_object_set_new(json, "why", json_string(why));
    json_object_set_new(json, "served_to", json_string(who_gets_it(entry)));
    json_object_set_new(json, "hits", json_integer((json_int_t)entry->view->hits));
    json_object_set_new(json, "body_bytes", json_integer((json_int_t)record->body_length));
    json_object_set_new(json, "stored_bytes", json_integer((json_int_t)entry->view->length));
    json_object_set_new(json, "compressed", json_boolean(record->flags & RECORD_LZ4));
    json_object_set_new(json, "requested_at", answer_time(response->request_time));
    json_object_set_new(json, "received_at", answer_time(response->response_time));
    json_object_set_new(json, "fresh_until", answer_time(end));
    json_object_set_new(json, "kept_until", answer_time(last));
    json_object_set_new(json, "tags", json_of_tags(record->tags));
    json_object_set_new(json, "headers", json_of_headers(record->headers));
    json_object_set_new(json, "store", json_string(storer_registry_key(entry->store, scratch)));
    json_array_append_new(show->variants, json);
    return APR_SUCCESS;
}

int entry_show(const admin_t *admin)
{
    const char *text = admin_parameter(admin, "url");
    const apr_array_header_t *keys = text ? selectors_url(admin, text) : NULL;
    show_t show = { admin, json_array() };
    apr_status_t rv = APR_SUCCESS;
    int i;

    if (!keys) {
        json_decref(show.variants);
        return answer_error(admin, HTTP_BAD_REQUEST, "url=%s: expected a URL such as "
                            "http://www.example.org/news", text ? text : "");
    }
    for (i = 0; i < keys->nelts && rv == APR_SUCCESS; i++) {
        rv = entries_of_url(admin, APR_ARRAY_IDX(keys, i, storer_bytes_t), show_variant, &show);
    }
    if (rv != APR_SUCCESS) {
        json_decref(show.variants);
        return entries_failed(admin, rv);
    }
    return answer_json(admin, json_array_size(show.variants) ? HTTP_OK : HTTP_NOT_FOUND,
                       json_pack("{s:o, s:o}", "url", answer_text(storer_bytes(text)), "variants",
                                 show.variants));
}
