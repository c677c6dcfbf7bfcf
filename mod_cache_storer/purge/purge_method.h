/* SPDX-License-Identifier: Apache-2.0
 *
 * purge_method.h - the method PURGE on a cached URL: drops all its variants (CacheStorerPurge). With
 * "Soft-Purge: 1" it makes them stale.
 */
#ifndef PURGE_METHOD_H
#define PURGE_METHOD_H

#include "../provider.h"

/** Registers the handler; in register_hooks. */
void purge_method_register(void);

/** mod_cache invalidates a URL: where that is a purge, it is done here. @return 0: it is none */
int purge_method_meets(const provider_object_t *object, request_rec *r);

#endif /* PURGE_METHOD_H */
