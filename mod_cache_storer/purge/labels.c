/* SPDX-License-Identifier: Apache-2.0
 *
 * labels.c - see labels.h.
 */
#include "labels.h"

#include "tags.h"

#include "../http/key.h"

#include "apr_lib.h"

#include <string.h>

/* "everything", the site, and two each of host and URL */
#define LABELS_FIXED 6
#define HOST_MAX     255   /* RFC 1035 section 2.3.4 */

apr_uint64_t labels_host(storer_bytes_t host)
{
    char lower[HOST_MAX];
    storer_bytes_t name = { lower, host.len < HOST_MAX ? host.len : HOST_MAX };
    apr_size_t i;

    for (i = 0; i < name.len; i++) {
        lower[i] = (char)apr_tolower(host.data[i]);
    }
    return storer_label("host", name);
}

apr_uint64_t labels_site(const server_rec *server)
{
    const char *name = server->server_hostname ? server->server_hostname : "";
    apr_uint64_t site = storer_label_within(1, labels_host(storer_bytes(name)));

    return site ? site : 1;
}

apr_uint64_t labels_everything(void)
{
    return storer_label("everything", storer_bytes(""));
}

apr_uint64_t labels_url(storer_bytes_t base_key)
{
    return storer_label("url", base_key);
}

apr_uint64_t labels_tag(storer_bytes_t tag)
{
    return storer_label("tag", tag);
}

apr_uint64_t labels_in_site(apr_uint64_t site, apr_uint64_t label)
{
    return site ? storer_label_within(site, label) : label;
}

static apr_uint64_t host_of_key(storer_bytes_t base_key)
{
    key_parts_t parts;

    return labels_host(key_take_apart(base_key, &parts) ? parts.host : base_key);
}

static void put(apr_uint64_t *labels, int *count, apr_uint64_t site, apr_uint64_t label)
{
    labels[(*count)++] = label;
    labels[(*count)++] = labels_in_site(site, label);
}

void labels_of_url(const record_t *record, storer_bytes_t base_key,
                   apr_uint64_t labels[LABELS_OF_URL])
{
    int count = 0;

    put(labels, &count, record->site, labels_url(base_key));
}

int labels_of(const record_t *record, storer_bytes_t base_key, apr_uint64_t **labels,
              apr_pool_t *pool)
{
    const char *cursor = record->tags;
    storer_bytes_t tag;
    int tags = 0, count = 0;

    while (cursor && tags_next(&cursor, &tag)) {
        tags++;
    }
    *labels = apr_palloc(pool, sizeof(**labels) * (apr_size_t)(LABELS_FIXED + 2 * tags));
    (*labels)[count++] = labels_everything();
    (*labels)[count++] = record->site;
    put(*labels, &count, record->site, host_of_key(base_key));
    put(*labels, &count, record->site, labels_url(base_key));
    for (cursor = record->tags; cursor && tags_next(&cursor, &tag);) {
        put(*labels, &count, record->site, labels_tag(tag));
    }
    return count;
}
