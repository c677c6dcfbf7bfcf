/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_sendable.c - header fields that httpd sends, and those for which it answers 500.
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/sendable.h"
#include "tap.h"

static const struct {
    const char *name, *value;
    int         sendable;
} fields[] = {
    { "X", "", 1 },
    { "X", "a value", 1 },
    { "X", "a\tvalue", 1 },
    { "X", "\xc3\xa4 \xff \x80", 1 },
    { "!#$%&'*+-.^_`|~09azAZ", "x", 1 },
    { "X", "folded\r\n line", 1 },
    { "X", "folded\r\n\tline", 1 },
    { "X", "\x01", 0 },
    { "X", "a\x1fvalue", 0 },
    { "X", "a\x7fvalue", 0 },
    { "X", "a\rvalue", 0 },
    { "X", "a\nvalue", 0 },
    { "X", "a\r\nvalue", 0 },
    { "X", "a\r\n", 0 },
    { "X", "a\r", 0 },
    { "X", "\x1b[31m", 0 },
    { "", "x", 0 },
    { " ", "x", 0 },
    { "X Y", "x", 0 },
    { "X:", "x", 0 },
    { "X\t", "x", 0 },
    { "X\x01", "x", 0 },
    { "X\x7f", "x", 0 },
    { "\xc3\xa4", "x", 0 },
    { "X(", "x", 0 },
    { "\"X\"", "x", 0 },
    { "X/Y", "x", 0 },
    { "[X]", "x", 0 },
};

int main(void)
{
    apr_pool_t *pool = http_pool();
    int i;

    is_string(sendable_problem(apr_table_make(pool, 1)), NULL, "no fields can be sent");
    for (i = 0; i < HTTP_COUNT(fields); i++) {
        apr_table_t *headers = apr_table_make(pool, 2);

        apr_table_setn(headers, "Content-Type", "text/plain");
        apr_table_addn(headers, http_exactly(fields[i].name, pool),
                       http_exactly(fields[i].value, pool));
        is_string(sendable_problem(headers), fields[i].sendable ? NULL : fields[i].name,
                  "field %d", i);
    }
    return done_testing();
}
