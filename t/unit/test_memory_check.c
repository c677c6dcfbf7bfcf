/* SPDX-License-Identifier: Apache-2.0
 *
 * test_memory_check.c - the checker of a memory store against each damage of one bit: of the header
 * and of every free block, one after the other. It must neither crash nor loop, and must find each
 * flip of a free block.
 */
#include "memory_fixture.h"
#include "tap.h"

#include "memory/check.h"
#include "memory/heap.h"

#include <apr_general.h>

#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

/* The bit that is flipped at the moment, for a report after a crash: shared with the parent process. */
typedef struct progress_t {
    uint64_t offset;
    uint64_t flips, free_blocks, missed;
    int      bit;
} progress_t;

/* @return 1: the checker found the flip */
static int try_flip(memory_segment_t *segment, progress_t *progress, uint64_t offset, int bit)
{
    const char *wrong;

    progress->offset = offset;
    progress->bit = bit;
    progress->flips++;
    alarm(20);
    segment->base[offset] ^= (char)(1 << bit);
    wrong = check_segment(segment);
    segment->base[offset] ^= (char)(1 << bit);
    return wrong != NULL;
}

static void flip_header(memory_segment_t *segment, progress_t *progress)
{
    uint64_t offset, records = offsetof(memory_header_t, journal.record);
    int bit;

    for (offset = 0; offset < records; offset++) {
        for (bit = 0; bit < 8; bit++) {
            (void)try_flip(segment, progress, offset, bit);
        }
    }
}

static void flip_free_blocks(memory_segment_t *segment, progress_t *progress)
{
    memory_ref_t ref = segment->geometry.first_block;
    uint64_t i;
    int bit;

    while (ref < segment->geometry.end_block) {
        const memory_block_t *block = memory_at(segment, ref);

        if (heap_is_free(block)) {
            progress->free_blocks++;
            for (i = 0; i < sizeof(*block); i++) {
                for (bit = 0; bit < 8; bit++) {
                    progress->missed += !try_flip(segment, progress,
                                                  (uint64_t)ref * MEMORY_UNIT + i, bit);
                }
            }
        }
        ref += heap_block_units(block);
    }
}

/* Many holes: values of every length, of which every other one is deleted. */
static memory_t *fill(apr_pool_t *pool)
{
    memory_t *memory = fixture_open(pool, "1M");
    uint64_t random = 5;
    char name[32];
    uint32_t i;

    for (i = 0; i < 300; i++) {
        fixture_store(memory, i, &random, pool);
    }
    for (i = 0; i < 300; i += 2) {
        storer_delete(&memory->base, fixture_key(name, i));
    }
    return memory;
}

int main(void)
{
    progress_t *progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    apr_pool_t *pool;
    pid_t pid;
    int status;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    pid = fork();
    if (pid == 0) {
        memory_t *memory = fill(pool);

        if (fixture_check(memory)) {
            _exit(3);
        }
        flip_header(&memory->segment, progress);
        flip_free_blocks(&memory->segment, progress);
        _exit(fixture_check(memory) ? 4 : 0);
    }
    status = tap_wait(pid);
    is_int(status, 0, "no single bit that is flipped makes the checker crash or loop");
    if (status != 0) {
        diag("bit %d of byte %lu", progress->bit, (unsigned long)progress->offset);
    }
    note("%lu flips", (unsigned long)progress->flips);
    ok(progress->free_blocks > 20, "%lu free blocks", (unsigned long)progress->free_blocks);
    is_int((long)progress->missed, 0, "each flip in a free block is found");
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
