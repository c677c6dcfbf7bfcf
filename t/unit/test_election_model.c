/* SPDX-License-Identifier: Apache-2.0
 *
 * test_election_model.c - the election against the plainest way to hold one: all entries read into
 * an array, those that do not count or do not fit struck out, the rest sorted. Over thousands of
 * mappings thrown together, and over one with each of its bytes changed.
 */
#include "election.h"
#include "storer_private.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

#define NOW         ((apr_time_t)1700000000 * APR_USEC_PER_SEC)
#define ENTRIES_MAX 12

/* ---- the model ---- */

static int compare_entries(const void *left, const void *right)
{
    const storer_mapping_entry_t *a = left, *b = right;
    int a_fresh = NOW < storer_timestamp_time(a->fresh_time);
    int b_fresh = NOW < storer_timestamp_time(b->fresh_time), order;

    if (a_fresh != b_fresh) {
        return b_fresh - a_fresh;
    }
    if ((a->varied_count > 0) != (b->varied_count > 0)) {
        return a->varied_count > 0 ? -1 : 1;
    }
    if (a->stored_at.seconds != b->stored_at.seconds) {
        return a->stored_at.seconds > b->stored_at.seconds ? -1 : 1;
    }
    if (a->stored_at.nanos != b->stored_at.nanos) {
        return a->stored_at.nanos > b->stored_at.nanos ? -1 : 1;
    }
    order = memcmp(a->key.data, b->key.data, a->key.len < b->key.len ? a->key.len : b->key.len);
    return order ? order : (int)a->key.len - (int)b->key.len;
}

static storer_bytes_t join(storer_bytes_t head, storer_bytes_t tail, apr_pool_t *pool)
{
    char *data = apr_palloc(pool, head.len + 2 + tail.len);
    storer_bytes_t joined = { data, head.len + 2 + tail.len };

    memcpy(data, head.data, head.len);
    memcpy(data + head.len, ", ", 2);
    memcpy(data + head.len + 2, tail.data, tail.len);
    return joined;
}

/* The header's values joined; those of the last header of a name are what the name has. */
static int model_fits(const storer_mapping_entry_t *entry, const storer_request_t *request,
                      apr_pool_t *pool)
{
    apr_hash_t *headers = apr_hash_make(pool); /* names have case here */
    apr_hash_index_t *index;
    storer_varied_cursor_t cursor;
    storer_varied_t varied;

    storer_varied_begin(&cursor, entry);
    while (storer_varied_next(&cursor, &varied) == APR_SUCCESS) {
        storer_bytes_t *joined = apr_pcalloc(pool, sizeof(*joined)), value;
        storer_value_cursor_t values;

        storer_value_begin(&values, &varied);
        while (storer_value_next(&values, &value) == APR_SUCCESS) {
            *joined = joined->data ? join(*joined, value, pool) : value;
        }
        apr_hash_set(headers, varied.name.data, (apr_ssize_t)varied.name.len, joined);
    }
    for (index = apr_hash_first(pool, headers); index; index = apr_hash_next(index)) {
        storer_bytes_t name = { apr_hash_this_key(index), (apr_size_t)apr_hash_this_key_len(index) };
        const storer_bytes_t *value = apr_hash_this_val(index);

        if (!storer_bytes_equal(request->header(request->baton, name), *value)) {
            return 0;
        }
    }
    return 1;
}

/* All that may be elected, best first, as text. */
static const char *model(storer_bytes_t mapping, const storer_request_t *request,
                         const storer_validator_t *validator, apr_pool_t *pool)
{
    apr_array_header_t *entries = apr_array_make(pool, ENTRIES_MAX, sizeof(storer_mapping_entry_t));
    storer_mapping_cursor_t cursor;
    storer_mapping_entry_t entry;
    const char *text = "";
    apr_status_t rv;
    int i, kept = 0;

    storer_mapping_begin(&cursor, mapping);
    for (rv = storer_mapping_next(&cursor, &entry); rv == APR_SUCCESS;
         rv = storer_mapping_next(&cursor, &entry)) {
        for (i = 0; i < entries->nelts; i++) {
            storer_mapping_entry_t *earlier = &APR_ARRAY_IDX(entries, i, storer_mapping_entry_t);

            if (storer_bytes_equal(earlier->key, entry.key)) {
                earlier->raw.data = NULL;
            }
        }
        APR_ARRAY_PUSH(entries, storer_mapping_entry_t) = entry;
    }
    if (rv != APR_EOF) {
        return "damaged";
    }
    for (i = 0; i < entries->nelts; i++) {
        entry = APR_ARRAY_IDX(entries, i, storer_mapping_entry_t);
        if (entry.raw.data && (NOW < storer_timestamp_time(entry.fresh_time)
                               || NOW < storer_timestamp_time(entry.stale_time))
            && model_fits(&entry, request, pool)
            && (!validator || storer_validator_allows(validator, entry.etag))) {
            APR_ARRAY_IDX(entries, kept++, storer_mapping_entry_t) = entry;
        }
    }
    qsort(entries->elts, (size_t)kept, sizeof(entry), compare_entries);
    for (i = 0; i < kept; i++) {
        entry = APR_ARRAY_IDX(entries, i, storer_mapping_entry_t);
        text = apr_psprintf(pool, "%s %.*s/%.*s/%d", text, (int)entry.key.len, entry.key.data,
                            (int)entry.etag.len, entry.etag.data,
                            NOW < storer_timestamp_time(entry.fresh_time));
    }
    return text;
}

/* ---- the library ---- */

static const char *elected(storer_bytes_t mapping, const storer_request_t *request,
                           const storer_validator_t *validator, apr_pool_t *pool)
{
    storer_candidate_t next, candidate;
    const storer_candidate_t *after = NULL;
    const char *text = "";
    int count = 0;

    for (;;) {
        apr_status_t rv = storer_elect(mapping, request, validator, NOW, after, &next);

        if (rv == APR_NOTFOUND) {
            return text;
        }
        if (rv != APR_SUCCESS) {
            return rv == APR_EINVAL ? "damaged" : "unexpected status";
        }
        if (++count > 1000) {
            return "without end";
        }
        candidate = next;
        after = &candidate;
        text = apr_psprintf(pool, "%s %.*s/%.*s/%d", text, (int)next.key.len, next.key.data,
                            (int)next.etag.len, next.etag.data, next.fresh);
    }
}

/* ---- mappings thrown together ---- */

typedef struct dice_t {
    apr_uint64_t state;
} dice_t;

static unsigned roll(dice_t *dice, unsigned sides)
{
    dice->state = dice->state * APR_UINT64_C(6364136223846793005) + APR_UINT64_C(1442695040888963407);
    return (unsigned)(dice->state >> 33) % sides;
}

static apr_size_t add_field(char *to, unsigned number, const char *data, apr_size_t len)
{
    to[0] = (char)(number << 3 | 2);
    to[1] = (char)(len & 0x7f);
    if (len < 0x80) {
        memcpy(to + 2, data, len);
        return len + 2;
    }
    to[1] |= (char)0x80;
    to[2] = (char)(len >> 7);
    memcpy(to + 3, data, len);
    return len + 3;
}

static apr_size_t add_time(char *to, unsigned number, apr_int64_t seconds)
{
    char time[256], *end = time;

    *end++ = 1 << 3;
    for (; seconds >= 0x80; seconds >>= 7) {
        *end++ = (char)(seconds | 0x80);
    }
    *end++ = (char)seconds;
    return add_field(to, number, time, (apr_size_t)(end - time));
}

static apr_size_t add_header(char *to, dice_t *dice)
{
    static const char *const names[] = { "X", "Y", "x" }, *const values[] = { "", "a", "b", "a, b" };
    const char *name = names[roll(dice, 3)], *value;
    char list[256], header[512];
    apr_size_t list_length = 0, length;
    unsigned count = roll(dice, 3);

    for (; count > 0; count--) {
        value = values[roll(dice, 4)];
        list_length += add_field(list + list_length, 1, value, strlen(value));
    }
    length = add_field(header, 1, name, strlen(name));
    length += add_field(header + length, 2, list, list_length);
    return add_field(to, 4, header, length);
}

static apr_size_t add_entry(char *to, dice_t *dice)
{
    static const char *const keys[] = { "a", "b", "aa", "c", "" }, *const tags[] = { "", "\"1\"",
                                                                                   "W/\"1\"", "\"2\"" };
    static const apr_int64_t times[] = { 1600000000, 1700000000, 1700000001, 1800000000 };
    const char *key = keys[roll(dice, 5)], *tag = tags[roll(dice, 4)];
    char index[2048], entry[4096];
    apr_size_t length = 0;
    unsigned count = roll(dice, 3);

    length += add_time(index, 1, 1 + roll(dice, 4));
    length += add_time(index + length, 2, times[roll(dice, 4)]);
    length += add_time(index + length, 3, times[roll(dice, 4)]);
    for (; count > 0; count--) {
        length += add_header(index + length, dice);
    }
    length += add_field(index + length, 5, tag, strlen(tag));
    count = (unsigned)add_field(entry, 1, key, strlen(key));
    count += (unsigned)add_field(entry + count, 2, index, length);
    return add_field(to, 1, entry, count);
}

static storer_bytes_t throw_mapping(dice_t *dice, apr_pool_t *pool)
{
    char *data = apr_palloc(pool, ENTRIES_MAX * 4096);
    storer_bytes_t mapping = { data, 0 };
    unsigned count = roll(dice, ENTRIES_MAX + 1);

    for (; count > 0; count--) {
        mapping.len += add_entry(data + mapping.len, dice);
    }
    return mapping;
}

static storer_bytes_t find_header(void *baton, storer_bytes_t name)
{
    const char *const *values = baton;
    storer_bytes_t none = { NULL, 0 };
    const char *value;

    if (name.len != 1) {
        return none;
    }
    value = *name.data == 'X' || *name.data == 'x' ? values[0]
                                                    : *name.data == 'Y' ? values[1] : NULL;
    return value ? storer_bytes(value) : none;
}

static void throw_request(dice_t *dice, const char **values)
{
    static const char *const choices[] = { NULL, "", "a", "b", "a, b", "a, a, b" };

    values[0] = choices[roll(dice, 6)];
    values[1] = choices[roll(dice, 6)];
}

static void thrown_together(apr_pool_t *parent)
{
    int i, rounds = tap_slow() ? 2000 : 40000, wrong = 0, several = 0, none = 0;
    dice_t dice = { 42 };
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    for (i = 0; i < rounds; i++) {
        storer_bytes_t mapping = throw_mapping(&dice, pool);
        const char *values[2], *got, *want;
        storer_request_t request = { find_header, values, NULL };
        storer_validator_t validator;

        throw_request(&dice, values);
        storer_validator_parse(&validator, &request, pool);
        if (roll(&dice, 3) == 0) {
            APR_ARRAY_PUSH(validator.if_none_match, storer_bytes_t) = storer_bytes("\"1\"");
        }
        got = elected(mapping, &request, &validator, pool);
        want = model(mapping, &request, &validator, pool);
        if (strcmp(got, want) != 0 && wrong++ < 5) {
            diag("round %d: got \"%s\", want \"%s\"", i, got, want);
        }
        none += !*want;
        several += *want && strchr(want + 1, ' ') != NULL;
        apr_pool_clear(pool);
    }
    is_int(wrong, 0, "of %d elections (%d with several candidates, %d with none) none is wrong", rounds,
           several, none);
    ok(several > rounds / 10 && none > rounds / 10, "and they were of all kinds");
    apr_pool_destroy(pool);
}

/* In memory of exactly its length. */
static const char *elected_exactly(const storer_bytes_t *mapping, const storer_request_t *request,
                                   apr_pool_t *pool)
{
    char *copy = malloc(mapping->len + !mapping->len);
    storer_bytes_t exact = { copy, mapping->len };
    const char *text;

    if (!copy) {
        bail_out("no memory");
    }
    memcpy(copy, mapping->data, mapping->len);
    text = elected(exact, request, NULL, pool);
    free(copy);
    return text;
}

static void changed(storer_bytes_t original, const storer_request_t *request, apr_pool_t *parent)
{
    apr_size_t i, count = 0, wrong = 0, damaged = 0;
    unsigned value, step = tap_slow() ? 51 : 1;
    storer_bytes_t mapping;
    apr_pool_t *pool;
    char *data;

    apr_pool_create(&pool, parent);
    data = apr_pmemdup(parent, original.data, original.len);
    mapping.data = data;
    mapping.len = original.len;
    for (i = 0; i < original.len; i++) {
        for (value = 0; value < 256; value += step, count++) {
            const char *got;

            data[i] = (char)value;
            got = elected_exactly(&mapping, request, pool);
            damaged += strcmp(got, "damaged") == 0;
            wrong += strcmp(got, model(mapping, request, NULL, pool)) != 0;
            apr_pool_clear(pool);
        }
        data[i] = original.data[i];
    }
    is_int((long long)wrong, 0, "one byte of %lu changed: no election is wrong",
           (unsigned long)original.len);
    ok(damaged > count / 10 && damaged < count, "%lu of %lu are damage", (unsigned long)damaged,
       (unsigned long)count);
    for (wrong = 0, mapping.len = 0; mapping.len < original.len; mapping.len++) {
        wrong += strcmp(elected_exactly(&mapping, request, pool), model(mapping, request, NULL, pool))
                 != 0;
    }
    is_int((long long)wrong, 0, "cut anywhere: no election is wrong");
    apr_pool_destroy(pool);
}

static void each_byte(apr_pool_t *pool)
{
    const char *values[2] = { "a", NULL };
    storer_request_t request = { find_header, values, NULL };
    dice_t dice = { 7 };
    int done = 0;

    while (done < 3) {
        storer_bytes_t mapping = throw_mapping(&dice, pool);

        if (mapping.len > 100 && mapping.len < 400
            && *elected(mapping, &request, NULL, pool) != '\0') {
            changed(mapping, &request, pool);
            done++;
        }
    }
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    thrown_together(pool);
    each_byte(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
