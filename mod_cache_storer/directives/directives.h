/* SPDX-License-Identifier: Apache-2.0
 *
 * directives.h - the table of directives, for httpd (the module record) and for directive.c.
 */
#ifndef DIRECTIVES_H
#define DIRECTIVES_H

#include "httpd.h"
#include "http_config.h"

/** cmd_data of each row is a directive_t. */
extern const command_rec config_directives[];

#endif /* DIRECTIVES_H */
