/* SPDX-License-Identifier: Apache-2.0
 *
 * segment.h - the segment as a whole: laid out, adopted from an earlier configuration, made anew
 * after damage.
 */
#ifndef STORER_MEMORY_SEGMENT_H
#define STORER_MEMORY_SEGMENT_H

#include "journal.h"

/** How many lines of pins a segment of this size has for so many processes of so many threads each (0:
 * not known). Bounded by the size: then some processes may be left without. */
uint32_t segment_lines(uint64_t size, uint32_t processes, uint32_t threads);

/** What lies where in a segment of that size, with so many lines of pins. */
void segment_lay_out(memory_geometry_t *geometry, uint64_t size, uint32_t lines);

/**
 * May a segment with this stamp be adopted?
 * @param lines     of pins, at least
 * @param same_boot 1: memory that was on disk is worth nothing after the machine was started anew
 * @param geometry  set, from these arguments: what bounds each access from now on
 * @return NULL: yes; else why not, a predicate
 */
const char *segment_refuse(const memory_stamp_t *stamp, uint64_t size, uint32_t lines, int same_boot,
                           memory_geometry_t *geometry);

/**
 * The handle of a segment of this geometry at base. Parent, one thread, or a tool. Writes nothing
 * there, unless `fresh`: zeroed memory, for which segment_format() is to be called.
 */
apr_status_t segment_attach(memory_segment_t *segment, void *base,
                            const memory_geometry_t *geometry, const users_t *users,
                            const storer_env_t *env, int fresh);

/** Make zeroed memory a segment. */
apr_status_t segment_format(memory_segment_t *segment);

/** Is there still a segment of the geometry that the handle was made for? */
int segment_is_whole(const memory_segment_t *segment);

/** Parent: say in the segment who opened it. */
void segment_sign(memory_segment_t *segment);

/** Parent, after adopting memory from a file that no process has in use: make the locks anew, whatever
 * state its last users have left them in. */
apr_status_t segment_revive(memory_segment_t *segment);

/** Longest value a segment of that size takes: a quarter, so that one object never displaces all. */
apr_uint64_t segment_largest(const memory_segment_t *segment);

/** The lock is held, the contents are damaged. Start with an empty heap if nothing is pinned any
 * more; returns 0 while it is. */
int segment_repair(memory_segment_t *segment);

/** Bytes in use, metadata included. The lock is held. */
apr_uint64_t segment_used(const memory_segment_t *segment);

#endif /* STORER_MEMORY_SEGMENT_H */
