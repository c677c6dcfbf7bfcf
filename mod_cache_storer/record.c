/* SPDX-License-Identifier: Apache-2.0
 *
 * record.c - see record.h. What is read is never trusted: it is copied first, and used only if the
 * checksum of the copy and all lengths agree.
 */
#include "record.h"

#include <string.h>

#define RECORD_MAGIC   0x52545343u  /* "CSTR"; another byte order reads as damage */
#define RECORD_VERSION 1u

/* bits of record_head_t.control, in the order of cache_control_t */
enum {
    CONTROL_PARSED           = 1u << 0,
    CONTROL_CACHE_CONTROL    = 1u << 1,
    CONTROL_PRAGMA           = 1u << 2,
    CONTROL_NO_CACHE         = 1u << 3,
    CONTROL_NO_CACHE_HEADER  = 1u << 4,
    CONTROL_NO_STORE         = 1u << 5,
    CONTROL_MAX_AGE          = 1u << 6,
    CONTROL_MAX_STALE        = 1u << 7,
    CONTROL_MIN_FRESH        = 1u << 8,
    CONTROL_NO_TRANSFORM     = 1u << 9,
    CONTROL_ONLY_IF_CACHED   = 1u << 10,
    CONTROL_PUBLIC           = 1u << 11,
    CONTROL_PRIVATE          = 1u << 12,
    CONTROL_PRIVATE_HEADER   = 1u << 13,
    CONTROL_MUST_REVALIDATE  = 1u << 14,
    CONTROL_PROXY_REVALIDATE = 1u << 15,
    CONTROL_S_MAXAGE         = 1u << 16,
    CONTROL_INVALIDATED      = 1u << 17
};

typedef struct record_head_t {
    apr_uint32_t magic;
    apr_uint32_t version;
    apr_uint64_t checksum;       /* of all that follows it, to the end of the block */
    apr_uint32_t flags;
    apr_int32_t  status;
    apr_uint32_t control;
    apr_uint32_t field_count;
    apr_uint64_t block_length;
    apr_int64_t  date, expire, request_time, response_time;
    apr_int64_t  max_age, max_stale, min_fresh, s_maxage;
    apr_int64_t  body_length, body_limit;
} record_head_t;

_Static_assert(sizeof(record_head_t) == 120, "the head is stored: change RECORD_VERSION with it");

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

static apr_uint32_t control_bits(const cache_control_t *control)
{
    return (control->parsed ? CONTROL_PARSED : 0u)
           | (control->cache_control ? CONTROL_CACHE_CONTROL : 0u)
           | (control->pragma ? CONTROL_PRAGMA : 0u)
           | (control->no_cache ? CONTROL_NO_CACHE : 0u)
           | (control->no_cache_header ? CONTROL_NO_CACHE_HEADER : 0u)
           | (control->no_store ? CONTROL_NO_STORE : 0u)
           | (control->max_age ? CONTROL_MAX_AGE : 0u)
           | (control->max_stale ? CONTROL_MAX_STALE : 0u)
           | (control->min_fresh ? CONTROL_MIN_FRESH : 0u)
           | (control->no_transform ? CONTROL_NO_TRANSFORM : 0u)
           | (control->only_if_cached ? CONTROL_ONLY_IF_CACHED : 0u)
           | (control->public ? CONTROL_PUBLIC : 0u)
           | (control->private ? CONTROL_PRIVATE : 0u)
           | (control->private_header ? CONTROL_PRIVATE_HEADER : 0u)
           | (control->must_revalidate ? CONTROL_MUST_REVALIDATE : 0u)
           | (control->proxy_revalidate ? CONTROL_PROXY_REVALIDATE : 0u)
           | (control->s_maxage ? CONTROL_S_MAXAGE : 0u)
           | (control->invalidated ? CONTROL_INVALIDATED : 0u);
}

static void restore_control(cache_control_t *control, apr_uint32_t bits)
{
    control->parsed = (bits & CONTROL_PARSED) != 0;
    control->cache_control = (bits & CONTROL_CACHE_CONTROL) != 0;
    control->pragma = (bits & CONTROL_PRAGMA) != 0;
    control->no_cache = (bits & CONTROL_NO_CACHE) != 0;
    control->no_cache_header = (bits & CONTROL_NO_CACHE_HEADER) != 0;
    control->no_store = (bits & CONTROL_NO_STORE) != 0;
    control->max_age = (bits & CONTROL_MAX_AGE) != 0;
    control->max_stale = (bits & CONTROL_MAX_STALE) != 0;
    control->min_fresh = (bits & CONTROL_MIN_FRESH) != 0;
    control->no_transform = (bits & CONTROL_NO_TRANSFORM) != 0;
    control->only_if_cached = (bits & CONTROL_ONLY_IF_CACHED) != 0;
    control->public = (bits & CONTROL_PUBLIC) != 0;
    control->private = (bits & CONTROL_PRIVATE) != 0;
    control->private_header = (bits & CONTROL_PRIVATE_HEADER) != 0;
    control->must_revalidate = (bits & CONTROL_MUST_REVALIDATE) != 0;
    control->proxy_revalidate = (bits & CONTROL_PROXY_REVALIDATE) != 0;
    control->s_maxage = (bits & CONTROL_S_MAXAGE) != 0;
    control->invalidated = (bits & CONTROL_INVALIDATED) != 0;
}

static void fill_head(record_head_t *head, const cache_info *info, const record_t *record)
{
    memset(head, 0, sizeof(*head));
    head->magic = RECORD_MAGIC;
    head->version = RECORD_VERSION;
    head->flags = record->flags;
    head->status = info->status;
    head->control = control_bits(&info->control);
    head->date = info->date;
    head->expire = info->expire;
    head->request_time = info->request_time;
    head->response_time = info->response_time;
    head->max_age = info->control.max_age_value;
    head->max_stale = info->control.max_stale_value;
    head->min_fresh = info->control.min_fresh_value;
    head->s_maxage = info->control.s_maxage_value;
    head->body_length = record->body_length;
    head->body_limit = record->body_limit;
}

static char *put_string(char *to, const char *string, apr_size_t length)
{
    memcpy(to, string, length + 1);
    return to + length + 1;
}

apr_status_t record_encode(const cache_info *info, const apr_table_t *headers,
                           const record_t *record, storer_bytes_t *out, apr_pool_t *pool)
{
    const apr_array_header_t *array = apr_table_elts(headers);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)array->elts;
    record_head_t head;
    apr_size_t length = 0;
    char *data, *to;
    int i;

    for (i = 0; i < array->nelts; i++) {
        length += sizeof(record_field_t) + strlen(entries[i].key) + strlen(entries[i].val) + 2;
        if (length > RECORD_BLOCK_MAX) {
            return APR_ENOSPC;
        }
    }
    data = apr_palloc(pool, sizeof(head) + length);
    to = data + sizeof(head);
    for (i = 0; i < array->nelts; i++) {
        record_field_t field;

        field.name_length = (apr_uint32_t)strlen(entries[i].key);
        field.value_length = (apr_uint32_t)strlen(entries[i].val);
        memcpy(to, &field, sizeof(field));
        to = put_string(to + sizeof(field), entries[i].key, field.name_length);
        to = put_string(to, entries[i].val, field.value_length);
    }
    fill_head(&head, info, record);
    head.field_count = (apr_uint32_t)array->nelts;
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

/* Make the table point into the block. Lengths were not looked at before. */
static apr_status_t read_block(char *block, apr_size_t length, apr_uint32_t count,
                               apr_table_t **headers, apr_pool_t *pool)
{
    apr_table_t *table;
    apr_uint32_t i;

    if (count > length / (sizeof(record_field_t) + 2)) {
        return APR_EINVAL;
    }
    table = apr_table_make(pool, (int)count + 3); /* mod_cache adds Age and perhaps a Warning */
    for (i = 0; i < count; i++) {
        record_field_t field;
        char *name, *value;

        if (length < sizeof(field) + 2) {
            return APR_EINVAL;
        }
        memcpy(&field, block, sizeof(field));
        block += sizeof(field);
        length -= sizeof(field);
        if (field.name_length > length - 2 || field.value_length > length - 2 - field.name_length) {
            return APR_EINVAL;
        }
        name = block;
        value = block + field.name_length + 1;
        block = value + field.value_length + 1;
        length -= (apr_size_t)field.name_length + field.value_length + 2;
        if (value[-1] != '\0' || block[-1] != '\0') {
            return APR_EINVAL;
        }
        apr_table_addn(table, name, value);
    }
    if (length > 0) {
        return APR_EINVAL;
    }
    *headers = table;
    return APR_SUCCESS;
}

static void restore_info(cache_info *info, const record_head_t *head)
{
    info->status = head->status;
    info->date = head->date;
    info->expire = head->expire;
    info->request_time = head->request_time;
    info->response_time = head->response_time;
    restore_control(&info->control, head->control);
    info->control.max_age_value = head->max_age;
    info->control.max_stale_value = head->max_stale;
    info->control.min_fresh_value = head->min_fresh;
    info->control.s_maxage_value = head->s_maxage;
}

apr_status_t record_decode(storer_view_t *view, cache_info *info, record_t *record,
                           apr_pool_t *pool)
{
    record_head_t head;
    apr_size_t offset = 0, head_length;
    apr_off_t stored_length;
    apr_table_t *headers;
    char *data;
    apr_status_t rv;

    rv = gather(view, &offset, (char *)&head, sizeof(head));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (head.magic != RECORD_MAGIC || head.version != RECORD_VERSION
        || head.block_length > RECORD_BLOCK_MAX) {
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
    rv = read_block(data + sizeof(head), (apr_size_t)head.block_length, head.field_count, &headers,
                    pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    restore_info(info, &head);
    record->flags = head.flags;
    record->body_length = head.body_length;
    record->body_limit = head.body_limit;
    record->checksum = head.checksum;
    record->head_length = head_length;
    record->skip = offset;
    record->stored_length = stored_length;
    record->headers = headers;
    return APR_SUCCESS;
}
