/* SPDX-License-Identifier: Apache-2.0
 *
 * invalidate.h - what an unsafe request makes invalid besides what mod_cache thinks of (RFC 9111
 * section 4.4): also after a redirect, and also the URLs in Location and Content-Location.
 */
#ifndef INVALIDATE_H
#define INVALIDATE_H

#include "provider.h"

/** Registers the filter; in register_hooks. */
void invalidate_register(void);

/** Watch the response of an unsafe request. Before mod_cache adds a filter of its own. */
void invalidate_watch(request_rec *r);

/** Make mod_cache invalidate the URL of an unsafe request at once, whatever the response will be.
 * @return 0: mod_cache has nothing to do with this URL */
int invalidate_now(request_rec *r);

/** Drop the URL of the request, for clients of each scheme. What goes wrong is logged and returned. */
apr_status_t invalidate_url(const provider_object_t *object, request_rec *r);

/** Drop what Location and Content-Location of the response name, as far as it is on this host. */
void invalidate_locations(const provider_object_t *object, request_rec *r);

#endif /* INVALIDATE_H */
