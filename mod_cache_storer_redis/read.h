/* SPDX-License-Identifier: Apache-2.0
 *
 * read.h - views of what was read. See read.c.
 */
#ifndef READ_H
#define READ_H

#include "redis.h"
#include "reply.h"
#include "value.h"

/**
 * A view of the value that an answer to GET has in it. Takes *reply over where it succeeds. Where the
 * value has further parts they are asked for by name, so that one that is not complete is a miss.
 * @return APR_SUCCESS; APR_NOTFOUND: there is none, it is over, damaged (one warning) or incomplete;
 *         or what router_run returned
 */
apr_status_t read_open(redis_t *redis, storer_bytes_t key, reply_t **reply, apr_time_t now,
                       clock_point_t deadline, storer_view_t *view);

/** storer_get within the deadline, for what is no mapping. */
apr_status_t read_value(redis_t *redis, storer_bytes_t key, apr_time_t now,
                        clock_point_t deadline, storer_view_t *view);

/** All bytes of a view of ours, malloc'ed, within the deadline. The view is not released. */
apr_status_t read_all(storer_view_t *view, clock_point_t deadline, char **bytes, apr_size_t *len);

/** A view of bytes in memory, which is malloc'ed and becomes the view's. */
apr_status_t read_open_memory(redis_t *redis, char *memory, apr_size_t len, storer_expiry_t expiry,
                              storer_view_t *view);

#endif /* READ_H */
