/* SPDX-License-Identifier: Apache-2.0
 *
 * hooks.h - the places in httpd and mod_cache where the module looks at a request outside the
 * provider's callbacks.
 */
#ifndef HOOKS_H
#define HOOKS_H

#include "httpd.h"

/** Registers all hooks and filters that concern requests. */
void hooks_register(void);

#endif /* HOOKS_H */
