/* SPDX-License-Identifier: Apache-2.0
 *
 * response.h - the answer to a request, as its query describes it. Called by origin.c.
 *
 * Parameters of the query (an override of the path, see table.h, goes before the URL's own):
 *
 *   body=SIZE          length of the body (K and M are 1024s); 64
 *   seed=TEXT          version of the content; 1
 *   roll=N             the version goes up by one with every N requests of the path
 *   echo=Header        the content depends on this request header; may be repeated
 *   status=CODE        200; line=TEXT: a status line of any form
 *   ct=TYPE            Content-Type; text/plain
 *   cc=TEXT            Cache-Control
 *   etag=TEXT          ETag; `auto`: made from version and identity
 *   lm=SECONDS         Last-Modified, that long ago (negative: ahead); `lm=@N`: at Unix time N
 *   expires=SECONDS    Expires, that far from now
 *   date=SECONDS       Date, that far from now; 0
 *   vary=LIST          Vary; repeated: several lines
 *   h=Name:Value       any other header; may be repeated
 *   early=Name:Value   such a header in a 103 before the answer; may be repeated
 *   pad=N              and before those N headers X-Pad of a kilobyte
 *   text=TEXT          the body itself, in place of a made one
 *   chunked=1          chunked; close=1: ended by the end of the connection
 *   clen=N             a Content-Length that need not be true
 *   cut=N              close after N bytes of the body
 *   drop=1             close without an answer
 *   delay=MS           wait before the answer
 *   pause=MS             wait so long behind each piece of the body...
 *   piece=SIZE           ...of so many bytes; 16K
 *   ranges=1             a Range of one part, in the form first-last or -length, is answered 206
 *   gate=NAME          wait until the gate is opened, by default before the answer...
 *   at=N               ...or after N bytes of the body
 *
 * Each answer has X-Serial (the requests so far), X-Seed and X-Identity (see body.h). A conditional
 * GET or HEAD that matches is answered 304.
 */
#ifndef RESPONSE_H
#define RESPONSE_H

#include "request.h"
#include "table.h"

/** @return 0; -1: the connection is to be closed */
int response_send(table_t *table, connection_t *connection, request_t *request);

/** An answer of the origin's own controls. @return 0 or -1 */
int response_send_text(connection_t *connection, int status, const char *text);

#endif /* RESPONSE_H */
