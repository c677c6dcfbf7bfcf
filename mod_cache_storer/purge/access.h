/* SPDX-License-Identifier: Apache-2.0
 *
 * access.h - who may purge and look into the cache: nobody, unless Require says who.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include "httpd.h"

/**
 * Whether access to this place is restricted at all: asks httpd whether a stranger from afar, without
 * a user, header fields or environment, would be let in. Logs what to add to the configuration where
 * one would.
 * @param what for the log: "CacheStorerPurge"
 */
int access_is_restricted(request_rec *r, const char *what);

#endif /* ACCESS_H */
