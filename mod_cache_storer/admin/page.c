/* SPDX-License-Identifier: Apache-2.0
 *
 * page.c - the page (page.html, made part of the module by build/embed). It is one file that asks for
 * nothing but the API it belongs to; a nonce makes sure that it stays so, whatever a key contains.
 */
#include "answer.h"
#include "page_html.h"

#include "http_protocol.h"
#include "apr_escape.h"
#include "apr_strings.h"

#include <string.h>

/* In page.html in the place of the nonce. */
#define NONCE_MARK "@NONCE@"

#define NONCE_BYTES 16

static const char *new_nonce(apr_pool_t *pool)
{
    unsigned char bytes[NONCE_BYTES];

    if (apr_generate_random_bytes(bytes, sizeof(bytes)) != APR_SUCCESS) {
        return NULL;
    }
    return apr_pescape_hex(pool, bytes, sizeof(bytes), 0);
}

int page_show(const admin_t *admin)
{
    request_rec *r = admin->r;
    const char *nonce = new_nonce(r->pool), *at = (const char *)page_html, *mark;

    if (!nonce) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    answer_fields(admin);
    apr_table_setn(r->err_headers_out, "Content-Security-Policy",
                   apr_psprintf(r->pool, "default-src 'none'; script-src 'nonce-%s'; style-src "
                                "'nonce-%s'; connect-src 'self'; img-src data:; base-uri 'none'; "
                                "form-action 'none'; frame-ancestors 'none'", nonce, nonce));
    ap_set_content_type(r, "text/html; charset=utf-8");
    for (mark = strstr(at, NONCE_MARK); mark; mark = strstr(at, NONCE_MARK)) {
        (void)ap_rwrite(at, (int)(mark - at), r);
        (void)ap_rputs(nonce, r);
        at = mark + sizeof(NONCE_MARK) - 1;
    }
    (void)ap_rputs(at, r);
    return OK;
}
