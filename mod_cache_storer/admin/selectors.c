/* SPDX-License-Identifier: Apache-2.0
 *
 * selectors.c - see selectors.h.
 */
#include "selectors.h"

#include "../url.h"

#include "http_main.h"
#include "apr_strings.h"

#include <string.h>

typedef void selector_fn(const admin_t *admin, const char *url, apr_array_header_t *keys);

static void add(apr_array_header_t *keys, storer_bytes_t key)
{
    int i;

    for (i = 0; i < keys->nelts; i++) {
        if (storer_bytes_equal(APR_ARRAY_IDX(keys, i, storer_bytes_t), key)) {
            return;
        }
    }
    APR_ARRAY_PUSH(keys, storer_bytes_t) = key;
}

/* With its scheme, or with each that the cache knows. */
static const apr_array_header_t *each_scheme(const admin_t *admin, const char *text, selector_fn *fn)
{
    apr_pool_t *pool = admin->r->pool;
    apr_array_header_t *keys = apr_array_make(pool, 2, sizeof(storer_bytes_t));

    if (strstr(text, "://")) {
        fn(admin, text, keys);
    }
    else if (*text && *text != '/') {
        fn(admin, apr_pstrcat(pool, "http://", text, NULL), keys);
        fn(admin, apr_pstrcat(pool, "https://", text, NULL), keys);
    }
    return keys->nelts > 0 ? keys : NULL;
}

static void add_key(void *baton, storer_bytes_t base_key)
{
    add(baton, base_key);
}

static void add_each(const admin_t *admin, const char *text, int is_prefix, apr_array_header_t *keys)
{
    server_rec *server = admin->site ? admin->r->server : ap_server_conf;

    while (server) {
        url_each_key(server, text, is_prefix, add_key, keys, admin->r->pool);
        server = admin->site ? NULL : server->next;
    }
}

static void add_url(const admin_t *admin, const char *url, apr_array_header_t *keys)
{
    add_each(admin, url, 0, keys);
}

const apr_array_header_t *selectors_url(const admin_t *admin, const char *text)
{
    return each_scheme(admin, text, add_url);
}

static void add_prefix(const admin_t *admin, const char *url, apr_array_header_t *keys)
{
    add_each(admin, url, 1, keys);
}

const apr_array_header_t *selectors_prefix(const admin_t *admin, const char *text)
{
    return each_scheme(admin, text, add_prefix);
}
