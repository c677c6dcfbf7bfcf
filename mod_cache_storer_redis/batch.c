/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.c - see batch.h. The request side of RESP: an array of strings for each command. Knows names,
 * and no socket.
 */
#include "batch.h"

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_SIZE 32

void batch_begin(batch_t *batch, const names_t *names)
{
    batch->names = names;
    batch->bytes = batch->small;
    batch->room = sizeof(batch->small);
    batch->used = 0;
    batch->count = 0;
    batch->entries = batch->small_entries;
    batch->entries_room = BATCH_COMMANDS;
    batch->slot = -1;
    batch->failed = 0;
}

void batch_end(batch_t *batch)
{
    if (batch->bytes != batch->small) {
        free(batch->bytes);
    }
    if (batch->entries != batch->small_entries) {
        free(batch->entries);
    }
    batch->bytes = batch->small;
    batch->entries = batch->small_entries;
}

/* Twice the room, or as much as is needed; what lay in the struct itself is copied out of it. */
static void *grow(void *old, const void *small, apr_size_t used, apr_size_t room)
{
    void *larger = old == small ? malloc(room) : realloc(old, room);

    if (larger && old == small) {
        memcpy(larger, small, used);
    }
    return larger;
}

static char *reserve(batch_t *batch, apr_size_t len)
{
    if (len > batch->room - batch->used && !batch->failed) {
        apr_size_t needed = batch->used + len;
        apr_size_t room = needed > batch->room * 2 ? needed : batch->room * 2;
        char *bytes = grow(batch->bytes, batch->small, batch->used, room);

        if (!bytes) {
            batch->failed = 1;
        }
        else {
            batch->bytes = bytes;
            batch->room = room;
        }
    }
    return batch->failed ? NULL : batch->bytes + batch->used;
}

static void add(batch_t *batch, const char *bytes, apr_size_t len)
{
    char *to = reserve(batch, len);

    if (to && len > 0) {
        memcpy(to, bytes, len);
        batch->used += len;
    }
}

/* "$12\r\n", written to the end of COUNT_SIZE bytes. There are a dozen in each batch, which is too many
 * for printf. @return where it begins */
static char *count_text(char *text, char type, apr_size_t count)
{
    char *to = text + COUNT_SIZE;

    *--to = '\n';
    *--to = '\r';
    do {
        *--to = (char)('0' + count % 10);
        count /= 10;
    } while (count > 0);
    *--to = type;
    return to;
}

static void add_count(batch_t *batch, char type, apr_size_t count)
{
    char text[COUNT_SIZE];
    const char *begin = count_text(text, type, count);

    add(batch, begin, (apr_size_t)(text + COUNT_SIZE - begin));
}

static void note_start(batch_t *batch, reply_kinds_t answers)
{
    if (batch->count == batch->entries_room) {
        apr_size_t used = (apr_size_t)batch->count * sizeof(*batch->entries);
        batch_entry_t *entries = grow(batch->entries, batch->small_entries, used, used * 2);

        if (!entries) {
            batch->failed = 1;
            return;
        }
        batch->entries = entries;
        batch->entries_room *= 2;
    }
    batch->entries[batch->count].start = batch->used;
    batch->entries[batch->count++].answers = answers;
}

void batch_command(batch_t *batch, reply_kinds_t answers, int words, const char *verb)
{
    note_start(batch, answers);
    add_count(batch, '*', (apr_size_t)words);
    batch_text(batch, verb);
}

void batch_bytes(batch_t *batch, storer_bytes_t bytes)
{
    static const storer_bytes_t none = { "", 0 };

    batch_two(batch, bytes, none);
}

void batch_two(batch_t *batch, storer_bytes_t head, storer_bytes_t tail)
{
    add_count(batch, '$', head.len + tail.len);
    add(batch, head.data, head.len);
    add(batch, tail.data, tail.len);
    add(batch, "\r\n", 2);
}

void batch_text(batch_t *batch, const char *text)
{
    storer_bytes_t bytes = { text, strlen(text) };

    batch_bytes(batch, bytes);
}

void batch_number(batch_t *batch, apr_int64_t number)
{
    char text[32];

    snprintf(text, sizeof(text), "%" APR_INT64_T_FMT, number);
    batch_text(batch, text);
}

/* The length goes first, and is known when the name is written: so that is written behind the room
 * for the longest length, and moved. */
static void add_name(batch_t *batch, const names_key_t *key)
{
    char *to = reserve(batch, key->key.len * 2 + batch->names->prefix_len + 64 + COUNT_SIZE);
    char head[COUNT_SIZE], *begin;
    apr_size_t len, head_len;

    if (!to) {
        return;
    }
    len = names_write(batch->names, key, to + COUNT_SIZE);
    if (batch->names->cluster && batch->slot < 0) {
        batch->slot = names_slot(to + COUNT_SIZE, len);
    }
    begin = count_text(head, '$', len);
    head_len = (apr_size_t)(head + COUNT_SIZE - begin);
    memcpy(to, begin, head_len);
    memmove(to + head_len, to + COUNT_SIZE, len);
    batch->used += head_len + len;
    add(batch, "\r\n", 2);
}

void batch_name(batch_t *batch, names_kind_e kind, storer_bytes_t key)
{
    names_key_t name = { kind, key, 0 };

    add_name(batch, &name);
}

void batch_key(batch_t *batch, storer_bytes_t key)
{
    batch_name(batch, NAMES_VALUE, key);
}

void batch_part(batch_t *batch, const unsigned char *version, apr_uint32_t index)
{
    names_key_t name = { NAMES_PART, { (const char *)version, NAMES_VERSION_SIZE }, index };

    add_name(batch, &name);
}

storer_bytes_t batch_nth(const batch_t *batch, int nth)
{
    const batch_entry_t *entry = &batch->entries[nth];
    storer_bytes_t command;

    redis_assert(nth >= 0 && nth < batch->count);
    command.data = batch->bytes + entry->start;
    command.len = (nth + 1 < batch->count ? entry[1].start : batch->used) - entry->start;
    return command;
}

void batch_copy(batch_t *batch, const batch_t *from, int nth)
{
    storer_bytes_t command = batch_nth(from, nth);

    note_start(batch, from->entries[nth].answers);
    add(batch, command.data, command.len);
}
