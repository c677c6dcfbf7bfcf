/* SPDX-License-Identifier: Apache-2.0
 *
 * values.h - the kinds of values that several directives take. Each function reads the words of a
 * directive (directive_parse_fn); the type of the member is written behind it.
 */
#ifndef VALUES_H
#define VALUES_H

#include "directive.h"

directive_parse_fn value_time;    /**< apr_interval_time_t: 30s, 2h, at most 100 years */
directive_parse_fn value_size;    /**< apr_off_t: 10M; or one of the words of the row, if it has any */
directive_parse_fn value_number;  /**< int, from .least to .most */
directive_parse_fn value_word;    /**< int: one of the words of the row */
directive_parse_fn value_words;   /**< int: bits of the words of the row, one or several, or none */
directive_parse_fn value_fields;  /**< const apr_array_header_t *, of const char *: names of header
                                       fields; none: empty */
directive_parse_fn value_field;   /**< const char *: the name of a header field; none: NULL */

/** on and off */
extern const directive_word_t value_on_off[];

#endif /* VALUES_H */
