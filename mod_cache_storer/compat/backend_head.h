/* SPDX-License-Identifier: Apache-2.0
 *
 * backend_head.h - the head of a response as the origin has sent it, before mod_proxy_http has read it.
 *
 * Answers ap_proxy_http_process_response() of mod_proxy_http (httpd 2.4.71), which is more tolerant
 * than a cache may be:
 *   - date_canon() makes a good date of an Expires that is none, which a cache must take for one that
 *     has passed (RFC 9111 section 5.3): "Thu, 18 Aug 2050 02:01:18 UTC";
 *   - what has no status line that it understands is taken for the body of an HTTP/0.9 response, and
 *     becomes a 200;
 *   - of two lengths that contradict each other, or of a length beside a Transfer-Encoding, it takes
 *     one, so that the body may not be what the origin meant.
 *
 * A filter on the backend's connection reads the lines as they go by, from the status line to the
 * empty line behind the last field, and changes none.
 */
#ifndef BACKEND_HEAD_H
#define BACKEND_HEAD_H

/** What the lines have told. All zero: nothing, since no line was seen. */
typedef struct backend_head_t {
    const char *expires;        /**< the field's value; NULL: none was seen */
    unsigned    malformed:1;    /**< it is no head of a response, or contradicts itself */
} backend_head_t;

/** Registers filter and hook; in register_hooks. */
void backend_head_register(void);

#endif /* BACKEND_HEAD_H */
