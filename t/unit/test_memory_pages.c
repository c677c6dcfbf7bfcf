/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_pages.c - large values as parts of a file: they are sent from there without a copy, and
 * no byte that is stored later ever reaches a client that reads slowly.
 */
#include "memory_fixture.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_portable.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGE 700000u

static char buffer[1 << 20];

static apr_status_t put(memory_t *memory, uint32_t key, uint32_t version, apr_size_t length)
{
    storer_bytes_t value = { buffer, length };
    char name[32];

    fixture_fill(buffer, length, key, version);
    return storer_set(&memory->base, fixture_key(name, key), value, fixture_expiry(), FIXTURE_NOW);
}

/* Piece by piece, and nobody knows how long it is going to be. */
static apr_status_t stream(memory_t *memory, uint32_t key, apr_size_t length, apr_pool_t *pool)
{
    storer_writer_t writer = STORER_WRITER_CLOSED;
    apr_size_t at = 0, piece = 8000;
    apr_status_t rv;
    char name[32];

    fixture_fill(buffer, length, key, 1);
    rv = storer_open_writer(&memory->base, fixture_key(name, key), fixture_expiry(), -1, FIXTURE_NOW,
                            &writer, pool);
    for (at = 0; rv == APR_SUCCESS && at < length; at += piece) {
        storer_bytes_t part = { buffer + at, length - at < piece ? length - at : piece };

        rv = storer_writer_append(&writer, part);
    }
    return rv == APR_SUCCESS ? storer_writer_commit(&writer) : rv;
}

static apr_status_t get(memory_t *memory, uint32_t key, storer_view_t *view, apr_pool_t *pool)
{
    char name[32];

    return storer_get(&memory->base, fixture_key(name, key), FIXTURE_NOW, view, pool);
}

static int descriptor_of(apr_file_t *file)
{
    apr_os_file_t descriptor = -1;

    apr_os_file_get(&descriptor, file);
    return descriptor;
}

/* Are the bytes of each part with an offset the same in the file?
 * @param outside bytes of the parts that have none */
static int same_in_file(storer_view_t *view, int file, apr_size_t *outside)
{
    apr_status_t rv = APR_SUCCESS;
    int same = 1;

    for (*outside = 0; rv == APR_SUCCESS; rv = storer_view_next(view)) {
        char *copy = malloc(view->part.len + 1);

        if (view->offset < 0) {
            *outside += view->part.len;
        }
        else {
            same = same && view->offset % MEMORY_PAGE == 0
                   && pread(file, copy, view->part.len, view->offset) == (ssize_t)view->part.len
                   && memcmp(copy, view->part.data, view->part.len) == 0;
        }
        free(copy);
    }
    return same && rv == APR_EOF;
}

static void test_parts(memory_t *memory, uint32_t key, const char *what, apr_pool_t *pool)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_file_t *first = NULL, *second = NULL;
    apr_size_t outside = 0;
    apr_off_t to = 77;

    if (!is_status(get(memory, key, &view, pool), APR_SUCCESS, "%s", what)) {
        return;
    }
    is_int(view.offset, -1, "its first part is in memory alone");
    is_status(storer_view_open_file(&view, 0, &first, pool), APR_SUCCESS, "there is a file of it");
    is_status(storer_view_open_file(&view, 0, &second, pool), APR_SUCCESS, "and one more");
    apr_file_seek(second, APR_SET, &to);
    is_int(lseek(descriptor_of(first), 0, SEEK_CUR), 0, "each has a position of its own");
    ok(same_in_file(&view, descriptor_of(first), &outside), "its parts are in the file");
    ok(outside <= 32768, "all but %lu bytes", (unsigned long)outside);
    storer_view_release(&view);
    apr_file_close(first);
    apr_file_close(second);
}

/* A process that makes the file shorter would end all the others, which have mapped it. */
static void test_length(memory_t *memory, uint32_t key, apr_pool_t *pool)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_file_t *file = NULL;

    get(memory, key, &view, pool);
    is_status(storer_view_open_file(&view, APR_FOPEN_WRITE, &file, pool), APR_SUCCESS,
              "a process opens the file to write");
    if (file) {
        is_status(apr_file_trunc(file, MEMORY_PAGE), EPERM, "but cannot make it shorter");
        is_status(apr_file_trunc(file, (apr_off_t)1 << 40), EPERM, "nor longer");
        apr_file_close(file);
    }
    storer_view_release(&view);
}

static void test_no_parts(memory_t *memory, apr_pool_t *pool)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_file_t *file;

    put(memory, 3, 1, 60000);
    get(memory, 3, &view, pool);
    is_status(storer_view_open_file(&view, 0, &file, pool), APR_ENOTIMPL, "a small value has no file");
    storer_view_release(&view);
    is_status(storer_view_open_file(&view, 0, &file, pool), APR_ENOTIMPL, "nor has an empty view");
}

/* ---- clients ---- */

typedef struct client_t {
    int      server, socket;   /* the two ends */
    uint32_t key;
    char    *expected;         /* the bytes that were sent to it, as they were then */
    size_t   sent;
} client_t;

static int open_client(client_t *client)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    client->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 1) != 0
        || getsockname(listener, (struct sockaddr *)&address, &length) != 0
        || connect(client->socket, (struct sockaddr *)&address, length) != 0) {
        bail_out("no connection: %s", strerror(errno));
    }
    client->server = accept(listener, NULL, NULL);
    close(listener);
    client->expected = malloc(LARGE);
    client->sent = 0;
    return fcntl(client->server, F_SETFL, O_NONBLOCK) == 0;
}

/* As much as the socket takes without a wait. Then the value is released, though the client has read
 * nothing. */
static void send_some(memory_t *memory, client_t *client, uint32_t key, apr_pool_t *pool)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_status_t rv = get(memory, key, &view, pool);
    apr_file_t *file = NULL;

    if (rv != APR_SUCCESS || storer_view_open_file(&view, 0, &file, pool) != APR_SUCCESS) {
        storer_view_release(&view);
        return;
    }
    for (; rv == APR_SUCCESS; rv = storer_view_next(&view)) {
        off_t offset = (off_t)view.offset;
        ssize_t sent;

        if (offset < 0 || client->sent + view.part.len > LARGE) {
            continue;
        }
        memcpy(client->expected + client->sent, view.part.data, view.part.len);
        sent = sendfile(client->server, descriptor_of(file), &offset, view.part.len);
        client->sent += sent > 0 ? (size_t)sent : 0;
        if (sent < (ssize_t)view.part.len) {
            break;
        }
    }
    storer_view_release(&view);
    apr_file_close(file);
}

/* It reads at last. How many bytes are not those it was sent? */
static size_t read_all(client_t *client)
{
    size_t got = 0, wrong = 0;
    char *bytes = malloc(LARGE);

    shutdown(client->server, SHUT_WR);
    while (got < client->sent) {
        ssize_t count = read(client->socket, bytes + got, client->sent - got);

        if (count <= 0) {
            wrong += client->sent - got;
            break;
        }
        got += (size_t)count;
    }
    while (got > 0) {
        got--;
        wrong += bytes[got] != client->expected[got];
    }
    close(client->server);
    close(client->socket);
    free(client->expected);
    free(bytes);
    return wrong;
}

/* A store that is always full: whatever a client has been sent is soon overwritten by others. */
static void test_slow_clients(apr_pool_t *parent)
{
    enum { CLIENTS = 16, KEYS = 40 };
    memory_t *memory = fixture_open(parent, "8M");
    client_t clients[CLIENTS];
    uint64_t random = 11, queued = 0;
    int rounds = tap_slow() ? 200 : 20000, i;
    size_t wrong = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    for (i = 0; i < CLIENTS; i++) {
        open_client(&clients[i]);
    }
    for (i = 0; i < rounds; i++) {
        client_t *client = &clients[fixture_random(&random) % CLIENTS];
        uint32_t key = (uint32_t)(fixture_random(&random) % KEYS);
        apr_size_t length = 20000 + fixture_random(&random) % 400000;

        if (client->sent) {
            queued += client->sent;
            wrong += read_all(client);
            open_client(client);
        }
        if (fixture_random(&random) % 8) {
            put(memory, key, (uint32_t)i, length);
        }
        else {
            stream(memory, key, length, pool);
        }
        send_some(memory, client, key, pool);
        if (i % 50 == 0) {
            apr_pool_clear(pool);
        }
    }
    for (i = 0; i < CLIENTS; i++) {
        wrong += read_all(&clients[i]);
    }
    ok(queued > 0, "%lu bytes were sent to slow clients, beside %d stores", (unsigned long)queued,
       rounds);
    is_int((long long)wrong, 0, "no byte was wrong");
    is_string(fixture_check(memory), NULL, "the segment is consistent");
    apr_pool_destroy(pool);
}

/* What was sent is counted as used until its pages are renewed; asking how much is used does that. */
static void test_comes_free(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "8M");
    apr_uint64_t empty = fixture_used(memory);
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_file_t *file = NULL;
    int i, failed = 0;
    char name[32];

    for (i = 0; i < 200; i++) {
        failed += put(memory, 1, (uint32_t)i, LARGE) != APR_SUCCESS;
        failed += get(memory, 1, &view, pool) != APR_SUCCESS;
        failed += storer_view_open_file(&view, 0, &file, pool) != APR_SUCCESS;
        apr_file_close(file);
        storer_view_release(&view);
    }
    is_int(failed, 0, "a value is replaced and sent 200 times");
    get(memory, 1, &view, pool);
    storer_delete(&memory->base, fixture_key(name, 1));
    ok(fixture_used(memory) > empty + LARGE, "while it is read it is there");
    ok(fixture_whole(&view, 1), "whole");
    storer_view_release(&view);
    is_int((long long)fixture_used(memory), (long long)empty, "then all is free again");
    is_string(fixture_check(memory), NULL, "the segment is consistent");
}

int main(void)
{
    apr_pool_t *pool;
    memory_t *memory;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    memory = fixture_open(pool, "8M");
    if (memory->segment.file < 0) {
        ok(1, "memory is no file on this system");
        return done_testing();
    }
    put(memory, 1, 1, LARGE);
    test_parts(memory, 1, "a value of known length", pool);
    test_length(memory, 1, pool);
    is_status(stream(memory, 2, LARGE, pool), APR_SUCCESS, "a value is streamed");
    test_parts(memory, 2, "a value of unknown length", pool);
    test_no_parts(memory, pool);
    is_string(fixture_check(memory), NULL, "the segment is consistent");
    test_comes_free(pool);
    test_slow_clients(pool);
    is_int(fixture_warnings(), 0, "nothing was logged");
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
