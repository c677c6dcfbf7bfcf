/* SPDX-License-Identifier: Apache-2.0
 *
 * test_writer.c - storage/writer.c: the wrappers, and the library's own writer over an engine that
 * notes what it is given.
 */
#include "storer_host.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define NOW ((apr_time_t)5000000)

static const storer_bytes_t key = { "k\0y", 3 };
static const storer_expiry_t expiry = { NOW + 1, NOW + 2 };

/* An engine that remembers the last set. */
typedef struct keeper_t {
    storer_t base;
    char key[16], value[1 << 18];
    apr_size_t key_len, value_len;
    storer_expiry_t expiry;
    apr_time_t now;
    int sets;
    apr_status_t set_status, open_status;
    apr_uint64_t largest;
} keeper_t;

static apr_status_t keeper_set(storer_t *self, storer_bytes_t k, storer_bytes_t value,
                               storer_expiry_t e, apr_time_t now)
{
    keeper_t *keeper = (keeper_t *)self;

    keeper->sets++;
    keeper->key_len = k.len;
    keeper->value_len = value.len;
    memcpy(keeper->key, k.data, k.len);
    memcpy(keeper->value, value.data, value.len);
    keeper->expiry = e;
    keeper->now = now;
    return keeper->set_status;
}

static apr_status_t keeper_stat(storer_t *self, storer_stat_t *stat)
{
    stat->largest = ((keeper_t *)self)->largest;
    return APR_SUCCESS;
}

/* Leaves rubbish behind when it fails, as an engine must not. */
static apr_status_t keeper_open(storer_t *self, storer_bytes_t k, storer_expiry_t e,
                                apr_off_t size_hint, apr_time_t now, storer_writer_t *writer,
                                apr_pool_t *pool)
{
    (void)k;
    (void)e;
    (void)size_hint;
    (void)now;
    (void)pool;
    writer->lease = self;
    return ((keeper_t *)self)->open_status;
}

static const storer_ops_t keeper_ops = { .name = "KEEPER", .set = keeper_set, .stat = keeper_stat };
static const storer_ops_t opening_ops = { .name = "KEEPER", .open_writer = keeper_open };
static const storer_env_t no_env = { .api = &storer_api };

static keeper_t *keeper_make(const storer_ops_t *ops)
{
    keeper_t *keeper = calloc(1, sizeof(*keeper));

    if (!keeper) {
        bail_out("no memory");
    }
    keeper->base.ops = ops;
    keeper->base.env = &no_env;
    return keeper;
}

static storer_bytes_t kept(const keeper_t *keeper)
{
    return (storer_bytes_t){ keeper->value, keeper->value_len };
}

static void open_at(keeper_t *keeper, apr_off_t size_hint, storer_writer_t *writer)
{
    apr_status_t rv;

    rv = storer_open_writer(&keeper->base, key, expiry, size_hint, NOW, writer, NULL);
    is_status(rv, APR_SUCCESS, "open, size hint %ld", (long)size_hint);
}

static void gathers(keeper_t *keeper)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;

    open_at(keeper, -1, &writer);
    ok(writer.store == &keeper->base, "the writer knows its store");
    is_status(storer_writer_append(&writer, storer_bytes("one ")), APR_SUCCESS, "append");
    is_status(storer_writer_append(&writer, storer_bytes("")), APR_SUCCESS, "append nothing");
    is_status(storer_writer_append(&writer, (storer_bytes_t){ NULL, 0 }), APR_SUCCESS,
              "append none");
    is_status(storer_writer_append(&writer, (storer_bytes_t){ "two\0", 4 }), APR_SUCCESS, "append");
    is_int(writer.length, 8, "the length is kept");
    is_int(keeper->sets, 0, "nothing is set before commit");
    is_status(storer_writer_commit(&writer), APR_SUCCESS, "commit");
    is_int(keeper->sets, 1, "one set");
    is_bytes(kept(keeper), (storer_bytes_t){ "one two\0", 8 }, "of all pieces");
    is_bytes((storer_bytes_t){ keeper->key, keeper->key_len }, key, "under the key");
    ok(keeper->expiry.fresh_until == NOW + 1 && keeper->expiry.stale_until == NOW + 2,
       "with the expiry");
    is_int(keeper->now, NOW, "and the time");
    ok(!writer.ops, "the writer is closed");
}

static void grows(keeper_t *keeper)
{
    static const apr_off_t hints[] = { -1, 0, 1, 4096, 100000, 100001, 1 << 30 };
    char bytes[100000];

    for (apr_size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 7 + i / 251);
    }
    for (unsigned h = 0; h < sizeof(hints) / sizeof(hints[0]); h++) {
        storer_writer_t writer = STORER_WRITER_CLOSED;
        apr_size_t at = 0;
        int failed = 0;

        open_at(keeper, hints[h], &writer);
        for (apr_size_t piece = 1; at < sizeof(bytes); piece = piece * 3 % 9973) {
            apr_size_t len = piece < sizeof(bytes) - at ? piece : sizeof(bytes) - at;

            failed += storer_writer_append(&writer, (storer_bytes_t){ bytes + at, len })
                      != APR_SUCCESS;
            at += len;
        }
        is_int(failed, 0, "append in many pieces");
        is_status(storer_writer_commit(&writer), APR_SUCCESS, "commit");
        is_bytes(kept(keeper), (storer_bytes_t){ bytes, sizeof(bytes) }, "the bytes are right");
    }
}

static void ends(keeper_t *keeper)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    int sets = keeper->sets;

    open_at(keeper, -1, &writer);
    (void)storer_writer_append(&writer, storer_bytes("never seen"));
    storer_writer_abort(&writer);
    ok(!writer.ops && !writer.lease, "abort closes the writer");
    storer_writer_abort(&writer);
    is_int(keeper->sets, sets, "abort sets nothing, however often");
    is_status(storer_writer_append(&writer, storer_bytes("x")), APR_EINVAL, "append when closed");
    is_status(storer_writer_commit(&writer), APR_EINVAL, "commit when closed");
    open_at(keeper, 10, &writer);
    is_status(storer_writer_commit(&writer), APR_SUCCESS, "commit without an append");
    is_bytes(kept(keeper), storer_bytes(""), "sets an empty value");
    keeper->set_status = APR_TIMEUP;
    open_at(keeper, 10, &writer);
    is_status(storer_writer_commit(&writer), APR_TIMEUP, "a failure of set is passed on");
    ok(!writer.ops, "and the writer is closed");
    keeper->set_status = APR_SUCCESS;
    open_at(keeper, -1, &writer);
    is_status(storer_writer_append(&writer, (storer_bytes_t){ NULL, 5 }), APR_EINVAL,
              "append bytes that are none");
    storer_writer_abort(&writer);
}

static void limits(keeper_t *keeper)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;

    keeper->largest = 10;
    open_at(keeper, -1, &writer);
    is_status(storer_writer_append(&writer, storer_bytes("1234567")), APR_SUCCESS, "7 of 10 bytes");
    is_status(storer_writer_append(&writer, storer_bytes("8901")), APR_ENOSPC,
              "11 bytes are more than the store could take");
    storer_writer_abort(&writer);
    open_at(keeper, -1, &writer);
    is_status(storer_writer_append(&writer, storer_bytes("1234567890")), APR_SUCCESS, "10 bytes");
    is_status(storer_writer_commit(&writer), APR_SUCCESS, "are fine");
    keeper->largest = 0;
}

static void bad_arguments(void)
{
    keeper_t *keeper = keeper_make(&opening_ops);
    storer_writer_t writer;
    storer_t *store = &keeper->base;
    apr_status_t rv;

    memset(&writer, 0x55, sizeof(writer));
    rv = storer_open_writer(store, (storer_bytes_t){ "", 0 }, expiry, -1, NOW, &writer, NULL);
    is_status(rv, APR_EINVAL, "an empty key");
    ok(!writer.ops && !writer.lease, "the writer is closed");
    rv = storer_open_writer(store, (storer_bytes_t){ NULL, 3 }, expiry, -1, NOW, &writer, NULL);
    is_status(rv, APR_EINVAL, "no key");
    rv = storer_open_writer(store, (storer_bytes_t){ "k", STORER_KEY_MAX + 1 }, expiry, -1, NOW,
                            &writer, NULL);
    is_status(rv, APR_EINVAL, "a key too long");
    rv = storer_open_writer(store, key, expiry, -2, NOW, &writer, NULL);
    is_status(rv, APR_EINVAL, "a size hint below -1");
    keeper->open_status = APR_ENOSPC;
    rv = storer_open_writer(store, key, expiry, -1, NOW, &writer, NULL);
    is_status(rv, APR_ENOSPC, "a failure of the engine is passed on");
    ok(!writer.ops && !writer.lease, "the writer is closed");
    free(keeper);
}

int main(void)
{
    keeper_t *keeper = keeper_make(&keeper_ops);

    apr_initialize();
    gathers(keeper);
    grows(keeper);
    ends(keeper);
    limits(keeper);
    bad_arguments();
    free(keeper);
    apr_terminate();
    return done_testing();
}
