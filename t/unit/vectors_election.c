/* SPDX-License-Identifier: Apache-2.0
 *
 * vectors_election.c - vectors of elect: which of the responses of a mapping a request gets. The
 * test does for a host what is not the library's: it reads the stored response, an HTTP message in
 * a frame.
 */
#include "frame.h"
#include "storer_private.h"
#include "tap.h"
#include "vectors.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

#define RESPONSE_MAX 65536000

/* Times in the vectors lie in 2000 and 2100. */
#define NOW ((apr_time_t)1700000001 * APR_USEC_PER_SEC)

static const char *response_text(const vector_t *vector, int status, storer_bytes_t marker,
                                 storer_bytes_t body)
{
    return apr_psprintf(vector->pool, "status %d marker %s body %s", status,
                        vector_quote(vector, marker),
                        body.len < 200 ? vector_quote(vector, body)
                                       : apr_psprintf(vector->pool, "of %lu", (unsigned long)body.len));
}

/* Cuts the next line, which may end with LF alone, off the message. 0: there is none. */
static int next_line(storer_bytes_t *message, storer_bytes_t *line)
{
    const char *end = message->len ? memchr(message->data, '\n', message->len) : NULL;

    if (!end) {
        return 0;
    }
    line->data = message->data;
    line->len = (apr_size_t)(end - message->data);
    message->len -= line->len + 1;
    message->data = end + 1;
    if (line->len && line->data[line->len - 1] == '\r') {
        line->len--;
    }
    return 1;
}

static int field_is(storer_bytes_t line, const char *name, storer_bytes_t *value)
{
    size_t length = strlen(name);

    if (line.len <= length || line.data[length] != ':' || strncasecmp(line.data, name, length) != 0) {
        return 0;
    }
    for (length++; length < line.len && line.data[length] == ' '; length++) {
    }
    value->data = line.data + length;
    value->len = line.len - length;
    return 1;
}

/* The response as text, or NULL where it can't be read or its body is short. */
static const char *read_response(const vector_t *vector, storer_bytes_t frame)
{
    storer_bytes_t message, line, marker = { "", 0 }, value;
    apr_off_t length = -1;
    int status;

    if (storer_frame_decode(frame, RESPONSE_MAX, &message, NULL, vector->pool) != APR_SUCCESS
        || !next_line(&message, &line) || line.len < 12 || memcmp(line.data, "HTTP/1.1 ", 9) != 0) {
        return NULL;
    }
    status = atoi(apr_pstrmemdup(vector->pool, line.data + 9, 3));
    for (;;) {
        if (!next_line(&message, &line)) {
            return NULL;
        }
        if (line.len == 0) {
            break;
        }
        if (!memchr(line.data, ':', line.len)) {
            return NULL;
        }
        field_is(line, "X-Marker", &marker);
        if (field_is(line, "Content-Length", &value)) {
            length = atol(apr_pstrmemdup(vector->pool, value.data, value.len));
        }
    }
    if (length >= 0 && (apr_off_t)message.len < length) {
        return NULL;
    }
    message.len = length >= 0 ? (apr_size_t)length : message.len;
    return response_text(vector, status, marker, message);
}

static const char *find_value(const vector_t *vector, storer_bytes_t key)
{
    json_t *value;
    const char *name;

    json_object_foreach(vector_member(vector, vector->in, "values"), name, value) {
        if (storer_bytes_equal(vector_key(vector, name), key)) {
            return read_response(vector, vector_base64(vector, value));
        }
    }
    return NULL;
}

static const char *our_election(const vector_t *vector, verdict_t *verdict)
{
    const char *raw = json_string_value(vector_member(vector, vector->in, "raw")), *text = NULL;
    storer_bytes_t mapping = vector_base64(vector, vector_member(vector, vector->in, "item"));
    json_t *given = vector_member(vector, vector->in, "validator");
    int repeated;
    const storer_request_t *request = vector_request(vector, raw, &repeated);
    storer_candidate_t candidate, previous;
    const storer_candidate_t *after = NULL;
    storer_validator_t validator;

    if (repeated) {
        vector_rule(verdict, "every line", "...");
    }
    if (vector_flag(vector->in, "disable_vary")) {
        vector_rule(verdict, "Vary always", "...");
    }
    vector_rule_conditions(vector, given, request, mapping, verdict);
    vector_validator(vector, given, request, &validator);
    while (!text) {
        if (storer_elect(mapping, request, &validator, NOW, after, &candidate) != APR_SUCCESS) {
            return "none";
        }
        text = find_value(vector, candidate.key);
        previous = candidate;
        after = &previous;
    }
    storer_validator_check(&validator, candidate.etag);
    return apr_psprintf(vector->pool, "%s %s %s", candidate.fresh ? "fresh" : "stale", text,
                        vector_outputs(vector, &validator));
}

/* Go may give both; a fresh one is what the stale one would not be looked at for. What a validator
 * says without a response has no meaning. */
static const char *their_outcome(const vector_t *vector, const json_t *outcome)
{
    const char *kind = json_is_null(json_object_get(outcome, "fresh")) ? "stale" : "fresh";
    const json_t *response = vector_member(vector, outcome, kind);
    const json_t *length = json_object_get(response, "body_len");
    storer_bytes_t body, marker = { "", 0 };
    const json_t *named = json_object_get(response, "marker");

    if (json_is_null(response)) {
        return "none";
    }
    if (json_is_string(named)) {
        marker = vector_bytes(vector, named);
    }
    if (length) {
        body.data = "";
        body.len = (apr_size_t)json_integer_value(length);
    }
    else {
        body = vector_field(vector, response, "body");
    }
    return apr_psprintf(vector->pool, "%s %s %s", kind,
                        response_text(vector, (int)json_integer_value(json_object_get(response,
                                                                                      "status")),
                                      marker, body),
                        vector_their_outputs(vector, vector_member(vector, outcome, "validator")));
}

static void expect_outcomes(const vector_t *vector, const json_t *out, verdict_t *verdict)
{
    const json_t *outcome;
    size_t i;

    json_array_foreach(vector_member(vector, out, "outcomes"), i, outcome) {
        vector_expect(verdict, their_outcome(vector, outcome));
    }
}

void vector_elect(const vector_t *vector, verdict_t *verdict)
{
    verdict->ours = our_election(vector, verdict);
    expect_outcomes(vector, vector->out, verdict);
    if (vector->newer) {
        expect_outcomes(vector, vector->newer, verdict);
    }
}
