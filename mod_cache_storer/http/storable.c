/* SPDX-License-Identifier: Apache-2.0
 *
 * storable.c - see storable.h.
 */
#include "storable.h"

#include <string.h>
#include <strings.h>

typedef struct rule_t {
    int        status;
    storable_e by;
    unsigned   forms;   /* STORABLE_FORM_*: never stored for requests of any of these */
} rule_t;

/* Sorted. 206 is another one's: a part is not what the URL has. */
static const rule_t rules[] = {
    { 200, STORABLE_HEURISTIC, 0 },
    { 201, STORABLE_EXPLICIT,  0 },
    { 202, STORABLE_EXPLICIT,  0 },
    { 203, STORABLE_HEURISTIC, 0 },
    { 204, STORABLE_HEURISTIC, 0 },
    { 205, STORABLE_EXPLICIT,  0 },
    { 206, STORABLE_HEURISTIC, 0 },
    { 226, STORABLE_NEVER,     0 },                        /* RFC 3229: a difference */
    { 300, STORABLE_HEURISTIC, 0 },
    { 301, STORABLE_HEURISTIC, 0 },
    { 302, STORABLE_CLASS,     0 },
    { 303, STORABLE_CLASS,     0 },
    { 304, STORABLE_NEVER,     0 },                        /* no response by itself */
    { 307, STORABLE_CLASS,     0 },
    { 308, STORABLE_HEURISTIC, 0 },
    { 400, STORABLE_NAMED,     0 },                        /* malformed */
    { 401, STORABLE_EXPLICIT,  0 },                        /* who asks */
    { 402, STORABLE_NAMED,     0 },
    { 403, STORABLE_NAMED,     0 },                        /* who asks, and from where */
    { 404, STORABLE_HEURISTIC, 0 },
    { 405, STORABLE_HEURISTIC, 0 },
    { 406, STORABLE_NAMED,     0 },                        /* Accept */
    { 407, STORABLE_NEVER,     0 },                        /* a proxy's, for its client */
    { 408, STORABLE_NEVER,     0 },                        /* a slow client */
    { 409, STORABLE_NAMED,     0 },
    { 410, STORABLE_HEURISTIC, 0 },
    { 411, STORABLE_NAMED,     0 },
    { 412, STORABLE_NAMED,     STORABLE_FORM_CONDITION },
    { 413, STORABLE_NAMED,     0 },
    { 414, STORABLE_HEURISTIC, STORABLE_FORM_LONG },
    { 415, STORABLE_NAMED,     0 },
    { 416, STORABLE_NAMED,     STORABLE_FORM_RANGE },
    { 417, STORABLE_NAMED,     STORABLE_FORM_EXPECT },
    { 421, STORABLE_NAMED,     0 },                        /* the connection */
    { 422, STORABLE_NAMED,     0 },
    { 423, STORABLE_NAMED,     0 },
    { 424, STORABLE_NAMED,     0 },
    { 425, STORABLE_EXPLICIT,  STORABLE_FORM_EARLY },
    { 426, STORABLE_NAMED,     STORABLE_FORM_UPGRADE },
    { 428, STORABLE_NEVER,     0 },                        /* RFC 6585 forbids it */
    { 429, STORABLE_NEVER,     0 },                        /* RFC 6585 */
    { 431, STORABLE_NEVER,     0 },                        /* RFC 6585 */
    { 451, STORABLE_NAMED,     0 },                        /* from where */
    { 500, STORABLE_CLASS,     0 },
    { 501, STORABLE_HEURISTIC, 0 },
    { 502, STORABLE_CLASS,     0 },
    { 503, STORABLE_CLASS,     0 },
    { 504, STORABLE_CLASS,     0 },
    { 505, STORABLE_NAMED,     0 },                        /* the version */
    { 506, STORABLE_NAMED,     0 },
    { 507, STORABLE_NAMED,     0 },
    { 508, STORABLE_NAMED,     0 },
    { 510, STORABLE_NAMED,     0 },
    { 511, STORABLE_NEVER,     0 },                        /* RFC 6585 */
};

static const rule_t *rule_of(int status)
{
    apr_size_t low = 0, high = sizeof(rules) / sizeof(rules[0]);

    while (low < high) {
        apr_size_t middle = (low + high) / 2;

        if (rules[middle].status == status) {
            return &rules[middle];
        }
        if (rules[middle].status < status) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return NULL;
}

storable_e storable_by(int status)
{
    const rule_t *rule = rule_of(status);

    if (rule) {
        return rule->by;
    }
    switch (status / 100) {
    case 2:
    case 3:
        return STORABLE_EXPLICIT;
    case 4:
        return STORABLE_NAMED;
    case 5:
        return STORABLE_CLASS;
    default:
        return STORABLE_NEVER;
    }
}

int storable_is_known(int status)
{
    return rule_of(status) != NULL;
}

static int asks_for_another_method(const char *name, const char *value)
{
    static const char *const fields[] = { "X-HTTP-Method-Override", "X-Method-Override",
                                          "X-HTTP-Method" };
    apr_size_t i;

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcasecmp(name, fields[i]) == 0) {
            return strcasecmp(value, "GET") != 0 && strcasecmp(value, "HEAD") != 0;
        }
    }
    return 0;
}

static unsigned form_of_field(const char *name, const char *value)
{
    if (strncasecmp(name, "If-", 3) == 0) {
        return STORABLE_FORM_CONDITION;
    }
    if (strcasecmp(name, "Range") == 0) {
        return STORABLE_FORM_RANGE;
    }
    if (strcasecmp(name, "Expect") == 0) {
        return STORABLE_FORM_EXPECT;
    }
    if (strcasecmp(name, "Upgrade") == 0) {
        return STORABLE_FORM_UPGRADE;
    }
    if (strcasecmp(name, "Early-Data") == 0) {
        return STORABLE_FORM_EARLY;
    }
    return asks_for_another_method(name, value) ? STORABLE_FORM_OVERRIDE : 0;
}

unsigned storable_form(const apr_table_t *request_fields)
{
    const apr_array_header_t *array = apr_table_elts(request_fields);
    unsigned form = 0;
    int i;

    for (i = 0; i < array->nelts; i++) {
        const apr_table_entry_t *field = &APR_ARRAY_IDX(array, i, apr_table_entry_t);

        form |= form_of_field(field->key, field->val);
    }
    return form;
}

const char *storable_objection(int status, unsigned form)
{
    const rule_t *rule = rule_of(status);

    if (storable_by(status) == STORABLE_NEVER) {
        return "responses with its status are never stored";
    }
    if (form & STORABLE_FORM_OVERRIDE) {
        return "the request asks for another method by a field";
    }
    if (rule && (rule->forms & form)) {
        return "its status is about the form of the request";
    }
    return NULL;
}
