/* SPDX-License-Identifier: Apache-2.0
 *
 * storer_contract.c - the installed program storer-contract: runs the contract suite over the engine
 * of any httpd module, without httpd.
 *
 * It loads the module as httpd does, all symbols bound at once, and has the module register its hooks.
 * To that end it has a function ap_register_provider() of its own, which takes the engine down; it is
 * the only symbol this program offers (see Makefile.inc). So a module that needs more of httpd than
 * that, or a function of the library, cannot be loaded here, and the linker's message says what it is.
 */
#include "contract.h"
#include "faulty.h"
#include "tap.h"

#include <httpd.h>
#include <http_config.h>
#include <ap_provider.h>

#include <apr_getopt.h>
#include <apr_strings.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* Where the engine does not tell its size. */
#define CAPACITY_UNKNOWN (1024 * 1024)
/* Larger values cost time and prove nothing more. */
#define CAPACITY_MAX     (4 * 1024 * 1024)

typedef struct subject_t {
    const char            *name;
    const storer_engine_t *engine;
    const storer_option_t *options;
} subject_t;

typedef struct settings_t {
    const char *path, *record;
    apr_off_t   capacity, too_large;   /* -1: as the engine says */
    int         evicts, one_process;
} settings_t;

/* One program, one module. The provider's names, and what it registered. */
static apr_array_header_t *registered;

apr_status_t ap_register_provider(apr_pool_t *pool, const char *provider_group,
                                  const char *provider_name, const char *provider_version,
                                  const void *provider)
{
    if (strcmp(provider_group, STORER_ENGINE_GROUP) == 0
        && strcmp(provider_version, STORER_ENGINE_GROUP_VERSION) == 0) {
        subject_t *subject = apr_array_push(registered);

        subject->name = apr_pstrdup(pool, provider_name);
        subject->engine = provider;
        subject->options = NULL;
    }
    return APR_SUCCESS;
}

/* ---- the module ---- */

/* The symbol that LoadModule names: mod_NAME.so has NAME_module. */
static const char *record_name(const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot;

    if (strncmp(name, "mod_", 4) == 0) {
        name += 4;
    }
    dot = strchr(name, '.');
    return apr_psprintf(pool, "%.*s_module", dot ? (int)(dot - name) : (int)strlen(name), name);
}

static void load_module(const settings_t *settings, apr_pool_t *pool)
{
    const char *path = settings->path, *record;
    const module *loaded;
    void *dso;

    if (!strchr(path, '/')) {
        path = apr_pstrcat(pool, "./", path, (char *)NULL);
    }
    record = settings->record ? settings->record : record_name(path, pool);
    dso = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!dso) {
        bail_out("%s (an engine may call what is in env->api, and of httpd ap_register_provider)",
                 dlerror());
    }
    loaded = dlsym(dso, record);
    if (!loaded) {
        bail_out("%s has no symbol %s (--module names another one)", path, record);
    }
    if (loaded->magic != MODULE_MAGIC_COOKIE || !loaded->register_hooks) {
        bail_out("%s of %s is no module that registers anything", record, path);
    }
    loaded->register_hooks(pool);
}

static subject_t *find_subject(const char *name, apr_pool_t *pool)
{
    const char *names = "";

    for (int i = 0; i < registered->nelts; i++) {
        subject_t *subject = &APR_ARRAY_IDX(registered, i, subject_t);

        if (strcmp(subject->name, name) == 0) {
            return subject;
        }
        names = apr_pstrcat(pool, names, " ", subject->name, (char *)NULL);
    }
    bail_out("the module registers no engine \"%s\", but:%s", name, *names ? names : " none");
}

/* ---- stores ---- */

static apr_status_t make(const subject_t *subject, const storer_env_t *env, storer_t **out)
{
    storer_registry_t *registry = storer_registry_create(env);
    const char *errmsg = NULL;
    apr_status_t rv;

    rv = storer_registry_add_engine(registry, subject->name, subject->engine, &errmsg);
    if (rv == APR_SUCCESS) {
        rv = storer_registry_open(registry, subject->name, subject->options, out, &errmsg);
    }
    if (rv != APR_SUCCESS) {
        diag("%s", errmsg);
    }
    return rv;
}

/* An instance that is used for one thing and goes: to learn what there is, or to empty what lies
 * outside of this process and was left by another test. */
static apr_status_t visit(const subject_t *subject, const storer_env_t *env,
                          apr_status_t (*work)(void *baton, storer_t *store), void *baton)
{
    storer_env_t own = *env;
    storer_t *store;
    apr_status_t rv;

    rv = apr_pool_create(&own.pool, env->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = make(subject, &own, &store);
    if (rv == APR_SUCCESS && store->ops->child_init) {
        rv = store->ops->child_init(store, own.pool);
    }
    if (rv == APR_SUCCESS) {
        rv = work(baton, store);
    }
    apr_pool_destroy(own.pool);
    return rv;
}

static apr_status_t empty(void *baton, storer_t *store)
{
    (void)baton;
    return storer_reset(store);
}

static apr_status_t create(void *baton, const storer_env_t *env, storer_t **out)
{
    apr_status_t rv = visit(baton, env, empty, NULL);

    return rv == APR_SUCCESS ? make(baton, env, out) : rv;
}

static void finish(void *baton, storer_t *store)
{
    (void)baton;
    is_status(storer_reset(store), APR_SUCCESS, "reset at the end");
}

static apr_status_t create_wrapped(void *baton, const storer_env_t *env, storer_t **out)
{
    storer_t *inner;
    apr_status_t rv;

    rv = create(baton, env, &inner);
    if (rv == APR_SUCCESS) {
        *out = faulty_create(inner, env);
    }
    return rv;
}

static void finish_wrapped(void *baton, storer_t *store)
{
    is_int(faulty_open_views(store), 0, "no view is left");
    is_int(faulty_open_writers(store), 0, "no writer is left");
    finish(baton, store);
}

/* ---- the suite ---- */

static apr_status_t look_at(void *baton, storer_t *store)
{
    contract_target_t *target = baton;
    storer_stat_t stat = { 0 };

    (void)storer_stat(store, &stat);
    target->in_place = store->ops->in_place;
    if (target->capacity < 0) {
        target->capacity = stat.largest == 0 ? CAPACITY_UNKNOWN : (apr_off_t)stat.largest;
        if (target->capacity > CAPACITY_MAX) {
            target->capacity = CAPACITY_MAX;
        }
    }
    if (target->too_large < 0) {
        target->too_large = (apr_off_t)stat.size;
    }
    return APR_SUCCESS;
}

static void print_line(void *baton, storer_log_level_e level, apr_status_t rv, const char *message)
{
    char text[120];

    (void)baton, (void)level;
    diag("%s (%s)", message, apr_strerror(rv, text, sizeof(text)));
}

static void run(subject_t *subject, const settings_t *settings, apr_pool_t *pool)
{
    storer_env_t env = { .pool = pool, .log = print_line, .api = &storer_api };
    contract_target_t target = {
        .name = subject->name, .create = create, .finish = finish, .baton = subject,
        .capacity = settings->capacity, .too_large = settings->too_large,
        .eviction = settings->evicts, .shared = !settings->one_process,
    };

    if (visit(subject, &env, look_at, &target) != APR_SUCCESS) {
        bail_out("the store cannot be opened");
    }
    if (target.capacity < 65536) {
        bail_out("a capacity of 64K is the least");
    }
    contract_run(&target);
    target.name = apr_pstrcat(pool, "faulty over ", subject->name, (char *)NULL);
    target.create = create_wrapped;
    target.finish = finish_wrapped;
    contract_run(&target);
}

/* ---- the command line ---- */

static const apr_getopt_option_t command_line[] = {
    { "capacity", 'c', 1, "SIZE: a value as long as this fits into an empty store" },
    { "too-large", 't', 1, "SIZE: one as long as this never does; 0: there is no bound" },
    { "evicts", 'e', 0, "a store that is full drops values to take new ones" },
    { "one-process", 'o', 0, "forked processes do not share a store" },
    { "module", 'm', 1, "SYMBOL: the module's record (mod_x.so: x_module)" },
    { "help", 'h', 0, "this" },
    { NULL, 0, 0, NULL }
};

static void usage(FILE *to, int status) __attribute__((noreturn));
static void usage(FILE *to, int status)
{
    fputs("usage: storer-contract [OPTION ...] MODULE.so ENGINE [KEY=VALUE ...]\n\n"
          "Runs the contract suite over a storage engine for mod_cache_storer: as it is, and\n"
          "wrapped by an engine that injects faults. ENGINE KEY=VALUE ... is what stands behind\n"
          "CacheStorer. What is in the store is deleted. Writes TAP; the exit status is the\n"
          "result.\n\n", to);
    for (int i = 0; command_line[i].name; i++) {
        fprintf(to, "  --%-12s %s\n", command_line[i].name, command_line[i].description);
    }
    fputs("\nSizes are taken from the engine's stat where it has one, else they are 1M and 0.\n", to);
    exit(status);
}

static void take_size(apr_off_t *size, const char *text)
{
    if (storer_parse_size(text, size) != APR_SUCCESS) {
        usage(stderr, 2);
    }
}

/* @return index of the first argument */
static int read_settings(settings_t *settings, int argc, const char *const *argv, apr_pool_t *pool)
{
    apr_getopt_t *state;
    const char *value;
    apr_status_t rv;
    int option;

    *settings = (settings_t){ .capacity = -1, .too_large = -1 };
    (void)apr_getopt_init(&state, pool, argc, argv);
    rv = apr_getopt_long(state, command_line, &option, &value);
    while (rv == APR_SUCCESS) {
        switch (option) {
        case 'c':
            take_size(&settings->capacity, value);
            break;
        case 't':
            take_size(&settings->too_large, value);
            break;
        case 'e':
            settings->evicts = 1;
            break;
        case 'o':
            settings->one_process = 1;
            break;
        case 'm':
            settings->record = value;
            break;
        default:
            usage(stdout, 0);
        }
        rv = apr_getopt_long(state, command_line, &option, &value);
    }
    if (rv != APR_EOF || argc - state->ind < 2) {
        usage(stderr, 2);
    }
    settings->path = argv[state->ind];
    return state->ind;
}

static const storer_option_t *read_options(int count, const char *const *words, apr_pool_t *pool)
{
    storer_option_t *options = apr_pcalloc(pool, sizeof(*options) * ((apr_size_t)count + 1));

    for (int i = 0; i < count; i++) {
        const char *equals = strchr(words[i], '=');

        if (!equals || equals == words[i]) {
            usage(stderr, 2);
        }
        options[i].name = apr_pstrndup(pool, words[i], (apr_size_t)(equals - words[i]));
        options[i].value = equals + 1;
    }
    return options;
}

int main(int argc, const char *const *argv)
{
    settings_t settings;
    subject_t *subject;
    apr_pool_t *pool;
    int first;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    first = read_settings(&settings, argc, argv, pool);
    registered = apr_array_make(pool, 1, sizeof(subject_t));
    load_module(&settings, pool);
    subject = find_subject(argv[first + 1], pool);
    subject->options = read_options(argc - first - 2, argv + first + 2, pool);
    run(subject, &settings, pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
