/* SPDX-License-Identifier: Apache-2.0
 *
 * storer_api.h - what the library offers to those who write an engine: logging and options, the parts
 * that its own versions of optional slots are made of, and all of it as a table for engines that do
 * not link the library. The end of storer.h, which includes it; the conventions are told there.
 */
#ifndef STORER_API_H
#define STORER_API_H

#include "storer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------
 * Help for engines and hosts
 * --------------------------------------------------------------------------------------------- */

/** printf to the host's log. */
void storer_log(const storer_env_t *env, storer_log_level_e level, apr_status_t rv,
                const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 4, 5)))
#endif
    ;

/** Bytes from a NUL-terminated string. */
storer_bytes_t storer_bytes(const char *string);

/** A size with an optional K, M, G or T (1024s): APR_EINVAL for anything else or an overflow. */
apr_status_t storer_parse_size(const char *text, apr_off_t *bytes);

/** A duration: a number with ms, s, min, h or d; a bare number is seconds. */
apr_status_t storer_parse_duration(const char *text, apr_interval_time_t *duration);

/* ------------------------------------------------------------------------------------------------
 * Parts of the library's multi-level slots
 * --------------------------------------------------------------------------------------------- */

/** A time in a mapping (google.protobuf.Timestamp); absent is 1970. */
typedef struct storer_timestamp_t {
    apr_int64_t seconds;
    apr_int32_t nanos;
    int         present;
} storer_timestamp_t;

/** A variant that may be served. Bytes are borrowed from the mapping. */
typedef struct storer_candidate_t {
    storer_bytes_t     key;       /**< the varied key: where the value lies. A mapping may come from
                                       others: check the length before it is used as a key */
    storer_bytes_t     etag;
    storer_timestamp_t stored_at;
    int                fresh;     /**< 1: now < fresh_until; 0: stale */
    int                varied;    /**< 1: it varies on request header fields */
} storer_candidate_t;

/**
 * The election, for a get_multi_level of one's own: the best variant behind `after` (NULL: the best of
 * all) in this order: fresh before stale, then one that varies before one that does not (an origin may
 * omit Vary from its default response, RFC 9111 section 4.1), then the latest stored_at, then the
 * smallest key. Of variants that are past both their times, whose varied headers are not the
 * request's or whose ETag the validator does not allow none is a candidate. The validator (NULL:
 * no conditions) is left alone: begin with storer_validator_reset(), and call
 * storer_validator_check() for the variant that is used. An entry that varies on more than 64
 * headers fits no request.
 * @param mapping a mapping's value: what lies under "IDX_" + base_key
 * @return APR_SUCCESS; APR_NOTFOUND: none; APR_EINVAL: the mapping is damaged, or has so many
 *         entries of the same key that it must be meant to keep us busy
 */
apr_status_t storer_elect(storer_bytes_t mapping, const storer_request_t *request,
                          const storer_validator_t *validator, apr_time_t now,
                          const storer_candidate_t *after, storer_candidate_t *candidate);

/**
 * The change to a mapping that enters a variant, for a set_multi_level of one's own: it takes the
 * place of the entry with the same varied key; of the others those that have expired at `now` go, and
 * those of least worth where there are more than variant->max_variants, or too many bytes.
 * @param self    asked for the worth of variants, if it has a slot `rank`; NULL: the age decides
 * @param old     data NULL: there is none. One that cannot be read is replaced
 * @param out     the new mapping, in pool
 * @param expiry  when its last entry expires: it is to be kept that long
 * @param dropped may be NULL; array of storer_bytes_t: the keys of entries that went, whose values are
 *                to be deleted once the mapping is stored; borrowed from old
 * @param damaged may be NULL; 1: old could not be read
 * @return APR_SUCCESS; APR_EINVAL: a key or header of the variant is not UTF-8, which the format
 *         demands; APR_ENOSPC: the entry alone is longer than a mapping may be
 */
apr_status_t storer_mapping_enter(storer_t *self, storer_bytes_t old,
                                  const storer_variant_t *variant, apr_time_t now,
                                  storer_bytes_t *out, storer_expiry_t *expiry,
                                  apr_array_header_t *dropped, int *damaged, apr_pool_t *pool);

/* ------------------------------------------------------------------------------------------------
 * What an engine may call that does not link the library
 * --------------------------------------------------------------------------------------------- */

/**
 * The library's functions as a table: env->api. An engine in a DSO of its own uses nothing else of the
 * library, so that httpd can load it before or after the module that has the library inside. Each
 * member does what the function storer_MEMBER does.
 *
 * It grows at its end. An engine built with a later header than the host's asks for what is new:
 * `if (STORER_API_HAS(env->api, member))`.
 */
struct storer_api_t {
    unsigned   abi_version;   /**< STORER_ABI_VERSION of the host */
    apr_size_t size;          /**< bytes of the table in the host */

    /* logging and options */
    void (*log)(const storer_env_t *env, storer_log_level_e level, apr_status_t rv,
                const char *format, ...)
#if defined(__GNUC__)
        __attribute__((format(printf, 4, 5)))
#endif
        ;
    apr_status_t (*parse_size)(const char *text, apr_off_t *bytes);
    apr_status_t (*parse_duration)(const char *text, apr_interval_time_t *duration);

    /* views and writers, also those of another store */
    apr_status_t (*view_next)(storer_view_t *view);
    void         (*view_release)(storer_view_t *view);
    void         (*view_move)(storer_view_t *to, storer_view_t *from);
    apr_status_t (*view_flatten)(storer_view_t *view, apr_size_t limit, storer_bytes_t *out,
                                 apr_pool_t *pool);
    apr_status_t (*writer_append)(storer_writer_t *writer, storer_bytes_t bytes);
    apr_status_t (*writer_commit)(storer_writer_t *writer);
    void         (*writer_abort)(storer_writer_t *writer);

    /* for optional slots of one's own: parts of what the library's versions are made of ... */
    apr_status_t (*pattern_match)(storer_pattern_t *pattern, storer_bytes_t subject);
    apr_status_t (*elect)(storer_bytes_t mapping, const storer_request_t *request,
                          const storer_validator_t *validator, apr_time_t now,
                          const storer_candidate_t *after, storer_candidate_t *candidate);
    apr_status_t (*mapping_enter)(storer_t *self, storer_bytes_t old,
                                  const storer_variant_t *variant, apr_time_t now,
                                  storer_bytes_t *out, storer_expiry_t *expiry,
                                  apr_array_header_t *dropped, int *damaged, apr_pool_t *pool);
    void         (*validator_reset)(storer_validator_t *validator);
    int          (*validator_check)(storer_validator_t *validator, storer_bytes_t etag);

    /* ... and the library's versions themselves, for what a slot of one's own does not handle */
    storer_list_keys_fn       *list_keys;
    storer_delete_many_fn     *delete_many;
    storer_open_writer_fn     *open_writer;
    storer_get_multi_level_fn *get_multi_level;
    storer_set_multi_level_fn *set_multi_level;
};

/** Whether the host's table has a member that this header has. */
#define STORER_API_HAS(api, member) \
    ((api)->size >= offsetof(storer_api_t, member) + sizeof((api)->member))

/** The table, for hosts. Const; lives as long as the library is loaded. */
extern const storer_api_t storer_api;

#ifdef __cplusplus
}
#endif
#endif /* STORER_API_H */
