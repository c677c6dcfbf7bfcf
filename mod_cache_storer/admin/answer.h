/* SPDX-License-Identifier: Apache-2.0
 *
 * answer.h - what the admin API answers: JSON, never cached, and nothing a browser might take for
 * something else.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "admin.h"

#include <jansson.h>

/** Send JSON with this status. Takes the reference over. @return what a handler returns */
int answer_json(const admin_t *admin, int status, json_t *json);

/** The same with {"error": TEXT}. */
int answer_error(const admin_t *admin, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Nothing to say: 204. */
int answer_nothing(const admin_t *admin);

/** Fields that all answers have. */
void answer_fields(const admin_t *admin);

/** Bytes as a JSON string: those that are not UTF-8 as if they were Latin-1. */
json_t *answer_text(storer_bytes_t bytes);

/** A time as RFC 3339 has it, in UTC; the JSON null for none. */
json_t *answer_time(apr_time_t time);

#endif /* ANSWER_H */
