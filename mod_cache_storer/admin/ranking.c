/* SPDX-License-Identifier: Apache-2.0
 *
 * ranking.c - see ranking.h: a heap with the last of those that are kept on top, and a table of their
 * texts. What is dropped leaves a hole in a pool; when holes are half of it, the rest moves.
 */
#include "ranking.h"

#include <apr_hash.h>
#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

/* Below that holes do not matter. */
#define HOLES_MIN 65536

struct ranking_t {
    apr_size_t          limit, bytes_max;
    ranking_order_fn   *order;
    apr_array_header_t *heap;     /* of ranking_item_t */
    apr_hash_t         *known;    /* by text */
    apr_size_t          bytes, holes;
    int                 more;
    apr_pool_t         *pool;
    apr_pool_t         *texts;    /* below pool */
};

static int compare_texts(storer_bytes_t a, storer_bytes_t b)
{
    apr_size_t shorter = a.len < b.len ? a.len : b.len;
    int difference = shorter ? memcmp(a.data, b.data, shorter) : 0;

    if (difference == 0 && a.len != b.len) {
        difference = a.len < b.len ? -1 : 1;
    }
    return difference;
}

int ranking_by_text(const ranking_item_t *a, const ranking_item_t *b)
{
    return compare_texts(a->text, b->text);
}

int ranking_by_weight(const ranking_item_t *a, const ranking_item_t *b)
{
    if (a->weight != b->weight) {
        return a->weight > b->weight ? -1 : 1;
    }
    return compare_texts(a->text, b->text);
}

ranking_t *ranking_create(apr_size_t limit, apr_size_t bytes, ranking_order_fn *order,
                          apr_pool_t *pool)
{
    ranking_t *ranking = apr_pcalloc(pool, sizeof(*ranking));

    ranking->limit = limit ? limit : 1;
    ranking->bytes_max = bytes;
    ranking->order = order;
    ranking->heap = apr_array_make(pool, 64, sizeof(ranking_item_t));
    ranking->pool = pool;
    apr_pool_create(&ranking->texts, pool);
    ranking->known = apr_hash_make(ranking->texts);
    return ranking;
}

static ranking_item_t *items(const ranking_t *ranking)
{
    return (ranking_item_t *)ranking->heap->elts;
}

static void swap(ranking_item_t *a, ranking_item_t *b)
{
    ranking_item_t item = *a;

    *a = *b;
    *b = item;
}

static void sift_up(ranking_t *ranking, int at)
{
    ranking_item_t *item = items(ranking);

    while (at > 0 && ranking->order(&item[(at - 1) / 2], &item[at]) < 0) {
        swap(&item[(at - 1) / 2], &item[at]);
        at = (at - 1) / 2;
    }
}

static void sift_down(ranking_t *ranking)
{
    ranking_item_t *item = items(ranking);
    int count = ranking->heap->nelts, at = 0, child;

    for (child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && ranking->order(&item[child], &item[child + 1]) < 0) {
            child++;
        }
        if (ranking->order(&item[child], &item[at]) < 0) {
            break;
        }
        swap(&item[child], &item[at]);
        at = child;
    }
}

/* All that is kept goes to a new pool. */
static void close_holes(ranking_t *ranking)
{
    apr_pool_t *texts;
    apr_hash_t *known;
    int i;

    apr_pool_create(&texts, ranking->pool);
    known = apr_hash_make(texts);
    for (i = 0; i < ranking->heap->nelts; i++) {
        storer_bytes_t *text = &items(ranking)[i].text;

        text->data = apr_pmemdup(texts, text->data, text->len);
        apr_hash_set(known, text->data, (apr_ssize_t)text->len, "");
    }
    apr_pool_destroy(ranking->texts);
    ranking->texts = texts;
    ranking->known = known;
    ranking->holes = 0;
}

static void drop_last(ranking_t *ranking)
{
    ranking_item_t last = items(ranking)[0], *end = apr_array_pop(ranking->heap);

    if (ranking->heap->nelts > 0) {
        items(ranking)[0] = *end;
        sift_down(ranking);
    }
    apr_hash_set(ranking->known, last.text.data, (apr_ssize_t)last.text.len, NULL);
    ranking->bytes -= last.text.len;
    ranking->holes += last.text.len;
    ranking->more = 1;
    if (ranking->holes > HOLES_MIN && ranking->holes > ranking->bytes) {
        close_holes(ranking);
    }
}

void ranking_offer(ranking_t *ranking, const ranking_item_t *item)
{
    ranking_item_t *added;
    int is_full = (apr_size_t)ranking->heap->nelts >= ranking->limit
                  || (ranking->bytes >= ranking->bytes_max && ranking->heap->nelts > 0);

    if (apr_hash_get(ranking->known, item->text.data, (apr_ssize_t)item->text.len)) {
        return;
    }
    if (is_full && ranking->order(item, &items(ranking)[0]) > 0) {
        ranking->more = 1;
        return;
    }
    added = apr_array_push(ranking->heap);
    *added = *item;
    added->text.data = apr_pmemdup(ranking->texts, item->text.data, item->text.len);
    apr_hash_set(ranking->known, added->text.data, (apr_ssize_t)added->text.len, "");
    ranking->bytes += item->text.len;
    sift_up(ranking, ranking->heap->nelts - 1);
    while ((apr_size_t)ranking->heap->nelts > ranking->limit
           || (ranking->bytes > ranking->bytes_max && ranking->heap->nelts > 1)) {
        drop_last(ranking);
    }
}

const apr_array_header_t *ranking_items(ranking_t *ranking)
{
    apr_array_header_t *sorted = apr_array_make(ranking->pool, ranking->heap->nelts + 1,
                                                sizeof(ranking_item_t));
    int i = ranking->heap->nelts;

    sorted->nelts = i;
    while (i-- > 0) {
        ranking_item_t last = items(ranking)[0], *end = apr_array_pop(ranking->heap);

        if (ranking->heap->nelts > 0) {
            items(ranking)[0] = *end;
            sift_down(ranking);
        }
        APR_ARRAY_IDX(sorted, i, ranking_item_t) = last;
    }
    return sorted;
}

int ranking_has_more(const ranking_t *ranking)
{
    return ranking->more;
}
