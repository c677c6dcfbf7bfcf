/* SPDX-License-Identifier: Apache-2.0
 *
 * ranking.h - the best few of many texts that come by in no order: a page of keys out of a million,
 * the most popular ones. Memory is bounded by what is kept. Calls nothing of httpd.
 */
#ifndef RANKING_H
#define RANKING_H

#include "../../storage/storer.h"

typedef struct ranking_t ranking_t;

typedef struct ranking_item_t {
    storer_bytes_t text;
    apr_uint64_t   weight;
    apr_uint64_t   count;   /**< carried along */
} ranking_item_t;

/** Which of two goes first. Below 0: a. Never 0 for different texts, so that the order is one. */
typedef int ranking_order_fn(const ranking_item_t *a, const ranking_item_t *b);

/** By text, byte by byte; and by weight, the heaviest first, then by text. */
ranking_order_fn ranking_by_text, ranking_by_weight;

/**
 * An empty one. One thread at a time.
 * @param limit how many are kept
 * @param bytes and of how many bytes all their texts may be; the first is kept in any case
 */
ranking_t *ranking_create(apr_size_t limit, apr_size_t bytes, ranking_order_fn *order,
                          apr_pool_t *pool);

/** It is copied if it is kept. A text that is in already is ignored. */
void ranking_offer(ranking_t *ranking, const ranking_item_t *item);

/** In order. No more may be offered. The array is in pool, the texts live as long as the ranking. */
const apr_array_header_t *ranking_items(ranking_t *ranking);

/** Whether something was offered that is not kept. */
int ranking_has_more(const ranking_t *ranking);

#endif /* RANKING_H */
