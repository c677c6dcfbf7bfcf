/* SPDX-License-Identifier: Apache-2.0
 *
 * proxy.c - see proxy.h. One thread with poll(); the mode is read each time bytes come.
 */
#include "proxy.h"

#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS_MAX 128
#define CHUNK     (64 * 1024)

typedef struct pair_t {
    int    client, server;   /* -1: free */
    size_t answered;         /* bytes passed to the client */
    int    asked;            /* the client has asked since it was answered last */
} pair_t;

struct proxy_t {
    int       listener, port, server_port;
    pthread_t thread;
    pair_t    pairs[PAIRS_MAX];
    char      chunk[CHUNK];
    unsigned  random;

    atomic_int  mode, stop, hang_up;
    atomic_uint amount, connections, rounds;
    const char *_Atomic text;
    proxy_lie_fn *lie;            /* set before the mode */
    void         *lie_baton;
};

static void close_pair(pair_t *pair)
{
    (void)close(pair->client);
    (void)close(pair->server);
    pair->client = pair->server = -1;
}

static int send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

        if (sent <= 0) {
            return 0;
        }
        bytes += sent;
        len -= (size_t)sent;
    }
    return 1;
}

static unsigned next_random(proxy_t *proxy)
{
    proxy->random = proxy->random * 1664525u + 1013904223u;
    return proxy->random >> 8;
}

static void corrupt(proxy_t *proxy, size_t len)
{
    unsigned amount = atomic_load(&proxy->amount);
    size_t i;

    for (i = 0; i < len; i++) {
        if (next_random(proxy) % amount == 0) {
            proxy->chunk[i] = (char)(proxy->chunk[i] ^ (1 + next_random(proxy) % 255));
        }
    }
}

/* Whole commands only, as the engine sends them in one go. */
static int count_commands(const char *bytes, size_t len)
{
    size_t i;
    int count = 0;

    for (i = 0; i + 2 < len; i++) {
        count += bytes[i] == '*' && bytes[i + 1] >= '1' && bytes[i + 1] <= '9'
                 && (i == 0 || bytes[i - 1] == '\n');
    }
    return count;
}

static int say(const proxy_t *proxy, const pair_t *pair, size_t len)
{
    const char *text = atomic_load(&proxy->text);
    int count = count_commands(proxy->chunk, len);

    while (count-- > 0) {
        if (!send_all(pair->client, text, strlen(text))) {
            return 0;
        }
    }
    return 1;
}

/* A word of a command. @return behind it */
static const char *take_word(const char *at, const char *end, storer_bytes_t *word)
{
    const char *line = memchr(at, '\n', (size_t)(end - at));
    size_t len = line ? strtoul(at + 1, NULL, 10) : 0;

    if (!line || *at != '$' || len + 2 > (size_t)(end - line - 1)) {
        bail_out("the proxy does not understand a command");
    }
    word->data = line + 1;
    word->len = len;
    return line + 1 + len + 2;
}

/* A whole command. @return behind it */
static const char *take_command(const char *at, const char *end, char *verb, size_t size)
{
    const char *line = memchr(at, '\n', (size_t)(end - at));
    long words = line && *at == '*' ? strtol(at + 1, NULL, 10) : 0, i;
    storer_bytes_t word;

    at = words > 0 ? line + 1 : end;
    for (i = 0; i < words; i++) {
        at = take_word(at, end, &word);
        if (i == 0) {
            snprintf(verb, size, "%.*s", (int)word.len, word.data);
        }
    }
    return at;
}

/* @return 0: close the pair; -1: there is no lie, so that the truth is asked for */
static int lie(const proxy_t *proxy, const pair_t *pair, size_t len)
{
    const char *at = proxy->chunk, *end = at + len;
    int count = 0, sent = 1;

    while (at < end && sent) {
        storer_bytes_t text, nil = { "$-1\r\n", 5 };
        char verb[64] = "";

        at = take_command(at, end, verb, sizeof(verb));
        text = proxy->lie(proxy->lie_baton, verb);
        if (!text.data && count == 0) {
            return -1;
        }
        sent = text.data ? send_all(pair->client, text.data, text.len)
                         : send_all(pair->client, nil.data, nil.len);
        free((char *)(uintptr_t)text.data);
        count++;
    }
    return sent;
}

/* @return 0: close the pair */
static int question(proxy_t *proxy, pair_t *pair)
{
    ssize_t got = recv(pair->client, proxy->chunk, CHUNK, 0);
    int mode = atomic_load(&proxy->mode);

    if (got <= 0 || mode == PROXY_REFUSE) {
        return 0;
    }
    if (!pair->asked) {
        pair->asked = 1;
        atomic_fetch_add(&proxy->rounds, 1);
    }
    if (mode == PROXY_SAY) {
        return say(proxy, pair, (size_t)got);
    }
    if (mode == PROXY_LIE) {
        int told = lie(proxy, pair, (size_t)got);

        if (told >= 0) {
            pair->asked = 0;
            return told;
        }
    }
    if (mode == PROXY_CORRUPT_BOTH) {
        corrupt(proxy, (size_t)got);
    }
    return send_all(pair->server, proxy->chunk, (size_t)got);
}

static int flood(const proxy_t *proxy, const pair_t *pair)
{
    static const char line[] = "$1000000000\r\n";
    char rubbish[4096];

    memset(rubbish, 'x', sizeof(rubbish));
    if (!send_all(pair->client, line, sizeof(line) - 1)) {
        return 0;
    }
    while (!atomic_load(&proxy->stop) && send_all(pair->client, rubbish, sizeof(rubbish))) {
    }
    return 0;
}

static int cut(proxy_t *proxy, pair_t *pair, size_t len)
{
    size_t amount = atomic_load(&proxy->amount);

    if (pair->answered + len <= amount) {
        pair->answered += len;
        return send_all(pair->client, proxy->chunk, len);
    }
    if (amount > pair->answered) {
        (void)send_all(pair->client, proxy->chunk, amount - pair->answered);
    }
    return 0;
}

static int answer(proxy_t *proxy, pair_t *pair)
{
    static const char extra[] = "$5\r\nextra\r\n";
    ssize_t got = recv(pair->server, proxy->chunk, CHUNK, 0);
    size_t len = got > 0 ? (size_t)got : 0;

    if (got <= 0) {
        return 0;
    }
    pair->asked = 0;
    switch (atomic_load(&proxy->mode)) {
        case PROXY_CUT:
            return cut(proxy, pair, len);
        case PROXY_DELAY:
            (void)poll(NULL, 0, (int)atomic_load(&proxy->amount));
            break;
        case PROXY_SWALLOW:
            return 1;
        case PROXY_CORRUPT:
        case PROXY_CORRUPT_BOTH:
            corrupt(proxy, len);
            break;
        case PROXY_EXTRA:
            return send_all(pair->client, proxy->chunk, len)
                   && send_all(pair->client, extra, sizeof(extra) - 1);
        case PROXY_FLOOD:
            return flood(proxy, pair);
        default:
            break;
    }
    return send_all(pair->client, proxy->chunk, len);
}

static int connect_to_server(const proxy_t *proxy)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) },
                              .sin_port = htons((unsigned short)proxy->server_port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        (void)close(fd);
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void accept_one(proxy_t *proxy)
{
    int client = accept(proxy->listener, NULL, NULL), server = -1, i, on = 1;

    if (client < 0) {
        return;
    }
    server = connect_to_server(proxy);
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    for (i = 0; server >= 0 && i < PAIRS_MAX; i++) {
        if (proxy->pairs[i].client < 0) {
            proxy->pairs[i].client = client;
            proxy->pairs[i].server = server;
            proxy->pairs[i].answered = 0;
            proxy->pairs[i].asked = 0;
            atomic_fetch_add(&proxy->connections, 1);
            return;
        }
    }
    (void)close(client);
    if (server >= 0) {
        (void)close(server);
    }
}

static void work(proxy_t *proxy)
{
    struct pollfd waiting[1 + 2 * PAIRS_MAX];
    int i;

    waiting[0] = (struct pollfd){ proxy->listener, POLLIN, 0 };
    for (i = 0; i < PAIRS_MAX; i++) { /* those that are free are -1, which poll() passes over */
        waiting[1 + 2 * i] = (struct pollfd){ proxy->pairs[i].client, POLLIN, 0 };
        waiting[2 + 2 * i] = (struct pollfd){ proxy->pairs[i].server, POLLIN, 0 };
    }
    if (poll(waiting, 1 + 2 * PAIRS_MAX, 20) > 0) {
        for (i = 0; i < PAIRS_MAX; i++) {
            pair_t *pair = &proxy->pairs[i];

            if ((waiting[1 + 2 * i].revents && !question(proxy, pair))
                || (waiting[2 + 2 * i].revents && !answer(proxy, pair))) {
                close_pair(pair);
            }
        }
        if (waiting[0].revents) {
            accept_one(proxy);
        }
    }
    if (atomic_exchange(&proxy->hang_up, 0)) {
        for (i = 0; i < PAIRS_MAX; i++) {
            if (proxy->pairs[i].client >= 0) {
                close_pair(&proxy->pairs[i]);
            }
        }
    }
}

static void *run(void *data)
{
    proxy_t *proxy = data;

    while (!atomic_load(&proxy->stop)) {
        work(proxy);
    }
    return NULL;
}

static apr_status_t end(void *data)
{
    proxy_t *proxy = data;
    int i;

    atomic_store(&proxy->stop, 1);
    pthread_join(proxy->thread, NULL);
    for (i = 0; i < PAIRS_MAX; i++) {
        if (proxy->pairs[i].client >= 0) {
            close_pair(&proxy->pairs[i]);
        }
    }
    (void)close(proxy->listener);
    return APR_SUCCESS;
}

proxy_t *proxy_start(int server_port, apr_pool_t *pool)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(address);
    proxy_t *proxy = apr_pcalloc(pool, sizeof(*proxy));
    int i;

    for (i = 0; i < PAIRS_MAX; i++) {
        proxy->pairs[i].client = proxy->pairs[i].server = -1;
    }
    proxy->server_port = server_port;
    proxy->random = 1;
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (proxy->listener < 0
        || bind(proxy->listener, (struct sockaddr *)&address, sizeof(address)) != 0
        || listen(proxy->listener, 64) != 0
        || getsockname(proxy->listener, (struct sockaddr *)&address, &len) != 0
        || pthread_create(&proxy->thread, NULL, run, proxy) != 0) {
        bail_out("no proxy: %s", strerror(errno));
    }
    proxy->port = ntohs(address.sin_port);
    apr_pool_cleanup_register(pool, proxy, end, apr_pool_cleanup_null);
    return proxy;
}

int proxy_port(const proxy_t *proxy)
{
    return proxy->port;
}

void proxy_set(proxy_t *proxy, proxy_mode_e mode, unsigned amount)
{
    atomic_store(&proxy->amount, amount);
    atomic_store(&proxy->mode, mode);
}

void proxy_say(proxy_t *proxy, const char *text)
{
    atomic_store(&proxy->text, text);
    proxy_set(proxy, PROXY_SAY, 0);
}

void proxy_lie(proxy_t *proxy, proxy_lie_fn *fn, void *baton)
{
    proxy->lie = fn;
    proxy->lie_baton = baton;
    proxy_set(proxy, PROXY_LIE, 0);
}

/* And wait until it is done. */
void proxy_hang_up(proxy_t *proxy)
{
    atomic_store(&proxy->hang_up, 1);
    while (atomic_load(&proxy->hang_up)) {
        (void)poll(NULL, 0, 1);
    }
}

unsigned proxy_rounds(const proxy_t *proxy)
{
    return atomic_load(&proxy->rounds);
}

unsigned proxy_connections(const proxy_t *proxy)
{
    return atomic_load(&proxy->connections);
}
