/* SPDX-License-Identifier: Apache-2.0
 *
 * cluster.c - see cluster.h. Called by router.c and redis.c, in any thread. Nodes are only ever
 * added, so that whoever holds a pointer to one may keep it; `lock` is for adding and for asking.
 */
#include "cluster.h"

#include "exchange.h"
#include "host.h"

#include <stdlib.h>
#include <string.h>

struct cluster_t {
    /* immutable after creation */
    node_t             *seeds;
    int                 seed_count;
    const options_t    *options;
    const storer_env_t *env;
    const tls_t        *tls;
    names_t             names;

    /* atomic */
    atomic_ushort       slots[NAMES_SLOTS];         /* 1 + number of the node; 0: not known */
    node_t *_Atomic     nodes[CLUSTER_NODES_MAX];   /* found; malloc'ed */
    atomic_int          node_count;
    atomic_int          known;                      /* there is a map */
    _Atomic apr_int64_t asked;                      /* when it was asked for last */

    pthread_mutex_t     lock;
};

cluster_t *cluster_create(node_t *seeds, int seed_count, const options_t *options,
                          const storer_env_t *env, const tls_t *tls)
{
    cluster_t *cluster = apr_pcalloc(env->pool, sizeof(*cluster));

    cluster->seeds = seeds;
    cluster->seed_count = seed_count;
    cluster->options = options;
    cluster->env = env;
    cluster->tls = tls;
    cluster->names.prefix = options->prefix;
    cluster->names.prefix_len = strlen(options->prefix);
    pthread_mutex_init(&cluster->lock, NULL);
    return cluster;
}

void cluster_child_init(cluster_t *cluster)
{
    int i;

    pthread_mutex_init(&cluster->lock, NULL);
    for (i = 0; i < atomic_load(&cluster->node_count); i++) {
        node_child_init(atomic_load(&cluster->nodes[i]));
    }
}

void cluster_close(cluster_t *cluster)
{
    int i, count = atomic_exchange(&cluster->node_count, 0);

    atomic_store(&cluster->known, 0);
    for (i = 0; i < NAMES_SLOTS; i++) {
        atomic_store(&cluster->slots[i], 0);
    }
    for (i = 0; i < count; i++) {
        node_t *node = atomic_exchange(&cluster->nodes[i], NULL);

        node_close(node);
        free(node);
    }
}

/* ---- nodes ---- */

/* The number of the node at this address, known before or new; -1: there is no room. */
static int enter_locked(cluster_t *cluster, const char *name, int port)
{
    int i, count = atomic_load(&cluster->node_count);
    node_t *node;

    for (i = 0; i < count; i++) {
        node = atomic_load(&cluster->nodes[i]);
        if (node->port == port && strcmp(node->name, name) == 0) {
            return i;
        }
    }
    node = count < CLUSTER_NODES_MAX ? malloc(sizeof(*node)) : NULL;
    if (!node) {
        return -1;
    }
    node_init(node, name, port, cluster->options, cluster->env, cluster->tls);
    if (address_find(&node->address, name, port, 1) != APR_SUCCESS) {
        (void)address_find(&node->address, name, port, 0);
    }
    atomic_store(&cluster->nodes[count], node);
    atomic_store(&cluster->node_count, count + 1);
    return count;
}

static int is_host(storer_bytes_t host)
{
    apr_size_t i;

    for (i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.data[i];

        if (c <= ' ' || c >= 0x7f) {
            return 0;
        }
    }
    return host.len < sizeof(((node_t *)0)->name);
}

/* As a node names another, or (an empty name) itself. */
static int enter_named(cluster_t *cluster, storer_bytes_t host, apr_int64_t port,
                       const node_t *from)
{
    char name[sizeof(from->name)];
    int number;

    if (port < 1 || port > 65535 || !is_host(host)) {
        return -1;
    }
    if (host.len == 0) {
        memcpy(name, from->name, sizeof(name));
    }
    else {
        memcpy(name, host.data, host.len);
        name[host.len] = '\0';
    }
    pthread_mutex_lock(&cluster->lock);
    number = enter_locked(cluster, name, (int)port);
    pthread_mutex_unlock(&cluster->lock);
    return number;
}

/* ---- the map ---- */

/* [host, port, ...] of a master: the number of its node; -1: that makes no sense. */
static int read_master(cluster_t *cluster, const reply_t *master, const node_t *from)
{
    static const storer_bytes_t itself = { "", 0 };
    storer_bytes_t host;

    if (master->type != REPLY_ARRAY || master->count < 2
        || master->elements[1]->type != REPLY_INTEGER) {
        return -1;
    }
    host = reply_string(master->elements[0]);
    return enter_named(cluster, host.data ? host : itself, master->elements[1]->integer, from);
}

/* first slot, last slot, the master, replicas.
 * @return how many slots it covers; 0: it makes no sense, or covers more than `most` */
static int read_range(cluster_t *cluster, const reply_t *range, const node_t *from, int most)
{
    apr_int64_t first, last, slot;
    int number;

    if (range->type != REPLY_ARRAY || range->count < 3
        || range->elements[0]->type != REPLY_INTEGER || range->elements[1]->type != REPLY_INTEGER) {
        return 0;
    }
    first = range->elements[0]->integer;
    last = range->elements[1]->integer;
    if (first < 0 || last < first || last >= NAMES_SLOTS || last - first >= most) {
        return 0;
    }
    number = read_master(cluster, range->elements[2], from);
    if (number < 0) {
        return 0;
    }
    for (slot = first; slot <= last; slot++) {
        atomic_store_explicit(&cluster->slots[slot], (unsigned short)(number + 1),
                              memory_order_relaxed);
    }
    return (int)(last - first) + 1;
}

/* Each slot comes once in a map: so no map is longer than the number of slots, whatever it says. */
static int read_map(cluster_t *cluster, const reply_t *map, const node_t *from)
{
    int covered = 0;
    apr_size_t i;

    for (i = 0; map->type == REPLY_ARRAY && i < map->count && covered < NAMES_SLOTS; i++) {
        covered += read_range(cluster, map->elements[i], from, NAMES_SLOTS - covered);
    }
    return covered > 0;
}

static int ask_node(cluster_t *cluster, node_t *node, clock_point_t deadline)
{
    reply_t *reply = NULL;
    batch_t batch;
    apr_status_t rv;
    int is_map;

    batch_begin(&batch, &cluster->names);
    batch_command(&batch, REPLY_IS_ARRAY, 2, "CLUSTER");
    batch_text(&batch, "SLOTS");
    rv = exchange_run(node, &batch, EXCHANGE_READ, deadline, &reply);
    batch_end(&batch);
    if (rv != APR_SUCCESS) {
        return 0;
    }
    is_map = read_map(cluster, reply, node);
    reply_free(reply);
    return is_map;
}

/* Any node will do; those that are known to answer first. */
static void ask(cluster_t *cluster, clock_point_t deadline)
{
    int i, answered = 0;

    atomic_store(&cluster->asked, clock_now());
    for (i = 0; i < atomic_load(&cluster->node_count) && !answered; i++) {
        node_t *node = atomic_load(&cluster->nodes[i]);

        answered = breaker_is_closed(&node->reach) && ask_node(cluster, node, deadline);
    }
    for (i = 0; i < cluster->seed_count && !answered; i++) {
        answered = ask_node(cluster, &cluster->seeds[i], deadline);
    }
    if (answered) {
        atomic_store(&cluster->known, 1);
    }
}

/* At most once in an interval; without any map each time, as the seeds' breakers are asked then. If the
 * node that failed has cost all the time there was, the next failure asks. */
void cluster_doubt(cluster_t *cluster, clock_point_t deadline)
{
    apr_int64_t last = atomic_load(&cluster->asked), now = clock_now();

    if (now >= deadline || (last != 0 && now - last < cluster->options->interval)) {
        return;
    }
    if (atomic_compare_exchange_strong(&cluster->asked, &last, now)) {
        ask(cluster, deadline);
    }
}

node_t *cluster_node(cluster_t *cluster, int slot, clock_point_t deadline)
{
    int number;

    redis_assert(slot < NAMES_SLOTS);
    if (!atomic_load_explicit(&cluster->known, memory_order_acquire)) {
        ask(cluster, deadline);
    }
    if (slot < 0) {
        return cluster_nth_master(cluster, 0, deadline);
    }
    number = atomic_load_explicit(&cluster->slots[slot], memory_order_relaxed);
    return number > 0 ? atomic_load(&cluster->nodes[number - 1]) : NULL;
}

/* "MOVED 3999 127.0.0.1:6381"; an IPv6 address has colons of its own. */
node_t *cluster_redirect(cluster_t *cluster, const reply_t *error, const node_t *from)
{
    const char *text = strchr(error->text.data, ' '), *host, *colon;
    storer_bytes_t name;
    char *end = NULL;
    long slot, port;
    int number;

    if (!text) {
        return NULL;
    }
    slot = strtol(text + 1, &end, 10);
    if (end == text + 1 || *end != ' ' || slot < 0 || slot >= NAMES_SLOTS) {
        return NULL;
    }
    host = end + 1;
    colon = strrchr(host, ':');
    if (!colon) {
        return NULL;
    }
    port = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end) {
        return NULL;
    }
    name.data = host;
    name.len = (apr_size_t)(colon - host);
    number = enter_named(cluster, name, port, from);
    if (number < 0) {
        return NULL;
    }
    if (reply_is_error(error, "MOVED")) {
        atomic_store(&cluster->slots[slot], (unsigned short)(number + 1));
    }
    return atomic_load(&cluster->nodes[number]);
}

static int serves(const cluster_t *cluster, int number)
{
    int slot;

    for (slot = 0; slot < NAMES_SLOTS; slot++) {
        if (atomic_load_explicit(&cluster->slots[slot], memory_order_relaxed) == number + 1) {
            return 1;
        }
    }
    return 0;
}

node_t *cluster_nth_master(cluster_t *cluster, int nth, clock_point_t deadline)
{
    int i;

    if (!atomic_load(&cluster->known)) {
        ask(cluster, deadline);
    }
    for (i = 0; i < atomic_load(&cluster->node_count); i++) {
        if (serves(cluster, i) && nth-- == 0) {
            return atomic_load(&cluster->nodes[i]);
        }
    }
    return NULL;
}
