/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_storable.c - which responses may be stored, by their status and by the form of the request.
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/storable.h"
#include "tap.h"

#include <string.h>

static const struct {
    int        status;
    storable_e by;
} statuses[] = {
    /* RFC 9110 section 15.1 */
    { 200, STORABLE_HEURISTIC }, { 203, STORABLE_HEURISTIC }, { 204, STORABLE_HEURISTIC },
    { 206, STORABLE_HEURISTIC }, { 300, STORABLE_HEURISTIC }, { 301, STORABLE_HEURISTIC },
    { 308, STORABLE_HEURISTIC }, { 404, STORABLE_HEURISTIC }, { 405, STORABLE_HEURISTIC },
    { 410, STORABLE_HEURISTIC }, { 414, STORABLE_HEURISTIC }, { 501, STORABLE_HEURISTIC },
    /* by a class of CacheStorerTTL */
    { 302, STORABLE_CLASS }, { 303, STORABLE_CLASS }, { 307, STORABLE_CLASS },
    { 500, STORABLE_CLASS }, { 502, STORABLE_CLASS }, { 503, STORABLE_CLASS },
    { 504, STORABLE_CLASS }, { 599, STORABLE_CLASS },
    /* by their name: errors that are about the request, or about who sends it */
    { 400, STORABLE_NAMED }, { 402, STORABLE_NAMED }, { 403, STORABLE_NAMED },
    { 406, STORABLE_NAMED }, { 409, STORABLE_NAMED }, { 411, STORABLE_NAMED },
    { 412, STORABLE_NAMED }, { 413, STORABLE_NAMED }, { 415, STORABLE_NAMED },
    { 416, STORABLE_NAMED }, { 417, STORABLE_NAMED }, { 418, STORABLE_NAMED },
    { 421, STORABLE_NAMED }, { 422, STORABLE_NAMED }, { 426, STORABLE_NAMED },
    { 451, STORABLE_NAMED }, { 499, STORABLE_NAMED }, { 505, STORABLE_NAMED },
    /* if the response says for how long */
    { 201, STORABLE_EXPLICIT }, { 202, STORABLE_EXPLICIT }, { 205, STORABLE_EXPLICIT },
    { 299, STORABLE_EXPLICIT }, { 305, STORABLE_EXPLICIT }, { 399, STORABLE_EXPLICIT },
    { 401, STORABLE_EXPLICIT }, { 425, STORABLE_EXPLICIT },
    /* never */
    { 226, STORABLE_NEVER }, { 304, STORABLE_NEVER }, { 407, STORABLE_NEVER },
    { 408, STORABLE_NEVER }, { 428, STORABLE_NEVER }, { 429, STORABLE_NEVER },
    { 431, STORABLE_NEVER }, { 511, STORABLE_NEVER },
    { 100, STORABLE_NEVER }, { 199, STORABLE_NEVER }, { 99, STORABLE_NEVER },
    { 0, STORABLE_NEVER }, { -1, STORABLE_NEVER }, { 600, STORABLE_NEVER },
    { 999, STORABLE_NEVER }, { 2000000000, STORABLE_NEVER },
};

static const struct {
    const char *name, *value;
    unsigned    form;
} forms[] = {
    { "Accept", "text/html", 0 },
    { "If-Match", "\"x\"", STORABLE_FORM_CONDITION },
    { "if-unmodified-since", "x", STORABLE_FORM_CONDITION },
    { "If-None-Match", "*", STORABLE_FORM_CONDITION },
    { "Range", "bytes=0-1", STORABLE_FORM_RANGE },
    { "expect", "100-continue", STORABLE_FORM_EXPECT },
    { "Upgrade", "websocket", STORABLE_FORM_UPGRADE },
    { "Early-Data", "1", STORABLE_FORM_EARLY },
    { "X-HTTP-Method-Override", "DELETE", STORABLE_FORM_OVERRIDE },
    { "x-http-method-override", "post", STORABLE_FORM_OVERRIDE },
    { "X-HTTP-Method", "PUT", STORABLE_FORM_OVERRIDE },
    { "X-Method-Override", "x", STORABLE_FORM_OVERRIDE },
    { "X-Method-Override", "", STORABLE_FORM_OVERRIDE },
    { "X-HTTP-Method-Override", "GET", 0 },
    { "X-HTTP-Method-Override", "head", 0 },
    { "If", "x", 0 },
    { "Ranges", "x", 0 },
};

static const struct {
    int      status;
    unsigned form;
    int      stored;
} requests[] = {
    { 200, STORABLE_FORM_CONDITION | STORABLE_FORM_RANGE | STORABLE_FORM_EXPECT, 1 },
    { 200, STORABLE_FORM_OVERRIDE, 0 },
    { 404, STORABLE_FORM_OVERRIDE, 0 },
    { 405, STORABLE_FORM_OVERRIDE, 0 },
    { 405, STORABLE_FORM_CONDITION, 1 },
    { 501, STORABLE_FORM_OVERRIDE, 0 },
    { 501, 0, 1 },
    { 412, STORABLE_FORM_CONDITION, 0 },
    { 412, STORABLE_FORM_RANGE, 1 },
    { 412, 0, 1 },
    { 414, STORABLE_FORM_LONG, 0 },
    { 414, 0, 1 },
    { 416, STORABLE_FORM_RANGE, 0 },
    { 416, 0, 1 },
    { 417, STORABLE_FORM_EXPECT, 0 },
    { 425, STORABLE_FORM_EARLY, 0 },
    { 426, STORABLE_FORM_UPGRADE, 0 },
    { 431, 0, 0 },
    { 99, 0, 0 },
};

int main(void)
{
    apr_pool_t *pool = http_pool();
    int i;

    for (i = 0; i < HTTP_COUNT(statuses); i++) {
        is_int(storable_by(statuses[i].status), statuses[i].by, "status %d", statuses[i].status);
    }
    for (i = 0; i < HTTP_COUNT(forms); i++) {
        apr_table_t *fields = apr_table_make(pool, 2);

        apr_table_setn(fields, "Host", "x");
        apr_table_setn(fields, forms[i].name, forms[i].value);
        is_int(storable_form(fields), forms[i].form, "%s: %s", forms[i].name, forms[i].value);
    }
    for (i = 0; i < HTTP_COUNT(requests); i++) {
        is_int(!storable_objection(requests[i].status, requests[i].form), requests[i].stored,
               "status %d for a request of form %u", requests[i].status, requests[i].form);
    }
    ok(storable_is_known(200) && storable_is_known(404) && storable_is_known(503),
       "statuses that are understood");
    ok(!storable_is_known(299) && !storable_is_known(599) && !storable_is_known(0),
       "and some that are not");
    return done_testing();
}
