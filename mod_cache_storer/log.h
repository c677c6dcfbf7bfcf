/* SPDX-License-Identifier: Apache-2.0
 *
 * log.h - where the storage library's log lines go.
 */
#ifndef LOG_H
#define LOG_H

#include "mod_cache_storer.h"

#include "../storage/storer.h"

/** The sink for storer_env_t.log: httpd's error log. The baton is not used. */
storer_log_fn log_sink;

#endif /* LOG_H */
