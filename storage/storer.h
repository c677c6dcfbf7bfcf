/* SPDX-License-Identifier: Apache-2.0
 *
 * storer.h - the Storer interface: the public header of libstorer, and all that an engine needs.
 *
 * A *storer* keeps values under keys until they expire. A *mapping* (two-level look-up) lies on
 * top: one key for a URL, below it one value for each variant of the response (RFC 9111 section
 * 4.1), and an election that picks the fresh or the stale variant which fits a request. The
 * interface is that of darkweak/storages (core/core.go), the storage layer of Souin and of Caddy's
 * cache, put into C.
 *
 * Who includes this file: an engine (a storage), and by storer_host.h the host that uses engines
 * (mod_cache_storer). It needs APR and nothing of httpd. A host links libstorer and calls its
 * functions. An engine that is a module of its own links nothing: what it may call is in the table
 * storer_api_t of storer_api.h, which this file includes, and it finds that in its environment.
 * docs/add-your-own-storage.md makes such an engine from an empty folder.
 *
 * ## The twelve operations
 *
 *   darkweak/storages   here                             by whom
 *   ----------------------------------------------------------------------------------------------
 *   Name                storer_ops_t.name                engine
 *   Uuid                storer_ops_t.uuid                engine
 *   Init                storer_ops_t.init                engine
 *   Get                 storer_get                       engine
 *   Set                 storer_set                       engine
 *   Delete              storer_delete                    engine
 *   MapKeys             storer_map_keys                  engine
 *   Reset               storer_reset                     engine
 *   DeleteMany          storer_delete_many               library, on map_keys and delete; or engine
 *   ListKeys            storer_list_keys                 library, on map_keys;            or engine
 *   GetMultiLevel       storer_get_multi_level           library, on get;                 or engine
 *   SetMultiLevel       storer_set_multi_level           library, on set and update;      or engine
 *
 * C adds four: `update` (an atomic read-modify-write: a get followed by a set loses variants that
 * another process adds in between), `open_writer` (a body need never lie in one buffer),
 * `child_init` (httpd forks) and `stat` (numbers).
 *
 * ## Conventions that hold for every function
 *
 * - **Keys and values** are bytes with a length; any byte is allowed in both, no NUL is needed or
 *   implied. A key has 1 to STORER_KEY_MAX bytes.
 * - **Time** is apr_time_t, microseconds since 1970, and always a parameter (`now`): no function
 *   reads a clock, so that expiry can be tested without waiting. Durations are apr_interval_time_t.
 * - **Status**: APR_SUCCESS; APR_NOTFOUND where "no such key" is an answer (never logged, never an
 *   error); APR_ENOSPC the value does not fit; APR_TIMEUP or APR_EAGAIN trouble that may pass (a
 *   peer too slow, a lock held too long); APR_EINVAL an argument out of range; APR_ENOTIMPL. Any
 *   other status is a failure of the engine. A host treats each of them as a miss. Output arguments
 *   are written on APR_SUCCESS only; views are made empty otherwise.
 * - **Blocking**: a slot may block only for a bounded time, and the engine documents the bound.
 * - **Processes**: `init` runs in the parent before it forks; `child_init` in each child before its
 *   threads start; all other slots in any thread of any process after that, concurrently. A parent
 *   that never forks calls child_init itself.
 * - **Pools**: `pool` is where results are allocated that the caller may keep, `scratch` is memory
 *   that is dead when the function returns. A pool passed in is used by the calling thread only.
 *   Nothing is ever allocated at request time from the pool an instance was created in.
 * - **Logging**: a function logs or returns an error, not both. Data that cannot be trusted (from a
 *   peer, a disk, shared memory) is a miss and one warning, never a crash.
 */
#ifndef STORER_H
#define STORER_H

#include <apr.h>
#include <apr_errno.h>
#include <apr_file_io.h>
#include <apr_pools.h>
#include <apr_portable.h>
#include <apr_tables.h>
#include <apr_time.h>

#include <stddef.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of the binary interface: rises with each change that breaks a compiled engine. A slot more
 * in storer_ops_t is one, a member more at the end of storer_env_t or storer_api_t is none. */
#define STORER_ABI_VERSION 1

/** Where mod_cache_storer finds the engines of other modules, which register them as httpd's
 * providers: ap_register_provider(pool, STORER_ENGINE_GROUP, engine.name, STORER_ENGINE_GROUP_VERSION,
 * &engine). The names of the group and of its version stay what they are, whatever becomes of
 * STORER_ABI_VERSION. */
#define STORER_ENGINE_GROUP         "cache_storer_engine"
#define STORER_ENGINE_GROUP_VERSION "1"

/** Longest key, in bytes. */
#define STORER_KEY_MAX 65536

/** Bytes that someone else owns. data == NULL means "none", which is not the same as length 0. */
typedef struct storer_bytes_t {
    const char *data;
    apr_size_t  len;
} storer_bytes_t;

/** Whether two texts are the same bytes. data may be NULL where len is 0. */
static inline int storer_bytes_equal(storer_bytes_t a, storer_bytes_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/** How long a value is good for. Both are absolute; fresh_until may be later than stale_until or
 * lie in the past. An engine drops the value once now >= max(fresh_until, stale_until). */
typedef struct storer_expiry_t {
    apr_time_t fresh_until;  /**< until then (exclusive) it may be served without a question */
    apr_time_t stale_until;  /**< until then (exclusive) it may be revalidated or served stale */
} storer_expiry_t;

typedef struct storer_t         storer_t;
typedef struct storer_ops_t     storer_ops_t;
typedef struct storer_env_t     storer_env_t;
typedef struct storer_api_t     storer_api_t;
typedef struct storer_view_t    storer_view_t;
typedef struct storer_writer_t  storer_writer_t;
typedef struct storer_pattern_t storer_pattern_t;

/* ------------------------------------------------------------------------------------------------
 * Views: reading a value where it lies
 * --------------------------------------------------------------------------------------------- */

/** What an engine supplies with a view. Both run in any thread of the process that got the view. */
typedef struct storer_view_ops_t {
    /** Move view->part to the part that follows. APR_SUCCESS, APR_EOF past the last part (part is
     * then empty), or a failure: the value is damaged or out of reach and the rest must not be
     * used. */
    apr_status_t (*next)(storer_view_t *view);
    /** Give the value back. Called once; must not fail, block, or touch a pool. */
    void (*release)(storer_view_t *view);
    /** Optional; needed by a view whose parts have an offset. Open the file that they lie in, for
     * reading and for this caller alone: nobody else moves its position. From then on the bytes may be
     * given to the kernel (sendfile), which keeps those it was given also after the release. It may
     * fail, and then the parts are to be had as bytes.
     * @param flags as those of apr_file_open(), besides APR_FOPEN_READ */
    apr_status_t (*open_file)(storer_view_t *view, apr_int32_t flags, apr_file_t **file,
                              apr_pool_t *pool);
} storer_view_ops_t;

/**
 * A value held in place: a lease on one version of it.
 *
 * The caller supplies the struct, a successful get fills it. The value stays readable and unchanged
 * until storer_view_release(), whatever is stored, deleted or evicted meanwhile, and in a process
 * that lives on after other processes died. Views are cheap but finite (an engine may refuse a get
 * with APR_EAGAIN when too many are held), so hold one no longer than the bytes are needed.
 *
 * A value consists of one or more *parts*; `part` is the current one, the first after a get.
 * Usually there is just one. A value of length 0 has one empty part (data not NULL). A part is of a
 * kind: it lies in memory, or in memory and in a file as well, at `offset` of what
 * storer_view_open_file() opens.
 * A view may be handed to another thread, but is used by one at a time.
 */
struct storer_view_t {
    apr_off_t       length;     /**< bytes of the whole value */
    storer_bytes_t  part;       /**< the current part; borrowed, see in_place */
    storer_expiry_t expiry;     /**< as given when the value was stored */
    int             in_place;   /**< 1: each part stays valid until release, whatever becomes of the
                                     pool that was given to get. 0: only until the next
                                     storer_view_next() or release, so keep a copy */
    const storer_view_ops_t *ops; /**< NULL: the view is empty (never filled, or released) */
    storer_t       *store;      /**< the store it came from */
    apr_uint64_t    hits;       /**< gets of this value so far, estimated; 0: not counted */
    apr_off_t       offset;     /**< of the current part in the file; -1: it is in none */
    /* the engine's own, none of the caller's business */
    void           *lease;
    void           *value;
    apr_uint64_t    cursor;
};

/** A view that holds nothing. */
#define STORER_VIEW_EMPTY { 0, { NULL, 0 }, { 0, 0 }, 0, NULL, NULL, 0, -1, NULL, NULL, 0 }

/** Next part of the value, see storer_view_ops_t.next. APR_EOF also on an empty view. */
apr_status_t storer_view_next(storer_view_t *view);

/** See storer_view_ops_t.open_file. APR_ENOTIMPL: the value is in no file, or the view is empty. */
apr_status_t storer_view_open_file(storer_view_t *view, apr_int32_t flags, apr_file_t **file,
                                   apr_pool_t *pool);

/** Release what the view holds and make it empty. Does nothing on an empty view. */
void storer_view_release(storer_view_t *view);

/** Hand the lease over: *to is overwritten (it must be empty), *from becomes empty. */
void storer_view_move(storer_view_t *to, storer_view_t *from);

/**
 * The whole value in one piece: the part itself where the view is at its first part, has just one
 * and is in_place, else a copy in pool.
 * @param limit longest value accepted
 * @return APR_SUCCESS; APR_ENOSPC: longer than limit; or what next() returned.
 */
apr_status_t storer_view_flatten(storer_view_t *view, apr_size_t limit, storer_bytes_t *out,
                                 apr_pool_t *pool);

/* ------------------------------------------------------------------------------------------------
 * Writers: storing a value piece by piece
 * --------------------------------------------------------------------------------------------- */

/** What an engine supplies with a writer. The thread that opened the writer calls these. */
typedef struct storer_writer_ops_t {
    /** Add bytes; they are copied before the call returns. A failure is final: only abort may
     *  follow. */
    apr_status_t (*append)(storer_writer_t *writer, storer_bytes_t bytes);
    /** Publish: from now on the key has this value, and nobody ever saw a part of it. On failure
     * the key keeps the value it had. Ends the writer either way. */
    apr_status_t (*commit)(storer_writer_t *writer);
    /** Give up: nothing remains. Ends the writer. Must not fail. */
    void (*abort)(storer_writer_t *writer);
} storer_writer_ops_t;

/**
 * A value under construction. Filled by storer_open_writer(), ended by commit or abort: the opener
 * must make sure that one of them is called (a pool cleanup), though an engine also drops what a
 * dead process left unfinished. Not visible to readers before commit.
 */
struct storer_writer_t {
    const storer_writer_ops_t *ops; /**< NULL: not open */
    storer_t        *store;
    apr_off_t        length;        /**< bytes appended so far; kept by storer_writer_append */
    /* the engine's own */
    void            *lease;
    void            *value;
    apr_uint64_t     cursor;
    /* set by storer_commit_variant before commit */
    apr_uint64_t     epoch;         /**< an engine that keeps purges itself commits only while this is
                                         its epoch, else APR_EBUSY, and the writer stays open. 0:
                                         whatever its epoch is */
};

#define STORER_WRITER_CLOSED { NULL, NULL, 0, NULL, NULL, 0, 0 }

/** @see storer_writer_ops_t; APR_EINVAL where the writer is not open. */
apr_status_t storer_writer_append(storer_writer_t *writer, storer_bytes_t bytes);
apr_status_t storer_writer_commit(storer_writer_t *writer);
/** Does nothing where the writer is not open. */
void         storer_writer_abort(storer_writer_t *writer);

/** Append the bytes of a view, all that follow the first `offset` ones. The view is left at its
 *  end. */
apr_status_t storer_writer_append_view(storer_writer_t *writer, storer_view_t *view,
                                       apr_off_t offset);

/* ------------------------------------------------------------------------------------------------
 * Variants, requests and validators: the two-level look-up
 * --------------------------------------------------------------------------------------------- */

/** A request header on which a response varies (RFC 9110 section 12.5.5). */
typedef struct storer_header_t {
    storer_bytes_t name;   /**< compared without regard to case */
    storer_bytes_t value;  /**< all lines of the request joined with ", " (RFC 9110 section 5.3);
                                length 0 where the request had none */
} storer_header_t;

/** One variant of a response, as it enters the mapping. Everything is borrowed from the caller. */
typedef struct storer_variant_t {
    storer_bytes_t base_key;    /**< names the URL; the mapping lies under "IDX_" + base_key */
    storer_bytes_t varied_key;  /**< names the variant: the key its value is stored under */
    storer_bytes_t real_key;    /**< what a person would call it; returned by ListKeys */
    storer_bytes_t etag;        /**< the response's ETag with quotes and W/; length 0: none */
    const storer_header_t *varied_headers;
    int            varied_count;
    apr_time_t     stored_at;   /**< orders variants that match the same request */
    storer_expiry_t expiry;
    int            max_variants; /**< of this base key; the least used give way, see storer_rank_fn.
                                      0: all */
    apr_uint64_t   epoch;        /**< for storer_commit_variant, see there; 0: none */
} storer_variant_t;

/** What the election may know of a request. */
typedef struct storer_request_t {
    /** The value of a request header, all lines joined with ", "; data NULL where it is absent.
     * Borrowed until the election returns. The name is not NUL-terminated. */
    storer_bytes_t (*header)(void *baton, storer_bytes_t name);
    void *baton;
    /** Whether a variant whose stored value of this header is `value` fits the request (RFC 9111
     * section 4.1 allows to fold values that mean the same). NULL: it fits if it is equal to what
     * header() returns. Called for headers with one stored value; others are compared. */
    int (*matches)(void *baton, storer_bytes_t name, storer_bytes_t value);
} storer_request_t;

/**
 * The conditional part of a request and what the election found out about it: If-None-Match and
 * If-Match (RFC 9110 sections 13.1.1, 13.1.2), as upstream's types.Revalidator.
 * A host that evaluates conditions itself (mod_cache does) passes NULL instead of a validator.
 */
typedef struct storer_validator_t {
    /* input, set by storer_validator_parse() or by hand; entity-tags with quotes and W/, or "*" */
    apr_array_header_t *if_none_match;      /**< of storer_bytes_t; NULL or empty: field absent */
    apr_array_header_t *if_match;           /**< of storer_bytes_t; NULL or empty: field absent */
    int if_modified_since_present;
    int if_unmodified_since_present;
    /* output, for the variant elected */
    int need_revalidation;                  /**< a date condition is there, or an ETag */
    int matched;                            /**< the conditions allow this variant to be used */
    int not_modified;                       /**< it may be answered with 304 */
    storer_bytes_t response_etag;           /**< its ETag; in the pool of the look-up */
} storer_validator_t;

/** Fill a validator from the request's conditional headers. Allocates in pool; borrows values. */
void storer_validator_parse(storer_validator_t *validator, const storer_request_t *request,
                            apr_pool_t *pool);

/** Copy of the input part, output cleared. */
void storer_validator_reset(storer_validator_t *validator);

/** Apply the conditions to one entity-tag (length 0: the variant has none) and set the output
 * fields. If-None-Match compares weakly, If-Match strongly (RFC 9110 section 8.8.3.2).
 * @return validator->matched */
int storer_validator_check(storer_validator_t *validator, storer_bytes_t etag);

/* ------------------------------------------------------------------------------------------------
 * Patterns
 * --------------------------------------------------------------------------------------------- */

/**
 * Compile a PCRE2 pattern (UTF off: keys are bytes; unanchored), for DeleteMany. One language for
 * all engines. Lives as long as pool; may be used by one thread at a time.
 * @param errmsg set on failure: what is wrong and at which offset; in pool
 * @return APR_SUCCESS or APR_EINVAL
 */
apr_status_t storer_pattern_compile(storer_pattern_t **out, storer_bytes_t pattern,
                                    const char **errmsg, apr_pool_t *pool);

/** APR_SUCCESS: the subject matches; APR_NOTFOUND: it does not; APR_TIMEUP: the match limit was
 * reached (a hostile pattern): stop using this pattern. */
apr_status_t storer_pattern_match(storer_pattern_t *pattern, storer_bytes_t subject);

/* ------------------------------------------------------------------------------------------------
 * The engine's table
 * --------------------------------------------------------------------------------------------- */

/** One key=value of a configuration line. Both NUL-terminated. */
typedef struct storer_option_t {
    const char *name;
    const char *value;
} storer_option_t;

/** Numbers of a store; what an engine does not count stays 0. All since the store was created. */
typedef struct storer_stat_t {
    apr_uint64_t size;           /**< bytes the store may use, everything included; 0: not known */
    apr_uint64_t used;           /**< bytes in use now, metadata included */
    apr_uint64_t entries;        /**< keys now, mappings included */
    apr_uint64_t evictions;      /**< values dropped for want of room */
    apr_uint64_t expirations;    /**< values dropped because their time was over */
    apr_uint64_t recoveries;     /**< repairs after a process died in the engine */
    apr_uint64_t damages;        /**< damage found and dropped */
    apr_uint64_t largest;        /**< longest value that could be stored in an empty store */
    apr_uint64_t resident;       /**< bytes of this machine's memory that the store may fill, and that
                                      the system cannot take back: of no file on a disk */
} storer_stat_t;

/** Reads or changes the value of one key in storer_update().
 * @param old    the present value in one piece, or data NULL where there is none
 * @param value  in: empty. out: the new value, borrowed until the update returns; data NULL: delete
 * @param expiry in: of the old value. out: of the new one
 * @return APR_SUCCESS: store it; APR_EOF: leave the key as it is; anything else: give up with it.
 * May be called several times for one update (a lost race is run again); no lock is held. */
typedef apr_status_t storer_edit_fn(void *baton, storer_bytes_t old, storer_bytes_t *value,
                                    storer_expiry_t *expiry, apr_pool_t *scratch);

/** Called for each key. The view is valid during the call and may be taken over with
 * storer_view_move(). No lock is held: the callback may call the store, even for this key.
 * @return APR_SUCCESS: go on; APR_EOF: stop, all is well; anything else: stop with it. */
typedef apr_status_t storer_key_fn(void *baton, storer_bytes_t key, storer_view_t *value);

/** Called for each real key by ListKeys; the same rules. */
typedef apr_status_t storer_list_fn(void *baton, storer_bytes_t real_key);

/** What purges have made of something that was fetched in an earlier epoch. */
typedef enum storer_standing_e {
    STORER_STANDS,  /**< not purged */
    STORER_STALE,   /**< softly: as if its freshness had just ended */
    STORER_GONE     /**< not to be used in any way */
} storer_standing_e;

/** How a purge is meant, and for how long it has to be remembered. */
typedef enum storer_purge_e {
    STORER_PURGE_HARD,    /**< what was fetched before is STORER_GONE, for as long as it is stored */
    STORER_PURGE_SOFT,    /**< what was fetched before is STORER_STALE, for as long as it is stored */
    STORER_PURGE_DROPPED  /**< the caller drops what is stored: it is remembered only while a fetch
                               that began before, which is STORER_GONE, may be under way */
} storer_purge_e;

/* Function types, not pointers to them: an engine declares `static storer_get_fn memory_get;` and
 * the compiler checks the definition. */
typedef const char  *storer_uuid_fn(storer_t *self);
typedef const char  *storer_place_fn(storer_t *self);
typedef apr_status_t storer_init_fn(storer_t *self, const char **errmsg);
typedef apr_status_t storer_child_init_fn(storer_t *self, apr_pool_t *pchild);
typedef apr_status_t storer_get_fn(storer_t *self, storer_bytes_t key, apr_time_t now,
                                   storer_view_t *view, apr_pool_t *pool);
typedef apr_status_t storer_set_fn(storer_t *self, storer_bytes_t key, storer_bytes_t value,
                                   storer_expiry_t expiry, apr_time_t now);
typedef apr_status_t storer_delete_fn(storer_t *self, storer_bytes_t key);
typedef apr_status_t storer_update_fn(storer_t *self, storer_bytes_t key, storer_edit_fn *edit,
                                      void *baton, apr_time_t now, apr_pool_t *scratch);
typedef apr_status_t storer_map_keys_fn(storer_t *self, storer_bytes_t prefix, apr_time_t now,
                                        storer_key_fn *fn, void *baton, apr_pool_t *scratch);
typedef apr_status_t storer_reset_fn(storer_t *self);
typedef apr_status_t storer_list_keys_fn(storer_t *self, apr_time_t now, storer_list_fn *fn,
                                         void *baton, apr_pool_t *scratch);
typedef apr_status_t storer_delete_many_fn(storer_t *self, storer_pattern_t *pattern, apr_time_t now,
                                           apr_size_t *deleted, apr_pool_t *scratch);
typedef apr_status_t storer_open_writer_fn(storer_t *self, storer_bytes_t key, storer_expiry_t expiry,
                                           apr_off_t size_hint, apr_time_t now,
                                           storer_writer_t *writer, apr_pool_t *pool);
typedef apr_status_t storer_epoch_fn(storer_t *self, apr_uint64_t known, apr_time_t now,
                                     apr_uint64_t *epoch);
typedef apr_status_t storer_purge_fn(storer_t *self, const apr_uint64_t *labels, int count,
                                     storer_purge_e kind, apr_uint64_t known, apr_time_t now);

/** One purge that is remembered; twice does no harm. label NULL: all that was fetched before.
 * @return APR_SUCCESS: go on; anything else: stop with it */
typedef apr_status_t storer_purged_fn(void *baton, const apr_uint64_t *label, storer_purge_e kind,
                                      apr_uint64_t epoch);
typedef apr_status_t storer_list_purges_fn(storer_t *self, apr_uint64_t since, storer_purged_fn *fn,
                                           void *baton);
typedef apr_status_t storer_each_purge_fn(void *purges, storer_purged_fn *fn, void *baton);
typedef apr_status_t storer_restore_purges_fn(storer_t *self, apr_uint64_t epoch,
                                              storer_each_purge_fn *each, void *purges);
typedef apr_status_t storer_claim_fn(storer_t *self, storer_bytes_t key, storer_bytes_t owner,
                                     apr_interval_time_t lease);
typedef apr_status_t storer_release_fn(storer_t *self, storer_bytes_t key, storer_bytes_t owner);
typedef apr_status_t storer_get_multi_level_fn(storer_t *self, storer_bytes_t base_key,
                                               const storer_request_t *request,
                                               storer_validator_t *validator, apr_time_t now,
                                               storer_view_t *fresh, storer_view_t *stale,
                                               apr_pool_t *pool);
typedef apr_status_t storer_set_multi_level_fn(storer_t *self, const storer_variant_t *variant,
                                               storer_bytes_t value, apr_time_t now,
                                               apr_pool_t *scratch);
typedef apr_status_t storer_commit_variant_fn(storer_writer_t *writer,
                                              const storer_variant_t *variant, apr_time_t now,
                                              apr_pool_t *scratch);
typedef apr_status_t storer_stat_fn(storer_t *self, storer_stat_t *stat);

/** A variant of a URL that has too many. */
typedef struct storer_rank_t {
    storer_bytes_t key;        /**< in: of its value; borrowed */
    apr_time_t     stored_at;  /**< in */
    apr_int64_t    worth;      /**< out: those of least worth give way, of these the ones stored longest
                                    ago. At first 0; STORER_RANK_GONE: the value is not there */
} storer_rank_t;
#define STORER_RANK_GONE ((apr_int64_t)-1)

/** Say how much variants are used, without it being a use. A made-up value of a request header makes a
 * variant that is used once, and must not push out those that are used. */
typedef void storer_rank_fn(storer_t *self, storer_rank_t *variants, int count, apr_time_t now);

/** A worth, for an engine that counts how often a value was got: so many times in so much time, as if
 * an hour had gone by before. */
#define STORER_RANK_OF(gets, stored_at, now) \
    ((apr_int64_t)(gets) * 1048576 \
     / (apr_time_sec((now) > (stored_at) ? (now) - (stored_at) : 0) + 3600))

/** What an engine is: one const table, shared by its instances. */
struct storer_ops_t {
    /** In upper case, as upstream: "MEMORY". First half of the registry's key. */
    const char            *name;
    /** 1: a view's parts are the stored bytes themselves, so that a host which stores a body as it
     * is serves it without a copy. 0: each hit moves the bytes anyway (a network), and compressed
     * bodies are cheaper. Decides what `CacheStorerCompression auto` means. */
    int                    in_place;

    /* parent process, one thread */

    /** What makes two instances the same store: the segment, a path, an address and database
     * number. Never a secret, a pointer or a duration, so that it is the same after a restart with
     * changed times. Valid from creation, before init. Lives as long as the instance. */
    storer_uuid_fn        *uuid;
    /** Optional: what no other store may use, such as a file's path, or NULL. Two stores of a
     * configuration that have the same place and another uuid are refused. As long as the instance. */
    storer_place_fn       *place;
    /** Take what the parent must own (shared memory, a checked path). No sockets, no threads: they
     * do not survive a fork. errmsg: set on failure, names what is wrong. Called once. */
    storer_init_fn        *init;

    /* any process, any thread; required */

    storer_get_fn         *get;       /**< past its expiry: not found */
    storer_set_fn         *set;       /**< replaces; all or nothing */
    storer_delete_fn      *delete_;   /**< an absent key is APR_SUCCESS */
    storer_update_fn      *update;    /**< atomic against every other change of the key */
    /** Each live key that begins with prefix, once, without the prefix cut; in no order. Keys that
     * are added or removed meanwhile may be seen or not. */
    storer_map_keys_fn    *map_keys;
    storer_reset_fn       *reset;     /**< drop *our* keys, nobody else's */

    /* any process, any thread; optional: NULL selects the library's version */

    storer_child_init_fn  *child_init;      /**< open connections here, never in init */
    storer_list_keys_fn   *list_keys;
    storer_delete_many_fn *delete_many;
    storer_open_writer_fn *open_writer;     /**< without it a writer gathers in memory and calls set */
    storer_get_multi_level_fn *get_multi_level;
    storer_set_multi_level_fn *set_multi_level;
    storer_commit_variant_fn *commit_variant; /**< of an own writer, which it ends in any case */
    storer_stat_fn        *stat;
    storer_rank_fn        *rank;      /**< without it those stored longest ago give way */

    /* Purging by label, for a store that several machines share: the first three or none of them.
     * Without them the host remembers purges, for one machine and until it is stopped. */

    /** The epoch that something fetched from now on belongs to; never 0, and rises by each purge. The
     * present one, or that of when this process last got or stored something: it comes with a get.
     * known: one that another process of this machine has heard of. A store that has not has lost
     * purges: it begins one in which all is purged. APR_INCOMPLETE: the list is lost, else fine. */
    storer_epoch_fn       *epoch;
    /** Begin an epoch, with these labels purged in it; labels may be none, which purges nothing, or
     * with STORER_PURGE_DROPPED all that is being fetched. Whoever asks for the epoch after the
     * return, in whatever process, gets this one or a later one, which is later than `known`.
     * known: the host knows all purges up to it. APR_INCOMPLETE: nothing was purged, as the list of
     * this epoch is lost. It is restored, and purge called again; with 0 all that is older goes. */
    storer_purge_fn       *purge;
    /** Each purge with an epoch later than `since`, up to the present one, in the order of epochs. The
     * host keeps it for all processes of the machine, whether or not the call fails in the end. */
    storer_list_purges_fn *list_purges;
    /** Optional: make the lost list of this epoch anew; `each` tells what the host remembers. */
    storer_restore_purges_fn *restore_purges;

    /* Claims among machines; both or none: then each is on its own. See storer_host.h. */
    storer_claim_fn       *claim;
    storer_release_fn     *release;
};

/** The base of every instance: the first member of an engine's own struct. `ops` is the type tag by
 * which an engine checks that `self` is one of its own. */
struct storer_t {
    const storer_ops_t *ops;
    const storer_env_t *env;
    void               *host;   /**< the library's own; an engine leaves it NULL */
};

/* ------------------------------------------------------------------------------------------------
 * The host: what it lends a store
 * --------------------------------------------------------------------------------------------- */

typedef enum storer_log_level_e {
    STORER_LOG_ERROR,    /**< an operator must act */
    STORER_LOG_WARNING,  /**< service is degraded, or damage was found and dropped */
    STORER_LOG_NOTICE,   /**< worth knowing at start: a store created, adopted, resized */
    STORER_LOG_INFO,
    STORER_LOG_DEBUG
} storer_log_level_e;

/** Takes a finished line. Called from any thread and process; must not call back into a store. */
typedef void storer_log_fn(void *baton, storer_log_level_e level, apr_status_t rv,
                           const char *message);

/**
 * Shared memory that outlives a restart of the configuration: the same bytes for the same uuid and
 * size, as long as the parent process lives, else new and zeroed. Parent, in init only.
 * @param fresh 1: new; 0: found again with its contents, perhaps in use by older children now
 * @return APR_SUCCESS, or why there is none. The memory is the host's; it is mapped at the same
 * address in the parent and in all children forked after the call.
 */
typedef apr_status_t storer_retain_fn(void *baton, const char *uuid, apr_size_t size, void **base,
                                      int *fresh);

/** The memory at `base`, which storer_retain_fn gave, as an open file; -1: it is none. */
typedef apr_os_file_t storer_memory_file_fn(void *baton, const void *base);

/** Everything outlives the instances created with it, and the bytes of the struct itself are there as
 * long. A host that is newer than the engine may have more members at the end. */
struct storer_env_t {
    apr_pool_t       *pool;    /**< as long as the configuration; the parent's, before it forks */
    storer_log_fn    *log;     /**< NULL: silent */
    storer_retain_fn *retain;  /**< NULL: memory lives as long as pool */
    void             *baton;   /**< for all of them */
    const storer_api_t *api;   /**< the library's functions; set by the registry if the host has not */
    storer_memory_file_fn *memory_file; /**< NULL: the memory of `retain` is no file */
    apr_uint32_t      processes; /**< how many may use a store at a time, those that a graceful restart
                                      replaces included; 0: not known */
    apr_uint32_t      threads;   /**< of each; 0: not known */
    storer_retain_fn *remember;  /**< as `retain`, but only a child sees what it writes there: for what
                                      the parent (root) has to know at a restart. NULL: there is none */
};

/**
 * Create an instance; no resource is taken before init. Parent, one thread.
 * @param options  terminated by name == NULL; an unknown or bad one is APR_EINVAL
 * @param errmsg   set on failure: names option and value, not the engine; in env->pool
 */
typedef apr_status_t storer_factory_fn(storer_t **out, const storer_option_t *options,
                                       const storer_env_t *env, const char **errmsg);

/** What a storage exports: one const of this type. */
typedef struct storer_engine_t {
    unsigned           abi_version;  /**< STORER_ABI_VERSION; the one member that never moves */
    const char        *name;         /**< as written in the configuration: "memory" */
    storer_factory_fn *create;
} storer_engine_t;

#ifdef __cplusplus
}
#endif

#include "storer_api.h"

#endif /* STORER_H */
