/* SPDX-License-Identifier: Apache-2.0
 *
 * vectors_text.c - reading vectors, and bytes as text. See vectors.h.
 */
#include "tap.h"
#include "vectors.h"

#include <apr_base64.h>
#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

/* jansson takes no NUL in a member's name, and the tests have one: U+F8FF stands for it. */
#define NUL_ESCAPE   "\\u0000"
#define STAND_ESCAPE "\\uf8ff"
#define STAND        "\xef\xa3\xbf"

static apr_status_t forget(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

void vector_read(vector_t *vector, const char *line, size_t length, apr_pool_t *pool)
{
    char *copy = apr_pstrmemdup(pool, line, length), *at;
    json_error_t error;
    json_t *json;

    for (at = strstr(copy, NUL_ESCAPE); at; at = strstr(at, NUL_ESCAPE)) {
        memcpy(at, STAND_ESCAPE, sizeof(STAND_ESCAPE) - 1);
    }
    json = json_loadb(copy, length, 0, &error);
    if (!json) {
        bail_out("not JSON: %s: %.80s", error.text, copy);
    }
    apr_pool_cleanup_register(pool, json, forget, apr_pool_cleanup_null);
    vector->pool = pool;
    vector->name = "?";
    vector->name = json_string_value(vector_member(vector, json, "name"));
    vector->in = vector_member(vector, json, "in");
    vector->out = vector_member(vector, json, "out");
    vector->newer = json_object_get(json, "out_newer_core");
    vector->exact = vector_flag(json, "byte_exact");
}

void vector_expect(verdict_t *verdict, const char *text)
{
    APR_ARRAY_PUSH(verdict->theirs, const char *) = text;
}

void vector_rule(verdict_t *verdict, const char *rule, const char *text)
{
    ruling_t ruling = { rule, text };

    APR_ARRAY_PUSH(verdict->rulings, ruling_t) = ruling;
}

json_t *vector_member(const vector_t *vector, const json_t *object, const char *name)
{
    json_t *member = json_object_get(object, name);

    if (!member) {
        bail_out("vector \"%s\" has no \"%s\"", vector->name, name);
    }
    return member;
}

static storer_bytes_t with_nuls(const vector_t *vector, const char *text, size_t length)
{
    char *copy = apr_pstrmemdup(vector->pool, text, length), *at = copy, *to = copy;
    storer_bytes_t bytes = { copy, 0 };

    while (at < copy + length) {
        if (strncmp(at, STAND, sizeof(STAND) - 1) == 0) {
            *to++ = '\0';
            at += sizeof(STAND) - 1;
        }
        else {
            *to++ = *at++;
        }
    }
    bytes.len = (apr_size_t)(to - copy);
    return bytes;
}

storer_bytes_t vector_bytes(const vector_t *vector, const json_t *string)
{
    if (!json_is_string(string)) {
        bail_out("vector \"%s\" lacks a string", vector->name);
    }
    return with_nuls(vector, json_string_value(string), json_string_length(string));
}

storer_bytes_t vector_key(const vector_t *vector, const char *name)
{
    return with_nuls(vector, name, strlen(name));
}

storer_bytes_t vector_base64(const vector_t *vector, const json_t *string)
{
    storer_bytes_t text = vector_bytes(vector, string);
    char *data = apr_palloc(vector->pool, (apr_size_t)apr_base64_decode_len(text.data) + 1);
    storer_bytes_t bytes = { data, (apr_size_t)apr_base64_decode(data, text.data) };

    return bytes;
}

storer_bytes_t vector_field(const vector_t *vector, const json_t *object, const char *name)
{
    json_t *coded = json_object_get(object, apr_pstrcat(vector->pool, name, "_b64", NULL));

    return coded ? vector_base64(vector, coded)
                 : vector_bytes(vector, vector_member(vector, object, name));
}

const char *vector_quote(const vector_t *vector, storer_bytes_t bytes)
{
    char *text = apr_palloc(vector->pool, bytes.len * 4 + 3), *to = text;
    apr_size_t i;

    *to++ = '"';
    for (i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];

        if (c < ' ' || c > '~' || c == '\\') {
            to += sprintf(to, "\\x%02x", c);
        }
        else {
            if (c == '"') {
                *to++ = '\\';
            }
            *to++ = (char)c;
        }
    }
    *to++ = '"';
    *to = '\0';
    return text;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *vector_join(const vector_t *vector, apr_array_header_t *texts)
{
    qsort(texts->elts, (size_t)texts->nelts, sizeof(const char *), compare_texts);
    return apr_array_pstrcat(vector->pool, texts, ' ');
}

int vector_flag(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}
