/* SPDX-License-Identifier: Apache-2.0
 *
 * storer_private.h - what the files of libstorer share: assertions, the factories of the built-in
 * engines, and the generic versions of optional slots. Not installed; engines built elsewhere never
 * see it.
 */
#ifndef STORER_PRIVATE_H
#define STORER_PRIVATE_H

#include "storer_host.h"

#include <string.h>

/** Our own bugs, always compiled in. Never for bytes from shared memory, a peer, or a disk. */
#define storer_assert(condition) \
    ((condition) ? (void)0 : storer_assert_failed(#condition, __FILE__, __LINE__))
void storer_assert_failed(const char *condition, const char *file, int line)
    __attribute__((noreturn));

/** Prefix of the key a mapping lies under (upstream core.MappingKeyPrefix). */
#define STORER_MAPPING_PREFIX "IDX_"

#define STORER_MAPPING_PREFIX_LENGTH (sizeof(STORER_MAPPING_PREFIX) - 1)

/** Longest mapping that is read: 64 variants of 4 KB; upstream drops larger than 1 MiB as well. */
#define STORER_MAPPING_MAX (1024 * 1024)

/** Is this the key of a mapping? *base_key: that of its URL. */
static inline int storer_is_mapping_key(storer_bytes_t key, storer_bytes_t *base_key)
{
    if (key.len <= STORER_MAPPING_PREFIX_LENGTH
        || memcmp(key.data, STORER_MAPPING_PREFIX, STORER_MAPPING_PREFIX_LENGTH) != 0) {
        return 0;
    }
    base_key->data = key.data + STORER_MAPPING_PREFIX_LENGTH;
    base_key->len = key.len - STORER_MAPPING_PREFIX_LENGTH;
    return 1;
}

/* engines.c: the built-in engines by configuration name; NULL: none of that name */
const storer_engine_t *storer_builtin_engine(const char *name);

/* memory/memory.c */
extern const storer_engine_t storer_memory_engine;

/* multilevel.c: the optional slots, built on the required ones */
storer_get_multi_level_fn storer_generic_get_multi_level;
storer_set_multi_level_fn storer_generic_set_multi_level;
storer_list_keys_fn       storer_generic_list_keys;
storer_delete_many_fn     storer_generic_delete_many;

/* purge.c: for a store that has been initialised, the memory for the labels its engine does not keep */
apr_status_t storer_purge_prepare(storer_t *store);

/* writer.c: gathers the parts in memory of its own and sets them at commit */
storer_open_writer_fn     storer_generic_open_writer;

#endif /* STORER_PRIVATE_H */
