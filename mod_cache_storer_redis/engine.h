/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.h - what the rest of the world sees of the engine: module.c, and the tests.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <storer.h>

extern const storer_engine_t redis_engine;

#endif /* ENGINE_H */
