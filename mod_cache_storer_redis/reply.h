/* SPDX-License-Identifier: Apache-2.0
 *
 * reply.h - what Redis answered. hiredis parses; the objects are ours, so that a server cannot make
 * us take more memory than an answer of ours can have.
 */
#ifndef REPLY_H
#define REPLY_H

#include <storer.h>

#include <hiredis/hiredis.h>

typedef enum reply_type_e {
    REPLY_STRING,
    REPLY_STATUS,    /**< "+OK" */
    REPLY_ERROR,     /**< "-WRONGTYPE ..." */
    REPLY_INTEGER,
    REPLY_NIL,
    REPLY_ARRAY
} reply_type_e;

typedef struct reply_t reply_t;
struct reply_t {
    reply_type_e   type;
    apr_int64_t    integer;
    storer_bytes_t text;       /**< of a string, status or error; NUL-terminated; in the reply */
    apr_size_t     count;      /**< elements of an array */
    reply_t      **elements;   /**< none of them NULL once the reply is complete */
};

/** Kinds of answers that make sense after a command, beside errors, which always do: bits. */
typedef unsigned reply_kinds_t;
#define REPLY_KIND(type)  (1u << (type))
#define REPLY_IS_STRING   REPLY_KIND(REPLY_STRING)
#define REPLY_IS_VALUE    (REPLY_KIND(REPLY_STRING) | REPLY_KIND(REPLY_NIL))
#define REPLY_IS_STATUS   REPLY_KIND(REPLY_STATUS)
#define REPLY_IS_INTEGER  REPLY_KIND(REPLY_INTEGER)
#define REPLY_IS_ARRAY    REPLY_KIND(REPLY_ARRAY)

/** Bounds on one answer, and what it has taken so far. */
typedef struct reply_limits_t {
    apr_size_t bytes_max, nodes_max;
    apr_size_t bytes, nodes;
} reply_limits_t;

/** The parser's side: to be put into a redisReader, with a reply_limits_t as privdata. */
extern redisReplyObjectFunctions reply_functions;

/** NULL is fine. */
void reply_free(reply_t *reply);
/** Free several, and forget them. */
void reply_free_all(reply_t **replies, int count);

/** Is it an error, or of one of these kinds? */
int reply_is_one_of(const reply_t *reply, reply_kinds_t kinds);

/** Does an error begin with this word ("WRONGTYPE")? */
int reply_is_error(const reply_t *reply, const char *word);

/** The text of a string; data NULL for anything else. */
storer_bytes_t reply_string(const reply_t *reply);

#endif /* REPLY_H */
