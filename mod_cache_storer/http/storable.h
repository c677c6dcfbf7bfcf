/* SPDX-License-Identifier: Apache-2.0
 *
 * storable.h - which responses may be stored, by their status and by the form of the request.
 *
 * The table of statuses is in storable.c, and nowhere else. What may make a response storable comes in
 * four strengths; a status names the weakest one that is enough for it:
 *
 *   HEURISTIC   nothing: RFC 9110 section 15.1 allows to guess how long it is good
 *   CLASS       CacheStorerTTL with a class (5xx) or a type, or Cache-Control: public
 *   NAMED       CacheStorerTTL with the very status (403)
 *   EXPLICIT    the response says itself how long it is good
 *   NEVER       nothing is enough
 *
 * Errors that depend on who asks, or on the form of a request rather than on its URL, are EXPLICIT or
 * NAMED: stored, one client's malformed request would be everybody's error. Some statuses are NEVER
 * stored for requests of the form that they are about: a 412 for a request with If-Match.
 */
#ifndef STORABLE_H
#define STORABLE_H

#include <apr_tables.h>

/** What makes a response storable; stronger ones are larger. */
typedef enum storable_e {
    STORABLE_HEURISTIC,
    STORABLE_CLASS,
    STORABLE_NAMED,
    STORABLE_EXPLICIT,
    STORABLE_NEVER
} storable_e;

/* The form of a request, as far as statuses are about it. */
#define STORABLE_FORM_CONDITION 1u   /**< If-Match and its kin (RFC 9110 section 13.1) */
#define STORABLE_FORM_RANGE     2u
#define STORABLE_FORM_EXPECT    4u
#define STORABLE_FORM_UPGRADE   8u
#define STORABLE_FORM_OVERRIDE  16u  /**< it asks for another method by a field */
#define STORABLE_FORM_EARLY     32u  /**< in early data (RFC 8470) */
#define STORABLE_FORM_LONG      64u  /**< its URL is longer than what it is stored under */

/** What is enough for a response of this status. A status that is not known counts as x00 of its class,
 * for which RFC 9110 allows no guess. */
storable_e storable_by(int status);

/** Whether the status is one that the table knows: for must-understand (RFC 9111 section 5.2.2.3). */
int storable_is_known(int status);

/** The form of a request, by its fields; STORABLE_FORM_LONG is not among them. */
unsigned storable_form(const apr_table_t *request_fields);

/** Why such a response is not stored for a request of this form, whatever it says. NULL: it may be. */
const char *storable_objection(int status, unsigned form);

#endif /* STORABLE_H */
