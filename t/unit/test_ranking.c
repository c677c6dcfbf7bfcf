/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ranking.c - the best few of many, beside a model that sorts them all.
 */
#include "../../mod_cache_storer/admin/ranking.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OFFERS 3000

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static int compare_texts(const void *a, const void *b)
{
    return ranking_by_text(a, b);
}

static int compare_weights(const void *a, const void *b)
{
    return ranking_by_weight(a, b);
}

/* As many different texts as there can be, some of them several times. */
static int make_items(ranking_item_t *items, uint64_t random, apr_pool_t *pool)
{
    int i, count = 0, k;

    for (i = 0; i < OFFERS; i++) {
        uint32_t number = next_random(&random) % (OFFERS / 2);
        const char *text = apr_psprintf(pool, "%u/%.*s", number, (int)(number % 40),
                                        "........................................");

        for (k = 0; k < count && strcmp(items[k].text.data, text) != 0; k++) {
            ;
        }
        if (k == count) {
            items[count].text = storer_bytes(text);
            items[count].weight = number % 17;
            items[count].count = number;
            count++;
        }
    }
    return count;
}

static void compare_with_model(ranking_order_fn *order, apr_size_t limit, uint64_t random,
                               apr_pool_t *pool)
{
    ranking_item_t *items = apr_palloc(pool, sizeof(*items) * OFFERS);
    ranking_t *ranking = ranking_create(limit, SIZE_MAX, order, pool);
    int count = make_items(items, random, pool), i, wrong = 0, offers;
    const apr_array_header_t *kept;

    for (offers = 0; offers < 2; offers++) { /* each twice, forth and back */
        for (i = 0; i < count; i++) {
            ranking_offer(ranking, &items[offers ? count - 1 - i : i]);
        }
    }
    is_int(ranking_has_more(ranking), (apr_size_t)count > limit, "limit %d: are there more?",
           (int)limit);
    qsort(items, (size_t)count, sizeof(*items),
          order == ranking_by_text ? compare_texts : compare_weights);
    kept = ranking_items(ranking);
    is_int(kept->nelts, (apr_size_t)count < limit ? count : (int)limit, "limit %d: how many",
           (int)limit);
    for (i = 0; i < kept->nelts; i++) {
        const ranking_item_t *item = &APR_ARRAY_IDX(kept, i, ranking_item_t);

        wrong += order(item, &items[i]) != 0 || item->count != items[i].count;
    }
    is_int(wrong, 0, "limit %d: the first of all, in order", (int)limit);
}

static void bounded_by_bytes(apr_pool_t *pool)
{
    ranking_t *ranking = ranking_create(1000, 100, ranking_by_text, pool);
    const apr_array_header_t *kept;
    ranking_item_t item = { { NULL, 0 }, 0, 0 };
    apr_size_t bytes = 0;
    int i;

    for (i = 20000; i-- > 0;) {
        item.text = storer_bytes(apr_psprintf(pool, "%06d....", i));
        ranking_offer(ranking, &item);
    }
    kept = ranking_items(ranking);
    for (i = 0; i < kept->nelts; i++) {
        bytes += APR_ARRAY_IDX(kept, i, ranking_item_t).text.len;
    }
    is_int((long long)bytes, 100, "no more bytes than allowed");
    ok(strncmp(APR_ARRAY_IDX(kept, 9, ranking_item_t).text.data, "000009", 6) == 0, "the first ten");
    ok(ranking_has_more(ranking), "there are more");
    ranking = ranking_create(1000, 5, ranking_by_text, pool);
    ranking_offer(ranking, &item);
    is_int(ranking_items(ranking)->nelts, 1, "a text longer than that is kept alone");
}

int main(void)
{
    static const apr_size_t limits[] = { 1, 2, 7, 100, OFFERS };
    apr_pool_t *pool;
    size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        compare_with_model(ranking_by_text, limits[i], i + 1, pool);
        compare_with_model(ranking_by_weight, limits[i], i + 11, pool);
    }
    bounded_by_bytes(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
