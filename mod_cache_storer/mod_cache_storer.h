/* SPDX-License-Identifier: Apache-2.0
 *
 * mod_cache_storer.h - what every file of the module includes: the module's symbol and log index.
 */
#ifndef MOD_CACHE_STORER_H
#define MOD_CACHE_STORER_H

#include "httpd.h"
#include "http_config.h"
#include "http_log.h"

/* the only symbol that httpd looks for, hence visible where all others are hidden */
extern module AP_MODULE_DECLARE_DATA cache_storer_module __attribute__((visibility("default")));

/* AP_DECLARE_MODULE does this as well, in the one file that has the module record */
#ifndef MOD_CACHE_STORER_RECORD
APLOG_USE_MODULE(cache_storer);
#endif

/** Number of a log line. Stable, so that an admin can look it up and filter by it; the AH numbers
 * belong to modules that ship with httpd. */
#define STORERNO(number) "CS" #number ": "

#endif /* MOD_CACHE_STORER_H */
