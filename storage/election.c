/* SPDX-License-Identifier: Apache-2.0
 *
 * election.c - see election.h.
 */
#include "election.h"
#include "storer_private.h"

/* Bounds on the work a mapping from elsewhere can ask for. Upstream writes one entry a key, and no
 * response varies on nearly as many headers. */
#define VARIED_MAX    64
#define QUESTIONS_MAX 64

/* Earlier in the order is better. */
static int compare(const storer_candidate_t *a, const storer_candidate_t *b)
{
    apr_size_t shorter = a->key.len < b->key.len ? a->key.len : b->key.len;
    int order;

    if (a->fresh != b->fresh) {
        return a->fresh ? -1 : 1;
    }
    if (a->varied != b->varied) {
        return a->varied ? -1 : 1;
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

/* The only value of a varied header; 0: it has several, or none. */
static int single_value(const storer_varied_t *varied, storer_bytes_t *value)
{
    storer_value_cursor_t cursor;
    storer_bytes_t another;

    storer_value_begin(&cursor, varied);
    return storer_value_next(&cursor, value) == APR_SUCCESS
           && storer_value_next(&cursor, &another) == APR_EOF;
}

static int header_fits(const storer_varied_t *varied, const storer_request_t *request)
{
    storer_bytes_t value;

    if (request->matches && single_value(varied, &value)) {
        return request->matches(request->baton, varied->name, value);
    }
    return storer_varied_equals(varied, request->header(request->baton, varied->name));
}

/* RFC 9111 section 4.1: all selecting header fields are those of the request. */
static int fits(const storer_mapping_entry_t *entry, const storer_request_t *request)
{
    storer_varied_cursor_t cursor;
    storer_varied_t varied;
    int left = entry->varied_count;

    if (left == 0 || left > VARIED_MAX) {
        return left == 0;
    }
    storer_varied_begin(&cursor, entry);
    while (left-- > 0 && storer_varied_next(&cursor, &varied) == APR_SUCCESS) {
        if (!header_fits(&varied, request)
            && !storer_varied_is_superseded(cursor, varied.name)) {
            return 0;
        }
    }
    return 1;
}

typedef struct election_t {
    const storer_request_t   *request;
    const storer_validator_t *validator;
    apr_time_t                now;
    const storer_candidate_t *after;
} election_t;

/* May the entry be elected, and would it be better than `best`? */
static int stands(const election_t *election, const storer_mapping_entry_t *entry,
                  const storer_candidate_t *best, storer_candidate_t *candidate)
{
    candidate->key = entry->key;
    candidate->etag = entry->etag;
    candidate->stored_at = entry->stored_at;
    candidate->varied = entry->varied_count > 0;
    candidate->fresh = election->now < storer_timestamp_time(entry->fresh_time);
    return (candidate->fresh || election->now < storer_timestamp_time(entry->stale_time))
           && (!election->after || compare(candidate, election->after) > 0)
           && (!best->key.data || compare(candidate, best) < 0)
           && fits(entry, election->request)
           && (!election->validator || storer_validator_allows(election->validator, entry->etag));
}

/* Is there an entry behind the cursor that counts instead of the candidate? */
static int is_superseded(storer_mapping_cursor_t behind, storer_bytes_t key)
{
    return behind.at < behind.end && storer_mapping_is_superseded(behind, key);
}

/* One pass over the mapping. Careful: an entry that is superseded does not stand. As each such
 * question is a pass of its own, a mapping that raises many of them is not read on: nobody writes
 * one. */
static apr_status_t elect(const election_t *election, storer_bytes_t mapping, int careful,
                          storer_candidate_t *best, storer_mapping_cursor_t *behind)
{
    storer_mapping_cursor_t cursor;
    storer_mapping_entry_t entry;
    storer_candidate_t candidate;
    apr_status_t rv;
    int questions = 0;

    best->key.data = NULL;
    storer_mapping_begin(&cursor, mapping);
    for (rv = storer_mapping_next(&cursor, &entry); rv == APR_SUCCESS;
         rv = storer_mapping_next(&cursor, &entry)) {
        if (!stands(election, &entry, best, &candidate)) {
            continue;
        }
        if (careful) {
            if (++questions > QUESTIONS_MAX) {
                return APR_EINVAL;
            }
            if (is_superseded(cursor, entry.key)) {
                continue;
            }
        }
        *best = candidate;
        *behind = cursor;
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

apr_status_t storer_elect(storer_bytes_t mapping, const storer_request_t *request,
                          const storer_validator_t *validator, apr_time_t now,
                          const storer_candidate_t *after, storer_candidate_t *candidate)
{
    election_t election = { request, validator, now, after };
    storer_mapping_cursor_t behind;
    storer_candidate_t best;
    apr_status_t rv = elect(&election, mapping, 0, &best, &behind);

    if (rv == APR_SUCCESS && best.key.data && is_superseded(behind, best.key)) {
        rv = elect(&election, mapping, 1, &best, &behind);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!best.key.data) {
        return APR_NOTFOUND;
    }
    *candidate = best;
    return APR_SUCCESS;
}
