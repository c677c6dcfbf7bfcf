/* SPDX-License-Identifier: Apache-2.0
 *
 * memory_fixture.c - see memory_fixture.h.
 */
#include "memory_fixture.h"
#include "memory/check.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>

static int warnings;

static void count_line(void *baton, storer_log_level_e level, apr_status_t rv, const char *message)
{
    (void)baton;
    (void)rv;
    if (level <= STORER_LOG_WARNING) {
        note("logged: %s", message);
        __atomic_add_fetch(&warnings, 1, __ATOMIC_RELAXED);
    }
}

int fixture_warnings(void)
{
    return __atomic_exchange_n(&warnings, 0, __ATOMIC_RELAXED);
}

memory_t *fixture_create(storer_env_t *env, const char *size, apr_pool_t *pool)
{
    storer_option_t options[] = { { "size", size }, { NULL, NULL } };
    const char *errmsg = NULL;
    storer_t *store;

    env->pool = pool;
    env->api = &storer_api;
    if (storer_memory_engine.create(&store, options, env, &errmsg) != APR_SUCCESS
        || store->ops->init(store, &errmsg) != APR_SUCCESS) {
        bail_out("no store: %s", errmsg ? errmsg : "init");
    }
    return (memory_t *)store;
}

memory_t *fixture_open(apr_pool_t *pool, const char *size)
{
    storer_env_t *env = apr_pcalloc(pool, sizeof(*env));
    memory_t *memory;

    env->log = count_line;
    memory = fixture_create(env, size, pool);
    if (memory->base.ops->child_init(&memory->base, pool) != APR_SUCCESS) {
        bail_out("no store: child_init");
    }
    return memory;
}

uint64_t fixture_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* A value: key, version, length and then bytes that follow from them. */
typedef struct head_t {
    uint32_t key, version, length, check;
} head_t;

static unsigned char byte_at(const head_t *head, apr_size_t i)
{
    return (unsigned char)((head->key * 31u + head->version * 17u + (uint32_t)i * 7u
                            + (uint32_t)(i >> 8) * 13u) & 0xff);
}

void fixture_fill(char *bytes, apr_size_t length, uint32_t key, uint32_t version)
{
    head_t head = { key, version, (uint32_t)length, key ^ version ^ (uint32_t)length ^ 0x5a5a5a5au };
    apr_size_t i;

    for (i = 0; i < length; i++) {
        bytes[i] = (char)byte_at(&head, i);
    }
    memcpy(bytes, &head, sizeof(head));
}

/* Without TAP output, so that forked children may call it. */
int fixture_whole(storer_view_t *view, uint32_t key)
{
    apr_size_t at = 0, length = (apr_size_t)view->length;
    char *bytes = malloc(length + 1);
    apr_status_t rv = APR_SUCCESS;
    int whole = 0;
    head_t head;

    while (rv == APR_SUCCESS && at + view->part.len <= length) {
        memcpy(bytes + at, view->part.data, view->part.len);
        at += view->part.len;
        rv = storer_view_next(view);
    }
    if (rv == APR_EOF && at == length && length >= sizeof(head)) {
        memcpy(&head, bytes, sizeof(head));
        whole = head.key == key && head.length == length
                && head.check == (head.key ^ head.version ^ head.length ^ 0x5a5a5a5au);
        for (at = sizeof(head); whole && at < length; at++) {
            whole = (unsigned char)bytes[at] == byte_at(&head, at);
        }
    }
    free(bytes);
    return whole;
}

storer_bytes_t fixture_key(char *buffer, uint32_t key)
{
    storer_bytes_t bytes = { buffer, 0 };

    bytes.len = (apr_size_t)sprintf(buffer, "key-%u", key);
    return bytes;
}

const char *fixture_check(memory_t *memory)
{
    const char *wrong;
    int recovered;

    if (memory_enter(memory, &recovered) != APR_SUCCESS) {
        return "no lock";
    }
    wrong = check_segment(&memory->segment);
    memory_leave(memory, recovered);
    return wrong;
}

apr_uint64_t fixture_used(memory_t *memory)
{
    storer_stat_t stat;

    return storer_stat(&memory->base, &stat) == APR_SUCCESS ? stat.used : 0;
}

storer_expiry_t fixture_expiry(void)
{
    storer_expiry_t expiry = { FIXTURE_NOW + apr_time_from_sec(100),
                               FIXTURE_NOW + apr_time_from_sec(200) };

    return expiry;
}

static apr_status_t stream(memory_t *memory, storer_bytes_t key, storer_bytes_t value,
                           uint64_t *random, apr_pool_t *pool)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    apr_off_t hint = fixture_random(random) % 2 ? (apr_off_t)value.len : -1;
    apr_status_t rv = storer_open_writer(&memory->base, key, fixture_expiry(), hint, FIXTURE_NOW,
                                         &writer, pool);

    while (rv == APR_SUCCESS && value.len > 0) {
        storer_bytes_t part = value;

        part.len = 1 + fixture_random(random) % 9000;
        part.len = part.len < value.len ? part.len : value.len;
        rv = storer_writer_append(&writer, part);
        value.data += part.len;
        value.len -= part.len;
    }
    if (rv == APR_SUCCESS && fixture_random(random) % 8 != 0) {
        return storer_writer_commit(&writer);
    }
    storer_writer_abort(&writer);
    return rv;
}

static apr_status_t take_value(void *baton, storer_bytes_t old, storer_bytes_t *value,
                               storer_expiry_t *expiry, apr_pool_t *scratch)
{
    (void)old;
    (void)scratch;
    *value = *(storer_bytes_t *)baton;
    *expiry = fixture_expiry();
    return APR_SUCCESS;
}

apr_status_t fixture_store(memory_t *memory, uint32_t key, uint64_t *random, apr_pool_t *pool)
{
    char name[32], *bytes;
    storer_bytes_t value;
    uint64_t kind = fixture_random(random);
    apr_size_t length = sizeof(head_t) + (kind & 7 ? kind >> 8 & 0xfff
                                                   : (kind >> 8) % (FIXTURE_LONGEST - 64));

    bytes = malloc(length);
    fixture_fill(bytes, length, key, (uint32_t)(kind >> 32));
    value.data = bytes;
    value.len = length;
    apr_status_t rv;
    switch (kind >> 3 & 3) {
    case 0:
        rv = storer_update(&memory->base, fixture_key(name, key), take_value, &value, FIXTURE_NOW,
                           pool);
        break;
    case 1:
        rv = stream(memory, fixture_key(name, key), value, random, pool);
        break;
    default:
        rv = storer_set(&memory->base, fixture_key(name, key), value, fixture_expiry(),
                        FIXTURE_NOW);
        break;
    }
    free(bytes);
    return rv;
}

/* Sometimes a value is read as from a file, where it lies in one. */
static int read_file(storer_view_t *view, apr_pool_t *pool)
{
    apr_file_t *file;

    if (storer_view_open_file(view, 0, &file, pool) == APR_SUCCESS) {
        return apr_file_close(file) == APR_SUCCESS;
    }
    return 1;
}

int fixture_step(memory_t *memory, uint32_t keys, uint64_t *random, apr_pool_t *pool)
{
    uint64_t draw = fixture_random(random);
    uint32_t key = (uint32_t)(draw >> 16) % keys;
    storer_view_t view = STORER_VIEW_EMPTY;
    char name[32];
    int whole = 1;

    if (draw % 16 == 0) {
        storer_delete(&memory->base, fixture_key(name, key));
    }
    else if (draw % 16 < 6) {
        fixture_store(memory, key, random, pool);
    }
    else if (storer_get(&memory->base, fixture_key(name, key), FIXTURE_NOW, &view, pool)
             == APR_SUCCESS) {
        whole = (draw >> 40) % 4 != 0 || read_file(&view, pool);
        whole = whole && fixture_whole(&view, key);
        storer_view_release(&view);
    }
    return whole;
}
