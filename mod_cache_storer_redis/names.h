/* SPDX-License-Identifier: Apache-2.0
 *
 * names.h - what a key of ours is called in Redis. The only place that knows; README.md lists it.
 *
 *                      one server              Redis Cluster
 *   value              PREFIX:KEY              PREFIX:{KEY}
 *   mapping            PREFIX:IDX_BASE         PREFIX:IDX_{BASE}
 *   part of a value    PREFIX#VERSION:N        PREFIX#{VERSION}:N
 *   epoch of purges    PREFIX!purges:epoch     PREFIX!{purges}:epoch
 *   purges             PREFIX!purges:labels    PREFIX!{purges}:labels
 *   of these, passing  PREFIX!purges:passing   PREFIX!{purges}:passing
 *   claim on a key     PREFIX!fill:KEY         PREFIX!fill:{KEY}
 *
 * A cluster places a key by what stands between its first { and the next }. So the mapping of a URL
 * and the value all requests share are on one node, which a hit in one round trip needs; so are the
 * parts of one value, which are looked after together; and the {-VARY-} in a variant's key does not
 * put all variants of all URLs on one node.
 */
#ifndef NAMES_H
#define NAMES_H

#include <storer.h>

#define NAMES_VERSION_SIZE 16   /**< bytes of a value's version */
#define NAMES_TEXT_MAX     (STORER_KEY_MAX + 128)  /**< longest name */
#define NAMES_SLOTS        16384

/** What the key of a mapping begins with; the base key follows. */
#define NAMES_MAPPING      "IDX_"
#define NAMES_MAPPING_LEN  (sizeof(NAMES_MAPPING) - 1)

typedef struct names_t {
    const char *prefix;
    apr_size_t  prefix_len;
    int         cluster;
} names_t;

typedef enum names_kind_e {
    NAMES_VALUE,     /**< key: any, a mapping's too */
    NAMES_PART,      /**< key: the version, and index */
    NAMES_EPOCH,     /**< no key */
    NAMES_PURGES,    /**< no key */
    NAMES_PASSING,   /**< no key */
    NAMES_CLAIM      /**< key: any */
} names_kind_e;

typedef struct names_key_t {
    names_kind_e   kind;
    storer_bytes_t key;
    apr_uint32_t   index;
} names_key_t;

/** Does the key name a mapping ("IDX_" and a base key)? *base_key: that of its URL. */
int names_is_mapping(storer_bytes_t key, storer_bytes_t *base_key);

/** Write the name to `to`, which has room for NAMES_TEXT_MAX. @return its length */
apr_size_t names_write(const names_t *names, const names_key_t *key, char *to);

/** The key of a name, written to `to` (STORER_KEY_MAX + 1 bytes of room).
 * @return its length; 0: the name is none of a value or mapping of ours */
apr_size_t names_read(const names_t *names, storer_bytes_t name, char *to);

/**
 * Pattern for SCAN that finds every name whose key begins with prefix, and maybe others. Written to
 * `to`, which has room for NAMES_TEXT_MAX * 2. @return its length
 * A name that fits must be read and looked at: in a cluster mappings do not begin like their keys.
 */
apr_size_t names_pattern(const names_t *names, storer_bytes_t prefix, char *to);
/** The same for all our names of other kinds: parts. */
apr_size_t names_pattern_parts(const names_t *names, char *to);

/** Which of the NAMES_SLOTS a name is in. */
int names_slot(const char *name, apr_size_t len);

#endif /* NAMES_H */
