/* SPDX-License-Identifier: Apache-2.0
 *
 * opened.c - see opened.h. Goes by the library's functions, as a host does.
 */
#include "opened.h"

#include "engine.h"
#include "tap.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#define OPTIONS_MAX 16

/* ---- opening ---- */

static void keep_line(void *baton, storer_log_level_e level, apr_status_t rv, const char *message)
{
    opened_t *opened = baton;

    (void)rv;
    pthread_mutex_lock(&opened->lock);
    if (level <= STORER_LOG_NOTICE && opened->count < OPENED_LINES) {
        opened->lines[opened->count++] = strdup(message);
    }
    pthread_mutex_unlock(&opened->lock);
}

static storer_registry_t *registry(const storer_env_t *env)
{
    storer_registry_t *made = storer_registry_create(env);
    const char *errmsg = NULL;

    if (storer_registry_add_engine(made, "redis", &redis_engine, &errmsg) != APR_SUCCESS) {
        bail_out("%s", errmsg);
    }
    return made;
}

static apr_status_t forget_all(void *data)
{
    opened_forget(data);
    return APR_SUCCESS;
}

static opened_t *create(apr_pool_t *pool)
{
    opened_t *opened = apr_pcalloc(pool, sizeof(*opened));

    pthread_mutex_init(&opened->lock, NULL);
    opened->pool = pool;
    opened->env.pool = pool;
    opened->env.log = keep_line;
    opened->env.baton = opened;
    apr_pool_cleanup_register(pool, opened, forget_all, apr_pool_cleanup_null);
    return opened;
}

/* Behind the ones that are there. */
static void add_options(storer_option_t *list, const char *const *options)
{
    int count = 0;

    while (list[count].name) {
        count++;
    }
    for (; options && *options && count < OPTIONS_MAX - 1; options += 2) {
        list[count].name = options[0];
        list[count++].value = options[1];
    }
    list[count].name = NULL;
}

/* As long as the program: the machine outlives its processes. */
static apr_status_t retain(void *baton, const char *uuid, apr_size_t size, void **base, int *fresh)
{
    opened_machine_t *machine = ((opened_t *)baton)->machine;

    (void)uuid;
    *fresh = !machine->memory;
    if (*fresh) {
        machine->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        machine->size = size;
        if (machine->memory == MAP_FAILED) {
            bail_out("no memory");
        }
    }
    *base = machine->memory;
    return machine->size == size ? APR_SUCCESS : APR_EINVAL;
}

static opened_t *prepare(opened_machine_t *machine, const char *url, const char *const *options,
                         apr_pool_t *pool)
{
    storer_option_t list[OPTIONS_MAX] = { { "url", url }, { NULL, NULL } };
    opened_t *opened = create(pool);
    const char *errmsg = NULL;
    apr_status_t rv;

    if (machine) {
        opened->machine = machine;
        opened->env.retain = retain;
    }
    add_options(list, options);
    rv = storer_registry_open(registry(&opened->env), "redis", list, &opened->store, &errmsg);
    if (rv != APR_SUCCESS) {
        bail_out("%s", errmsg ? errmsg : "the store cannot be opened");
    }
    return opened;
}

opened_t *opened_prepare(const char *url, const char *const *options, apr_pool_t *pool)
{
    return prepare(NULL, url, options, pool);
}

opened_t *opened_on(opened_machine_t *machine, const char *url, const char *const *options,
                    apr_pool_t *pool)
{
    opened_t *opened = prepare(machine, url, options, pool);

    if (opened->store->ops->child_init(opened->store, pool) != APR_SUCCESS) {
        bail_out("child_init failed");
    }
    return opened;
}

opened_t *opened_create(const char *url, const char *const *options, apr_pool_t *pool)
{
    return opened_on(NULL, url, options, pool);
}

const char *opened_problem(const char *const *options, apr_pool_t *pool)
{
    storer_option_t list[OPTIONS_MAX] = { { NULL, NULL } };
    opened_t *opened = create(pool);
    const char *errmsg = NULL;

    add_options(list, options);
    if (storer_registry_check(registry(&opened->env), "redis", list, &errmsg) == APR_SUCCESS) {
        return NULL;
    }
    return errmsg ? errmsg : "no reason given";
}

/* ---- the log ---- */

int opened_said(opened_t *opened, const char *text)
{
    int i, found = 0;

    pthread_mutex_lock(&opened->lock);
    for (i = 0; i < opened->count; i++) {
        found += strstr(opened->lines[i], text) != NULL;
    }
    pthread_mutex_unlock(&opened->lock);
    return found;
}

void opened_forget(opened_t *opened)
{
    pthread_mutex_lock(&opened->lock);
    while (opened->count > 0) {
        free(opened->lines[--opened->count]);
    }
    pthread_mutex_unlock(&opened->lock);
}

void opened_show(opened_t *opened)
{
    int i;

    pthread_mutex_lock(&opened->lock);
    for (i = 0; i < opened->count; i++) {
        diag("log: %s", opened->lines[i]);
    }
    pthread_mutex_unlock(&opened->lock);
}

/* ---- values ---- */

storer_bytes_t opened_bytes(apr_size_t len, unsigned seed, apr_pool_t *pool)
{
    unsigned char *bytes = apr_palloc(pool, len + 1);
    storer_bytes_t value = { (char *)bytes, len };
    apr_uint32_t state = seed * 2654435761u + 1;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(state >> 24);
    }
    return value;
}

apr_status_t opened_set(opened_t *opened, const char *key, storer_bytes_t value)
{
    return storer_set(opened->store, storer_bytes(key), value, FAR, T0);
}

/* Compare part by part, and end the view. */
static char compare(storer_view_t *view, storer_bytes_t value, apr_status_t *rv)
{
    apr_size_t at = 0;
    char result = view->length == (apr_off_t)value.len ? 'v' : '?';

    do {
        if (view->part.len > value.len - at
            || (view->part.len > 0
                && memcmp(value.data + at, view->part.data, view->part.len) != 0)) {
            result = '?';
            break;
        }
        at += view->part.len;
        *rv = storer_view_next(view);
    } while (*rv == APR_SUCCESS);
    storer_view_release(view);
    if (result == 'v' && *rv != APR_EOF) {
        return 'e';
    }
    return result == 'v' && at == value.len ? 'v' : '?';
}

static char judge(apr_status_t got, storer_view_t *view, storer_bytes_t value, apr_status_t *rv)
{
    apr_status_t here;

    rv = rv ? rv : &here;
    *rv = got;
    if (got == APR_NOTFOUND) {
        return '-';
    }
    return got == APR_SUCCESS ? compare(view, value, rv) : 'e';
}

char opened_get(opened_t *opened, const char *key, storer_bytes_t value, apr_status_t *rv)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    apr_pool_t *pool;
    char result;

    apr_pool_create(&pool, NULL);
    result = judge(storer_get(opened->store, storer_bytes(key), T0, &view, pool), &view, value, rv);
    apr_pool_destroy(pool);
    return result;
}

/* ---- variants ---- */

apr_status_t opened_set_variant(opened_t *opened, const char *base, const char *name,
                                storer_bytes_t value, apr_pool_t *pool)
{
    storer_header_t header = { storer_bytes("X"), storer_bytes(name) };
    storer_variant_t variant = {
        .base_key = storer_bytes(base), .stored_at = T0, .expiry = FAR,
        .varied_headers = &header, .varied_count = *name != '\0',
    };
    storer_writer_t writer = STORER_WRITER_CLOSED;
    apr_status_t rv;

    variant.varied_key = storer_bytes(*name ? apr_pstrcat(pool, base, "{-VARY-}x:", name, (char *)NULL)
                                            : base);
    variant.real_key = variant.varied_key;
    rv = storer_open_writer(opened->store, variant.varied_key, variant.expiry, (apr_off_t)value.len, T0,
                            &writer, pool);
    if (rv == APR_SUCCESS) {
        rv = storer_writer_append(&writer, value);
    }
    if (rv != APR_SUCCESS) {
        storer_writer_abort(&writer);
        return rv;
    }
    return storer_commit_variant(&writer, &variant, T0, pool);
}

static storer_bytes_t find_header(void *baton, storer_bytes_t name)
{
    storer_bytes_t none = { NULL, 0 };

    return name.len == 1 && strncasecmp(name.data, "x", 1) == 0 ? storer_bytes(baton) : none;
}

char opened_get_variant(opened_t *opened, const char *base, const char *name, storer_bytes_t value,
                        apr_pool_t *pool)
{
    storer_view_t fresh = STORER_VIEW_EMPTY;
    storer_request_t request = { find_header, (void *)name, NULL };
    apr_status_t rv;

    rv = storer_get_multi_level(opened->store, storer_bytes(base), &request, NULL, T0, &fresh, NULL,
                                pool);
    return judge(rv, &fresh, value, NULL);
}
