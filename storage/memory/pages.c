/* SPDX-License-Identifier: Apache-2.0
 *
 * pages.c - see pages.h.
 */
#include "pages.h"
#include "../anonymous.h"

static memory_extent_t *first_of(memory_segment_t *segment, const memory_entry_t *entry)
{
    return entry->extent ? memory_extent_at(segment, entry->extent) : NULL;
}

static memory_extent_t *next_of(memory_segment_t *segment, const memory_extent_t *extent)
{
    return extent->next ? memory_extent_at(segment, extent->next) : NULL;
}

static bool is_paged(memory_segment_t *segment, const memory_extent_t *extent)
{
    return memory_is_paged(memory_ref_of(segment, extent),
                           __atomic_load_n(&extent->kind, __ATOMIC_SEQ_CST));
}

bool pages_has(memory_segment_t *segment, const memory_entry_t *entry)
{
    const memory_extent_t *extent = segment->file >= 0 ? first_of(segment, entry) : NULL;

    while (extent && !is_paged(segment, extent)) {
        extent = next_of(segment, extent);
    }
    return extent != NULL;
}

void pages_sent(memory_segment_t *segment, const memory_entry_t *entry)
{
    memory_extent_t *extent;

    for (extent = first_of(segment, entry); extent; extent = next_of(segment, extent)) {
        if (is_paged(segment, extent)) {
            __atomic_fetch_or(&extent->kind, MEMORY_SENT, __ATOMIC_SEQ_CST);
        }
    }
}

/* The extent is this process's alone. */
static apr_status_t renew_extent(memory_segment_t *segment, memory_extent_t *extent)
{
    memory_ref_t ref = memory_ref_of(segment, extent);
    uint32_t pages = (heap_block_units((const memory_block_t *)extent) - 1) / MEMORY_PAGE_UNITS;
    apr_status_t rv;

    if (!(__atomic_load_n(&extent->kind, __ATOMIC_SEQ_CST) & MEMORY_SENT)) {
        return APR_SUCCESS;
    }
    if (!is_paged(segment, extent)
        || !memory_holds(segment, extent, (uint64_t)pages * MEMORY_PAGE + MEMORY_UNIT)) {
        return APR_EGENERAL;
    }
    rv = pages == 0 ? APR_SUCCESS
                    : anonymous_renew(segment->file, (apr_off_t)(ref + 1) * MEMORY_UNIT,
                                      (apr_off_t)pages * MEMORY_PAGE);
    if (rv == APR_SUCCESS) {
        MEMORY_FAULT_POINT("pages renewed");
        __atomic_fetch_and(&extent->kind, ~MEMORY_SENT, __ATOMIC_SEQ_CST);
    }
    return rv;
}

static apr_status_t renew_entry(memory_segment_t *segment, const memory_entry_t *entry)
{
    memory_extent_t *extent;
    apr_status_t rv = APR_SUCCESS;

    for (extent = first_of(segment, entry); extent && rv == APR_SUCCESS;
         extent = next_of(segment, extent)) {
        rv = renew_extent(segment, extent);
    }
    return rv;
}

static memory_entry_t *claim(memory_t *memory, uint32_t *slot)
{
    memory_entry_t *entry = NULL;
    int recovered;

    if (memory_enter(memory, &recovered) == APR_SUCCESS) {
        entry = entry_claim(&memory->segment, slot);
        memory_leave(memory, recovered);
    }
    return entry;
}

/* Back to limbo, from where it is freed, or becomes spent again if its pages could not be renewed. */
static apr_status_t give_back(memory_t *memory, const memory_entry_t *entry, uint32_t *slot)
{
    memory_segment_t *segment = &memory->segment;
    int recovered;
    apr_status_t rv = journal_lock(segment, &recovered);

    if (rv != APR_SUCCESS) {
        return rv; /* the pin still owns it: until this process ends */
    }
    if (!segment->header->damaged && entry_abandon(segment, memory_ref_of(segment, entry), slot)) {
        entry_reap(segment);
    }
    else {
        __atomic_store_n(slot, 0, __ATOMIC_SEQ_CST);
    }
    memory_leave(memory, recovered);
    return APR_SUCCESS;
}

bool pages_renew(memory_t *memory)
{
    memory_segment_t *segment = &memory->segment;
    memory_entry_t *entry;
    apr_status_t rv, given;
    uint32_t *slot;

    if (segment->file < 0) {
        return false;
    }
    slot = pins_claim(&memory->pins, segment, MEMORY_PIN_WRITER);
    if (!slot) {
        return false;
    }
    entry = claim(memory, slot);
    if (!entry) {
        __atomic_store_n(slot, 0, __ATOMIC_SEQ_CST);
        return false;
    }
    rv = renew_entry(segment, entry);
    given = give_back(memory, entry, slot);
    if (rv != APR_SUCCESS) {
        storer_log(segment->env, STORER_LOG_WARNING, rv,
                   "memory: the pages of a value that was sent can't be renewed, and are lost to "
                   "the store as long as that is so");
    }
    return rv == APR_SUCCESS && given == APR_SUCCESS;
}

bool pages_renew_all(memory_segment_t *segment)
{
    uint64_t begin = (uint64_t)segment->geometry.first_block * MEMORY_UNIT;
    uint64_t end = segment->geometry.size / MEMORY_PAGE * MEMORY_PAGE;

    begin = (begin + MEMORY_PAGE - 1) / MEMORY_PAGE * MEMORY_PAGE;
    return segment->file < 0
           || anonymous_renew(segment->file, (apr_off_t)begin, (apr_off_t)(end - begin))
                  == APR_SUCCESS;
}
