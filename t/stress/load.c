/* SPDX-License-Identifier: Apache-2.0
 *
 * load.c - many clients at once, who verify every byte that they are given (exchange.c). Writes its
 * counts as lines of name=value; what they may be is for the test to judge.
 *
 *   load -p PORT [-c CLIENTS] [-u URLS] [-t SECONDS] [-n REQUESTS] [-s SEED]
 *
 *   -c  threads, each with one connection at a time; 50
 *   -u  URLs, most of them with variants; 2000
 *   -t  for so long, unless -n ends it; 30
 *   -n  so many requests per client, in place of a time
 *   -s  of the random numbers; 1
 */
#include "exchange.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECONNECT_ODDS 50 /* so that connections meet all children */
#define PAUSE_MS       20 /* after a connection that was refused */

typedef struct load_t {
    int port;
    unsigned clients;
    unsigned urls;
    unsigned seconds;
    unsigned long most_requests;
    unsigned long seed;
    atomic_int over;
} load_t;

typedef struct client_t {
    load_t *load;
    pthread_t thread;
    chance_t chance;
    counts_t counts;
    wire_t wire;
} client_t;

static void pause_ms(long ms)
{
    struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&wait, NULL);
}

static void *run_client(void *data)
{
    client_t *client = data;
    load_t *load = client->load;
    unsigned long done;

    wire_init(&client->wire, load->port);
    for (done = 0; done < load->most_requests && !atomic_load(&load->over); done++) {
        unsigned long refused = client->counts.refused;

        exchange_run(&client->wire, load->urls, &client->chance, &client->counts);
        if (client->counts.refused > refused) {
            pause_ms(PAUSE_MS);
        }
        if (chance_below(&client->chance, RECONNECT_ODDS) == 0) {
            wire_close(&client->wire);
        }
    }
    wire_close(&client->wire);
    return NULL;
}

static double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_counts(const counts_t *counts, double seconds)
{
    printf("requests=%lu\nseconds=%.1f\nper_second=%.0f\n", counts->requests, seconds,
           (double)counts->requests / seconds);
    printf("hits=%lu\nmisses=%lu\nrevalidated=%lu\nbytes=%lu\n", counts->hits, counts->misses,
           counts->revalidated, counts->bytes);
    printf("wrong=%lu\nmixed=%lu\nshort=%lu\nlong=%lu\nfailed=%lu\nmalformed=%lu\ntimeouts=%lu\n",
           counts->wrong, counts->mixed, counts->too_short, counts->too_long, counts->failed,
           counts->malformed, counts->timeouts);
    printf("broken=%lu\nlost=%lu\nrefused=%lu\n", counts->broken, counts->lost, counts->refused);
}

static int parse_options(load_t *load, int argc, char **argv)
{
    int option;

    for (option = getopt(argc, argv, "p:c:u:t:n:s:"); option != -1;
         option = getopt(argc, argv, "p:c:u:t:n:s:")) {
        unsigned long number = optarg ? strtoul(optarg, NULL, 10) : 0;

        switch (option) {
        case 'p':
            load->port = (int)number;
            break;
        case 'c':
            load->clients = (unsigned)number;
            break;
        case 'u':
            load->urls = (unsigned)number;
            break;
        case 't':
            load->seconds = (unsigned)number;
            break;
        case 'n':
            load->most_requests = number;
            break;
        case 's':
            load->seed = number;
            break;
        default:
            return -1;
        }
    }
    return optind == argc && load->port > 0 && load->clients > 0 && load->urls > 0 ? 0 : -1;
}

static void run_clients(load_t *load, client_t *clients, counts_t *sum)
{
    pthread_attr_t attributes;
    double end = now_seconds() + load->seconds;
    unsigned started = 0;
    unsigned i;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    for (i = 0; i < load->clients; i++) {
        clients[i].load = load;
        clients[i].chance = (load->seed + 1) * 0x9e3779b97f4a7c15u + (i + 1) * 0x2545f4914f6cdd1du;
        if (pthread_create(&clients[i].thread, &attributes, run_client, &clients[i]) != 0) {
            fprintf(stderr, "# only %u clients could be started\n", i);
            break;
        }
        started++;
    }
    pthread_attr_destroy(&attributes);
    while (load->most_requests == (unsigned long)-1 && now_seconds() < end) {
        pause_ms(50);
    }
    if (load->most_requests == (unsigned long)-1) {
        atomic_store(&load->over, 1);
    }
    for (i = 0; i < started; i++) {
        pthread_join(clients[i].thread, NULL);
        counts_add(sum, &clients[i].counts);
    }
}

int main(int argc, char **argv)
{
    load_t load = {
        .clients = 50, .urls = 2000, .seconds = 30, .most_requests = (unsigned long)-1, .seed = 1
    };
    counts_t sum;
    client_t *clients;
    double start;

    if (parse_options(&load, argc, argv) != 0) {
        fprintf(stderr, "usage: load -p PORT [-c CLIENTS] [-u URLS] [-t SECONDS] [-n REQUESTS] "
                        "[-s SEED]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    clients = calloc(load.clients, sizeof(*clients));
    if (clients == NULL) {
        perror("load");
        return 1;
    }
    memset(&sum, 0, sizeof(sum));
    start = now_seconds();
    run_clients(&load, clients, &sum);
    print_counts(&sum, now_seconds() - start);
    free(clients);
    return 0;
}
