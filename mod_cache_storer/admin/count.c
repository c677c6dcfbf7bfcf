/* SPDX-License-Identifier: Apache-2.0
 *
 * count.c - see count.h.
 */
#include "count.h"

#include "../http/key.h"

#include "../purge/tags.h"

#include <string.h>

typedef struct count_t {
    count_selects_fn *selects;
    const char       *selector;
    apr_size_t       *count;
} count_t;

int count_by_nothing(const entries_entry_t *entry, const char *selector)
{
    (void)entry;
    (void)selector;
    return 1;
}

int count_by_host(const entries_entry_t *entry, const char *selector)
{
    key_parts_t parts;

    return key_take_apart(entry->base_key, &parts) && parts.host.len == strlen(selector)
           && ap_cstr_casecmpn(parts.host.data, selector, parts.host.len) == 0;
}

static int has_tag(const record_t *record, storer_bytes_t wanted)
{
    const char *cursor = record->tags;
    storer_bytes_t tag;

    while (cursor && tags_next(&cursor, &tag)) {
        if (storer_bytes_equal(tag, wanted)) {
            return 1;
        }
    }
    return 0;
}

int count_by_tags(const entries_entry_t *entry, const char *selector)
{
    storer_bytes_t tag;

    while (tags_next(&selector, &tag)) {
        if (has_tag(entry->record, tag)) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t count_entry(void *baton, const entries_entry_t *entry, apr_pool_t *scratch)
{
    const count_t *count = baton;

    (void)scratch;
    if (count->selects(entry, count->selector)) {
        (*count->count)++;
    }
    return APR_SUCCESS;
}

apr_status_t count_walk(const admin_t *admin, count_selects_fn *selects, const char *selector,
                        apr_size_t *count)
{
    count_t baton = { selects, selector, count };

    return entries_walk(admin, NULL, count_entry, &baton);
}

apr_status_t count_urls(const admin_t *admin, const apr_array_header_t *base_keys, apr_size_t *count)
{
    count_t baton = { count_by_nothing, NULL, count };
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < base_keys->nelts && rv == APR_SUCCESS; i++) {
        rv = entries_of_url(admin, APR_ARRAY_IDX(base_keys, i, storer_bytes_t), count_entry, &baton);
    }
    return rv;
}
