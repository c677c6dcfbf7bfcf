/* SPDX-License-Identifier: Apache-2.0
 *
 * provider_refusal.c - why a response is not stored, beyond what mod_cache itself looks at: by its
 * head, and by what has become of its body. What follows from it is provider_write.c's to do.
 */
#include "provider.h"

#include <string.h>

/* Also of a field that Cache-Control names as not to be stored: then it is not there any more. */
static int sets_cookie(request_rec *r)
{
    const apr_table_t *headers = ap_cache_cacheable_headers_out(r);

    return apr_table_get(headers, "Set-Cookie") || apr_table_get(headers, "Set-Cookie2");
}

int provider_is_passing_error(const request_rec *r)
{
    return url_is_error_page(r) && r->status != HTTP_NOT_FOUND && r->status != HTTP_GONE;
}

/* From http to https, mostly: by whatever the origin tells the two apart, a client that has followed
 * it must not get it again. */
static int leads_to_itself(const state_t *state)
{
    const char *location = apr_table_get(state->r->headers_out, "Location");
    key_parts_t own, other;
    const char *target;

    if (!location) {
        location = apr_table_get(state->r->err_headers_out, "Location");
    }
    target = location ? key_read(location, state->r->pool) : NULL;
    return target && key_take_apart(storer_bytes(target), &other)
           && key_take_apart(storer_bytes(url_of(state->r)->text), &own)
           && storer_bytes_equal(own.host, other.host) && storer_bytes_equal(own.path, other.path)
           && storer_bytes_equal(own.query, other.query)
           && !storer_bytes_equal(own.scheme, other.scheme);
}

/* A stream of server-sent events (HTML, section 9.2) ends when its client goes. */
static int is_endless(const request_rec *r)
{
    static const char type[] = "text/event-stream";

    return r->content_type && ap_cstr_casecmpn(r->content_type, type, sizeof(type) - 1) == 0;
}

const char *provider_refusal(const state_t *state, apr_off_t length)
{
    request_rec *r = state->r;
    const config_server_t *config = state->config;

    if (provider_is_passing_error(r)) {
        return "it is the page for an error of the request";
    }
    if (state->intake.problem) {
        return state->intake.problem;
    }
    if (ap_is_HTTP_REDIRECT(r->status) && leads_to_itself(state)) {
        return "it leads to the same URL with another scheme";
    }
    if (r->status == HTTP_PARTIAL_CONTENT) {
        return "it is a part of a response";
    }
    if (length > config->body_limit) {
        return "its body is larger than CacheStorerMaxFileSize allows";
    }
    if (length >= 0 && length < config->min_body) {
        return "its body is smaller than CacheStorerMinFileSize";
    }
    if (is_endless(r)) {
        return "it is a stream of events";
    }
    /* mod_cache looks at the first line of Vary only */
    if (request_varies_on_all(r->headers_out) || request_varies_on_all(r->err_headers_out)) {
        return "it varies on more than the request's fields (Vary: *)";
    }
    if (config->cookies == CONFIG_COOKIES_DECLINE && sets_cookie(r)) {
        return "it sets a cookie (CacheStorerSetCookie)";
    }
    if (r->header_only) { /* the last one: finish_behind_head() takes it for the only one */
        return PROVIDER_REFUSAL_HEAD;
    }
    return NULL;
}

/* The body of one that was opened is the one we had. */
const char *provider_objection(const provider_object_t *object, const request_rec *r)
{
    const provider_writing_t *writing = object->writing;

    if (!writing->complete) {
        return "its body did not come to an end";
    }
    if (!object->opened && r->connection->aborted) {
        return "the client went away, so that the body may have been cut short";
    }
    if (!object->opened && writing->announced >= 0 && writing->announced != writing->received) {
        return "its body does not have the length that was announced";
    }
    return NULL;
}

const char *provider_lasting_objection(const provider_object_t *object, const request_rec *r)
{
    if (object->opened) {
        return NULL;
    }
    if (r->no_cache) {
        return "a handler or filter asked not to";
    }
    if (object->writing->received < object->config->min_body) {
        return "its body is smaller than CacheStorerMinFileSize";
    }
    return NULL;
}
