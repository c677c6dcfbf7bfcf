/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange.c - requests and judgements, see exchange.h.
 *
 * What a URL is follows from its number alone (describe_url): size, framing, freshness, the headers
 * it varies on, and whether its content changes from time to time. The origin names version and
 * identity of each response in its head, and the body must be the one that head, URL and request
 * headers call for: so a body that was stored under another key, another variant, or the headers of
 * another version is seen.
 */
#include "exchange.h"

#include "body.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct url_t {
    char path[64];
    char query[256];
    const char *host;
    unsigned size;
    int varies; /* 0: not, 1: on X-Group, 2: on X-Kind too */
} url_t;

typedef enum kind_e {
    KIND_PLAIN,
    KIND_HEAD,
    KIND_RANGE,
    KIND_RELOAD,
    KIND_CONDITION,
    KIND_CHANGE
} kind_e;

typedef struct question_t {
    url_t url;
    kind_e kind;
    char variant[16];
    unsigned range_from;
    unsigned range_to;
    char text[1024];
    size_t len;
} question_t;

/* What has been seen of a body. */
typedef struct reading_t {
    uint64_t identity;
    uint64_t offset;
    int right;   /* some of it matched */
    int foreign; /* some of it did not */
} reading_t;

unsigned chance_below(chance_t *chance, unsigned limit)
{
    *chance ^= *chance << 13;
    *chance ^= *chance >> 7;
    *chance ^= *chance << 17;
    return (unsigned)((*chance >> 16) % limit);
}

static unsigned size_of(unsigned number)
{
    unsigned place = number % 20;

    if (place == 0) {
        return number % 40 == 0 ? 0 : 1;
    }
    if (place <= 10) {
        return 200 + number * 37 % 4000;
    }
    if (place <= 15) {
        return 4000 + number * 101 % 16000;
    }
    return place <= 18 ? 20000 + number * 211 % 60000 : 200000;
}

static void describe_url(unsigned number, url_t *url)
{
    static const char *const vary[] = { "", "&vary=X-Group&echo=X-Group",
                                        "&vary=X-Group,%20X-Kind&echo=X-Group&echo=X-Kind",
                                        "&vary=x-kind&vary=x-group&echo=X-Group&echo=X-Kind" };

    /* some lie compressed in the storage */
    url->host = number % 6 == 5 ? "lz4.test" : "127.0.0.1";
    url->size = size_of(number);
    url->varies = number % 4 == 3 ? 2 : (int)(number % 4);
    snprintf(url->path, sizeof(url->path), "/stress/%u", number);
    snprintf(url->query, sizeof(url->query), "body=%u&etag=auto&cc=max-age%%3D%s%s%s%s", url->size,
             number % 10 == 3 ? "1" : "600", number % 7 == 2 ? "&roll=3" : "",
             number % 5 == 0 ? "&chunked=1" : "", vary[number % 4]);
}

static kind_e choose_kind(const url_t *url, chance_t *chance)
{
    unsigned place = chance_below(chance, 200);

    if (place < 180) {
        return KIND_PLAIN;
    }
    if (place < 186) {
        return KIND_HEAD;
    }
    if (place < 192) {
        return url->size > 1 ? KIND_RANGE : KIND_PLAIN;
    }
    if (place < 196) {
        return KIND_RELOAD;
    }
    return place < 199 ? KIND_CONDITION : KIND_CHANGE;
}

static void choose_question(question_t *question, unsigned urls, chance_t *chance)
{
    static const char *const methods[] = { "GET", "HEAD", "GET", "GET", "GET", "POST" };
    char group = (char)('a' + chance_below(chance, 3));
    char kind = (char)('x' + chance_below(chance, 2));
    const char both[] = { group, '|', kind };
    char special[128] = "";

    /* a tenth of the URLs gets half of the requests */
    describe_url(chance_below(chance, 2) ? chance_below(chance, urls)
                                         : chance_below(chance, urls / 10 + 1),
                 &question->url);
    question->kind = choose_kind(&question->url, chance);
    snprintf(question->variant, sizeof(question->variant), "%.*s",
             question->url.varies == 0   ? 0
             : question->url.varies == 1 ? 1
                                         : 3,
             both);
    if (question->kind == KIND_RANGE) {
        question->range_from = chance_below(chance, question->url.size);
        question->range_to =
            question->range_from + chance_below(chance, question->url.size - question->range_from);
        snprintf(special, sizeof(special), "Range: bytes=%u-%u\r\n", question->range_from,
                 question->range_to);
    }
    else if (question->kind == KIND_RELOAD) {
        snprintf(special, sizeof(special), "Cache-Control: %s\r\n",
                 chance_below(chance, 2) ? "no-cache" : "max-age=0");
    }
    else if (question->kind == KIND_CONDITION) {
        snprintf(special, sizeof(special), "If-None-Match: \"none-has-this\"\r\n");
    }
    else if (question->kind == KIND_CHANGE) {
        snprintf(special, sizeof(special), "Content-Length: 0\r\n");
    }
    question->len =
        (size_t)snprintf(question->text, sizeof(question->text),
                         "%s %s?%s HTTP/1.1\r\nHost: %s\r\nX-Group: %c\r\nX-Kind: %c\r\n%s\r\n",
                         methods[question->kind], question->url.path, question->url.query,
                         question->url.host, group, kind, special);
}

static void check_bytes(void *baton, const char *bytes, size_t len)
{
    reading_t *reading = baton;

    if (body_matches(reading->identity, reading->offset, bytes, len)) {
        reading->right = 1;
    }
    else {
        reading->foreign = 1;
        /* the first byte tells a body that turned into another one from one that always was one */
        if (body_matches(reading->identity, reading->offset, bytes, 1)) {
            reading->right = 1;
        }
    }
    reading->offset += len;
}

static void count_cache(counts_t *counts, const wire_head_t *head)
{
    if (strcmp(head->cache, "HIT") == 0) {
        counts->hits++;
    }
    else if (strcmp(head->cache, "REVALIDATE") == 0) {
        counts->revalidated++;
    }
    else {
        counts->misses++;
    }
}

static void count_end(counts_t *counts, wire_end_e end)
{
    switch (end) {
    case WIRE_OK:
        break;
    case WIRE_REFUSED:
        counts->refused++;
        break;
    case WIRE_LOST:
        counts->lost++;
        break;
    case WIRE_BROKEN:
        counts->broken++;
        break;
    case WIRE_TIMEOUT:
        counts->timeouts++;
        break;
    case WIRE_MALFORMED:
        counts->malformed++;
        break;
    }
}

/* The first one of each client, in words: the rest are numbers. */
static void complain(const char *what, const question_t *question, const wire_head_t *head,
                     const reading_t *reading, counts_t *counts)
{
    if (counts->complaints++ > 0) {
        return;
    }
    fprintf(stderr,
            "# %s: %s?%s variant '%s' kind %d: status %d, %s, version '%s', identity '%s', "
            "length %lld, read %llu\n",
            what, question->url.path, question->url.query, question->variant, (int)question->kind,
            head->status, head->cache, head->seed, head->identity, head->length,
            (unsigned long long)reading->offset);
}

/* The head: does it belong to the question? @return 0: no, and that is counted */
static int judge_head(const question_t *question, const wire_head_t *head, reading_t *reading,
                      counts_t *counts)
{
    char identity[32];
    int partial = head->status == 206 && question->kind == KIND_RANGE;

    if (head->status != 200 && !partial) {
        counts->failed++;
        complain("failed", question, head, reading, counts);
        return 0;
    }
    reading->identity = body_identity(question->url.path, head->seed, question->variant);
    reading->offset = partial ? question->range_from : 0;
    snprintf(identity, sizeof(identity), "%016llx", (unsigned long long)reading->identity);
    if (strcmp(identity, head->identity) != 0
        || (partial && head->range_from != (long long)question->range_from)) {
        counts->wrong++;
        complain("wrong", question, head, reading, counts);
        return 0;
    }
    return 1;
}

static void judge_body(const question_t *question, const wire_head_t *head,
                       const reading_t *reading, counts_t *counts)
{
    uint64_t end = head->status == 206 ? question->range_to + 1 : question->url.size;

    if (reading->foreign) {
        if (reading->right) {
            counts->mixed++;
        }
        else {
            counts->wrong++;
        }
        complain(reading->right ? "mixed" : "wrong", question, head, reading, counts);
    }
    else if (reading->offset < end) {
        counts->too_short++;
        complain("short", question, head, reading, counts);
    }
    else if (reading->offset > end) {
        counts->too_long++;
        complain("long", question, head, reading, counts);
    }
}

void exchange_run(wire_t *wire, unsigned urls, chance_t *chance, counts_t *counts)
{
    question_t question;
    wire_head_t head;
    reading_t reading;
    wire_end_e end;
    int judged;

    choose_question(&question, urls, chance);
    memset(&reading, 0, sizeof(reading));
    end = wire_send(wire, question.text, question.len);
    if (end == WIRE_OK) {
        end = wire_read_head(wire, &head);
    }
    if (end != WIRE_OK) {
        count_end(counts, end);
        wire_close(wire);
        return;
    }
    judged = judge_head(&question, &head, &reading, counts);
    if (question.kind != KIND_HEAD) {
        uint64_t start = reading.offset;

        end = wire_read_body(wire, &head, check_bytes, &reading);
        counts->bytes += reading.offset - start;
    }
    if (end == WIRE_OK && judged && question.kind != KIND_HEAD) {
        judge_body(&question, &head, &reading, counts);
    }
    else if (judged && reading.foreign) {
        /* broken off, but wrong before that already */
        counts->wrong++;
        complain("wrong, and broken off", &question, &head, &reading, counts);
    }
    count_end(counts, end);
    if (end == WIRE_OK) {
        counts->requests++;
        count_cache(counts, &head);
    }
    if (end != WIRE_OK || head.close) {
        wire_close(wire);
    }
}

void counts_add(counts_t *sum, const counts_t *counts)
{
    sum->requests += counts->requests;
    sum->hits += counts->hits;
    sum->misses += counts->misses;
    sum->revalidated += counts->revalidated;
    sum->bytes += counts->bytes;
    sum->wrong += counts->wrong;
    sum->mixed += counts->mixed;
    sum->too_short += counts->too_short;
    sum->too_long += counts->too_long;
    sum->failed += counts->failed;
    sum->malformed += counts->malformed;
    sum->timeouts += counts->timeouts;
    sum->broken += counts->broken;
    sum->lost += counts->lost;
    sum->refused += counts->refused;
}
