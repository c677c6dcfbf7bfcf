/* SPDX-License-Identifier: Apache-2.0
 *
 * listing.c - lists of what is stored: keys and tags, page by page in the order of their bytes, and
 * the most popular of both.
 *
 * A page is found by a look at every entry, of which just those of the page are kept: the next page
 * begins behind the last key of this one (the cursor), whatever was stored or dropped meanwhile.
 */
#include "answer.h"
#include "entries.h"
#include "ranking.h"

#include "../purge/tags.h"

#include "http_protocol.h"
#include "apr_hash.h"
#include "apr_strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_DEFAULT 1000
#define KEYS_MAX     10000
#define TAGS_DEFAULT 100
#define TAGS_MAX     1000
#define TOP_DEFAULT  10
#define TOP_MAX      1000

/* Of all texts in one answer. */
#define PAGE_BYTES   ((apr_size_t)8 << 20)

/* Keys that are listed with one tag. */
#define KEYS_OF_TAG  100

/* The parameter "limit". @return OK, else the answer has been given */
static int limit_of(const admin_t *admin, long otherwise, long most, apr_size_t *limit)
{
    const char *text = admin_parameter(admin, "limit");
    char *end;
    long number;

    if (!text) {
        *limit = (apr_size_t)otherwise;
        return OK;
    }
    errno = 0;
    number = strtol(text, &end, 10);
    if (errno || end == text || *end || number < 1 || number > most) {
        (void)answer_error(admin, HTTP_BAD_REQUEST, "limit=%s: expected a number from 1 to %ld",
                           text, most);
        return DONE;
    }
    *limit = (apr_size_t)number;
    return OK;
}

/* RFC 8288: where the next page is. */
static void link_next(const admin_t *admin, storer_bytes_t last, apr_size_t limit)
{
    apr_pool_t *pool = admin->r->pool;
    const char *pattern = admin_parameter(admin, "pattern");
    const char *cursor = ap_escape_urlencoded(pool, apr_pstrmemdup(pool, last.data, last.len));
    const char *rest = *admin->rest ? apr_pstrcat(pool, "/", ap_escape_urlencoded(pool, admin->rest),
                                                  NULL) : "";

    apr_table_setn(admin->r->err_headers_out, "Link",
                   apr_psprintf(pool, "<%s%s?cursor=%s&limit=%" APR_SIZE_T_FMT "%s%s>; rel=\"next\"",
                                admin->base, rest, cursor, limit, pattern ? "&pattern=" : "",
                                pattern ? ap_escape_urlencoded(pool, pattern) : ""));
}

/* ------------------------------------------------------------------------------------------------
 * Keys
 * --------------------------------------------------------------------------------------------- */

typedef struct keys_t {
    ranking_t  *ranking;
    const char *cursor;     /* NULL: from the first on */
} keys_t;

static int is_behind(const char *cursor, const ranking_item_t *item)
{
    ranking_item_t last = { storer_bytes(cursor ? cursor : ""), 0, 0 };

    return !cursor || ranking_by_text(&last, item) < 0;
}

static apr_status_t offer_key(void *baton, const entries_entry_t *entry, apr_pool_t *scratch)
{
    keys_t *keys = baton;
    ranking_item_t item = { entries_shown(entry, scratch), 0, 0 };

    if (is_behind(keys->cursor, &item)) {
        ranking_offer(keys->ranking, &item);
    }
    return APR_SUCCESS;
}

int listing_keys(const admin_t *admin)
{
    keys_t keys = { NULL, admin_parameter(admin, "cursor") };
    const apr_array_header_t *items;
    storer_pattern_t *pattern;
    storer_bytes_t last = { "", 0 };
    apr_size_t limit;
    apr_status_t rv;
    json_t *json;
    int i;

    if (limit_of(admin, KEYS_DEFAULT, KEYS_MAX, &limit) != OK
        || admin_pattern(admin, &pattern) != OK) {
        return OK;
    }
    keys.ranking = ranking_create(limit, PAGE_BYTES, ranking_by_text, admin->r->pool);
    rv = entries_walk(admin, pattern, offer_key, &keys);
    if (rv != APR_SUCCESS) {
        return entries_failed(admin, rv);
    }
    items = ranking_items(keys.ranking);
    json = json_array();
    for (i = 0; i < items->nelts; i++) {
        last = APR_ARRAY_IDX(items, i, ranking_item_t).text;
        json_array_append_new(json, answer_text(last));
    }
    if (ranking_has_more(keys.ranking)) {
        link_next(admin, last, limit);
    }
    /* as Souin's: a pattern that nothing matches is not found */
    return answer_json(admin, pattern && items->nelts == 0 && !keys.cursor ? HTTP_NOT_FOUND
                                                                         : HTTP_OK, json);
}

/* ------------------------------------------------------------------------------------------------
 * Tags: which are on the page, and then the URLs that carry these
 * --------------------------------------------------------------------------------------------- */

static apr_status_t offer_tags(void *baton, const entries_entry_t *entry, apr_pool_t *scratch)
{
    keys_t *tags = baton;
    const char *cursor = entry->record->tags;
    ranking_item_t item = { { NULL, 0 }, 0, 0 };

    (void)scratch;
    while (cursor && tags_next(&cursor, &item.text)) {
        if (is_behind(tags->cursor, &item)) {
            ranking_offer(tags->ranking, &item);
        }
    }
    return APR_SUCCESS;
}

typedef struct collect_t {
    apr_hash_t *rankings;   /* of ranking_t *, by tag: the URLs */
} collect_t;

static apr_status_t collect_urls(void *baton, const entries_entry_t *entry, apr_pool_t *scratch)
{
    collect_t *collect = baton;
    const char *cursor = entry->record->tags;
    ranking_item_t url = { entries_shown(entry, scratch), 0, 0 };
    storer_bytes_t tag;

    while (cursor && tags_next(&cursor, &tag)) {
        ranking_t *ranking = apr_hash_get(collect->rankings, tag.data, (apr_ssize_t)tag.len);

        if (ranking) {
            ranking_offer(ranking, &url);
        }
    }
    return APR_SUCCESS;
}

/* As Souin lists them, separated by commas; a comma in a URL is written as %2C. */
static json_t *join_urls(ranking_t *ranking, apr_pool_t *pool)
{
    const apr_array_header_t *items = ranking_items(ranking);
    apr_array_header_t *parts = apr_array_make(pool, items->nelts + 1, sizeof(const char *));
    int i;

    for (i = 0; i < items->nelts; i++) {
        storer_bytes_t text = APR_ARRAY_IDX(items, i, ranking_item_t).text;
        const char *url = apr_pstrmemdup(pool, text.data, text.len);

        while (strchr(url, ',')) {
            const char *comma = strchr(url, ',');

            url = apr_pstrcat(pool, apr_pstrmemdup(pool, url, (apr_size_t)(comma - url)), "%2C",
                              comma + 1, NULL);
        }
        APR_ARRAY_PUSH(parts, const char *) = url;
    }
    return answer_text(storer_bytes(apr_array_pstrcat(pool, parts, ',')));
}

int listing_tags(const admin_t *admin)
{
    apr_pool_t *pool = admin->r->pool;
    keys_t tags = { NULL, admin_parameter(admin, "cursor") };
    collect_t collect = { apr_hash_make(pool) };
    const apr_array_header_t *items;
    storer_bytes_t last = { "", 0 };
    apr_size_t limit;
    apr_status_t rv;
    json_t *json;
    int i;

    if (limit_of(admin, TAGS_DEFAULT, TAGS_MAX, &limit) != OK) {
        return OK;
    }
    tags.ranking = ranking_create(limit, PAGE_BYTES, ranking_by_text, pool);
    rv = entries_walk(admin, NULL, offer_tags, &tags);
    items = ranking_items(tags.ranking);
    for (i = 0; i < items->nelts; i++) {
        last = APR_ARRAY_IDX(items, i, ranking_item_t).text;
        apr_hash_set(collect.rankings, last.data, (apr_ssize_t)last.len,
                     ranking_create(KEYS_OF_TAG, PAGE_BYTES / limit, ranking_by_text, pool));
    }
    if (rv == APR_SUCCESS && items->nelts > 0) {
        rv = entries_walk(admin, NULL, collect_urls, &collect);
    }
    if (rv != APR_SUCCESS) {
        return entries_failed(admin, rv);
    }
    json = json_object();
    for (i = 0; i < items->nelts; i++) {
        storer_bytes_t tag = APR_ARRAY_IDX(items, i, ranking_item_t).text;
        json_t *name = answer_text(tag);

        json_object_set_new(json, json_string_value(name),
                            join_urls(apr_hash_get(collect.rankings, tag.data,
                                                   (apr_ssize_t)tag.len), pool));
        json_decref(name);
    }
    if (ranking_has_more(tags.ranking)) {
        link_next(admin, last, limit);
    }
    return answer_json(admin, HTTP_OK, json);
}

/* ------------------------------------------------------------------------------------------------
 * The most popular
 * --------------------------------------------------------------------------------------------- */

/* Tags that are counted at a time. When there are more, the least popular ones are given up (J. Misra
 * and D. Gries, "Finding repeated elements", 1982): what is missed is rarer than one in so many. */
#define COUNTED_TAGS 4096

typedef struct counted_t {
    storer_bytes_t tag;
    apr_uint64_t   entries, hits;
} counted_t;

typedef struct top_t {
    ranking_t  *keys;
    apr_hash_t *tags;       /* of counted_t *, by tag */
    apr_pool_t *pool;       /* of tags and what is in it */
    apr_pool_t *parent;
} top_t;

static void give_up_rare_tags(top_t *top)
{
    apr_hash_index_t *index;
    apr_uint64_t least = APR_UINT64_MAX;
    apr_hash_t *kept;
    apr_pool_t *pool;
    void *value;

    for (index = apr_hash_first(NULL, top->tags); index; index = apr_hash_next(index)) {
        apr_hash_this(index, NULL, NULL, &value);
        least = ((counted_t *)value)->entries < least ? ((counted_t *)value)->entries : least;
    }
    apr_pool_create(&pool, top->parent);
    kept = apr_hash_make(pool);
    for (index = apr_hash_first(NULL, top->tags); index; index = apr_hash_next(index)) {
        counted_t *counted;

        apr_hash_this(index, NULL, NULL, &value);
        counted = apr_pmemdup(pool, value, sizeof(*counted));
        if (counted->entries > least) {
            counted->entries -= least;
            counted->tag.data = apr_pmemdup(pool, counted->tag.data, counted->tag.len);
            apr_hash_set(kept, counted->tag.data, (apr_ssize_t)counted->tag.len, counted);
        }
    }
    apr_pool_destroy(top->pool);
    top->pool = pool;
    top->tags = kept;
}

static void count_tag(top_t *top, storer_bytes_t tag, apr_uint64_t hits)
{
    counted_t *counted = apr_hash_get(top->tags, tag.data, (apr_ssize_t)tag.len);

    if (!counted) {
        if (apr_hash_count(top->tags) >= COUNTED_TAGS) {
            give_up_rare_tags(top);
        }
        counted = apr_pcalloc(top->pool, sizeof(*counted));
        counted->tag.data = apr_pmemdup(top->pool, tag.data, tag.len);
        counted->tag.len = tag.len;
        apr_hash_set(top->tags, counted->tag.data, (apr_ssize_t)tag.len, counted);
    }
    counted->entries++;
    counted->hits += hits;
}

static apr_status_t offer_top(void *baton, const entries_entry_t *entry, apr_pool_t *scratch)
{
    top_t *top = baton;
    ranking_item_t item = { entries_shown(entry, scratch), entry->view->hits, 0 };
    const char *cursor = entry->record->tags;
    storer_bytes_t tag;

    ranking_offer(top->keys, &item);
    while (cursor && tags_next(&cursor, &tag)) {
        count_tag(top, tag, entry->view->hits);
    }
    return APR_SUCCESS;
}

static ranking_t *rank_tags(const top_t *top, apr_size_t limit, apr_pool_t *pool)
{
    ranking_t *ranking = ranking_create(limit, PAGE_BYTES, ranking_by_weight, pool);
    apr_hash_index_t *index;
    void *value;

    for (index = apr_hash_first(NULL, top->tags); index; index = apr_hash_next(index)) {
        const counted_t *counted;
        ranking_item_t item;

        apr_hash_this(index, NULL, NULL, &value);
        counted = value;
        item.text = counted->tag;
        item.weight = counted->hits;
        item.count = counted->entries;
        ranking_offer(ranking, &item);
    }
    return ranking;
}

static json_t *json_of_ranking(ranking_t *ranking, const char *name, int with_entries)
{
    const apr_array_header_t *items = ranking_items(ranking);
    json_t *json = json_array();
    int i;

    for (i = 0; i < items->nelts; i++) {
        const ranking_item_t *item = &APR_ARRAY_IDX(items, i, ranking_item_t);
        json_t *one = json_object();

        json_object_set_new(one, name, answer_text(item->text));
        json_object_set_new(one, "hits", json_integer((json_int_t)item->weight));
        if (with_entries) {
            json_object_set_new(one, "entries", json_integer((json_int_t)item->count));
        }
        json_array_append_new(json, one);
    }
    return json;
}

int listing_top(const admin_t *admin)
{
    top_t top = { NULL, NULL, NULL, admin->r->pool };
    apr_size_t limit;
    apr_status_t rv;
    json_t *json;

    if (limit_of(admin, TOP_DEFAULT, TOP_MAX, &limit) != OK) {
        return OK;
    }
    apr_pool_create(&top.pool, top.parent);
    top.tags = apr_hash_make(top.pool);
    top.keys = ranking_create(limit, PAGE_BYTES, ranking_by_weight, top.parent);
    rv = entries_walk(admin, NULL, offer_top, &top);
    if (rv != APR_SUCCESS) {
        return entries_failed(admin, rv);
    }
    json = json_object();
    json_object_set_new(json, "keys", json_of_ranking(top.keys, "key", 0));
    json_object_set_new(json, "tags", json_of_ranking(rank_tags(&top, limit, top.parent), "tag", 1));
    return answer_json(admin, HTTP_OK, json);
}
