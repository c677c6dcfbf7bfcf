/* SPDX-License-Identifier: Apache-2.0
 *
 * api.c - the library's functions as a table, for engines that do not link it. See storer_api_t.
 *
 * Lent by hosts and by the registry. New members go to the end, here and in storer.h.
 */
#include "storer_private.h"

const storer_api_t storer_api = {
    .abi_version = STORER_ABI_VERSION,
    .size = sizeof(storer_api_t),
    .log = storer_log,
    .parse_size = storer_parse_size,
    .parse_duration = storer_parse_duration,
    .view_next = storer_view_next,
    .view_release = storer_view_release,
    .view_move = storer_view_move,
    .view_flatten = storer_view_flatten,
    .writer_append = storer_writer_append,
    .writer_commit = storer_writer_commit,
    .writer_abort = storer_writer_abort,
    .pattern_match = storer_pattern_match,
    .elect = storer_elect,
    .mapping_enter = storer_mapping_enter,
    .validator_reset = storer_validator_reset,
    .validator_check = storer_validator_check,
    .list_keys = storer_generic_list_keys,
    .delete_many = storer_generic_delete_many,
    .open_writer = storer_generic_open_writer,
    .get_multi_level = storer_generic_get_multi_level,
    .set_multi_level = storer_generic_set_multi_level,
};
