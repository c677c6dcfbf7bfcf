/* SPDX-License-Identifier: Apache-2.0
 *
 * control.h - cache directives: Cache-Control of responses and requests (RFC 9111 section 5.2, RFC
 * 5861), and targeted fields (RFC 9213). mod_cache has a parser of its own, which does not know all
 * of them.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <apr_pools.h>
#include <apr_tables.h>

/** Largest number of seconds: larger ones count as this (RFC 9111 section 1.2.2). */
#define CONTROL_SECONDS_MAX APR_INT64_C(2147483648)

/** Directives. Seconds; -1: absent. */
typedef struct control_t {
    apr_int64_t max_age, s_maxage;
    apr_int64_t stale_while_revalidate, stale_if_error;
    apr_int64_t max_stale, min_fresh;      /**< of a request; max_stale without a value is the
                                                largest */
    const char *fields;                    /**< the fields that no-cache="..." and private="..." name,
                                                joined with ", "; NULL: none */
    unsigned    no_store:1;
    unsigned    no_cache:1;                /**< without field names */
    unsigned    is_private:1;              /**< without field names */
    unsigned    unreadable:1;              /**< a max-age or s-maxage that is no number */
    unsigned    is_public:1;
    unsigned    must_revalidate:1;
    unsigned    proxy_revalidate:1;
    unsigned    must_understand:1;
    unsigned    only_if_cached:1;
} control_t;

/** All lines of a field, joined with commas; NULL: none. */
const char *control_lines(const apr_table_t *headers, const char *name, apr_pool_t *pool);

/** The directives of Cache-Control. Tolerant: a directive that cannot be read is not there; of two
 * with a number the smaller one counts; no-cache="" and private="" are those without names. */
control_t control_of(const apr_table_t *headers, apr_pool_t *pool);

/**
 * The directives of the first targeted field that is there and is a valid dictionary (RFC 9213
 * section 2.2), with numbers where there have to be some.
 * @param fields of const char *, in order
 * @return 1; 0: there is none, and Cache-Control counts
 */
int control_of_targeted(const apr_table_t *headers, const apr_array_header_t *fields,
                        control_t *control, apr_pool_t *pool);

/** The same as a value of Cache-Control, for mod_cache. */
const char *control_text(const control_t *control, apr_pool_t *pool);

#endif /* CONTROL_H */
