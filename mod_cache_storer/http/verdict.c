/* SPDX-License-Identifier: Apache-2.0
 *
 * verdict.c - see verdict.h.
 */
#include "verdict.h"

#include "control.h"
#include "date.h"
#include "storable.h"

#include <apr_date.h>
#include <apr_strings.h>

#include <string.h>
#include <strings.h>

/* RFC 9111 section 4.2.2 leaves the heuristic open and mentions a tenth of the age; mod_cache's
 * CacheLastModifiedFactor and CacheMaxExpire have these as defaults. An error is guessed to be
 * short. */
#define HEURISTIC_DIVISOR   10
#define HEURISTIC_MAX       (24 * 60 * 60)
#define HEURISTIC_MAX_ERROR (10 * 60)

/* What mod_cache reads as a date in the past. The epoch itself is no date to it. */
static const char expired[] = "Thu, 01 Jan 1970 00:00:01 GMT";

/* A response under judgement. */
typedef struct judgement_t {
    const verdict_case_t *response;
    control_t             control;
    const char           *expires;    /* as it is meant; NULL: it does not count */
    storable_e            by;         /* what makes the response storable */
    apr_pool_t           *pool;
} judgement_t;

/* ------------------------------------------------------------------------------------------------
 * What the response says
 * --------------------------------------------------------------------------------------------- */

static int count_line(void *baton, const char *name, const char *value)
{
    (void)name;
    (void)value;
    (*(int *)baton)++;
    return 1;
}

/* Section 5.3: what is no date means a time in the past; so do two dates, of which neither is known to
 * be the right one (section 4.2.1). */
static const char *meant_date(const verdict_case_t *response, apr_pool_t *pool)
{
    const char *text = apr_table_get(response->fields, "Expires");
    apr_time_t time;
    int lines = 0;
    char *date;

    if (!text) {
        return NULL;
    }
    (void)apr_table_do(count_line, &lines, response->fields, "Expires", NULL);
    if (lines > 1 || !date_read(text, response->now, &time) || time <= 0) {
        return expired;
    }
    date = apr_palloc(pool, APR_RFC822_DATE_LEN);
    return apr_rfc822_date(date, time) == APR_SUCCESS ? date : expired;
}

/* Section 5.4: of Pragma in a response nothing is defined. An origin that says no-cache in it and
 * nothing in Cache-Control is taken at its word. */
static int is_old_no_cache(const apr_table_t *fields, apr_pool_t *pool)
{
    const char *pragma = control_lines(fields, "Pragma", pool);
    control_t control;
    apr_table_t *table;

    if (!pragma || apr_table_get(fields, "Cache-Control")) {
        return 0;
    }
    table = apr_table_make(pool, 1);
    apr_table_setn(table, "Cache-Control", pragma);
    control = control_of(table, pool);
    return control.no_cache;
}

static void read_fields(judgement_t *it)
{
    const verdict_case_t *response = it->response;

    if (control_of_targeted(response->fields, response->targeted, &it->control, it->pool)) {
        it->expires = NULL;
        return;
    }
    it->control = control_of(response->fields, it->pool);
    it->control.no_cache |= is_old_no_cache(response->fields, it->pool) != 0;
    it->expires = meant_date(response, it->pool);
    if (it->control.unreadable && it->control.max_age < 0 && it->control.s_maxage < 0) {
        it->control.max_age = 0; /* section 4.2.1: it is stale */
    }
}

static int is_explicit(const judgement_t *it)
{
    return it->control.max_age >= 0 || it->control.s_maxage >= 0 || it->expires;
}

/* ------------------------------------------------------------------------------------------------
 * Freshness for responses that carry none
 * --------------------------------------------------------------------------------------------- */

/* Those for which mod_cache has a heuristic itself, by its own directives. */
static int is_guessed_by_mod_cache(int status)
{
    return status == 200 || status == 203 || status == 206 || status == 300 || status == 301;
}

static apr_int64_t heuristic_seconds(const verdict_case_t *response)
{
    apr_time_t then = response->last_modified ? apr_date_parse_http(response->last_modified)
                                              : APR_DATE_BAD;
    apr_time_t now = response->date ? apr_date_parse_http(response->date) : APR_DATE_BAD;
    apr_int64_t longest = response->status < 400 ? HEURISTIC_MAX : HEURISTIC_MAX_ERROR;
    apr_int64_t seconds;

    if (then == APR_DATE_BAD || response->has_query
        || storable_by(response->status) != STORABLE_HEURISTIC
        || is_guessed_by_mod_cache(response->status)) {
        return -1;
    }
    if (now == APR_DATE_BAD) {
        now = response->now;
    }
    seconds = now > then ? apr_time_sec(now - then) / HEURISTIC_DIVISOR : 0;
    return seconds < longest ? seconds : longest;
}

/* Seconds; -1: none. */
static apr_int64_t configured_seconds(judgement_t *it)
{
    const verdict_case_t *response = it->response;
    apr_interval_time_t time;
    storable_e by;
    int named;

    if (!response->ttl) {
        return -1;
    }
    time = ttl_find(response->ttl, response->status, response->content_type, &named);
    by = named ? STORABLE_NAMED : STORABLE_CLASS;
    if (time < 0 || by < storable_by(response->status)) {
        return -1;
    }
    it->by = by;
    return apr_time_sec(time);
}

static void supply_lifetime(judgement_t *it)
{
    apr_int64_t seconds;

    if (it->control.no_store || it->control.is_private || it->control.no_cache) {
        return;
    }
    seconds = configured_seconds(it);
    it->control.max_age = seconds >= 0 ? seconds : heuristic_seconds(it->response);
}

/* ------------------------------------------------------------------------------------------------
 * The verdict
 * --------------------------------------------------------------------------------------------- */

/* A response that a 304 has confirmed is as good as its fields say, however little that is: mod_cache
 * would take an Expires that has passed for a reason to fetch all of it. */
static void spell_out_expires(judgement_t *it)
{
    const verdict_case_t *response = it->response;
    apr_time_t end, date = APR_DATE_BAD;

    if (!it->expires || it->control.max_age >= 0 || it->control.s_maxage >= 0) {
        return;
    }
    end = apr_date_parse_http(it->expires);
    if (response->date) {
        date = apr_date_parse_http(response->date);
    }
    if (date == APR_DATE_BAD) {
        date = response->now;
    }
    it->control.max_age = end > date ? apr_time_sec(end - date) : 0;
    it->expires = NULL;
}

static const char *problem_of(const judgement_t *it)
{
    const verdict_case_t *response = it->response;

    if (response->confirmed) {
        return NULL;
    }
    if (it->by < storable_by(response->status)) {
        return "its status is stored only with a freshness of its own, or one for that status";
    }
    return storable_objection(response->status, response->form);
}

verdict_t verdict_of(const verdict_case_t *response, apr_pool_t *pool)
{
    judgement_t it;
    verdict_t verdict;

    it.response = response;
    it.pool = pool;
    it.by = STORABLE_HEURISTIC;
    read_fields(&it);
    if (it.control.must_understand) {
        it.control.no_store = !storable_is_known(response->status);
    }
    if (it.control.is_public) {
        it.by = STORABLE_CLASS;
    }
    if (is_explicit(&it)) {
        it.by = STORABLE_EXPLICIT;
    }
    else {
        supply_lifetime(&it);
    }
    if (response->confirmed) {
        spell_out_expires(&it);
    }
    verdict.control = control_text(&it.control, pool);
    if (!*verdict.control) {
        verdict.control = NULL;
    }
    verdict.expires = it.expires;
    verdict.problem = problem_of(&it);
    return verdict;
}
