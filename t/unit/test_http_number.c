/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_number.c - numbers as text, beside what the C library makes of them.
 */
#include "mod_cache_storer/http/number.h"
#include "tap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    static const apr_int64_t numbers[] = {
        0, 1, 9, 10, 99, 100, 86399, 86400, 4294967295, 4294967296, INT64_MAX,
        -1, -9, -10, -86400, INT64_MIN + 1, INT64_MIN
    };
    apr_size_t i;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char buffer[NUMBER_DIGITS], want[NUMBER_DIGITS];
        const char *text = number_decimal(buffer, numbers[i]);

        (void)snprintf(want, sizeof(want), "%" PRId64, (int64_t)numbers[i]);
        is_string(text, want, "%s", want);
        ok(text >= buffer && text + strlen(text) == buffer + sizeof(buffer) - 1,
           "%s: at the end of the buffer", want);
    }
    return done_testing();
}
