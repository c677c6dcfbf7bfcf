/* SPDX-License-Identifier: Apache-2.0
 *
 * replay.h - replaying a trace of requests against the memory engine: what the parts of the program
 * share. t/bench/README.md says how the numbers are made and what they compare with.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include "memory/memory.h"

#include <stdint.h>
#include <stdio.h>

/** One request of a trace: 8 bytes, little-endian. */
typedef struct replay_record_t {
    uint32_t key, size;
} replay_record_t;

typedef struct replay_trace_t {
    replay_record_t *record;
    uint64_t         count;
} replay_trace_t;

/** Append a file ("-": standard input) to a trace; ends the program with a message on failure. */
void replay_load(replay_trace_t *trace, const char *path);

/** The sha256 of the records, as sha256sum(1) prints it. */
void replay_digest(const replay_trace_t *trace, char digest[65]);

typedef enum replay_mode_e {
    REPLAY_PAYLOAD = 'P',  /* the budget bounds the sizes of what is resident, memory is ample */
    REPLAY_TOTAL   = 'T'   /* the budget is the size of the segment */
} replay_mode_e;

typedef struct replay_plan_t {
    replay_mode_e mode;
    uint64_t      budget;
    int           unsized;     /* each object counts 1 in mode P and has 4096 bytes */
    int           processes;
    int           kill;        /* one of them is killed half way */
    uint64_t      seed;
} replay_plan_t;

/** Counted by each process for itself, and added up in the end. */
typedef struct replay_count_t {
    uint64_t requests, hits, wrong_hits;
    uint64_t absent, too_large, no_room, busy;   /* misses, by what became of the insert */
    uint64_t bytes_requested, bytes_missed;
    uint64_t inserts, largest, most_resident;
} replay_count_t;

/** Handle one request, at the virtual time of its number. */
void replay_request(memory_t *memory, const replay_plan_t *plan, const replay_record_t *record,
                    uint64_t number, replay_count_t *count, apr_pool_t *pool);

/** One key=value a line. */
void replay_report(memory_t *memory, const replay_plan_t *plan, const replay_count_t *count,
                   const replay_trace_t *trace, double seconds, FILE *out);

#endif /* REPLAY_H */
