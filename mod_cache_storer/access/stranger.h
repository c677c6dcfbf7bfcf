/* SPDX-License-Identifier: Apache-2.0
 *
 * stranger.h - who may purge and look into the cache: nobody, unless access control says who; and
 * no page of another site through the browser of somebody who may.
 */
#ifndef ACCESS_STRANGER_H
#define ACCESS_STRANGER_H

#include "httpd.h"

/**
 * Whether access to this place is restricted at all: asks httpd whether strangers from afar,
 * without a user, header fields or environment, would be let in. Logs what to add to the
 * configuration if one of them would.
 * @param what for the log: "CacheStorerPurge"
 * @param cure for the log: a sentence that names what to add
 */
int access_is_restricted(request_rec *r, const char *what, const char *cure);

/** What to add to the <Location> of a handler, for access_is_restricted(). */
#define ACCESS_CURE_LOCATION                                                                      \
    "Add a \"Require\" that says who, such as \"Require local\", \"Require ip 192.168.0.0/16\" or " \
    "\"Require valid-user\", to the <Location> it is in"

/**
 * Whether the request is for a name that this server has: an address, "localhost", its ServerName
 * or a ServerAlias of it. A page of an attacker may have a name that leads here (DNS rebinding),
 * and a browser then sends its requests as the page's own. What no page can make a browser send is
 * trusted: a request without any Host, and the field Sec-Cache-Storer ("Sec-" is for browsers:
 * Fetch standard, forbidden request-header). Logs the name that is not known.
 * @param what as above
 */
int access_is_own_name(request_rec *r, const char *what);

/** Whether a browser sends this request, which changes something, on behalf of another site's page.
 * Logs that. */
int access_is_cross_site(request_rec *r);

#endif /* ACCESS_STRANGER_H */
