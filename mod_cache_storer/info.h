/* SPDX-License-Identifier: Apache-2.0
 *
 * info.h - mod_cache's cache_info, in which it judges a response, and the form in which it is stored.
 */
#ifndef INFO_H
#define INFO_H

#include "http/record.h"

#include "mod_cache.h"

/** What is stored of mod_cache's judgement of a response. */
void info_read(const cache_info *info, record_t *record);

/** What mod_cache is to see of a stored response. */
void info_write(const record_t *record, cache_info *info);

#endif /* INFO_H */
