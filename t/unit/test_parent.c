/* SPDX-License-Identifier: Apache-2.0
 *
 * test_parent.c - the parent process, which runs as root, at a restart after a child was taken over and
 * has written what it liked to all memory that it shares: the parent reads and writes nothing beyond
 * that memory, takes no lock in it, does not fail, and the next children work.
 *
 * A guard page lies behind and in front of each segment. (With the sanitizers the same holds for the
 * parent's own memory.)
 */
#include "../../mod_cache_storer/stats/stats_places.h"
#include "flights.h"
#include "memory/layout.h"
#include "storer_host.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOW        apr_time_from_sec(1000000)
#define SITE_MAX   20
#define SITES      3
#define SEGMENTS   16

/* ---- shared memory, and locks in it ---- */

typedef struct segment_t {
    char      *base;
    apr_size_t size;
} segment_t;

static segment_t segments[SEGMENTS];
static int segment_count, locks_taken, is_parent = 1;

/* Each lock of the library is tried first. */
int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    static int (*real)(pthread_mutex_t *);
    const char *place = (const char *)mutex;
    int i;

    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_trylock");
    }
    for (i = 0; is_parent && i < segment_count; i++) {
        locks_taken += place >= segments[i].base && place < segments[i].base + segments[i].size;
    }
    return real(mutex);
}

/* Zeroed, and shared by the processes forked from now on. It ends at a page that nobody may touch. */
static char *share(apr_size_t size)
{
    apr_size_t page = (apr_size_t)sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page * page;
    char *base = mmap(NULL, pages + 2 * page, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED || mprotect(base + page, pages, PROT_READ | PROT_WRITE) != 0
        || segment_count == SEGMENTS) {
        bail_out("no memory");
    }
    base += page + pages - size;
    segments[segment_count].base = base;
    segments[segment_count++].size = size;
    return base;
}

/* The host's side, as retain.c has it. */
typedef struct host_t {
    apr_hash_t *shared, *own;
    int         complaints;
} host_t;

static apr_status_t release(void *memory)
{
    free(memory);
    return APR_SUCCESS;
}

/* Zeroed, of this process alone, as long as pool; malloc's, so that a sanitizer sees its end. */
static void *own(apr_size_t size, apr_pool_t *pool)
{
    void *memory = calloc(1, size);

    apr_pool_cleanup_register(pool, memory, release, apr_pool_cleanup_null);
    return memory;
}

static apr_status_t claim(apr_hash_t *kept, const char *uuid, apr_size_t size, int is_shared,
                          void **base, int *fresh)
{
    *base = apr_hash_get(kept, uuid, APR_HASH_KEY_STRING);
    *fresh = !*base;
    if (*fresh) {
        *base = is_shared ? share(size) : own(size, apr_hash_pool_get(kept));
        apr_hash_set(kept, apr_pstrdup(apr_hash_pool_get(kept), uuid), APR_HASH_KEY_STRING, *base);
    }
    return APR_SUCCESS;
}

static apr_status_t retain(void *baton, const char *uuid, apr_size_t size, void **base, int *fresh)
{
    return claim(((host_t *)baton)->shared, uuid, size, 1, base, fresh);
}

static apr_status_t remember(void *baton, const char *uuid, apr_size_t size, void **base, int *fresh)
{
    return claim(((host_t *)baton)->own, uuid, size, 0, base, fresh);
}

static void count_complaint(void *baton, storer_log_level_e level, apr_status_t rv,
                            const char *message)
{
    (void)rv;
    ((host_t *)baton)->complaints += level <= STORER_LOG_NOTICE;
    note("logged: %s", message);
}

/* ---- what a child that was taken over writes ---- */

typedef void fill_fn(char *base, apr_size_t size);

static void fill_ones(char *base, apr_size_t size)
{
    memset(base, 0xff, size);
}

static void fill_zeros(char *base, apr_size_t size)
{
    memset(base, 0, size);
}

static void fill_random(char *base, apr_size_t size)
{
    uint64_t state = 88172645463325252u;
    apr_size_t i;

    for (i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        base[i] = (char)state;
    }
}

/* Each number is a bit too large. The first word, by which a segment is known, stays. */
static void fill_beyond(char *base, apr_size_t size)
{
    apr_size_t i;

    for (i = 8; i + 4 <= size; i += 4) {
        uint32_t number = (uint32_t)size + 4096;

        memcpy(base + i, &number, sizeof(number));
    }
}

/* Small numbers, that a comparison with a wrong bound lets pass. */
static void fill_small(char *base, apr_size_t size)
{
    apr_size_t i;

    for (i = 8; i + 4 <= size; i += 4) {
        uint32_t number = 4096;

        memcpy(base + i, &number, sizeof(number));
    }
}

typedef struct way_t {
    const char *name;
    fill_fn    *fill;
} way_t;

static const way_t ways[] = {
    { "ones", fill_ones },
    { "zeros", fill_zeros },
    { "random bytes", fill_random },
    { "numbers beyond", fill_beyond },
    { "small numbers", fill_small },
    { NULL, NULL }
};

/* In a child: what it returns is its exit status. */
typedef int child_fn(void *baton);

static int in_child(child_fn *fn, void *baton)
{
    pid_t pid = fork();

    if (pid == 0) {
        is_parent = 0;
        alarm(60);
        _exit(fn(baton));
    }
    return tap_wait(pid);
}

/* ---- stores and flights: a configuration ---- */

typedef struct generation_t {
    apr_pool_t *pool;
    storer_t   *store;
    flights_t  *flights;
} generation_t;

static storer_t *open_store(host_t *host, const char *path, apr_pool_t *pool)
{
    storer_option_t options[3] = { { "size", "1M" }, { path ? "path" : NULL, path }, { NULL, NULL } };
    storer_env_t *env = apr_pcalloc(pool, sizeof(*env));
    const char *errmsg = NULL;
    storer_t *store = NULL;

    env->pool = pool;
    env->log = count_complaint;
    env->retain = retain;
    env->remember = remember;
    env->baton = host;
    env->processes = 8;
    env->threads = 1;
    if (storer_registry_open(storer_registry_create(env), "memory", options, &store, &errmsg)
        != APR_SUCCESS) {
        note("refused: %s", errmsg);
        return NULL;
    }
    return store;
}

static int start(generation_t *generation, host_t *host, const char *path)
{
    apr_size_t size = flights_size(64);
    void *base = NULL;
    int fresh;

    apr_pool_create(&generation->pool, NULL);
    generation->store = open_store(host, path, generation->pool);
    (void)retain(host, "flights", size, &base, &fresh);
    return generation->store
           && flights_attach(&generation->flights, base, size, fresh, NULL, generation->pool)
              == APR_SUCCESS;
}

static int use(void *baton)
{
    const generation_t *generation = baton;
    storer_expiry_t expiry = { NOW + apr_time_from_sec(60), NOW + apr_time_from_sec(60) };
    storer_bytes_t key = storer_bytes("key"), value = storer_bytes("value");
    storer_view_t view = STORER_VIEW_EMPTY;
    flights_flight_t flight;
    apr_uint64_t label = 7, epoch = 0;

    return !(generation->store->ops->child_init(generation->store, generation->pool) == APR_SUCCESS
             && storer_set(generation->store, key, value, expiry, NOW) == APR_SUCCESS
             && storer_get(generation->store, key, NOW, &view, generation->pool) == APR_SUCCESS
             && storer_epoch(generation->store, NOW, &epoch) == APR_SUCCESS
             && storer_purge(generation->store, &label, 1, STORER_PURGE_HARD, NOW) == APR_SUCCESS
             && storer_judge(generation->store, epoch, &label, 1, 0, NOW) == STORER_GONE
             && flights_child_init(generation->flights) == APR_SUCCESS
             && flights_join(generation->flights, key, NOW, APR_USEC_PER_SEC, &flight)
                == FLIGHTS_LEAD
             && (flights_end(&flight, FLIGHTS_LANDED, NOW, 0), 1));
}

typedef struct attack_t {
    fill_fn    *fill;
    const char *path;
    int         keeps_stamp;    /* what a store is known by, so that it is not made anew */
} attack_t;

/* The file of the store as well, as its memory is mapped: without a change of its length. */
static int attack(void *baton)
{
    const attack_t *attack = baton;
    char page[4096];
    int i, file = attack->path ? open(attack->path, O_WRONLY) : -1;

    for (i = 0; i < segment_count; i++) {
        int is_store = segments[i].size >= (apr_size_t)1 << 20;
        apr_size_t kept = attack->keeps_stamp && is_store ? sizeof(memory_stamp_t) : 0;

        attack->fill(segments[i].base + kept, segments[i].size - kept);
    }
    attack->fill(page, sizeof(page));
    if (attack->path && attack->fill != fill_beyond && attack->fill != fill_small
        && pwrite(file, page, sizeof(page), 0) != (ssize_t)sizeof(page)) {
        return 1;
    }
    /* the magic number stays, and so does the length */
    if (attack->path && pwrite(file, page + 8, sizeof(page) - 8, 8) != (ssize_t)sizeof(page) - 8) {
        return 1;
    }
    return 0;
}

static void test_restart(const way_t *way, const char *path, apr_pool_t *pool)
{
    host_t host = { apr_hash_make(pool), apr_hash_make(pool), 0 };
    const char *what = path ? "a store in a file" : "a store";
    attack_t by = { way->fill, path, 0 };
    generation_t before, after, later;

    segment_count = 0;
    locks_taken = 0;
    if (!start(&before, &host, path)) {
        bail_out("no start");
    }
    is_int(in_child(use, &before), 0, "%s: a child uses it", what);
    is_int(in_child(attack, &by), 0, "%s, the flights: a child overwrites them with %s", what,
           way->name);
    apr_pool_destroy(before.pool);
    host.complaints = 0;
    if (ok(start(&after, &host, path), "%s: the next configuration starts", what)) {
        ok(host.complaints > 0, "%s: that it was overwritten is said", what);
        is_int(in_child(use, &after), 0, "%s: its children can use it", what);
        apr_pool_destroy(after.pool);
        host.complaints = 0;
        ok(start(&later, &host, path), "%s: and so does the one after that", what);
        is_int(host.complaints, 0, "%s: with what is there", what);
        is_int(in_child(use, &later), 0, "%s: for its children as well", what);
        apr_pool_destroy(later.pool);
    }
    is_int(locks_taken, 0, "%s: the parent took no lock in shared memory", what);
}

/* All but the stamp: that is for the children to find out. */
static void test_contents(const way_t *way, apr_pool_t *pool)
{
    host_t host = { apr_hash_make(pool), apr_hash_make(pool), 0 };
    attack_t by = { way->fill, NULL, 1 };
    generation_t generation;
    storer_stat_t stat;

    segment_count = 0;
    locks_taken = 0;
    if (!start(&generation, &host, NULL)) {
        bail_out("no start");
    }
    is_int(in_child(attack, &by), 0, "all but the stamp: a child overwrites it with %s", way->name);
    apr_pool_destroy(generation.pool);
    if (ok(start(&generation, &host, NULL), "all but the stamp: the next configuration starts")) {
        is_status(storer_stat(generation.store, &stat), APR_SUCCESS,
                  "all but the stamp: it has a size");
        is_int((long long)stat.size, 1 << 20, "all but the stamp: which is the configured one");
        apr_pool_destroy(generation.pool);
    }
    is_int(locks_taken, 0, "all but the stamp: the parent took no lock");
}

/* ---- counters ---- */

static int attack_counters(void *baton)
{
    const attack_t *attack = baton;

    attack->fill(segments[0].base, segments[0].size);
    return 0;
}

static void test_counters(const way_t *way)
{
    static const uint64_t labels[SITES + 1] = { 100, 101, 102, 777 };
    apr_size_t size = stats_size(SITE_MAX, stats_stripes(SITE_MAX));
    attack_t by = { way->fill, NULL, 0 };
    static stats_places_t *places; /* static: valgrind finds it in the child, which ends in the midst */
    stats_places_t *next;
    stats_map_t map;
    uint32_t i;

    segment_count = 0;
    places = stats_places_create(share(size), SITE_MAX, NOW);
    for (i = 0; i < SITES; i++) {
        is_int(stats_places_of(places, labels[i], "site"), i, "counters: a place for site %u", i);
    }
    is_int(in_child(attack_counters, &by), 0, "counters: a child overwrites them with %s", way->name);
    is_int(stats_places_of(places, 101, "site"), 1, "counters: a site has the place it had");
    is_int(stats_places_fit(places, labels, SITES + 1), 1, "counters: there is room for others");
    is_int(stats_places_of(places, 777, "new"), SITES, "counters: one of them takes it");
    stats_places_map(places, &map);
    ok(map.stripes == stats_stripes(SITE_MAX) && map.site_count == SITES + 1
           && (char *)(stats_cells(&map, SITE_MAX - 1) + (size_t)map.stripes * STATS_CELLS)
              == segments[0].base + size,
       "counters: the bounds are what they were");

    next = stats_places_create(share(size), SITE_MAX, NOW + 1);
    stats_places_carry_over(next, places);
    is_int((long long)next->since, (long long)NOW, "counters: new memory goes on with them");
    is_int(next->site_count, SITES + 1, "counters: for each site");
    for (i = next->site_count; i <= SITE_MAX; i++) {
        (void)stats_places_of(next, 1000 + i, "site");
    }
    is_int(next->site_count, SITE_MAX, "counters: as many as there are places for");
    is_int(stats_places_of(next, 5000, "one more"), SITE_MAX, "counters: and no more");
    free(places);
    free(next);
}

/* ---- locks of the file, for which a child needs no right to write ---- */

static pid_t hold_locks(const char *path)
{
    int ready[2];
    char byte = 0;
    pid_t pid;

    if (pipe(ready) != 0) {
        bail_out("no pipe");
    }
    pid = fork();
    if (pid == 0) {
        struct flock lock;
        int file = open(path, O_RDONLY);

        memset(&lock, 0, sizeof(lock));
        lock.l_type = F_RDLCK;
        lock.l_start = (off_t)1 << 40; /* users.c */
        byte = fcntl(file, F_OFD_SETLK, &lock) == 0;
        if (write(ready[1], &byte, 1) == 1) {
            pause();
        }
        _exit(1);
    }
    if (read(ready[0], &byte, 1) != 1 || !byte) {
        bail_out("no lock");
    }
    close(ready[0]);
    close(ready[1]);
    return pid;
}

/* It costs the parent some seconds, and the store what is in it. */
static void test_locks(const char *path, apr_pool_t *pool)
{
    host_t host = { apr_hash_make(pool), apr_hash_make(pool), 0 };
    generation_t before, after;
    pid_t pid;

    segment_count = 0;
    if (!start(&before, &host, path)) {
        bail_out("no start");
    }
    pid = hold_locks(path);
    apr_pool_destroy(before.pool);
    if (ok(start(&after, &host, path), "a child holds all locks of the file: the next one starts")) {
        is_int(host.complaints, 1, "which is said");
        is_int(in_child(use, &after), 0, "its children can use it");
        apr_pool_destroy(after.pool);
    }
    kill(pid, SIGKILL);
    is_int(tap_wait(pid), -SIGKILL, "the child had them all the while");
}

int main(void)
{
    char folder[] = "parent.XXXXXX", here[4096];
    const way_t *way;
    const char *path;
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!mkdtemp(folder) || !getcwd(here, sizeof(here))) {
        bail_out("no folder");
    }
    path = apr_pstrcat(pool, here, "/", folder, "/store", NULL);
    for (way = ways; way->name; way++) {
        test_counters(way);
        test_restart(way, NULL, pool);
        test_contents(way, pool);
        test_restart(way, path, pool);
        unlink(path);
    }
    test_locks(path, pool);
    unlink(path);
    rmdir(folder);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
