/* SPDX-License-Identifier: Apache-2.0
 *
 * outside.h - the table of a store that is read from outside, by a tool: it takes no lock, sets no pin
 * and writes nothing, so that it can do no harm to the processes that use the store, and none of them
 * can keep it waiting. A value is copied, and the copy counts if the bucket of its key was not changed
 * meanwhile: then the entry was live all the time.
 *
 * The processes may be hostile to the tool: each word is read once, and checked before it is used.
 */
#ifndef STORER_MEMORY_OUTSIDE_H
#define STORER_MEMORY_OUTSIDE_H

#include "memory.h" /* which declares it: memory_outside_ops */

#endif /* STORER_MEMORY_OUTSIDE_H */
