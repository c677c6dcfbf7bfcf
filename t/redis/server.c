/* SPDX-License-Identifier: Apache-2.0
 *
 * server.c - see server.h. Speaks to the servers without hiredis, so that what is tested does not
 * test itself.
 */
#include "server.h"

#include "tap.h"

#include <apr_strings.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64
#define WORDS_MAX     16
#define PATIENCE_MS   20000

static int is_in_path(const char *program)
{
    const char *path = getenv("PATH"), *end;
    char file[4096];

    for (; path && *path; path = *end ? end + 1 : end) {
        end = path + strcspn(path, ":");
        snprintf(file, sizeof(file), "%.*s/%s", (int)(end - path), path, program);
        if (access(file, X_OK) == 0) {
            return 1;
        }
    }
    return 0;
}

/* One program under several names: which it is, it tells by argv[0]. Where the service is not
 * installed, the tools are enough. NULL: there is none. */
static const char *find_program(void)
{
    static const char *const names[] = { "redis-server", "redis-check-rdb", NULL };
    int i = 0;

    while (names[i] && !is_in_path(names[i])) {
        i++;
    }
    return names[i];
}

int server_is_installed(void)
{
    return find_program() != NULL;
}

apr_pool_t *server_begin_test(void)
{
    apr_pool_t *pool;

    if (!server_is_installed()) {
        skip_all("redis-server is not installed (Debian: redis-tools is enough)");
    }
    apr_initialize();
    apr_pool_create(&pool, NULL);
    return pool;
}

int server_free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(address);
    int fd, port;

    do {
        fd = socket(AF_INET, SOCK_STREAM, 0);
        address.sin_port = 0;
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0
            || getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
            bail_out("no free port: %s", strerror(errno));
        }
        (void)close(fd);
        port = ntohs(address.sin_port);
    } while (port > 55000); /* a cluster's bus is 10000 further on */
    return port;
}

/* ---- speaking ---- */

static int connect_to(const server_t *server)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) },
                                   .sin_port = htons((unsigned short)server->port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static int send_text(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static int send_words(int fd, const storer_bytes_t *words)
{
    char head[32];
    int count = 0, i, sent;

    while (words[count].data) {
        count++;
    }
    snprintf(head, sizeof(head), "*%d\r\n", count);
    sent = send_text(fd, head);
    for (i = 0; i < count && sent; i++) {
        snprintf(head, sizeof(head), "$%lu\r\n", (unsigned long)words[i].len);
        sent = send_text(fd, head)
               && send(fd, words[i].data, words[i].len, MSG_NOSIGNAL) == (ssize_t)words[i].len
               && send_text(fd, "\r\n");
    }
    return sent;
}

static int try_to_ask(const server_t *server, char *answer, apr_size_t size,
                      const storer_bytes_t *words)
{
    int fd = connect_to(server);
    struct pollfd waiting = { fd, POLLIN, 0 };
    ssize_t got = -1;

    if (fd < 0) {
        return 0;
    }
    if (send_words(fd, words) && poll(&waiting, 1, PATIENCE_MS) == 1) {
        got = recv(fd, answer, size - 1, 0);
    }
    (void)close(fd);
    if (got <= 0) {
        return 0;
    }
    answer[got] = '\0';
    return 1;
}

void server_ask_bytes(const server_t *server, char *answer, apr_size_t size,
                      const storer_bytes_t *words)
{
    if (!try_to_ask(server, answer, size, words)) {
        bail_out("the server at port %d does not answer to %.*s", server->port, (int)words[0].len,
                 words[0].data);
    }
}

void server_ask(const server_t *server, char *answer, apr_size_t size, const char *const *words)
{
    storer_bytes_t list[WORDS_MAX] = { { NULL, 0 } };
    int i;

    for (i = 0; i < WORDS_MAX - 1 && words[i]; i++) {
        list[i].data = words[i];
        list[i].len = strlen(words[i]);
    }
    server_ask_bytes(server, answer, size, list);
}

long server_ask_number(const server_t *server, const char *const *words)
{
    char answer[256];

    server_ask(server, answer, sizeof(answer), words);
    return answer[0] == ':' ? strtol(answer + 1, NULL, 10) : -1;
}

/* ---- starting and stopping ---- */

static void run(const server_t *server)
{
    char port[16];
    const char *arguments[ARGUMENTS_MAX] = {
        "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", server->folder,
        "--unixsocket", server->socket, "--save", "", "--appendonly", "no", "--loglevel", "warning",
        "--logfile", "redis.log", "--daemonize", "no", "--databases", "16", "--enable-debug-command",
        "yes",
    };
    int count = 0, i;

    snprintf(port, sizeof(port), "%d", server->port);
    while (arguments[count]) {
        count++;
    }
    for (i = 0; server->arguments && server->arguments[i] && count < ARGUMENTS_MAX - 1; i++) {
        arguments[count++] = server->arguments[i];
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(find_program(), (char *const *)arguments);
    _exit(127);
}

static int is_up(const server_t *server)
{
    static const storer_bytes_t ping[] = { { "PING", 4 }, { NULL, 0 } };
    char answer[64];

    /* NOAUTH is a sign of life as well */
    return try_to_ask(server, answer, sizeof(answer), ping)
           && (answer[0] == '+' || strncmp(answer, "-NOAUTH", 7) == 0);
}

/* @return 0: it has ended again, or does not answer */
static int come_up(server_t *server)
{
    int waited;

    server->pid = fork();
    if (server->pid < 0) {
        bail_out("cannot fork");
    }
    if (server->pid == 0) {
        run(server);
    }
    for (waited = 0; !is_up(server); waited += 10) {
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            return 0;
        }
        if (waited >= PATIENCE_MS) {
            return 0;
        }
        (void)usleep(10000);
    }
    return 1;
}

void server_restart(server_t *server)
{
    if (!come_up(server)) {
        bail_out("redis-server does not come up, see %s/redis.log", server->folder);
    }
}

static void stop(server_t *server)
{
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}

static apr_status_t clean_up(void *data)
{
    server_t *server = data;
    static const char *const files[] = { "redis.log", "redis.sock", "nodes.conf", "dump.rdb" };
    char path[4096];

    stop(server);
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", server->folder, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(server->folder);
    return APR_SUCCESS;
}

server_t *server_start(const char *const *arguments, apr_pool_t *pool)
{
    server_t *server = apr_pcalloc(pool, sizeof(*server));
    const char *place = getenv("TMPDIR");
    int tries;
    char *folder = apr_pstrcat(pool, place ? place : "/tmp", "/storer-redis-XXXXXX", (char *)NULL);

    if (!mkdtemp(folder)) {
        bail_out("no temporary folder: %s", strerror(errno));
    }
    server->folder = folder;
    server->socket = apr_pstrcat(pool, folder, "/redis.sock", (char *)NULL);
    server->arguments = arguments;
    server->pool = pool;
    apr_pool_cleanup_register(pool, server, clean_up, apr_pool_cleanup_null);
    /* somebody else may take the port before it does, or the one of a cluster's bus */
    for (tries = 0; tries < 10; tries++) {
        server->port = server_free_port();
        if (come_up(server)) {
            return server;
        }
        stop(server);
    }
    bail_out("redis-server does not come up, see %s/redis.log", server->folder);
}

void server_pause(server_t *server)
{
    int status;

    (void)kill(server->pid, SIGSTOP);
    (void)waitpid(server->pid, &status, WUNTRACED);
}

void server_continue(server_t *server)
{
    (void)kill(server->pid, SIGCONT);
}

void server_kill(server_t *server)
{
    stop(server);
}

/* ---- a cluster ---- */

static void own_slots(const server_t *server, int first, int last)
{
    char from[16], to[16], answer[256];
    const char *words[] = { "CLUSTER", "ADDSLOTSRANGE", from, to, NULL };

    snprintf(from, sizeof(from), "%d", first);
    snprintf(to, sizeof(to), "%d", last);
    server_ask(server, answer, sizeof(answer), words);
    if (answer[0] != '+') {
        bail_out("CLUSTER ADDSLOTSRANGE: %s", answer);
    }
}

static int is_covered(const server_t *server)
{
    static const char *const words[] = { "CLUSTER", "INFO", NULL };
    char answer[2048];

    server_ask(server, answer, sizeof(answer), words);
    return strstr(answer, "cluster_state:ok") && strstr(answer, "cluster_known_nodes:3");
}

static void meet(const server_t *server, const server_t *other)
{
    char port[16], answer[256];
    const char *words[] = { "CLUSTER", "MEET", "127.0.0.1", port, NULL };

    snprintf(port, sizeof(port), "%d", other->port);
    server_ask(server, answer, sizeof(answer), words);
}

void server_start_cluster(server_t **servers, apr_pool_t *pool)
{
    static const char *const arguments[] = { "--cluster-enabled", "yes", "--cluster-node-timeout",
                                             "5000", NULL };
    int i, waited;

    for (i = 0; i < 3; i++) {
        servers[i] = server_start(arguments, pool);
        own_slots(servers[i], i * 5462, i == 2 ? 16383 : i * 5462 + 5461);
    }
    meet(servers[0], servers[1]);
    meet(servers[0], servers[2]);
    for (i = 0; i < 3; i++) {
        for (waited = 0; !is_covered(servers[i]); waited += 20) {
            if (waited >= PATIENCE_MS) {
                bail_out("the cluster does not form");
            }
            (void)usleep(20000);
        }
    }
}
