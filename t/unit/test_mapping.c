/* SPDX-License-Identifier: Apache-2.0
 *
 * test_mapping.c - reading mappings: what each form of the wire format means, and that no bytes
 * whatever do harm. The mappings are built here byte by byte, and lie in memory of exactly their
 * length, so that a sanitizer sees every step beyond it.
 */
#include "mapping.h"
#include "storer_private.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- building messages ---- */

typedef struct message_t {
    unsigned char data[4096];
    apr_size_t    len;
} message_t;

static void add_varint(message_t *to, uint64_t value)
{
    while (value >= 0x80) {
        to->data[to->len++] = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    to->data[to->len++] = (unsigned char)value;
}

static void add_tag(message_t *to, unsigned number, unsigned type)
{
    add_varint(to, (uint64_t)number << 3 | type);
}

static void add_number(message_t *to, unsigned number, uint64_t value)
{
    add_tag(to, number, 0);
    add_varint(to, value);
}

static void add_raw(message_t *to, const void *data, apr_size_t len)
{
    memcpy(to->data + to->len, data, len);
    to->len += len;
}

static void add_field(message_t *to, unsigned number, const void *data, apr_size_t len)
{
    add_tag(to, number, 2);
    add_varint(to, len);
    add_raw(to, data, len);
}

static void add_text(message_t *to, unsigned number, const char *text)
{
    add_field(to, number, text, strlen(text));
}

static void add_message(message_t *to, unsigned number, const message_t *message)
{
    add_field(to, number, message->data, message->len);
}

static void add_time(message_t *to, unsigned number, int64_t seconds, int32_t nanos)
{
    message_t time = { { 0 }, 0 };

    if (seconds) {
        add_number(&time, 1, (uint64_t)seconds);
    }
    if (nanos) {
        add_number(&time, 2, (uint64_t)(int64_t)nanos);
    }
    add_message(to, number, &time);
}

/* A varied header with up to two values. */
static void add_header(message_t *to, const char *name, const char *first, const char *second)
{
    message_t list = { { 0 }, 0 }, entry = { { 0 }, 0 };

    if (first) {
        add_text(&list, 1, first);
    }
    if (second) {
        add_text(&list, 1, second);
    }
    add_text(&entry, 1, name);
    add_message(&entry, 2, &list);
    add_message(to, 4, &entry);
}

static void add_entry(message_t *to, const char *key, const message_t *index)
{
    message_t entry = { { 0 }, 0 };

    add_text(&entry, 1, key);
    add_message(&entry, 2, index);
    add_message(to, 1, &entry);
}

/* Each field there is. */
static void full_index(message_t *index)
{
    add_time(index, 1, 1700000000, 123456789);
    add_time(index, 2, 4102444800, 0);
    add_time(index, 3, -5, 500000000);
    add_header(index, "Accept", "text/html", NULL);
    add_header(index, "X-Two", "a", "b");
    add_text(index, 5, "\"etag\"");
    add_text(index, 6, "real");
}

/* Groups, numbers and fixed fields of numbers nobody knows. */
static void add_unknown(message_t *to)
{
    add_number(to, 99, 7);
    add_field(to, 17, "unknown", 7);
    add_tag(to, 18, 1);
    add_raw(to, "12345678", 8);
    add_tag(to, 19, 5);
    add_raw(to, "1234", 4);
    add_tag(to, 20, 3);
    add_number(to, 1, 5);
    add_tag(to, 21, 3);
    add_text(to, 2, "deep");
    add_tag(to, 21, 4);
    add_tag(to, 20, 4);
    add_number(to, (1u << 29) - 1, UINT64_MAX);
}

/* ---- showing what was read ---- */

static const char *show_time(storer_timestamp_t time, apr_pool_t *pool)
{
    return time.present ? apr_psprintf(pool, "%" APR_INT64_T_FMT ".%d", time.seconds, time.nanos)
                        : "-";
}

static const char *show_bytes(storer_bytes_t bytes, apr_pool_t *pool)
{
    return bytes.data ? apr_pstrmemdup(pool, bytes.data, bytes.len) : "(none)";
}

static const char *show_headers(const storer_mapping_entry_t *entry, apr_pool_t *pool)
{
    const char *text = "";
    storer_varied_cursor_t cursor;
    storer_varied_t varied;

    storer_varied_begin(&cursor, entry);
    while (storer_varied_next(&cursor, &varied) == APR_SUCCESS) {
        storer_value_cursor_t values;
        storer_bytes_t value;

        text = apr_psprintf(pool, "%s %s%s=", text, show_bytes(varied.name, pool),
                            storer_varied_is_superseded(cursor, varied.name) ? "!" : "");
        storer_value_begin(&values, &varied);
        while (storer_value_next(&values, &value) == APR_SUCCESS) {
            text = apr_psprintf(pool, "%s[%s]", text, show_bytes(value, pool));
        }
    }
    return text;
}

/* All entries, one after the other; those that another supersedes with a "!". */
static const char *show(storer_bytes_t mapping, apr_pool_t *pool)
{
    const char *text = "";
    storer_mapping_cursor_t cursor;
    storer_mapping_entry_t entry;
    apr_status_t rv;

    storer_mapping_begin(&cursor, mapping);
    for (rv = storer_mapping_next(&cursor, &entry); rv == APR_SUCCESS;
         rv = storer_mapping_next(&cursor, &entry)) {
        text = apr_psprintf(pool, "%s{%s%s %s %s %s e=%s r=%s%s}", text,
                            show_bytes(entry.key, pool),
                            storer_mapping_is_superseded(cursor, entry.key) ? "!" : "",
                            show_time(entry.stored_at, pool), show_time(entry.fresh_time, pool),
                            show_time(entry.stale_time, pool), show_bytes(entry.etag, pool),
                            show_bytes(entry.real_key, pool), show_headers(&entry, pool));
    }
    return rv == APR_EOF ? text : rv == APR_EINVAL ? "damaged" : "unexpected status";
}

/* In memory of its own, of exactly this length. */
static const char *show_exactly(const unsigned char *data, apr_size_t len, apr_pool_t *pool)
{
    storer_bytes_t exact = { malloc(len ? len : 1), len };
    const char *text;

    memcpy((char *)exact.data, data, len);
    text = show(exact, pool);
    free((char *)exact.data);
    return text;
}

static void reads(const message_t *mapping, const char *want, const char *what, apr_pool_t *pool)
{
    is_string(show_exactly(mapping->data, mapping->len, pool), want, "%s", what);
}

/* The mapping whose one entry "K" has this index. */
static void reads_index(const message_t *index, const char *want, const char *what,
                        apr_pool_t *pool)
{
    message_t mapping = { { 0 }, 0 };

    add_entry(&mapping, "K", index);
    reads(&mapping, want, what, pool);
}

/* ---- what is sound ---- */

#define FULL "1700000000.123456789 4102444800.0 -5.500000000 e=\"etag\" r=real" \
             " Accept=[text/html] X-Two=[a][b]"

static void whole_mappings(apr_pool_t *pool)
{
    message_t mapping = { { 0 }, 0 }, index = { { 0 }, 0 }, empty = { { 0 }, 0 };

    reads(&mapping, "", "the empty mapping", pool);
    full_index(&index);
    add_entry(&mapping, "one", &index);
    reads(&mapping, "{one " FULL "}", "one entry", pool);
    add_entry(&mapping, "", &empty);
    add_entry(&mapping, "\xe6\x97\xa5", &index);
    reads(&mapping, "{one " FULL "}{ - - - e= r=}{\xe6\x97\xa5 " FULL "}", "three", pool);
}

static void strange_but_sound(apr_pool_t *pool)
{
    message_t mapping = { { 0 }, 0 }, index = { { 0 }, 0 }, entry = { { 0 }, 0 };
    message_t time = { { 0 }, 0 };

    add_unknown(&mapping);
    add_unknown(&entry);
    add_unknown(&index);
    full_index(&index);
    add_unknown(&index);
    add_message(&entry, 2, &index);
    add_text(&entry, 1, "K");
    add_unknown(&entry);
    add_message(&mapping, 1, &entry);
    add_unknown(&mapping);
    reads(&mapping, "{K " FULL "}", "unknown fields everywhere, the key behind the value", pool);

    memset(&mapping, 0, sizeof(mapping));
    add_message(&mapping, 1, &time);
    reads(&mapping, "{ - - - e= r=}", "neither key nor value", pool);

    memset(&index, 0, sizeof(index));
    add_time(&index, 1, 0, 0);
    add_number(&time, 2, 1);
    add_number(&time, 1, UINT64_MAX);
    add_unknown(&time);
    add_message(&index, 2, &time);
    reads_index(&index, "{K 0.0 -1.1 - e= r=}", "an empty time, and one the wrong way round", pool);

    memset(&index, 0, sizeof(index));
    add_number(&index, 1, 5);
    add_number(&index, 5, 5);
    add_tag(&index, 4, 5);
    add_raw(&index, "1234", 4);
    reads_index(&index, "{K - - - e= r=}", "known numbers with other types are unknown fields",
                pool);

    memset(&index, 0, sizeof(index));
    add_raw(&index, "\xaa\x80\x00\x81\x80\x00x", 7); /* field 5 and length 1, longer than needed */
    reads_index(&index, "{K - - - e=x r=}", "numbers written longer than they need be", pool);
}

static void repeated_fields(apr_pool_t *pool)
{
    message_t mapping = { { 0 }, 0 }, index = { { 0 }, 0 }, other = { { 0 }, 0 };
    message_t entry = { { 0 }, 0 };

    add_text(&index, 5, "first");
    add_text(&index, 5, "last");
    add_time(&index, 1, 5, 0);
    add_time(&index, 1, 0, 7);
    add_time(&index, 1, 0, 0);
    add_header(&index, "A", "1", NULL);
    add_header(&index, "a", "2", NULL);
    add_header(&index, "A", "3", NULL);
    reads_index(&index, "{K 5.7 - - e=last r= A!=[1] a=[2] A=[3]}",
                "strings: the last; messages: merged; names: the last", pool);

    add_text(&other, 6, "more");
    add_text(&entry, 1, "first key");
    add_message(&entry, 2, &index);
    add_text(&entry, 1, "K");
    add_message(&entry, 2, &other);
    add_message(&mapping, 1, &entry);
    reads(&mapping, "{K 5.7 - - e=last r=more A!=[1] a=[2] A=[3]}", "a value in two parts is one",
          pool);

    add_entry(&mapping, "other", &other);
    add_entry(&mapping, "K", &other);
    reads(&mapping, "{K! 5.7 - - e=last r=more A!=[1] a=[2] A=[3]}{other - - - e= r=more}"
          "{K - - - e= r=more}", "the last entry of a key counts", pool);
}

/* ---- what is not ---- */

static void bad_fields(apr_pool_t *pool)
{
    static const struct {
        const char *bytes;
        apr_size_t  len;
        const char *what;
    } bad[] = {
        { "\x00\x00", 2, "field number 0" },
        { "\x07", 1, "no such type" },
        { "\x0e\x00", 2, "no such type, 6" },
        { "\x0c", 1, "an end without a group" },
        { "\x0b", 1, "a group without an end" },
        { "\x0b\x14", 2, "a group with another's end" },
        { "\x0b\x13\x0c\x14", 4, "groups that overlap" },
        { "\x80\x80\x80\x80\x10\x00", 6, "a field number beyond 29 bits" },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00", 11, "a tag beyond 64 bits" },
        { "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11, "a tag of eleven bytes" },
        { "\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "a number beyond 64 bits" },
        { "\x7a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "a length of 2^64-1" },
        { "\x7a\xff\xff\xff\xff\x0f", 6, "a length of 4 GiB" },
        { "\x7a\x01", 2, "a length without bytes" },
        { "\x79" "1234567", 8, "eight bytes that are seven" },
        { "\x7d" "123", 4, "four bytes that are three" },
        { "\x78", 1, "a tag without a number" },
        { "\x78\x80", 2, "a number without an end" },
    };
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        message_t top = { { 0 }, 0 }, index = { { 0 }, 0 }, time = { { 0 }, 0 };
        message_t header = { { 0 }, 0 }, list = { { 0 }, 0 };

        add_raw(&top, bad[i].bytes, bad[i].len);
        reads(&top, "damaged", bad[i].what, pool);
        add_raw(&time, bad[i].bytes, bad[i].len);
        add_message(&index, 3, &time);
        reads_index(&index, "damaged", "the same in a time", pool);
        reads_index(&top, "damaged", "the same in an index", pool);
        memset(&index, 0, sizeof(index));
        add_message(&header, 2, &list);
        add_raw(&header, bad[i].bytes, bad[i].len);
        add_message(&index, 4, &header);
        reads_index(&index, "damaged", "the same in a header", pool);
        memset(&index, 0, sizeof(index));
        memset(&header, 0, sizeof(header));
        add_raw(&list, bad[i].bytes, bad[i].len);
        add_message(&header, 2, &list);
        add_message(&index, 4, &header);
        reads_index(&index, "damaged", "the same in a list", pool);
    }
}

static void deep_groups(apr_pool_t *pool)
{
    message_t shallow = { { 0 }, 0 }, deep = { { 0 }, 0 };

    memset(shallow.data, 0x13, 50);
    memset(shallow.data + 50, 0x14, 50);
    shallow.len = 100;
    reads(&shallow, "", "fifty groups in one another", pool);
    memset(deep.data, 0x13, 2000);
    memset(deep.data + 2000, 0x14, 2000);
    deep.len = 4000;
    reads(&deep, "damaged", "two thousand of them are too many", pool);
}

static const char *const not_utf8[] = {
    "\xff", "\x80", "a\xbf", "\xc2", "\xc2x", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xe0\xa0",
    "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
    "\xf0\x90\x80", "\xe2\x82", "\xe2\x28\xa1", "\xf8\x88\x80\x80\x80", "12345678\xff",
    "123456789012345\xe2\x82", "1234567\x80", "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97",
};
static const char *const utf8[] = {
    "", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
    "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "1234567", "12345678", "123456789",
    ("1234567\xc3\xa4" "9012345"), "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
};

/* The text as each of the five kinds of string; returns how many of them are taken. */
static int taken_as(const char *text, apr_pool_t *pool)
{
    message_t mapping = { { 0 }, 0 }, index = { { 0 }, 0 };
    int taken = 0, kind;

    add_entry(&mapping, text, &index);
    taken += strcmp(show_exactly(mapping.data, mapping.len, pool), "damaged") != 0;
    for (kind = 0; kind < 4; kind++) {
        memset(&mapping, 0, sizeof(mapping));
        memset(&index, 0, sizeof(index));
        if (kind < 2) {
            add_text(&index, kind ? 5 : 6, text);
        }
        else {
            add_header(&index, kind == 2 ? text : "X", kind == 2 ? "x" : text, NULL);
        }
        add_entry(&mapping, "K", &index);
        taken += strcmp(show_exactly(mapping.data, mapping.len, pool), "damaged") != 0;
    }
    return taken;
}

static void strings(apr_pool_t *pool)
{
    message_t mapping = { { 0 }, 0 };
    size_t i;

    for (i = 0; i < sizeof(not_utf8) / sizeof(not_utf8[0]); i++) {
        is_int(taken_as(not_utf8[i], pool), 0, "not UTF-8, %lu: damaged in each place",
               (unsigned long)i);
    }
    for (i = 0; i < sizeof(utf8) / sizeof(utf8[0]); i++) {
        is_int(taken_as(utf8[i], pool), 5, "UTF-8, %lu: taken in each place", (unsigned long)i);
    }
    add_field(&mapping, 15, "\xff\xfe", 2);
    reads(&mapping, "", "bytes that are not a string of ours are not looked at", pool);
}

/* ---- every cut and every bit ---- */

static void samples(message_t *samples, size_t *count)
{
    message_t index = { { 0 }, 0 }, small = { { 0 }, 0 };

    memset(samples, 0, 3 * sizeof(*samples));
    full_index(&index);
    add_time(&small, 2, 4102444800, 1);
    add_entry(&samples[0], "K", &small);
    add_entry(&samples[1], "one", &index);
    add_entry(&samples[1], "two", &small);
    add_entry(&samples[1], "one", &small);
    add_unknown(&index);
    add_unknown(&samples[2]);
    add_entry(&samples[2], "a key that is longer than a length of one byte can say, which needs"
              " more than one hundred and twenty-seven letters, so here are more of them", &index);
    *count = 3;
}

static void every_cut(const message_t *sample, apr_pool_t *parent)
{
    apr_size_t cut, damaged = 0, shorter = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    for (cut = 0; cut < sample->len; cut++) {
        const char *text = show_exactly(sample->data, cut, pool);

        damaged += strcmp(text, "damaged") == 0;
        shorter += strcmp(text, "damaged") != 0
                   && strcmp(text, show_exactly(sample->data, sample->len, pool)) != 0;
        apr_pool_clear(pool);
    }
    ok(damaged > sample->len * 8 / 10, "of %lu cuts %lu are seen as damage",
       (unsigned long)sample->len, (unsigned long)damaged);
    ok(shorter > 0 && shorter < 20, "%lu fall between two fields", (unsigned long)shorter);
    apr_pool_destroy(pool);
}

/* Whatever one byte becomes: no harm is done, and the second reading is as the first. */
static void every_byte(const message_t *sample, apr_pool_t *parent)
{
    message_t changed = *sample;
    apr_size_t i, unstable = 0, damaged = 0;
    unsigned value, step = tap_slow() ? 17 : 1;
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    for (i = 0; i < sample->len; i++) {
        for (value = 0; value < 256; value += step) {
            const char *text;

            changed.data[i] = (unsigned char)value;
            text = show_exactly(changed.data, changed.len, pool);
            damaged += strcmp(text, "damaged") == 0;
            unstable += strcmp(text, show_exactly(changed.data, changed.len, pool)) != 0
                        || strcmp(text, "unexpected status") == 0;
            apr_pool_clear(pool);
        }
        changed.data[i] = sample->data[i];
    }
    is_int((long long)unstable, 0, "%lu bytes, each with every value: read the same again",
           (unsigned long)sample->len);
    ok(damaged > sample->len * (256 / step) / 4, "%lu are seen as damage", (unsigned long)damaged);
    apr_pool_destroy(pool);
}

/* ---- times and values ---- */

static void times(void)
{
    static const struct {
        storer_timestamp_t timestamp;
        apr_time_t         time;
        int                back;   /* is of() the inverse? */
    } cases[] = {
        { { 0, 0, 1 }, 0, 1 }, { { 0, 1000, 1 }, 1, 1 }, { { 0, 999, 1 }, 0, 0 },
        { { 1, 999999999, 1 }, 1999999, 0 }, { { 1, 999999000, 1 }, 1999999, 1 },
        { { -1, 999999000, 1 }, -1, 1 }, { { -1, 0, 1 }, -1000000, 1 },
        { { -2, 500000000, 1 }, -1500000, 1 },
        { { 4102444800, 500000000, 1 }, 4102444800500000, 1 },
        { { INT64_MAX, 0, 1 }, INT64_MAX, 0 }, { { INT64_MIN, 0, 1 }, INT64_MIN, 0 },
        { { INT64_MAX, INT32_MAX, 1 }, INT64_MAX, 0 },
        { { INT64_MIN, INT32_MIN, 1 }, INT64_MIN, 0 },
        { { 9223372036855, 0, 1 }, INT64_MAX, 0 }, { { -9223372036855, 0, 1 }, INT64_MIN, 0 },
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        storer_timestamp_t back = storer_timestamp_of(cases[i].time);

        is_int(storer_timestamp_time(cases[i].timestamp), cases[i].time, "time %lu",
               (unsigned long)i);
        ok(back.nanos >= 0 && back.nanos < 1000000000 && back.present, "its nanoseconds are sound");
        ok(!cases[i].back || (back.seconds == cases[i].timestamp.seconds
                              && back.nanos == cases[i].timestamp.nanos), "and back");
    }
    is_int(storer_timestamp_time((storer_timestamp_t){ 0, 0, 0 }), 0, "absent is 1970");
}

static void joined_values(void)
{
    static const struct {
        const char *first, *second, *value;
        int         equal;
    } cases[] = {
        { NULL, NULL, "", 1 }, { NULL, NULL, NULL, 1 }, { NULL, NULL, "x", 0 },
        { "", NULL, "", 1 }, { "", NULL, NULL, 1 }, { "", NULL, "x", 0 }, { "", NULL, ", ", 0 },
        { "x", NULL, "x", 1 }, { "x", NULL, "", 0 }, { "x", NULL, NULL, 0 }, { "x", NULL, "xy", 0 },
        { "xy", NULL, "x", 0 }, { "x", NULL, "X", 0 }, { "x", NULL, "x, ", 0 },
        { "a", "b", "a, b", 1 }, { "a", "b", "a,b", 0 }, { "a", "b", "a", 0 },
        { "a", "b", "a, ", 0 }, { "a", "b", "b, a", 0 }, { "a", "b", "a, bc", 0 },
        { "", "", ", ", 1 }, { "", "", "", 0 }, { "", "b", ", b", 1 }, { "a, b", NULL, "a, b", 1 },
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        message_t index = { { 0 }, 0 }, mapping = { { 0 }, 0 };
        storer_bytes_t value = { cases[i].value, cases[i].value ? strlen(cases[i].value) : 0 };
        storer_mapping_cursor_t cursor;
        storer_mapping_entry_t entry;
        storer_varied_cursor_t headers;
        storer_varied_t varied;

        add_header(&index, "A", cases[i].first, cases[i].second);
        add_entry(&mapping, "K", &index);
        storer_mapping_begin(&cursor, (storer_bytes_t){ (const char *)mapping.data, mapping.len });
        if (storer_mapping_next(&cursor, &entry) != APR_SUCCESS) {
            bail_out("can't read it");
        }
        is_int(entry.varied_count, 1, "one header");
        storer_varied_begin(&headers, &entry);
        is_status(storer_varied_next(&headers, &varied), APR_SUCCESS, "it is found");
        is_int(storer_varied_equals(&varied, value), cases[i].equal, "values %lu %s \"%s\"",
               (unsigned long)i, cases[i].equal ? "are" : "are not",
               cases[i].value ? cases[i].value : "(absent)");
        is_status(storer_varied_next(&headers, &varied), APR_EOF, "there are no more");
    }
}

int main(void)
{
    message_t sample[3];
    apr_pool_t *pool;
    size_t i, count;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    whole_mappings(pool);
    strange_but_sound(pool);
    repeated_fields(pool);
    bad_fields(pool);
    deep_groups(pool);
    strings(pool);
    samples(sample, &count);
    for (i = 0; i < count; i++) {
        every_cut(&sample[i], pool);
        every_byte(&sample[i], pool);
    }
    times();
    joined_values();
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
