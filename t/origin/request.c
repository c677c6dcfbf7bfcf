/* SPDX-License-Identifier: Apache-2.0
 *
 * request.c - reading requests, see request.h.
 */
#include "request.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static void add_field(fields_t *fields, const char *name, const char *value)
{
    if (fields->count < REQUEST_FIELDS_MAX) {
        fields->list[fields->count].name = name;
        fields->list[fields->count].value = value;
        fields->count++;
    }
}

const char *fields_get(const fields_t *fields, const char *name)
{
    int i;

    for (i = 0; i < fields->count; i++) {
        if (strcasecmp(fields->list[i].name, name) == 0) {
            return fields->list[i].value;
        }
    }
    return NULL;
}

void fields_join(const fields_t *fields, const char *name, char *out, size_t size)
{
    size_t len = 0;
    int i;

    out[0] = '\0';
    for (i = 0; i < fields->count; i++) {
        if (strcasecmp(fields->list[i].name, name) == 0 && len < size) {
            len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "",
                                    fields->list[i].value);
        }
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void decode(char *text)
{
    char *out = text;

    for (; *text; text++) {
        if (text[0] == '%' && hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0) {
            *out++ = (char)(hex_digit(text[1]) * 16 + hex_digit(text[2]));
            text += 2;
        }
        else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

void request_parse_query(char *query, fields_t *fields)
{
    char *rest = query;

    fields->count = 0;
    while (rest) {
        char *part = strsep(&rest, "&");
        char *value = strchr(part, '=');

        if (value == NULL) {
            continue;
        }
        *value++ = '\0';
        decode(part);
        decode(value);
        add_field(fields, part, value);
    }
}

/* Make sure that the connection holds a whole head; its length, or 0 at the end of everything. */
static size_t read_head(connection_t *connection)
{
    for (;;) {
        char *end = memmem(connection->bytes, connection->len, "\r\n\r\n", 4);
        ssize_t got;

        if (end) {
            return (size_t)(end - connection->bytes) + 4;
        }
        if (connection->len == sizeof(connection->bytes)) {
            return 0;
        }
        got = recv(connection->socket, connection->bytes + connection->len,
                   sizeof(connection->bytes) - connection->len, 0);
        if (got <= 0) {
            return 0;
        }
        connection->len += (size_t)got;
    }
}

static void take(connection_t *connection, size_t used)
{
    memmove(connection->bytes, connection->bytes + used, connection->len - used);
    connection->len -= used;
}

static int discard_body(connection_t *connection, size_t length)
{
    while (length > 0) {
        size_t part = connection->len < length ? connection->len : length;

        take(connection, part);
        length -= part;
        if (length > 0) {
            ssize_t got = recv(connection->socket, connection->bytes, sizeof(connection->bytes), 0);

            if (got <= 0) {
                return -1;
            }
            connection->len = (size_t)got;
        }
    }
    return 0;
}

static int parse_line(request_t *request, char *line)
{
    char *rest = line;
    char *method = strsep(&rest, " ");
    char *target = strsep(&rest, " ");
    char *query;

    if (method == NULL || target == NULL || rest == NULL) {
        return -1;
    }
    query = strchr(target, '?');
    if (query) {
        *query++ = '\0';
    }
    decode(target);
    request->method = method;
    request->path = target;
    request->query = query ? query : target + strlen(target);
    request->keep_alive = strcmp(rest, "HTTP/1.1") == 0;
    return 0;
}

static void parse_header(request_t *request, char *line)
{
    char *value = strchr(line, ':');

    if (value == NULL) {
        return;
    }
    *value++ = '\0';
    value += strspn(value, " \t");
    add_field(&request->headers, line, value);
}

int request_read(connection_t *connection, request_t *request)
{
    size_t head = read_head(connection);
    const char *value;
    char *rest = request->text;
    char *line;

    if (head == 0) {
        return -1;
    }
    memcpy(request->raw, connection->bytes, head - 2);
    request->raw[head - 2] = '\0';
    memcpy(request->text, request->raw, head - 1);
    take(connection, head);

    request->headers.count = 0;
    line = strsep(&rest, "\r");
    if (parse_line(request, line) != 0) {
        return -1;
    }
    while (rest != NULL && *rest == '\n') {
        rest++;
        line = strsep(&rest, "\r");
        parse_header(request, line);
    }
    value = fields_get(&request->headers, "Connection");
    if (value && strcasecmp(value, "close") == 0) {
        request->keep_alive = 0;
    }
    /* chunked requests are not for this server: what it cannot read ends the connection */
    value = fields_get(&request->headers, "Transfer-Encoding");
    if (value) {
        return -1;
    }
    value = fields_get(&request->headers, "Content-Length");
    return value ? discard_body(connection, strtoul(value, NULL, 10)) : 0;
}
