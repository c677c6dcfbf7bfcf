/* SPDX-License-Identifier: Apache-2.0
 *
 * reply.c - see reply.h. Called by hiredis' parser and by whoever reads an answer; knows neither
 * sockets nor what an answer means.
 */
#include "reply.h"

#include <stdlib.h>
#include <string.h>

#if HIREDIS_MAJOR >= 1
typedef size_t reply_count_t;
#else
typedef int reply_count_t;
#endif

/* Arrays within arrays: an answer to CLUSTER SLOTS has four of them. hiredis before 1.0 refuses more
 * than seven; later versions take a thousand, or any number. */
#define DEPTH_MAX 7

/* A node, or NULL where the answer gets longer than any of ours: the parser then gives up. */
static reply_t *create(const redisReadTask *task, reply_type_e type, apr_size_t room)
{
    reply_limits_t *limits = task->privdata;
    reply_t *reply;

    if (limits->nodes >= limits->nodes_max || room > limits->bytes_max - limits->bytes) {
        return NULL;
    }
    reply = malloc(sizeof(*reply) + room);
    if (!reply) {
        return NULL;
    }
    limits->nodes++;
    limits->bytes += room;
    memset(reply, 0, sizeof(*reply));
    reply->type = type;
    if (task->parent) {
        reply_t *parent = task->parent->obj;

        parent->elements[task->idx] = reply;
    }
    return reply;
}

/* Our types are fewer: what RESP3 adds is never asked for, and no answer of ours. */
static int type_of(const redisReadTask *task, reply_type_e *type)
{
    switch (task->type) {
        case REDIS_REPLY_STRING: *type = REPLY_STRING; return 1;
        case REDIS_REPLY_STATUS: *type = REPLY_STATUS; return 1;
        case REDIS_REPLY_ERROR: *type = REPLY_ERROR; return 1;
        default: return 0;
    }
}

static void *create_string(const redisReadTask *task, char *text, size_t len)
{
    reply_type_e type;
    reply_t *reply;
    char *copy;

    if (!type_of(task, &type)) {
        return NULL;
    }
    reply = create(task, type, len + 1);
    if (!reply) {
        return NULL;
    }
    copy = (char *)(reply + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    reply->text.data = copy;
    reply->text.len = len;
    return reply;
}

static int is_too_deep(const redisReadTask *task)
{
    int depth = 0;

    while (task->parent && depth < DEPTH_MAX) {
        task = task->parent;
        depth++;
    }
    return depth == DEPTH_MAX;
}

/* The announced number of elements is believed only as far as the limit goes: each takes a pointer
 * at once. */
static void *create_array(const redisReadTask *task, reply_count_t announced)
{
    reply_limits_t *limits = task->privdata;
    apr_size_t count = (apr_size_t)announced;
    reply_t *reply;

    if (task->type != REDIS_REPLY_ARRAY || is_too_deep(task)
        || count > limits->nodes_max - limits->nodes) {
        return NULL;
    }
    reply = create(task, REPLY_ARRAY, count * sizeof(reply_t *));
    if (!reply) {
        return NULL;
    }
    reply->count = count;
    reply->elements = (reply_t **)(void *)(reply + 1);
    memset(reply->elements, 0, count * sizeof(reply_t *));
    return reply;
}

static void *create_integer(const redisReadTask *task, long long value)
{
    reply_t *reply = create(task, REPLY_INTEGER, 0);

    if (reply) {
        reply->integer = value;
    }
    return reply;
}

static void *create_nil(const redisReadTask *task)
{
    return create(task, REPLY_NIL, 0);
}

static void free_object(void *object)
{
    reply_free(object);
}

redisReplyObjectFunctions reply_functions = {
    .createString = create_string,
    .createArray = create_array,
    .createInteger = create_integer,
    .createNil = create_nil,
    .freeObject = free_object,
};

/* At most DEPTH_MAX deep. */
void reply_free(reply_t *reply)
{
    apr_size_t i;

    if (!reply) {
        return;
    }
    for (i = 0; i < reply->count; i++) {
        reply_free(reply->elements[i]);
    }
    free(reply);
}

void reply_free_all(reply_t **replies, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        reply_free(replies[i]);
        replies[i] = NULL;
    }
}

int reply_is_one_of(const reply_t *reply, reply_kinds_t kinds)
{
    return (kinds | REPLY_KIND(REPLY_ERROR)) & REPLY_KIND(reply->type);
}

int reply_is_error(const reply_t *reply, const char *word)
{
    apr_size_t len = strlen(word);

    return reply->type == REPLY_ERROR && reply->text.len >= len
           && memcmp(reply->text.data, word, len) == 0
           && (reply->text.len == len || reply->text.data[len] == ' ');
}

storer_bytes_t reply_string(const reply_t *reply)
{
    static const storer_bytes_t none = { NULL, 0 };

    return reply->type == REPLY_STRING ? reply->text : none;
}
