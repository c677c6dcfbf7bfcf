/* SPDX-License-Identifier: Apache-2.0
 *
 * date.h - dates of HTTP (RFC 9110 section 5.6.7), read to the letter. apr_date_parse_http() takes many
 * other forms for a date, some of them with another time zone, which it does not look at.
 */
#ifndef DATE_H
#define DATE_H

#include <apr_time.h>

/**
 * Read a date: IMF-fixdate, RFC 850 or asctime, in any case (RFC 9111 section 4.2).
 * @param now  the century of an RFC 850 date is such that it is at most 50 years ahead of it
 * @param time set if it is one
 * @return 1, or 0: it is none
 */
int date_read(const char *text, apr_time_t now, apr_time_t *time);

#endif /* DATE_H */
