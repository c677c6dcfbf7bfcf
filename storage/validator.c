/* SPDX-License-Identifier: Apache-2.0
 *
 * validator.c - the conditional part of a request against entity-tags: RFC 9110 sections 8.8.3,
 * 13.1.1 and 13.1.2. Which variant a condition selects is upstream's rule (formats of
 * types.Revalidator); how tags are split and compared is the RFC's.
 */
#include "election.h"
#include "storer_private.h"

static int is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* The next element of a comma-separated list, without the space around it; commas inside a quoted
 * opaque-tag do not separate. 0: no more. */
static int next_element(storer_bytes_t *list, storer_bytes_t *element)
{
    apr_size_t i = 0, end;
    int quoted = 0;

    while (list->len > 0 && (is_space(*list->data) || *list->data == ',')) {
        list->data++;
        list->len--;
    }
    if (list->len == 0) {
        return 0;
    }
    while (i < list->len && (quoted || list->data[i] != ',')) {
        quoted ^= list->data[i] == '"';
        i++;
    }
    for (end = i; end > 0 && is_space(list->data[end - 1]); end--) {
    }
    element->data = list->data;
    element->len = end;
    list->data += i;
    list->len -= i;
    return 1;
}

static apr_array_header_t *split(storer_bytes_t value, apr_pool_t *pool)
{
    apr_array_header_t *tags = apr_array_make(pool, 2, sizeof(storer_bytes_t));
    storer_bytes_t tag;

    while (value.data && next_element(&value, &tag)) {
        APR_ARRAY_PUSH(tags, storer_bytes_t) = tag;
    }
    return tags;
}

static storer_bytes_t header_of(const storer_request_t *request, const char *name)
{
    return request->header(request->baton, storer_bytes(name));
}

void storer_validator_parse(storer_validator_t *validator, const storer_request_t *request,
                            apr_pool_t *pool)
{
    memset(validator, 0, sizeof(*validator));
    validator->if_none_match = split(header_of(request, "If-None-Match"), pool);
    validator->if_match = split(header_of(request, "If-Match"), pool);
    validator->if_modified_since_present = header_of(request, "If-Modified-Since").data != NULL;
    validator->if_unmodified_since_present = header_of(request, "If-Unmodified-Since").data != NULL;
    storer_validator_reset(validator);
}

void storer_validator_reset(storer_validator_t *validator)
{
    validator->need_revalidation = validator->if_modified_since_present
                                   || validator->if_unmodified_since_present;
    validator->matched = 0;
    validator->not_modified = 0;
    validator->response_etag.data = NULL;
    validator->response_etag.len = 0;
}

static int is_weak(storer_bytes_t tag)
{
    return tag.len >= 2 && tag.data[0] == 'W' && tag.data[1] == '/';
}

static int equals_weakly(storer_bytes_t a, storer_bytes_t b)
{
    apr_size_t a_prefix = is_weak(a) ? 2 : 0, b_prefix = is_weak(b) ? 2 : 0;

    a.data += a_prefix;
    a.len -= a_prefix;
    b.data += b_prefix;
    b.len -= b_prefix;
    return storer_bytes_equal(a, b);
}

static int equals_strongly(storer_bytes_t a, storer_bytes_t b)
{
    return !is_weak(a) && !is_weak(b) && storer_bytes_equal(a, b);
}

static int is_any(storer_bytes_t tag)
{
    return tag.len == 1 && tag.data[0] == '*';
}

static int count_of(const apr_array_header_t *tags)
{
    return tags ? tags->nelts : 0;
}

int storer_validator_allows(const storer_validator_t *validator, storer_bytes_t etag)
{
    int weakly = count_of(validator->if_none_match) > 0, i;
    const apr_array_header_t *tags = weakly ? validator->if_none_match : validator->if_match;

    if (count_of(tags) == 0) {
        return 1;
    }
    for (i = 0; i < tags->nelts; i++) {
        storer_bytes_t tag = APR_ARRAY_IDX(tags, i, storer_bytes_t);

        if (is_any(tag)) {
            /* If-None-Match: whatever there is. If-Match: upstream wants a tag to be there. */
            if (weakly || etag.len > 0) {
                return 1;
            }
        }
        else if (etag.len > 0
                 && (weakly ? equals_weakly(tag, etag) : equals_strongly(tag, etag))) {
            return 1;
        }
    }
    return 0;
}

int storer_validator_check(storer_validator_t *validator, storer_bytes_t etag)
{
    storer_validator_reset(validator);
    validator->matched = storer_validator_allows(validator, etag);
    validator->not_modified = validator->matched && count_of(validator->if_none_match) > 0;
    validator->need_revalidation |= etag.len > 0;
    validator->response_etag = etag;
    return validator->matched;
}
