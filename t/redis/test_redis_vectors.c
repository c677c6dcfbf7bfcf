/* SPDX-License-Identifier: Apache-2.0
 *
 * test_redis_vectors.c - what the Go code of darkweak/storages and Souin calls and keeps in Redis
 * (formats.md, the golden vectors in the folder that STORER_VECTORS names), as far as it bears on this
 * engine: its keys are keys here, its mappings are read as they are written, and its values under our
 * names are misses, mended by the next store.
 *
 * Deviations, on purpose: names have a prefix of their own, so that nothing is shared by accident; a
 * mapping is a hash, as in generation 3, but each field is sealed with a checksum; a value is a record
 * with a head, in parts, and not one lz4 frame of an HTTP message; there are no SURROGATE_ keys. So
 * response.jsonl and surrogate.jsonl do not apply; lz4.jsonl does to the library's frames, see
 * t/unit/test_vectors.c.
 */
#include "keyindex.h"
#include "names.h"
#include "opened.h"
#include "server.h"
#include "tap.h"

#include <apr_base64.h>
#include <apr_env.h>
#include <apr_strings.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static apr_pool_t *pool;
static const char *folder;

static storer_bytes_t decode(const char *base64)
{
    char *bytes = apr_palloc(pool, (apr_size_t)apr_base64_decode_len(base64) + 1);
    storer_bytes_t result = { bytes, 0 };

    result.len = (apr_size_t)apr_base64_decode(bytes, base64);
    return result;
}

/* A member as it is, or its form in base64; data NULL: neither is there. */
static storer_bytes_t member(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    storer_bytes_t none = { NULL, 0 };

    if (json_is_string(text)) {
        return (storer_bytes_t){ json_string_value(text), json_string_length(text) };
    }
    text = json_object_get(object, apr_pstrcat(pool, name, "_b64", (char *)NULL));
    return json_is_string(text) ? decode(json_string_value(text)) : none;
}

typedef void line_fn(const json_t *vector, const char *name, opened_t *opened);

static void run_file(const char *file, line_fn *run, opened_t *opened)
{
    const char *path = apr_pstrcat(pool, folder, "/", file, (char *)NULL);
    FILE *stream = fopen(path, "r");
    int count = 0;

    if (!stream) {
        skip("%s: not in %s (STORER_VECTORS names the folder)", file, folder);
        return;
    }
    for (;;) {
        json_error_t error;
        json_t *vector = json_loadf(stream, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &error);

        if (!vector) {
            break;
        }
        run(vector, json_string_value(json_object_get(vector, "name")), opened);
        json_decref(vector);
        count++;
    }
    (void)fclose(stream);
    ok(count > 0, "%s: %d vectors", file, count);
}

/* ---- keys ---- */

static int comes_back(const names_t *names, storer_bytes_t key)
{
    names_key_t name = { NAMES_VALUE, key, 0 };
    char *to = apr_palloc(pool, NAMES_TEXT_MAX), *back = apr_palloc(pool, STORER_KEY_MAX + 1);
    storer_bytes_t written = { to, names_write(names, &name, to) };

    return names_read(names, written, back) == key.len && memcmp(back, key.data, key.len) == 0;
}

static void run_key(const json_t *vector, const char *name, opened_t *opened)
{
    static const names_t plain = { "souin", 5, 0 }, clustered = { "souin", 5, 1 };
    const json_t *out = json_object_get(vector, "out");
    storer_bytes_t base = member(out, "base_key"), varied = member(out, "varied_key"),
                   mapping = member(out, "mapping_key"), found = { NULL, 0 };
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_status_t rv;

    if (!base.data || !varied.data || !mapping.data) {
        skip("%s: no keys", name);
        return;
    }
    ok(comes_back(&plain, base) && comes_back(&plain, varied) && comes_back(&plain, mapping)
           && comes_back(&clustered, base) && comes_back(&clustered, varied)
           && comes_back(&clustered, mapping), "%s: names come back", name);
    ok(names_is_mapping(mapping, &found), "%s: a mapping's key", name);
    is_bytes(found, base, "%s: of this URL", name);
    if (!opened) {
        return;
    }
    is_status(storer_set(opened->store, varied, base, FAR, T0), APR_SUCCESS, "%s: stored", name);
    rv = storer_get(opened->store, varied, T0, &view, pool);
    ok(rv == APR_SUCCESS && view.part.len == base.len
           && memcmp(view.part.data, base.data, base.len) == 0, "%s: found", name);
    storer_view_release(&view);
}

/* ---- what a Souin node leaves in Redis ---- */

static apr_time_t time_of(const json_t *entry, const char *name)
{
    const json_t *pair = json_object_get(entry, name);

    return json_integer_value(json_array_get(pair, 0)) * APR_USEC_PER_SEC
           + json_integer_value(json_array_get(pair, 1)) / 1000;
}

/* Each entry of the message is what Go says of it, and is written as it was. */
static void check_mapping(const json_t *mapping, storer_bytes_t blob, const char *name)
{
    keyindex_cursor_t cursor = { blob.data, blob.data + blob.len };
    char *again = apr_palloc(pool, blob.len + 1), *to = again;
    int entries = 0, right = 0;
    keyindex_t index;
    apr_status_t rv;

    for (rv = keyindex_next(&cursor, &index); rv == APR_SUCCESS; rv = keyindex_next(&cursor, &index)) {
        const json_t *entry
            = json_object_get(mapping, apr_pstrmemdup(pool, index.key.data, index.key.len));
        const json_t *real = json_object_get(entry, "real_key");

        entries++;
        right += entry && index.stored_at == time_of(entry, "stored_at")
                 && index.expiry.fresh_until == time_of(entry, "fresh_time")
                 && index.expiry.stale_until == time_of(entry, "stale_time")
                 && index.real_key.len == json_string_length(real)
                 && memcmp(index.real_key.data, json_string_value(real), index.real_key.len) == 0;
        to = keyindex_write(&index, to);
    }
    is_status(rv, APR_EOF, "%s: the mapping is read to its end", name);
    is_int(entries, (long)json_object_size(mapping), "%s: all its entries", name);
    is_int(right, entries, "%s: and they are right", name);
    is_bytes((storer_bytes_t){ again, (apr_size_t)(to - again) }, blob, "%s: written as it was", name);
}

/* By the server itself: the engine would write it in its own form. */
static void plant(const server_t *server, storer_bytes_t key, storer_bytes_t value)
{
    const char *name = apr_pstrcat(pool, "storer:", apr_pstrmemdup(pool, key.data, key.len), NULL);
    const storer_bytes_t words[] = { { "SET", 3 }, { name, key.len + 7 }, value, { NULL, 0 } };
    char answer[64];

    server_ask_bytes(server, answer, sizeof(answer), words);
    if (answer[0] != '+') {
        bail_out("SET: %s", answer);
    }
}

static const server_t *server;

static void run_snapshot(const json_t *vector, const char *name, opened_t *opened)
{
    const json_t *list = json_object_get(vector, "redis"), *one;
    storer_bytes_t fresh = { "mended", 6 };
    int wrong = 0, mended = 0, count = 0;
    size_t i;

    json_array_foreach(list, i, one) {
        const json_t *mapping = json_object_get(one, "mapping");
        storer_bytes_t key = member(one, "key"), value = member(one, "value");
        storer_view_t view = STORER_VIEW_EMPTY;

        if (mapping) {
            check_mapping(mapping, value, name);
        }
        if (!opened || !key.data || memchr(key.data, '\0', key.len)) {
            continue;
        }
        count++;
        plant(server, key, value);
        wrong += storer_get(opened->store, key, T0, &view, pool) != APR_NOTFOUND;
        storer_view_release(&view);
        (void)storer_set(opened->store, key, fresh, FAR, T0);
        mended += opened_get(opened, apr_pstrmemdup(pool, key.data, key.len), fresh, NULL) == 'v';
    }
    if (opened) {
        is_int(wrong, 0, "%s: none of it is a value of ours", name);
        is_int(mended, count, "%s: a store mends each of %d", name, count);
    }
}

int main(void)
{
    opened_t *opened = NULL;
    char *top = NULL, *given = NULL;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (apr_env_get(&top, "srcdir", pool) != APR_SUCCESS) {
        top = apr_pstrdup(pool, ".");
    }
    folder = apr_env_get(&given, "STORER_VECTORS", pool) == APR_SUCCESS
                 ? given : apr_pstrcat(pool, top, "/../shared/vectors", NULL);
    if (server_is_installed()) {
        server = server_start(NULL, pool);
        opened = opened_create(apr_psprintf(pool, "redis://127.0.0.1:%d", server->port), NULL, pool);
    }
    else {
        skip("redis-server is not installed (Debian: redis-tools is enough)");
    }
    run_file("key.jsonl", run_key, opened);
    run_file("redis_snapshot.jsonl", run_snapshot, opened);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
