/* SPDX-License-Identifier: Apache-2.0
 *
 * purge.c - the memory engine's labels lie in its segment, so that what was purged stays purged for
 * as long as the segment lives, in a file too.
 */
#include "memory.h"

apr_status_t memory_epoch(storer_t *self, apr_time_t now, apr_uint64_t *epoch)
{
    (void)now;
    *epoch = marks_epoch(&memory_of(self)->segment.marks);
    return APR_SUCCESS;
}

storer_standing_e memory_judge(storer_t *self, apr_uint64_t epoch, const apr_uint64_t *labels,
                               int count, apr_time_t now)
{
    (void)now;
    return marks_judge(&memory_of(self)->segment.marks, epoch, labels, count);
}

apr_status_t memory_purge(storer_t *self, const apr_uint64_t *labels, int count, int hard,
                          apr_time_t now)
{
    (void)now;
    return marks_purge(&memory_of(self)->segment.marks, labels, count, hard);
}
