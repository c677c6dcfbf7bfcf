/* SPDX-License-Identifier: Apache-2.0
 *
 * test_purge_table.c - storage/shared/purge_table.c: what was fetched before a purge of one of its
 * labels is purged, for every process, and nothing else is as long as the table has room.
 */
#include "shared/purge_table.h"
#include "storer_host.h"
#include "tap.h"

#include <apr_general.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static purge_table_t open_table(uint32_t count)
{
    apr_size_t size = purge_table_size(count);
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    purge_table_t table;

    if (base == MAP_FAILED || purge_table_attach(&table, base, size, 1) != APR_SUCCESS) {
        bail_out("no memory");
    }
    return table;
}

static apr_uint64_t label(unsigned number)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", number);
    return storer_label("test", storer_bytes(text));
}

static void test_rules(void)
{
    purge_table_t table = open_table(64);
    apr_uint64_t one = label(1), two = label(2), both[2] = { one, two };
    apr_uint64_t before = purge_table_epoch(&table), between, after;

    ok(before > 0, "the first epoch is after that of what has none");
    is_int(purge_table_judge(&table, before, both, 2, 0), STORER_STANDS, "nothing was purged");
    is_status(purge_table_purge(&table, &one, 1, STORER_PURGE_SOFT), APR_SUCCESS, "a soft purge");
    between = purge_table_epoch(&table);
    is_int(purge_table_judge(&table, before, both, 2, 0), STORER_STALE,
           "what was fetched before is stale");
    is_int(purge_table_judge(&table, before, &two, 1, 0), STORER_STANDS,
           "without the label it is not");
    is_int(purge_table_judge(&table, between, both, 2, 0), STORER_STANDS,
           "what is fetched now is not");
    is_int(purge_table_judge(&table, 0, &one, 1, 0), STORER_STALE, "what has no epoch is");

    is_status(purge_table_purge(&table, &two, 1, STORER_PURGE_HARD), APR_SUCCESS, "a hard purge");
    after = purge_table_epoch(&table);
    is_int(purge_table_judge(&table, before, both, 2, 0), STORER_GONE, "hard goes before soft");
    is_int(purge_table_judge(&table, between, both, 2, 0), STORER_GONE,
           "what was fetched before is gone");
    is_int(purge_table_judge(&table, between, &one, 1, 0), STORER_STANDS,
           "without the label it is not");
    is_int(purge_table_judge(&table, after, both, 2, 0), STORER_STANDS,
           "what is fetched now is not");

    is_status(purge_table_purge(&table, &two, 1, STORER_PURGE_SOFT), APR_SUCCESS,
              "a soft purge of the same label");
    is_int(purge_table_judge(&table, between, &two, 1, 0), STORER_GONE,
           "does not take the hard one back");
    is_int(purge_table_judge(&table, after, &two, 1, 0), STORER_STALE, "and counts by itself");
    is_int(purge_table_judge(&table, before, NULL, 0, 0), STORER_STANDS,
           "no labels: nothing to be purged by");
    is_status(purge_table_purge(&table, both, 2, STORER_PURGE_HARD), APR_SUCCESS, "two at once");
    is_int((long long)purge_table_epoch(&table), (long long)after + 2, "are one epoch");
}

#define LABELS 40

/* What the table must say, from all purges there were. */
static storer_standing_e model(const apr_uint64_t *hard, const apr_uint64_t *soft,
                               apr_uint64_t epoch, const unsigned *numbers, int count)
{
    storer_standing_e standing = STORER_STANDS;
    int i;

    for (i = 0; i < count; i++) {
        if (epoch < hard[numbers[i]]) {
            return STORER_GONE;
        }
        if (epoch < soft[numbers[i]]) {
            standing = STORER_STALE;
        }
    }
    return standing;
}

/* Random purges and questions against the model. too_small: it may purge more, never less. */
static void test_model(uint32_t size, int too_small)
{
    purge_table_t table = open_table(size);
    apr_uint64_t hard[LABELS] = { 0 }, soft[LABELS] = { 0 };
    int i, j, wrong = 0, beyond = 0;

    for (i = 0; i < 20000; i++) {
        unsigned numbers[3] = { 0 };
        apr_uint64_t labels[3], epoch;
        int count = 1 + (int)(next_random() % 3);

        for (j = 0; j < count; j++) {
            numbers[j] = (unsigned)(next_random() % LABELS);
            labels[j] = label(numbers[j]);
        }
        if (next_random() % 20 == 0) {
            int is_hard = (int)(next_random() % 2);

            if (purge_table_purge(&table, labels, count,
                                  is_hard ? STORER_PURGE_HARD : STORER_PURGE_SOFT)
                != APR_SUCCESS) {
                bail_out("a purge failed");
            }
            for (j = 0; j < count; j++) {
                (is_hard ? hard : soft)[numbers[j]] = purge_table_epoch(&table);
            }
            continue;
        }
        epoch =
            purge_table_epoch(&table) - next_random() % (purge_table_epoch(&table) < 50 ? 1 : 50);
        storer_standing_e want = model(hard, soft, epoch, numbers, count);
        storer_standing_e got = purge_table_judge(&table, epoch, labels, count, 0);

        wrong += got < want || (!too_small && got > want);
        beyond += got > want;
    }
    is_int(wrong, 0, "table of %u for %d labels: %s", size, LABELS,
           too_small ? "never purges too little" : "exact");
    ok(too_small ? beyond > 0 : beyond == 0, "%d of 20000 answers purge more than was asked",
       beyond);
}

static void test_bound(void)
{
    purge_table_t table = open_table(64);
    purge_stat_t stat;
    unsigned i;
    int standing = 0;

    for (i = 0; i < 10000; i++) {
        apr_uint64_t it = label(i);

        (void)purge_table_purge(&table, &it, 1, STORER_PURGE_HARD);
        standing +=
            purge_table_judge(&table, purge_table_epoch(&table) - 1, &it, 1, 0) != STORER_GONE;
    }
    purge_table_stat(&table, &stat);
    is_int(standing, 0, "10,000 labels in a table of 64: each is purged when its purge returns");
    is_int(stat.lasting, stat.size * 6 / 8, "the table is full but for passing marks");
    ok(stat.floor > 0 && stat.floor < stat.epoch,
       "what was fetched before epoch %d counts as purged", (int)stat.floor);
    for (i = 0; i < 100; i++) {
        apr_uint64_t it = label(i);

        standing += purge_table_judge(&table, 1, &it, 1, 0) != STORER_GONE;
    }
    is_int(standing, 0, "also by the labels that had to give way");
}

#define THREADS 3

typedef struct racer_t {
    const purge_table_t *table;
    apr_uint64_t *done; /* shared: the epoch before the last purge of label 7 that returned */
    int *stop;
    int missed;
} racer_t;

static void *look(void *data)
{
    racer_t *racer = data;
    apr_uint64_t it = label(7);

    while (!__atomic_load_n(racer->stop, __ATOMIC_ACQUIRE)) {
        apr_uint64_t epoch = __atomic_load_n(racer->done, __ATOMIC_ACQUIRE);

        racer->missed += purge_table_judge(racer->table, epoch, &it, 1, 0) != STORER_GONE;
    }
    return NULL;
}

/* A small table in which the label is displaced all the time. */
static void test_race(void)
{
    purge_table_t table = open_table(8);
    apr_uint64_t done = 0, it = label(7);
    pthread_t threads[THREADS];
    racer_t racers[THREADS];
    int stop = 0, i, missed = 0, rounds = tap_slow() ? 2000 : 100000;

    (void)purge_table_purge(&table, &it, 1, STORER_PURGE_HARD);
    for (i = 0; i < THREADS; i++) {
        racers[i] = (racer_t){ &table, &done, &stop, 0 };
        if (pthread_create(&threads[i], NULL, look, &racers[i]) != 0) {
            bail_out("no thread");
        }
    }
    for (i = 0; i < rounds; i++) {
        apr_uint64_t other = label(100 + (unsigned)i % 30), epoch = purge_table_epoch(&table);

        (void)purge_table_purge(&table, i % 10 ? &other : &it, 1, STORER_PURGE_HARD);
        if (i % 10 == 0) {
            __atomic_store_n(&done, epoch, __ATOMIC_RELEASE);
        }
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        missed += racers[i].missed;
    }
    is_int(missed, 0, "readers never miss a purge that has returned");
}

static void test_death(void)
{
    purge_table_t table = open_table(64);
    apr_uint64_t it = label(1), before = purge_table_epoch(&table);
    pid_t pid = fork();

    if (pid == 0) {
        for (;;) {
            (void)purge_table_purge(&table, &it, 1, STORER_PURGE_HARD);
        }
    }
    while (purge_table_epoch(&table) < 1000) {
    }
    kill(pid, 9);
    is_int(tap_wait(pid), -9, "a process that purges was killed");
    is_int(purge_table_judge(&table, before, &it, 1, 0), STORER_GONE, "what it purged is purged");
    before = purge_table_epoch(&table);
    is_status(purge_table_purge(&table, &it, 1, STORER_PURGE_HARD), APR_SUCCESS,
              "others can purge");
    is_int(purge_table_judge(&table, before, &it, 1, 0), STORER_GONE, "and do");
    is_int(purge_table_judge(&table, purge_table_epoch(&table), &it, 1, 0), STORER_STANDS,
           "what is new stands");
}

/* ---- purges of what is not stored ---- */

static apr_status_t purge_one(const purge_table_t *table, unsigned number, storer_purge_e kind)
{
    apr_uint64_t it = label(number);

    return purge_table_purge(table, &it, 1, kind);
}

static void test_dropped(void)
{
    purge_table_t table = open_table(64);
    apr_uint64_t one = label(1), two = label(2), before = purge_table_epoch(&table), between;

    is_status(purge_one(&table, 1, STORER_PURGE_DROPPED), APR_SUCCESS,
              "a purge of what is dropped");
    is_int(purge_table_judge(&table, before, &one, 1, 1), STORER_GONE, "meets what is fetched");
    is_int(purge_table_judge(&table, before, &one, 1, 0), STORER_GONE,
           "and what was stored in between");
    is_int(purge_table_judge(&table, before, &two, 1, 1), STORER_STANDS, "by its label");
    is_int((long long)purge_table_lasting(&table), 0, "it need not last");
    between = purge_table_epoch(&table);
    is_status(purge_table_purge(&table, NULL, 0, STORER_PURGE_DROPPED), APR_SUCCESS,
              "of all fetches");
    is_int(purge_table_judge(&table, between, &two, 1, 1), STORER_GONE,
           "meets each that is fetched");
    is_int(purge_table_judge(&table, between, &two, 1, 0), STORER_STANDS, "and nothing stored");
    is_int(purge_table_judge(&table, purge_table_epoch(&table), &two, 1, 1), STORER_STANDS,
           "nor what is fetched now");
    is_status(purge_one(&table, 2, STORER_PURGE_HARD), APR_SUCCESS, "another one");
    is_int((long long)purge_table_lasting(&table), (long long)purge_table_epoch(&table), "lasts");
}

/* The sets are filled so evenly that a table remembers most of the purges that it has places
 * for. */
static void test_even(void)
{
    purge_table_t table = open_table(4096);
    purge_stat_t stat;
    unsigned i;

    for (i = 0; i < 4096 / 2; i++) {
        (void)purge_one(&table, i, STORER_PURGE_HARD);
    }
    is_int((long long)purge_table_floor(&table), 0,
           "a table that is half full has forgotten nothing");
    table = open_table(4096);
    for (i = 0; i < 4096 * 5 / 8; i++) {
        (void)purge_one(&table, i, STORER_PURGE_DROPPED);
    }
    purge_table_stat(&table, &stat);
    is_int((long long)stat.floor_arriving, 0,
           "nor one that is 5/8 full with those that need not last");
}

/* However many purges there are of what is not stored: what is stored stays. */
static void test_flood(void)
{
    purge_table_t table = open_table(4096);
    apr_uint64_t stored = purge_table_epoch(&table), hot = label(1000001), fetched;
    apr_uint64_t tag = label(1000002);
    unsigned i;
    int wrong = 0;

    is_status(purge_one(&table, 1000002, STORER_PURGE_HARD), APR_SUCCESS, "a purge to remember");
    for (i = 0; i < 100000; i++) {
        fetched = purge_table_epoch(&table);
        (void)purge_one(&table, i, STORER_PURGE_DROPPED);
        wrong += purge_table_judge(&table, stored, &hot, 1, 0) != STORER_STANDS;
        wrong += purge_table_judge(&table, stored, &tag, 1, 0) != STORER_GONE;
        wrong += purge_table_judge(&table, fetched, &hot, 1, 1) != STORER_STANDS;
    }
    is_int(wrong, 0, "100,000 purges of what is not stored change nothing for what is");
    is_int((long long)purge_table_floor(&table), 0, "and push no other purge out");
    is_int(purge_table_judge(&table, stored, &hot, 1, 1), STORER_GONE,
           "a fetch that began before all of them is not stored");
}

/* ---- tidying ---- */

static void test_tidy(void)
{
    purge_table_t table = open_table(4096);
    apr_uint64_t stored = purge_table_epoch(&table), hot = label(1000001), gone = label(7);
    apr_uint64_t soft = label(1000003);
    purge_tidy_t tidy, second;
    unsigned i, rounds = 0;
    int wrong = 0;

    is_status(purge_one(&table, 1000003, STORER_PURGE_SOFT), APR_SUCCESS, "a soft purge");
    for (i = 0; i < 50000; i++) {
        (void)purge_one(&table, i, STORER_PURGE_HARD);
        if (!purge_table_is_crowded(&table)) {
            continue;
        }
        rounds++;
        if (purge_tidy_begin(&tidy, &table) != APR_SUCCESS) {
            bail_out("cannot tidy");
        }
        wrong += purge_tidy_begin(&second, &table) != APR_EBUSY;
        wrong += purge_tidy_see(&tidy, stored, &hot, 1) != STORER_STANDS;
        wrong += purge_tidy_see(&tidy, stored, &soft, 1) != STORER_STALE;
        purge_tidy_end(&tidy, 1);
        wrong += purge_table_is_crowded(&table);
        wrong += purge_table_judge(&table, stored, &hot, 1, 0) != STORER_STANDS;
        wrong += purge_table_judge(&table, stored, &soft, 1, 0) != STORER_STALE;
    }
    is_int(wrong, 0, "50,000 labels: tidied in time, what is stored stands");
    is_int((long long)purge_table_floor(&table), 0, "and no purge was forgotten that has met it");
    ok(rounds > 5 && rounds < 50, "it was tidied %u times", rounds);

    (void)purge_one(&table, 7, STORER_PURGE_HARD);
    stored = purge_table_epoch(&table) - 1;
    (void)purge_tidy_begin(&tidy, &table);
    is_int(purge_tidy_see(&tidy, stored, &gone, 1), STORER_GONE,
           "what was purged is to be dropped");
    purge_tidy_end(&tidy, 0);
    is_int(purge_table_judge(&table, stored, &gone, 1, 0), STORER_GONE,
           "and stays purged if that has failed");
    (void)purge_tidy_begin(&tidy, &table);
    purge_tidy_end(&tidy, 1);
    is_int(purge_table_judge(&table, stored, &gone, 1, 1), STORER_GONE,
           "as does what is fetched meanwhile");
}

/* Soft purges of what is stored cannot be forgotten: the table does not ask for it again and
 * again. */
static void test_tidy_in_vain(void)
{
    purge_table_t table = open_table(512);
    apr_uint64_t stored = purge_table_epoch(&table);
    purge_tidy_t tidy;
    unsigned i, j, rounds = 0;

    for (i = 0; i < 380; i++) {
        (void)purge_one(&table, i, STORER_PURGE_SOFT);
        if (purge_table_is_crowded(&table) && purge_tidy_begin(&tidy, &table) == APR_SUCCESS) {
            for (j = 0; j <= i; j++) {
                apr_uint64_t it = label(j);

                (void)purge_tidy_see(&tidy, stored, &it, 1);
            }
            purge_tidy_end(&tidy, 1);
            rounds++;
        }
    }
    ok(rounds > 0 && rounds < 5, "380 soft purges in a table of 512: tidied %u times", rounds);
}

static void test_tidy_death(void)
{
    purge_table_t table = open_table(64);
    purge_tidy_t tidy;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(purge_tidy_begin(&tidy, &table) == APR_SUCCESS ? 7 : 0);
    }
    is_int(tap_wait(pid), 7, "a process dies while it tidies");
    is_status(purge_tidy_begin(&tidy, &table), APR_SUCCESS, "another one can");
    purge_tidy_end(&tidy, 1);
}

/* ---- a table that follows another one ---- */

static apr_status_t copy_purge(void *baton, const apr_uint64_t *it, storer_purge_e kind,
                               apr_uint64_t epoch)
{
    return purge_table_learn(baton, it, kind, epoch);
}

static void test_follow(void)
{
    purge_table_t one = open_table(64), two = open_table(4096);
    apr_uint64_t labels[LABELS];
    int i, wrong = 0, compared = 0;
    apr_uint64_t epoch;

    for (i = 0; i < 500; i++) {
        (void)purge_one(&one, (unsigned)i % LABELS, (storer_purge_e)(next_random() % 3));
        labels[i % LABELS] = label((unsigned)i % LABELS);
    }
    is_status(purge_table_each(&one, copy_purge, &two), APR_SUCCESS, "all purges of a table");
    purge_table_advance(&two, purge_table_epoch(&one));
    for (i = 0; i < LABELS; i++) {
        for (epoch = 0; epoch <= purge_table_epoch(&one); epoch++, compared++) {
            wrong += purge_table_judge(&one, epoch, &labels[i], 1, 0)
                     != purge_table_judge(&two, epoch, &labels[i], 1, 0);
            wrong += purge_table_judge(&one, epoch, &labels[i], 1, 1)
                     != purge_table_judge(&two, epoch, &labels[i], 1, 1);
        }
    }
    is_int(wrong, 0, "make another one that says the same (%d times)", compared);
}

/* Once in a minute, over all processes. */
static void test_telling(void)
{
    purge_table_t table = open_table(64);
    apr_time_t now = apr_time_from_sec(1000);

    is_int(purge_table_may_tell(&table, now), 1, "the floor has risen: said");
    is_int(purge_table_may_tell(&table, now + apr_time_from_sec(59)), 0,
           "not again within a minute");
    is_int(purge_table_may_tell(&table, now + apr_time_from_sec(60)), 1, "after it");
}

static void test_labels(void)
{
    storer_bytes_t text = storer_bytes("news");
    apr_uint64_t tag = storer_label("tag", text);

    ok(tag == storer_label("tag", text), "a label is the same every time");
    ok(tag != storer_label("host", text), "of another kind it is another one");
    ok(storer_label_within(1, tag) != storer_label_within(2, tag)
           && storer_label_within(1, tag) != tag,
       "and within something it is another one");
}

int main(void)
{
    apr_initialize();
    test_rules();
    test_model(4096, 0);
    test_model(16, 1);
    test_bound();
    test_race();
    test_death();
    test_labels();
    test_dropped();
    test_even();
    test_flood();
    test_tidy();
    test_tidy_in_vain();
    test_tidy_death();
    test_follow();
    test_telling();
    return done_testing();
}
