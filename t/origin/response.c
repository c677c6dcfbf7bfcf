/* SPDX-License-Identifier: Apache-2.0
 *
 * response.c - answers, see response.h.
 */
#include "response.h"

#include "body.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#define HEAD_MAX  16384
#define CHUNK_MAX 16384

/* How an answer is to look. */
typedef struct plan_t {
    const request_t *request;
    fields_t overrides;
    char override_text[TABLE_TEXT_MAX];
    unsigned long serial;
    int status;
    uint64_t identity;
    const char *text; /* NULL: a made body */
    char seed[64];
    char etag[256];       /* "": none */
    time_t last_modified; /* 0: none */
    long long length;     /* of the body */
    long long cut;        /* bytes that are sent; -1: all */
    long long gate_at;    /* -1: no gate in the body */
    long long first, last; /* of the body, that are sent */
    long long pause;      /* ms */
    size_t piece;
    int has_body;
    int chunked;
    int close;
} plan_t;

static const char *parameter(const plan_t *plan, const char *name)
{
    const char *value = fields_get(&plan->overrides, name);

    return value ? value : fields_get(&plan->request->parameters, name);
}

static long long parse_size(const char *text, long long otherwise)
{
    char *end;
    long long size;

    if (text == NULL) {
        return otherwise;
    }
    size = strtoll(text, &end, 10);
    if (*end == 'K') {
        size *= 1024;
    }
    else if (*end == 'M') {
        size *= 1024 * 1024;
    }
    return size;
}

static void format_date(time_t at, char out[64])
{
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(out, 64, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/* Both sides parse the one format that httpd and this server write. */
static time_t parse_date(const char *text)
{
    struct tm tm;

    memset(&tm, 0, sizeof(tm));
    return strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) ? timegm(&tm) : 0;
}

/* The parameters of one name, from the overrides if they have it, else from the URL. */
static const fields_t *holder(const plan_t *plan, const char *name)
{
    return fields_get(&plan->overrides, name) ? &plan->overrides : &plan->request->parameters;
}

static void plan_identity(plan_t *plan, unsigned long count)
{
    long long roll = parse_size(parameter(plan, "roll"), 0);
    const fields_t *fields = holder(plan, "echo");
    const char *seed = parameter(plan, "seed");
    char variant[4096] = "";
    size_t len = 0;
    int values = 0;
    int i;

    if (roll > 0) {
        snprintf(plan->seed, sizeof(plan->seed), "%lld", (long long)(count - 1) / roll + 1);
    }
    else {
        snprintf(plan->seed, sizeof(plan->seed), "%s", seed ? seed : "1");
    }
    for (i = 0; i < fields->count; i++) {
        if (strcasecmp(fields->list[i].name, "echo") == 0 && len + 1 < sizeof(variant)) {
            if (values++ > 0) {
                variant[len++] = '|';
            }
            fields_join(&plan->request->headers, fields->list[i].value, variant + len,
                        sizeof(variant) - len);
            len += strlen(variant + len);
        }
    }
    plan->identity = body_identity(plan->request->path, plan->seed, variant);
}

static void plan_validators(plan_t *plan)
{
    const char *etag = parameter(plan, "etag");
    const char *modified = parameter(plan, "lm");

    plan->etag[0] = '\0';
    if (etag && strcmp(etag, "auto") == 0) {
        snprintf(plan->etag, sizeof(plan->etag), "\"%s-%016llx\"", plan->seed,
                 (unsigned long long)plan->identity);
    }
    else if (etag) {
        snprintf(plan->etag, sizeof(plan->etag), "%s", etag);
    }
    plan->last_modified = 0;
    if (modified) {
        plan->last_modified =
            modified[0] == '@' ? (time_t)atoll(modified + 1) : time(NULL) - (time_t)atoll(modified);
    }
}

static const char *opaque_tag(const char *tag)
{
    return strncmp(tag, "W/", 2) == 0 ? tag + 2 : tag;
}

/* RFC 9110 section 13.2.2: If-None-Match goes before If-Modified-Since. Tags hold no comma here. */
static int not_modified(const plan_t *plan)
{
    const char *since = fields_get(&plan->request->headers, "If-Modified-Since");
    char tags[4096];

    fields_join(&plan->request->headers, "If-None-Match", tags, sizeof(tags));
    if (tags[0]) {
        char *rest = tags;

        while (rest) {
            char *tag = strsep(&rest, ",");

            tag += strspn(tag, " ");
            if (strcmp(tag, "*") == 0
                || (plan->etag[0] && strcmp(opaque_tag(tag), opaque_tag(plan->etag)) == 0)) {
                return 1;
            }
        }
        return 0;
    }
    return since && plan->last_modified && parse_date(since) >= plan->last_modified;
}

/* A Range that is not answered leaves the plan for all of the body. */
static void plan_range(plan_t *plan)
{
    const char *range = fields_get(&plan->request->headers, "Range");
    long long first = 0, last = plan->length - 1;

    plan->first = 0;
    plan->last = last;
    if (!range || !parameter(plan, "ranges") || plan->status != 200
        || strcmp(plan->request->method, "GET") != 0) {
        return;
    }
    if (sscanf(range, "bytes=-%lld", &first) == 1) {
        first = first < plan->length ? plan->length - first : 0;
    }
    else if (sscanf(range, "bytes=%lld-%lld", &first, &last) < 1) {
        return;
    }
    if (first <= last && last < plan->length) {
        plan->first = first;
        plan->last = last;
        plan->status = 206;
    }
}

static void make_plan(plan_t *plan, table_t *table, request_t *request, unsigned long count)
{
    int readable = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;

    plan->request = request;
    table_override(table, request->path, plan->override_text);
    request_parse_query(plan->override_text, &plan->overrides);
    request_parse_query(request->query, &request->parameters);
    plan->serial = table_requests(table, NULL);
    plan->status = (int)parse_size(parameter(plan, "status"), 200);
    plan->text = parameter(plan, "text");
    plan->length =
        plan->text ? (long long)strlen(plan->text) : parse_size(parameter(plan, "body"), 64);
    plan->cut = parse_size(parameter(plan, "cut"), -1);
    plan->gate_at = parameter(plan, "gate") ? parse_size(parameter(plan, "at"), 0) : -1;
    plan->chunked = parameter(plan, "chunked") != NULL;
    plan->close = parameter(plan, "close") != NULL || parameter(plan, "clen") != NULL;
    plan_identity(plan, count);
    plan_validators(plan);
    if (readable && plan->status == 200 && not_modified(plan)) {
        plan->status = 304;
        table_count_not_modified(table, request->path);
    }
    plan->pause = parse_size(parameter(plan, "pause"), 0);
    plan->piece = (size_t)parse_size(parameter(plan, "piece"), CHUNK_MAX);
    if (plan->piece == 0 || plan->piece > CHUNK_MAX) {
        plan->piece = CHUNK_MAX;
    }
    plan_range(plan);
    plan->has_body = plan->status != 204 && plan->status != 304;
}

static int send_all(int socket, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(socket, bytes, len, MSG_NOSIGNAL);

        if (sent <= 0) {
            return -1;
        }
        bytes += sent;
        len -= (size_t)sent;
    }
    return 0;
}

/* A head under construction; what does not fit is a bug of the test and ends the program. */
typedef struct head_t {
    size_t len;
    char bytes[HEAD_MAX];
} head_t;

static void add(head_t *head, const char *name, const char *value)
{
    int len = snprintf(head->bytes + head->len, sizeof(head->bytes) - head->len, "%s: %s\r\n", name,
                       value);

    if (len < 0 || head->len + (size_t)len >= sizeof(head->bytes)) {
        abort();
    }
    head->len += (size_t)len;
}

static void add_parameters(head_t *head, const plan_t *plan, const char *parameter_name,
                           const char *header_name)
{
    const fields_t *fields = holder(plan, parameter_name);
    int i;

    for (i = 0; i < fields->count; i++) {
        char text[2048];
        char *value;

        if (strcasecmp(fields->list[i].name, parameter_name) != 0) {
            continue;
        }
        if (header_name) {
            add(head, header_name, fields->list[i].value);
            continue;
        }
        snprintf(text, sizeof(text), "%s", fields->list[i].value);
        value = strchr(text, ':');
        if (value) {
            *value++ = '\0';
            add(head, text, value + strspn(value, " "));
        }
    }
}

static void add_dates(head_t *head, const plan_t *plan)
{
    const char *expires = parameter(plan, "expires"), *own = parameter(plan, "date");
    char date[64];

    format_date(time(NULL) + (own ? (time_t)atoll(own) : 0), date);
    add(head, "Date", date);
    if (plan->last_modified) {
        format_date(plan->last_modified, date);
        add(head, "Last-Modified", date);
    }
    if (expires) {
        format_date(time(NULL) + (time_t)atoll(expires), date);
        add(head, "Expires", date);
    }
}

static void add_framing(head_t *head, const plan_t *plan)
{
    const char *claimed = parameter(plan, "clen");
    char number[32];

    if (plan->has_body) {
        snprintf(number, sizeof(number), "%lld", plan->last - plan->first + 1);
        if (claimed) {
            add(head, "Content-Length", claimed);
        }
        else if (plan->chunked) {
            add(head, "Transfer-Encoding", "chunked");
        }
        else if (!plan->close) {
            add(head, "Content-Length", number);
        }
        add(head, "Content-Type", parameter(plan, "ct") ? parameter(plan, "ct") : "text/plain");
    }
    if (plan->close || !plan->request->keep_alive) {
        add(head, "Connection", "close");
    }
}

/* RFC 8297 */
static int send_early(const plan_t *plan, int socket)
{
    long long pad = parse_size(parameter(plan, "pad"), 0);
    char filler[1001];
    head_t head;

    if (!parameter(plan, "early")) {
        return 0;
    }
    memset(filler, 'x', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = '\0';
    head.len = (size_t)snprintf(head.bytes, sizeof(head.bytes), "HTTP/1.1 103 Early Hints\r\n");
    for (; pad > 0; pad--) {
        add(&head, "X-Pad", filler);
    }
    add_parameters(&head, plan, "early", NULL);
    memcpy(head.bytes + head.len, "\r\n", 2);
    return send_all(socket, head.bytes, head.len + 2);
}

static int send_head(const plan_t *plan, int socket)
{
    head_t head;
    char text[64];

    if (parameter(plan, "line")) {
        head.len = (size_t)snprintf(head.bytes, sizeof(head.bytes), "%s\r\n",
                                    parameter(plan, "line"));
    }
    else {
        head.len = (size_t)snprintf(head.bytes, sizeof(head.bytes), "HTTP/1.1 %d Status\r\n",
                                    plan->status);
    }
    add_dates(&head, plan);
    snprintf(text, sizeof(text), "%lu", plan->serial);
    add(&head, "X-Serial", text);
    add(&head, "X-Seed", plan->seed);
    snprintf(text, sizeof(text), "%016llx", (unsigned long long)plan->identity);
    add(&head, "X-Identity", text);
    if (plan->etag[0]) {
        add(&head, "ETag", plan->etag);
    }
    add_parameters(&head, plan, "cc", "Cache-Control");
    add_parameters(&head, plan, "vary", "Vary");
    add_parameters(&head, plan, "h", NULL);
    if (plan->status == 206) {
        snprintf(text, sizeof(text), "bytes %lld-%lld/%lld", plan->first, plan->last, plan->length);
        add(&head, "Content-Range", text);
    }
    add_framing(&head, plan);
    memcpy(head.bytes + head.len, "\r\n", 2);
    return send_all(socket, head.bytes, head.len + 2);
}

static int send_part(const plan_t *plan, int socket, long long at, size_t len)
{
    char bytes[CHUNK_MAX + 32];
    size_t used = 0;

    if (plan->chunked) {
        used = (size_t)snprintf(bytes, sizeof(bytes), "%zx\r\n", len);
    }
    if (plan->text) {
        memcpy(bytes + used, plan->text + at, len);
    }
    else {
        body_fill(plan->identity, (uint64_t)at, bytes + used, len);
    }
    used += len;
    if (plan->chunked) {
        bytes[used++] = '\r';
        bytes[used++] = '\n';
    }
    return send_all(socket, bytes, used);
}

static void sleep_for(long long milliseconds)
{
    struct timespec wait = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

    if (milliseconds > 0) {
        nanosleep(&wait, NULL);
    }
}

static int send_body(const plan_t *plan, table_t *table, int socket)
{
    long long end = plan->cut >= 0 && plan->cut <= plan->last ? plan->cut : plan->last + 1;
    long long at = plan->first, most = (long long)plan->piece;

    while (at < end) {
        long long len = end - at < most ? end - at : most;

        if (plan->gate_at > at && plan->gate_at < at + len) {
            len = plan->gate_at - at;
        }
        if (send_part(plan, socket, at, (size_t)len) != 0) {
            return -1;
        }
        table_count_sent(table, plan->request->path, (unsigned long)len);
        at += len;
        if (at == plan->gate_at) {
            table_wait_gate(table, parameter(plan, "gate"));
        }
        sleep_for(plan->pause);
    }
    if (plan->cut >= 0) {
        return -1;
    }
    return plan->chunked ? send_all(socket, "0\r\n\r\n", 5) : 0;
}

int response_send(table_t *table, connection_t *connection, request_t *request)
{
    unsigned long count = table_count(table, request->path, request->raw);
    plan_t plan;

    make_plan(&plan, table, request, count);
    sleep_for(parse_size(parameter(&plan, "delay"), 0));
    if (plan.gate_at == 0) {
        table_wait_gate(table, parameter(&plan, "gate"));
    }
    if (parameter(&plan, "drop")) {
        return -1;
    }
    if (send_early(&plan, connection->socket) != 0
        || send_head(&plan, connection->socket) != 0) {
        return -1;
    }
    if (plan.has_body && strcmp(request->method, "HEAD") != 0
        && send_body(&plan, table, connection->socket) != 0) {
        return -1;
    }
    return plan.close || !request->keep_alive ? -1 : 0;
}

int response_send_text(connection_t *connection, int status, const char *text)
{
    char bytes[TABLE_TEXT_MAX + 256];
    int len =
        snprintf(bytes, sizeof(bytes),
                 "HTTP/1.1 %d Status\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
                 status, strlen(text), text);

    return send_all(connection->socket, bytes, (size_t)len);
}
