/* SPDX-License-Identifier: Apache-2.0
 *
 * memory_fixture.h - what the tests of the memory engine share: a store of a given size, values
 * that tell by themselves whether they are whole, and random numbers that are the same every time.
 */
#ifndef MEMORY_FIXTURE_H
#define MEMORY_FIXTURE_H

#include "memory/memory.h"

#include <stdint.h>

/** A store of its own memory, ready for this process; log lines are counted in fixture_logged. */
memory_t *fixture_open(apr_pool_t *pool, const char *size);

/** A store of its own memory, as the parent has it before there are processes. env: as long as pool;
 * what is not set in it is filled in. */
memory_t *fixture_create(storer_env_t *env, const char *size, apr_pool_t *pool);

/** Warnings and errors since the last call of this function. */
int fixture_warnings(void);

/** xorshift64*; never 0 as a state. */
uint64_t fixture_random(uint64_t *state);

/** The value that belongs to key number `key` in its version `version`, of any length: its bytes
 * are a function of both. */
void fixture_fill(char *bytes, apr_size_t length, uint32_t key, uint32_t version);

/** Is what the view holds one of the values of that key, and whole? Reads it to the end. */
int fixture_whole(storer_view_t *view, uint32_t key);

/** "key-N" */
storer_bytes_t fixture_key(char *buffer, uint32_t key);

/** What check_segment finds, with the lock held; NULL: nothing. */
const char *fixture_check(memory_t *memory);

apr_uint64_t fixture_used(memory_t *memory);

/** Far in the future of FIXTURE_NOW. */
#define FIXTURE_NOW    apr_time_from_sec(1000000)
storer_expiry_t fixture_expiry(void);

/** Longest value of fixture_store. */
#define FIXTURE_LONGEST 60000u

/** Store a value of that key, of random version and length, in one of the ways there are. */
apr_status_t fixture_store(memory_t *memory, uint32_t key, uint64_t *random, apr_pool_t *pool);

/** One random operation on one of `keys` keys; what it reads must be whole.
 * @return 0: a value was not */
int fixture_step(memory_t *memory, uint32_t keys, uint64_t *random, apr_pool_t *pool);

#endif /* MEMORY_FIXTURE_H */
