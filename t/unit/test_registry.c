/* SPDX-License-Identifier: Apache-2.0
 *
 * test_registry.c - storage/registry.c and storage/engines.c, with an engine that does as its
 * options
 * say: id=TEXT, ttl=TEXT (no part of its identity), fail=init|reset|child.
 */
#include "storer_host.h"
#include "tap.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

/* What the engine's instances did, and how many there are. */
typedef struct count_t {
    int made, gone, inits, resets, children;
    int logged;
    char line[200];
} count_t;

typedef struct obedient_t {
    storer_t base;
    const char *id, *fail;
    count_t *count;
} obedient_t;

static int fails(storer_t *self, const char *slot)
{
    obedient_t *obedient = (obedient_t *)self;

    return obedient->fail && strcmp(obedient->fail, slot) == 0;
}

static const char *obedient_uuid(storer_t *self)
{
    return ((obedient_t *)self)->id;
}

static apr_status_t obedient_init(storer_t *self, const char **errmsg)
{
    ((obedient_t *)self)->count->inits++;
    if (fails(self, "init")) {
        *errmsg = apr_pstrdup(self->env->pool, "no room for it");
        return APR_ENOSPC;
    }
    return fails(self, "init silently") ? APR_EACCES : APR_SUCCESS;
}

static apr_status_t obedient_child_init(storer_t *self, apr_pool_t *pchild)
{
    (void)pchild;
    ((obedient_t *)self)->count->children++;
    return fails(self, "child") ? APR_ECONNREFUSED : APR_SUCCESS;
}

static apr_status_t obedient_reset(storer_t *self)
{
    ((obedient_t *)self)->count->resets++;
    return fails(self, "reset") ? APR_TIMEUP : APR_SUCCESS;
}

static apr_status_t obedient_get(storer_t *self, storer_bytes_t key, apr_time_t now,
                                 storer_view_t *view, apr_pool_t *pool)
{
    (void)self, (void)key, (void)now, (void)view, (void)pool;
    return APR_NOTFOUND;
}

static apr_status_t obedient_set(storer_t *self, storer_bytes_t key, storer_bytes_t value,
                                 storer_expiry_t expiry, apr_time_t now)
{
    (void)self, (void)key, (void)value, (void)expiry, (void)now;
    return APR_ENOTIMPL;
}

static apr_status_t obedient_delete(storer_t *self, storer_bytes_t key)
{
    (void)self, (void)key;
    return APR_SUCCESS;
}

static apr_status_t obedient_update(storer_t *self, storer_bytes_t key, storer_edit_fn *edit,
                                    void *baton, apr_time_t now, apr_pool_t *scratch)
{
    (void)self, (void)key, (void)edit, (void)baton, (void)now, (void)scratch;
    return APR_ENOTIMPL;
}

static apr_status_t obedient_map_keys(storer_t *self, storer_bytes_t prefix, apr_time_t now,
                                      storer_key_fn *fn, void *baton, apr_pool_t *scratch)
{
    (void)self, (void)prefix, (void)now, (void)fn, (void)baton, (void)scratch;
    return APR_SUCCESS;
}

static const storer_ops_t obedient_ops = {
    .name = "OBEDIENT", .uuid = obedient_uuid, .init = obedient_init, .get = obedient_get,
    .set = obedient_set, .delete_ = obedient_delete, .update = obedient_update,
    .map_keys = obedient_map_keys, .reset = obedient_reset, .child_init = obedient_child_init,
};

/* No set: it cannot be used. */
static const storer_ops_t lacking_ops = {
    .name = "LACKING", .uuid = obedient_uuid, .init = obedient_init, .get = obedient_get,
    .delete_ = obedient_delete, .update = obedient_update, .map_keys = obedient_map_keys,
    .reset = obedient_reset,
};

static apr_status_t count_gone(void *data)
{
    ((obedient_t *)data)->count->gone++;
    return APR_SUCCESS;
}

static apr_status_t obedient_create(storer_t **out, const storer_option_t *options,
                                    const storer_env_t *env, const char **errmsg)
{
    obedient_t *obedient = apr_pcalloc(env->pool, sizeof(*obedient));

    obedient->base.ops = &obedient_ops;
    obedient->base.env = env;
    obedient->count = env->baton;
    obedient->id = "default";
    for (; options->name; options++) {
        if (strcmp(options->name, "id") == 0) {
            obedient->id = options->value;
        }
        else if (strcmp(options->name, "fail") == 0) {
            obedient->fail = options->value;
        }
        else if (strcmp(options->name, "ttl") != 0 && strcmp(options->name, "name") != 0) {
            *errmsg = apr_psprintf(env->pool, "unknown option %s=%s", options->name,
                                   options->value);
            return APR_EINVAL;
        }
    }
    obedient->count->made++;
    apr_pool_cleanup_register(env->pool, obedient, count_gone, apr_pool_cleanup_null);
    *out = &obedient->base;
    return APR_SUCCESS;
}

static apr_status_t lacking_create(storer_t **out, const storer_option_t *options,
                                   const storer_env_t *env, const char **errmsg)
{
    apr_status_t rv;

    rv = obedient_create(out, options, env, errmsg);
    if (rv == APR_SUCCESS) {
        (*out)->ops = &lacking_ops;
    }
    return rv;
}

static apr_status_t nothing_create(storer_t **out, const storer_option_t *options,
                                   const storer_env_t *env, const char **errmsg)
{
    (void)out, (void)options, (void)env, (void)errmsg;
    return APR_SUCCESS;
}

static const storer_engine_t engines[] = {
    { STORER_ABI_VERSION, "obedient", obedient_create },
    { STORER_ABI_VERSION, "lacking", lacking_create },
    { STORER_ABI_VERSION, "nothing", nothing_create },
};

static void take_line(void *baton, storer_log_level_e level, apr_status_t rv, const char *message)
{
    count_t *count = baton;

    (void)level, (void)rv;
    count->logged++;
    apr_cpystrn(count->line, message, sizeof(count->line));
}

typedef struct fixture_t {
    apr_pool_t *pool;
    count_t count;
    storer_env_t env;
    storer_registry_t *registry;
} fixture_t;

static void begin(fixture_t *f)
{
    memset(f, 0, sizeof(*f));
    apr_pool_create(&f->pool, NULL);
    f->env = (storer_env_t){ .pool = f->pool, .log = take_line, .baton = &f->count };
    f->registry = storer_registry_create(&f->env);
    for (unsigned i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
        const char *errmsg;

        (void)storer_registry_add_engine(f->registry, engines[i].name, &engines[i], &errmsg);
    }
}

static void end(fixture_t *f)
{
    apr_pool_destroy(f->pool);
    is_int(f->count.gone, f->count.made, "all instances are gone with the pool");
}

static apr_status_t open_as(fixture_t *f, const char *engine, const char *id, const char *fail,
                            storer_t **store, const char **errmsg)
{
    storer_option_t options[] = { { "id", id }, { "fail", fail }, { NULL, NULL } };

    *store = NULL;
    *errmsg = NULL;
    return storer_registry_open(f->registry, engine, options, store, errmsg);
}

static int mentions(const char *text, const char *a, const char *b)
{
    int found = text && strstr(text, a) && strstr(text, b);

    if (!found) {
        diag("  text: %s", text ? text : "(none)");
    }
    return found;
}

static void open_and_find(void)
{
    storer_option_t other_ttl[] = { { "ttl", "5" }, { "id", "one" }, { NULL, NULL } };
    storer_t *one, *two, *again = NULL;
    const apr_array_header_t *list;
    const char *errmsg;
    fixture_t f;

    begin(&f);
    is_int(storer_registry_list(f.registry)->nelts, 0, "a new registry is empty");
    is_status(open_as(&f, "obedient", "one", NULL, &one, &errmsg), APR_SUCCESS, "open one");
    is_status(open_as(&f, "obedient", "two", NULL, &two, &errmsg), APR_SUCCESS, "open two");
    ok(one && two && one != two, "they are two");
    is_string(storer_registry_key(one, f.pool), "OBEDIENT-one", "the key is name and uuid");
    is_status(storer_registry_open(f.registry, "obedient", other_ttl, &again, &errmsg), APR_SUCCESS,
              "open one again, with other times");
    ok(again == one, "is the same instance");
    is_int(f.count.inits, 2, "which is not initialised again");
    is_int(f.count.made - f.count.gone, 2, "and what was made for it is gone");
    ok(storer_registry_find(f.registry, "OBEDIENT-two") == two, "find by key");
    ok(!storer_registry_find(f.registry, "OBEDIENT-three"), "find an unknown key");
    ok(!storer_registry_find(f.registry, "OBEDIENT-"), "find half a key");
    is_string(storer_registry_label(f.registry, one), "obedient", "a store's label is its engine");
    is_string(storer_registry_label(f.registry, two), "obedient-2",
              "and a number if it is not the first");
    {
        storer_option_t named[] = { { "id", "three" }, { "name", "images" }, { NULL, NULL } };
        storer_t *three = NULL;

        is_status(storer_registry_open(f.registry, "obedient", named, &three, &errmsg), APR_SUCCESS,
                  "open a store with a name");
        is_string(storer_registry_label(f.registry, three), "obedient:images", "which is in its label");
    }
    list = storer_registry_list(f.registry);
    is_int(list->nelts, 3, "the list has all");
    ok(APR_ARRAY_IDX(list, 0, storer_t *) == one && APR_ARRAY_IDX(list, 1, storer_t *) == two,
       "in the order of registration");
    ok(storer_registry_find(f.registry, "OBEDIENT-one")->env->baton == &f.count,
       "an instance has the host's baton");
    ok(one->env->api == &storer_api, "and the library's functions, though the host set none");
    end(&f);
}

static void no_options(void)
{
    storer_t *store = NULL;
    const char *errmsg;
    fixture_t f;

    begin(&f);
    is_status(storer_registry_open(f.registry, "obedient", NULL, &store, &errmsg), APR_SUCCESS,
              "open without options");
    ok(storer_registry_find(f.registry, "OBEDIENT-default") == store, "is the default");
    end(&f);
}

static void bad_engines(void)
{
    storer_t *store;
    const char *errmsg;
    fixture_t f;

    begin(&f);
    is_status(open_as(&f, "unheard-of", "x", NULL, &store, &errmsg), APR_NOTFOUND,
              "unknown engine");
    ok(mentions(errmsg, "unheard-of", "memory, obedient, lacking, nothing"),
       "the message has its name and the known ones");
    is_status(open_as(&f, "", "x", NULL, &store, &errmsg), APR_NOTFOUND, "an engine without name");
    is_status(open_as(&f, "lacking", "x", NULL, &store, &errmsg), APR_EINVAL, "no set");
    ok(mentions(errmsg, "lacking", "required"), "the message says so");
    is_status(open_as(&f, "nothing", "x", NULL, &store, &errmsg), APR_EINVAL, "no instance");
    ok(mentions(errmsg, "nothing", "instance"), "the message says so");
    is_status(open_as(&f, "obedient", "", NULL, &store, &errmsg), APR_EINVAL, "an empty uuid");
    ok(mentions(errmsg, "obedient", "uuid"), "the message says so");
    ok(!store, "nothing is returned");
    is_int(storer_registry_list(f.registry)->nelts, 0, "nothing is registered");
    is_int(f.count.made, f.count.gone, "nothing is left of the attempts");
    end(&f);
}

static void add_engines(void)
{
    static const storer_engine_t future = { STORER_ABI_VERSION + 41, "future", obedient_create };
    static const storer_engine_t empty = { STORER_ABI_VERSION, "empty", NULL };
    storer_t *store;
    const char *errmsg = NULL;
    fixture_t f;

    begin(&f);
    is_status(storer_registry_add_engine(f.registry, "as named", &future, &errmsg), APR_EINVAL,
              "an engine of another ABI version");
    ok(mentions(errmsg, "as named", apr_itoa(f.pool, STORER_ABI_VERSION + 41))
       && mentions(errmsg, "version", apr_itoa(f.pool, STORER_ABI_VERSION)),
       "the message has the engine's name and both versions");
    is_status(open_as(&f, "as named", "x", NULL, &store, &errmsg), APR_NOTFOUND, "is not known");
    is_status(storer_registry_add_engine(f.registry, "empty", &empty, &errmsg), APR_EINVAL,
              "an engine without a factory");
    ok(mentions(errmsg, "empty", "factory"), "the message says so");
    is_status(storer_registry_add_engine(f.registry, "", &engines[0], &errmsg), APR_EINVAL,
              "an engine without a name");
    is_status(storer_registry_add_engine(f.registry, "obedient", &engines[1], &errmsg), APR_EEXIST,
              "a name that is taken");
    ok(mentions(errmsg, "obedient", "already"), "the message says so");
    is_status(storer_registry_add_engine(f.registry, "memory", &engines[0], &errmsg), APR_EEXIST,
              "the name of a built-in engine");
    is_status(storer_registry_add_engine(f.registry, "another", &engines[0], &errmsg), APR_SUCCESS,
              "one engine under two names");
    is_status(open_as(&f, "another", "one", NULL, &store, &errmsg), APR_SUCCESS, "opens by either");
    is_int(f.count.made, 1, "no other factory ran");
    end(&f);
}

static void bad_options(void)
{
    storer_option_t unknown[] = { { "colour", "red" }, { NULL, NULL } };
    storer_option_t good[] = { { "id", "one" }, { "fail", "init" }, { NULL, NULL } };
    storer_t *store = NULL;
    const char *errmsg = NULL;
    fixture_t f;

    begin(&f);
    is_status(storer_registry_check(f.registry, "obedient", unknown, &errmsg), APR_EINVAL,
              "check of a bad option");
    ok(mentions(errmsg, "obedient", "colour=red"), "the message has engine, option and value");
    errmsg = NULL;
    is_status(storer_registry_open(f.registry, "obedient", unknown, &store, &errmsg), APR_EINVAL,
              "open with a bad option");
    ok(!store && mentions(errmsg, "obedient", "colour=red"), "the same message");
    is_status(storer_registry_check(f.registry, "unheard-of", good, &errmsg), APR_NOTFOUND,
              "check of an unknown engine");
    is_status(storer_registry_check(f.registry, "obedient", good, &errmsg), APR_SUCCESS,
              "check of good options");
    is_int(f.count.inits, 0, "does not initialise");
    is_int(f.count.made - f.count.gone, 0, "leaves nothing");
    is_int(storer_registry_list(f.registry)->nelts, 0, "and registers nothing");
    end(&f);
}

static void init_fails(void)
{
    storer_t *store;
    const char *errmsg;
    fixture_t f;

    begin(&f);
    is_status(open_as(&f, "obedient", "one", "init", &store, &errmsg), APR_ENOSPC,
              "what init returned is passed on");
    ok(!store && mentions(errmsg, "obedient", "no room for it"), "with its message");
    is_status(open_as(&f, "obedient", "one", "init silently", &store, &errmsg), APR_EACCES,
              "init that says nothing");
    ok(errmsg && mentions(errmsg, "obedient", " "), "gets a message");
    is_int(storer_registry_list(f.registry)->nelts, 0, "nothing is registered");
    is_int(f.count.made - f.count.gone, 0, "nothing is left");
    is_status(open_as(&f, "obedient", "one", NULL, &store, &errmsg), APR_SUCCESS,
              "the same key can be opened later");
    is_int(f.count.logged, 0, "what is returned is not logged");
    end(&f);
}

static void add(void)
{
    obedient_t mine = { { &obedient_ops, NULL, NULL }, "mine", NULL, NULL };
    obedient_t twin = { { &obedient_ops, NULL, NULL }, "mine", NULL, NULL };
    storer_t *store;
    const char *errmsg;
    fixture_t f;

    begin(&f);
    mine.base.env = &f.env;
    twin.base.env = &f.env;
    mine.count = twin.count = &f.count;
    is_status(storer_registry_add(f.registry, &mine.base), APR_SUCCESS, "add an instance");
    is_int(f.count.inits, 0, "it is not initialised: its owner did");
    is_status(storer_registry_add(f.registry, &twin.base), APR_EEXIST, "the key is taken");
    is_status(storer_registry_add(f.registry, &mine.base), APR_EEXIST, "also by itself");
    is_status(open_as(&f, "obedient", "mine", NULL, &store, &errmsg), APR_SUCCESS, "open its key");
    ok(store == &mine.base, "is the added instance");
    is_int(storer_registry_list(f.registry)->nelts, 1, "there is one");
    end(&f);
}

static void reset_all(void)
{
    storer_t *good, *first, *second, *failed = NULL;
    const char *errmsg;
    fixture_t f;

    begin(&f);
    is_status(storer_registry_reset(f.registry, &failed), APR_SUCCESS, "reset of nothing");
    (void)open_as(&f, "obedient", "good", NULL, &good, &errmsg);
    is_status(storer_registry_reset(f.registry, NULL), APR_SUCCESS, "reset of a good one");
    ok(!failed, "none failed");
    (void)open_as(&f, "obedient", "first", "reset", &first, &errmsg);
    (void)open_as(&f, "obedient", "second", "reset", &second, &errmsg);
    f.count.resets = 0;
    is_status(storer_registry_reset(f.registry, &failed), APR_TIMEUP, "reset of bad ones, too");
    ok(failed == first, "the first to fail is returned");
    is_int(f.count.resets, 3, "all were tried");
    is_int(f.count.logged, 1, "the other failure is logged");
    ok(mentions(f.count.line, "OBEDIENT-second", "reset"), "with its name");
    is_int(storer_registry_list(f.registry)->nelts, 3, "the registry keeps its stores");
    is_status(storer_registry_reset(f.registry, NULL), APR_TIMEUP, "nobody asks which");
    end(&f);
}

static void child_init_all(void)
{
    storer_t *store;
    const char *errmsg;
    fixture_t f;

    begin(&f);
    is_status(storer_registry_child_init(f.registry, f.pool), APR_SUCCESS, "a child of nothing");
    (void)open_as(&f, "obedient", "bad", "child", &store, &errmsg);
    (void)open_as(&f, "obedient", "good", NULL, &store, &errmsg);
    is_status(storer_registry_child_init(f.registry, f.pool), APR_ECONNREFUSED,
              "the first failure is returned");
    is_int(f.count.children, 2, "all were tried");
    is_int(f.count.logged, 1, "the failure is logged");
    ok(mentions(f.count.line, "OBEDIENT-bad", "child"), "with the store's name");
    end(&f);
}

static void builtin_alone(void)
{
    storer_option_t options[] = { { "size", "1M" }, { NULL, NULL } };
    storer_t *store = NULL;
    const char *errmsg = "?";
    fixture_t f;

    begin(&f);
    is_status(storer_registry_open(f.registry, "memory", options, &store, &errmsg), APR_SUCCESS,
              "open a built-in engine: %s", errmsg);
    ok(store && strcmp(store->ops->name, "MEMORY") == 0, "is what it says");
    f.registry = storer_registry_create(&f.env);
    is_status(open_as(&f, "obedient", "x", NULL, &store, &errmsg), APR_NOTFOUND,
              "a host that adds no engines");
    ok(mentions(errmsg, "obedient", "memory"), "has the built-in ones");
    end(&f);
}

int main(void)
{
    apr_initialize();
    open_and_find();
    no_options();
    bad_engines();
    add_engines();
    bad_options();
    init_fails();
    add();
    reset_all();
    child_init_all();
    builtin_alone();
    apr_terminate();
    return done_testing();
}
