/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_variants.c - the memory engine's shorter way to a URL's only response gives what the
 * way over the mapping gives, whatever happens to the two.
 */
#include "memory_fixture.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

static storer_bytes_t no_header(void *baton, storer_bytes_t name)
{
    storer_bytes_t none = { NULL, 0 };

    (void)name;
    return baton ? storer_bytes(baton) : none;
}

static apr_status_t put(memory_t *memory, const char *key, const char *varies, const char *text,
                        apr_time_t stored_at, apr_pool_t *pool)
{
    storer_header_t header = { storer_bytes("Accept"), storer_bytes(varies ? varies : "") };
    storer_variant_t variant = { storer_bytes("url"), storer_bytes(key), storer_bytes(key),
                                 { NULL, 0 }, &header, varies ? 1 : 0, stored_at,
                                 fixture_expiry(), 0, 0 };

    return storer_set_multi_level(&memory->base, &variant, storer_bytes(text), FIXTURE_NOW, pool);
}

/* What is found for a request with this Accept, at this time; 's' before it: stale. */
static void finds(memory_t *memory, const char *accept, apr_time_t now, const char *want,
                  const char *what, apr_pool_t *pool)
{
    storer_view_t fresh = STORER_VIEW_EMPTY, stale = STORER_VIEW_EMPTY;
    storer_request_t request = { no_header, (void *)accept, NULL };
    apr_status_t rv = storer_get_multi_level(&memory->base, storer_bytes("url"), &request, NULL, now,
                                             &fresh, &stale, pool);
    storer_view_t *view = fresh.ops ? &fresh : &stale;

    if (!want) {
        is_status(rv, APR_NOTFOUND, "%s", what);
    }
    else if (is_status(rv, APR_SUCCESS, "%s", what)) {
        is_bytes(view->part, storer_bytes(want), "%s: it is the right one", what);
    }
    storer_view_release(&fresh);
    storer_view_release(&stale);
}

static uint32_t is_marked(memory_t *memory, apr_pool_t *pool)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    uint32_t alone = 0;

    if (storer_get(&memory->base, storer_bytes("url"), FIXTURE_NOW, &view, pool) == APR_SUCCESS) {
        alone = ((const memory_entry_t *)view.value)->marks & MEMORY_ALONE;
        storer_view_release(&view);
    }
    return alone;
}

static void evict_mapping(memory_t *memory)
{
    storer_bytes_t key = storer_bytes("IDX_url");
    memory_segment_t *segment = &memory->segment;
    int recovered;

    memory_enter(memory, &recovered);
    entry_unlink(segment, index_find_locked(segment, key, index_hash(segment, key)));
    journal_commit(segment);
    memory_leave(memory, recovered);
}

/* A flood of made-up values of a header, beside variants that are asked for. */
static void test_made_up_variants(apr_pool_t *pool)
{
    static const char *const real[] = { "de", "en", "fr" };
    memory_t *memory = fixture_open(pool, "1M");
    unsigned i, k;

    for (i = 0; i < 3; i++) {
        storer_header_t header = { storer_bytes("Accept"), storer_bytes(real[i]) };
        storer_variant_t variant = { storer_bytes("url"), storer_bytes(real[i]),
                                     storer_bytes(real[i]), { NULL, 0 }, &header, 1, FIXTURE_NOW,
                                     fixture_expiry(), 64, 0 };

        storer_set_multi_level(&memory->base, &variant, storer_bytes(real[i]), FIXTURE_NOW, pool);
        finds(memory, real[i], FIXTURE_NOW, real[i], "a variant that is asked for", pool);
    }
    for (i = 0; i < 200; i++) {
        char *name = apr_psprintf(pool, "made-up-%u", i);
        storer_header_t header = { storer_bytes("Accept"), storer_bytes(name) };
        storer_variant_t variant = { storer_bytes("url"), storer_bytes(name), storer_bytes(name),
                                     { NULL, 0 }, &header, 1, FIXTURE_NOW + 1 + i,
                                     fixture_expiry(), 64, 0 };

        storer_set_multi_level(&memory->base, &variant, storer_bytes(name), FIXTURE_NOW + 1 + i,
                               pool);
    }
    for (k = 0; k < 3; k++) {
        finds(memory, real[k], FIXTURE_NOW + 300, real[k], "it is there after 200 made-up ones",
              pool);
    }
    finds(memory, "made-up-199", FIXTURE_NOW + 300, "made-up-199", "so is the latest of these", pool);
    finds(memory, "made-up-100", FIXTURE_NOW + 300, NULL, "those before have given way", pool);
}

int main(void)
{
    storer_expiry_t expiry = fixture_expiry();
    apr_pool_t *pool;
    memory_t *memory;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_made_up_variants(pool);
    memory = fixture_open(pool, "1M");

    put(memory, "url", NULL, "plain", FIXTURE_NOW, pool);
    is_int(is_marked(memory, pool), 1, "a URL's only response is marked");
    finds(memory, NULL, FIXTURE_NOW, "plain", "found directly", pool);
    finds(memory, NULL, expiry.fresh_until, "plain", "found stale", pool);
    finds(memory, NULL, expiry.stale_until, NULL, "not found when its time is over", pool);

    put(memory, "url", NULL, "newer", FIXTURE_NOW + 1, pool);
    is_int(is_marked(memory, pool), 1, "so is the one that takes its place");
    finds(memory, NULL, FIXTURE_NOW, "newer", "the newer one is found", pool);

    put(memory, "url-html", "html", "varied", FIXTURE_NOW + 2, pool);
    is_int(is_marked(memory, pool), 0, "beside another variant it is not marked");
    finds(memory, "html", FIXTURE_NOW, "varied", "the later variant, which fits", pool);
    finds(memory, "text", FIXTURE_NOW, "newer", "the one for all other requests", pool);

    storer_delete(&memory->base, storer_bytes("IDX_url"));
    finds(memory, "text", FIXTURE_NOW, NULL, "nothing without the mapping", pool);

    put(memory, "url", NULL, "again", FIXTURE_NOW + 3, pool);
    storer_delete(&memory->base, storer_bytes("IDX_url"));
    is_int(is_marked(memory, pool), 0, "deleting the mapping clears the mark");
    finds(memory, NULL, FIXTURE_NOW, NULL, "so nothing is found", pool);

    put(memory, "url", NULL, "stays", FIXTURE_NOW + 4, pool);
    evict_mapping(memory);
    finds(memory, NULL, FIXTURE_NOW, "stays", "found though the mapping was evicted", pool);
    put(memory, "url-html", "html", "varied", FIXTURE_NOW + 5, pool);
    finds(memory, "text", FIXTURE_NOW, NULL, "a new mapping that does not name it counts", pool);

    put(memory, "url", NULL, "goes", FIXTURE_NOW + 6, pool);
    storer_delete(&memory->base, storer_bytes("url-html"));
    storer_delete(&memory->base, storer_bytes("IDX_url"));
    put(memory, "url", NULL, "goes", FIXTURE_NOW + 6, pool);
    evict_mapping(memory);
    is_status(storer_delete_multi_level(&memory->base, storer_bytes("url"), FIXTURE_NOW, pool),
              APR_SUCCESS, "delete the URL, whose mapping was evicted");
    finds(memory, NULL, FIXTURE_NOW, NULL, "nothing is left of it", pool);

    storer_set(&memory->base, storer_bytes("IDX_url"), storer_bytes("no mapping"), expiry,
               FIXTURE_NOW);
    put(memory, "url", NULL, "repaired", FIXTURE_NOW + 7, pool);
    is_int(fixture_warnings(), 1, "a damaged mapping is told of");
    finds(memory, NULL, FIXTURE_NOW, "repaired", "and replaced", pool);
    is_string(fixture_check(memory), NULL, "the segment is consistent");
    is_int(fixture_warnings(), 0, "nothing else was logged");
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
