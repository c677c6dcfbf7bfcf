/* SPDX-License-Identifier: Apache-2.0
 *
 * purges.h - how purges are written in Redis. See purges.c.
 */
#ifndef PURGES_H
#define PURGES_H

#include "batch.h"

/** In milliseconds: as long as any value, see value.c. */
#define PURGES_LIFE_MS "315360000000"

/** The KEYS of a script about the list, with their number before them: epoch, labels, passing. */
void purges_add_keys(batch_t *batch);

/** What a member begins with; a label in 16 hex digits follows, if it is no floor. */
const char *purges_letter(storer_purge_e kind);

#endif /* PURGES_H */
