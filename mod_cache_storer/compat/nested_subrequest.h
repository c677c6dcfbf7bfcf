/* SPDX-License-Identifier: Apache-2.0
 *
 * nested_subrequest.h - a part of a part of a page, and the response that is stored around it.
 *
 * Answers make_sub_request() of core (httpd 2.4.71): a subrequest gets the filter SUBREQ_CORE,
 * which takes its end of stream away, unless there is one in the chain of filters already. So the
 * end of stream of a nested subrequest (/main includes /two, which includes /one) passes all
 * filters of the outer one (/two), CACHE_SAVE_SUBREQ among them, for which the response of /two is
 * complete then: /two would be stored without what follows the nested part.
 */
#ifndef COMPAT_NESTED_SUBREQUEST_H
#define COMPAT_NESTED_SUBREQUEST_H

#include "httpd.h"

/** Registers the filter; in register_hooks. */
void nested_subrequest_register(void);

/** Adds the filter that takes the end of stream away, behind the filters of the subrequest that
 * need it. For the hook insert_filter; does nothing for other requests. */
void nested_subrequest_insert(request_rec *r);

#endif /* COMPAT_NESTED_SUBREQUEST_H */
