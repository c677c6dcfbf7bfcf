/* SPDX-License-Identifier: Apache-2.0
 *
 * test_claim.c - mod_cache_storer/fetch/claim.c: what may have been claimed is released, nothing else.
 */
#include "../../mod_cache_storer/fetch/claim.h"
#include "tap.h"

#include <string.h>

#define LEASE (5 * APR_USEC_PER_SEC)

/* A store that answers as it is told. */
typedef struct answering_t {
    storer_t            base;
    apr_status_t        answer;
    apr_interval_time_t lease;
    int                 claimed, released;
    char                key[CLAIM_TEXT_SIZE], owner[CLAIM_TEXT_SIZE];
} answering_t;

static const storer_env_t env;

static void keep(char *to, storer_bytes_t text)
{
    ok(text.len < CLAIM_TEXT_SIZE, "%d bytes", (int)text.len);
    memcpy(to, text.data, text.len);
    to[text.len] = '\0';
}

static apr_status_t answer_claim(storer_t *self, storer_bytes_t key, storer_bytes_t owner,
                                 apr_interval_time_t lease)
{
    answering_t *store = (answering_t *)self;

    store->claimed++;
    store->lease = lease;
    keep(store->key, key);
    keep(store->owner, owner);
    return store->answer;
}

static apr_status_t answer_release(storer_t *self, storer_bytes_t key, storer_bytes_t owner)
{
    answering_t *store = (answering_t *)self;

    store->released++;
    is_bytes(key, storer_bytes(store->key), "the same key");
    is_bytes(owner, storer_bytes(store->owner), "by the same owner");
    return store->answer;
}

static void test_answer(apr_status_t answer, int released, const char *name)
{
    static const storer_ops_t ops = { .claim = answer_claim, .release = answer_release };
    answering_t store = { .base = { .ops = &ops, .env = &env }, .answer = answer };
    claim_t claim = { 0 };

    is_status(claim_take(&claim, &store.base, storer_bytes("a key"), 7, LEASE), answer, "%s", name);
    is_int(store.claimed, 1, "asked for once");
    is_int(store.lease, LEASE, "for so long");
    claim_end(&claim);
    is_int(store.released, released, released ? "released" : "nothing to release");
    claim_end(&claim);
    is_int(store.released, released, "once");
}

static void test_without(void)
{
    static const storer_ops_t ops = { 0 };
    answering_t store = { .base = { .ops = &ops, .env = &env } };
    claim_t claim = { 0 };

    is_status(claim_take(&claim, &store.base, storer_bytes("a key"), 7, LEASE), APR_ENOTIMPL,
              "a store without claims");
    claim_end(&claim);
}

static void test_names(void)
{
    static const storer_ops_t ops = { .claim = answer_claim, .release = answer_release };
    answering_t one = { .base = { .ops = &ops, .env = &env } }, two = one;
    claim_t claim = { 0 };

    (void)claim_take(&claim, &one.base, storer_bytes("a key"), 7, LEASE);
    (void)claim_take(&claim, &two.base, storer_bytes("a key"), 8, LEASE);
    is_string(two.key, one.key, "one key for two owners");
    ok(strcmp(one.owner, two.owner) != 0, "who are told apart");
    (void)claim_take(&claim, &two.base, storer_bytes("another"), 7, LEASE);
    ok(strcmp(one.key, two.key) != 0, "and another key");
    is_string(two.owner, one.owner, "of one of them");
}

int main(void)
{
    test_answer(APR_SUCCESS, 1, "a claim");
    test_answer(APR_EEXIST, 0, "another machine's");
    test_answer(APR_TIMEUP, 1, "the answer is lost, the claim may be there");
    test_without();
    test_names();
    return done_testing();
}
