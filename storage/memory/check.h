/* SPDX-License-Identifier: Apache-2.0
 *
 * check.h - is a segment what it ought to be? For tests, and for a look at a store that is in
 * doubt.
 */
#ifndef STORER_MEMORY_CHECK_H
#define STORER_MEMORY_CHECK_H

#include "layout.h"

/** Walks the whole segment: blocks, free lists, chains, rings and limbo must agree with each other
 * and with the counters. The lock is held, or nobody else is there; takes time in proportion to the
 * size. @return what is wrong first, a constant; NULL: nothing */
const char *check_segment(memory_segment_t *segment);

#endif /* STORER_MEMORY_CHECK_H */
