/* SPDX-License-Identifier: Apache-2.0
 *
 * tap.c - writes the Test Anything Protocol, see tap.h. Linked into test programs only, so that its
 * counters may be static.
 */
#include "tap.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOWN_BYTES_MAX 120

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int checks;    /* guarded by lock */
static int failures;  /* guarded by lock */

/* stdout is flushed with each line: a fork must not inherit a full buffer and print it twice. */
static void __attribute__((format(printf, 2, 0)))
result_locked(int passed, const char *format, va_list args)
{
    checks++;
    if (!passed) {
        failures++;
    }
    printf("%sok %d - ", passed ? "" : "not ", checks);
    vprintf(format, args);
    printf("\n");
    fflush(stdout);
}

static void __attribute__((format(printf, 2, 0)))
result(int passed, const char *format, va_list args)
{
    pthread_mutex_lock(&lock);
    result_locked(passed, format, args);
    pthread_mutex_unlock(&lock);
}

int ok(int condition, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    result(condition, format, args);
    va_end(args);
    return condition;
}

int is_int(long long got, long long want, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    result(got == want, format, args);
    va_end(args);
    if (got != want) {
        diag("  got  %lld", got);
        diag("  want %lld", want);
    }
    return got == want;
}

int is_status(apr_status_t got, apr_status_t want, const char *format, ...)
{
    va_list args;
    char text[120];

    va_start(args, format);
    result(got == want, format, args);
    va_end(args);
    if (got != want) {
        diag("  got  %d (%s)", got, apr_strerror(got, text, sizeof(text)));
        diag("  want %d (%s)", want, apr_strerror(want, text, sizeof(text)));
    }
    return got == want;
}

int is_string(const char *got, const char *want, const char *format, ...)
{
    va_list args;
    int same = got == want || (got && want && strcmp(got, want) == 0);

    va_start(args, format);
    result(same, format, args);
    va_end(args);
    if (!same) {
        diag("  got  %s%s", got ? "" : "(none)", got ? got : "");
        diag("  want %s%s", want ? "" : "(none)", want ? want : "");
    }
    return same;
}

static void show_bytes(const char *label, storer_bytes_t bytes)
{
    char shown[SHOWN_BYTES_MAX * 4 + 1];
    size_t used = 0;

    if (!bytes.data) {
        diag("  %s none", label);
        return;
    }
    for (apr_size_t i = 0; i < bytes.len && i < SHOWN_BYTES_MAX; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];

        if (isprint(byte) && byte != '\\') {
            shown[used++] = (char)byte;
        }
        else {
            used += (size_t)snprintf(shown + used, 5, "\\x%02x", byte);
        }
    }
    shown[used] = '\0';
    diag("  %s %lu bytes \"%s\"%s", label, (unsigned long)bytes.len, shown,
         bytes.len > SHOWN_BYTES_MAX ? "..." : "");
}

static apr_size_t first_difference(storer_bytes_t a, storer_bytes_t b)
{
    apr_size_t at = 0;

    while (at < a.len && at < b.len && a.data[at] == b.data[at]) {
        at++;
    }
    return at;
}

int is_bytes(storer_bytes_t got, storer_bytes_t want, const char *format, ...)
{
    va_list args;
    int same = !got.data == !want.data && got.len == want.len
               && (got.len == 0 || memcmp(got.data, want.data, got.len) == 0);

    va_start(args, format);
    result(same, format, args);
    va_end(args);
    if (!same) {
        show_bytes("got ", got);
        show_bytes("want", want);
        if (got.data && want.data) {
            diag("  first difference at %lu", (unsigned long)first_difference(got, want));
        }
    }
    return same;
}

void skip(const char *reason_format, ...)
{
    va_list args;

    va_start(args, reason_format);
    pthread_mutex_lock(&lock);
    checks++;
    printf("ok %d # SKIP ", checks);
    vprintf(reason_format, args);
    printf("\n");
    fflush(stdout);
    pthread_mutex_unlock(&lock);
    va_end(args);
}

void skip_all(const char *reason_format, ...)
{
    va_list args;

    va_start(args, reason_format);
    printf("1..0 # SKIP ");
    vprintf(reason_format, args);
    printf("\n");
    va_end(args);
    exit(0);
}

static void __attribute__((format(printf, 2, 0)))
comment(FILE *to, const char *format, va_list args)
{
    pthread_mutex_lock(&lock);
    fprintf(to, "# ");
    vfprintf(to, format, args);
    fprintf(to, "\n");
    fflush(to);
    pthread_mutex_unlock(&lock);
}

void note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    comment(stdout, format, args);
    va_end(args);
}

void diag(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    comment(stderr, format, args);
    va_end(args);
}

void bail_out(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("Bail out!  ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
    exit(255);
}

int done_testing(void)
{
    int failed;

    pthread_mutex_lock(&lock);
    printf("1..%d\n", checks);
    fflush(stdout);
    failed = failures > 0 || checks == 0;
    pthread_mutex_unlock(&lock);
    return failed ? 1 : 0;
}

int tap_failures(void)
{
    int failed;

    pthread_mutex_lock(&lock);
    failed = failures;
    pthread_mutex_unlock(&lock);
    return failed;
}

int tap_wait(long pid)
{
    int status = 0;
    pid_t waited;

    do {
        waited = waitpid((pid_t)pid, &status, 0);
    } while (waited < 0 && errno == EINTR);
    if (waited < 0) {
        return -errno;
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int tap_slow(void)
{
    const char *value = getenv("STORER_TEST_SLOW");

    return value && *value && strcmp(value, "0") != 0;
}
