/* SPDX-License-Identifier: Apache-2.0
 *
 * engines.c - the table of built-in engines: the only file that names them.
 *
 * Called by the registry. A new engine in this tree adds its line here, and nothing else changes.
 */
#include "engines.h"
#include "storer_private.h"

#include <apr_strings.h>

static const storer_engine_t *const builtin_engines[] = {
    &storer_memory_engine,
};

#define BUILTIN_COUNT (sizeof(builtin_engines) / sizeof(builtin_engines[0]))

const storer_engine_t *storer_builtin_engine(const char *name)
{
    for (apr_size_t i = 0; i < BUILTIN_COUNT; i++) {
        if (strcmp(builtin_engines[i]->name, name) == 0) {
            return builtin_engines[i];
        }
    }
    return NULL;
}

const char *storer_builtin_names(apr_pool_t *pool)
{
    const char *names = builtin_engines[0]->name;

    for (apr_size_t i = 1; i < BUILTIN_COUNT; i++) {
        names = apr_pstrcat(pool, names, ", ", builtin_engines[i]->name, (char *)NULL);
    }
    return names;
}
