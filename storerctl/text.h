/* SPDX-License-Identifier: Apache-2.0
 *
 * text.h - bytes from outside (URLs, header fields, answers of a server) as a person reads them in
 * a terminal: each byte that a terminal might obey, and each that is not UTF-8, is shown as \xNN.
 * Depends on APR only.
 */
#ifndef STORERCTL_TEXT_H
#define STORERCTL_TEXT_H

#include <apr_pools.h>

/**
 * A text that a terminal shows and does not obey: without C0 and C1 control characters (ECMA-48),
 * DEL, the Unicode characters that change the direction or break the line, and invalid UTF-8. A
 * backslash stays as it is: the result is for people, and not meant to be read back.
 * @return in pool, with a NUL at its end
 */
const char *text_printable(const char *data, apr_size_t length, apr_pool_t *pool);

/** Only the bytes that are not UTF-8 become \xNN. For JSON, which has its own way to write a control
 * character. */
const char *text_utf8(const char *data, apr_size_t length, apr_pool_t *pool);

#endif /* STORERCTL_TEXT_H */
