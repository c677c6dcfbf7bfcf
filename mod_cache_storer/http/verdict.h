/* SPDX-License-Identifier: Apache-2.0
 *
 * verdict.h - whether and for how long a response is good, as mod_cache is to be told: mod_cache judges
 * by Cache-Control and Expires alone, and reads both in its own way.
 *
 * The verdict is a Cache-Control and an Expires that mod_cache reads as they are meant. They say what
 * the response says itself (in a targeted field, RFC 9213; in Cache-Control; in Expires), or what
 * CacheStorerTTL or a heuristic says where the response says nothing. Calls nothing of httpd: the whole
 * of it is a function of the fields.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "ttl.h"

#include <apr_tables.h>

/** What is asked: all that is known of a response. Times are for the current request. */
typedef struct verdict_case_t {
    const apr_table_t        *fields;    /**< Cache-Control, Expires, Pragma and targeted fields, all
                                              lines */
    const apr_array_header_t *targeted;  /**< names of targeted fields (const char *), in order */
    const ttl_rules_t        *ttl;       /**< CacheStorerTTL; NULL: none */
    int                       status;    /**< of the response; of the stored one if it is confirmed */
    const char               *content_type, *last_modified, *date; /**< NULL: none */
    unsigned                  form;      /**< of the request, see storable.h */
    int                       has_query; /**< the URL has a query: there is no heuristic then */
    int                       confirmed; /**< by a 304: the response is in the store already */
    apr_time_t                now;
} verdict_case_t;

typedef struct verdict_t {
    const char *control, *expires;       /**< as mod_cache is to see them; NULL: no such field */
    const char *problem;                 /**< why it is not stored in any case; NULL: it may be */
} verdict_t;

/** Everything in pool, or a constant. */
verdict_t verdict_of(const verdict_case_t *response, apr_pool_t *pool);

#endif /* VERDICT_H */
