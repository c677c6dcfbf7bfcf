/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_query.c - the query part of a key: what is kept of it, and in which order.
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/query.h"
#include "tap.h"

#include <apr_strings.h>

#include <string.h>

#define WORDS_MAX 8

/* words are separated by a space in all of these tables */
static const query_rules_t *rules_of(const char *words, const char **problem, apr_pool_t *pool)
{
    const char *list[WORDS_MAX];
    char *state, *word;
    int count = 0;

    for (word = apr_strtok(apr_pstrdup(pool, words), " ", &state); word && count < WORDS_MAX;
         word = apr_strtok(NULL, " ", &state)) {
        list[count++] = http_exactly(word, pool);
    }
    return query_rules_parse(count, list, problem, pool);
}

typedef struct case_t {
    const char *words, *query, *want;
} case_t;

static const case_t cases[] = {
    { "none", "", "" },
    { "none", "a=1&b", "" },

    { "sort", "", "" },
    { "sort", "a=1", "a=1" },
    { "sort", "b=2&a=1", "a=1&b=2" },
    { "sort", "b&a", "a&b" },
    { "sort", "a=2&a=1", "a=2&a=1" },           /* of one name: their order has a meaning */
    { "sort", "b=1&a=2&b=0&a=1", "a=2&a=1&b=1&b=0" },
    { "sort", "a=1&a&a=", "a=1&a&a=" },
    { "sort", "ab=1&a=2", "a=2&ab=1" },
    { "sort", "a-b=1&a=2", "a=2&a-b=1" },       /* the name counts, not where "=" is in ASCII */
    { "sort", "a!=1&a=2", "a=2&a!=1" },
    { "sort", "B=1&a=2", "B=1&a=2" },           /* bytes; an origin may tell the cases apart */
    { "sort", "\xc3=1&a=2", "a=2&\xc3=1" },
    { "sort", "&&b=1&&a=2&", "a=2&b=1" },
    { "sort", "&", "" },
    { "sort", "=2&a=1&=1", "=2&=1&a=1" },
    { "sort", "=", "=" },
    { "sort", "b=1=2&a==", "a==&b=1=2" },
    { "sort", "b?x=1&a=/", "a=/&b?x=1" },
    { "sort", "b;a", "b;a" },
    { "sort", "%62=1&a=2", "%62=1&a=2" },       /* no decoding: %26 is not an ampersand */
    { "sort", "b=x%26a&a=1", "a=1&b=x%26a" },

    { "drop=utm_*", "utm_source=x&a=1&utm_medium=y", "a=1" },
    { "drop=utm_*", "utm_=1&utm=2&xutm_a=3", "utm=2&xutm_a=3" },
    { "drop=utm_*", "utm_source", "" },
    { "drop=utm_*", "b=1&a=2", "b=1&a=2" },
    { "drop=utm_*", "UTM_source=1", "UTM_source=1" },
    { "drop=utm_*", "a=utm_x", "a=utm_x" },
    { "drop=utm_*", "utm%5Fsource=1", "utm%5Fsource=1" },
    { "drop=utm%5F*", "utm%5Fsource=1&utm_a=2", "utm_a=2" },
    { "drop=utm_*,fbclid,gclid", "fbclid=1&gclid=2&gclids=3&utm_a=4", "gclids=3" },
    { "drop=,a,,b,", "a=1&b=2&c=3", "c=3" },
    { "drop=a", "a=1&a=2&a&b", "b" },
    { "drop=*", "a=1&b", "" },
    { "drop=?", "a=1&bb=2", "bb=2" },
    { "drop=[ab]", "a=1&b=2&c=3", "c=3" },
    { "drop=*", "a/b=1", "" },
    { "drop=a*b", "a/b=1&a/b/c=2", "a/b/c=2" },
    { "drop=.*", ".a=1&b=2", "b=2" },
    { "drop=*", ".a=1", "" },
    { "drop=a=1", "a=1", "a=1" },               /* names only */
    { "drop=filter[[]*", "filter[x]=1&filter=2", "filter=2" },

    { "keep=a,b", "c=3&b=2&a=1", "b=2&a=1" },
    { "keep=page", "page=2&utm_source=x&page=3", "page=2&page=3" },
    { "keep=page", "utm_source=x", "" },
    { "keep=page", "", "" },
    { "keep=*", "b&a", "b&a" },

    { "sort drop=utm_*", "b=2&utm_a=1&a=1", "a=1&b=2" },
    { "drop=utm_* sort", "b=2&utm_a=1&a=1", "a=1&b=2" },
    { "sort keep=a,b", "b=2&c=3&a=1", "a=1&b=2" },
    { "sort sort", "b&a", "a&b" },
};

/* The word that the problem has to name; NULL: all right. */
static const struct refused_t {
    const char *words, *names;
} refused[] = {
    { "", "sort" },
    { "Sort", "'Sort'" },
    { "sorted", "'sorted'" },
    { "drop", "'drop'" },
    { "drop=", "'drop='" },
    { "keep=,", "'keep=,'" },
    { "utm_*", "'utm_*'" },
    { "drop=a keep=b", "'keep=b'" },
    { "keep=a drop=b", "'drop=b'" },
    { "drop=a drop=b", "'drop=b'" },
    { "none sort", "none" },
    { "drop=a none", "none" },
};

static void test_cases(apr_pool_t *pool)
{
    const char *problem;
    int i;

    for (i = 0; i < HTTP_COUNT(cases); i++) {
        const query_rules_t *rules = rules_of(cases[i].words, &problem, pool);
        const char *query = http_exactly(cases[i].query, pool);

        is_string(rules ? query_normal_form(rules, query, pool) : problem, cases[i].want,
                  "%s: <%s>", cases[i].words, cases[i].query);
        is_string(query, cases[i].query, "and it is left as it was");
    }
    for (i = 0; i < HTTP_COUNT(refused); i++) {
        problem = NULL;
        ok(!rules_of(refused[i].words, &problem, pool) && problem
           && strstr(problem, refused[i].names), "<%s> is refused: %s", refused[i].words,
           problem ? problem : "it is not");
    }
}

/* ---- any query ---- */

static int count_parameters(const char *query)
{
    int count = 0;

    while (*query) {
        apr_size_t length = strcspn(query, "&");

        count += length > 0;
        query += length + (query[length] == '&');
    }
    return count;
}

/* Sums of the bytes: what is only put in another order has the same. */
static unsigned long sum(const char *text)
{
    unsigned long total = 0;

    for (; *text; text++) {
        total += *text == '&' ? 0 : (unsigned char)*text;
    }
    return total;
}

static const char *by_properties(void *baton, const char *input, apr_pool_t *pool)
{
    const query_rules_t *const *rules = baton;
    const char *sorted = query_normal_form(rules[0], input, pool);
    const char *dropped = query_normal_form(rules[1], input, pool);
    const char *kept = query_normal_form(rules[2], input, pool);

    if (count_parameters(sorted) != count_parameters(input) || sum(sorted) != sum(input)) {
        return apr_psprintf(pool, "sorted, it is <%s>", sorted);
    }
    if (strcmp(query_normal_form(rules[0], sorted, pool), sorted) != 0) {
        return apr_psprintf(pool, "sorted twice it differs from <%s>", sorted);
    }
    if (count_parameters(dropped) + count_parameters(kept) != count_parameters(input)
        || sum(dropped) + sum(kept) != sum(input)) {
        return apr_psprintf(pool, "<%s> and <%s> are not all of it", dropped, kept);
    }
    return NULL;
}

static void test_any(apr_pool_t *pool)
{
    const char *seeds[HTTP_COUNT(cases)], *problem;
    const query_rules_t *rules[3];
    int i;

    rules[0] = rules_of("sort", &problem, pool);
    rules[1] = rules_of("drop=utm_*,a,[b-d]", &problem, pool);
    rules[2] = rules_of("keep=utm_*,a,[b-d]", &problem, pool);
    for (i = 0; i < HTTP_COUNT(cases); i++) {
        seeds[i] = cases[i].query;
    }
    http_fuzz("any query", seeds, HTTP_COUNT(cases), by_properties, rules);
}

static void test_sizes(apr_pool_t *pool)
{
    const char *problem, *large = http_repeated("z", "&a=1", 16384, "", pool);
    const query_rules_t *rules = rules_of("sort drop=utm_*", &problem, pool);
    const char *normal = query_normal_form(rules, large, pool);

    is_int(count_parameters(normal), 16385, "64 KB of parameters");
    is_int((long long)strlen(normal), (long long)strlen(large), "all of them");
    is_string(normal + strlen(normal) - 6, "&a=1&z", "in order");
}

int main(void)
{
    apr_pool_t *pool = http_pool();

    test_cases(pool);
    test_any(pool);
    test_sizes(pool);
    apr_pool_destroy(pool);
    return done_testing();
}
