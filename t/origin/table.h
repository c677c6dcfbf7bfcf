/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h - what the origin remembers from one request to the next: counters, the last request and
 * an overriding description per path, and gates at which responses wait. Used by origin.c and
 * response.c, from any thread.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

#define TABLE_TEXT_MAX 4096

typedef struct table_t table_t;

/** NULL: no memory. Never destroyed: it lives as long as the program. */
table_t *table_create(void);

/** Count a request. @return how many the path has had, this one included. */
unsigned long table_count(table_t *table, const char *path, const char *request);

/** Count an answer 304. */
void table_count_not_modified(table_t *table, const char *path);

/** Count bytes of a body that the system has taken. */
void table_count_sent(table_t *table, const char *path, unsigned long bytes);
unsigned long table_sent(table_t *table, const char *path);

/** @param path NULL: of all paths together */
unsigned long table_requests(table_t *table, const char *path);
unsigned long table_not_modified(table_t *table, const char *path);

/** The request that the path had last, as it came over the wire. out: TABLE_TEXT_MAX bytes. */
void table_last(table_t *table, const char *path, char *out);

/** The query that overrides the one in the URL; "": none. out: TABLE_TEXT_MAX bytes. */
void table_override(table_t *table, const char *path, char *out);
void table_set_override(table_t *table, const char *path, const char *query);

/** Forget all counters, requests, overrides and gates. */
void table_reset(table_t *table);

/** Open a gate for those who wait at it now, and for the ones to come. */
void table_open_gate(table_t *table, const char *name);
/** Wait until a gate is open, or until the limit (a test that failed must not hang the others). */
void table_wait_gate(table_t *table, const char *name);
/** How many have ever arrived at the gate. */
unsigned long table_arrived(table_t *table, const char *name);

#endif /* TABLE_H */
