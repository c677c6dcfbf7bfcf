/* SPDX-License-Identifier: Apache-2.0
 *
 * http_fixture.h - what the tests of mod_cache_storer/http share: allocations that a sanitizer
 * sees and that are counted, and inputs that are nearly right.
 *
 * A pool hands out pieces of one large block, so that no sanitizer sees who reads or writes beyond
 * his piece. These programs are compiled with another apr_palloc() and apr_pstrmemdup() (in
 * Makefile.inc), whose pieces are malloc's own.
 */
#ifndef HTTP_FIXTURE_H
#define HTTP_FIXTURE_H

#include <apr_pools.h>

#define HTTP_COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/** A pool, with all of APR set up for it until the program ends; call it once. Bails out on failure. */
apr_pool_t *http_pool(void);

/** Bytes that were asked for since the last call. */
apr_size_t http_allocated(void);

/** xorshift; *state is not 0. @return 0 to limit - 1 */
unsigned http_below(apr_uint64_t *state, unsigned limit);

/** A copy of `text` in memory of just that size: who reads on is found out. Lives as long as pool. */
char *http_exactly(const char *text, apr_pool_t *pool);

/** `count` times `text`, between `begin` and `end`. */
const char *http_repeated(const char *begin, const char *text, int count, const char *end,
                            apr_pool_t *pool);

/** One property of one input. @return NULL, or what is wrong with it: a text in pool */
typedef const char *http_check_fn(void *baton, const char *input, apr_pool_t *pool);

/**
 * Calls check with each of the seeds and then with 20,000 texts (1,000 where the program is slow)
 * that are made of them by cutting, copying and changing bytes, always the same ones. One line of
 * TAP, named by what; tells the first input that fails.
 */
void http_fuzz(const char *what, const char *const *seeds, int count, http_check_fn *check,
                 void *baton);

#endif /* HTTP_FIXTURE_H */
