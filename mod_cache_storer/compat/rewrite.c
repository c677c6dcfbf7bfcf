/* SPDX-License-Identifier: Apache-2.0
 *
 * rewrite.c - see rewrite.h.
 */
#include "rewrite.h"

#include "../admin/admin.h"
#include "../stats/stats_report.h"

#include "ap_expr.h"
#include "http_core.h"
#include "http_request.h"
#include "mod_rewrite.h"

#include <string.h>

static int is_ours(const char *handler)
{
    return handler
           && (strcmp(handler, ADMIN_HANDLER) == 0 || strcmp(handler, REPORT_METRICS_HANDLER) == 0);
}

/* What SetHandler says for this request, as core_override_type() finds it out. */
static const char *configured_handler(request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    const char *problem = NULL, *handler = NULL;

    if (core->expr_handler) {
        handler = ap_expr_str_exec(r, core->expr_handler, &problem);
    }
    return problem ? NULL : handler;
}

static int restore_handler(request_rec *r)
{
    if (r->handler && strcmp(r->handler, REWRITE_REDIRECT_HANDLER_NAME) == 0) {
        const char *handler = configured_handler(r);

        if (is_ours(handler)) {
            r->handler = handler;
        }
    }
    return DECLINED;
}

void rewrite_register(void)
{
    static const char *const mod_rewrite[] = { "mod_rewrite.c", NULL };

    ap_hook_fixups(restore_handler, mod_rewrite, NULL, APR_HOOK_REALLY_LAST);
}
