/* SPDX-License-Identifier: Apache-2.0
 *
 * rewrite.h - mod_rewrite in a directory, and the handlers of this module.
 *
 * Answers hook_fixup() of mod_rewrite (httpd 2.4.71). The rules of a front controller
 * (RewriteRule . /index.php) apply to every path that is no file, so also to the path of a <Location>
 * with SetHandler cache-storer: mod_rewrite replaces the handler with its own, "redirect-handler", and
 * the application answers where the admin expects the API. An admin who sets a handler for a location
 * means it, so the handler is put back.
 */
#ifndef COMPAT_REWRITE_H
#define COMPAT_REWRITE_H

/** Registers the hook; in register_hooks. */
void rewrite_register(void);

#endif /* COMPAT_REWRITE_H */
