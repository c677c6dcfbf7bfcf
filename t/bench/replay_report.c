/* SPDX-License-Identifier: Apache-2.0
 *
 * replay_report.c - reads traces, and prints what a replay counted.
 */
#include "replay.h"
#include "memory/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void replay_load(replay_trace_t *trace, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    uint64_t room = trace->count;
    size_t got;

    if (!file) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    do {
        if (trace->count == room) {
            room = room ? room * 2 : 65536;
            trace->record = realloc(trace->record, room * sizeof(*trace->record));
        }
        got = fread(trace->record + trace->count, sizeof(*trace->record), room - trace->count,
                    file);
        trace->count += got;
    } while (got);
    if (ferror(file)) {
        fprintf(stderr, "replay: %s: can't be read\n", path);
        exit(2);
    }
    if (file != stdin) {
        fclose(file);
    }
}

void replay_digest(const replay_trace_t *trace, char digest[65])
{
    char path[] = "replay.XXXXXX", command[64];
    int file = mkstemp(path);
    size_t size = trace->count * sizeof(*trace->record);
    FILE *sum = NULL;

    digest[0] = '\0';
    if (file >= 0 && write(file, trace->record, size) == (ssize_t)size) {
        snprintf(command, sizeof(command), "sha256sum < %s", path);
        sum = popen(command, "r");
        if (!sum || fscanf(sum, "%64[0-9a-f]", digest) != 1) {
            strcpy(digest, "unknown");
        }
    }
    if (sum) {
        pclose(sum);
    }
    if (file >= 0) {
        close(file);
        unlink(path);
    }
}

/* What the allocated blocks hold besides values. */
typedef struct metadata_t {
    uint64_t headers_and_keys, slack, pieces;
} metadata_t;

static void survey(memory_segment_t *segment, metadata_t *metadata)
{
    memory_ref_t ref;

    memset(metadata, 0, sizeof(*metadata));
    for (ref = segment->geometry.first_block; ref; ref = heap_after(segment, ref)) {
        const memory_block_t *block = memory_at(segment, ref);
        const memory_entry_t *entry = memory_entry_at(segment, ref);
        const memory_extent_t *extent = memory_extent_at(segment, ref);
        uint64_t bytes = (uint64_t)heap_block_units(block) * MEMORY_UNIT, header;

        if (!heap_is_free(block) && entry) {
            header = sizeof(*entry) + entry->key_length;
            metadata->headers_and_keys += header;
            metadata->slack += bytes - header - entry->inline_length;
        }
        else if (!heap_is_free(block) && extent) {
            metadata->headers_and_keys += sizeof(*extent);
            metadata->slack += bytes - sizeof(*extent) - extent->length;
            metadata->pieces++;
        }
    }
}

#define PRINT(name, value) fprintf(out, name "=%llu\n", (unsigned long long)(value))

static void report_memory(memory_t *memory, FILE *out)
{
    memory_segment_t *segment = &memory->segment;
    const memory_geometry_t *geometry = &segment->geometry;
    const memory_header_t *header = segment->header;
    uint64_t replacement = geometry->ghost_count * sizeof(uint32_t) + sizeof(header->ring);
    uint64_t fixed = (uint64_t)geometry->first_block * MEMORY_UNIT;
    uint64_t count = header->entries ? header->entries : 1;
    metadata_t metadata;

    survey(segment, &metadata);
    PRINT("evictions", header->evictions);
    PRINT("resident_objects", header->entries);
    PRINT("resident_payload", header->payload);
    PRINT("segment_bytes", memory->size);
    PRINT("metadata_index", fixed - replacement);
    PRINT("metadata_headers_and_keys", metadata.headers_and_keys);
    PRINT("metadata_replacement", replacement);
    PRINT("metadata_slack", metadata.slack);
    PRINT("free_bytes", header->free_units * MEMORY_UNIT);
    PRINT("further_pieces", metadata.pieces);
    PRINT("metadata_per_object", (memory->size - header->payload) / count);
    fprintf(out, "payload_share=%.6f\n", (double)header->payload / (double)memory->size);
    PRINT("process_local_bytes", sizeof(*memory) + memory->pins.capacity * sizeof(uint32_t));
}

void replay_report(memory_t *memory, const replay_plan_t *plan, const replay_count_t *count,
                   const replay_trace_t *trace, double seconds, FILE *out)
{
    uint64_t misses = count->requests - count->hits;
    char digest[65];

    replay_digest(trace, digest);
    fprintf(out, "mode=%c\nbudget=%llu\nprocesses=%d\nseed=%llu\n", plan->mode,
            (unsigned long long)plan->budget, plan->processes, (unsigned long long)plan->seed);
    fprintf(out, "engine=memory layout %d\nstream_sha256=%s\n", MEMORY_LAYOUT_VERSION, digest);
    PRINT("requests", count->requests);
    PRINT("hits", count->hits);
    PRINT("misses", misses);
    PRINT("absent", count->absent);
    PRINT("declined_too_large", count->too_large);
    PRINT("declined_admission", 0);
    PRINT("declined_no_room", count->no_room);
    PRINT("declined_busy", count->busy);
    PRINT("wrong_hits", count->wrong_hits);
    PRINT("bytes_requested", count->bytes_requested);
    PRINT("bytes_missed", count->bytes_missed);
    PRINT("inserts", count->inserts);
    PRINT("largest_accepted", count->largest);
    PRINT("most_resident", count->most_resident);
    report_memory(memory, out);
    fprintf(out, "object_miss_ratio=%.6f\n", (double)misses / (double)count->requests);
    fprintf(out, "byte_miss_ratio=%.6f\n",
            (double)count->bytes_missed / (double)count->bytes_requested);
    fprintf(out, "seconds=%.3f\nrequests_per_second=%.0f\n", seconds,
            (double)count->requests / seconds);
}
