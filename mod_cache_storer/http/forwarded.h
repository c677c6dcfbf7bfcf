/* SPDX-License-Identifier: Apache-2.0
 *
 * forwarded.h - the scheme of the client's connection where a proxy in front has ended the TLS.
 */
#ifndef FORWARDED_H
#define FORWARDED_H

#include <apr_tables.h>

/**
 * What the request says of the client's scheme, by the environment (SetEnvIf ... HTTPS=on) or a
 * field: X-Forwarded-Proto, X-Forwarded-Scheme, X-Url-Scheme, CloudFront-Forwarded-Proto, Forwarded
 * (RFC 7239), X-Forwarded-SSL, Front-End-Https. Whether that is true is none of the question: an
 * application that believes it gives another answer.
 * @param https  the variable HTTPS of the environment; NULL: there is none
 * @param fields of the request
 * @param scheme replaced by "http" or "https" if the request says either
 * @return 0: it says something else, or contradicts itself
 */
int forwarded_scheme(const char *https, const apr_table_t *fields, const char **scheme);

#endif /* FORWARDED_H */
