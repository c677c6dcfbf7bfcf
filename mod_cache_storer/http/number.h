/* SPDX-License-Identifier: Apache-2.0
 *
 * number.h - numbers as text, for the path of a hit: apr_psprintf() has a format to read first.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include "apr.h"

/** What any number takes in decimal, with the NUL. */
#define NUMBER_DIGITS 24

/** In decimal.
 * @param buffer NUMBER_DIGITS bytes, filled from the end, so that the NUL is its last byte
 * @return where in it the text begins */
const char *number_decimal(char *buffer, apr_int64_t number);

#endif /* NUMBER_H */
