/* SPDX-License-Identifier: Apache-2.0
 *
 * frame.h - LZ4 frames, written complete and read with a limit.
 *
 * The library's own compression, for hosts and engines that keep bodies compressed. Frames follow
 * the LZ4 Frame Format 1.6; what is written has an end mark and a content checksum. Reading also
 * accepts a frame that just stops (older darkweak/storages nodes never write the end mark), and
 * says so. Works with malloc of its own, so that it can be used from any thread; every object must
 * be destroyed by its owner.
 */
#ifndef STORER_FRAME_H
#define STORER_FRAME_H

#include "storer.h"

/** Called with each piece of output; a failure ends the operation and is returned by it. */
typedef apr_status_t storer_frame_sink_fn(void *baton, storer_bytes_t bytes);

typedef struct storer_encoder_t storer_encoder_t;
typedef struct storer_decoder_t storer_decoder_t;

/** @return APR_SUCCESS or APR_ENOMEM. Ended by storer_encoder_destroy (NULL is fine). */
apr_status_t storer_encoder_create(storer_encoder_t **out);
/** Compress bytes; the frame header goes out with the first call. */
apr_status_t storer_encoder_add(storer_encoder_t *encoder, storer_bytes_t bytes,
                                storer_frame_sink_fn *sink, void *baton);
/** Write what is buffered, the end mark and the checksum. */
apr_status_t storer_encoder_finish(storer_encoder_t *encoder, storer_frame_sink_fn *sink,
                                   void *baton);
void storer_encoder_destroy(storer_encoder_t *encoder);

/** @param limit most bytes the frame may decompress to */
apr_status_t storer_decoder_create(storer_decoder_t **out, apr_off_t limit);
/**
 * Decompress some of *in into out.
 * @param in     in: input; out: the part of it not used yet
 * @param out    buffer for the result
 * @param size   in: size of the buffer; out: bytes written to it
 * @return APR_SUCCESS; APR_EOF: the frame is complete and verified (size may be > 0 with it);
 *         APR_ENOSPC: more than limit bytes; APR_EINVAL: not a frame, or damaged. Call again until
 *         *size is 0 and *in is empty.
 */
apr_status_t storer_decoder_read(storer_decoder_t *decoder, storer_bytes_t *in, char *out,
                                 apr_size_t *size);
void storer_decoder_destroy(storer_decoder_t *decoder);

/** One-shot, for small values: the whole frame of bytes, in pool. */
apr_status_t storer_frame_encode(storer_bytes_t bytes, storer_bytes_t *out, apr_pool_t *pool);
/**
 * One-shot: the content of a frame, in pool.
 * @param complete may be NULL; 0: the frame had no end mark, so that it cannot be told from one
 *                 that
 *        was cut at a block's end: check the length by other means
 * @return APR_SUCCESS, APR_ENOSPC beyond limit, APR_EINVAL not a frame, or damaged
 */
apr_status_t storer_frame_decode(storer_bytes_t frame, apr_size_t limit, storer_bytes_t *out,
                                 int *complete, apr_pool_t *pool);

#endif /* STORER_FRAME_H */
