/* SPDX-License-Identifier: Apache-2.0
 *
 * test_mapping_update.c - entering variants into a mapping: what is written, what stays, what goes,
 * and how long the mapping is to be kept.
 */
#include "mapping.h"
#include "storer_private.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOW        (apr_time_from_sec(1800000000) + 123456)
#define SECONDS(n) apr_time_from_sec((apr_time_t)(n))

static const storer_bytes_t no_mapping = { NULL, 0 };

/* ---- entries and what a mapping holds ---- */

/* Times from NOW. */
static storer_mapping_new_t entry_of(const char *key, apr_time_t stored, apr_time_t fresh,
                                     apr_time_t stale)
{
    storer_mapping_new_t entry;

    memset(&entry, 0, sizeof(entry));
    entry.key = storer_bytes(key);
    entry.real_key = storer_bytes("real");
    entry.etag = storer_bytes("");
    entry.stored_at = storer_timestamp_of(NOW + stored);
    entry.fresh_time = storer_timestamp_of(NOW + fresh);
    entry.stale_time = storer_timestamp_of(NOW + stale);
    return entry;
}

typedef struct result_t {
    apr_status_t        rv;
    storer_bytes_t      mapping;
    apr_array_header_t *dropped;
    apr_time_t          expiry;
    int                 damaged;
} result_t;

/* The old mapping lies in memory of exactly its length meanwhile. */
static result_t put(storer_bytes_t old, storer_mapping_new_t entry, int max_variants,
                    apr_pool_t *pool)
{
    result_t result = { APR_SUCCESS, { NULL, 0 }, NULL, -77, -77 };
    storer_bytes_t exact = { old.data ? malloc(old.len ? old.len : 1) : NULL, old.len };
    int i;

    if (old.len) {
        memcpy((char *)exact.data, old.data, old.len);
    }
    result.dropped = apr_array_make(pool, 4, sizeof(storer_bytes_t));
    result.rv = storer_mapping_put(exact, &entry, NOW, max_variants, &result.mapping,
                                   result.dropped, &result.expiry, &result.damaged, pool);
    for (i = 0; i < result.dropped->nelts; i++) { /* borrowed from the old mapping */
        storer_bytes_t *key = &APR_ARRAY_IDX(result.dropped, i, storer_bytes_t);

        key->data = apr_pstrmemdup(pool, key->data, key->len);
    }
    free((char *)exact.data);
    return result;
}

static storer_bytes_t put_ok(storer_bytes_t old, storer_mapping_new_t entry, apr_pool_t *pool)
{
    result_t result = put(old, entry, 0, pool);

    if (result.rv != APR_SUCCESS) {
        bail_out("can't enter %.*s", (int)entry.key.len, entry.key.data);
    }
    return result.mapping;
}

/* "key key ...", in the order of the mapping. */
static const char *keys(storer_bytes_t mapping, apr_pool_t *pool)
{
    const char *text = "";
    storer_mapping_cursor_t cursor;
    storer_mapping_entry_t entry;
    apr_status_t rv;

    storer_mapping_begin(&cursor, mapping);
    for (rv = storer_mapping_next(&cursor, &entry); rv == APR_SUCCESS;
         rv = storer_mapping_next(&cursor, &entry)) {
        text = apr_psprintf(pool, "%s%s%.*s", text, *text ? " " : "", (int)entry.key.len,
                            entry.key.data);
    }
    return rv == APR_EOF ? text : "damaged";
}

static const char *dropped_keys(const result_t *result, apr_pool_t *pool)
{
    const char *text = "";
    int i;

    for (i = 0; i < result->dropped->nelts; i++) {
        storer_bytes_t key = APR_ARRAY_IDX(result->dropped, i, storer_bytes_t);

        text = apr_psprintf(pool, "%s%s%.*s", text, *text ? " " : "", (int)key.len, key.data);
    }
    return text;
}

static int find(storer_bytes_t mapping, const char *key, storer_mapping_entry_t *entry)
{
    storer_mapping_cursor_t cursor;

    storer_mapping_begin(&cursor, mapping);
    while (storer_mapping_next(&cursor, entry) == APR_SUCCESS) {
        if (storer_bytes_equal(entry->key, storer_bytes(key))) {
            return 1;
        }
    }
    return 0;
}

/* Does the mapping hold these bytes? */
static int holds(storer_bytes_t mapping, const char *bytes, apr_size_t len)
{
    apr_size_t i;

    for (i = 0; i + len <= mapping.len; i++) {
        if (memcmp(mapping.data + i, bytes, len) == 0) {
            return 1;
        }
    }
    return 0;
}

static storer_bytes_t join(storer_bytes_t a, const char *bytes, apr_size_t len, apr_pool_t *pool)
{
    char *data = apr_palloc(pool, a.len + len + 1);

    if (a.len) {
        memcpy(data, a.data, a.len);
    }
    memcpy(data + a.len, bytes, len);
    return (storer_bytes_t){ data, a.len + len };
}

/* ---- what is written ---- */

static int same_time(storer_timestamp_t a, storer_timestamp_t b)
{
    return a.present && a.seconds == b.seconds && a.nanos == b.nanos;
}

static int same_headers(const storer_mapping_entry_t *read, const storer_mapping_new_t *entry)
{
    storer_varied_cursor_t cursor;
    storer_varied_t varied;
    int i;

    storer_varied_begin(&cursor, read);
    for (i = 0; storer_varied_next(&cursor, &varied) == APR_SUCCESS; i++) {
        if (i == entry->varied_count
            || !storer_bytes_equal(varied.name, entry->varied_headers[i].name)
            || !storer_varied_equals(&varied, entry->varied_headers[i].value)) {
            return 0;
        }
    }
    return i == entry->varied_count;
}

static void round_trip(const storer_mapping_new_t *entry, const char *what, apr_pool_t *pool)
{
    result_t result = put(no_mapping, *entry, 0, pool);
    storer_mapping_cursor_t cursor;
    storer_mapping_entry_t read;

    is_status(result.rv, APR_SUCCESS, "%s: entered", what);
    is_int(result.damaged, 0, "%s: nothing was damaged", what);
    storer_mapping_begin(&cursor, result.mapping);
    if (is_status(storer_mapping_next(&cursor, &read), APR_SUCCESS, "%s: read", what)) {
        is_bytes(read.key, entry->key, "%s: key", what);
        is_bytes(read.real_key, entry->real_key, "%s: real key", what);
        is_bytes(read.etag, entry->etag, "%s: ETag", what);
        ok(same_time(read.stored_at, entry->stored_at)
           && same_time(read.fresh_time, entry->fresh_time)
           && same_time(read.stale_time, entry->stale_time), "%s: times", what);
        ok(same_headers(&read, entry), "%s: %d headers", what, entry->varied_count);
    }
    is_status(storer_mapping_next(&cursor, &read), APR_EOF, "%s: nothing else", what);
}

static void round_trips(apr_pool_t *pool)
{
    static const apr_size_t lengths[] = { 0, 1, 126, 127, 128, 129, 16383, 16384, 70000 };
    storer_mapping_new_t entry = entry_of("key", 0, SECONDS(5), SECONDS(9));
    storer_header_t headers[100];
    char *text = apr_palloc(pool, 70000);
    size_t i;

    memset(text, 'x', 70000);
    round_trip(&entry, "plain", pool);
    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        storer_bytes_t bytes = { text, lengths[i] };

        entry.key = entry.real_key = entry.etag = bytes;
        headers[0].name = headers[0].value = bytes;
        entry.varied_headers = headers;
        entry.varied_count = 1;
        round_trip(&entry, apr_psprintf(pool, "strings of %lu", (unsigned long)lengths[i]), pool);
    }
    entry = entry_of("a\xe6\x97\xa5", -1, -NOW, -NOW - 1);
    for (i = 0; i < 100; i++) {
        headers[i].name = storer_bytes(apr_psprintf(pool, "X-%lu", (unsigned long)i));
        headers[i].value = storer_bytes(i % 2 ? "" : "a, b");
    }
    entry.varied_headers = headers;
    entry.varied_count = 100;
    entry.stored_at = (storer_timestamp_t){ INT64_MIN, -1, 1 };
    round_trip(&entry, "a hundred headers, and strange times", pool);
    entry.stored_at = (storer_timestamp_t){ INT64_MAX, 999999999, 1 };
    entry.key = (storer_bytes_t){ "a\0b", 3 };
    round_trip(&entry, "a NUL in the key", pool);
}

/* ---- what stays ---- */

static void replaces_its_own(apr_pool_t *pool)
{
    storer_mapping_new_t entry = entry_of("b", SECONDS(-5), SECONDS(5), SECONDS(9));
    storer_bytes_t mapping = put_ok(no_mapping, entry_of("a", 0, SECONDS(5), SECONDS(9)), pool);
    storer_mapping_entry_t read;
    result_t result;

    mapping = put_ok(mapping, entry, pool);
    mapping = put_ok(mapping, entry_of("c", 0, SECONDS(5), SECONDS(9)), pool);
    is_string(keys(mapping, pool), "a b c", "three variants");
    entry.etag = storer_bytes("\"new\"");
    result = put(mapping, entry, 0, pool);
    is_string(keys(result.mapping, pool), "a c b", "a new one takes the place of the old");
    ok(find(result.mapping, "b", &read) && read.etag.len == 5, "it is the new one");
    is_string(dropped_keys(&result, pool), "", "its key is not dropped: the value is in use");
    result = put(mapping, entry_of("", 0, SECONDS(5), SECONDS(9)), 0, pool);
    is_string(keys(result.mapping, pool), "a b c ", "the empty key is a key like others");
}

static void twice_in_the_old(apr_pool_t *pool)
{
    storer_bytes_t a = put_ok(no_mapping, entry_of("a", 0, SECONDS(5), SECONDS(9)), pool);
    storer_bytes_t gone = put_ok(no_mapping, entry_of("a", 0, SECONDS(-5), SECONDS(-1)), pool);
    storer_bytes_t twice = join(a, gone.data, gone.len, pool);
    storer_mapping_new_t b = entry_of("b", 0, SECONDS(5), SECONDS(9));
    result_t result = put(twice, b, 0, pool);

    is_string(keys(result.mapping, pool), "b", "the last of two counts, and it has expired");
    is_string(dropped_keys(&result, pool), "a", "it is dropped once");
    twice = join(gone, a.data, a.len, pool);
    result = put(twice, b, 0, pool);
    is_string(keys(result.mapping, pool), "a b", "the last of two counts, and it has not");
    is_string(dropped_keys(&result, pool), "", "its key is in use");
    result = put(join(a, a.data, a.len, pool), entry_of("a", 0, SECONDS(5), SECONDS(9)), 0, pool);
    is_string(keys(result.mapping, pool), "a", "both give way to a new one");
}

/* A field of each type, and a group with one in it. */
static const char unknown[] = "\x78\x07" "\x7a\x03xyz" "\x79" "12345678" "\x7d" "1234"
                              "\x83\x01\x08\x05\x8b\x01\x8c\x01\x84\x01";
#define UNKNOWN_LENGTH (sizeof(unknown) - 1)

static void unknown_fields_stay(apr_pool_t *pool)
{
    storer_mapping_new_t entry = entry_of("b", 0, SECONDS(5), SECONDS(9));
    storer_bytes_t mapping = put_ok(no_mapping, entry_of("a", 0, SECONDS(5), SECONDS(9)), pool);
    char *index;
    result_t result;
    storer_mapping_entry_t read;

    /* between two entries */
    mapping = join(mapping, unknown, UNKNOWN_LENGTH, pool);
    result = put(mapping, entry, 0, pool);
    ok(holds(result.mapping, unknown, UNKNOWN_LENGTH), "unknown fields of the mapping stay");
    result = put(result.mapping, entry_of("a", 0, SECONDS(5), SECONDS(9)), 0, pool);
    is_string(keys(result.mapping, pool), "b a", "another update");
    ok(holds(result.mapping, unknown, UNKNOWN_LENGTH), "they are still there");
    result = put(result.mapping, entry, 1, pool);
    is_string(keys(result.mapping, pool), "b", "an update that drops the others");
    ok(holds(result.mapping, unknown, UNKNOWN_LENGTH), "they are no entries, and stay");

    /* in an entry, and in its index, which never expires */
    index = apr_palloc(pool, 200);
    memcpy(index, "\x0a\x00\x0a\x01" "K\x12\x00\x12\x06\x08\xff\xff\xff\xff\x0f", 15);
    memcpy(index + 15, unknown, UNKNOWN_LENGTH);
    memcpy(index + 15 + UNKNOWN_LENGTH, unknown, UNKNOWN_LENGTH);
    index[1] = (char)(13 + 2 * UNKNOWN_LENGTH);
    index[6] = (char)(8 + UNKNOWN_LENGTH);
    result = put((storer_bytes_t){ index, 15 + 2 * UNKNOWN_LENGTH }, entry, 0, pool);
    is_int(result.damaged, 0, "an entry of another writer");
    is_string(keys(result.mapping, pool), "K b", "it stays");
    ok(holds(result.mapping, index, 15 + 2 * UNKNOWN_LENGTH), "with all of its unknown fields");
    ok(find(result.mapping, "K", &read) && read.fresh_time.seconds > 4000000000LL, "and its time");
}

/* ---- what goes ---- */

static void expired_go(apr_pool_t *pool)
{
    storer_bytes_t mapping = put_ok(no_mapping, entry_of("fresh", 0, 1, -5), pool);
    result_t result;

    result = put(mapping, entry_of("stale", 0, -5, 1), 0, pool);
    is_string(keys(result.mapping, pool), "fresh stale", "one of both times lies ahead");
    mapping = join(result.mapping, "\x0a\x09\x0a\x01" "K\x12\x04\x1a\x02\x08\x05", 11, pool);
    mapping = join(mapping, "\x0a\x03\x0a\x01" "L", 5, pool);
    result = put(mapping, entry_of("new", 0, SECONDS(1), SECONDS(2)), 0, pool);
    is_string(keys(result.mapping, pool), "fresh stale new", "old times and no times have expired");
    is_string(dropped_keys(&result, pool), "K L", "they are reported");
    is_int(result.expiry, NOW + SECONDS(2), "the last to expire");
}

/* Entries that expire at NOW, one microsecond before it and after it. */
static void at_now(apr_pool_t *pool)
{
    storer_mapping_new_t entry = entry_of("x", 0, -1, 0);
    storer_bytes_t mapping = no_mapping, out = no_mapping;
    apr_array_header_t *dropped = apr_array_make(pool, 4, sizeof(storer_bytes_t));

    /* entered at the beginning of time, when none of them had expired */
    entry.key = storer_bytes("at");
    storer_mapping_put(no_mapping, &entry, INT64_MIN, 0, &mapping, NULL, NULL, NULL, pool);
    entry.key = storer_bytes("after");
    entry.stale_time = storer_timestamp_of(NOW + 1);
    storer_mapping_put(mapping, &entry, INT64_MIN, 0, &mapping, NULL, NULL, NULL, pool);
    entry.key = storer_bytes("before");
    entry.stale_time = storer_timestamp_of(NOW - 1);
    storer_mapping_put(mapping, &entry, INT64_MIN, 0, &mapping, NULL, NULL, NULL, pool);
    is_string(keys(mapping, pool), "at after before", "three that expire");
    entry = entry_of("new", 0, 5, 5);
    is_status(storer_mapping_put(mapping, &entry, NOW, 0, &out, dropped, NULL, NULL, pool),
              APR_SUCCESS, "an update, with all that is optional left out but one");
    is_string(keys(out, pool), "after new", "what expires at this moment has expired");
    is_int(dropped->nelts, 2, "two are dropped");
    is_status(storer_mapping_put(mapping, &entry, NOW, 1, &out, NULL, NULL, NULL, pool),
              APR_SUCCESS, "nobody wants to know");
    is_string(keys(out, pool), "new", "only the new one");
    entry = entry_of("old", SECONDS(-9), SECONDS(-5), SECONDS(-1));
    is_status(storer_mapping_put(mapping, &entry, NOW, 0, &out, NULL, NULL, NULL, pool),
              APR_SUCCESS, "a new one that has expired itself");
    is_string(keys(out, pool), "after old", "is entered all the same");
}

static void bounded(apr_pool_t *pool)
{
    static const int stored[] = { -30, -10, -50, -20, -40 };
    storer_bytes_t mapping = no_mapping;
    result_t result;
    int i;

    for (i = 0; i < 5; i++) {
        mapping = put_ok(mapping, entry_of(apr_psprintf(pool, "%d", -stored[i]), SECONDS(stored[i]),
                                           SECONDS(50), SECONDS(90)), pool);
    }
    is_string(keys(mapping, pool), "30 10 50 20 40", "five variants");
    result = put(mapping, entry_of("new", 0, SECONDS(5), SECONDS(9)), 6, pool);
    is_string(keys(result.mapping, pool), "30 10 50 20 40 new", "six may be");
    is_string(dropped_keys(&result, pool), "", "none goes");
    result = put(mapping, entry_of("new", 0, SECONDS(5), SECONDS(9)), 5, pool);
    is_string(keys(result.mapping, pool), "30 10 20 40 new", "five may be");
    is_string(dropped_keys(&result, pool), "50", "the one stored longest ago goes");
    result = put(mapping, entry_of("new", 0, SECONDS(5), SECONDS(9)), 3, pool);
    is_string(keys(result.mapping, pool), "10 20 new", "three may be");
    is_string(dropped_keys(&result, pool), "50 40 30", "the oldest first");
    is_int(result.expiry, NOW + SECONDS(90), "the last to expire of those that stay");
    result = put(mapping, entry_of("new", SECONDS(-99), SECONDS(5), SECONDS(9)), 1, pool);
    is_string(keys(result.mapping, pool), "new", "one may be: the new one, old as it is");
    is_string(dropped_keys(&result, pool), "50 40 30 20 10", "all others go");
    is_int(result.expiry, NOW + SECONDS(9), "only its own expiry counts");
    result = put(mapping, entry_of("50", 0, SECONDS(5), SECONDS(9)), 5, pool);
    is_string(keys(result.mapping, pool), "30 10 20 40 50", "one that is replaced makes room");
    is_string(dropped_keys(&result, pool), "", "none goes");
    result = put(mapping, entry_of("new", 0, SECONDS(5), SECONDS(9)), 0, pool);
    is_string(keys(result.mapping, pool), "30 10 50 20 40 new", "without a bound");
    /* what has expired goes first, and does not count */
    mapping = join(mapping, "\x0a\x03\x0a\x01" "L", 5, pool);
    result = put(mapping, entry_of("new", 0, SECONDS(5), SECONDS(9)), 5, pool);
    is_string(dropped_keys(&result, pool), "L 50", "an expired one, and one too many");
}

/* Keys of two digits: the first is the worth, 0 for a value that is gone. */
static void rank_by_key(storer_t *self, storer_rank_t *variants, int count, apr_time_t now)
{
    int i;

    is_int(now, NOW, "the rank is asked for now");
    for (i = 0; i < count; i++) {
        variants[i].worth = variants[i].key.data[0] == '0' ? STORER_RANK_GONE
                                                           : variants[i].key.data[0] - '1';
    }
    (void)self;
}

static void bounded_by_use(apr_pool_t *pool)
{
    static const char *const names[] = { "91", "12", "33", "04", "15" };
    storer_mapping_new_t entry = entry_of("new", 0, SECONDS(5), SECONDS(9));
    storer_bytes_t mapping = no_mapping;
    result_t result;
    int i;

    for (i = 0; i < 5; i++) {
        mapping = put_ok(mapping, entry_of(names[i], SECONDS(i - 50), SECONDS(50), SECONDS(90)),
                         pool);
    }
    entry.rank = rank_by_key;
    result = put(mapping, entry, 5, pool);
    is_string(dropped_keys(&result, pool), "04", "one whose value is gone goes first");
    result = put(mapping, entry, 3, pool);
    is_string(dropped_keys(&result, pool), "04 12 15", "then those of least worth, by age");
    is_string(keys(result.mapping, pool), "91 33 new", "the others stay, old as they are");
}

static void expiry(apr_pool_t *pool)
{
    result_t result = put(no_mapping, entry_of("a", 0, SECONDS(5), SECONDS(9)), 0, pool);

    is_int(result.expiry, NOW + SECONDS(9), "the later of both times");
    result = put(result.mapping, entry_of("b", 0, SECONDS(20), SECONDS(1)), 0, pool);
    is_int(result.expiry, NOW + SECONDS(20), "also where that is the first");
    result = put(result.mapping, entry_of("c", 0, SECONDS(1), SECONDS(2)), 0, pool);
    is_int(result.expiry, NOW + SECONDS(20), "of all that are in it");
    result = put(result.mapping, entry_of("b", 0, SECONDS(1), SECONDS(2)), 0, pool);
    is_int(result.expiry, NOW + SECONDS(9), "not of one that was replaced");
}

/* ---- what is damaged or refused ---- */

static void damaged_is_replaced(apr_pool_t *pool)
{
    storer_mapping_new_t entry = entry_of("new", 0, SECONDS(5), SECONDS(9));
    storer_bytes_t mapping = put_ok(no_mapping, entry_of("a", 0, SECONDS(-5), SECONDS(-1)), pool);
    storer_bytes_t alone = put_ok(no_mapping, entry, pool), whole;
    apr_size_t cut, wrong = 0, boundary = mapping.len;

    whole = mapping = join(mapping, alone.data, alone.len, pool);
    for (cut = 1; cut < whole.len; cut++) {
        result_t result = put((storer_bytes_t){ whole.data, cut }, entry, 1, pool);

        wrong += result.rv != APR_SUCCESS || result.damaged != (cut != boundary)
                 || !storer_bytes_equal(result.mapping, alone)
                 || result.expiry != NOW + SECONDS(9)
                 || result.dropped->nelts != (cut == boundary);
    }
    is_int((long long)wrong, 0, "cut anywhere: just the new entry is left, and nothing is dropped");
    whole = put((storer_bytes_t){ "", 0 }, entry, 1, pool).mapping;
    is_bytes(whole, alone, "an empty mapping is as none");
}

/* Whatever one byte of it becomes: the update succeeds, and what it gives can be read. */
static void any_byte(apr_pool_t *parent)
{
    storer_mapping_new_t entry = entry_of("new", 0, SECONDS(5), SECONDS(9));
    storer_header_t header = { { "Accept", 6 }, { "x", 1 } };
    storer_mapping_new_t old = entry_of("old", 0, SECONDS(5), SECONDS(9));
    storer_bytes_t mapping;
    apr_size_t i, wrong = 0;
    unsigned value, step = tap_slow() ? 17 : 1;
    apr_pool_t *pool;
    char *data;

    old.varied_headers = &header;
    old.varied_count = 1;
    old.etag = storer_bytes("\"etag\"");
    mapping = join(put_ok(no_mapping, old, parent), unknown, UNKNOWN_LENGTH, parent);
    data = (char *)mapping.data;
    apr_pool_create(&pool, parent);
    for (i = 0; i < mapping.len; i++) {
        char before = data[i];

        for (value = 0; value < 256; value += step) {
            storer_mapping_entry_t read;
            result_t result;

            data[i] = (char)value;
            result = put(mapping, entry, 3, pool);
            wrong += result.rv != APR_SUCCESS || strcmp(keys(result.mapping, pool), "damaged") == 0
                     || !find(result.mapping, "new", &read)
                     || (result.damaged != (strcmp(keys(mapping, pool), "damaged") == 0));
            apr_pool_clear(pool);
        }
        data[i] = before;
    }
    is_int((long long)wrong, 0, "%lu bytes, each with every value: the update is sound",
           (unsigned long)mapping.len);
    apr_pool_destroy(pool);
}

static void not_utf8(apr_pool_t *pool)
{
    static const char *const texts[] = { "\xff", "abc\xc3", "\xed\xa0\x80", "\xc0\x80",
                                         "12345678901234567\x80" };
    size_t i;
    int place;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (place = 0; place < 5; place++) {
            storer_mapping_new_t entry = entry_of("key", 0, SECONDS(5), SECONDS(9));
            storer_header_t headers[2] = { { { "A", 1 }, { "x", 1 } }, { { "B", 1 }, { "y", 1 } } };
            storer_bytes_t *places[5], out = { "untouched", 9 };

            places[0] = &entry.key;
            places[1] = &entry.real_key;
            places[2] = &entry.etag;
            places[3] = &headers[1].name;
            places[4] = &headers[1].value;
            entry.varied_headers = headers;
            entry.varied_count = 2;
            *places[place] = storer_bytes(texts[i]);
            is_status(storer_mapping_put(no_mapping, &entry, NOW, 0, &out, NULL, NULL, NULL, pool),
                      APR_EINVAL, "not UTF-8, %lu, in place %d", (unsigned long)i, place);
            is_bytes(out, storer_bytes("untouched"), "the output is untouched");
        }
    }
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    round_trips(pool);
    replaces_its_own(pool);
    twice_in_the_old(pool);
    unknown_fields_stay(pool);
    expired_go(pool);
    at_now(pool);
    bounded(pool);
    bounded_by_use(pool);
    expiry(pool);
    damaged_is_replaced(pool);
    any_byte(pool);
    not_utf8(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
