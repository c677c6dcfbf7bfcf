/* SPDX-License-Identifier: Apache-2.0
 *
 * orders.c - purges: the method PURGE on a resource of the API, and POST of a JSON object that says
 * what is meant.
 */
#include "answer.h"
#include "count.h"
#include "selectors.h"

#include "../config.h"

#include "../purge/tags.h"
#include "../stats/stats.h"

#include "http_protocol.h"
#include "apr_strings.h"

#include <string.h>

#define BODY_MAX (1024 * 1024)

/* One purge of something by its name, in one store. *purged: how many URLs, where that is counted. */
typedef apr_status_t order_fn(const admin_t *admin, const purge_t *purge, const char *selector,
                              apr_size_t *purged);

typedef struct order_t {
    const char       *type;
    order_fn         *fn;
    count_selects_fn *selects;  /* for count_walk(); NULL: see count_selected() */
    int               counts;   /* the purge itself tells how many keys it met */
    const char       *expected; /* of a selector, for messages; NULL: there is none */
} order_t;

static apr_status_t purge_each_key(const purge_t *purge, const apr_array_header_t *keys)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    if (!keys) {
        return APR_EINVAL;
    }
    for (i = 0; i < keys->nelts && rv == APR_SUCCESS; i++) {
        rv = purge_url(purge, APR_ARRAY_IDX(keys, i, storer_bytes_t));
    }
    return rv;
}

static apr_status_t order_uri(const admin_t *admin, const purge_t *purge, const char *selector,
                              apr_size_t *purged)
{
    (void)purged;
    return purge_each_key(purge, selectors_url(admin, selector));
}

static apr_status_t order_uri_prefix(const admin_t *admin, const purge_t *purge,
                                     const char *selector, apr_size_t *purged)
{
    const apr_array_header_t *prefixes = selectors_prefix(admin, selector);
    apr_status_t rv = prefixes ? APR_SUCCESS : APR_EINVAL;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < prefixes->nelts; i++) {
        apr_size_t count = 0;

        rv = purge_prefix(purge, APR_ARRAY_IDX(prefixes, i, storer_bytes_t), admin_should_stop,
                          (void *)admin, &count);
        *purged += count;
    }
    return rv;
}

/* RFC 6454: an origin has a scheme; a host alone is all of them. */
static apr_status_t order_origin(const admin_t *admin, const purge_t *purge, const char *selector,
                                 apr_size_t *purged)
{
    if (strstr(selector, "://")) {
        return order_uri_prefix(admin, purge, selector, purged);
    }
    return *selector && !strpbrk(selector, "/?#")
           ? purge_host(purge, storer_bytes(selector)) : APR_EINVAL;
}

static apr_status_t order_group(const admin_t *admin, const purge_t *purge, const char *selector,
                                apr_size_t *purged)
{
    storer_bytes_t tag;
    const char *cursor = selector;

    (void)admin;
    (void)purged;
    return tags_next(&cursor, &tag) ? purge_tags(purge, selector) : APR_EINVAL;
}

static apr_status_t order_pattern(const admin_t *admin, const purge_t *purge, const char *selector,
                                  apr_size_t *purged)
{
    storer_pattern_t *pattern;
    const char *errmsg;
    apr_status_t rv = storer_pattern_compile(&pattern, storer_bytes(selector), &errmsg, purge->pool);

    return rv == APR_SUCCESS ? purge_pattern(purge, pattern, admin_should_stop, (void *)admin, purged)
                             : rv;
}

static apr_status_t order_everything(const admin_t *admin, const purge_t *purge,
                                     const char *selector, apr_size_t *purged)
{
    (void)admin;
    (void)selector;
    (void)purged;
    return purge_everything(purge);
}

/* The first four are Souin's. */
static const order_t orders[] = {
    { "uri", order_uri, NULL, 0, "a URL such as http://www.example.org/news, or www.example.org/news" },
    { "uri-prefix", order_uri_prefix, NULL, 1,
      "the beginning of a URL, such as http://www.example.org/a" },
    { "origin", order_origin, count_by_host, 0,
      "an origin such as https://www.example.org, or a host name" },
    { "group", order_group, count_by_tags, 0, "tags" },
    { "pattern", order_pattern, NULL, 1, "a PCRE2 pattern" },
    { "everything", order_everything, count_by_nothing, 0, NULL },
    { NULL, NULL, NULL, 0, NULL }
};

static const order_t *order_of(const char *type)
{
    const order_t *order;

    for (order = orders; order->type; order++) {
        if (strcmp(order->type, type) == 0) {
            return order;
        }
    }
    return NULL;
}

/* Not of what was asked for. */
static int is_fault_of_store(apr_status_t rv)
{
    return rv != APR_SUCCESS && rv != APR_EINVAL && !APR_STATUS_IS_TIMEUP(rv)
           && !APR_STATUS_IS_EINTR(rv);
}

/* In all stores of the scope. */
static apr_status_t carry_out(const admin_t *admin, const order_t *order, const char *selector,
                              int hard, apr_size_t *purged)
{
    request_rec *r = admin->r;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < admin->stores->nelts && rv == APR_SUCCESS; i++) {
        purge_t purge = { APR_ARRAY_IDX(admin->stores, i, storer_t *), admin->site, hard, r->pool };
        apr_size_t count = 0;

        rv = order->fn(admin, &purge, selector, &count);
        *purged += count;
    }
    if (rv == APR_SUCCESS) {
        stats_count(r, hard ? STATS_PURGES_HARD : STATS_PURGES_SOFT);
    }
    ap_log_rerror(APLOG_MARK, is_fault_of_store(rv) ? APLOG_ERR : APLOG_INFO, rv, r,
                  STORERNO(0543) "%s purge of %s %s by %s", hard ? "hard" : "soft", order->type,
                  selector, r->user ? r->user : r->useragent_ip);
    return rv;
}

/* What went wrong, to the client. */
static int refuse(const admin_t *admin, const order_t *order, const char *selector, apr_status_t rv)
{
    if (rv == APR_EINVAL) {
        return answer_error(admin, HTTP_BAD_REQUEST, "%s \"%s\": expected %s", order->type, selector,
                            order->expected);
    }
    if (rv == APR_ENOTIMPL) {
        return answer_error(admin, HTTP_NOT_IMPLEMENTED, "this storage cannot purge so: it keeps no "
                            "epochs of purges");
    }
    return entries_failed(admin, rv);
}

/* ------------------------------------------------------------------------------------------------
 * PURGE
 * --------------------------------------------------------------------------------------------- */

static int is_soft(const request_rec *r)
{
    const char *softly = apr_table_get(r->headers_in, "Soft-Purge");

    return softly && strcmp(softly, "0") != 0;
}

static int purge_one(const admin_t *admin, const char *type, const char *selector)
{
    const order_t *order = order_of(type);
    apr_size_t purged = 0;
    apr_status_t rv = carry_out(admin, order, selector, !is_soft(admin->r), &purged);

    return rv == APR_SUCCESS ? answer_nothing(admin) : refuse(admin, order, selector, rv);
}

/* The tags in the request: under the names that responses have, or Souin's. */
static const char *tags_of_request(request_rec *r)
{
    const apr_array_header_t *names = config_of(r->server)->tags;
    apr_array_header_t *fields = apr_array_copy(r->pool, names);

    APR_ARRAY_PUSH(fields, const char *) = "Surrogate-Key";
    return tags_take(apr_table_copy(r->pool, r->headers_in), fields, r->pool);
}

int orders_purge(const admin_t *admin)
{
    storer_pattern_t *pattern;
    const char *tags;

    if (strcmp(admin->rest, "flush") == 0) {
        return purge_one(admin, "everything", "");
    }
    if (strcmp(admin->rest, "mapping") == 0) {
        return answer_nothing(admin); /* Souin tidies its mappings up so; ours need none of it */
    }
    if (admin_pattern(admin, &pattern) != OK) {
        return OK;
    }
    if (pattern) {
        return purge_one(admin, "pattern", *admin->rest ? admin->rest
                                                        : admin_parameter(admin, "pattern"));
    }
    tags = tags_of_request(admin->r);
    return tags ? purge_one(admin, "group", tags)
                : answer_error(admin, HTTP_BAD_REQUEST, "PURGE of what? Expected tags in the field "
                               "Surrogate-Key, a pattern behind %s/, or %s/flush for everything",
                               admin->base, admin->base);
}

/* ------------------------------------------------------------------------------------------------
 * POST
 * --------------------------------------------------------------------------------------------- */

/* The body, bounded. @return OK, else the answer has been given or is the status */
static int read_body(const admin_t *admin, const char **body, apr_size_t *length)
{
    request_rec *r = admin->r;
    char *bytes;
    apr_size_t used = 0;
    long got = 1;
    int status = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK);

    if (status != OK) {
        return status;
    }
    bytes = apr_palloc(r->pool, BODY_MAX + 1);
    if (ap_should_client_block(r)) {
        while (used <= BODY_MAX && got > 0) {
            got = ap_get_client_block(r, bytes + used, BODY_MAX + 1 - used);
            used += got > 0 ? (apr_size_t)got : 0;
        }
    }
    if (got < 0) {
        return HTTP_BAD_REQUEST;
    }
    if (used > BODY_MAX) {
        (void)answer_error(admin, HTTP_REQUEST_ENTITY_TOO_LARGE, "the body is longer than %d bytes",
                           BODY_MAX);
        return DONE;
    }
    *body = bytes;
    *length = used;
    return OK;
}

static int is_json(request_rec *r)
{
    static const char type[] = "application/json";
    const char *value = apr_table_get(r->headers_in, "Content-Type");
    apr_size_t length = sizeof(type) - 1;

    return value && ap_cstr_casecmpn(value, type, length) == 0
           && (value[length] == '\0' || strchr("; \t", value[length]));
}

typedef struct message_t {
    const order_t      *order;
    apr_array_header_t *selectors;   /* of const char * */
    int                 hard;
    int                 count;       /* the client wants to know how many responses were met */
} message_t;

/* An array of strings. @return 0: it is none */
static int read_strings(json_t *json, apr_array_header_t *strings)
{
    size_t i;
    json_t *value;

    if (!json_is_array(json)) {
        return 0;
    }
    json_array_foreach(json, i, value) {
        if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) {
            return 0;
        }
        APR_ARRAY_PUSH(strings, const char *) = apr_pstrdup(strings->pool, json_string_value(value));
    }
    return 1;
}

/* @return NULL, or what is wrong */
static const char *read_message(json_t *json, message_t *message, apr_pool_t *pool)
{
    const char *key;
    json_t *value;

    message->hard = 1;
    if (!json_is_object(json)) {
        return "expected a JSON object";
    }
    json_object_foreach(json, key, value) {
        if (strcmp(key, "type") == 0) {
            message->order = json_is_string(value) ? order_of(json_string_value(value)) : NULL;
            if (!message->order) {
                return "\"type\": expected \"uri\", \"uri-prefix\", \"origin\", \"group\", "
                       "\"pattern\" or \"everything\"";
            }
        }
        else if (strcmp(key, "selectors") == 0 || strcmp(key, "groups") == 0) {
            if (!json_is_null(value) && !read_strings(value, message->selectors)) {
                return apr_psprintf(pool, "\"%s\": expected an array of strings", key);
            }
        }
        else if (strcmp(key, "purge") == 0) {
            if (!json_is_boolean(value)) {
                return "\"purge\": expected true (hard) or false (soft)";
            }
            message->hard = json_is_true(value);
        }
        else if (strcmp(key, "count") == 0) {
            if (!json_is_boolean(value)) {
                return "\"count\": expected true or false";
            }
            message->count = json_is_true(value);
        }
        else {
            return apr_psprintf(pool, "\"%s\": unknown key; there are \"type\", \"selectors\", "
                                "\"groups\", \"purge\" and \"count\"", key);
        }
    }
    if (!message->order) {
        return "\"type\" is missing";
    }
    if (!message->order->expected) {
        APR_ARRAY_PUSH(message->selectors, const char *) = "";
    }
    return message->selectors->nelts > 0 ? NULL : "\"selectors\" is missing, or empty";
}

/* How many responses a purge is about to meet, for a purge that does not find out by itself. */
static apr_status_t count_selected(const admin_t *admin, const order_t *order, const char *selector,
                                   apr_size_t *count)
{
    const apr_array_header_t *keys;

    if (order->fn == order_uri) {
        keys = selectors_url(admin, selector);
        return keys ? count_urls(admin, keys, count) : APR_SUCCESS; /* the purge refuses the selector */
    }
    if (order->counts || (order->fn == order_origin && strstr(selector, "://"))) {
        return APR_SUCCESS;
    }
    return count_walk(admin, order->selects, selector, count);
}

static int obey(const admin_t *admin, const message_t *message)
{
    apr_size_t purged = 0;
    json_t *json;
    int i;

    for (i = 0; i < message->selectors->nelts; i++) {
        const char *selector = APR_ARRAY_IDX(message->selectors, i, const char *);
        apr_status_t rv = APR_SUCCESS;

        if (message->count) {
            rv = count_selected(admin, message->order, selector, &purged);
        }
        if (rv == APR_SUCCESS) {
            rv = carry_out(admin, message->order, selector, message->hard, &purged);
        }
        if (rv != APR_SUCCESS) {
            return refuse(admin, message->order, selector, rv);
        }
    }
    json = json_pack("{s:s, s:b}", "type", message->order->type, "purge", message->hard);
    if (message->order->counts || message->count) {
        json_object_set_new(json, "purged", json_integer((json_int_t)purged));
    }
    return answer_json(admin, HTTP_OK, json);
}

int orders_post(const admin_t *admin)
{
    apr_pool_t *pool = admin->r->pool;
    message_t message = { NULL, apr_array_make(pool, 4, sizeof(const char *)), 1, 0 };
    const char *body = "", *problem;
    apr_size_t length = 0;
    json_error_t error;
    json_t *json;
    int status;

    if (!is_json(admin->r)) {
        return answer_error(admin, HTTP_UNSUPPORTED_MEDIA_TYPE, "expected Content-Type: "
                            "application/json");
    }
    status = read_body(admin, &body, &length);
    if (status != OK) {
        return status == DONE ? OK : status;
    }
    json = json_loadb(body, length, JSON_REJECT_DUPLICATES, &error);
    if (!json) {
        return answer_error(admin, HTTP_BAD_REQUEST, "line %d, column %d: %s", error.line,
                            error.column, error.text);
    }
    problem = read_message(json, &message, pool);
    json_decref(json);
    return problem ? answer_error(admin, HTTP_BAD_REQUEST, "%s", problem) : obey(admin, &message);
}
