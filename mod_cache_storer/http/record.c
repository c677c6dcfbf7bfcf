/* SPDX-License-Identifier: Apache-2.0
 *
 * record.c - see record.h. What is read is never trusted: it is copied first, and used only if the
 * checksum of the copy and all lengths agree.
 */
#include "record.h"

#include "sendable.h"

#include <string.h>

#define RECORD_MAGIC   0x52545343u  /* "CSTR"; another byte order reads as damage */
#define RECORD_VERSION 5u

/* What is stored among the fields and is none: no field has such a name. */
#define NOTE_TAGS ""
#define NOTE_ETAG ":etag"

/* Directives that are there or not, as bits */
#define HEAD_NO_CACHE         1u
#define HEAD_MUST_REVALIDATE  2u
#define HEAD_PROXY_REVALIDATE 4u
#define HEAD_PUBLIC           8u
#define HEAD_DIRECTIVES       15u

/* Some thousand years: sums of such times are far from an overflow. */
#define HEAD_TIME_MAX (APR_INT64_C(253402300800) * APR_USEC_PER_SEC)

typedef struct record_head_t {
    apr_uint32_t magic;
    apr_uint32_t version;
    apr_uint64_t checksum;       /* of all that follows it, to the end of the block */
    apr_uint32_t flags;
    apr_int32_t  status;
    apr_uint64_t field_count;
    apr_uint64_t block_length;
    apr_int64_t  date, expires, request_time, response_time;
    apr_int64_t  max_age, s_maxage;
    apr_int64_t  body_length, body_limit;
    apr_uint64_t epoch, site;
    apr_uint32_t directives;
    apr_uint32_t reserved;
} record_head_t;

_Static_assert(sizeof(record_head_t) == 128, "heads are stored: change RECORD_VERSION with it");

typedef struct record_field_t {
    apr_uint32_t name_length, value_length;   /* without the NUL that follows each */
} record_field_t;

_Static_assert(sizeof(record_field_t) == 8, "fields are stored: change RECORD_VERSION with it");

/* One step is invertible in hash and in word, so that a single damaged word always shows. */
static apr_uint64_t checksum_step(apr_uint64_t hash, apr_uint64_t word)
{
    hash ^= word;
    return ((hash << 27) | (hash >> 37)) * APR_UINT64_C(0x9E3779B97F4A7C15);
}

/* Of head and block, which lie behind each other. Finds damage, not attackers; runs on every hit,
 * hence 16 bytes a round in two independent lanes. */
static apr_uint64_t checksum_of(const char *data, apr_size_t length)
{
    apr_size_t skipped = (apr_size_t)APR_OFFSETOF(record_head_t, flags); /* what precedes */
    apr_uint64_t left = length, right = ~(apr_uint64_t)length, words[2];

    data += skipped;
    length -= skipped;
    for (; length >= sizeof(words); data += sizeof(words), length -= sizeof(words)) {
        memcpy(words, data, sizeof(words));
        left = checksum_step(left, words[0]);
        right = checksum_step(right, words[1]);
    }
    if (length > 0) {
        words[0] = words[1] = 0;
        memcpy(words, data, length);
        left = checksum_step(left, words[0]);
        right = checksum_step(right, words[1]);
    }
    return checksum_step(left, right);
}

static apr_uint32_t directives_of(const freshness_t *freshness)
{
    return (freshness->no_cache ? HEAD_NO_CACHE : 0)
           | (freshness->must_revalidate ? HEAD_MUST_REVALIDATE : 0)
           | (freshness->proxy_revalidate ? HEAD_PROXY_REVALIDATE : 0)
           | (freshness->is_public ? HEAD_PUBLIC : 0);
}

static apr_int64_t bounded(apr_int64_t time)
{
    if (time > HEAD_TIME_MAX) {
        return HEAD_TIME_MAX;
    }
    return time < -HEAD_TIME_MAX ? -HEAD_TIME_MAX : time;
}

static void fill_head(record_head_t *head, const record_t *record)
{
    const freshness_t *freshness = &record->freshness;

    memset(head, 0, sizeof(*head));
    head->magic = RECORD_MAGIC;
    head->version = RECORD_VERSION;
    head->flags = record->flags;
    head->status = record->status;
    head->date = bounded(freshness->date);
    head->expires = bounded(freshness->expires);
    head->request_time = bounded(freshness->request_time);
    head->response_time = bounded(freshness->response_time);
    head->max_age = freshness->max_age;
    head->s_maxage = freshness->s_maxage;
    head->directives = directives_of(freshness);
    head->body_length = record->body_length;
    head->body_limit = record->body_limit;
    head->epoch = record->epoch;
    head->site = record->site;
}

static char *put_string(char *to, const char *string, apr_size_t length)
{
    memcpy(to, string, length + 1);
    return to + length + 1;
}

static char *put_field(char *to, const char *name, const char *value)
{
    record_field_t field;

    field.name_length = (apr_uint32_t)strlen(name);
    field.value_length = (apr_uint32_t)strlen(value);
    memcpy(to, &field, sizeof(field));
    to = put_string(to + sizeof(field), name, field.name_length);
    return put_string(to, value, field.value_length);
}

static apr_size_t field_size(const char *name, const char *value)
{
    return sizeof(record_field_t) + strlen(name) + strlen(value) + 2;
}

static apr_size_t notes_size(const record_t *record)
{
    return (record->tags ? field_size(NOTE_TAGS, record->tags) : 0)
           + (record->origin_etag ? field_size(NOTE_ETAG, record->origin_etag) : 0);
}

apr_status_t record_encode(const apr_table_t *headers, const record_t *record, storer_bytes_t *out,
                           apr_pool_t *pool)
{
    const apr_array_header_t *array = apr_table_elts(headers);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)array->elts;
    record_head_t head;
    apr_size_t length = notes_size(record);
    char *data, *to;
    int i;

    for (i = 0; i < array->nelts; i++) {
        length += field_size(entries[i].key, entries[i].val);
        if (length > RECORD_BLOCK_MAX) {
            return APR_ENOSPC;
        }
    }
    data = apr_palloc(pool, sizeof(head) + length);
    to = data + sizeof(head);
    for (i = 0; i < array->nelts; i++) {
        to = put_field(to, entries[i].key, entries[i].val);
    }
    if (record->tags) {
        to = put_field(to, NOTE_TAGS, record->tags);
    }
    if (record->origin_etag) {
        (void)put_field(to, NOTE_ETAG, record->origin_etag);
    }
    fill_head(&head, record);
    head.field_count = (apr_uint64_t)array->nelts + (record->tags != NULL)
                       + (record->origin_etag != NULL);
    head.block_length = length;
    memcpy(data, &head, sizeof(head));
    head.checksum = checksum_of(data, sizeof(head) + length);
    memcpy(data, &head, sizeof(head));
    out->data = data;
    out->len = sizeof(head) + length;
    return APR_SUCCESS;
}

/* Copy the next bytes of a value, which may lie in several parts. *offset: position in the part. */
static apr_status_t gather(storer_view_t *view, apr_size_t *offset, char *to, apr_size_t length)
{
    if (view->part.len - *offset >= length) { /* nearly always */
        memcpy(to, view->part.data + *offset, length);
        *offset += length;
        return APR_SUCCESS;
    }
    while (length > 0) {
        apr_size_t piece = view->part.len - *offset;

        if (piece > length) {
            piece = length;
        }
        if (piece > 0) {
            memcpy(to, view->part.data + *offset, piece);
            to += piece;
            length -= piece;
            *offset += piece;
        }
        if (length > 0) {
            apr_status_t rv = storer_view_next(view);

            if (rv != APR_SUCCESS) {
                return APR_STATUS_IS_EOF(rv) ? APR_EINVAL : rv;
            }
            *offset = 0;
        }
    }
    return APR_SUCCESS;
}

static void read_note(record_t *record, const char *name, const char *value)
{
    if (strcmp(name, NOTE_TAGS) == 0) {
        record->tags = value;
    }
    else if (strcmp(name, NOTE_ETAG) == 0) {
        record->origin_etag = value;
    }
}

/* Make the table point into the block. Lengths were not looked at before. */
static apr_status_t read_block(char *block, apr_size_t length, apr_uint64_t count,
                               record_t *record, apr_pool_t *pool)
{
    apr_table_t *table;
    apr_uint64_t i;

    if (count > length / (sizeof(record_field_t) + 2)) {
        return APR_EINVAL;
    }
    table = apr_table_make(pool, (int)count + 3); /* mod_cache adds Age and perhaps a Warning */
    for (i = 0; i < count; i++) {
        record_field_t field;
        char *name = block + sizeof(field), *value;
        apr_uint64_t needed = sizeof(field) + 2;

        if (length < sizeof(field)) {
            return APR_EINVAL;
        }
        memcpy(&field, block, sizeof(field));
        needed += (apr_uint64_t)field.name_length + field.value_length;
        if (needed > length) {
            return APR_EINVAL;
        }
        value = name + field.name_length + 1;
        block += needed;
        length -= (apr_size_t)needed;
        if ((value[-1] | block[-1]) != '\0') {
            return APR_EINVAL;
        }
        if (name[0] && name[0] != NOTE_ETAG[0]) {
            apr_table_addn(table, name, value);
        }
        else {
            read_note(record, name, value);
        }
    }
    if (length > 0) {
        return APR_EINVAL;
    }
    record->headers = table;
    return APR_SUCCESS;
}

static int is_time(apr_int64_t time)
{
    return time >= -HEAD_TIME_MAX && time <= HEAD_TIME_MAX;
}

static int is_number_of_seconds(apr_int64_t seconds)
{
    return seconds >= -1 && seconds <= HEAD_TIME_MAX / APR_USEC_PER_SEC;
}

/* A checksum tells damage; it does not tell who made the value. */
static int is_possible(const record_head_t *head)
{
    return !(head->flags & ~(RECORD_LZ4 | RECORD_GUARDED)) && !(head->directives & ~HEAD_DIRECTIVES)
           && head->status >= RECORD_STATUS_MIN && head->status <= RECORD_STATUS_MAX
           && is_time(head->date) && is_time(head->expires) && is_time(head->request_time)
           && is_time(head->response_time) && is_number_of_seconds(head->max_age)
           && is_number_of_seconds(head->s_maxage) && head->body_length >= -1
           && head->body_limit >= 0;
}

static void read_head(record_t *record, const record_head_t *head)
{
    freshness_t *freshness = &record->freshness;

    record->status = head->status;
    freshness->date = head->date;
    freshness->expires = head->expires;
    freshness->request_time = head->request_time;
    freshness->response_time = head->response_time;
    freshness->max_age = head->max_age;
    freshness->s_maxage = head->s_maxage;
    freshness->no_cache = (head->directives & HEAD_NO_CACHE) != 0;
    freshness->must_revalidate = (head->directives & HEAD_MUST_REVALIDATE) != 0;
    freshness->proxy_revalidate = (head->directives & HEAD_PROXY_REVALIDATE) != 0;
    freshness->is_public = (head->directives & HEAD_PUBLIC) != 0;
    record->flags = head->flags;
    record->body_length = head->body_length;
    record->body_limit = head->body_limit;
    record->checksum = head->checksum;
    record->epoch = head->epoch;
    record->site = head->site;
}

apr_status_t record_decode(storer_view_t *view, record_t *record, apr_pool_t *pool)
{
    record_head_t head;
    apr_size_t offset = 0, head_length;
    apr_off_t stored_length;
    char *data;
    apr_status_t rv;

    rv = gather(view, &offset, (char *)&head, sizeof(head));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (head.magic != RECORD_MAGIC || head.version != RECORD_VERSION
        || head.block_length > RECORD_BLOCK_MAX || !is_possible(&head)) {
        return APR_EINVAL;
    }
    head_length = sizeof(head) + (apr_size_t)head.block_length;
    stored_length = view->length - (apr_off_t)head_length;
    if (stored_length < 0) {
        return APR_EINVAL;
    }
    data = apr_palloc(pool, head_length);
    memcpy(data, &head, sizeof(head));
    rv = gather(view, &offset, data + sizeof(head), (apr_size_t)head.block_length);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (checksum_of(data, head_length) != head.checksum) {
        return APR_EINVAL;
    }
    if (!(head.flags & RECORD_LZ4) && head.body_length >= 0 && head.body_length != stored_length) {
        return APR_EINVAL;
    }
    record->tags = record->origin_etag = NULL;
    rv = read_block(data + sizeof(head), (apr_size_t)head.block_length, head.field_count, record, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!view->in_place && sendable_problem(record->headers)) {
        return APR_EINVAL; /* another host's value: httpd would answer 500 for as long as it is there */
    }
    read_head(record, &head);
    record->head_length = head_length;
    record->skip = offset;
    record->stored_length = stored_length;
    return APR_SUCCESS;
}
