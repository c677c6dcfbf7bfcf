/* SPDX-License-Identifier: Apache-2.0
 *
 * vectors_frame.c - vectors of lz4: frames that Go wrote, and what it reads in others.
 */
#include "frame.h"
#include "storer_private.h"
#include "tap.h"
#include "vectors.h"

#include <apr_strings.h>

#define DATA_MAX 16777216

static const char *data_text(const vector_t *vector, storer_bytes_t data)
{
    return apr_psprintf(vector->pool, "%lu bytes %s", (unsigned long)data.len,
                        vector_quote(vector, data));
}

static int survives(const vector_t *vector, storer_bytes_t data)
{
    storer_bytes_t frame, again;
    int complete;

    return storer_frame_encode(data, &frame, vector->pool) == APR_SUCCESS
           && storer_frame_decode(frame, data.len, &again, &complete, vector->pool) == APR_SUCCESS
           && complete && storer_bytes_equal(again, data);
}

/* Frames need not be the same bytes; each must be readable here, and ours must keep the data. */
static void written(const vector_t *vector, verdict_t *verdict)
{
    const char *mode = json_string_value(vector_member(vector, vector->in, "mode"));
    storer_bytes_t data = vector_base64(vector, vector_member(vector, vector->in, "data"));
    storer_bytes_t frame = vector_base64(vector, vector_member(vector, vector->out, "frame"));
    storer_bytes_t read;
    int complete;

    vector_expect(verdict, apr_pstrcat(vector->pool, strstr(mode, "close") ? "" : "in", "complete ",
                                       data_text(vector, data), NULL));
    if (storer_frame_decode(frame, data.len, &read, &complete, vector->pool) != APR_SUCCESS) {
        verdict->ours = "error";
    }
    else if (!survives(vector, data)) {
        verdict->ours = "lost in our own frame";
    }
    else {
        verdict->ours = apr_pstrcat(vector->pool, complete ? "" : "in", "complete ",
                                    data_text(vector, read), NULL);
    }
}

static void foreign(const vector_t *vector, verdict_t *verdict)
{
    storer_bytes_t frame = vector_base64(vector, vector_member(vector, vector->in, "frame"));
    storer_bytes_t theirs = vector_base64(vector, vector_member(vector, vector->out, "data"));
    json_t *error = vector_member(vector, vector->out, "error");
    storer_bytes_t read = { "", 0 };
    int complete = 0;

    verdict->ours = storer_frame_decode(frame, DATA_MAX, &read, &complete, vector->pool)
                            == APR_SUCCESS ? data_text(vector, read) : "error";
    /* "EOF": all blocks were whole, and the frame just stopped, or there was none. */
    if (!json_is_string(error) || strcmp(json_string_value(error), "EOF") == 0) {
        vector_expect(verdict, frame.len > 0 ? data_text(vector, theirs) : "error");
    }
    else {
        vector_expect(verdict, "error");
    }
    if (complete && read.len < theirs.len && memcmp(read.data, theirs.data, read.len) == 0) {
        vector_rule(verdict, "one frame", data_text(vector, read));
    }
}

void vector_lz4(const vector_t *vector, verdict_t *verdict)
{
    const char *op = json_string_value(vector_member(vector, vector->in, "op"));

    if (strcmp(op, "lz4_enc") == 0) {
        written(vector, verdict);
    }
    else if (strcmp(op, "lz4_dec") == 0) {
        foreign(vector, verdict);
    }
    else {
        bail_out("vector \"%s\" is of the unknown kind %s", vector->name, op);
    }
}
