/* SPDX-License-Identifier: Apache-2.0
 *
 * provider_body.c - stores the body of a response as it streams by to the client.
 */
#include "provider.h"

#include "http_connection.h"
#include "http_protocol.h"

/* How much of a body goes by before the client gets its share. */
#define STORE_BATCH (128 * 1024)

static apr_status_t append_encoded(void *baton, storer_bytes_t bytes)
{
    return storer_writer_append(baton, bytes);
}

static apr_status_t append_body(provider_writing_t *writing, const char *data, apr_size_t length)
{
    storer_bytes_t bytes;

    bytes.data = data;
    bytes.len = length;
    if (writing->encoder) {
        return storer_encoder_add(writing->encoder, bytes, append_encoded, &writing->writer);
    }
    return storer_writer_append(&writing->writer, bytes);
}

static apr_status_t finish_body(provider_writing_t *writing)
{
    apr_status_t rv = APR_SUCCESS;

    if (writing->encoder) {
        rv = storer_encoder_finish(writing->encoder, append_encoded, &writing->writer);
    }
    writing->complete = rv == APR_SUCCESS;
    return rv;
}

static void move_bucket(apr_bucket *bucket, apr_bucket_brigade *out)
{
    APR_BUCKET_REMOVE(bucket);
    APR_BRIGADE_INSERT_TAIL(out, bucket);
}

/* Read a data bucket. APR_EAGAIN: more comes later, and what there is should go out now. A bucket
 * of unknown length turns into what was read, followed by the rest: memory stays bounded. */
static apr_status_t read_bucket(apr_bucket *bucket, const char **data, apr_size_t *length,
                                int may_block)
{
    int unknown = bucket->length == (apr_size_t)-1;

    return apr_bucket_read(bucket, data, length,
                           unknown && !may_block ? APR_NONBLOCK_READ : APR_BLOCK_READ);
}

/* Append what a data bucket holds. The bucket stays where it is. */
static apr_status_t store_bucket(provider_object_t *object, request_rec *r, apr_bucket *bucket,
                                 int may_block, apr_size_t *length)
{
    provider_writing_t *writing = object->writing;
    const char *data;
    apr_status_t rv;

    rv = read_bucket(bucket, &data, length, may_block);
    if (APR_STATUS_IS_EAGAIN(rv) && !may_block) {
        return APR_EAGAIN;
    }
    if (rv != APR_SUCCESS) {
        return provider_decline(object, r, rv, FETCH_EVENT_BROKEN_OFF, "its body cannot be read");
    }
    writing->received += (apr_off_t)*length;
    if (writing->received > object->config->body_limit) {
        return provider_decline(object, r, APR_SUCCESS, FETCH_EVENT_TOO_LARGE,
                       "its body grew larger than CacheStorerMaxFileSize allows");
    }
    if (*length > 0) {
        rv = append_body(writing, data, *length);
        if (rv != APR_SUCCESS) {
            return provider_store_failed(object, r, rv);
        }
    }
    return APR_SUCCESS;
}

/* An EOS behind the last byte goes with it: commit then comes before the client has the whole
 * response, and its next request is a hit. */
static int batch_is_full(apr_bucket_brigade *in, apr_size_t moved)
{
    return moved >= STORE_BATCH && !APR_BUCKET_IS_EOS(APR_BRIGADE_FIRST(in));
}

/* Move on until a batch is full. mod_cache passes `out` on and calls again for what is left. */
static apr_status_t store_batch(provider_object_t *object, request_rec *r, apr_bucket_brigade *in,
                                apr_bucket_brigade *out)
{
    apr_size_t moved = 0, length;
    int first = 1;
    apr_status_t rv;

    while (!APR_BRIGADE_EMPTY(in) && !batch_is_full(in, moved)) {
        apr_bucket *bucket = APR_BRIGADE_FIRST(in);

        if (APR_BUCKET_IS_EOS(bucket)) {
            rv = finish_body(object->writing);
            if (rv != APR_SUCCESS) {
                return provider_store_failed(object, r, rv);
            }
            move_bucket(bucket, out);
            return APR_SUCCESS;
        }
        if (APR_BUCKET_IS_FLUSH(bucket)) {
            move_bucket(bucket, out);
            return APR_SUCCESS;
        }
        if (AP_BUCKET_IS_ERROR(bucket) || AP_BUCKET_IS_EOC(bucket)) {
            return provider_decline(object, r, APR_SUCCESS, FETCH_EVENT_BROKEN_OFF,
                           "the origin broke it off");
        }
        if (!APR_BUCKET_IS_METADATA(bucket)) {
            rv = store_bucket(object, r, bucket, first, &length);
            if (APR_STATUS_IS_EAGAIN(rv) && object->writing->writer.ops) {
                APR_BRIGADE_INSERT_TAIL(out, apr_bucket_flush_create(out->bucket_alloc));
                return APR_SUCCESS;
            }
            if (rv != APR_SUCCESS) {
                return rv;
            }
            moved += length;
        }
        move_bucket(bucket, out);
        first = 0;
    }
    return APR_SUCCESS;
}

apr_status_t provider_store_body(cache_handle_t *handle, request_rec *r, apr_bucket_brigade *in,
                                 apr_bucket_brigade *out)
{
    provider_object_t *object = provider_object_of(handle);

    if (!object || !object->writing || object->writing->complete) {
        APR_BRIGADE_CONCAT(out, in); /* what follows EOS is not ours */
        return APR_SUCCESS;
    }
    if (!object->writing->writer.ops) {
        return APR_EGENERAL;
    }
    return store_batch(object, r, in, out);
}
