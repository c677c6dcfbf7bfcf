/* SPDX-License-Identifier: Apache-2.0
 *
 * origin.c - the origin server of the tests and of the demo: HTTP/1.1 on loopback, a thread per
 * connection. What a URL answers is written in its query (response.h), so that a test can be read
 * without looking anywhere else.
 *
 *   origin [-p PORT] [-f FILE] [-c CONNECTIONS] [-s]
 *
 *   -p  port; 0, the default, takes a free one
 *   -f  write the port to this file (complete when it appears); else it is printed
 *   -c  most connections at a time; further ones wait; 2000
 *   -s  end when standard input does: with whoever started it. SIGTERM ends it in any case.
 *
 * Its controls, which are not counted:
 *
 *   GET  /count[?path=P]         requests so far, of all paths or of one
 *   GET  /not-modified[?path=P]  how many of them were answered 304
 *   GET  /sent?path=P            bytes of bodies sent for a path
 *   GET  /last?path=P            head of the path's last request
 *   PUT  /control/P?QUERY        from now on QUERY overrides what URLs of path /P say;
 *                                an empty one ends that
 *   POST /open?gate=NAME         let pass who waits at a gate
 *   GET  /arrived?gate=NAME      how many have arrived at a gate
 *   POST /reset                  forget everything
 */
#include "request.h"
#include "response.h"
#include "table.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTROL     "/control/"
#define CONTROL_LEN (sizeof(CONTROL) - 1)

typedef struct origin_t {
    table_t *table;
    int listener;
    int port;
    const char *port_file;
    int connections;
    int watch_input;
    sem_t room;
} origin_t;

/* What a connection's thread owns. */
typedef struct client_t {
    origin_t *origin;
    connection_t connection;
    request_t request;
} client_t;

static int send_number(connection_t *connection, unsigned long number)
{
    char text[32];

    snprintf(text, sizeof(text), "%lu\n", number);
    return response_send_text(connection, 200, text);
}

static int control_override(client_t *client)
{
    request_t *request = &client->request;

    table_set_override(client->origin->table, request->path + CONTROL_LEN - 1,
                       request->query[0] ? request->query : NULL);
    return response_send_text(&client->connection, 200, "");
}

/* @return 1: not a control */
static int control(client_t *client)
{
    table_t *table = client->origin->table;
    connection_t *connection = &client->connection;
    request_t *request = &client->request;
    fields_t fields;
    const char *path;
    const char *gate;
    char text[TABLE_TEXT_MAX];

    if (strncmp(request->path, CONTROL, CONTROL_LEN) == 0) {
        return control_override(client);
    }
    snprintf(text, sizeof(text), "%s", request->query);
    request_parse_query(text, &fields);
    path = fields_get(&fields, "path");
    gate = fields_get(&fields, "gate");
    if (strcmp(request->path, "/count") == 0) {
        return send_number(connection, table_requests(table, path));
    }
    if (strcmp(request->path, "/not-modified") == 0) {
        return send_number(connection, table_not_modified(table, path));
    }
    if (strcmp(request->path, "/arrived") == 0 && gate) {
        return send_number(connection, table_arrived(table, gate));
    }
    if (strcmp(request->path, "/open") == 0 && gate) {
        table_open_gate(table, gate);
        return response_send_text(connection, 200, "");
    }
    if (strcmp(request->path, "/sent") == 0 && path) {
        return send_number(connection, table_sent(table, path));
    }
    if (strcmp(request->path, "/last") == 0 && path) {
        char last[TABLE_TEXT_MAX];

        table_last(table, path, last);
        return response_send_text(connection, 200, last);
    }
    if (strcmp(request->path, "/reset") == 0) {
        table_reset(table);
        return response_send_text(connection, 200, "");
    }
    return 1;
}

static void *serve(void *data)
{
    client_t *client = data;
    int rv = 0;

    while (rv == 0) {
        rv = request_read(&client->connection, &client->request);
        if (rv != 0) {
            break;
        }
        rv = control(client);
        if (rv == 1) {
            rv = response_send(client->origin->table, &client->connection, &client->request);
        }
    }
    shutdown(client->connection.socket, SHUT_RDWR);
    close(client->connection.socket);
    sem_post(&client->origin->room);
    free(client);
    return NULL;
}

static int start_client(origin_t *origin, int socket)
{
    client_t *client = calloc(1, sizeof(*client));
    pthread_attr_t attributes;
    pthread_t thread;
    int on = 1;
    int rv;

    if (client == NULL) {
        return -1;
    }
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    client->origin = origin;
    client->connection.socket = socket;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 512 * 1024);
    rv = pthread_create(&thread, &attributes, serve, client);
    pthread_attr_destroy(&attributes);
    if (rv != 0) {
        free(client);
        return -1;
    }
    return 0;
}

static void *accept_clients(void *data)
{
    origin_t *origin = data;

    for (;;) {
        int socket;

        sem_wait(&origin->room);
        socket = accept(origin->listener, NULL, NULL);
        if (socket < 0) {
            sem_post(&origin->room);
            continue;
        }
        if (start_client(origin, socket) != 0) {
            close(socket);
            sem_post(&origin->room);
        }
    }
    return NULL;
}

static void *watch_input(void *data)
{
    char bytes[64];
    ssize_t got;

    (void)data;
    do {
        got = read(STDIN_FILENO, bytes, sizeof(bytes));
    } while (got > 0);
    kill(getpid(), SIGTERM);
    return NULL;
}

static int listen_on(origin_t *origin)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int on = 1;

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)origin->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    origin->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (origin->listener < 0) {
        return -1;
    }
    setsockopt(origin->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(origin->listener, (struct sockaddr *)&address, sizeof(address)) != 0
        || listen(origin->listener, 1024) != 0
        || getsockname(origin->listener, (struct sockaddr *)&address, &size) != 0) {
        return -1;
    }
    origin->port = ntohs(address.sin_port);
    return 0;
}

/* The file appears complete, so that its presence is enough to wait for. */
static int tell_port(const origin_t *origin)
{
    char scratch[4096];
    FILE *file;

    if (origin->port_file == NULL) {
        printf("%d\n", origin->port);
        return fflush(stdout);
    }
    snprintf(scratch, sizeof(scratch), "%s.new", origin->port_file);
    file = fopen(scratch, "w");
    if (file == NULL) {
        return -1;
    }
    fprintf(file, "%d\n", origin->port);
    if (fclose(file) != 0) {
        return -1;
    }
    return rename(scratch, origin->port_file);
}

static int parse_options(origin_t *origin, int argc, char **argv)
{
    int option;

    for (option = getopt(argc, argv, "p:f:c:s"); option != -1;
         option = getopt(argc, argv, "p:f:c:s")) {
        switch (option) {
        case 'p':
            origin->port = atoi(optarg);
            break;
        case 'f':
            origin->port_file = optarg;
            break;
        case 'c':
            origin->connections = atoi(optarg);
            break;
        case 's':
            origin->watch_input = 1;
            break;
        default:
            return -1;
        }
    }
    return optind == argc && origin->connections > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    static origin_t origin = { .connections = 2000 };
    pthread_t thread;
    sigset_t signals;
    int received;

    if (parse_options(&origin, argc, argv) != 0) {
        fprintf(stderr, "usage: origin [-p PORT] [-f FILE] [-c CONNECTIONS] [-s]\n");
        return 2;
    }
    /* blocked before any thread exists, so that only sigwait below sees them */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    origin.table = table_create();
    if (origin.table == NULL || sem_init(&origin.room, 0, (unsigned)origin.connections) != 0
        || listen_on(&origin) != 0 || tell_port(&origin) != 0) {
        perror("origin");
        return 1;
    }
    if (pthread_create(&thread, NULL, accept_clients, &origin) != 0
        || (origin.watch_input && pthread_create(&thread, NULL, watch_input, NULL) != 0)) {
        perror("origin");
        return 1;
    }
    sigwait(&signals, &received);
    /* without destructors: threads still use what they would free */
    _exit(0);
}
