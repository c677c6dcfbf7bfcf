/* SPDX-License-Identifier: Apache-2.0
 *
 * queue.c - see queue.h. Both lists are short, and a job takes milliseconds at least: they are walked.
 */
#include "queue.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static unsigned within(unsigned number, unsigned most)
{
    return number < 1 ? 1 : number < most ? number : most;
}

void queue_init(queue_t *queue, unsigned connections)
{
    memset(queue, 0, sizeof(*queue));
    queue->per_route = within(connections / 4, QUEUE_PER_ROUTE);
    queue->per_backend = within(connections / 2, QUEUE_PER_BACKEND);
}

/* What is known of a guess; NULL: nothing. */
static const queue_guess_t *known(const queue_t *queue, apr_uint64_t guess)
{
    const queue_guess_t *entry = &queue->guesses[guess % QUEUE_GUESSES];

    return entry->guess == guess && entry->backend ? entry : NULL;
}

static unsigned count_route(const queue_entry_t *entry, apr_uint64_t route)
{
    unsigned count = 0;

    for (; entry; entry = entry->next) {
        count += entry->route == route;
    }
    return count;
}

static unsigned count_backend(const queue_entry_t *entry, apr_uint64_t backend)
{
    unsigned count = 0;

    for (; entry; entry = entry->next) {
        count += entry->backend == backend;
    }
    return count;
}

static unsigned count_all(const queue_entry_t *entry)
{
    unsigned count = 0;

    for (; entry; entry = entry->next) {
        count++;
    }
    return count;
}

static int has_key(const queue_entry_t *entry, apr_uint64_t key)
{
    for (; entry; entry = entry->next) {
        if (entry->key == key) {
            return 1;
        }
    }
    return 0;
}

/* What has been learned since it was added counts. */
static void guess_again(const queue_t *queue, queue_entry_t *entry)
{
    const queue_guess_t *guess = known(queue, entry->guess);

    entry->route = guess ? guess->route : entry->guess;
    entry->backend = guess ? guess->backend : 0;
}

int queue_may_run(const queue_t *queue, const queue_entry_t *entry)
{
    if (!entry->backend) {
        return count_route(queue->running, entry->route) < 1;
    }
    return count_route(queue->running, entry->route) < queue->per_route
           && count_backend(queue->running, entry->backend) < queue->per_backend;
}

apr_status_t queue_add(queue_t *queue, queue_entry_t *entry)
{
    queue_entry_t **last = &queue->waiting;

    if (has_key(queue->waiting, entry->key) || has_key(queue->running, entry->key)) {
        return APR_EEXIST;
    }
    guess_again(queue, entry);
    if (count_all(queue->waiting) >= QUEUE_IN_TOTAL
        || count_route(queue->waiting, entry->route) >= QUEUE_WAITING) {
        return APR_EAGAIN;
    }
    while (*last) {
        last = &(*last)->next;
    }
    entry->next = NULL;
    *last = entry;
    return APR_SUCCESS;
}

static queue_entry_t *take_out(queue_entry_t **place)
{
    queue_entry_t *entry = *place;

    if (entry) {
        *place = entry->next;
        entry->next = NULL;
    }
    return entry;
}

queue_entry_t *queue_take(queue_t *queue)
{
    queue_entry_t **place = &queue->waiting, *entry;

    while (*place && !queue_may_run(queue, *place)) {
        place = &(*place)->next;
    }
    entry = take_out(place);
    if (entry) {
        entry->next = queue->running;
        queue->running = entry;
    }
    return entry;
}

queue_entry_t *queue_drop(queue_t *queue)
{
    return take_out(&queue->waiting);
}

unsigned queue_ready(const queue_t *queue)
{
    const queue_entry_t *entry;
    unsigned count = 0;

    for (entry = queue->waiting; entry; entry = entry->next) {
        count += queue_may_run(queue, entry) != 0;
    }
    return count;
}

static void remove_from(queue_entry_t **place, const queue_entry_t *entry)
{
    while (*place && *place != entry) {
        place = &(*place)->next;
    }
    assert(*place);
    (void)take_out(place);
}

void queue_remove(queue_t *queue, const queue_entry_t *entry)
{
    remove_from(&queue->waiting, entry);
}

void queue_end(queue_t *queue, const queue_entry_t *entry)
{
    remove_from(&queue->running, entry);
}

void queue_learn(queue_t *queue, queue_entry_t *entry, apr_uint64_t route, apr_uint64_t backend)
{
    queue_guess_t *guess = &queue->guesses[entry->guess % QUEUE_GUESSES];
    queue_entry_t *other;

    assert(backend != 0);
    guess->guess = entry->guess;
    guess->route = route;
    guess->backend = backend;
    entry->route = route;
    entry->backend = backend;
    for (other = queue->waiting; other; other = other->next) {
        guess_again(queue, other);
    }
}
