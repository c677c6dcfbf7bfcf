/* SPDX-License-Identifier: Apache-2.0
 *
 * table.c - the origin's memory, see table.h. One hash table under one mutex; an entry stands for a
 * path or, with a name that no path can have ("gate " in front), for a gate.
 */
#include "table.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TABLE_BUCKETS      4096
#define GATE_LIMIT_SECONDS 30

typedef struct entry_t {
    struct entry_t *next;
    unsigned long requests;
    unsigned long not_modified;
    unsigned long arrived;
    unsigned long sent;
    int open;
    char *last;
    char *override;
    char name[];
} entry_t;

struct table_t {
    pthread_mutex_t lock;
    pthread_cond_t gate_opened;
    /* guarded by lock */
    unsigned long requests;
    unsigned long not_modified;
    entry_t *buckets[TABLE_BUCKETS];
};

table_t *table_create(void)
{
    table_t *table = calloc(1, sizeof(*table));

    if (table == NULL) {
        return NULL;
    }
    pthread_mutex_init(&table->lock, NULL);
    pthread_cond_init(&table->gate_opened, NULL);
    return table;
}

static entry_t **find_slot(table_t *table, const char *name)
{
    uint32_t hash = 2166136261u;
    const char *at;
    entry_t **slot;

    for (at = name; *at; at++) {
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    }
    slot = &table->buckets[hash % TABLE_BUCKETS];
    while (*slot && strcmp((*slot)->name, name) != 0) {
        slot = &(*slot)->next;
    }
    return slot;
}

static entry_t *find_locked(table_t *table, const char *name)
{
    return *find_slot(table, name);
}

static entry_t *make_locked(table_t *table, const char *name)
{
    entry_t **slot = find_slot(table, name);

    if (*slot == NULL) {
        size_t size = strlen(name) + 1;
        entry_t *entry = calloc(1, sizeof(*entry) + size);

        if (entry == NULL) {
            abort();
        }
        memcpy(entry->name, name, size);
        *slot = entry;
    }
    return *slot;
}

static void replace_text(char **text, const char *by)
{
    free(*text);
    *text = by ? strndup(by, TABLE_TEXT_MAX - 1) : NULL;
}

static void copy_text(char *out, const char *text)
{
    snprintf(out, TABLE_TEXT_MAX, "%s", text ? text : "");
}

unsigned long table_count(table_t *table, const char *path, const char *request)
{
    unsigned long count;
    entry_t *entry;

    pthread_mutex_lock(&table->lock);
    entry = make_locked(table, path);
    count = ++entry->requests;
    table->requests++;
    replace_text(&entry->last, request);
    pthread_mutex_unlock(&table->lock);
    return count;
}

void table_count_not_modified(table_t *table, const char *path)
{
    pthread_mutex_lock(&table->lock);
    make_locked(table, path)->not_modified++;
    table->not_modified++;
    pthread_mutex_unlock(&table->lock);
}

void table_count_sent(table_t *table, const char *path, unsigned long bytes)
{
    pthread_mutex_lock(&table->lock);
    make_locked(table, path)->sent += bytes;
    pthread_mutex_unlock(&table->lock);
}

unsigned long table_sent(table_t *table, const char *path)
{
    unsigned long count;
    entry_t *entry;

    pthread_mutex_lock(&table->lock);
    entry = find_locked(table, path);
    count = entry ? entry->sent : 0;
    pthread_mutex_unlock(&table->lock);
    return count;
}

unsigned long table_requests(table_t *table, const char *path)
{
    unsigned long count;

    pthread_mutex_lock(&table->lock);
    count = table->requests;
    if (path) {
        entry_t *entry = find_locked(table, path);

        count = entry ? entry->requests : 0;
    }
    pthread_mutex_unlock(&table->lock);
    return count;
}

unsigned long table_not_modified(table_t *table, const char *path)
{
    unsigned long count;

    pthread_mutex_lock(&table->lock);
    count = table->not_modified;
    if (path) {
        entry_t *entry = find_locked(table, path);

        count = entry ? entry->not_modified : 0;
    }
    pthread_mutex_unlock(&table->lock);
    return count;
}

void table_last(table_t *table, const char *path, char *out)
{
    entry_t *entry;

    pthread_mutex_lock(&table->lock);
    entry = find_locked(table, path);
    copy_text(out, entry ? entry->last : NULL);
    pthread_mutex_unlock(&table->lock);
}

void table_override(table_t *table, const char *path, char *out)
{
    entry_t *entry;

    pthread_mutex_lock(&table->lock);
    entry = find_locked(table, path);
    copy_text(out, entry ? entry->override : NULL);
    pthread_mutex_unlock(&table->lock);
}

void table_set_override(table_t *table, const char *path, const char *query)
{
    pthread_mutex_lock(&table->lock);
    replace_text(&make_locked(table, path)->override, query);
    pthread_mutex_unlock(&table->lock);
}

void table_reset(table_t *table)
{
    int i;

    pthread_mutex_lock(&table->lock);
    table->requests = 0;
    table->not_modified = 0;
    for (i = 0; i < TABLE_BUCKETS; i++) {
        while (table->buckets[i]) {
            entry_t *entry = table->buckets[i];

            table->buckets[i] = entry->next;
            free(entry->last);
            free(entry->override);
            free(entry);
        }
    }
    pthread_cond_broadcast(&table->gate_opened);
    pthread_mutex_unlock(&table->lock);
}

static void gate_name(char *out, size_t size, const char *name)
{
    snprintf(out, size, "gate %s", name);
}

void table_open_gate(table_t *table, const char *name)
{
    char key[256];

    gate_name(key, sizeof(key), name);
    pthread_mutex_lock(&table->lock);
    make_locked(table, key)->open = 1;
    pthread_cond_broadcast(&table->gate_opened);
    pthread_mutex_unlock(&table->lock);
}

void table_wait_gate(table_t *table, const char *name)
{
    struct timespec limit;
    char key[256];
    int rv = 0;

    gate_name(key, sizeof(key), name);
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += GATE_LIMIT_SECONDS;
    pthread_mutex_lock(&table->lock);
    make_locked(table, key)->arrived++;
    /* looked up anew each time: a reset frees the entry */
    while (rv == 0 && !make_locked(table, key)->open) {
        rv = pthread_cond_timedwait(&table->gate_opened, &table->lock, &limit);
    }
    pthread_mutex_unlock(&table->lock);
}

unsigned long table_arrived(table_t *table, const char *name)
{
    unsigned long count;
    entry_t *entry;
    char key[256];

    gate_name(key, sizeof(key), name);
    pthread_mutex_lock(&table->lock);
    entry = find_locked(table, key);
    count = entry ? entry->arrived : 0;
    pthread_mutex_unlock(&table->lock);
    return count;
}
