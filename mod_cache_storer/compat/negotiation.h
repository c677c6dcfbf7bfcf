/* SPDX-License-Identifier: Apache-2.0
 *
 * negotiation.h - a response that mod_negotiation has chosen (MultiViews, type maps) is stored.
 *
 * Answers handle_multi() of mod_negotiation and ap_internal_fast_redirect() of core (httpd 2.4.71):
 * mod_negotiation looks the chosen file up by a subrequest without the request's filters, and the
 * request gets the filters of that subrequest. With CacheQuickHandler on, mod_cache has inserted
 * CACHE_SAVE before, which is lost thereby: the response is fetched, never stored, and requests that
 * wait for it wait in vain.
 *
 * CACHE_REMOVE_URL is lost as well, and stays so: mod_cache takes that filter out of the chain when
 * CACHE_SAVE stores a response, and could not do so with a copy of it.
 */
#ifndef COMPAT_NEGOTIATION_H
#define COMPAT_NEGOTIATION_H

#include "httpd.h"
#include "util_filter.h"

/** The filter by which mod_cache stores the response of this request; NULL: none is in its chain.
 * For the time right after mod_cache's quick handler. */
ap_filter_t *negotiation_keep(const request_rec *r);

/** Inserts `save` again if it is in the chain no more; NULL: does nothing. For the hook insert_filter,
 * before other filters of this module are inserted. */
void negotiation_restore(request_rec *r, ap_filter_t *save);

#endif /* COMPAT_NEGOTIATION_H */
