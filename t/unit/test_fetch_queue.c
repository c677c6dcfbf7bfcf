/* SPDX-License-Identifier: Apache-2.0
 *
 * test_fetch_queue.c - mod_cache_storer/fetch/queue.c: a backend that hangs holds up its own jobs only,
 * the queue has an end for each and for all, and no key is in it twice.
 */
#include "../../mod_cache_storer/fetch/queue.h"
#include "tap.h"

#include <string.h>

#define MANY 400

static queue_t queue;
static queue_entry_t entries[MANY];

static queue_entry_t *job(unsigned number, apr_uint64_t guess)
{
    memset(&entries[number], 0, sizeof(entries[number]));
    entries[number].key = number + 1;
    entries[number].guess = guess;
    return &entries[number];
}

static apr_status_t add(unsigned number, apr_uint64_t guess)
{
    return queue_add(&queue, job(number, guess));
}

static void start_anew(void)
{
    queue_init(&queue, 64);
}

/* How many begin now, each of which goes to this backend; 0: it hangs before that is known. */
static unsigned run_all(apr_uint64_t route, apr_uint64_t backend)
{
    queue_entry_t *entry;
    unsigned count = 0;

    for (entry = queue_take(&queue); entry; entry = queue_take(&queue)) {
        count++;
        if (backend) {
            queue_learn(&queue, entry, route, backend);
        }
    }
    return count;
}

static void test_order(void)
{
    queue_entry_t *first, *second;

    start_anew();
    ok(queue_take(&queue) == NULL, "nothing to do");
    is_int(queue_ready(&queue), 0, "nothing is ready");
    is_status(add(0, 1), APR_SUCCESS, "a job");
    is_status(add(0, 1), APR_EEXIST, "the same one");
    is_status(add(1, 2), APR_SUCCESS, "another one");
    is_int(queue_ready(&queue), 2, "two are ready");
    first = queue_take(&queue);
    second = queue_take(&queue);
    ok(first == &entries[0] && second == &entries[1], "in the order in which they came");
    entries[2].key = entries[0].key;
    entries[2].guess = 3;
    is_status(queue_add(&queue, &entries[2]), APR_EEXIST, "one that runs is not added, either");
    queue_end(&queue, first);
    is_status(queue_add(&queue, &entries[2]), APR_SUCCESS, "until it has ended");
    queue_end(&queue, second);
    ok(queue_drop(&queue) == &entries[2] && !queue_drop(&queue), "what waits can be dropped");
    ok(!queue.waiting && !queue.running, "and nothing is left");
}

/* Of what is not known yet one runs; once it is known, as many as may. */
static void test_hanging(void)
{
    unsigned i;
    queue_entry_t *entry;

    start_anew();
    for (i = 0; i < 20; i++) {
        is_status(add(i, 7), APR_SUCCESS, "job %u", i);
    }
    is_int(run_all(0, 0), 1, "one of a guess of which nothing is known");
    queue_learn(&queue, &entries[0], 70, 1);
    is_int(run_all(70, 1), QUEUE_PER_ROUTE - 1, "then as many as may of one route");
    is_status(add(20, 8), APR_SUCCESS, "a job of another virtual host");
    entry = queue_take(&queue);
    ok(entry == &entries[20], "runs, whatever waits before it");
    queue_learn(&queue, entry, 70, 1);
    is_status(add(21, 8), APR_SUCCESS, "it goes the same way after all: the next one of its kind");
    ok(queue_take(&queue) == NULL, "waits");
    is_status(add(22, 9), APR_SUCCESS, "a third kind");
    ok(queue_take(&queue) == &entries[22], "does not");
    queue_end(&queue, &entries[0]);
    ok(queue_take(&queue) == NULL, "one more than may ran that way");
    queue_end(&queue, &entries[1]);
    ok(queue_take(&queue) == &entries[8], "one has ended, one begins");
}

/* One backend behind many virtual hosts. */
static void test_one_backend(void)
{
    unsigned i, running;

    start_anew();
    for (i = 0; i < 40; i++) {
        add(i, i % 4);
    }
    for (i = 0; i < 4; i++) {
        queue_learn(&queue, queue_take(&queue), 100 + i, 1);
    }
    running = 4 + run_all(0, 0);
    is_int(running, QUEUE_PER_BACKEND, "so many for one backend, in all");
    is_status(add(50, 50), APR_SUCCESS, "another backend");
    ok(queue_take(&queue) == &entries[50], "has its turn");
}

/* mod_proxy has as many connections to a backend as a process has threads. */
static void test_few_connections(void)
{
    unsigned i;

    queue_init(&queue, 8);
    for (i = 0; i < 10; i++) {
        add(i, 7);
    }
    is_int(run_all(70, 1), 2, "a quarter of the connections for one route");
    for (i = 10; i < 20; i++) {
        add(i, 8);
    }
    is_int(run_all(80, 1), 2, "half of them for one backend");
    queue_init(&queue, 1);
    add(0, 7);
    add(1, 7);
    is_int(run_all(70, 1), 1, "one at least");
}

static void test_full(void)
{
    unsigned i, added = 0;

    start_anew();
    for (i = 0; i < QUEUE_WAITING + 10; i++) {
        added += add(i, 1) == APR_SUCCESS;
    }
    is_int(added, QUEUE_WAITING, "so many of one backend wait");
    is_status(add(i, 2), APR_SUCCESS, "which is nothing to another one");
    for (i++, added = 0; i < MANY; i++) {
        added += add(i, i) == APR_SUCCESS;
    }
    is_int(QUEUE_WAITING + 1 + added, QUEUE_IN_TOTAL, "and so many in all");
}

/* Two guesses that lie in one place: the later one is known, the other guessed anew. */
static void test_collision(void)
{
    start_anew();
    add(0, 5);
    run_all(50, 500);
    add(1, 5 + QUEUE_GUESSES);
    run_all(60, 600);
    add(2, 5);
    is_int(entries[2].route, 5, "nothing is known of it any more");
    add(3, 5 + QUEUE_GUESSES);
    is_int(entries[3].route, 60, "of that one it is");
}

int main(void)
{
    test_order();
    test_hanging();
    test_one_backend();
    test_few_connections();
    test_full();
    test_collision();
    return done_testing();
}
