/* SPDX-License-Identifier: Apache-2.0
 *
 * vectors_mapping.c - vectors of update and decode: mappings as bytes and as what they mean.
 */
#include "tap.h"
#include "vectors.h"

#include <apr_base64.h>
#include <apr_strings.h>

#include <stdint.h>
#include <string.h>

/* ---- ours ---- */

static const char *time_text(const vector_t *vector, storer_timestamp_t time)
{
    return time.present ? apr_psprintf(vector->pool, "%" APR_INT64_T_FMT "+%d", time.seconds,
                                       (int)time.nanos) : "none";
}

static const char *values_text(const vector_t *vector, const storer_varied_t *varied)
{
    storer_value_cursor_t cursor;
    storer_bytes_t value;
    const char *text = "";

    storer_value_begin(&cursor, varied);
    while (storer_value_next(&cursor, &value) == APR_SUCCESS) {
        text = apr_pstrcat(vector->pool, text, vector_quote(vector, value), NULL);
    }
    return text;
}

static const char *varied_text(const vector_t *vector, const storer_mapping_entry_t *entry)
{
    apr_array_header_t *texts = apr_array_make(vector->pool, 4, sizeof(const char *));
    storer_varied_cursor_t cursor;
    storer_varied_t varied;

    storer_varied_begin(&cursor, entry);
    while (storer_varied_next(&cursor, &varied) == APR_SUCCESS) {
        if (!storer_varied_is_superseded(cursor, varied.name)) {
            APR_ARRAY_PUSH(texts, const char *) =
                apr_psprintf(vector->pool, "%s:%s", vector_quote(vector, varied.name),
                             values_text(vector, &varied));
        }
    }
    return vector_join(vector, texts);
}

static const char *mapping_text(const vector_t *vector, storer_bytes_t mapping)
{
    apr_array_header_t *texts = apr_array_make(vector->pool, 4, sizeof(const char *));
    storer_mapping_cursor_t cursor;
    storer_mapping_entry_t entry;
    apr_status_t rv;

    storer_mapping_begin(&cursor, mapping);
    for (rv = storer_mapping_next(&cursor, &entry); rv == APR_SUCCESS;
         rv = storer_mapping_next(&cursor, &entry)) {
        if (storer_mapping_is_superseded(cursor, entry.key)) {
            continue;
        }
        APR_ARRAY_PUSH(texts, const char *) =
            apr_psprintf(vector->pool, "%s{stored %s fresh %s stale %s etag %s real %s varied [%s]}",
                         vector_quote(vector, entry.key), time_text(vector, entry.stored_at),
                         time_text(vector, entry.fresh_time), time_text(vector, entry.stale_time),
                         vector_quote(vector, entry.etag), vector_quote(vector, entry.real_key),
                         varied_text(vector, &entry));
    }
    return rv == APR_EOF ? vector_join(vector, texts) : "error";
}

/* ---- theirs ---- */

static storer_timestamp_t their_time(const json_t *pair)
{
    storer_timestamp_t time = { 0, 0, 0 };

    if (json_is_array(pair)) {
        time.seconds = json_integer_value(json_array_get(pair, 0));
        time.nanos = (apr_int32_t)json_integer_value(json_array_get(pair, 1));
        time.present = 1;
    }
    return time;
}

/* Our interface has one value for each header: all lines, joined. */
static storer_bytes_t join_values(const vector_t *vector, const json_t *values)
{
    storer_bytes_t joined = { "", 0 };
    const json_t *value;
    size_t i;

    json_array_foreach(values, i, value) {
        storer_bytes_t add = vector_bytes(vector, value);
        apr_size_t comma = i > 0 ? 2 : 0;
        char *text = apr_palloc(vector->pool, joined.len + comma + add.len + 1);

        memcpy(text, joined.data, joined.len);
        memcpy(text + joined.len, ", ", comma);
        memcpy(text + joined.len + comma, add.data, add.len);
        joined.data = text;
        joined.len += comma + add.len;
    }
    return joined;
}

/* What is changed in an answer of Go's to make it ours. */
typedef struct change_t {
    apr_time_t  now;      /* entries that end by then go; INT64_MIN: none */
    int         join;     /* 1: the values of the header are one, in the entry `key` */
    const char *key;
} change_t;

static const change_t as_it_is = { INT64_MIN, 0, "" };

static const char *their_varied_text(const vector_t *vector, json_t *headers, int join)
{
    apr_array_header_t *texts = apr_array_make(vector->pool, 4, sizeof(const char *));
    const char *name;
    json_t *values, *value;
    size_t i;

    json_object_foreach(headers, name, values) {
        const char *text = "";

        json_array_foreach(values, i, value) {
            text = apr_pstrcat(vector->pool, text,
                               vector_quote(vector, vector_bytes(vector, value)), NULL);
        }
        text = join ? vector_quote(vector, join_values(vector, values)) : text;
        APR_ARRAY_PUSH(texts, const char *) =
            apr_psprintf(vector->pool, "%s:%s", vector_quote(vector, vector_key(vector, name)), text);
    }
    return vector_join(vector, texts);
}

static int ends_by(const json_t *entry, apr_time_t now)
{
    return storer_timestamp_time(their_time(json_object_get(entry, "fresh_time"))) <= now
           && storer_timestamp_time(their_time(json_object_get(entry, "stale_time"))) <= now;
}

static const char *their_mapping_text(const vector_t *vector, json_t *decoded,
                                      const change_t *change)
{
    apr_array_header_t *texts = apr_array_make(vector->pool, 4, sizeof(const char *));
    const char *key;
    json_t *entry;

    if (json_is_null(decoded)) {
        return "error";
    }
    json_object_foreach(decoded, key, entry) {
        int is_new = strcmp(key, change->key) == 0;

        if (!is_new && ends_by(entry, change->now)) {
            continue;
        }
        APR_ARRAY_PUSH(texts, const char *) = apr_psprintf(
            vector->pool, "%s{stored %s fresh %s stale %s etag %s real %s varied [%s]}",
            vector_quote(vector, vector_key(vector, key)),
            time_text(vector, their_time(vector_member(vector, entry, "stored_at"))),
            time_text(vector, their_time(vector_member(vector, entry, "fresh_time"))),
            time_text(vector, their_time(vector_member(vector, entry, "stale_time"))),
            vector_quote(vector, vector_field(vector, entry, "etag")),
            vector_quote(vector, vector_field(vector, entry, "real_key")),
            their_varied_text(vector, vector_member(vector, entry, "varied_headers"),
                              is_new && change->join));
    }
    return vector_join(vector, texts);
}

/* ---- the vectors ---- */

void vector_decode(const vector_t *vector, verdict_t *verdict)
{
    json_t *item = vector_member(vector, vector->in, "item");

    verdict->ours = mapping_text(vector, vector_base64(vector, item));
    vector_expect(verdict, their_mapping_text(vector, vector_member(vector, vector->out, "decoded"),
                                              &as_it_is));
}

static void take_headers(const vector_t *vector, json_t *object, storer_mapping_new_t *entry)
{
    storer_header_t *headers;
    const char *name;
    json_t *values;

    headers = apr_pcalloc(vector->pool, (json_object_size(object) + 1) * sizeof(*headers));
    entry->varied_headers = headers;
    entry->varied_count = 0;
    json_object_foreach(object, name, values) {
        storer_header_t *header = &headers[entry->varied_count++];

        header->name = vector_key(vector, name);
        header->value = join_values(vector, values);
    }
}

static const char *exact_text(const vector_t *vector, const char *meaning, storer_bytes_t bytes)
{
    char *text = apr_palloc(vector->pool, (apr_size_t)apr_base64_encode_len((int)bytes.len));

    apr_base64_encode(text, bytes.data, (int)bytes.len);
    return apr_psprintf(vector->pool, "%s, byte for byte %s", meaning, text);
}

static const char *our_update(const vector_t *vector, storer_bytes_t old,
                              storer_mapping_new_t *entry, verdict_t *verdict)
{
    storer_bytes_t mapping, alone;
    apr_time_t now = storer_timestamp_time(entry->stored_at);
    const char *text;
    int damaged;

    if (storer_mapping_put(old, entry, now, 0, &mapping, NULL, NULL, &damaged, vector->pool)
        != APR_SUCCESS) {
        return "error";
    }
    text = mapping_text(vector, mapping);
    if (damaged) {
        storer_mapping_put((storer_bytes_t){ NULL, 0 }, entry, now, 0, &alone, NULL, NULL, NULL,
                           vector->pool);
        vector_rule(verdict, "repair",
                    apr_pstrcat(vector->pool, "anew: ", mapping_text(vector, alone), NULL));
        return apr_pstrcat(vector->pool, "anew: ", text, NULL);
    }
    return vector->exact ? exact_text(vector, text, mapping) : text;
}

/* Go's answer, changed by the rules. */
static void rule_on_update(const vector_t *vector, json_t *decoded, const char *ours,
                           verdict_t *verdict)
{
    json_t *now = vector_member(vector, vector->in, "now"), *values;
    change_t change = { storer_timestamp_time(their_time(now)), 0, "" };
    const char *name, *text;

    change.key = json_string_value(json_object_get(vector->in, "key"));
    change.key = change.key ? change.key : "";
    vector_rule(verdict, "prune", their_mapping_text(vector, decoded, &change));
    json_object_foreach(vector_member(vector, vector->in, "varied_headers"), name, values) {
        change.join |= json_array_size(values) != 1;
    }
    if (change.join) {
        text = their_mapping_text(vector, decoded, &change);
        vector_rule(verdict, "one value",
                    strncmp(ours, text, strlen(text)) == 0 ? ours : text); /* not the same bytes */
    }
}

void vector_update(const vector_t *vector, verdict_t *verdict)
{
    json_t *item = json_object_get(vector->in, "item");
    json_t *decoded = json_object_get(vector->out, "decoded");
    storer_bytes_t old = { NULL, 0 };
    storer_mapping_new_t entry;
    const char *text;

    old = item ? vector_base64(vector, item) : old;
    entry.key = vector_field(vector, vector->in, "key");
    entry.real_key = vector_field(vector, vector->in, "real_key");
    entry.etag = vector_field(vector, vector->in, "etag");
    entry.stored_at = their_time(vector_member(vector, vector->in, "now"));
    entry.fresh_time = their_time(vector_member(vector, vector->in, "fresh"));
    entry.stale_time = their_time(vector_member(vector, vector->in, "stale"));
    take_headers(vector, vector_member(vector, vector->in, "varied_headers"), &entry);
    verdict->ours = our_update(vector, old, &entry, verdict);
    if (!json_is_null(vector_member(vector, vector->out, "error"))) {
        vector_expect(verdict, "error");
        return;
    }
    text = their_mapping_text(vector, decoded, &as_it_is);
    vector_expect(verdict, vector->exact
                               ? exact_text(vector, text,
                                            vector_base64(vector, vector_member(vector, vector->out,
                                                                                "mapping")))
                               : text);
    rule_on_update(vector, decoded, verdict->ours, verdict);
}
