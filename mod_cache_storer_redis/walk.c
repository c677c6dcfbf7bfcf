/* SPDX-License-Identifier: Apache-2.0
 *
 * walk.c - what goes over all keys: map_keys and reset (delete_many is the library's, on map_keys). By
 * SCAN, page by page, at each server that holds keys, and never beyond our own names.
 *
 * How long a walk takes depends on the size of the database. Each single step is bounded by the
 * timeout, and the walk by what it finds: it fails if it comes to a place for the second time, or has
 * come to nothing of ours for long (WALK_PATIENCE), as with a server whose SCAN does not end.
 */
#include "epoch.h"
#include "mapping.h"
#include "read.h"
#include "router.h"
#include "write.h"

#include <stdlib.h>
#include <string.h>

/* Places of the database in one step, which takes Redis a fraction of a millisecond. */
#define PAGE_COUNT 1000

/* For how many timeouts, and for how long at most, a walk goes on without coming to a key of ours that
 * it has not seen. */
#define WALK_PATIENCE     100
#define WALK_PATIENCE_MAX (10 * APR_USEC_PER_SEC)

/* ---- keys seen: SCAN may return one twice ---- */

typedef struct seen_t {
    apr_uint64_t *sums;     /* open addressing; 0: free */
    apr_size_t    room, used;
} seen_t;

static void seen_put(seen_t *seen, apr_uint64_t sum)
{
    apr_size_t at = (apr_size_t)sum & (seen->room - 1);

    while (seen->sums[at] != 0) {
        at = (at + 1) & (seen->room - 1);
    }
    seen->sums[at] = sum;
    seen->used++;
}

static int seen_has(const seen_t *seen, apr_uint64_t sum)
{
    apr_size_t at = (apr_size_t)sum & (seen->room - 1);

    while (seen->sums[at] != 0 && seen->sums[at] != sum) {
        at = (at + 1) & (seen->room - 1);
    }
    return seen->sums[at] != 0;
}

static apr_status_t seen_grow(seen_t *seen)
{
    seen_t larger = { NULL, seen->room ? seen->room * 2 : 1024, 0 };
    apr_size_t i;

    larger.sums = calloc(larger.room, sizeof(*larger.sums));
    if (!larger.sums) {
        return APR_ENOMEM;
    }
    for (i = 0; i < seen->room; i++) {
        if (seen->sums[i] != 0) {
            seen_put(&larger, seen->sums[i]);
        }
    }
    free(seen->sums);
    *seen = larger;
    return APR_SUCCESS;
}

/* APR_SUCCESS: for the first time; APR_EEXIST. By checksum: of a million keys two are taken for one
 * in every thirty million walks. */
static apr_status_t seen_add(seen_t *seen, storer_bytes_t key)
{
    apr_uint64_t sum = value_checksum(0, key.data, key.len);

    sum += sum == 0;
    if (seen->used * 2 >= seen->room) {
        apr_status_t rv = seen_grow(seen);

        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    if (seen_has(seen, sum)) {
        return APR_EEXIST;
    }
    seen_put(seen, sum);
    return APR_SUCCESS;
}

/* ---- walking ---- */

/* Where a walk at one server is, and whether it gets anywhere. */
typedef struct progress_t {
    node_t        *node;
    apr_interval_time_t patience;
    clock_point_t  until;         /* without a find */
    char           text[24];
    storer_bytes_t cursor;
    char           mark[24];      /* a cursor that was met before; each is compared with it */
    apr_size_t     mark_len;
    apr_uint64_t   pages, mark_at;
} progress_t;

/* Called for each page of names that fit the pattern, which may come more than once. The pool is
 * cleared after each. progress_found() tells of a name that is a new one, and there. */
typedef apr_status_t walk_fn(redis_t *redis, void *baton, progress_t *progress, const reply_t *names,
                             apr_pool_t *pool);

static void progress_found(progress_t *progress)
{
    progress->until = clock_now() + progress->patience;
}

static void progress_begin(progress_t *progress, const redis_t *redis, node_t *node)
{
    apr_interval_time_t timeout = redis->options.timeout, most = WALK_PATIENCE * timeout;

    if (most > WALK_PATIENCE_MAX) {
        most = timeout > WALK_PATIENCE_MAX ? timeout : WALK_PATIENCE_MAX;
    }
    memset(progress, 0, sizeof(*progress));
    progress->node = node;
    progress->patience = most;
    progress->cursor.data = strcpy(progress->text, "0");
    progress->cursor.len = 1;
    progress_found(progress);
}

/* APR_TIMEUP: it has not got anywhere for long. */
static apr_status_t progress_check(const progress_t *progress)
{
    if (clock_left(progress->until) > 0) {
        return APR_SUCCESS;
    }
    node_failed(progress->node, APR_TIMEUP, "its SCAN does not end");
    return APR_TIMEUP;
}

static int progress_is_over(const progress_t *progress)
{
    return progress->cursor.len == 1 && progress->text[0] == '0';
}

/* The cursor after a page. A circle of cursors, however large, comes to the mark again, which moves on
 * after 1, 2, 4, ... pages. */
static apr_status_t progress_step(progress_t *progress, storer_bytes_t cursor)
{
    progress->cursor.len = cursor.len;
    memcpy(progress->text, cursor.data, cursor.len);
    if (progress_is_over(progress)) {
        return APR_SUCCESS;
    }
    if (progress->mark_at > 0 && cursor.len == progress->mark_len
        && memcmp(progress->mark, cursor.data, cursor.len) == 0) {
        node_failed(progress->node, APR_SUCCESS, "its SCAN goes round in circles");
        return APR_EINVAL;
    }
    if (++progress->pages >= 2 * progress->mark_at) {
        memcpy(progress->mark, cursor.data, cursor.len);
        progress->mark_len = cursor.len;
        progress->mark_at = progress->pages;
    }
    return progress_check(progress);
}

static apr_status_t read_page(redis_t *redis, node_t *node, storer_bytes_t pattern,
                              storer_bytes_t cursor, reply_t **page)
{
    reply_t *reply = NULL;
    batch_t batch;
    apr_status_t rv;

    batch_begin(&batch, &redis->names);
    batch_command(&batch, REPLY_IS_ARRAY, 6, "SCAN");
    batch_bytes(&batch, cursor);
    batch_text(&batch, "MATCH");
    batch_bytes(&batch, pattern);
    batch_text(&batch, "COUNT");
    batch_number(&batch, PAGE_COUNT);
    rv = exchange_run(node, &batch, EXCHANGE_READ, redis_deadline(redis), &reply);
    batch_end(&batch);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (reply->type != REPLY_ARRAY || reply->count != 2
        || reply->elements[0]->type != REPLY_STRING || reply->elements[0]->text.len < 1
        || reply->elements[0]->text.len > 20
        || reply->elements[1]->type != REPLY_ARRAY) {
        reply_free(reply);
        return APR_EINVAL;
    }
    *page = reply;
    return APR_SUCCESS;
}

static apr_status_t walk_node(redis_t *redis, node_t *node, storer_bytes_t pattern, walk_fn *fn,
                              void *baton, apr_pool_t *pool)
{
    progress_t progress;
    apr_status_t rv = APR_SUCCESS;

    progress_begin(&progress, redis, node);
    do {
        reply_t *page = NULL;

        rv = read_page(redis, node, pattern, progress.cursor, &page);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rv = fn(redis, baton, &progress, page->elements[1], pool);
        apr_pool_clear(pool);
        if (rv == APR_SUCCESS) {
            rv = progress_step(&progress, page->elements[0]->text);
        }
        reply_free(page);
    } while (rv == APR_SUCCESS && !progress_is_over(&progress));
    return rv;
}

static apr_status_t walk(redis_t *redis, storer_bytes_t pattern, walk_fn *fn, void *baton)
{
    apr_status_t rv;
    apr_pool_t *pool;
    node_t *node;
    int nth;

    rv = apr_pool_create(&pool, NULL);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    node = router_nth(redis, 0, redis_deadline(redis));
    rv = node ? APR_SUCCESS : APR_EAGAIN;
    for (nth = 1; node && rv == APR_SUCCESS; nth++) {
        rv = walk_node(redis, node, pattern, fn, baton, pool);
        node = router_nth(redis, nth, redis_deadline(redis));
    }
    apr_pool_destroy(pool);
    return rv;
}

/* ---- map_keys ---- */

typedef struct map_t {
    storer_bytes_t prefix;
    apr_time_t     now;
    storer_key_fn *fn;
    void          *baton;
    seen_t         seen;
    char           key[NAMES_TEXT_MAX];
} map_t;

static int begins_with(storer_bytes_t key, storer_bytes_t prefix)
{
    return key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0;
}

static apr_status_t map_name(redis_t *redis, map_t *map, storer_bytes_t name,
                             progress_t *progress, apr_pool_t *pool)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_bytes_t key = { map->key, names_read(&redis->names, name, map->key) };
    apr_status_t rv;

    if (key.len == 0 || !begins_with(key, map->prefix)) {
        return APR_SUCCESS;
    }
    rv = seen_add(&map->seen, key);
    if (rv != APR_SUCCESS) {
        return rv == APR_EEXIST ? APR_SUCCESS : rv;
    }
    rv = redis_get(&redis->base, key, map->now, &view, pool);
    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    progress_found(progress);
    rv = map->fn(map->baton, key, &view);
    if (view.ops) {
        view.ops->release(&view);
    }
    return rv;
}

static apr_status_t map_page(redis_t *redis, void *baton, progress_t *progress,
                             const reply_t *names, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i;

    for (i = 0; i < names->count && rv == APR_SUCCESS; i++) {
        storer_bytes_t name = reply_string(names->elements[i]);

        if (name.data && name.len <= NAMES_TEXT_MAX) {
            rv = map_name(redis, baton, name, progress, pool);
        }
        if (rv == APR_SUCCESS) {
            rv = progress_check(progress);
        }
    }
    return rv;
}

/* The pattern and the key are long, so they are not on the stack. */
apr_status_t redis_map_keys(storer_t *self, storer_bytes_t prefix, apr_time_t now,
                            storer_key_fn *fn, void *baton, apr_pool_t *scratch)
{
    redis_t *redis = redis_of(self);
    map_t *map = calloc(1, sizeof(*map));
    char *text = malloc(2 * NAMES_TEXT_MAX);
    storer_bytes_t pattern = { text, 0 };
    apr_status_t rv = APR_ENOMEM;

    (void)scratch;
    if (map && text) {
        map->prefix = prefix;
        map->now = now;
        map->fn = fn;
        map->baton = baton;
        rv = seen_grow(&map->seen);
    }
    if (rv == APR_SUCCESS) {
        epoch_find(redis, redis_deadline(redis)); /* who looks at values may want to know of purges */
        pattern.len = names_pattern(&redis->names, prefix, text);
        rv = walk(redis, pattern, map_page, map);
        free(map->seen.sums);
    }
    free(map);
    free(text);
    return rv;
}

/* ---- reset ---- */

/* A page of names is dropped in one go, at the server that named them. A name that has moved to
 * another one meanwhile is seen there, or stays. Parts are left to readers for a while. */
static apr_status_t reset_page(redis_t *redis, void *baton, progress_t *progress,
                               const reply_t *names, apr_pool_t *pool)
{
    int is_part = baton != NULL;
    reply_t **replies;
    batch_t batch;
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i;

    batch_begin(&batch, &redis->names);
    for (i = 0; i < names->count; i++) {
        storer_bytes_t name = reply_string(names->elements[i]);

        if (name.data) {
            batch_command(&batch, REPLY_IS_INTEGER, is_part ? 3 : 2, is_part ? "PEXPIRE" : "DEL");
            batch_bytes(&batch, name);
            if (is_part) {
                batch_number(&batch, WRITE_GRACE);
            }
        }
    }
    if (batch.count > 0) {
        replies = apr_pcalloc(pool, sizeof(*replies) * (apr_size_t)batch.count);
        rv = exchange_run(progress->node, &batch, EXCHANGE_READ, redis_deadline(redis), replies);
        for (i = 0; rv == APR_SUCCESS && i < (apr_size_t)batch.count; i++) {
            if (replies[i]->type == REPLY_INTEGER && replies[i]->integer == 1) {
                progress_found(progress);
            }
        }
        reply_free_all(replies, batch.count);
    }
    batch_end(&batch);
    return rv;
}

apr_status_t redis_reset(storer_t *self)
{
    static const storer_bytes_t all = { "", 0 };
    redis_t *redis = redis_of(self);
    char text[2 * OPTIONS_PREFIX_MAX + 16];
    storer_bytes_t pattern = { text, names_pattern(&redis->names, all, text) };
    apr_status_t rv;

    rv = walk(redis, pattern, reset_page, NULL);
    if (rv == APR_SUCCESS) {
        pattern.len = names_pattern_parts(&redis->names, text);
        rv = walk(redis, pattern, reset_page, redis);
    }
    return rv;
}
