/* SPDX-License-Identifier: Apache-2.0
 *
 * test_options.c - sizes and durations as people write them.
 */
#include "storer.h"
#include "tap.h"

#include <limits.h>
#include <stdint.h>

#define UNTOUCHED (-77)

typedef struct case_t {
    const char *text;
    long long   want;   /* UNTOUCHED: refused */
} case_t;

static const case_t sizes[] = {
    { "0", 0 }, { "1", 1 }, { "0K", 0 }, { "007", 7 }, { "4096", 4096 },
    { "1K", 1024 }, { "1k", 1024 }, { "64M", 64LL << 20 }, { "64m", 64LL << 20 },
    { "3G", 3LL << 30 }, { "3g", 3LL << 30 }, { "2T", 2LL << 40 }, { "2t", 2LL << 40 },
    /* the largest of each unit, and one more */
    { "9223372036854775807", LLONG_MAX }, { "9223372036854775808", UNTOUCHED },
    { "9007199254740991K", 9007199254740991LL << 10 }, { "9007199254740992K", UNTOUCHED },
    { "8796093022207M", 8796093022207LL << 20 }, { "8796093022208M", UNTOUCHED },
    { "8589934591G", 8589934591LL << 30 }, { "8589934592G", UNTOUCHED },
    { "8388607T", 8388607LL << 40 }, { "8388608T", UNTOUCHED },
    { "99999999999999999999999999", UNTOUCHED }, { "99999999999999999999999999T", UNTOUCHED },
    { "", UNTOUCHED }, { " ", UNTOUCHED }, { "K", UNTOUCHED }, { "-1", UNTOUCHED },
    { "-1K", UNTOUCHED }, { "+1", UNTOUCHED }, { " 1", UNTOUCHED }, { "1 ", UNTOUCHED },
    { "1 K", UNTOUCHED }, { "1KB", UNTOUCHED }, { "1KiB", UNTOUCHED }, { "1B", UNTOUCHED },
    { "1P", UNTOUCHED }, { "1.5G", UNTOUCHED }, { "1e3", UNTOUCHED }, { "0x10", UNTOUCHED },
    { "1,000", UNTOUCHED }, { "10s", UNTOUCHED }, { "abc", UNTOUCHED }, { "1\t", UNTOUCHED },
};

static const case_t durations[] = {
    { "0", 0 }, { "0ms", 0 }, { "1", 1000000 }, { "90", 90000000 }, { "1ms", 1000 },
    { "250ms", 250000 }, { "1s", 1000000 }, { "2min", 120000000 }, { "3h", 10800000000LL },
    { "1d", 86400000000LL }, { "365d", 31536000000000LL },
    { "9223372036854s", 9223372036854000000LL }, { "9223372036855s", UNTOUCHED },
    { "9223372036854775ms", 9223372036854775000LL }, { "9223372036854776ms", UNTOUCHED },
    { "153722867280min", 9223372036800000000LL }, { "153722867281min", UNTOUCHED },
    { "2562047788h", 9223372036800000000LL }, { "2562047789h", UNTOUCHED },
    { "106751991d", 9223372022400000000LL }, { "106751992d", UNTOUCHED },
    { "9223372036854775807", UNTOUCHED }, { "9223372036854775808", UNTOUCHED },
    { "", UNTOUCHED }, { "s", UNTOUCHED }, { "-1", UNTOUCHED }, { "-5min", UNTOUCHED },
    { "+5s", UNTOUCHED }, { " 5s", UNTOUCHED }, { "5s ", UNTOUCHED }, { "5 s", UNTOUCHED },
    { "5S", UNTOUCHED }, { "5m", UNTOUCHED }, { "5M", UNTOUCHED }, { "5sec", UNTOUCHED },
    { "5us", UNTOUCHED }, { "5w", UNTOUCHED }, { "1h30min", UNTOUCHED }, { "1.5h", UNTOUCHED },
    { "0x10s", UNTOUCHED }, { "on", UNTOUCHED }, { "5mins", UNTOUCHED }, { "5hd", UNTOUCHED },
};

static void check(const case_t *one, const char *what, apr_status_t rv, long long got)
{
    is_status(rv, one->want == UNTOUCHED ? APR_EINVAL : APR_SUCCESS, "%s \"%s\"", what, one->text);
    is_int(got, one->want, "%s \"%s\": the result%s", what, one->text,
           one->want == UNTOUCHED ? " is untouched" : "");
}

int main(void)
{
    size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        apr_off_t got = UNTOUCHED;
        apr_status_t rv = storer_parse_size(sizes[i].text, &got);

        check(&sizes[i], "size", rv, got);
    }
    for (i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        apr_interval_time_t got = UNTOUCHED;
        apr_status_t rv = storer_parse_duration(durations[i].text, &got);

        check(&durations[i], "duration", rv, got);
    }
    is_bytes(storer_bytes("abc"), (storer_bytes_t){ "abc", 3 }, "bytes of a string");
    is_bytes(storer_bytes(""), (storer_bytes_t){ "", 0 }, "bytes of the empty string are not none");
    return done_testing();
}
