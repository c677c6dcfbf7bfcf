/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.h - commands written one behind the other, to be sent in one go. Arguments are copied.
 * Running out of memory is noticed when the batch is run.
 */
#ifndef BATCH_H
#define BATCH_H

#include "names.h"
#include "reply.h"

#define BATCH_SMALL    2048
#define BATCH_COMMANDS 16

/** One command of a batch. */
typedef struct batch_entry_t {
    apr_size_t    start;     /**< in the bytes */
    reply_kinds_t answers;   /**< what makes sense as its answer */
} batch_entry_t;

typedef struct batch_t {
    const names_t *names;
    char          *bytes;
    apr_size_t     used, room;
    int            count;       /**< commands */
    batch_entry_t *entries;     /**< of each command */
    int            entries_room;
    int            slot;        /**< of the first key; -1: there is none */
    int            failed;      /**< out of memory */
    char           small[BATCH_SMALL];
    batch_entry_t  small_entries[BATCH_COMMANDS];
} batch_t;

/** The batch must not be moved afterwards, and be ended by batch_end. */
void batch_begin(batch_t *batch, const names_t *names);
void batch_end(batch_t *batch);

/** A command of `words` words, the first of which is `verb`; the others must follow. A server that
 * answers it with anything but an error or one of these kinds makes no sense. */
void batch_command(batch_t *batch, reply_kinds_t answers, int words, const char *verb);
void batch_text(batch_t *batch, const char *text);
void batch_bytes(batch_t *batch, storer_bytes_t bytes);
/** Two pieces as one argument. */
void batch_two(batch_t *batch, storer_bytes_t head, storer_bytes_t tail);
void batch_number(batch_t *batch, apr_int64_t number);
/** The name of a value or mapping. */
void batch_key(batch_t *batch, storer_bytes_t key);
/** The name of something of another kind, which has no index. */
void batch_name(batch_t *batch, names_kind_e kind, storer_bytes_t key);
/** The name of a part. */
void batch_part(batch_t *batch, const unsigned char *version, apr_uint32_t index);

/** The bytes of one command. */
storer_bytes_t batch_nth(const batch_t *batch, int nth);
/** A command of another batch, as it is. */
void batch_copy(batch_t *batch, const batch_t *from, int nth);

#endif /* BATCH_H */
