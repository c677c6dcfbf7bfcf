/* SPDX-License-Identifier: Apache-2.0
 *
 * sendable.h - whether a server can send header fields at all: httpd refuses to send a head with a
 * field that RFC 9110 section 5 does not allow, and answers 500 instead (check_headers() of its
 * header filter). By then the response may be in the store.
 */
#ifndef SENDABLE_H
#define SENDABLE_H

#include <apr_tables.h>

/** The first field that cannot be sent, by its name or its value. NULL: all of them can be. */
const char *sendable_problem(const apr_table_t *headers);

#endif /* SENDABLE_H */
