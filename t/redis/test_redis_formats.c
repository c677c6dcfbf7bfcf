/* SPDX-License-Identifier: Apache-2.0
 *
 * test_redis_formats.c - names, values, entries of mappings, commands and answers, as bytes: there
 * and back, at the limits, and whatever a server may send in their place. No server is needed.
 */
#include "batch.h"
#include "keyindex.h"
#include "names.h"
#include "opened.h"
#include "reply.h"
#include "tap.h"
#include "value.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;
static const names_t plain = { "p", 1, 0 }, clustered = { "p", 1, 1 };

static unsigned next_random(void)
{
    static unsigned state = 1;

    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static storer_bytes_t text(const char *string)
{
    return storer_bytes(string);
}

/* ---- names ---- */

static storer_bytes_t name_of(const names_t *names, storer_bytes_t key)
{
    names_key_t name = { NAMES_VALUE, key, 0 };
    char *to = apr_palloc(pool, NAMES_TEXT_MAX);
    storer_bytes_t bytes = { to, names_write(names, &name, to) };

    return bytes;
}

static void test_names(void)
{
    static const char *const table[][3] = {
        { "http://h/a", "p:http://h/a", "p:{http://h/a}" },
        { "IDX_http://h/a", "p:IDX_http://h/a", "p:IDX_{http://h/a}" },
        { "IDX_", "p:IDX_", "p:{IDX_}" },
        { "a{-VARY-}b", "p:a{-VARY-}b", "p:{a{-VARY-}b}" },
        { "}", "p:}", "p:{}}" },
    };
    char *back = apr_palloc(pool, STORER_KEY_MAX + 1);
    unsigned i;
    int c;

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        storer_bytes_t key = text(table[i][0]), one = name_of(&plain, key),
                       two = name_of(&clustered, key), got = { back, 0 };

        is_bytes(one, text(table[i][1]), "%s", table[i][0]);
        is_bytes(two, text(table[i][2]), "%s in a cluster", table[i][0]);
        got.len = names_read(&plain, one, back);
        is_bytes(got, key, "and back");
        got.len = names_read(&clustered, two, back);
        is_bytes(got, key, "and back");
    }
    for (c = 0; c < 2; c++) {
        const names_t *names = c ? &clustered : &plain;
        storer_bytes_t longest = opened_bytes(STORER_KEY_MAX, 1, pool), got = { back, 0 };

        got.len = names_read(names, name_of(names, longest), back);
        ok(got.len == longest.len && memcmp(back, longest.data, got.len) == 0, "the longest key");
        is_int(names_read(names, text(""), back), 0, "no name of ours");
        is_int(names_read(names, text("p"), back), 0, "no name of ours: the prefix alone");
        is_int(names_read(names, text("p:"), back), 0, "no name of ours: no key");
        is_int(names_read(names, text("pp:{a}"), back), 0, "no name of ours: another prefix");
        is_int(names_read(names, text("p#00:1"), back), 0, "no name of ours: a part");
    }
    is_int(names_read(&clustered, text("p:a"), back), 0, "in a cluster: no braces");
    is_int(names_read(&clustered, text("p:{a"), back), 0, "in a cluster: half of them");
    is_int(names_read(&clustered, text("p:{}"), back), 0, "in a cluster: nothing in them");
}

/* What CLUSTER KEYSLOT says. */
static void test_slots(void)
{
    is_int(names_slot("123456789", 9), 12739, "the slot of 123456789");
    is_int(names_slot("foo", 3), 12182, "of foo");
    is_int(names_slot("x{foo}y", 7), 12182, "a tag decides");
    is_int(names_slot("{}foo", 5), names_slot("{}foo", 5), "an empty one does not");
    ok(names_slot("{}foo", 5) != 12182, "nor what follows it alone");
    is_int(names_slot("{foo", 4) != 12182, 1, "an open one is none");
    is_int(names_slot("", 0), 0, "nothing is in slot 0");
}

static void test_patterns(void)
{
    char *to = apr_palloc(pool, NAMES_TEXT_MAX * 2);
    storer_bytes_t got = { to, 0 };

    got.len = names_pattern(&plain, text("a*[?]\\x"), to);
    is_bytes(got, text("p:a\\*\\[\\?\\]\\\\x*"), "what SCAN takes for more is escaped");
    got.len = names_pattern(&clustered, text("IDX_a*"), to);
    is_bytes(got, text("p:IDX_{a\\**"), "mappings in a cluster");
    got.len = names_pattern(&clustered, text("I"), to);
    is_bytes(got, text("p:*"), "what may be both");
    got.len = names_pattern_parts(&plain, to);
    is_bytes(got, text("p#*"), "parts");
}

/* ---- values ---- */

static char *stored_value(value_t *value, const char *key, storer_bytes_t bytes, apr_size_t *len)
{
    storer_bytes_t first = bytes;
    char *stored;

    if (value_init(value, FAR) != APR_SUCCESS) {
        bail_out("no random bytes");
    }
    value_set_length(value, (apr_off_t)bytes.len);
    first.len = value->first_size;
    *len = VALUE_HEAD_SIZE + first.len;
    stored = apr_palloc(pool, *len);
    value_write_head(value, text(key), first, stored);
    memcpy(stored + VALUE_HEAD_SIZE, first.data, first.len);
    return stored;
}

static void test_values(void)
{
    static const apr_size_t lengths[] = { 0, 1, VALUE_PART_MAX - 1, VALUE_PART_MAX,
                                          VALUE_PART_MAX + 1, 2 * VALUE_PART_MAX,
                                          3 * VALUE_PART_MAX - 7 };
    unsigned i;

    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        storer_bytes_t bytes = opened_bytes(lengths[i], i, pool), first, part, stored;
        value_t value, got;
        apr_uint32_t number;
        int whole;

        stored.data = stored_value(&value, "key", bytes, &stored.len);
        ok(stored.len < 1024 * 1024, "%lu bytes: one command moves less than 1 MB",
           (unsigned long)lengths[i]);
        is_status(value_read(&got, text("key"), stored, &first), APR_SUCCESS, "read");
        whole = got.length == (apr_off_t)bytes.len && memcmp(first.data, bytes.data, first.len) == 0
                && got.expiry.stale_until == FAR.stale_until;
        for (number = 1; number < got.parts; number++) {
            apr_size_t at = (apr_size_t)number * VALUE_PART_MAX, rest = bytes.len - at;
            storer_bytes_t source = { bytes.data + at, rest < VALUE_PART_MAX ? rest
                                                                             : VALUE_PART_MAX };
            storer_bytes_t held = { NULL, VALUE_PART_HEAD + source.len };
            char *to = apr_palloc(pool, held.len);

            value_write_part(&value, number, source, to);
            memcpy(to + VALUE_PART_HEAD, source.data, source.len);
            held.data = to;
            whole = whole && value_read_part(&got, number, held, &part) == APR_SUCCESS
                    && part.len == source.len && memcmp(part.data, source.data, part.len) == 0
                    && value_read_part(&got, number + 1, held, &part) == APR_EINVAL;
        }
        ok(whole, "whole");
        is_status(value_read(&got, text("kez"), stored, &first), APR_EINVAL, "not another key's");
    }
}

/* Each byte changed, each length cut: no value. */
static void test_damaged_values(void)
{
    storer_bytes_t bytes = opened_bytes(100, 1, pool), first, stored, cut;
    value_t value, got;
    apr_size_t i;
    int taken = 0;
    char *to;

    to = stored_value(&value, "key", bytes, &stored.len);
    stored.data = to;
    for (i = 0; i < stored.len; i++) {
        to[i] = (char)(to[i] ^ (1 << i % 8));
        taken += value_read(&got, text("key"), stored, &first) == APR_SUCCESS;
        to[i] = (char)(to[i] ^ (1 << i % 8));
    }
    is_int(taken, 0, "no byte can be changed");
    for (i = 0; i < stored.len; i++) {
        cut.data = apr_pmemdup(pool, to, i + 1);
        cut.len = i;
        taken += value_read(&got, text("key"), cut, &first) == APR_SUCCESS;
    }
    is_int(taken, 0, "none can be missing");
    is_status(value_read(&got, text("key"), stored, &first), APR_SUCCESS, "it was whole");
    cut.data = NULL;
    cut.len = 0;
    is_status(value_read(&got, text("key"), cut, &first), APR_EINVAL, "nor is nothing a value");
}

/* Heads with any numbers, and any bytes at all: what is believed is bounded. */
static void test_any_values(void)
{
    char bytes[VALUE_HEAD_SIZE + 64];
    storer_bytes_t stored = { bytes, 0 };
    int i, round, wrong = 0, believed = 0;

    for (round = 0; round < 200000; round++) {
        value_t value;

        for (i = 0; i < (int)sizeof(bytes); i++) {
            bytes[i] = (char)next_random();
        }
        memcpy(bytes, "STV1", 4);
        if (round % 2) { /* small numbers, so that they may agree with each other */
            memset(bytes + 4, 0, 12);
            bytes[4] = (char)(next_random() % 3);
            bytes[8] = (char)(next_random() % 64);
            memset(bytes + 48, 0, 8);
            bytes[48] = (char)(next_random() % 64);
            bytes[52] = (char)(next_random() % 64);
        }
        stored.len = next_random() % (sizeof(bytes) + 1);
        if (value_read_head(&value, stored) == APR_SUCCESS) {
            believed++;
            wrong += value.parts < 1 || value.length < 0 || value.part_size > VALUE_PART_MAX
                     || value.length > (apr_off_t)value.part_size * value.parts;
        }
        wrong += value_read(&value, text("key"), stored, &stored) == APR_SUCCESS;
    }
    ok(believed > 0, "some heads agree with themselves (%d)", believed);
    is_int(wrong, 0, "within bounds, and without a checksum they are no values");
}

static void test_lifetimes(void)
{
    is_int(value_ttl(T0, T0), 0, "over is over");
    is_int(value_ttl(T0 - 1, T0), 0, "and stays so");
    is_int(value_ttl(T0 + 1, T0), 1001, "a moment is a millisecond, and a second that is always added");
    is_int(value_ttl(T0 + 1500, T0), 1002, "rounded up");
    is_int(value_ttl(T0 + apr_time_from_sec(60), T0), 61000, "a minute");
    is_int(value_ttl(APR_INT64_MAX, T0), INT64_C(10) * 365 * 86400 * 1000, "for ever is ten years");
    is_int(value_ttl(APR_INT64_MAX, -T0), INT64_C(10) * 365 * 86400 * 1000, "from any time on");
    is_int(value_ttl(APR_INT64_MIN, T0), 0, "or before all times");
}

/* ---- entries of mappings ---- */

/* A KeyIndex with times of 1 s, 2 s + 5000 ns, 3 s, and real key "rk"; and a field nobody knows. */
static const char sample[] = "\x0a\x02\x08\x01" "\x12\x05\x08\x02\x10\x88\x27" "\x1a\x02\x08\x03"
                             "\x32\x02rk" "\x58\x07";

static storer_bytes_t sealed(storer_bytes_t mapping, const keyindex_t *index)
{
    char *to = apr_palloc(pool, index->bytes.len + KEYINDEX_SEAL_SIZE);
    storer_bytes_t content = { to, index->bytes.len + KEYINDEX_SEAL_SIZE };

    memcpy(to, index->bytes.data, index->bytes.len);
    keyindex_seal(mapping, index, to + index->bytes.len);
    return content;
}

static void test_entries(void)
{
    keyindex_t index = { .key = text("value"), .bytes = { sample, sizeof(sample) - 1 } }, got;
    storer_bytes_t mapping = text("IDX_url"), content = sealed(mapping, &index), cut;
    apr_size_t i;
    int taken = 0;
    char *to = apr_pmemdup(pool, content.data, content.len);

    got.key = index.key;
    is_status(keyindex_unseal(mapping, content, &got), APR_SUCCESS, "an entry");
    is_bytes(got.bytes, index.bytes, "is what it was");
    is_int(got.stored_at, 1000000, "stored at");
    is_int(got.expiry.fresh_until, 2000005, "fresh until");
    is_int(got.expiry.stale_until, 3000000, "stale until");
    is_bytes(got.real_key, text("rk"), "its real key");
    is_status(keyindex_unseal(text("IDX_other"), content, &got), APR_EINVAL, "not another mapping's");
    got.key = text("another");
    is_status(keyindex_unseal(mapping, content, &got), APR_EINVAL, "not of another value");

    got.key = index.key;
    for (i = 0; i < content.len; i++) {
        to[i] = (char)(to[i] ^ (1 << i % 8));
        cut.data = to;
        cut.len = content.len;
        taken += keyindex_unseal(mapping, cut, &got) == APR_SUCCESS;
        to[i] = content.data[i];
        cut.data = apr_pmemdup(pool, content.data, i + 1);
        cut.len = i;
        taken += keyindex_unseal(mapping, cut, &got) == APR_SUCCESS;
    }
    is_int(taken, 0, "neither changed nor cut");
}

static void test_joined(void)
{
    keyindex_t index = { .key = text("value"), .bytes = { sample, sizeof(sample) - 1 } }, got;
    apr_size_t len = keyindex_size(&index);
    char *to = apr_palloc(pool, 2 * len), *end = keyindex_write(&index, to);
    keyindex_cursor_t cursor = { to, to + 2 * len };

    is_int(end - to, (long)len, "an entry is as long as it says");
    end = keyindex_write(&index, end);
    is_status(keyindex_next(&cursor, &got), APR_SUCCESS, "one");
    is_bytes(got.key, index.key, "its key");
    is_bytes(got.bytes, index.bytes, "its bytes");
    is_status(keyindex_next(&cursor, &got), APR_SUCCESS, "two");
    is_status(keyindex_next(&cursor, &got), APR_EOF, "and no more");
}

/* Any bytes: bounded, and nothing is read that is not there (which sanitizers and valgrind see). */
static void test_any_entries(void)
{
    int round, read = 0, refused = 0;

    for (round = 0; round < 100000; round++) {
        apr_size_t len = next_random() % 40, i;
        char *bytes = malloc(len + 1);
        keyindex_cursor_t cursor = { bytes, bytes + len };
        keyindex_t index;
        apr_status_t rv;

        for (i = 0; i < len; i++) { /* mostly what protobuf is made of */
            bytes[i] = (char)(next_random() % 4 ? next_random() % 32 : next_random());
        }
        index.bytes.data = bytes;
        index.bytes.len = len;
        (void)keyindex_read(&index);
        do {
            rv = keyindex_next(&cursor, &index);
            read += rv == APR_SUCCESS;
        } while (rv == APR_SUCCESS);
        refused += rv == APR_EINVAL;
        free(bytes);
    }
    ok(read > 0 && refused > 0, "%d entries read, %d times refused", read, refused);
}

/* ---- commands ---- */

static void test_batches(void)
{
    const unsigned char version[NAMES_VERSION_SIZE] = { 0xab, 0, 0xff };
    batch_t batch;
    storer_bytes_t got;
    int i;

    batch_begin(&batch, &clustered);
    batch_command(&batch, REPLY_IS_STATUS, 4, "SET");
    batch_key(&batch, text("a"));
    batch_two(&batch, text("x"), text("yz"));
    batch_number(&batch, -12);
    batch_command(&batch, REPLY_IS_VALUE, 2, "GET");
    batch_part(&batch, version, 7);
    got = batch_nth(&batch, 0);
    is_bytes(got, text("*4\r\n$3\r\nSET\r\n$5\r\np:{a}\r\n$3\r\nxyz\r\n$3\r\n-12\r\n"), "a command");
    got = batch_nth(&batch, 1);
    is_bytes(got, text("*2\r\n$3\r\nGET\r\n$38\r\np#{ab00ff00000000000000000000000000}:7\r\n"),
             "a part");
    is_int(batch.slot, names_slot("a", 1), "the slot is that of the first key");
    batch_end(&batch);

    batch_begin(&batch, &plain);
    for (i = 0; i < 1000; i++) {
        batch_command(&batch, REPLY_IS_VALUE, 2, "GET");
        batch_key(&batch, text(apr_psprintf(pool, "key number %d", i)));
    }
    is_int(batch.count, 1000, "more than there is room for at first");
    is_bytes(batch_nth(&batch, 999), text("*2\r\n$3\r\nGET\r\n$16\r\np:key number 999\r\n"),
             "each is found");
    batch_end(&batch);
}

/* ---- answers ---- */

/* Feed an answer in pieces. @return what came out, or NULL */
static reply_t *parse(storer_bytes_t bytes, reply_limits_t *limits, int *failed)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    apr_size_t at = 0;

    *failed = 0;
    reader->fn = &reply_functions;
    reader->privdata = limits;
    while (at < bytes.len && !reply && !*failed) {
        apr_size_t len = 1 + next_random() % 7;

        len = len < bytes.len - at ? len : bytes.len - at;
        *failed = redisReaderFeed(reader, bytes.data + at, len) != REDIS_OK
                  || redisReaderGetReply(reader, &reply) != REDIS_OK;
        at += len;
    }
    redisReaderFree(reader);
    return reply;
}

static void test_answers(void)
{
    reply_limits_t limits = { .bytes_max = 1000, .nodes_max = 20 };
    reply_t *reply;
    int failed;

    reply = parse(text("*4\r\n$3\r\nabc\r\n:-5\r\n$-1\r\n*1\r\n+OK\r\n"), &limits, &failed);
    if (!ok(reply && reply->type == REPLY_ARRAY && reply->count == 4, "an array")) {
        return;
    }
    is_bytes(reply_string(reply->elements[0]), text("abc"), "a string");
    is_int(reply->elements[1]->integer, -5, "an integer");
    is_int(reply->elements[2]->type, REPLY_NIL, "nothing");
    ok(!reply_string(reply->elements[2]).data, "has no text");
    is_int(reply->elements[3]->elements[0]->type, REPLY_STATUS, "an array in the array");
    reply_free(reply);

    limits.bytes = limits.nodes = 0;
    reply = parse(text("-WRONGTYPE Operation\r\n"), &limits, &failed);
    ok(reply && reply_is_error(reply, "WRONGTYPE"), "an error");
    ok(reply && !reply_is_error(reply, "WRONG") && !reply_is_error(reply, "WRONGTYPES"),
       "and no other");
    reply_free(reply);

    limits.bytes = limits.nodes = 0;
    reply = parse(text("*1000000\r\n"), &limits, &failed);
    ok(!reply && failed, "an array longer than any of ours is refused when it is announced");
    limits.bytes = limits.nodes = 0;
    reply = parse(text(apr_psprintf(pool, "$1200\r\n%01200d\r\n", 0)), &limits, &failed);
    ok(!reply && failed, "as is a string");
}

/* Bytes like those of answers. */
static void test_any_answers(void)
{
    static const char letters[] = "*$:+-0123456789\r\n\r\n\r\nabc";
    int round, whole = 0, refused = 0;

    for (round = 0; round < 100000; round++) {
        reply_limits_t limits = { .bytes_max = 500, .nodes_max = 50 };
        char bytes[64];
        storer_bytes_t given = { bytes, next_random() % sizeof(bytes) };
        reply_t *reply;
        apr_size_t i;
        int failed;

        for (i = 0; i < given.len; i++) {
            bytes[i] = letters[next_random() % (sizeof(letters) - 1)];
        }
        if (given.len > 3 && round % 2) {
            memcpy(bytes, "*2\r\n", 4);
        }
        reply = parse(given, &limits, &failed);
        whole += reply != NULL;
        refused += failed;
        reply_free(reply);
    }
    ok(whole > 0 && refused > 0, "%d answers, %d refused", whole, refused);
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_names();
    test_slots();
    test_patterns();
    test_values();
    test_damaged_values();
    test_any_values();
    test_lifetimes();
    test_entries();
    test_joined();
    test_any_entries();
    test_batches();
    test_answers();
    test_any_answers();
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
