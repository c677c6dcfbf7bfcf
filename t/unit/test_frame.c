/* SPDX-License-Identifier: Apache-2.0
 *
 * test_frame.c - LZ4 frames: round trips in pieces of all sizes, frames cut or changed, limits.
 */
#include "frame.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <lz4frame.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KIB(n) ((apr_size_t)(n) * 1024)

/* Compresses to about a third; the same every time. */
static storer_bytes_t text_of(apr_size_t len, apr_pool_t *pool)
{
    static const char *const words[] = { "cache", " ", "storer", "\n", "variant", "0",
                                         "of a response" };
    char *data = apr_palloc(pool, len + 16);
    uint32_t random = 12345;
    apr_size_t at = 0;

    while (at < len) {
        const char *word = words[(random >> 16) % 7];

        random = random * 1103515245u + 12345u;
        memcpy(data + at, word, strlen(word));
        at += strlen(word);
        data[at - 1] = (char)(data[at - 1] ^ (char)((random >> 24) & 1));
    }
    return (storer_bytes_t){ data, len };
}

static storer_bytes_t noise_of(apr_size_t len, apr_pool_t *pool)
{
    char *data = apr_palloc(pool, len + 1);
    uint32_t random = 99;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        random = random * 1664525u + 1013904223u;
        data[i] = (char)(random >> 24);
    }
    return (storer_bytes_t){ data, len };
}

static storer_bytes_t encode(storer_bytes_t data, apr_pool_t *pool)
{
    storer_bytes_t frame = { NULL, 0 };

    if (storer_frame_encode(data, &frame, pool) != APR_SUCCESS) {
        bail_out("can't encode %lu bytes", (unsigned long)data.len);
    }
    return frame;
}

static int same(storer_bytes_t a, storer_bytes_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Is this what decoding gives, with the length itself as the limit and with more? */
static void decodes(storer_bytes_t frame, storer_bytes_t data, const char *what, apr_pool_t *pool)
{
    apr_size_t limits[2];
    int i;

    limits[0] = data.len;
    limits[1] = data.len * 3 + 70000;
    for (i = 0; i < 2; i++) {
        storer_bytes_t got = { NULL, 0 };
        int complete = -1;
        apr_status_t rv = storer_frame_decode(frame, limits[i], &got, &complete, pool);

        is_status(rv, APR_SUCCESS, "%s of %lu bytes, limit %lu", what, (unsigned long)data.len,
                  (unsigned long)limits[i]);
        ok(got.data && same(got, data) && complete == 1, "all of it, and its end");
    }
}

static void round_trips(apr_pool_t *parent)
{
    static const apr_size_t sizes[] = { 0, 1, 2, 12, 13, 4095, KIB(64) - 1, KIB(64), KIB(64) + 1,
                                        KIB(128) - 1, KIB(128), KIB(128) + 1, KIB(1024),
                                        KIB(5 * 1024), KIB(5 * 1024) + 7 };
    size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        storer_bytes_t text, noise, frame;
        apr_pool_t *pool;

        apr_pool_create(&pool, parent);
        text = text_of(sizes[i], pool);
        noise = noise_of(sizes[i], pool);
        frame = encode(text, pool);
        decodes(frame, text, "text", pool);
        ok(text.len < 4095 || frame.len < text.len / 2 + 100, "text gets smaller");
        frame = encode(noise, pool);
        decodes(frame, noise, "noise", pool);
        ok(frame.len <= noise.len + 19 + 4 * (noise.len / KIB(64) + 1), "noise hardly gets larger");
        if (sizes[i] > 0) {
            storer_bytes_t got = { "untouched", 9 };

            is_status(storer_frame_decode(frame, sizes[i] - 1, &got, NULL, pool), APR_ENOSPC,
                      "one byte above the limit");
            is_bytes(got, storer_bytes("untouched"), "the output is untouched");
        }
        apr_pool_destroy(pool);
    }
}

/* A sink that gathers. */
typedef struct sink_t {
    char      *data;
    apr_size_t len, room;
    int        fails_at;   /* the call that fails; 0: none */
    int        calls;
} sink_t;

static apr_status_t gather(void *baton, storer_bytes_t bytes)
{
    sink_t *sink = baton;

    if (++sink->calls == sink->fails_at) {
        return APR_ENOSPC;
    }
    if (!bytes.len || sink->len + bytes.len > sink->room) {
        return APR_EGENERAL;
    }
    memcpy(sink->data + sink->len, bytes.data, bytes.len);
    sink->len += bytes.len;
    return APR_SUCCESS;
}

static apr_status_t encode_in_pieces(storer_bytes_t data, apr_size_t piece, sink_t *sink)
{
    storer_encoder_t *encoder;
    apr_status_t rv = storer_encoder_create(&encoder);

    while (rv == APR_SUCCESS && data.len > 0) {
        storer_bytes_t part = { data.data, data.len < piece ? data.len : piece };

        rv = storer_encoder_add(encoder, part, gather, sink);
        data.data += part.len;
        data.len -= part.len;
    }
    if (rv == APR_SUCCESS) {
        rv = storer_encoder_finish(encoder, gather, sink);
    }
    storer_encoder_destroy(encoder);
    return rv;
}

/* Reads with input and output in pieces; returns what the last read did. */
static apr_status_t decode_in_pieces(storer_bytes_t frame, apr_size_t in_piece,
                                     apr_size_t out_piece, apr_off_t limit, sink_t *sink)
{
    storer_decoder_t *decoder;
    storer_bytes_t in = { frame.data, 0 };
    apr_status_t rv = storer_decoder_create(&decoder, limit);
    apr_size_t size = 1;

    while (rv == APR_SUCCESS && (frame.len > 0 || in.len > 0 || size > 0)) {
        if (in.len == 0 && frame.len > 0) {
            in.data = frame.data;
            in.len = frame.len < in_piece ? frame.len : in_piece;
            frame.data += in.len;
            frame.len -= in.len;
        }
        size = sink->room - sink->len < out_piece ? sink->room - sink->len : out_piece;
        rv = storer_decoder_read(decoder, &in, sink->data + sink->len, &size);
        sink->len += size;
    }
    if (rv == APR_EOF) {
        size = sink->room - sink->len;
        rv = storer_decoder_read(decoder, &in, sink->data + sink->len, &size) == APR_EOF && !size
             ? APR_EOF : APR_EGENERAL;
    }
    storer_decoder_destroy(decoder);
    return rv;
}

static void in_pieces(apr_pool_t *pool)
{
    static const apr_size_t pieces[] = { 1, 7, 1000, KIB(64), KIB(300) };
    storer_bytes_t data = text_of(KIB(200) + 5, pool);
    char *frame = apr_palloc(pool, KIB(300)), *back = apr_palloc(pool, KIB(300));
    size_t i, k, m;

    for (i = 0; i < 5; i++) {
        sink_t encoded = { frame, 0, KIB(300), 0, 0 };
        storer_bytes_t bytes = { frame, 0 };

        is_status(encode_in_pieces(data, pieces[i], &encoded), APR_SUCCESS,
                  "written %lu bytes at a time", (unsigned long)pieces[i]);
        bytes.len = encoded.len;
        decodes(bytes, data, "written in pieces", pool);
        for (k = 0; k < 5; k++) {
            for (m = 0; m < 5; m += 1 + (size_t)(tap_slow() != 0)) {
                sink_t got = { back, 0, KIB(300), 0, 0 };
                apr_status_t rv = decode_in_pieces(bytes, pieces[k], pieces[m],
                                                   (apr_off_t)data.len, &got);

                ok(rv == APR_EOF && same((storer_bytes_t){ back, got.len }, data),
                   "read %lu bytes at a time into %lu", (unsigned long)pieces[k],
                   (unsigned long)pieces[m]);
            }
        }
    }
}

static void empty_frames(apr_pool_t *pool)
{
    char frame[64];
    sink_t sink = { frame, 0, sizeof(frame), 0, 0 };
    storer_encoder_t *encoder;

    is_status(encode_in_pieces((storer_bytes_t){ "", 0 }, 1, &sink), APR_SUCCESS, "nothing added");
    decodes((storer_bytes_t){ frame, sink.len }, (storer_bytes_t){ "", 0 }, "an empty frame", pool);
    is_status(storer_encoder_create(&encoder), APR_SUCCESS, "an encoder");
    sink.len = 0;
    is_status(storer_encoder_add(encoder, (storer_bytes_t){ "", 0 }, gather, &sink), APR_SUCCESS,
              "the empty string added");
    ok(sink.len > 0, "the header goes out with the first call");
    storer_encoder_destroy(encoder);
    storer_encoder_destroy(NULL);
    storer_decoder_destroy(NULL);
    ok(1, "destroying nothing does nothing");
}

static void failing_sink(apr_pool_t *pool)
{
    storer_bytes_t data = noise_of(KIB(200), pool);
    char *frame = apr_palloc(pool, KIB(300));
    int call;

    for (call = 1;; call++) {
        sink_t sink = { frame, 0, KIB(300), call, 0 };
        apr_status_t rv = encode_in_pieces(data, KIB(50), &sink);

        if (sink.calls < call) {
            is_status(rv, APR_SUCCESS, "no call fails");
            break;
        }
        is_status(rv, APR_ENOSPC, "the sink's failure is returned, call %d", call);
        is_int(sink.calls, call, "and it is not called again");
    }
    ok(call > 4, "%d calls failed", call - 1);
}

/* A frame that was cut is refused, or, at the end of a block, gives the blocks before it. */
static void truncated(storer_bytes_t data, const char *what, apr_pool_t *parent)
{
    storer_bytes_t frame = encode(data, parent);
    apr_size_t cut, step = frame.len > 5000 ? 37 : 1;
    unsigned partial = 0, wrong = 0;

    for (cut = 0; cut < frame.len; cut += cut < 100 || cut + 100 > frame.len ? 1 : step) {
        storer_bytes_t part = { NULL, cut }, got = { NULL, 0 };
        int complete = -1;
        apr_pool_t *pool;
        apr_status_t rv;

        apr_pool_create(&pool, parent);
        part.data = memcpy(malloc(cut + 1), frame.data, cut); /* its end is watched by sanitizers */
        rv = storer_frame_decode(part, data.len, &got, &complete, pool);
        if (rv == APR_SUCCESS) {
            partial++;
            wrong += complete != 0 || got.len > data.len
                     || memcmp(got.data, data.data, got.len) != 0
                     || (got.len < data.len && got.len % KIB(64) != 0);
        }
        else {
            wrong += rv != APR_EINVAL || got.data || complete != -1;
        }
        free((char *)part.data);
        apr_pool_destroy(pool);
    }
    is_int(wrong, 0, "%s: no cut gives wrong data, or calls itself complete", what);
    ok(partial > 0, "%s: %u cuts at the end of a block", what, partial);
}

/* Any bit changed: refused, or the very same data, but never other data that is called complete. */
static void flipped(storer_bytes_t data, apr_pool_t *parent)
{
    storer_bytes_t frame = encode(data, parent);
    char *copy = apr_pmemdup(parent, frame.data, frame.len);
    unsigned wrong = 0, refused = 0, incomplete = 0;
    apr_size_t i;
    int bit;

    for (i = 0; i < frame.len; i++) {
        for (bit = 0; bit < 8; bit++) {
            storer_bytes_t got = { NULL, 0 };
            int complete = -1;
            apr_pool_t *pool;
            apr_status_t rv;

            apr_pool_create(&pool, parent);
            copy[i] = (char)(frame.data[i] ^ (1 << bit));
            rv = storer_frame_decode((storer_bytes_t){ copy, frame.len }, data.len, &got,
                                     &complete, pool);
            refused += rv == APR_EINVAL || rv == APR_ENOSPC;
            wrong += rv == APR_SUCCESS ? complete && !same(got, data)
                                       : (rv != APR_EINVAL && rv != APR_ENOSPC) || got.data;
            incomplete += rv == APR_SUCCESS && !complete;
            copy[i] = frame.data[i];
            apr_pool_destroy(pool);
        }
    }
    is_int(wrong, 0, "no flipped bit gives other data (%u refused, %u without an end)", refused,
           incomplete);
    ok(refused > frame.len * 7, "nearly all are refused");
}

/* As older nodes of darkweak/storages write it: blocks of 4 MiB, and then nothing. */
static void without_end_mark(apr_pool_t *pool)
{
    static const apr_size_t sizes[] = { 1, 1000, KIB(4096) - 1, KIB(4096), KIB(4096) + 9 };
    LZ4F_preferences_t preferences = { .frameInfo = { .blockSizeID = LZ4F_max4MB,
                                                      .blockMode = LZ4F_blockIndependent,
                                                      .contentChecksumFlag = 1 } };
    size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        storer_bytes_t data = text_of(sizes[i], pool), got = { NULL, 0 };
        size_t room = LZ4F_compressFrameBound(data.len, &preferences);
        char *frame = apr_palloc(pool, room);
        int complete = -1;
        size_t len = LZ4F_compressFrame(frame, room, data.data, data.len, &preferences);

        if (LZ4F_isError(len)) {
            bail_out("liblz4: %s", LZ4F_getErrorName(len));
        }
        is_status(storer_frame_decode((storer_bytes_t){ frame, len - 8 }, data.len, &got, &complete,
                                      pool), APR_SUCCESS, "%lu bytes without an end mark",
                  (unsigned long)data.len);
        ok(got.data && same(got, data), "all of it");
        is_int(complete, 0, "it is not called complete");
        is_status(storer_frame_decode((storer_bytes_t){ frame, len - 8 }, data.len - 1, &got,
                                      NULL, pool), APR_ENOSPC, "the limit holds");
    }
}

/* A few KB that would become a gigabyte. */
static void bomb(apr_pool_t *parent)
{
    storer_bytes_t zeros = { calloc(1, KIB(32 * 1024)), KIB(32 * 1024) }, frame, got = { NULL, 0 };
    apr_off_t limits[] = { 0, 1, 1000, (apr_off_t)KIB(64), (apr_off_t)KIB(1024) };
    size_t i;

    frame = encode(zeros, parent);
    free((char *)zeros.data);
    ok(frame.len < KIB(200), "%lu bytes hold 32 MB", (unsigned long)frame.len);
    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        char *back = malloc((size_t)limits[i] + 100);
        sink_t sink = { back, 0, (apr_size_t)limits[i] + 100, 0, 0 };
        apr_pool_t *pool;

        apr_pool_create(&pool, parent);
        is_status(storer_frame_decode(frame, (apr_size_t)limits[i], &got, NULL, pool), APR_ENOSPC,
                  "a limit of %ld", (long)limits[i]);
        ok(!got.data, "no output");
        is_status(decode_in_pieces(frame, 100, 500, limits[i], &sink), APR_ENOSPC, "in pieces");
        is_int((long long)sink.len, limits[i], "no byte beyond the limit came out");
        free(back);
        apr_pool_destroy(pool);
    }
}

static void no_frames(apr_pool_t *pool)
{
    static const char *const texts[] = { "", "x", "HTTP/1.1 200 OK\r\n\r\nplain", "\x04\x22\x4d",
                                         "\x04\x22\x4d\x18", "\x04\x22\x4d\x18\x64\x70",
                                         "\x04\x22\x4d\x18\xff\xff\xff\xff\xff\xff",
                                         "\x02\x21\x4c\x18 legacy" };
    storer_bytes_t got = { "untouched", 9 };
    int complete = 7;
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        is_status(storer_frame_decode(storer_bytes(texts[i]), 1000, &got, &complete, pool),
                  APR_EINVAL, "no frame, %lu", (unsigned long)i);
    }
    is_status(storer_frame_decode((storer_bytes_t){ NULL, 0 }, 1000, &got, &complete, pool),
              APR_EINVAL, "nothing at all");
    is_bytes(got, storer_bytes("untouched"), "the output is untouched");
    is_int(complete, 7, "and so is whether it is complete");
}

static void what_follows(apr_pool_t *pool)
{
    storer_bytes_t data = text_of(300, pool), frame = encode(data, pool);
    char *longer = apr_palloc(pool, frame.len + 7);

    memcpy(longer, frame.data, frame.len);
    memcpy(longer + frame.len, "garbage", 7);
    decodes((storer_bytes_t){ longer, frame.len + 7 }, data, "bytes behind a frame", pool);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    round_trips(pool);
    in_pieces(pool);
    empty_frames(pool);
    failing_sink(pool);
    truncated(text_of(500, pool), "one block", pool);
    truncated(text_of(KIB(130), pool), "three blocks", pool);
    truncated(noise_of(KIB(128), pool), "two blocks of noise", pool);
    flipped(text_of(500, pool), pool);
    flipped(noise_of(100, pool), pool);
    without_end_mark(pool);
    bomb(pool);
    no_frames(pool);
    what_follows(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
