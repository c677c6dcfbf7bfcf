/* SPDX-License-Identifier: Apache-2.0
 *
 * contract_values.c - keys, values, expiry, a full store and the numbers: storer_get, storer_set,
 * storer_delete, storer_reset, storer_stat.
 */
#include "contract_private.h"

static const storer_bytes_t one = { "one\0one", 7 };
static const storer_bytes_t two = { "two", 3 };

static void set_get_delete(contract_t *test)
{
    contract_lacks(test, "key", "a key that was never set is not found");
    is_status(contract_set(test, "key", one), APR_SUCCESS, "set");
    contract_has(test, "key", one, "get what was set");
    is_status(contract_set(test, "key", two), APR_SUCCESS, "set again");
    contract_has(test, "key", two, "get what replaced it");
    contract_lacks(test, "ke", "a prefix of the key is another key");
    contract_lacks(test, "key2", "a longer key is another key");
    is_status(storer_delete(test->store, storer_bytes("key")), APR_SUCCESS, "delete");
    contract_lacks(test, "key", "deleted");
    is_status(storer_delete(test->store, storer_bytes("key")), APR_SUCCESS,
              "delete of an absent key");
    is_status(contract_set(test, "key", one), APR_SUCCESS, "set after delete");
    contract_has(test, "key", one, "get what was set after delete");
}

static void binary_keys(contract_t *test)
{
    static const storer_bytes_t keys[] = {
        { "\0", 1 }, { "\0\0", 2 }, { "a\0b", 3 }, { "a\0c", 3 }, { "a", 1 }, { "\xff\xfe\n", 3 },
        { "\x01", 1 }, { "A", 1 }, { "IDX_", 4 },
    };
    int count = (int)(sizeof(keys) / sizeof(keys[0]));
    int right = 0;

    for (int i = 0; i < count; i++) {
        storer_bytes_t value = contract_value((apr_size_t)i + 1, (unsigned)i, test->pool);

        is_status(storer_set(test->store, keys[i], value, EXPIRY_FAR, T0), APR_SUCCESS,
                  "set binary key %d", i);
    }
    for (int i = 0; i < count; i++) {
        storer_bytes_t got;

        (void)contract_read(test->store, keys[i], T0, &got, test->pool);
        right += contract_is_value(got, (apr_size_t)i + 1, (unsigned)i);
    }
    is_int(right, count, "each binary key has its own value");
    is_int(contract_count(test, "", T0), count, "and they are all the keys there are");
}

static void key_lengths(contract_t *test)
{
    static const apr_size_t lengths[] = { 1, 2, 63, 64, 65, 255, 256, 4096, STORER_KEY_MAX - 1,
                                          STORER_KEY_MAX };
    storer_bytes_t longest = contract_value(STORER_KEY_MAX + 1, 5, test->pool);
    storer_bytes_t empty = { "", 0 }, none = { NULL, 0 }, got;
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_t *store = test->store;

    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        storer_bytes_t key = { longest.data, lengths[i] };
        storer_bytes_t value = contract_value(9, i, test->pool);

        is_status(storer_set(store, key, value, EXPIRY_FAR, T0), APR_SUCCESS,
                  "set a key of %lu bytes", (unsigned long)key.len);
        (void)contract_read(store, key, T0, &got, test->pool);
        is_bytes(got, value, "get a key of %lu bytes", (unsigned long)key.len);
    }
    is_status(storer_set(store, empty, one, EXPIRY_FAR, T0), APR_EINVAL, "set an empty key");
    is_status(storer_set(store, none, one, EXPIRY_FAR, T0), APR_EINVAL, "set without a key");
    is_status(storer_set(store, longest, one, EXPIRY_FAR, T0), APR_EINVAL, "set a key too long");
    is_status(storer_get(store, empty, T0, &view, test->pool), APR_EINVAL, "get an empty key");
    is_status(storer_get(store, longest, T0, &view, test->pool), APR_EINVAL, "get a key too long");
    ok(!view.ops, "and the view is empty");
    is_status(storer_delete(store, empty), APR_EINVAL, "delete an empty key");
    is_status(storer_delete(store, longest), APR_EINVAL, "delete a key too long");
    is_status(storer_set(store, one, none, EXPIRY_FAR, T0), APR_EINVAL, "set no value");
}

static void value_lengths(contract_t *test)
{
    static const apr_size_t lengths[] = {
        0, 1, 63, 64, 65, 4095, 4096, 4097, 65535, 65536, 65537, 262144, 1048576,
    };

    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        storer_bytes_t value, got;
        apr_status_t rv;

        if ((apr_off_t)lengths[i] > test->target->capacity) {
            continue;
        }
        value = contract_value(lengths[i], i, test->pool);
        rv = contract_set(test, "key", value);
        is_status(rv, APR_SUCCESS, "set a value of %lu bytes", (unsigned long)lengths[i]);
        rv = contract_read(test->store, storer_bytes("key"), T0, &got, test->pool);
        is_status(rv, APR_SUCCESS, "get a value of %lu bytes", (unsigned long)lengths[i]);
        ok(contract_is_value(got, lengths[i], i), "its bytes are right");
    }
}

static void largest_value(contract_t *test)
{
    apr_size_t length = (apr_size_t)test->target->capacity;
    storer_bytes_t value = contract_value(length, 1, test->pool), got;

    is_status(contract_set(test, "key", value), APR_SUCCESS, "set as much as fits");
    (void)contract_read(test->store, storer_bytes("key"), T0, &got, test->pool);
    ok(contract_is_value(got, length, 1), "its bytes are right");
    if (test->target->too_large > 0) {
        value = contract_value((apr_size_t)test->target->too_large, 2, test->pool);
        is_status(contract_set(test, "key", value), APR_ENOSPC, "set more than fits");
        (void)contract_read(test->store, storer_bytes("key"), T0, &got, test->pool);
        ok(contract_is_value(got, length, 1), "the old value survived");
        is_status(contract_set(test, "other", value), APR_ENOSPC, "more than fits, at a new key");
        contract_lacks(test, "other", "nothing of it is left");
    }
    is_status(storer_delete(test->store, storer_bytes("key")), APR_SUCCESS, "delete it");
    is_status(contract_set(test, "key", one), APR_SUCCESS, "the store still works");
    contract_has(test, "key", one, "and keeps what it is given");
}

static void expiry_at(contract_t *test, const char *key, apr_interval_time_t fresh,
                      apr_interval_time_t stale)
{
    storer_expiry_t expiry = { T0 + fresh, T0 + stale };
    apr_time_t end = T0 + (fresh > stale ? fresh : stale);
    storer_bytes_t name = storer_bytes(key), got;
    storer_view_t view = STORER_VIEW_EMPTY;

    is_status(storer_set(test->store, name, one, expiry, T0), APR_SUCCESS, "set %s", key);
    if (end > T0) {
        is_status(storer_get(test->store, name, end - 1, &view, test->pool), APR_SUCCESS,
                  "%s: there in the last microsecond", key);
        ok(view.expiry.fresh_until == expiry.fresh_until
           && view.expiry.stale_until == expiry.stale_until,
           "%s: the view has the expiry as given", key);
        storer_view_release(&view);
    }
    is_status(contract_read(test->store, name, end > T0 ? end : T0, &got, test->pool),
              APR_NOTFOUND, "%s: gone when its time is over", key);
    is_status(contract_read(test->store, name, T0 + SECONDS(86400), &got, test->pool),
              APR_NOTFOUND, "%s: and stays so", key);
}

static void expiry(contract_t *test)
{
    expiry_at(test, "fresh then stale", SECONDS(10), SECONDS(20));
    expiry_at(test, "stale ends before fresh", SECONDS(20), SECONDS(10));
    expiry_at(test, "both at once", SECONDS(10), SECONDS(10));
    expiry_at(test, "never fresh", -SECONDS(5), SECONDS(10));
    expiry_at(test, "never stale", SECONDS(10), 0);
    expiry_at(test, "one microsecond", 1, 0);
    expiry_at(test, "over already", -SECONDS(5), -SECONDS(1));
    expiry_at(test, "over right now", 0, 0);
}

static void expiry_replaced(contract_t *test)
{
    storer_expiry_t shorter = { T0 + SECONDS(5), T0 + SECONDS(5) };
    storer_bytes_t key = storer_bytes("key"), got;

    is_status(contract_set(test, "key", one), APR_SUCCESS, "set for an hour");
    is_status(storer_set(test->store, key, two, shorter, T0), APR_SUCCESS, "and for 5 seconds");
    is_status(contract_read(test->store, key, T0 + SECONDS(6), &got, test->pool), APR_NOTFOUND,
              "the later set decides, and the first value does not come back");
    is_status(storer_set(test->store, key, one, EXPIRY_FAR, T0 + SECONDS(6)), APR_SUCCESS,
              "set over an expired value");
    (void)contract_read(test->store, key, T0 + SECONDS(6), &got, test->pool);
    is_bytes(got, one, "and get it");
}

static void reset(contract_t *test)
{
    int set = 0;

    for (int i = 0; i < 200; i++) {
        set += storer_set(test->store, contract_key("k", i, test->pool), one, EXPIRY_FAR, T0)
               == APR_SUCCESS;
    }
    is_int(set, 200, "200 keys set");
    is_int(contract_count(test, "", T0), 200, "200 keys there");
    is_status(storer_reset(test->store), APR_SUCCESS, "reset");
    is_int(contract_count(test, "", T0), 0, "no key is left");
    contract_lacks(test, "k007", "nor a value");
    is_status(storer_reset(test->store), APR_SUCCESS, "reset of an empty store");
    is_status(contract_set(test, "key", two), APR_SUCCESS, "the store still works");
    contract_has(test, "key", two, "and keeps what it is given");
}

/* Sets many values until several times the capacity was asked for, or the store says it is full. */
static int fill(contract_t *test, int *refused)
{
    apr_size_t length = (apr_size_t)test->target->capacity / 16;
    apr_off_t limit = test->target->too_large > 0 ? test->target->too_large * 3
                                                  : test->target->capacity * 3;
    int number = 0;

    *refused = 0;
    for (apr_off_t asked = 0; asked < limit && !*refused; asked += (apr_off_t)length) {
        apr_pool_t *pool;
        apr_status_t rv;

        apr_pool_create(&pool, test->pool);
        rv = storer_set(test->store, contract_key("fill", number, pool),
                        contract_value(length, (unsigned)number, pool), EXPIRY_FAR, T0);
        apr_pool_destroy(pool);
        if (rv == APR_ENOSPC) {
            (*refused)++;
        }
        else if (rv != APR_SUCCESS) {
            is_status(rv, APR_SUCCESS, "set %d while filling", number);
            break;
        }
        number++;
    }
    return number - *refused;
}

static void full(contract_t *test)
{
    apr_size_t length = (apr_size_t)test->target->capacity / 16;
    int refused, wrong = 0;
    int stored = fill(test, &refused);

    if (test->target->eviction) {
        storer_bytes_t last;

        is_int(refused, 0, "a store that evicts refuses nothing that fits");
        (void)contract_read(test->store, contract_key("fill", stored - 1, test->pool), T0, &last,
                            test->pool);
        ok(contract_is_value(last, length, (unsigned)stored - 1), "the last value is there");
    }
    else if (test->target->too_large > 0) {
        is_int(refused, 1, "a store that does not evict is full at last");
    }
    ok(stored >= 8, "the store held a fair number of values (%d)", stored);
    for (int i = 0; i < stored; i++) {
        storer_bytes_t got;
        apr_pool_t *pool;
        apr_status_t rv;

        apr_pool_create(&pool, test->pool);
        rv = contract_read(test->store, contract_key("fill", i, pool), T0, &got, pool);
        wrong += rv != APR_SUCCESS && (rv != APR_NOTFOUND || !test->target->eviction);
        wrong += rv == APR_SUCCESS && !contract_is_value(got, length, (unsigned)i);
        apr_pool_destroy(pool);
    }
    is_int(wrong, 0, "each value is whole, or gone where the store evicts");
    is_status(storer_reset(test->store), APR_SUCCESS, "reset of a full store");
    is_status(contract_set(test, "key", contract_value(length * 16, 3, test->pool)), APR_SUCCESS,
              "and all of the room is there again");
}

static void expired_give_room(contract_t *test)
{
    apr_size_t length = (apr_size_t)test->target->capacity / 16;
    apr_time_t later = T0 + SECONDS(7200);
    int refused, stored = fill(test, &refused), set = 0;

    for (int i = 0; i < 8; i++) {
        storer_expiry_t expiry = { later + SECONDS(60), later + SECONDS(60) };

        set += storer_set(test->store, contract_key("new", i, test->pool),
                          contract_value(length, 1, test->pool), expiry, later) == APR_SUCCESS;
    }
    is_int(set, 8, "what has expired gives way to what is new (%d were there)", stored);
    is_int(contract_count(test, "new", later), 8, "all new keys are there");
    is_int(contract_count(test, "fill", later), 0, "no old one is");
}

static int stat_rises(const storer_stat_t *a, const storer_stat_t *b)
{
    return b->evictions >= a->evictions && b->expirations >= a->expirations
           && b->recoveries >= a->recoveries && b->damages >= a->damages;
}

static void numbers(contract_t *test)
{
    storer_stat_t empty, some, none;
    apr_status_t rv;

    rv = storer_stat(test->store, &empty);
    if (rv == APR_ENOTIMPL) {
        skip("stat: this engine has none");
        return;
    }
    is_status(rv, APR_SUCCESS, "stat of an empty store");
    is_int((long long)empty.entries, 0, "no entries");
    ok(empty.largest == 0 || empty.largest >= (apr_uint64_t)test->target->capacity,
       "largest is not less than what fits");
    ok(empty.size == 0 || empty.used <= empty.size, "used is within size");
    for (int i = 0; i < 100; i++) {
        (void)storer_set(test->store, contract_key("k", i, test->pool),
                         contract_value(100, 1, test->pool), EXPIRY_FAR, T0);
    }
    is_status(storer_stat(test->store, &some), APR_SUCCESS, "stat with 100 values");
    is_int((long long)some.entries, 100, "100 entries");
    ok(some.used >= empty.used + 100 * 100, "used has risen by the values at least");
    ok(stat_rises(&empty, &some), "no counter went back");
    (void)contract_set(test, "k001", contract_value(90, 1, test->pool));
    for (int i = 0; i < 100; i++) {
        (void)storer_delete(test->store, contract_key("k", i, test->pool));
    }
    is_status(storer_stat(test->store, &none), APR_SUCCESS, "stat with all deleted");
    is_int((long long)none.entries, 0, "no entries");
    is_int((long long)none.used, (long long)empty.used, "used is that of the empty store");
    ok(stat_rises(&some, &none), "no counter went back");
}

static void numbers_when_full(contract_t *test)
{
    storer_stat_t empty, full_store, after;
    int refused, stored;

    if (storer_stat(test->store, &empty) != APR_SUCCESS) {
        skip("stat: this engine has none");
        return;
    }
    stored = fill(test, &refused);
    is_status(storer_stat(test->store, &full_store), APR_SUCCESS, "stat of a full store");
    ok(full_store.size == 0 || full_store.used <= full_store.size,
       "used is within size after %d values", stored);
    if (test->target->eviction) {
        ok(full_store.evictions > 0, "evictions were counted");
        is_int((long long)(full_store.entries + full_store.evictions), stored,
               "each value is there or was evicted");
    }
    is_status(storer_reset(test->store), APR_SUCCESS, "reset");
    is_status(storer_stat(test->store, &after), APR_SUCCESS, "stat after reset");
    is_int((long long)after.used, (long long)empty.used, "used is that of the empty store");
    is_int((long long)after.entries, 0, "no entries");
    ok(stat_rises(&full_store, &after), "no counter went back");
}

static void identity(contract_t *test)
{
    const storer_ops_t *ops = test->store->ops;
    int upper = 1;

    for (const char *at = ops->name; *at; at++) {
        upper = upper && (*at < 'a' || *at > 'z');
    }
    ok(*ops->name && upper, "the name is in upper case: %s", ops->name);
    ok(*ops->uuid(test->store), "there is a uuid: %s", ops->uuid(test->store));
    is_string(ops->uuid(test->store), ops->uuid(test->store), "it does not change");
    is_int(ops->in_place, test->target->in_place, "in_place is what was expected");
}

const contract_test_t contract_values[] = {
    { "identity", identity, 0 },
    { "set, get, delete", set_get_delete, 0 },
    { "binary keys", binary_keys, 0 },
    { "key lengths", key_lengths, 0 },
    { "value lengths", value_lengths, 0 },
    { "the largest value", largest_value, 0 },
    { "expiry", expiry, 0 },
    { "expiry of a replaced value", expiry_replaced, 0 },
    { "reset", reset, 0 },
    { "a full store", full, 0 },
    { "expired values give room", expired_give_room, 0 },
    { "numbers", numbers, 0 },
    { "numbers of a full store", numbers_when_full, 0 },
    { NULL, NULL, 0 },
};
