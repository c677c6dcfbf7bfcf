/* SPDX-License-Identifier: Apache-2.0
 *
 * test_election.c - which variant a request gets: the order of candidates, Vary, times to the
 * microsecond, and mappings that cannot be trusted.
 */
#include "election.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NOW         (apr_time_from_sec(1800000000) + 123456)
#define SECONDS(n)  apr_time_from_sec((apr_time_t)(n))
#define HEADERS_MAX 4

/* ---- requests and mappings ---- */

/* Names and values in turn, ended by NULL. */
static storer_bytes_t find(void *baton, storer_bytes_t name)
{
    const char *const *pair;
    storer_bytes_t none = { NULL, 0 };

    for (pair = baton; pair && *pair; pair += 2) {
        if (strlen(pair[0]) == name.len && strncasecmp(pair[0], name.data, name.len) == 0) {
            return storer_bytes(pair[1]);
        }
    }
    return none;
}

typedef struct variant_t {
    const char *key;
    apr_time_t  stored, fresh, stale;          /* from NOW */
    const char *etag;                          /* NULL: none */
    const char *headers[HEADERS_MAX * 2];      /* names and values in turn */
} variant_t;

static storer_bytes_t put(storer_bytes_t mapping, const variant_t *variant, apr_pool_t *pool)
{
    storer_header_t headers[HEADERS_MAX];
    storer_mapping_new_t entry;
    storer_bytes_t out = { NULL, 0 };

    memset(&entry, 0, sizeof(entry));
    entry.key = entry.real_key = storer_bytes(variant->key);
    entry.etag = storer_bytes(variant->etag ? variant->etag : "");
    entry.stored_at = storer_timestamp_of(NOW + variant->stored);
    entry.fresh_time = storer_timestamp_of(NOW + variant->fresh);
    entry.stale_time = storer_timestamp_of(NOW + variant->stale);
    entry.varied_headers = headers;
    while (entry.varied_count < HEADERS_MAX && variant->headers[entry.varied_count * 2]) {
        const char *const *pair = &variant->headers[entry.varied_count * 2];

        headers[entry.varied_count].name = storer_bytes(pair[0]);
        headers[entry.varied_count++].value = storer_bytes(pair[1]);
    }
    if (storer_mapping_put(mapping, &entry, INT64_MIN, 0, &out, NULL, NULL, NULL, pool)
        != APR_SUCCESS) {
        bail_out("can't enter %s", variant->key);
    }
    return out;
}

/* The keys elected one after the other, "+" before a fresh one and "-" before a stale one. */
static const char *elect_all(storer_bytes_t mapping, const char *const *fields,
                             const storer_validator_t *validator, apr_time_t now, apr_pool_t *pool)
{
    storer_request_t request = { find, (void *)fields, NULL };
    storer_candidate_t candidate, next;
    const storer_candidate_t *after = NULL;
    const char *all = "";
    apr_status_t rv;

    for (;;) {
        memset(&next, 0x55, sizeof(next));
        rv = storer_elect(mapping, &request, validator, now, after, &next);
        if (rv != APR_SUCCESS) {
            break;
        }
        candidate = next;
        after = &candidate;
        all = apr_psprintf(pool, "%s%s%c%.*s", all, *all ? " " : "", candidate.fresh ? '+' : '-',
                           (int)candidate.key.len, candidate.key.data);
        if (strlen(all) > 10000) {
            return "without end";
        }
    }
    if (next.fresh != 0x55555555) {
        return "candidate was written";
    }
    return rv == APR_NOTFOUND ? all : "damaged";
}

/* ---- order ---- */

/* RFC 9111 section 4.1: a response without Vary is what an origin gives to those who ask for nothing in
 * particular; a response whose Vary matches is preferable, however old it is. */
static void varied_first(apr_pool_t *pool)
{
    static const variant_t variants[] = {
        { "plain", SECONDS(-1), SECONDS(50), SECONDS(90), NULL, { NULL } },
        { "old", SECONDS(-20), SECONDS(10), SECONDS(90), NULL, { "origin", "a" } },
        { "newer", SECONDS(-10), SECONDS(10), SECONDS(90), NULL, { "origin", "a", "x", "" } },
        { "other", SECONDS(-1), SECONDS(50), SECONDS(90), NULL, { "origin", "b" } },
        { "stale", SECONDS(-2), SECONDS(-1), SECONDS(90), NULL, { "origin", "a" } },
    };
    static const char *const with[] = { "origin", "a", NULL }, *const without[] = { NULL };
    storer_bytes_t mapping = { NULL, 0 };
    apr_size_t i;

    for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
        mapping = put(mapping, &variants[i], pool);
    }
    is_string(elect_all(mapping, with, NULL, NOW, pool), "+newer +old +plain -stale",
              "a fresh variant whose Vary matches goes before a response without Vary");
    is_string(elect_all(mapping, without, NULL, NOW, pool), "+plain",
              "which is for all that have no variant of their own");
}

static const variant_t ordered[] = {
    /* in the order they must come out */
    { "new", SECONDS(-1), SECONDS(5), SECONDS(9), NULL, { NULL } },
    { "a", SECONDS(-10), SECONDS(50), SECONDS(90), NULL, { NULL } },
    { "a2", SECONDS(-10), SECONDS(1), SECONDS(2), NULL, { NULL } },
    { "b", SECONDS(-10), SECONDS(60), 0, NULL, { NULL } },
    { "before", SECONDS(-10) - 1, SECONDS(60), SECONDS(60), NULL, { NULL } },
    { "ancient", SECONDS(-2000000000), SECONDS(60), SECONDS(60), NULL, { NULL } },
    { "stale new", SECONDS(-2), SECONDS(-1), SECONDS(1), NULL, { NULL } },
    { "stale a", SECONDS(-20), SECONDS(-5), SECONDS(100), NULL, { NULL } },
    { "stale b", SECONDS(-20), SECONDS(-1), SECONDS(1), NULL, { NULL } },
    { "stale old", SECONDS(-99), SECONDS(-98), SECONDS(1), NULL, { NULL } },
};
static const char in_order[] = "+new +a +a2 +b +before +ancient"
                               " -stale new -stale a -stale b -stale old";

static void order(apr_pool_t *pool)
{
    static const variant_t gone = { "gone", 0, SECONDS(-2), SECONDS(-1), NULL, { NULL } };
    const size_t count = sizeof(ordered) / sizeof(ordered[0]);
    size_t first, step, i;

    /* steps that are prime to the number visit each once */
    for (first = 0; first < count; first++) {
        for (step = 1; step < count; step += 2) {
            storer_bytes_t mapping = { NULL, 0 };

            if (step == 5) {
                continue;
            }
            for (i = 0; i < count; i++) {
                mapping = put(mapping, &ordered[(first + i * step) % count], pool);
                if (i == 4) {
                    mapping = put(mapping, &gone, pool);
                }
            }
            is_string(elect_all(mapping, NULL, NULL, NOW, pool), in_order,
                      "entered from %lu on, every %lu.", (unsigned long)first,
                      (unsigned long)step);
        }
    }
}

static void many(apr_pool_t *pool)
{
    storer_request_t request = { find, NULL, NULL };
    storer_bytes_t mapping = { NULL, 0 };
    storer_candidate_t candidate, next;
    char seen[200] = { 0 };
    int i, count = 0, twice = 0;

    for (i = 0; i < 200; i++) {
        variant_t variant = { apr_psprintf(pool, "%d", i), SECONDS(-(i % 7)), 0, SECONDS(5), NULL,
                              { NULL } };

        variant.fresh = SECONDS(i % 3 - 1);
        mapping = put(mapping, &variant, pool);
    }
    while (storer_elect(mapping, &request, NULL, NOW, count ? &candidate : NULL, &next)
           == APR_SUCCESS && count <= 200) {
        int number = atoi(apr_pstrmemdup(pool, next.key.data, next.key.len));

        twice += seen[number]++;
        candidate = next;
        count++;
    }
    is_int(count, 200, "each of 200 candidates is visited");
    is_int(twice, 0, "none twice");
}

/* ---- times ---- */

static void boundaries(apr_pool_t *pool)
{
    static const variant_t variant = { "v", SECONDS(-5), SECONDS(3), SECONDS(7), NULL, { NULL } };
    static const variant_t odd = { "v", 0, SECONDS(7), SECONDS(3), NULL, { NULL } };
    storer_bytes_t mapping = put((storer_bytes_t){ NULL, 0 }, &variant, pool);

    is_string(elect_all(mapping, NULL, NULL, NOW - SECONDS(9), pool), "+v", "before it was stored");
    is_string(elect_all(mapping, NULL, NULL, NOW, pool), "+v", "fresh");
    is_string(elect_all(mapping, NULL, NULL, NOW + SECONDS(3) - 1, pool), "+v", "still fresh");
    is_string(elect_all(mapping, NULL, NULL, NOW + SECONDS(3), pool), "-v", "at fresh_time: stale");
    is_string(elect_all(mapping, NULL, NULL, NOW + SECONDS(7) - 1, pool), "-v", "still stale");
    is_string(elect_all(mapping, NULL, NULL, NOW + SECONDS(7), pool), "", "at stale_time: gone");
    is_string(elect_all(mapping, NULL, NULL, INT64_MAX, pool), "", "gone for ever");
    is_string(elect_all(mapping, NULL, NULL, INT64_MIN, pool), "+v", "at the beginning of time");
    mapping = put((storer_bytes_t){ NULL, 0 }, &odd, pool);
    is_string(elect_all(mapping, NULL, NULL, NOW + SECONDS(7) - 1, pool), "+v",
              "fresh although past stale_time");
    is_string(elect_all(mapping, NULL, NULL, NOW + SECONDS(7), pool), "", "then gone at once");
}

/* A mapping of one entry "K" whose index has these bytes. */
static storer_bytes_t mapping_of(const char *index, apr_size_t len, apr_pool_t *pool)
{
    char *data = apr_palloc(pool, len + 8);
    storer_bytes_t mapping = { data, len + 7 };

    data[0] = 0x0a;
    data[1] = (char)(len + 5);
    memcpy(data + 2, "\x0a\x01K\x12", 4);
    data[6] = (char)len;
    memcpy(data + 7, index, len);
    return mapping;
}

/* Times that no clock has: absent, before 1970, out of range. */
static void strange_times(apr_pool_t *pool)
{
    static const char past[] = "\x12\x0b\x08\xfb\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    static const char future[] = "\x12\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
    storer_bytes_t mapping = mapping_of("", 0, pool);

    is_string(elect_all(mapping, NULL, NULL, -1, pool), "+K", "no times are 1970: before it");
    is_string(elect_all(mapping, NULL, NULL, 0, pool), "", "no times are 1970: at it");
    mapping = mapping_of(past, 13, pool);
    is_string(elect_all(mapping, NULL, NULL, SECONDS(-5) - 1, pool), "+K", "before 1970");
    is_string(elect_all(mapping, NULL, NULL, SECONDS(-5), pool), "-K", "five seconds before 1970");
    is_string(elect_all(mapping, NULL, NULL, 0, pool), "", "past both");
    mapping = mapping_of(future, 12, pool);
    is_string(elect_all(mapping, NULL, NULL, INT64_MAX - 1, pool), "+K", "fresh for ever");
    is_string(elect_all(mapping, NULL, NULL, INT64_MAX, pool), "", "but no longer");
}

/* ---- Vary ---- */

typedef struct vary_t {
    const char *headers[HEADERS_MAX * 2];
    const char *fields[HEADERS_MAX * 2];
    int         fits;
} vary_t;

static const vary_t vary[] = {
    { { NULL }, { NULL }, 1 },
    { { NULL }, { "Accept", "x", NULL }, 1 },
    { { "Accept", "x" }, { "Accept", "x", NULL }, 1 },
    { { "Accept", "x" }, { "aCCEPT", "x", NULL }, 1 },
    { { "accept", "x" }, { "Accept", "x", "Other", "y", NULL }, 1 },
    { { "Accept", "x" }, { "Accept", "X", NULL }, 0 },
    { { "Accept", "x" }, { "Accept", "xx", NULL }, 0 },
    { { "Accept", "xx" }, { "Accept", "x", NULL }, 0 },
    { { "Accept", "x" }, { "Accept", "", NULL }, 0 },
    { { "Accept", "x" }, { NULL }, 0 },
    { { "Accept", "x" }, { "Accept-X", "x", NULL }, 0 },
    { { "Accept", "" }, { NULL }, 1 },
    { { "Accept", "" }, { "Accept", "", NULL }, 1 },
    { { "Accept", "" }, { "Accept", "x", NULL }, 0 },
    { { "Accept", "x, y" }, { "Accept", "x, y", NULL }, 1 },
    { { "Accept", "x, y" }, { "Accept", "x,y", NULL }, 0 },
    { { "A", "1", "B", "2" }, { "B", "2", "A", "1", NULL }, 1 },
    { { "A", "1", "B", "2" }, { "A", "1", NULL }, 0 },
    { { "A", "1", "B", "2" }, { "B", "2", NULL }, 0 },
    { { "A", "1", "B", "2" }, { "A", "2", "B", "1", NULL }, 0 },
    { { "A", "1", "B", "", "C", "3" }, { "A", "1", "C", "3", NULL }, 1 },
};

static void vary_matches(apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < sizeof(vary) / sizeof(vary[0]); i++) {
        variant_t variant = { "v", 0, SECONDS(5), SECONDS(9), NULL, { NULL } };
        storer_bytes_t mapping;

        memcpy(variant.headers, vary[i].headers, sizeof(variant.headers));
        mapping = put((storer_bytes_t){ NULL, 0 }, &variant, pool);
        is_string(elect_all(mapping, vary[i].fields, NULL, NOW, pool), vary[i].fits ? "+v" : "",
                  "headers %lu %s", (unsigned long)i, vary[i].fits ? "fit" : "do not fit");
    }
}

/* Lists of values as other writers may have them; the index's fresh_time is far in the future. */
static void joined_lists(apr_pool_t *pool)
{
    static const char two[] = "\x12\x06\x08\xff\xff\xff\xff\x0f" "\x22\x0b\x0a\x01" "A" "\x12\x06"
                              "\x0a\x01x\x0a\x01y";
    static const char none[] = "\x12\x06\x08\xff\xff\xff\xff\x0f" "\x22\x05\x0a\x01" "A" "\x12\x00";
    static const char twice[] = "\x12\x06\x08\xff\xff\xff\xff\x0f" "\x22\x08\x0a\x01" "A" "\x12\x03"
                                "\x0a\x01x" "\x22\x08\x0a\x01" "A" "\x12\x03\x0a\x01y";
    static const char merged[] = "\x12\x06\x08\xff\xff\xff\xff\x0f" "\x22\x0d\x0a\x01" "A"
                                 "\x12\x03\x0a\x01x" "\x12\x03\x0a\x01y";
    static const char empties[] = "\x12\x06\x08\xff\xff\xff\xff\x0f" "\x22\x09\x0a\x01" "A"
                                  "\x12\x04\x0a\x00\x0a\x00";
    const char *xy[] = { "A", "x, y", NULL }, *x[] = { "A", "x", NULL }, *y[] = { "A", "y", NULL };
    const char *comma[] = { "A", ", ", NULL };
    storer_bytes_t mapping = mapping_of(two, sizeof(two) - 1, pool);

    is_string(elect_all(mapping, xy, NULL, NOW, pool), "+K", "two values are joined");
    is_string(elect_all(mapping, x, NULL, NOW, pool), "", "the first alone is not enough");
    mapping = mapping_of(none, sizeof(none) - 1, pool);
    is_string(elect_all(mapping, NULL, NULL, NOW, pool), "+K", "an empty list is no header");
    is_string(elect_all(mapping, x, NULL, NOW, pool), "", "an empty list is not x");
    mapping = mapping_of(twice, sizeof(twice) - 1, pool);
    is_string(elect_all(mapping, y, NULL, NOW, pool), "+K", "of a repeated name the last counts");
    is_string(elect_all(mapping, x, NULL, NOW, pool), "", "and not the first");
    mapping = mapping_of(merged, sizeof(merged) - 1, pool);
    is_string(elect_all(mapping, xy, NULL, NOW, pool), "+K", "a list in two parts is one");
    mapping = mapping_of(empties, sizeof(empties) - 1, pool);
    is_string(elect_all(mapping, comma, NULL, NOW, pool), "+K", "two empty values are a comma");
    is_string(elect_all(mapping, NULL, NULL, NOW, pool), "", "and not nothing");
}

/* ---- validators ---- */

static void conditions(apr_pool_t *pool)
{
    static const variant_t variants[] = {
        { "none", SECONDS(-1), SECONDS(5), SECONDS(9), NULL, { NULL } },
        { "one", SECONDS(-2), SECONDS(5), SECONDS(9), "\"1\"", { NULL } },
        { "two", SECONDS(-3), SECONDS(5), SECONDS(9), "W/\"2\"", { NULL } },
    };
    static const char *const cases[][3] = {
        { "If-None-Match", "\"1\"", "+one" }, { "If-None-Match", "\"2\", W/\"1\"", "+one +two" },
        { "If-None-Match", "*", "+none +one +two" }, { "If-None-Match", "\"3\"", "" },
        { "If-Match", "\"2\"", "" }, { "If-Match", "\"1\"", "+one" },
        { "If-Match", "*", "+one +two" },
        { "If-Modified-Since", "a date", "+none +one +two" },
    };
    storer_bytes_t mapping = { NULL, 0 };
    size_t i;

    for (i = 0; i < 3; i++) {
        mapping = put(mapping, &variants[i], pool);
    }
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *fields[] = { cases[i][0], cases[i][1], NULL };
        storer_request_t request = { find, fields, NULL };
        storer_validator_t validator, before;

        storer_validator_parse(&validator, &request, pool);
        before = validator;
        is_string(elect_all(mapping, fields, &validator, NOW, pool), cases[i][2], "%s: %s",
                  cases[i][0], cases[i][1]);
        ok(memcmp(&before, &validator, sizeof(before)) == 0, "the validator is left alone");
    }
}

/* ---- mappings that are not whole, or hold a key twice ---- */

static void repeated_keys(apr_pool_t *pool)
{
    static const variant_t better = { "K", SECONDS(-1), SECONDS(5), SECONDS(9), NULL, { NULL } };
    static const variant_t last = { "K", SECONDS(-9), SECONDS(-5), SECONDS(9), NULL, { NULL } };
    storer_bytes_t none = { NULL, 0 }, first = put(none, &better, pool), second, both;

    second = put(none, &last, pool);
    both.data = apr_pstrcatv(pool, (struct iovec[]){ { (void *)first.data, first.len },
                                                     { (void *)second.data, second.len } }, 2,
                             &both.len);
    is_string(elect_all(both, NULL, NULL, NOW, pool), "-K", "the last entry of a key counts");
}

static void damaged(apr_pool_t *pool)
{
    storer_bytes_t mapping = { NULL, 0 };
    apr_size_t cut, boundary = 0, elected = 0, refused = 0;

    is_string(elect_all((storer_bytes_t){ "", 0 }, NULL, NULL, NOW, pool), "", "an empty mapping");
    is_string(elect_all((storer_bytes_t){ "\x0a", 1 }, NULL, NULL, NOW, pool), "damaged", "a tag");
    mapping = put(mapping, &ordered[0], pool);
    boundary = mapping.len;
    mapping = put(mapping, &ordered[1], pool);
    for (cut = 1; cut < mapping.len; cut++) {
        const char *got = elect_all((storer_bytes_t){ mapping.data, cut }, NULL, NULL, NOW, pool);

        elected += strcmp(got, cut == boundary ? "+new" : "") == 0;
        refused += strcmp(got, "damaged") == 0;
    }
    is_int((long long)elected, 1, "cut between two entries, the first is there");
    is_int((long long)refused, (long long)mapping.len - 2, "cut anywhere else it is damaged, and no"
           " entry is elected");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    varied_first(pool);
    order(pool);
    many(pool);
    boundaries(pool);
    strange_times(pool);
    vary_matches(pool);
    joined_lists(pool);
    conditions(pool);
    repeated_keys(pool);
    damaged(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
