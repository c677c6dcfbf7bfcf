/* SPDX-License-Identifier: Apache-2.0
 *
 * retain.c - keeps memory from one generation of the configuration to the next.
 *
 * The list outlives this DSO, which is unloaded and loaded again at each restart: it is plain data,
 * found through ap_retained_data_get(), without a pointer to code. Nodes are malloc'ed, so that a
 * segment that is not claimed again leaves nothing behind. When the process ends, the kernel frees
 * the segments with the last process that maps them: nothing can stay behind in the system.
 */
#include "mod_cache_storer.h"

#include "retain.h"

#include "../storage/anonymous.h"

#include "http_core.h"
#include "http_log.h"
#include "http_main.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The version is part of the key: a module of another layout starts with a list of its own. */
#define RETAIN_KEY "mod_cache_storer-segments-3"

typedef struct retain_node_t retain_node_t;
struct retain_node_t {
    retain_node_t *next;
    void          *base;
    apr_size_t     size;
    apr_os_file_t  file;         /* the same memory; -1: it is no file */
    unsigned       generation;   /* the last one that claimed it */
    int            is_shared;    /* else malloc'ed: children have copies of it */
    char           uuid[];
};

typedef struct retain_list_t {
    retain_node_t *first;
    unsigned       generation;
} retain_list_t;

apr_status_t retain_begin(void)
{
    retain_list_t *list = ap_retained_data_get(RETAIN_KEY);

    if (!list) {
        list = ap_retained_data_create(RETAIN_KEY, sizeof(*list));
        if (!list) {
            return APR_ENOMEM;
        }
    }
    list->generation++;
    return APR_SUCCESS;
}

static apr_status_t take_memory(retain_node_t *node)
{
    if (node->is_shared) {
        return anonymous_create(node->size, &node->base, &node->file);
    }
    node->file = -1;
    node->base = calloc(1, node->size);
    return node->base ? APR_SUCCESS : APR_ENOMEM;
}

static void give_back(retain_node_t *node)
{
    if (node->is_shared) {
        munmap(node->base, node->size);
    }
    else {
        free(node->base);
    }
    if (node->file >= 0) {
        close(node->file);
    }
    free(node);
}

static retain_node_t *create_node(const char *uuid, apr_size_t size, int is_shared)
{
    apr_size_t length = strlen(uuid) + 1;
    retain_node_t *node = malloc(sizeof(*node) + length);
    apr_status_t rv;

    if (!node) {
        return NULL;
    }
    node->size = size;
    node->is_shared = is_shared;
    rv = take_memory(node);
    if (rv != APR_SUCCESS) {
        free(node);
        errno = rv;
        return NULL;
    }
    memcpy(node->uuid, uuid, length);
    return node;
}

static apr_status_t claim(const char *uuid, apr_size_t size, int is_shared, void **base, int *fresh)
{
    retain_list_t *list = ap_retained_data_get(RETAIN_KEY);
    retain_node_t *node;

    if (!list || size == 0) {
        return APR_EINVAL;
    }
    for (node = list->first; node; node = node->next) {
        if (node->size == size && node->is_shared == is_shared && strcmp(node->uuid, uuid) == 0) {
            node->generation = list->generation;
            *base = node->base;
            *fresh = 0;
            return APR_SUCCESS;
        }
    }
    node = create_node(uuid, size, is_shared);
    if (!node) {
        return errno ? errno : APR_ENOMEM;
    }
    node->generation = list->generation;
    node->next = list->first;
    list->first = node;
    if (list->generation > 1 && is_shared) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, ap_server_conf,
                     STORERNO(0206) "new since this restart, and empty: %" APR_SIZE_T_FMT
                     " bytes for %s", size, uuid);
    }
    *base = node->base;
    *fresh = 1;
    return APR_SUCCESS;
}

apr_status_t retain_segment(void *baton, const char *uuid, apr_size_t size, void **base, int *fresh)
{
    (void)baton;
    return claim(uuid, size, 1, base, fresh);
}

apr_status_t retain_private(void *baton, const char *uuid, apr_size_t size, void **base, int *fresh)
{
    (void)baton;
    return claim(uuid, size, 0, base, fresh);
}

apr_os_file_t retain_file(void *baton, const void *base)
{
    const retain_list_t *list = ap_retained_data_get(RETAIN_KEY);
    const retain_node_t *node;

    (void)baton;
    for (node = list ? list->first : NULL; node; node = node->next) {
        if (node->base == base) {
            return node->file;
        }
    }
    return -1;
}

void retain_end(void)
{
    retain_list_t *list = ap_retained_data_get(RETAIN_KEY);
    retain_node_t **link = &list->first;

    while (*link) {
        retain_node_t *node = *link;

        if (node->generation == list->generation) {
            link = &node->next;
            continue;
        }
        *link = node->next;
        if (node->is_shared) {
            ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, ap_server_conf,
                         STORERNO(0207) "not configured any more, given back with all it held: %"
                         APR_SIZE_T_FMT " bytes of %s", node->size, node->uuid);
        }
        give_back(node);
    }
}
