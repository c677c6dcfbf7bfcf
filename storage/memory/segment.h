/* SPDX-License-Identifier: Apache-2.0
 *
 * segment.h - the segment as a whole: laid out, adopted from an earlier configuration, made anew
 * after damage.
 */
#ifndef STORER_MEMORY_SEGMENT_H
#define STORER_MEMORY_SEGMENT_H

#include "journal.h"

/** Parent, one thread. Lay out new memory of `size` bytes (zeroed), or adopt what a former
 * configuration left there. *adopted tells. A segment of another layout that is not fresh may be in
 * use by older children and is refused with APR_EEXIST. */
apr_status_t segment_open(memory_segment_t *segment, void *base, apr_size_t size, int fresh,
                          const storer_env_t *env, int *adopted);

/** Is what lies at base, of that size, a segment that this program may adopt? NULL: yes; else why
 *  not.
 * `same_boot`: memory that was on disk is worth nothing after the machine was started anew. */
const char *segment_refuse(const void *base, apr_size_t size, int same_boot);

/** Parent, after adopting memory from a file. Where no process that used it is alive any more: make
 *  the
 * lock anew, undo what is incomplete, forget all pins. */
apr_status_t segment_revive(memory_segment_t *segment);

/** Longest value a segment of that size takes: a quarter, so that one object never displaces all. */
apr_uint64_t segment_largest(const memory_segment_t *segment);

/** The lock is held, the contents are damaged. Start with an empty heap if nothing is pinned any
 * more; returns 0 while it is. */
int segment_repair(memory_segment_t *segment);

/** Bytes in use, metadata included. The lock is held. */
apr_uint64_t segment_used(const memory_segment_t *segment);

#endif /* STORER_MEMORY_SEGMENT_H */
