/* SPDX-License-Identifier: Apache-2.0
 *
 * sendable.c - see sendable.h.
 */
#include "sendable.h"

#include <string.h>

/* RFC 9110 section 5.6.2 */
static int is_token(const char *name)
{
    const char *byte;

    for (byte = name; *byte; byte++) {
        if ((unsigned char)*byte <= 0x20 || (unsigned char)*byte >= 0x7f
            || strchr("\"(),/:;<=>?@[\\]{}", *byte)) {
            return 0;
        }
    }
    return byte > name;
}

static int is_control(char byte)
{
    return ((unsigned char)byte < 0x20 && byte != '\t') || byte == 0x7f;
}

/* Section 5.5: no control byte but the tabulator; what is beyond ASCII may stand there. httpd makes a
 * space of a line that goes on in the next one (obs-fold). */
static int is_content(const char *value)
{
    for (; *value; value++) {
        if (value[0] == '\r' && value[1] == '\n' && (value[2] == ' ' || value[2] == '\t')) {
            value += 2;
        }
        else if (is_control(*value)) {
            return 0;
        }
    }
    return 1;
}

const char *sendable_problem(const apr_table_t *headers)
{
    const apr_array_header_t *array = apr_table_elts(headers);
    int i;

    for (i = 0; i < array->nelts; i++) {
        const apr_table_entry_t *field = &APR_ARRAY_IDX(array, i, apr_table_entry_t);

        if (!is_token(field->key) || !is_content(field->val)) {
            return field->key;
        }
    }
    return NULL;
}
