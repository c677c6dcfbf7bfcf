/* SPDX-License-Identifier: Apache-2.0
 *
 * sendfile.h - a large body as parts of a file. The core keeps a worker for a client that does not
 * read, as long as more than FlushMaxThreshold (64 KB) of the response are in memory. What is in a
 * file waits in the core's own queue, without a worker under the event MPM, and is not copied.
 */
#ifndef SENDFILE_H
#define SENDFILE_H

#include "../storage/storer.h"

#include "httpd.h"

/** May the body of this response be left to the kernel: is nobody on the way who would read it (TLS,
 * HTTP/2, a filter that is not known here), and has EnableSendfile not been set to off? */
int sendfile_is_possible(const request_rec *r, apr_off_t length);

/**
 * Append what follows in a view: its parts of a file as file buckets, those in memory as they are. The
 * view lives as long as r->pool, and so until all of it was sent.
 * @param skip   bytes of the first part to leave out
 * @param length how much must follow
 * @return APR_SUCCESS; APR_ENOTIMPL: there is no such file, or it can't be opened. Nothing has happened
 *         then. Anything else: the value is damaged; nothing is appended, and the view is empty
 */
apr_status_t sendfile_insert_view(apr_bucket_brigade *brigade, storer_view_t *view, apr_size_t skip,
                                  apr_off_t length, request_rec *r);

#endif /* SENDFILE_H */
