/* SPDX-License-Identifier: Apache-2.0
 *
 * election.c - see election.h.
 */
#include "election.h"
#include "storer_private.h"

/* Earlier in the order is better. */
static int compare(const storer_candidate_t *a, const storer_candidate_t *b)
{
    apr_size_t shorter = a->key.len < b->key.len ? a->key.len : b->key.len;
    int order;

    if (a->fresh != b->fresh) {
        return a->fresh ? -1 : 1;
    }
    if (a->stored_at.seconds != b->stored_at.seconds) {
        return a->stored_at.seconds > b->stored_at.seconds ? -1 : 1;
    }
    if (a->stored_at.nanos != b->stored_at.nanos) {
        return a->stored_at.nanos > b->stored_at.nanos ? -1 : 1;
    }
    order = shorter ? memcmp(a->key.data, b->key.data, shorter) : 0;
    if (order) {
        return order;
    }
    return (a->key.len > b->key.len) - (a->key.len < b->key.len);
}

/* RFC 9111 section 4.1: all selecting header fields are those of the request. */
static int fits(const storer_mapping_entry_t *entry, const storer_request_t *request)
{
    storer_varied_cursor_t cursor;
    storer_varied_t varied;
    int left = entry->varied_count;

    if (!left) {
        return 1;
    }
    storer_varied_begin(&cursor, entry);
    while (storer_varied_next(&cursor, &varied) == APR_SUCCESS) {
        if (--left > 0 && storer_varied_is_superseded(cursor, varied.name)) {
            continue;
        }
        if (!storer_varied_equals(&varied, request->header(request->baton, varied.name))) {
            return 0;
        }
    }
    return 1;
}

apr_status_t storer_elect(storer_bytes_t mapping, const storer_request_t *request,
                          const storer_validator_t *validator, apr_time_t now,
                          const storer_candidate_t *after, storer_candidate_t *candidate)
{
    storer_mapping_cursor_t cursor;
    storer_mapping_entry_t entry;
    storer_candidate_t best;
    apr_status_t rv;
    int found = 0;

    storer_mapping_begin(&cursor, mapping);
    for (rv = storer_mapping_next(&cursor, &entry); rv == APR_SUCCESS;
         rv = storer_mapping_next(&cursor, &entry)) {
        storer_candidate_t next = { entry.key, entry.etag, entry.stored_at, 0 };

        next.fresh = now < storer_timestamp_time(entry.fresh_time);
        if ((!next.fresh && now >= storer_timestamp_time(entry.stale_time))
            || (after && compare(&next, after) <= 0) || (found && compare(&next, &best) >= 0)
            || !fits(&entry, request)
            || (validator && !storer_validator_allows(validator, entry.etag))
            || (cursor.at < cursor.end && storer_mapping_is_superseded(cursor, entry.key))) {
            continue;
        }
        best = next;
        found = 1;
    }
    if (rv != APR_EOF) {
        return APR_EINVAL;
    }
    if (!found) {
        return APR_NOTFOUND;
    }
    *candidate = best;
    return APR_SUCCESS;
}
