/* SPDX-License-Identifier: Apache-2.0
 *
 * fill.h - makes a request fill the cache that by itself would not: one with conditions or a Range,
 * to which the origin would answer with a 304 or a part.
 *
 *   provider (a miss)     conditions and Range are taken off the request: the origin sends it all
 *   outlet, behind        the client's answer is made from the whole response: a 304, the range, or
 *   CACHE_SAVE            all of it; what it does not get is stored all the same
 */
#ifndef FILL_H
#define FILL_H

#include "../provider.h"
#include "../state.h"

#include "util_filter.h"

/** Whether a request has conditions or a Range, but for which it would fill the cache. */
int fill_is_wanted(const state_t *state);

/** Take conditions and Range off a request that is about to fill the cache. */
void fill_prepare(state_t *state);

/** An internal redirect takes the request's place: put them back, for that one to do the same. */
void fill_withdraw(state_t *state);

/** See what the client is to get of the response whose head is in r: by its conditions and Range. Sets
 * the status, Content-Range and Content-Length of a 304, 206 or 416. */
void fill_judge(state_t *state);

/** After that: whether no more of the body is left, with which the client has nothing to do, than
 * CacheStorerFinishFill allows; also if its length is not known. */
int fill_leaves_little(const state_t *state);

/** Undo fill_judge(), as far as this state goes. */
void fill_forget(state_t *state);

/**
 * The head of a response that was asked for without conditions and Range is here: put them back, and
 * judge. If the range begins far into a body that is not to be stored, the request is made once
 * more, as it came, and that answered by the time this returns.
 * @return APR_SUCCESS; APR_ECONNABORTED: the client is answered, and nobody needs the rest
 */
apr_status_t fill_answer(state_t *state, const apr_bucket_brigade *brigade);

/** Take out of a brigade what the client has not asked for. It may be empty afterwards: then there
 * is nothing to pass on. */
apr_status_t fill_cut(state_t *state, apr_bucket_brigade *brigade);

/** Behind what fill_cut() has left: sends it at once where the client has all it asked for before the
 * handler is through. next: the filter behind the caller's.
 * @return as fill_cut() does */
apr_status_t fill_flush(state_t *state, ap_filter_t *next, apr_bucket_brigade *brigade);

/** The length of the whole body, in the fields of a 416 (RFC 9110 section 14.4). */
void fill_tell_length(apr_table_t *headers, apr_off_t length);

#endif /* FILL_H */
