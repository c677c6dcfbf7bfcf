/* SPDX-License-Identifier: Apache-2.0
 *
 * request.h - an HTTP/1.x request as the origin reads it, and the connection it came over. Used by
 * origin.c and response.c.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>

#define REQUEST_HEAD_MAX   32768
#define REQUEST_FIELDS_MAX 100

/** A name and a value: a header field, or a parameter of a query (decoded). */
typedef struct field_t {
    const char *name;
    const char *value;
} field_t;

typedef struct fields_t {
    int count;
    field_t list[REQUEST_FIELDS_MAX];
} fields_t;

/** A client's connection: the socket, and what was read from it and not used yet. */
typedef struct connection_t {
    int socket;
    size_t len;
    char bytes[REQUEST_HEAD_MAX];
} connection_t;

typedef struct request_t {
    const char *method;
    const char *path; /**< decoded */
    char *query;      /**< as it came; "" where there is none */
    fields_t headers;
    fields_t parameters; /**< of the query */
    int keep_alive;
    char raw[REQUEST_HEAD_MAX];  /**< the head, as it came */
    char text[REQUEST_HEAD_MAX]; /**< the same, in pieces that the fields point to */
} request_t;

/** Read the next request and throw its body away. @return 0; -1: the connection is to be closed */
int request_read(connection_t *connection, request_t *request);

/** The fields of a query string, which is taken apart in place. */
void request_parse_query(char *query, fields_t *fields);

/** The first field of a name (case does not matter); NULL: none. */
const char *fields_get(const fields_t *fields, const char *name);

/** All fields of a name joined by ", "; "" where there is none. */
void fields_join(const fields_t *fields, const char *name, char *out, size_t size);

#endif /* REQUEST_H */
