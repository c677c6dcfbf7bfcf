/* SPDX-License-Identifier: Apache-2.0
 *
 * frame.c - LZ4 frames by liblz4, see frame.h.
 */
#include "frame.h"
#include "storer_private.h"

#include <lz4frame.h>

#include <stdlib.h>

#define BLOCK       65536u
/* What liblz4 waits for between two blocks: the four bytes of a block's size. */
#define BLOCK_SIZE_FIELD 4

static const LZ4F_preferences_t preferences = {
    .frameInfo = { .blockSizeID = LZ4F_max64KB, .blockMode = LZ4F_blockIndependent,
                   .contentChecksumFlag = LZ4F_contentChecksumEnabled },
};

/* ---- writing ---- */

struct storer_encoder_t {
    LZ4F_cctx *context;
    int        begun;
    size_t     room;
    char      *buffer;
};

apr_status_t storer_encoder_create(storer_encoder_t **out)
{
    storer_encoder_t *encoder = calloc(1, sizeof(*encoder));

    if (!encoder) {
        return APR_ENOMEM;
    }
    encoder->room = LZ4F_compressBound(BLOCK, &preferences) + LZ4F_HEADER_SIZE_MAX;
    encoder->buffer = malloc(encoder->room);
    if (!encoder->buffer
        || LZ4F_isError(LZ4F_createCompressionContext(&encoder->context, LZ4F_VERSION))) {
        storer_encoder_destroy(encoder);
        return APR_ENOMEM;
    }
    *out = encoder;
    return APR_SUCCESS;
}

void storer_encoder_destroy(storer_encoder_t *encoder)
{
    if (encoder) {
        LZ4F_freeCompressionContext(encoder->context);
        free(encoder->buffer);
        free(encoder);
    }
}

/* Hand on what liblz4 has written; `written` may be an error of its. */
static apr_status_t emit(storer_encoder_t *encoder, size_t written, storer_frame_sink_fn *sink,
                         void *baton)
{
    storer_bytes_t bytes = { encoder->buffer, written };

    if (LZ4F_isError(written)) {
        return APR_EGENERAL;
    }
    return written ? sink(baton, bytes) : APR_SUCCESS;
}

static apr_status_t begin(storer_encoder_t *encoder, storer_frame_sink_fn *sink, void *baton)
{
    if (encoder->begun) {
        return APR_SUCCESS;
    }
    encoder->begun = 1;
    return emit(encoder, LZ4F_compressBegin(encoder->context, encoder->buffer, encoder->room,
                                            &preferences), sink, baton);
}

apr_status_t storer_encoder_add(storer_encoder_t *encoder, storer_bytes_t bytes,
                                storer_frame_sink_fn *sink, void *baton)
{
    apr_status_t rv = begin(encoder, sink, baton);

    while (rv == APR_SUCCESS && bytes.len > 0) {
        size_t part = bytes.len < BLOCK ? bytes.len : BLOCK;

        rv = emit(encoder, LZ4F_compressUpdate(encoder->context, encoder->buffer, encoder->room,
                                               bytes.data, part, NULL), sink, baton);
        bytes.data += part;
        bytes.len -= part;
    }
    return rv;
}

apr_status_t storer_encoder_finish(storer_encoder_t *encoder, storer_frame_sink_fn *sink,
                                   void *baton)
{
    apr_status_t rv = begin(encoder, sink, baton);

    if (rv == APR_SUCCESS) {
        rv = emit(encoder, LZ4F_compressEnd(encoder->context, encoder->buffer, encoder->room,
                                            NULL), sink, baton);
    }
    return rv;
}

static apr_status_t collect(void *baton, storer_bytes_t bytes)
{
    storer_bytes_t *out = baton;

    memcpy((char *)out->data + out->len, bytes.data, bytes.len);
    out->len += bytes.len;
    return APR_SUCCESS;
}

apr_status_t storer_frame_encode(storer_bytes_t bytes, storer_bytes_t *out, apr_pool_t *pool)
{
    storer_encoder_t *encoder;
    storer_bytes_t frame = { NULL, 0 };
    apr_status_t rv = storer_encoder_create(&encoder);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    frame.data = apr_palloc(pool, LZ4F_compressFrameBound(bytes.len, &preferences));
    rv = storer_encoder_add(encoder, bytes, collect, &frame);
    if (rv == APR_SUCCESS) {
        rv = storer_encoder_finish(encoder, collect, &frame);
    }
    storer_encoder_destroy(encoder);
    if (rv == APR_SUCCESS) {
        *out = frame;
    }
    return rv;
}

/* ---- reading ---- */

struct storer_decoder_t {
    LZ4F_dctx *context;
    apr_off_t  left;       /* bytes that may still come out */
    unsigned   begun;      /* bytes of the magic number seen */
    int        ended;
    size_t     awaited;    /* what liblz4 wants to see next */
};

apr_status_t storer_decoder_create(storer_decoder_t **out, apr_off_t limit)
{
    storer_decoder_t *decoder = calloc(1, sizeof(*decoder));

    if (!decoder) {
        return APR_ENOMEM;
    }
    if (LZ4F_isError(LZ4F_createDecompressionContext(&decoder->context, LZ4F_VERSION))) {
        free(decoder);
        return APR_ENOMEM;
    }
    decoder->left = limit;
    *out = decoder;
    return APR_SUCCESS;
}

void storer_decoder_destroy(storer_decoder_t *decoder)
{
    if (decoder) {
        LZ4F_freeDecompressionContext(decoder->context);
        free(decoder);
    }
}

/* liblz4 takes a skippable frame for an empty one; here it is no frame. */
static int begins_frame(storer_decoder_t *decoder, storer_bytes_t in)
{
    static const unsigned char magic[] = { 0x04, 0x22, 0x4d, 0x18 };
    apr_size_t i;

    for (i = 0; i < in.len && decoder->begun < sizeof(magic); i++, decoder->begun++) {
        if ((unsigned char)in.data[i] != magic[decoder->begun]) {
            return 0;
        }
    }
    return 1;
}

/* At the limit one more byte is asked for: if it comes, there is too much. */
static apr_status_t probe(storer_decoder_t *decoder, storer_bytes_t *in)
{
    char extra;
    size_t got = 1, used = in->len, hint;

    hint = LZ4F_decompress(decoder->context, &extra, &got, in->data, &used, NULL);
    if (LZ4F_isError(hint)) {
        return APR_EINVAL;
    }
    in->data += used;
    in->len -= used;
    decoder->awaited = hint;
    decoder->ended = hint == 0;
    if (got) {
        return APR_ENOSPC;
    }
    return decoder->ended ? APR_EOF : APR_SUCCESS;
}

apr_status_t storer_decoder_read(storer_decoder_t *decoder, storer_bytes_t *in, char *out,
                                 apr_size_t *size)
{
    size_t got = *size, used = in->len, hint;

    *size = 0;
    if (decoder->ended) {
        return APR_EOF;
    }
    if (!begins_frame(decoder, *in)) {
        return APR_EINVAL;
    }
    if (decoder->left == 0) {
        return probe(decoder, in);
    }
    if ((apr_off_t)got > decoder->left) {
        got = (size_t)decoder->left;
    }
    hint = LZ4F_decompress(decoder->context, out, &got, in->data, &used, NULL);
    if (LZ4F_isError(hint)) {
        return APR_EINVAL;
    }
    in->data += used;
    in->len -= used;
    *size = got;
    decoder->left -= (apr_off_t)got;
    decoder->awaited = hint;
    decoder->ended = hint == 0;
    return decoder->ended ? APR_EOF : APR_SUCCESS;
}

/* Output of unknown size: doubled when it is full, never beyond the limit. */
typedef struct growing_t {
    char      *data;
    apr_size_t len, room, limit;
    apr_pool_t *pool;
} growing_t;

static void make_room(growing_t *growing)
{
    apr_size_t room = growing->room > growing->limit / 2 ? growing->limit : growing->room * 2;
    char *larger = apr_palloc(growing->pool, room ? room : 1);

    memcpy(larger, growing->data, growing->len);
    growing->data = larger;
    growing->room = room;
}

apr_status_t storer_frame_decode(storer_bytes_t frame, apr_size_t limit, storer_bytes_t *out,
                                 int *complete, apr_pool_t *pool)
{
    growing_t growing = { NULL, 0, limit < BLOCK ? limit : BLOCK, limit, pool };
    storer_decoder_t *decoder;
    apr_size_t got;
    apr_status_t rv = storer_decoder_create(&decoder, (apr_off_t)limit);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    growing.data = apr_palloc(pool, growing.room + 1);
    do {
        if (growing.len == growing.room && growing.room < limit) {
            make_room(&growing);
        }
        got = growing.room - growing.len;
        rv = storer_decoder_read(decoder, &frame, growing.data + growing.len, &got);
        growing.len += got;
    } while (rv == APR_SUCCESS && (got > 0 || frame.len > 0));
    /* A frame may stop after any block, but not in one. */
    if (rv == APR_EOF || (rv == APR_SUCCESS && decoder->awaited == BLOCK_SIZE_FIELD)) {
        if (complete) {
            *complete = rv == APR_EOF;
        }
        out->data = growing.data;
        out->len = growing.len;
        rv = APR_SUCCESS;
    }
    else if (rv == APR_SUCCESS) {
        rv = APR_EINVAL;
    }
    storer_decoder_destroy(decoder);
    return rv;
}
