/* SPDX-License-Identifier: Apache-2.0
 *
 * number.c - see number.h.
 */
#include "number.h"

const char *number_decimal(char *buffer, apr_int64_t number)
{
    char *digit = buffer + NUMBER_DIGITS - 1;
    apr_uint64_t rest = number < 0 ? 0 - (apr_uint64_t)number : (apr_uint64_t)number;

    *digit = '\0';
    do {
        *--digit = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        *--digit = '-';
    }
    return digit;
}
