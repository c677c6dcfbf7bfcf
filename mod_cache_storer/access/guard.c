/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.c - see guard.h.
 *
 * A response belongs to a chain of requests: that of the client, internal redirects, and for a part
 * of a page the request for the page. Access control of each of them counts, even of those whose
 * own target is open to everybody. mod_dir and mod_negotiation replace the target of a request
 * after access to it was checked ("/folder/" becomes "/folder/index.html"), and its directory with
 * it: so the hook notes at the moment of the check what is in force then.
 */
#include "guard.h"

#include "http_core.h"
#include "http_request.h"

/* How deep sections <If> in sections <If> are looked at; deeper ones count as access control. */
#define CONDITIONS_MAX 10u

static const request_rec *before(const request_rec *r)
{
    return r->prev ? r->prev : r->main;
}

/* A section <If> is in force only if its condition holds for this very request, and what the
 * condition asks for is not known: so any access control in such a section depends on the client. */
static int has_condition(const ap_conf_vector_t *sections, unsigned depth)
{
    const core_dir_config *core = ap_get_core_module_config(sections);
    int i;

    if (depth > CONDITIONS_MAX) {
        return 1;
    }
    for (i = 0; core && core->sec_if && i < core->sec_if->nelts; i++) {
        const ap_conf_vector_t *section = APR_ARRAY_IDX(core->sec_if, i, ap_conf_vector_t *);
        const config_directory_t *directory = ap_get_module_config(section, &cache_storer_module);

        if ((directory && access_rules_any(&directory->rules)) || has_condition(section, depth + 1)) {
            return 1;
        }
    }
    return 0;
}

/* The access control of the directory that the request is in by now. */
static int directory_depends_on_client(const request_rec *r)
{
    return access_rules_depend_on_client(&config_directory_of(r)->rules, r)
           || has_condition(r->per_dir_config, 0);
}

static int depends_on_client(const request_rec *r)
{
    const state_t *state = state_find(r);

    return (state && state->guarded) || directory_depends_on_client(r);
}

static int is_guarded(const request_rec *r)
{
    for (; r; r = before(r)) {
        if (depends_on_client(r)) {
            return 1;
        }
    }
    return 0;
}

int guard_has_user(const request_rec *r)
{
    for (; r; r = before(r)) {
        if (r->user || r->ap_auth_type) {
            return 1;
        }
    }
    return 0;
}

/* An ErrorDocument of who was refused, or the page to log in, is not for those who are let in. */
static int is_error(const request_rec *r)
{
    for (; r; r = r->prev) {
        if (r->status >= HTTP_BAD_REQUEST) {
            return 1;
        }
    }
    return 0;
}

const char *guard_refusal(const state_t *state, record_t *record)
{
    const request_rec *r = state->r;
    int is_open = record->freshness.is_public || config_ignores_access(r)
                  || !(is_guarded(r) || guard_has_user(r));

    if (!is_open && state->config->quick) {
        return "access to it depends on the client (CacheStorerAccess)";
    }
    if (!is_open && is_error(r)) {
        return "it is an error, where access depends on the client (CacheStorerAccess)";
    }
    record->flags &= ~RECORD_GUARDED;
    record->flags |= is_open ? 0 : RECORD_GUARDED;
    return NULL;
}

int guard_hides(const record_t *record, const state_t *state)
{
    return (record->flags & RECORD_GUARDED) && state->quick && !config_ignores_access(state->r);
}

static int note_rules(request_rec *r)
{
    state_t *state;

    if (directory_depends_on_client(r)) {
        state = state_of(r);
        if (state) {
            state->guarded = 1;
        }
    }
    return DECLINED;
}

void guard_register(void)
{
    /* per configuration, as httpd's own do: else it would check access of each subrequest anew */
    ap_hook_check_access(note_rules, NULL, NULL, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
}
