/* SPDX-License-Identifier: Apache-2.0
 *
 * vectors.h - what the parts of test_vectors share. A vector is one line of JSON: a name, what goes
 * in, and what came out of the Go code. Each kind of vector has a function that puts both what we
 * make of it and what Go made of it into text, the same for the same meaning; test_vectors.c
 * compares.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include "election.h"

#include <apr_tables.h>
#include <jansson.h>

typedef struct vector_t {
    const char *name;
    json_t     *in, *out;
    json_t     *newer;   /* out of a later version of the Go code, where that differs; or NULL */
    int         exact;   /* byte_exact: the bytes are the same with every run of the Go code */
    apr_pool_t *pool;
} vector_t;

/** What a rule by which we differ from Go makes of a vector. */
typedef struct ruling_t {
    const char *rule;             /* its name, see test_vectors.c */
    const char *text;             /* what ours should be then; "..." at its end: and anything */
} ruling_t;

typedef struct verdict_t {
    const char         *ours;
    apr_array_header_t *theirs;   /* of const char *: Go gave one or the other */
    apr_array_header_t *rulings;  /* of ruling_t: of all rules that may apply to the input */
} verdict_t;

/** Fills verdict->ours, and adds to verdict->theirs and verdict->rulings. */
typedef void vector_fn(const vector_t *vector, verdict_t *verdict);

vector_fn vector_update, vector_decode;          /* vectors_mapping.c */
vector_fn vector_elect;                          /* vectors_election.c */
vector_fn vector_etag, vector_parse_request;     /* vectors_validator.c */
vector_fn vector_lz4;                            /* vectors_frame.c */

/* ---- vectors_text.c ---- */

/** The vector in a line; ends the test where it is none. */
void vector_read(vector_t *vector, const char *line, size_t length, apr_pool_t *pool);

void vector_expect(verdict_t *verdict, const char *text);
void vector_rule(verdict_t *verdict, const char *rule, const char *text);

/** A member that must be there; ends the test where it is not. */
json_t *vector_member(const vector_t *vector, const json_t *object, const char *name);

/** Bytes of a JSON string, of base64, or of the member `name` in either form (`name`_b64). */
storer_bytes_t vector_bytes(const vector_t *vector, const json_t *string);
storer_bytes_t vector_base64(const vector_t *vector, const json_t *string);
storer_bytes_t vector_field(const vector_t *vector, const json_t *object, const char *name);
/** The bytes behind the name of a member. */
storer_bytes_t vector_key(const vector_t *vector, const char *name);

/** In quotes, with escapes. */
const char *vector_quote(const vector_t *vector, storer_bytes_t bytes);

/** The texts of an array, sorted and joined. */
const char *vector_join(const vector_t *vector, apr_array_header_t *texts);

/** true, 1 or absent? */
int vector_flag(const json_t *object, const char *name);

/* ---- vectors_validator.c ---- */

/** A request in raw form: its header fields, without Host, which Go keeps elsewhere.
 * repeated: 1 where a field has more than one line; may be NULL */
const storer_request_t *vector_request(const vector_t *vector, const char *raw, int *repeated);

/** Enter the rules about conditions: of a request with a mapping, or of one tag. */
void vector_rule_conditions(const vector_t *vector, const json_t *given,
                            const storer_request_t *request, storer_bytes_t etags,
                            verdict_t *verdict);

/** The validator a vector asks for: from the request, or as given. */
void vector_validator(const vector_t *vector, const json_t *given, const storer_request_t *request,
                      storer_validator_t *validator);

/** Its outputs. Go's not_modified says 304 only together with matched; ours is 0 without. */
const char *vector_outputs(const vector_t *vector, const storer_validator_t *validator);
const char *vector_their_outputs(const vector_t *vector, const json_t *validator);

#endif /* VECTORS_H */
