/* SPDX-License-Identifier: Apache-2.0
 *
 * tap.h - the test programs' side of the Test Anything Protocol: one line a check, read by prove.
 *
 * Every C test includes it. There is no plan: main ends with `return done_testing();`. All functions
 * may be called from any thread. A forked child must not call them: it reports by its exit status.
 */
#ifndef TAP_H
#define TAP_H

#include "storer.h"

/** Exit status of a forked child that finds its part done wrong, for use with tap_wait(). */
#define TAP_CHILD_FAILED 1

/** One check. @return condition, so that a test can stop where going on makes no sense. */
int ok(int condition, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Both integers are the same; shows both if not. */
int is_int(long long got, long long want, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Both statuses are the same; shows both in words if not. */
int is_status(apr_status_t got, apr_status_t want, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Both strings are the same; NULL equals NULL only. */
int is_string(const char *got, const char *want, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Same length and same bytes; shows both, escaped and cut, if not. data == NULL ("none") equals
 * only data == NULL. */
int is_bytes(storer_bytes_t got, storer_bytes_t want, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** One check that cannot be made here. */
void skip(const char *reason_format, ...) __attribute__((format(printf, 1, 2)));

/** The whole program cannot run here. Ends the process with success; call it before any check. */
void skip_all(const char *reason_format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/** A comment in the output, shown by prove only with -v. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A comment for whoever looks into a failure. */
void diag(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** The tests cannot go on. Ends the process with a failure. */
void bail_out(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/** Writes the plan. @return main's exit status: 0 when each check passed and there was one. */
int done_testing(void);

/** Checks failed so far. */
int tap_failures(void);

/** Waits for a forked child. @return its exit status, or -signal where one killed it. */
int tap_wait(long pid);

/** true where the program runs many times slower than usual (STORER_TEST_SLOW=1, as `make
 * check-valgrind` sets): repetitions may be cut, checks may not. */
int tap_slow(void);

#endif /* TAP_H */
