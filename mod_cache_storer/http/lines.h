/* SPDX-License-Identifier: Apache-2.0
 *
 * lines.h - the lines of header fields, from one table to another.
 */
#ifndef LINES_H
#define LINES_H

#include <apr_tables.h>

/** For apr_table_do(): adds each line to the table in baton, which borrows name and value. */
static inline int lines_copy(void *baton, const char *name, const char *value)
{
    apr_table_addn(baton, name, value);
    return 1;
}

#endif /* LINES_H */
