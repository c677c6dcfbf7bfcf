/* SPDX-License-Identifier: Apache-2.0
 *
 * body.c - see body.h. Called by the provider's callbacks; knows nothing of requests, because a
 * bucket is read wherever a filter happens to do so.
 */
#include "body.h"

#include "bucket.h"

#include "../storage/frame.h"

#include "http_main.h"
#include "apr_strings.h"

#include <string.h>

/* Below, the frame's own bytes and the decoder's memory cost more than is saved. */
#define BODY_COMPRESS_MIN 1024

/* The same where nobody has asked for it: what fits into a few packets costs a network store less than
 * the decoder does. */
#define BODY_COMPRESS_MIN_AUTO 4096

/* ------------------------------------------------------------------------------------------------
 * Which bodies are compressed
 * --------------------------------------------------------------------------------------------- */

static int begins_with(const char *text, const char *prefix)
{
    return ap_cstr_casecmpn(text, prefix, strlen(prefix)) == 0;
}

/* Media types whose content is compressed already. */
static int is_compressed_type(const char *type)
{
    static const char *const prefixes[] = {
        "image/", "video/", "audio/", "font/woff", "application/zip", "application/gzip",
        "application/pdf", "application/font-woff", "application/java-archive",
        "application/zstd", "application/vnd.openxmlformats", "application/vnd.oasis.opendocument",
        "application/x-7z", "application/x-bzip", "application/x-xz", "application/x-gzip",
        "application/x-rar", "application/x-zip", "application/vnd.rar"
    };
    apr_size_t i;

    if (begins_with(type, "image/svg") || begins_with(type, "image/bmp")
        || begins_with(type, "image/x-ms-bmp")) {
        return 0;
    }
    for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (begins_with(type, prefixes[i])) {
            return 1;
        }
    }
    return begins_with(type, "application/x-") && ap_strcasestr(type, "-compressed") != NULL;
}

int body_is_compressed(const config_server_t *config, const apr_table_t *headers, apr_off_t length)
{
    config_compression_e wish = config->compression;
    const char *encoding, *type;

    if (wish == CONFIG_COMPRESSION_NONE) {
        return 0;
    }
    if (wish == CONFIG_COMPRESSION_AUTO && config->store->ops->in_place) {
        return 0; /* a hit without a copy is worth more than the room */
    }
    if (length >= 0 && length < (wish == CONFIG_COMPRESSION_AUTO ? BODY_COMPRESS_MIN_AUTO
                                                                 : BODY_COMPRESS_MIN)) {
        return 0;
    }
    encoding = apr_table_get(headers, "Content-Encoding");
    if (encoding && ap_cstr_casecmp(encoding, "identity") != 0) {
        return 0;
    }
    type = apr_table_get(headers, "Content-Type");
    return !type || !is_compressed_type(type);
}

/* ------------------------------------------------------------------------------------------------
 * Reading piece by piece
 * --------------------------------------------------------------------------------------------- */

/* What the bucket owns: everything needed to go on, and to drop the entry if that fails. */
typedef struct body_stream_t {
    storer_view_t     view;
    storer_bytes_t    rest;      /* of the view's current part */
    storer_decoder_t *decoder;   /* NULL: the body is stored as it is */
    apr_off_t         expected;  /* length of the body; -1: not known */
    apr_off_t         delivered;
    storer_t         *store;
    storer_bytes_t    base_key;  /* in the same allocation */
} body_stream_t;

static void stream_destroy(void *data)
{
    body_stream_t *stream = data;

    storer_view_release(&stream->view);
    storer_decoder_destroy(stream->decoder);
    apr_bucket_free(stream);
}

/* Copy stored bytes. APR_EOF: the value is at its end. */
static apr_status_t next_plain(body_stream_t *stream, char *to, apr_size_t *size)
{
    apr_size_t piece;

    while (stream->rest.len == 0) {
        apr_status_t rv = storer_view_next(&stream->view);

        if (rv != APR_SUCCESS) {
            *size = 0;
            return rv;
        }
        stream->rest = stream->view.part;
    }
    piece = stream->rest.len < *size ? stream->rest.len : *size;
    memcpy(to, stream->rest.data, piece);
    stream->rest.data += piece;
    stream->rest.len -= piece;
    *size = piece;
    return APR_SUCCESS;
}

/* Decompress. APR_EOF: the frame is complete and verified. Size may be > 0 with it. */
static apr_status_t next_decoded(body_stream_t *stream, char *to, apr_size_t *size)
{
    apr_size_t room = *size;

    for (;;) {
        apr_size_t fed = stream->rest.len;
        apr_status_t rv;

        *size = room;
        rv = storer_decoder_read(stream->decoder, &stream->rest, to, size);
        if (rv != APR_SUCCESS || *size > 0) {
            return rv;
        }
        if (stream->rest.len > 0) {
            if (stream->rest.len == fed) {
                return APR_EINVAL; /* neither takes nor gives: it never will */
            }
            continue;
        }
        rv = storer_view_next(&stream->view);
        if (rv != APR_SUCCESS) {
            return APR_STATUS_IS_EOF(rv) ? APR_EINVAL : rv; /* the frame has no end */
        }
        stream->rest = stream->view.part;
    }
}

/* The next piece; at the end, whether it was the right one. */
static apr_status_t next_piece(body_stream_t *stream, char *to, apr_size_t *size)
{
    apr_status_t rv = stream->decoder ? next_decoded(stream, to, size)
                                      : next_plain(stream, to, size);

    if (rv == APR_SUCCESS || APR_STATUS_IS_EOF(rv)) {
        stream->delivered += (apr_off_t)*size;
        if (stream->expected >= 0
            && (stream->delivered > stream->expected
                || (APR_STATUS_IS_EOF(rv) && stream->delivered != stream->expected))) {
            return APR_EINVAL;
        }
    }
    return rv;
}

/* Damage stays, so the entry goes; an engine out of reach (APR_TIMEUP) may come back. */
static void report_failure(const body_stream_t *stream, apr_status_t rv)
{
    int damaged = rv == APR_EINVAL || rv == APR_ENOSPC;
    apr_pool_t *scratch = NULL;

    ap_log_error(APLOG_MARK, APLOG_WARNING, rv, ap_server_conf,
                 STORERNO(0601) "the cached body of %.*s %s after %" APR_OFF_T_FMT
                 " bytes: the response is cut off%s", (int)stream->base_key.len,
                 stream->base_key.data, damaged ? "is damaged" : "cannot be read on",
                 stream->delivered, damaged ? ", and the entry dropped" : "");
    if (!damaged) {
        return;
    }
    /* no request here, and no pool that could be used on this thread */
    rv = apr_pool_create(&scratch, NULL);
    if (rv != APR_SUCCESS) {
        return;
    }
    rv = storer_delete_multi_level(stream->store, stream->base_key, apr_time_now(), scratch);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, ap_server_conf,
                     STORERNO(0602) "the damaged entry could not be dropped");
    }
    apr_pool_destroy(scratch);
}

static apr_status_t stream_read(apr_bucket *bucket, const char **data, apr_size_t *length,
                                apr_read_type_e block);

/* A piece may be kept, but the rest is nowhere in memory yet: whoever needs that must read. */
static const apr_bucket_type_t stream_bucket_type = {
    "STORER_STREAM", 5, APR_BUCKET_DATA,
    stream_destroy,
    stream_read,
    apr_bucket_setaside_notimpl,
    apr_bucket_split_notimpl,
    apr_bucket_copy_notimpl
};

static apr_bucket *create_bucket(body_stream_t *stream, apr_bucket_alloc_t *list)
{
    apr_bucket *bucket = apr_bucket_alloc(sizeof(*bucket), list);

    APR_BUCKET_INIT(bucket);
    bucket->free = apr_bucket_free;
    bucket->list = list;
    bucket->type = &stream_bucket_type;
    bucket->length = (apr_size_t)-1;
    bucket->start = -1;
    bucket->data = stream;
    return bucket;
}

/* As with a pipe: the bucket becomes the piece, and a new one for the rest follows it. */
static apr_status_t stream_read(apr_bucket *bucket, const char **data, apr_size_t *length,
                                apr_read_type_e block)
{
    body_stream_t *stream = bucket->data;
    apr_bucket_alloc_t *list = bucket->list;
    apr_size_t size = APR_BUCKET_BUFF_SIZE;
    char *piece = apr_bucket_alloc(size, list);
    apr_status_t rv;

    (void)block;
    rv = next_piece(stream, piece, &size);
    if (rv != APR_SUCCESS && !APR_STATUS_IS_EOF(rv)) {
        report_failure(stream, rv);
        size = 0;
    }
    if (size > 0) {
        bucket = apr_bucket_heap_make(bucket, piece, size, apr_bucket_free);
        *data = piece;
    }
    else {
        apr_bucket_free(piece);
        bucket = apr_bucket_immortal_make(bucket, "", 0);
        *data = "";
    }
    *length = size;
    if (rv == APR_SUCCESS) {
        APR_BUCKET_INSERT_AFTER(bucket, create_bucket(stream, list));
        return APR_SUCCESS;
    }
    if (!APR_STATUS_IS_EOF(rv)) {
        /* returning an error would leave a client on a kept-alive connection waiting */
        bucket_insert_failure(APR_BUCKET_NEXT(bucket), list);
    }
    stream_destroy(stream);
    return APR_SUCCESS;
}

/* Read every piece now: the bucket becomes as many as there are, of known length. */
static void read_all(apr_bucket_brigade *brigade)
{
    apr_bucket *bucket;
    const char *data;
    apr_size_t length;

    for (bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        if (bucket->type == &stream_bucket_type) {
            (void)stream_read(bucket, &data, &length, APR_BLOCK_READ); /* never fails */
        }
    }
}

apr_status_t body_insert_stream(apr_bucket_brigade *brigade, storer_view_t *view,
                                const record_t *record, int whole, storer_t *store,
                                storer_bytes_t base_key)
{
    apr_bucket_alloc_t *list = brigade->bucket_alloc;
    int compressed = (record->flags & RECORD_LZ4) != 0;
    storer_decoder_t *decoder = NULL;
    body_stream_t *stream;
    char *key;

    if (!view->ops) {
        return APR_EINVAL; /* handed over before */
    }
    if (compressed) {
        apr_off_t limit = record->body_length >= 0 ? record->body_length : record->body_limit;
        apr_status_t rv = storer_decoder_create(&decoder, limit);

        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    stream = apr_bucket_alloc(sizeof(*stream) + base_key.len, list);
    memset(stream, 0, sizeof(*stream));
    key = (char *)(stream + 1);
    memcpy(key, base_key.data, base_key.len);
    stream->base_key.data = key;
    stream->base_key.len = base_key.len;
    stream->rest.data = view->part.data + record->skip;
    stream->rest.len = view->part.len - record->skip;
    stream->decoder = decoder;
    stream->expected = compressed ? record->body_length : record->stored_length;
    stream->store = store;
    storer_view_move(&stream->view, view);
    APR_BRIGADE_INSERT_TAIL(brigade, create_bucket(stream, list));
    if (whole) {
        read_all(brigade);
    }
    return APR_SUCCESS;
}
