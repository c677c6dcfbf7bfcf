/* SPDX-License-Identifier: Apache-2.0
 *
 * anonymous.h - shared memory without a name, for a process and the children that it forks. Where the
 * system can do it, the memory is a file at the same time: so its bytes can be sent by sendfile(2),
 * and its pages be replaced by new ones.
 */
#ifndef STORER_ANONYMOUS_H
#define STORER_ANONYMOUS_H

#include <apr_file_io.h>
#include <apr_portable.h>

/**
 * New memory, zeroed; a page costs memory once it is used. munmap() and close() are the caller's.
 * @param file the same memory as a file; -1: it is none
 */
apr_status_t anonymous_create(apr_size_t size, void **base, apr_os_file_t *file);

/** Replace the pages of this part of the memory by new ones, zeroed. Whoever has the old pages, such as
 * a socket that sendfile(2) has given them to, keeps them as they are. Offset and length are multiples
 * of a page. Blocks for as long as the system takes for it: 0.1 ms for a MB. */
apr_status_t anonymous_renew(apr_os_file_t file, apr_off_t offset, apr_off_t length);

/** Open the file once more, for reading: with an offset of its own, unlike that of a duplicate.
 * @param flags besides APR_FOPEN_READ */
apr_status_t anonymous_reopen(apr_os_file_t file, apr_int32_t flags, apr_file_t **out,
                              apr_pool_t *pool);

#endif /* STORER_ANONYMOUS_H */
