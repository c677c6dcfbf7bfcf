/* SPDX-License-Identifier: Apache-2.0
 *
 * http_fixture.c - see http_fixture.h.
 */
#include "http_fixture.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

#define ROUNDS      20000
#define ROUNDS_SLOW 1000
#define INPUT_MAX   400

static apr_size_t allocated;

/* ---- memory: Makefile.inc renames these two for the code under test ---- */

static apr_status_t release(void *data)
{
    free(data);
    return APR_SUCCESS;
}

void *apr_palloc(apr_pool_t *pool, apr_size_t size)
{
    void *data = malloc(size ? size : 1);

    if (!data) {
        bail_out("no memory");
    }
    memset(data, 0xa5, size ? size : 1); /* not zeros by luck */
    allocated += size;
    apr_pool_cleanup_register(pool, data, release, apr_pool_cleanup_null);
    return data;
}

char *apr_pstrmemdup(apr_pool_t *pool, const char *text, apr_size_t length)
{
    char *copy = apr_palloc(pool, length + 1);

    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

apr_size_t http_allocated(void)
{
    apr_size_t bytes = allocated;

    allocated = 0;
    return bytes;
}

/* Pools release what they hold before a sanitizer looks for leaks. */
static void end(void)
{
    apr_terminate();
}

apr_pool_t *http_pool(void)
{
    apr_pool_t *pool;

    if (atexit(end) != 0) {
        bail_out("no room for a function at the end");
    }
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        bail_out("no pool");
    }
    return pool;
}

char *http_exactly(const char *text, apr_pool_t *pool)
{
    return apr_pstrmemdup(pool, text, strlen(text));
}

const char *http_repeated(const char *begin, const char *text, int count, const char *end,
                            apr_pool_t *pool)
{
    apr_size_t length = strlen(text), begin_length = strlen(begin), end_length = strlen(end);
    char *whole = apr_palloc(pool, begin_length + (apr_size_t)count * length + end_length + 1);
    char *to = whole;

    memcpy(to, begin, begin_length);
    for (to += begin_length; count > 0; count--, to += length) {
        memcpy(to, text, length);
    }
    memcpy(to, end, end_length + 1);
    return whole;
}

/* ---- inputs ---- */

unsigned http_below(apr_uint64_t *state, unsigned limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (unsigned)((*state >> 16) % limit);
}

typedef struct text_t {
    char       bytes[INPUT_MAX];
    apr_size_t length;
} text_t;

/* What does not fit is cut off. */
static void replace(text_t *text, apr_size_t at, apr_size_t removed, const char *with,
                    apr_size_t length)
{
    apr_size_t rest = text->length - at - removed;

    if (length > INPUT_MAX - at) {
        length = INPUT_MAX - at;
    }
    if (rest > INPUT_MAX - at - length) {
        rest = INPUT_MAX - at - length;
    }
    memmove(text->bytes + at + length, text->bytes + at + removed, rest);
    memcpy(text->bytes + at, with, length);
    text->length = at + length + rest;
}

/* Bytes that mean something in some field, and some that may not be there at all. */
static const char telling[] = " \t,;=\"\\():?@%*&-.019azAZ~/_+\x01\x1f\x7f\x80\xc3\xff";

static void mutate(text_t *text, const char *other, apr_uint64_t *random)
{
    apr_size_t at = http_below(random, (unsigned)text->length + 1);
    apr_size_t some = http_below(random, 6), left = text->length - at;
    char byte = telling[http_below(random, sizeof(telling) - 1)], copy[8];

    some = some < left ? some : left;
    switch (http_below(random, 6)) {
    case 0:
        replace(text, at, left > 0, &byte, 1);
        break;
    case 1:
        replace(text, at, 0, &byte, 1);
        break;
    case 2:
        replace(text, at, some, "", 0);
        break;
    case 3:
        memcpy(copy, text->bytes + at, some);
        replace(text, http_below(random, (unsigned)text->length + 1), 0, copy, some);
        break;
    case 4:
        byte = (char)(1 + http_below(random, 255));
        replace(text, at, left > 0, &byte, 1);
        break;
    default:
        some = http_below(random, (unsigned)strlen(other) + 1);
        replace(text, at, 0, other + some, strlen(other + some));
        break;
    }
}

static const char *mutated(const char *const *seeds, int count, apr_uint64_t *random,
                           apr_pool_t *pool)
{
    unsigned changes = 1 + http_below(random, 5);
    text_t text = { "", 0 };
    const char *seed = seeds[http_below(random, (unsigned)count)];

    replace(&text, 0, 0, seed, strlen(seed));
    for (; changes > 0; changes--) {
        mutate(&text, seeds[http_below(random, (unsigned)count)], random);
    }
    return apr_pstrmemdup(pool, text.bytes, text.length);
}

void http_fuzz(const char *what, const char *const *seeds, int count, http_check_fn *check,
                 void *baton)
{
    int i, rounds = count + (tap_slow() ? ROUNDS_SLOW : ROUNDS);
    apr_uint64_t random = 20260101;
    const char *wrong = NULL;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    for (i = 0; i < rounds && !wrong; i++) {
        const char *input;

        apr_pool_clear(pool);
        input = i < count ? http_exactly(seeds[i], pool) : mutated(seeds, count, &random, pool);
        wrong = check(baton, input, pool);
        if (wrong) {
            diag("  %s", wrong);
            is_bytes(storer_bytes(input), storer_bytes(""), "%s: input %d", what, i);
        }
    }
    ok(!wrong, "%s", what);
    apr_pool_destroy(pool);
}
