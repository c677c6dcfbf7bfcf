/* SPDX-License-Identifier: Apache-2.0
 *
 * pages.h - a segment that is a file at the same time: large values lie in pages of their own there,
 * so that the kernel can be told to send them (sendfile). It does not copy them: what a socket has
 * queued are the pages themselves, until the client has acknowledged them, long after the reader's
 * pin is gone. So before such a page is used for anything else it is *renewed*: the file gets another
 * page in its place, and the old one belongs to the socket.
 *
 * storage/README.md proves that no later byte can be sent.
 */
#ifndef STORER_MEMORY_PAGES_H
#define STORER_MEMORY_PAGES_H

#include "memory.h"

/** The caller has the entry pinned, and is going to let the kernel have its pages. */
void pages_sent(memory_segment_t *segment, const memory_entry_t *entry);

/** Has the entry pages that the kernel may be told to send? */
bool pages_has(memory_segment_t *segment, const memory_entry_t *entry);

/** Renew the pages of a spent entry and free it. The lock is not held.
 * @return false: there is none, or it can't be done */
bool pages_renew(memory_t *memory);

/** Renew all pages of a heap that nobody uses any more, before it is made anew. The lock is held.
 * @return false: it can't be done */
bool pages_renew_all(memory_segment_t *segment);

#endif /* STORER_MEMORY_PAGES_H */
