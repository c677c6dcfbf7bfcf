/* SPDX-License-Identifier: Apache-2.0
 *
 * retain.h - memory that survives a restart of the configuration: shared with the children, or the
 * parent's own. Parent process only.
 */
#ifndef RETAIN_H
#define RETAIN_H

#include "../storage/storer.h"

/** A new generation begins: no segment is claimed yet. */
apr_status_t retain_begin(void);

/** storer_env_t.retain: claim the segment of this uuid and size for the generation. */
storer_retain_fn retain_segment;

/** storer_env_t.remember: the same with memory that children get a copy of. */
storer_retain_fn retain_private;

/** storer_env_t.memory_file: a segment of ours as a file. */
storer_memory_file_fn retain_file;

/** The generation is complete: segments that it did not claim are unmapped here. Children of the
 * generation before have mappings of their own and go on with them. */
void retain_end(void);

#endif /* RETAIN_H */
