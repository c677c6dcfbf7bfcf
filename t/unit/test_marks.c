/* SPDX-License-Identifier: Apache-2.0
 *
 * test_marks.c - storage/marks.c: what was fetched before a purge of one of its labels is purged,
 * for every process, and nothing else is as long as the table has room.
 */
#include "marks.h"
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

static marks_t open_table(uint32_t count)
{
    apr_size_t size = marks_size(count);
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    marks_t marks;

    if (base == MAP_FAILED || marks_attach(&marks, base, size, 1) != APR_SUCCESS) {
        bail_out("no memory");
    }
    return marks;
}

static apr_uint64_t label(unsigned number)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", number);
    return storer_label("test", storer_bytes(text));
}

static void test_rules(void)
{
    marks_t marks = open_table(64);
    apr_uint64_t one = label(1), two = label(2), both[2] = { one, two };
    apr_uint64_t before = marks_epoch(&marks), between, after;

    ok(before > 0, "the first epoch is after that of what has none");
    is_int(marks_judge(&marks, before, both, 2), STORER_STANDS, "nothing was purged");
    is_status(marks_purge(&marks, &one, 1, 0), APR_SUCCESS, "a soft purge");
    between = marks_epoch(&marks);
    is_int(marks_judge(&marks, before, both, 2), STORER_STALE, "what was fetched before is stale");
    is_int(marks_judge(&marks, before, &two, 1), STORER_STANDS, "without the label it is not");
    is_int(marks_judge(&marks, between, both, 2), STORER_STANDS, "what is fetched now is not");
    is_int(marks_judge(&marks, 0, &one, 1), STORER_STALE, "what has no epoch is");

    is_status(marks_purge(&marks, &two, 1, 1), APR_SUCCESS, "a hard purge");
    after = marks_epoch(&marks);
    is_int(marks_judge(&marks, before, both, 2), STORER_GONE, "hard goes before soft");
    is_int(marks_judge(&marks, between, both, 2), STORER_GONE, "what was fetched before is gone");
    is_int(marks_judge(&marks, between, &one, 1), STORER_STANDS, "without the label it is not");
    is_int(marks_judge(&marks, after, both, 2), STORER_STANDS, "what is fetched now is not");

    is_status(marks_purge(&marks, &two, 1, 0), APR_SUCCESS, "a soft purge of the same label");
    is_int(marks_judge(&marks, between, &two, 1), STORER_GONE, "does not take the hard one back");
    is_int(marks_judge(&marks, after, &two, 1), STORER_STALE, "and counts by itself");
    is_int(marks_judge(&marks, before, NULL, 0), STORER_STANDS, "no labels: nothing to be purged by");
    is_status(marks_purge(&marks, both, 2, 1), APR_SUCCESS, "two at once");
    is_int((long long)marks_epoch(&marks), (long long)after + 2, "are one epoch");
}

#define LABELS 40

/* What the table must say, from all purges there were. */
static storer_standing_e model(const apr_uint64_t *hard, const apr_uint64_t *soft, apr_uint64_t epoch,
                               const unsigned *numbers, int count)
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
    marks_t marks = open_table(size);
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

            if (marks_purge(&marks, labels, count, is_hard) != APR_SUCCESS) {
                bail_out("a purge failed");
            }
            for (j = 0; j < count; j++) {
                (is_hard ? hard : soft)[numbers[j]] = marks_epoch(&marks);
            }
            continue;
        }
        epoch = marks_epoch(&marks) - next_random() % (marks_epoch(&marks) < 50 ? 1 : 50);
        storer_standing_e want = model(hard, soft, epoch, numbers, count);
        storer_standing_e got = marks_judge(&marks, epoch, labels, count);

        wrong += got < want || (!too_small && got > want);
        beyond += got > want;
    }
    is_int(wrong, 0, "table of %u for %d labels: %s", size, LABELS,
           too_small ? "never purges too little" : "exact");
    ok(too_small ? beyond > 0 : beyond == 0, "%d of 20000 answers purge more than was asked", beyond);
}

static void test_bound(void)
{
    marks_t marks = open_table(64);
    marks_stat_t stat;
    unsigned i;
    int standing = 0;

    for (i = 0; i < 10000; i++) {
        apr_uint64_t it = label(i);

        (void)marks_purge(&marks, &it, 1, 1);
        standing += marks_judge(&marks, marks_epoch(&marks) - 1, &it, 1) != STORER_GONE;
    }
    marks_stat(&marks, &stat);
    is_int(standing, 0, "10,000 labels in a table of 64: each is purged when its purge returns");
    is_int(stat.used, stat.size, "the table is full, and no larger");
    ok(stat.floor > 0 && stat.floor < stat.epoch, "what was fetched before epoch %d counts as purged",
       (int)stat.floor);
    for (i = 0; i < 100; i++) {
        apr_uint64_t it = label(i);

        standing += marks_judge(&marks, 1, &it, 1) != STORER_GONE;
    }
    is_int(standing, 0, "also by the labels that had to give way");
}

#define THREADS 3

typedef struct racer_t {
    marks_t    *marks;
    apr_uint64_t *done;     /* shared: the epoch before the last purge of label 7 that returned */
    int        *stop;
    int         missed;
} racer_t;

static void *look(void *data)
{
    racer_t *racer = data;
    apr_uint64_t it = label(7);

    while (!__atomic_load_n(racer->stop, __ATOMIC_ACQUIRE)) {
        apr_uint64_t epoch = __atomic_load_n(racer->done, __ATOMIC_ACQUIRE);

        racer->missed += marks_judge(racer->marks, epoch, &it, 1) != STORER_GONE;
    }
    return NULL;
}

/* A small table in which the label is displaced all the time. */
static void test_race(void)
{
    marks_t marks = open_table(8);
    apr_uint64_t done = 0, it = label(7);
    pthread_t threads[THREADS];
    racer_t racers[THREADS];
    int stop = 0, i, missed = 0, rounds = tap_slow() ? 2000 : 100000;

    (void)marks_purge(&marks, &it, 1, 1);
    for (i = 0; i < THREADS; i++) {
        racers[i] = (racer_t){ &marks, &done, &stop, 0 };
        if (pthread_create(&threads[i], NULL, look, &racers[i]) != 0) {
            bail_out("no thread");
        }
    }
    for (i = 0; i < rounds; i++) {
        apr_uint64_t other = label(100 + (unsigned)i % 30), epoch = marks_epoch(&marks);

        (void)marks_purge(&marks, i % 10 ? &other : &it, 1, 1);
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
    marks_t marks = open_table(64);
    apr_uint64_t it = label(1), before = marks_epoch(&marks);
    pid_t pid = fork();

    if (pid == 0) {
        for (;;) {
            (void)marks_purge(&marks, &it, 1, 1);
        }
    }
    while (marks_epoch(&marks) < 1000) {
    }
    kill(pid, 9);
    is_int(tap_wait(pid), -9, "a process that purges was killed");
    is_int(marks_judge(&marks, before, &it, 1), STORER_GONE, "what it purged is purged");
    before = marks_epoch(&marks);
    is_status(marks_purge(&marks, &it, 1, 1), APR_SUCCESS, "others can purge");
    is_int(marks_judge(&marks, before, &it, 1), STORER_GONE, "and do");
    is_int(marks_judge(&marks, marks_epoch(&marks), &it, 1), STORER_STANDS, "what is new stands");
}

static void test_labels(void)
{
    storer_bytes_t text = storer_bytes("news");
    apr_uint64_t tag = storer_label("tag", text);

    ok(tag == storer_label("tag", text), "a label is the same every time");
    ok(tag != storer_label("host", text), "of another kind it is another one");
    ok(storer_label_within(1, tag) != storer_label_within(2, tag)
       && storer_label_within(1, tag) != tag, "and within something it is another one");
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
    return done_testing();
}
