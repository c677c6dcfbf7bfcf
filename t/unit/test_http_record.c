/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_record.c - the stored form of a response. Bytes from a store are from a disk, from shared
 * memory or from a peer: no damage and no forgery may be read as a response, or read beyond the value.
 *
 * Includes the source, for a forger knows the checksum too.
 */
#include "mod_cache_storer/http/record.c"

#include "http_fixture.h"
#include "tap.h"

#include <apr_strings.h>

#include <stdlib.h>

#define BODY "the body of the response"

/* ---- values in two parts ---- */

typedef struct value_t {
    storer_bytes_t second;
    int            damaged;
} value_t;

static apr_status_t value_next(storer_view_t *view)
{
    value_t *value = view->lease;

    if (value->damaged) {
        return APR_EGENERAL;
    }
    if (value->second.len == 0) {
        return APR_EOF;
    }
    view->part = value->second;
    value->second.len = 0;
    return APR_SUCCESS;
}

static void value_release(storer_view_t *view)
{
    (void)view;
}

static const storer_view_ops_t value_ops = { value_next, value_release, NULL };

/* Each part is a piece of memory of its own, so that a sanitizer sees who reads beyond it. */
static storer_view_t view_of(const char *data, apr_size_t length, apr_size_t split, value_t *value,
                             apr_pool_t *pool)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    char *first = apr_palloc(pool, split), *second = apr_palloc(pool, length - split);

    memcpy(first, data, split);
    memcpy(second, data + split, length - split);
    value->second.data = second;
    value->second.len = length - split;
    value->damaged = 0;
    view.ops = &value_ops;
    view.lease = value;
    view.length = (apr_off_t)length;
    view.part.data = first;
    view.part.len = split;
    return view;
}

static apr_status_t decode(const char *data, apr_size_t length, record_t *record, apr_pool_t *pool)
{
    value_t value;
    storer_view_t view = view_of(data, length, length, &value, pool);

    return record_decode(&view, record, pool);
}

/* ---- a response ---- */

static record_t a_record(void)
{
    record_t record;

    memset(&record, 0, sizeof(record));
    record.status = 404;
    record.freshness.date = apr_time_from_sec(1800000000);
    record.freshness.expires = apr_time_from_sec(1800000060);
    record.freshness.request_time = apr_time_from_sec(1799999998) + 7;
    record.freshness.response_time = apr_time_from_sec(1799999999) + 8;
    record.freshness.max_age = 60;
    record.freshness.s_maxage = -1;
    record.freshness.must_revalidate = 1;
    record.freshness.is_public = 1;
    record.body_length = sizeof(BODY) - 1;
    record.body_limit = 1000000;
    record.epoch = 12;
    record.site = 34;
    record.tags = "one two";
    record.origin_etag = "W/\"v1\"";
    return record;
}

static apr_table_t *a_head(apr_pool_t *pool)
{
    apr_table_t *headers = apr_table_make(pool, 4);

    apr_table_addn(headers, "Content-Type", "text/plain");
    apr_table_addn(headers, "Link", "</a>");
    apr_table_addn(headers, "Link", "</b>");
    apr_table_addn(headers, "X-Empty", "");
    return headers;
}

/* Head, block and body in one piece. */
static storer_bytes_t a_value(const record_t *record, apr_pool_t *pool)
{
    storer_bytes_t head, value;
    char *data;

    if (record_encode(a_head(pool), record, &head, pool) != APR_SUCCESS) {
        bail_out("a response cannot be encoded");
    }
    data = apr_palloc(pool, head.len + sizeof(BODY) - 1);
    memcpy(data, head.data, head.len);
    memcpy(data + head.len, BODY, sizeof(BODY) - 1);
    value.data = data;
    value.len = head.len + sizeof(BODY) - 1;
    return value;
}

static int is_same_freshness(const freshness_t *a, const freshness_t *b)
{
    return a->date == b->date && a->expires == b->expires && a->request_time == b->request_time
           && a->response_time == b->response_time && a->max_age == b->max_age
           && a->s_maxage == b->s_maxage && a->no_cache == b->no_cache
           && a->must_revalidate == b->must_revalidate
           && a->proxy_revalidate == b->proxy_revalidate && a->is_public == b->is_public;
}

/* ---- tests ---- */

static void what_is_stored_comes_back(apr_pool_t *pool)
{
    record_t put = a_record(), got;
    storer_bytes_t value = a_value(&put, pool);
    const apr_array_header_t *lines;

    is_status(decode(value.data, value.len, &got, pool), APR_SUCCESS, "a response is read");
    is_int(got.status, 404, "its status");
    ok(is_same_freshness(&got.freshness, &put.freshness), "times and directives");
    is_int(got.body_length, sizeof(BODY) - 1, "the body's length");
    is_int(got.body_limit, 1000000, "and its limit");
    is_int(got.stored_length, sizeof(BODY) - 1, "as it is stored");
    is_int((long long)(got.head_length + sizeof(BODY) - 1), (long long)value.len,
           "the body begins behind the head");
    is_int((long long)got.epoch, 12, "the epoch");
    is_int((long long)got.site, 34, "the site");
    is_string(got.tags, "one two", "the tags");
    is_string(got.origin_etag, "W/\"v1\"", "the origin's ETag");
    lines = apr_table_elts(got.headers);
    is_int(lines->nelts, 4, "all lines of the head, and no more");
    is_string(apr_table_get(got.headers, "content-type"), "text/plain", "a field");
    is_string(apr_table_getm(pool, got.headers, "Link"), "</a>,</b>", "both of two lines");
    is_string(apr_table_get(got.headers, "X-Empty"), "", "an empty one");
}

static void each_directive_by_itself(apr_pool_t *pool)
{
    int i;

    for (i = 0; i < 16; i++) {
        record_t put = a_record(), got;
        storer_bytes_t value;

        put.freshness.no_cache = i & 1;
        put.freshness.must_revalidate = (i & 2) != 0;
        put.freshness.proxy_revalidate = (i & 4) != 0;
        put.freshness.is_public = (i & 8) != 0;
        put.tags = put.origin_etag = NULL;
        value = a_value(&put, pool);
        ok(decode(value.data, value.len, &got, pool) == APR_SUCCESS
           && is_same_freshness(&got.freshness, &put.freshness) && !got.tags
           && !got.origin_etag,
           "directives %d", i);
    }
}

static void parts(apr_pool_t *pool)
{
    record_t put = a_record(), got;
    storer_bytes_t value = a_value(&put, pool);
    apr_size_t split, wrong = 0, failed = 0, skipped = 0;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, pool);
    for (split = 0; split <= value.len; split++) {
        value_t source;
        storer_view_t view = view_of(value.data, value.len, split, &source, scratch);

        wrong += record_decode(&view, &got, scratch) != APR_SUCCESS
                 || !is_same_freshness(&got.freshness, &put.freshness)
                 || strcmp(apr_table_get(got.headers, "Content-Type"), "text/plain") != 0;
        skipped += view.part.len - got.skip > 0
                   && view.part.data[got.skip] != BODY[0];
        view = view_of(value.data, value.len, split, &source, scratch);
        source.damaged = 1;
        failed += record_decode(&view, &got, scratch) == APR_EGENERAL;
        apr_pool_clear(scratch);
    }
    is_int((long long)wrong, 0, "the value may be in two parts, anywhere");
    is_int((long long)skipped, 0, "and the view is left where the body begins");
    is_int((long long)failed, (long long)(value.len - (sizeof(BODY) - 1)),
           "what the store says of a part that it cannot read is passed on");
    apr_pool_destroy(scratch);
}

static void damage(apr_pool_t *pool)
{
    record_t put = a_record(), got;
    storer_bytes_t value = a_value(&put, pool);
    apr_size_t head = value.len - (sizeof(BODY) - 1), i, bit, flipped = 0, cut = 0;
    char *copy = apr_pmemdup(pool, value.data, value.len);
    apr_pool_t *scratch;

    apr_pool_create(&scratch, pool);
    for (i = 0; i < head; i++) {
        for (bit = 0; bit < 8; bit++) {
            copy[i] ^= (char)(1 << bit);
            flipped += decode(copy, value.len, &got, scratch) == APR_EINVAL;
            copy[i] ^= (char)(1 << bit);
        }
        apr_pool_clear(scratch);
    }
    is_int((long long)flipped, (long long)head * 8, "each bit of the head that flips is damage");
    for (i = 0; i < value.len; i++) {
        cut += decode(value.data, i, &got, scratch) == APR_EINVAL;
        apr_pool_clear(scratch);
    }
    is_int((long long)cut, (long long)value.len, "and so is a value that ends early");
    apr_pool_destroy(scratch);
}

/* What another writer may have made: the checksum is right, the rest is not. */
static void forgeries(apr_pool_t *pool)
{
    static const struct {
        const char *what;
        int status;
        unsigned flags;
        apr_int64_t max_age, s_maxage;
        apr_off_t body_length, body_limit;
    } cases[] = {
        { "status 0", 0, 0, -1, -1, -1, 1 },
        { "status 99", 99, 0, -1, -1, -1, 1 },
        { "status 103", 103, 0, -1, -1, -1, 1 },
        { "status 199", 199, 0, -1, -1, -1, 1 },
        { "status 600", 600, 0, -1, -1, -1, 1 },
        { "status 2000000000", 2000000000, 0, -1, -1, -1, 1 },
        { "a negative status", -200, 0, -1, -1, -1, 1 },
        { "an unknown flag", 200, 4, -1, -1, -1, 1 },
        { "max-age -2", 200, 0, -2, -1, -1, 1 },
        { "max-age beyond all time", 200, 0, APR_INT64_MAX, -1, -1, 1 },
        { "s-maxage -2", 200, 0, -1, -2, -1, 1 },
        { "s-maxage beyond all time", 200, 0, -1, APR_INT64_MAX, -1, 1 },
        { "a length of -2", 200, 0, -1, -1, -2, 1 },
        { "another length than the body's", 200, 0, -1, -1, 5, 1 },
        { "a negative limit", 200, 0, -1, -1, -1, -1 },
    };
    int i;

    for (i = 0; i < HTTP_COUNT(cases); i++) {
        record_t put = a_record(), got;
        storer_bytes_t value;

        put.status = cases[i].status;
        put.flags = cases[i].flags;
        put.freshness.max_age = cases[i].max_age;
        put.freshness.s_maxage = cases[i].s_maxage;
        put.body_length = cases[i].body_length;
        put.body_limit = cases[i].body_limit;
        value = a_value(&put, pool);
        is_status(decode(value.data, value.len, &got, pool), APR_EINVAL, "forged: %s",
                  cases[i].what);
    }
}

/* Fields that httpd refuses to send. Those of a store in this machine's memory were looked at when they
 * were stored. */
static void unsendable_fields(apr_pool_t *pool)
{
    apr_table_t *headers = a_head(pool);
    record_t put = a_record(), got;
    storer_bytes_t head;
    value_t value;
    storer_view_t view;

    put.body_length = -1;
    apr_table_addn(headers, "X-Control", "a\x01" "b");
    is_status(record_encode(headers, &put, &head, pool), APR_SUCCESS, "a control byte in a field");
    is_status(decode(head.data, head.len, &got, pool), APR_EINVAL, "of a peer: is damage");
    view = view_of(head.data, head.len, head.len, &value, pool);
    view.in_place = 1;
    is_status(record_decode(&view, &got, pool), APR_SUCCESS,
              "of this machine's memory: is not looked at");
}

static void times_are_bounded(apr_pool_t *pool)
{
    record_t put = a_record(), got;
    storer_bytes_t value;

    put.freshness.date = APR_INT64_MIN;
    put.freshness.expires = APR_INT64_MAX;
    value = a_value(&put, pool);
    is_status(decode(value.data, value.len, &got, pool), APR_SUCCESS, "times beyond all sense");
    ok(got.freshness.expires - got.freshness.date > 0, "are stored so that they can be subtracted");
}

/* Fields with lengths that do not add up, with the right checksum. */
static void forged_blocks(apr_pool_t *pool)
{
    record_t put = a_record();
    storer_bytes_t value = a_value(&put, pool);
    apr_size_t head = value.len - (sizeof(BODY) - 1), block = head - sizeof(record_head_t);
    apr_uint64_t random = 20260101;
    int i, rounds = tap_slow() ? 2000 : 50000, refused = 0, beyond = 0;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, pool);
    for (i = 0; i < rounds; i++) {
        char *copy = apr_pmemdup(scratch, value.data, value.len);
        record_head_t forged;
        record_t got;
        apr_status_t rv;

        copy[sizeof(forged) + http_below(&random, (unsigned)block)] = (char)http_below(&random, 256);
        memcpy(&forged, copy, sizeof(forged));
        switch (http_below(&random, 4)) {
        case 0:
            forged.field_count = http_below(&random, 12);
            break;
        case 1:
            forged.block_length = http_below(&random, (unsigned)head + 20);
            break;
        case 2:
            forged.field_count = ~(apr_uint64_t)http_below(&random, 3);
            break;
        default:
            break;
        }
        forged.body_length = -1;
        memcpy(copy, &forged, sizeof(forged));
        if (sizeof(forged) + forged.block_length <= value.len) {
            forged.checksum = checksum_of(copy, sizeof(forged) + (apr_size_t)forged.block_length);
            memcpy(copy, &forged, sizeof(forged));
        }
        rv = decode(copy, value.len, &got, scratch);
        refused += rv == APR_EINVAL;
        beyond += rv != APR_SUCCESS && rv != APR_EINVAL;
        if (rv == APR_SUCCESS) {
            /* for the sanitizer: each byte of each string */
            beyond += strlen(apr_table_getm(scratch, got.headers, "Content-Type")
                             ? apr_table_getm(scratch, got.headers, "Content-Type") : "") > head;
        }
        apr_pool_clear(scratch);
    }
    ok(refused > rounds / 10, "forged blocks are refused (%d of %d)", refused, rounds);
    is_int(beyond, 0, "and none is read beyond its end");
    apr_pool_destroy(scratch);
}

static void too_many_fields(apr_pool_t *pool)
{
    apr_table_t *headers = apr_table_make(pool, 1);
    record_t record = a_record();
    storer_bytes_t head;
    char *large = apr_palloc(pool, RECORD_BLOCK_MAX);

    memset(large, 'a', RECORD_BLOCK_MAX - 1);
    large[RECORD_BLOCK_MAX - 1] = '\0';
    apr_table_setn(headers, "X", large);
    is_status(record_encode(headers, &record, &head, pool), APR_ENOSPC,
              "a head that no reader would take is not written");
}

int main(void)
{
    apr_pool_t *pool = http_pool();

    what_is_stored_comes_back(pool);
    each_directive_by_itself(pool);
    parts(pool);
    damage(pool);
    forgeries(pool);
    unsendable_fields(pool);
    times_are_bounded(pool);
    forged_blocks(pool);
    too_many_fields(pool);
    return done_testing();
}
