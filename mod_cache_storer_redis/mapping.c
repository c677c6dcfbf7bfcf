/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping.c - mappings as HASHes. The library reads and edits a mapping as one message; here that is
 * put together from the fields, and an edit is taken apart into the fields that it changed. Only
 * those are written, by a script, which Redis runs as one step: whatever other machines did to other
 * fields meanwhile stays.
 */
#include "mapping.h"

#include "read.h"
#include "router.h"
#include "write.h"

#include <apr_hash.h>
#include <apr_strings.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A plain value in the place of the HASH gives way; a mapping's life is that of the entry that lives
 * longest, and is never shortened. ARGV: milliseconds, number of pairs, pairs, fields to drop. */
#define CHANGE_SCRIPT \
    "local k=KEYS[1] " \
    "if redis.call('TYPE',k).ok~='hash' then redis.call('DEL',k) end " \
    "local n=tonumber(ARGV[2]) " \
    "for i=3,2+2*n,2 do redis.call('HSET',k,ARGV[i],ARGV[i+1]) end " \
    "for i=3+2*n,#ARGV do redis.call('HDEL',k,ARGV[i]) end " \
    "local t=tonumber(ARGV[1]) " \
    "if redis.call('PTTL',k)<t then redis.call('PEXPIRE',k,t) end "

storer_bytes_t mapping_key(storer_bytes_t base_key, apr_pool_t *pool)
{
    storer_bytes_t key = { NULL, base_key.len + NAMES_MAPPING_LEN };
    char *text = apr_palloc(pool, key.len);

    memcpy(text, NAMES_MAPPING, NAMES_MAPPING_LEN);
    memcpy(text + NAMES_MAPPING_LEN, base_key.data, base_key.len);
    key.data = text;
    return key;
}

/* ---- reading ---- */

static void log_damage(redis_t *redis, storer_bytes_t key, int count)
{
    if (redis_may_complain(redis)) {
        host_log(redis->base.env, STORER_LOG_WARNING, APR_SUCCESS,
                 "redis: %d entries of the mapping %.*s are damaged, and not used (such things are "
                 "said once a minute)", count, key.len < 200 ? (int)key.len : 200, key.data);
    }
}

static apr_status_t read_entry(redis_t *redis, storer_bytes_t key, const reply_t *field,
                               const reply_t *content, keyindex_t *index, apr_pool_t *pool)
{
    storer_bytes_t name = reply_string(field);
    apr_size_t len;
    char *text;

    if (!name.data || name.len > NAMES_TEXT_MAX) {
        return APR_EINVAL;
    }
    text = apr_palloc(pool, name.len + 1);
    len = names_read(&redis->names, name, text);
    if (len == 0) {
        return APR_EINVAL;
    }
    index->key.data = text;
    index->key.len = len;
    return keyindex_unseal(key, reply_string(content), index);
}

apr_status_t mapping_read(redis_t *redis, storer_bytes_t key, const reply_t *reply,
                          mapping_t *out, apr_pool_t *pool)
{
    mapping_t mapping;
    apr_size_t i;

    if (reply->type != REPLY_ARRAY || reply->count % 2 != 0 || reply->count > INT_MAX) {
        return APR_EINVAL;
    }
    mapping.entries = apr_array_make(pool, (int)(reply->count / 2) + 1, sizeof(keyindex_t));
    mapping.damaged = apr_array_make(pool, 1, sizeof(storer_bytes_t));
    for (i = 0; i < reply->count; i += 2) {
        keyindex_t index;
        apr_status_t rv;

        rv = read_entry(redis, key, reply->elements[i], reply->elements[i + 1], &index, pool);
        if (rv == APR_SUCCESS) {
            APR_ARRAY_PUSH(mapping.entries, keyindex_t) = index;
        }
        else if (reply->elements[i]->type == REPLY_STRING) {
            APR_ARRAY_PUSH(mapping.damaged, storer_bytes_t) = reply->elements[i]->text;
        }
    }
    if (mapping.damaged->nelts > 0) {
        log_damage(redis, key, mapping.damaged->nelts);
    }
    *out = mapping;
    return APR_SUCCESS;
}

static apr_time_t later(apr_time_t a, apr_time_t b)
{
    return a > b ? a : b;
}

apr_status_t mapping_join(const mapping_t *mapping, char **bytes, apr_size_t *len,
                          storer_expiry_t *last)
{
    const apr_array_header_t *entries = mapping->entries;
    storer_expiry_t expiry = { 0, 0 };
    apr_size_t size = 0;
    char *start, *to;
    int i;

    for (i = 0; i < entries->nelts; i++) {
        const keyindex_t *index = &APR_ARRAY_IDX(entries, i, const keyindex_t);

        size += keyindex_size(index);
        expiry.fresh_until = later(expiry.fresh_until, index->expiry.fresh_until);
        expiry.stale_until = later(expiry.stale_until, index->expiry.stale_until);
    }
    start = to = malloc(size + 1);
    if (!start) {
        return APR_ENOMEM;
    }
    for (i = 0; i < entries->nelts; i++) {
        to = keyindex_write(&APR_ARRAY_IDX(entries, i, const keyindex_t), to);
    }
    redis_assert((apr_size_t)(to - start) == size);
    *bytes = start;
    *len = size;
    *last = expiry;
    return APR_SUCCESS;
}

/* The HASH under a key. APR_NOTFOUND: there is none. */
static apr_status_t fetch(redis_t *redis, storer_bytes_t key, clock_point_t deadline,
                          reply_t **out, int *is_value)
{
    reply_t *reply = NULL;
    batch_t batch;
    apr_status_t rv;

    batch_begin(&batch, &redis->names);
    batch_command(&batch, REPLY_IS_ARRAY, 2, "HGETALL");
    batch_key(&batch, key);
    rv = router_run_one(redis, &batch, EXCHANGE_READ, deadline, &reply);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (reply->type == REPLY_ARRAY && reply->count > 0) {
        *out = reply;
        return APR_SUCCESS;
    }
    *is_value = reply_is_error(reply, "WRONGTYPE");
    rv = reply->type == REPLY_ARRAY || *is_value ? APR_NOTFOUND : APR_EGENERAL;
    reply_free(reply);
    return rv;
}

static apr_status_t view_entries(redis_t *redis, const mapping_t *mapping, apr_time_t now,
                                 storer_view_t *view)
{
    storer_expiry_t expiry;
    char *bytes;
    apr_size_t len;
    apr_status_t rv;

    rv = mapping_join(mapping, &bytes, &len, &expiry);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (mapping->entries->nelts == 0 || value_end(expiry) <= now) {
        free(bytes);
        return APR_NOTFOUND;
    }
    return read_open_memory(redis, bytes, len, expiry, view);
}

apr_status_t mapping_view(redis_t *redis, storer_bytes_t key, apr_time_t now,
                          clock_point_t deadline, storer_view_t *view, int *is_value)
{
    mapping_t mapping;
    reply_t *reply = NULL;
    apr_pool_t *pool;
    apr_status_t rv;

    rv = fetch(redis, key, deadline, &reply, is_value);
    if (rv != APR_SUCCESS) {
        return *is_value ? APR_SUCCESS : rv;
    }
    rv = apr_pool_create(&pool, NULL);
    if (rv == APR_SUCCESS) {
        rv = mapping_read(redis, key, reply, &mapping, pool);
        if (rv == APR_SUCCESS) {
            rv = view_entries(redis, &mapping, now, view);
        }
        apr_pool_destroy(pool);
    }
    reply_free(reply);
    return rv;
}

/* ---- changing ---- */

void mapping_add_change(batch_t *batch, storer_bytes_t key, const mapping_change_t *change,
                        apr_int64_t ttl, int all)
{
    int i, damaged = change->damaged ? change->damaged->nelts : 0;

    batch_command(batch, all ? REPLY_IS_ARRAY : REPLY_IS_INTEGER,
                  6 + 2 * change->set->nelts + change->dropped->nelts + damaged, "EVAL");
    batch_text(batch, all ? CHANGE_SCRIPT "return redis.call('HGETALL',k)"
                          : CHANGE_SCRIPT "return 1");
    batch_number(batch, 1);
    batch_key(batch, key);
    batch_number(batch, ttl);
    batch_number(batch, change->set->nelts);
    for (i = 0; i < change->set->nelts; i++) {
        const keyindex_t *index = &APR_ARRAY_IDX(change->set, i, const keyindex_t);
        char seal[KEYINDEX_SEAL_SIZE];
        storer_bytes_t tail = { seal, sizeof(seal) };

        keyindex_seal(key, index, seal);
        batch_key(batch, index->key);
        batch_two(batch, index->bytes, tail);
    }
    for (i = 0; i < change->dropped->nelts; i++) {
        batch_key(batch, APR_ARRAY_IDX(change->dropped, i, storer_bytes_t));
    }
    for (i = 0; i < damaged; i++) {
        batch_bytes(batch, APR_ARRAY_IDX(change->damaged, i, storer_bytes_t));
    }
}

/* What an edit changed. APR_EINVAL: what it made is no mapping. */
static apr_status_t compare(const mapping_t *old, storer_bytes_t edited,
                            mapping_change_t *difference, apr_pool_t *pool)
{
    keyindex_cursor_t cursor = { edited.data, edited.data + edited.len };
    apr_hash_t *entries = apr_hash_make(pool);
    apr_hash_index_t *each;
    keyindex_t read;
    apr_status_t rv;
    int i;

    for (rv = keyindex_next(&cursor, &read); rv == APR_SUCCESS; rv = keyindex_next(&cursor, &read)) {
        keyindex_t *entry = apr_pmemdup(pool, &read, sizeof(read));

        if (entry->key.len < 1 || entry->key.len > STORER_KEY_MAX) {
            return APR_EINVAL;
        }
        /* a key that comes again keeps the first one's bytes as the table's key: the same */
        apr_hash_set(entries, entry->key.data, (apr_ssize_t)entry->key.len, entry);
    }
    if (rv != APR_EOF) {
        return rv;
    }
    difference->set = apr_array_make(pool, 4, sizeof(keyindex_t));
    difference->dropped = apr_array_make(pool, 4, sizeof(storer_bytes_t));
    difference->damaged = old->damaged;
    for (i = 0; old->entries && i < old->entries->nelts; i++) {
        const keyindex_t *before = &APR_ARRAY_IDX(old->entries, i, const keyindex_t);
        apr_ssize_t len = (apr_ssize_t)before->key.len;
        const keyindex_t *after = apr_hash_get(entries, before->key.data, len);

        if (!after) {
            APR_ARRAY_PUSH(difference->dropped, storer_bytes_t) = before->key;
        }
        else if (storer_bytes_equal(before->bytes, after->bytes)) {
            apr_hash_set(entries, before->key.data, len, NULL);
        }
    }
    for (each = apr_hash_first(pool, entries); each; each = apr_hash_next(each)) {
        APR_ARRAY_PUSH(difference->set, keyindex_t) = *(keyindex_t *)apr_hash_this_val(each);
    }
    return APR_SUCCESS;
}

static apr_status_t change(redis_t *redis, storer_bytes_t key, const mapping_change_t *difference,
                           apr_int64_t ttl, clock_point_t deadline)
{
    reply_t *reply = NULL;
    batch_t batch;
    apr_status_t rv;

    batch_begin(&batch, &redis->names);
    mapping_add_change(&batch, key, difference, ttl, 0);
    rv = router_run_one(redis, &batch, EXCHANGE_WRITE, deadline, &reply);
    if (rv == APR_SUCCESS) {
        reply_free(reply);
    }
    return rv;
}

/* The state that an edit works on. */
typedef struct old_t {
    reply_t        *reply;     /* or NULL */
    storer_view_t   view;      /* of the plain value in the mapping's place, or empty */
    mapping_t       mapping;   /* entries NULL: there is no HASH */
    char           *memory;
    storer_bytes_t  bytes;     /* data NULL: there is nothing */
    storer_expiry_t expiry;
} old_t;

static void old_end(old_t *old)
{
    if (old->view.ops) {
        old->view.ops->release(&old->view);
    }
    reply_free(old->reply);
    free(old->memory);
}

static apr_status_t old_from_hash(redis_t *redis, storer_bytes_t key, apr_time_t now, old_t *old,
                                  apr_pool_t *pool)
{
    apr_status_t rv = mapping_read(redis, key, old->reply, &old->mapping, pool);

    if (rv == APR_SUCCESS) {
        rv = mapping_join(&old->mapping, &old->memory, &old->bytes.len, &old->expiry);
    }
    if (rv == APR_SUCCESS && value_end(old->expiry) > now) {
        old->bytes.data = old->memory;
    }
    return rv;
}

/* A plain value may be in a mapping's place: one that another program left, or a test. Of one in
 * parts the first is enough: it is no mapping. */
static apr_status_t old_begin(redis_t *redis, storer_bytes_t key, apr_time_t now,
                              clock_point_t deadline, old_t *old, apr_pool_t *pool)
{
    int is_value = 0;
    apr_status_t rv;

    memset(old, 0, sizeof(*old));
    rv = fetch(redis, key, deadline, &old->reply, &is_value);
    if (rv == APR_SUCCESS) {
        return old_from_hash(redis, key, now, old, pool);
    }
    if (rv != APR_NOTFOUND || !is_value) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    rv = read_value(redis, key, now, deadline, &old->view);
    if (rv == APR_SUCCESS) {
        old->bytes = old->view.part;
        old->expiry = old->view.expiry;
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t mapping_change(redis_t *redis, storer_bytes_t key, const mapping_t *old,
                            storer_bytes_t edited, storer_expiry_t expiry, apr_time_t now,
                            clock_point_t deadline, apr_pool_t *pool)
{
    mapping_change_t difference;
    apr_status_t rv = compare(old, edited, &difference, pool);

    return rv == APR_SUCCESS ? change(redis, key, &difference, value_ttl(value_end(expiry), now),
                                      deadline)
                             : rv;
}

apr_status_t mapping_update(redis_t *redis, storer_bytes_t key, storer_edit_fn *edit, void *baton,
                            apr_time_t now, apr_pool_t *scratch)
{
    clock_point_t deadline = redis_deadline(redis);
    storer_bytes_t edited = { NULL, 0 };
    storer_expiry_t expiry;
    old_t old;
    apr_status_t rv;

    rv = old_begin(redis, key, now, deadline, &old, scratch);
    if (rv != APR_SUCCESS) {
        old_end(&old);
        return rv;
    }
    expiry = old.expiry;
    rv = edit(baton, old.bytes, &edited, &expiry, scratch);
    if (rv == APR_SUCCESS && (!edited.data || value_ttl(value_end(expiry), now) == 0)) {
        rv = write_delete(redis, key, now, deadline, NULL);
    }
    else if (rv == APR_SUCCESS) {
        rv = mapping_change(redis, key, &old.mapping, edited, expiry, now, deadline, scratch);
        if (rv == APR_EINVAL) {
            rv = write_set(redis, key, edited, expiry, now, deadline);
        }
    }
    old_end(&old);
    return rv;
}
