/* SPDX-License-Identifier: Apache-2.0
 *
 * test_redis_options.c - what a configuration may say, and what is said to it; and the breaker, by a
 * clock of the test's own. No server is needed.
 */
#include "breaker.h"
#include "opened.h"
#include "options.h"
#include "tap.h"
#include "url.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static apr_pool_t *pool;

/* ---- the url ---- */

/* All of it in a line: hosts, database, tls, user, password. */
static const char *describe(const options_t *options)
{
    const char *text = "";
    int i;

    for (i = 0; i < options->host_count; i++) {
        text = apr_psprintf(pool, "%s%s %d, ", text, options->hosts[i].name, options->hosts[i].port);
    }
    return apr_psprintf(pool, "%sdb %d%s%s%s%s%s", text, options->database,
                        options->tls ? ", tls" : "", options->user ? ", user " : "",
                        options->user ? options->user : "", options->password ? ", password " : "",
                        options->password ? options->password : "");
}

static void test_urls(void)
{
    static const char *const good[][2] = {
        { "redis://h", "h 6379, db 0" },
        { "redis://h:1", "h 1, db 0" },
        { "redis://h:65535/", "h 65535, db 0" },
        { "redis://h/15", "h 6379, db 15" },
        { "rediss://h.example.org:6380/1", "h.example.org 6380, db 1, tls" },
        { "redis://[::1]:7/2", "::1 7, db 2" },
        { "redis://[fe80::1%eth0]", "fe80::1%eth0 6379, db 0" },
        { "redis://a:1/3,b:2,c", "a 1, b 2, c 6379, db 3" },
        { "redis://a,b:2/3", "a 6379, b 2, db 3" },
        { "redis://user:pass@h", "h 6379, db 0, user user, password pass" },
        { "redis://:pass@h", "h 6379, db 0, password pass" },
        { "redis://user@h", "h 6379, db 0, user user" },
        { "redis://u%3A:p%40%2f%25@h/1", "h 6379, db 1, user u:, password p@/%" },
        { "redis://u:p@ss@h", "h 6379, db 0, user u, password p@ss" },
        { "redis://u:p/w,x@h:1,i/4", "h 1, i 6379, db 4, user u, password p/w,x" },
        { "redis://:@h", "h 6379, db 0" },
        { "unix:/run/redis.sock", "/run/redis.sock 0, db 0" },
        { "unix:///run/redis.sock?db=3", "/run/redis.sock 0, db 3" },
        { "unix:/a%20b", "/a b 0, db 0" },
        { "unix://u:p%3f@/run/r", "/run/r 0, db 0, user u, password p?" },
    };
    static const char *const bad[] = {
        "", "h", "http://h", "redis:", "redis://", "redis:///1", "redis://h:", "redis://h:0",
        "redis://h:65536", "redis://h:x", "redis://h:1x", "redis://h:99999999999", "redis://h/x",
        "redis://h/65536", "redis://h/1x", "redis://h/1/2", "redis://a/1,b/2", "redis://a,",
        "redis://,a", "redis://a,,b", "redis://a b", "redis://[::1", "redis://[]", "redis://[::1]x",
        "redis://u:%zz@h", "redis://%0@h", "redis://u:%00@h", "redis://u:p%4", "redis://h?x=1",
        "unix:", "unix:relative", "unix://relative", "unix:/r?db=", "unix:/r?db=x", "unix:/r?x=1",
        "unix:/%00", "unix:/%z", "unix://u:%zz@/r",
    };
    unsigned i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        options_t options = { .host_count = 0 };
        const char *errmsg = NULL;
        apr_status_t rv = url_read(&options, good[i][0], &errmsg, pool);

        is_string(rv == APR_SUCCESS ? describe(&options) : errmsg, good[i][1], "%s", good[i][0]);
    }
    is_status(url_read(&(options_t){ .host_count = 0 }, apr_psprintf(pool, "unix:/%0100d", 0),
                       &(const char *){ NULL }, pool), APR_EINVAL, "no url: a path of 101 bytes");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        options_t options = { .host_count = 0 };
        const char *errmsg = NULL;

        ok(url_read(&options, bad[i], &errmsg, pool) == APR_EINVAL && errmsg && *errmsg,
           "no url: %s", bad[i]);
    }
}

/* More than there is room for. */
static void test_many_hosts(void)
{
    const char *url = "redis://h0";
    options_t options = { .host_count = 0 };
    const char *errmsg = NULL;
    int i;

    for (i = 1; i < OPTIONS_HOSTS_MAX; i++) {
        url = apr_psprintf(pool, "%s,h%d", url, i);
    }
    is_status(url_read(&options, url, &errmsg, pool), APR_SUCCESS, "as many hosts as may be");
    options.host_count = 0;
    is_status(url_read(&options, apr_pstrcat(pool, url, ",one", NULL), &errmsg, pool), APR_EINVAL,
              "and one more");
}

/* ---- options ---- */

#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void refuses(const char *const *options, const char *expected)
{
    const char *problem = opened_problem(options, pool);

    if (!ok(problem && strstr(problem, expected) && !strstr(problem, "s3cret"),
            "%s=%s: %s", options[0], strstr(options[1], "s3cret") ? "..." : options[1], expected)) {
        diag("it says: %s", problem ? problem : "(nothing)");
    }
}

static void accepts(const char *const *options)
{
    is_string(opened_problem(options, pool), NULL, "%s=%s", options[0], options[1]);
}

static void test_options(void)
{
    accepts(OPTIONS("timeout", "1ms"));
    accepts(OPTIONS("timeout", "60s"));
    accepts(OPTIONS("interval", "1min"));
    accepts(OPTIONS("prefix", "Site-1_a.b"));
    accepts(OPTIONS("pool", "1024"));
    accepts(OPTIONS("purges", "200000"));
    accepts(OPTIONS("cluster", "on", "url", "redis://a,b,c"));
    accepts(OPTIONS("url", "redis://u:s3cret@h"));

    refuses(OPTIONS("timeout", "0ms"), "timeout: a time from 1ms");
    refuses(OPTIONS("timeout", "61s"), "timeout: a time from 1ms");
    refuses(OPTIONS("timeout", "50 ms"), "timeout: a time from 1ms");
    refuses(OPTIONS("timeout", "99999999999999999999s"), "timeout: a time from 1ms");
    refuses(OPTIONS("interval", "x"), "interval: a time from 1ms");
    refuses(OPTIONS("prefix", ""), "prefix: 1 to 64");
    refuses(OPTIONS("prefix", "a:b"), "prefix: only letters");
    refuses(OPTIONS("prefix", "a*"), "prefix: only letters");
    refuses(OPTIONS("prefix", "a{b}"), "prefix: only letters");
    refuses(OPTIONS("prefix", "12345678901234567890123456789012345678901234567890123456789012345"),
            "prefix: 1 to 64");
    refuses(OPTIONS("pool", "0"), "pool: a number");
    refuses(OPTIONS("pool", "1025"), "pool: a number");
    refuses(OPTIONS("pool", "-1"), "pool: a number");
    refuses(OPTIONS("purges", "0"), "purges: a number");
    refuses(OPTIONS("purges", "200001"), "purges: a number");
    refuses(OPTIONS("cluster", "yes"), "cluster: on or off");
    refuses(OPTIONS("cluster", "on", "url", "redis://h/1"), "database 0 only");
    refuses(OPTIONS("cluster", "on", "url", "unix:/r"), "reached by TCP");
    refuses(OPTIONS("url", "redis://u@h"), "a user but no password");
    refuses(OPTIONS("url", "redis://u:s3cret@h:port"), "a port from 1 to 65535");
    refuses(OPTIONS("url", "redis://u:s3cret%zz@h"), "bad %XX escape");
    refuses(OPTIONS("url", "u:s3cret@h"), "begins with none of");
    refuses(OPTIONS("tls-ca", "/x"), "only with rediss://");
    refuses(OPTIONS("password", "s3cret"), "unknown option \"password\"");
#ifndef REDIS_HAVE_TLS
    refuses(OPTIONS("url", "rediss://h"), "with TLS, which this build lacks");
#endif
}

static const char *write_file(const char *text)
{
    char *path = apr_pstrdup(pool, "/tmp/storer-redis-XXXXXX");
    const char *place = getenv("TMPDIR");
    int fd;

    if (place) {
        path = apr_pstrcat(pool, place, "/storer-redis-XXXXXX", NULL);
    }
    fd = mkstemp(path);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        bail_out("no temporary file");
    }
    (void)close(fd);
    return path;
}

static void test_password_file(void)
{
    const char *path = write_file("s3cret word\r\nsecond line\n"), *empty = write_file("\n");
    const storer_option_t list[] = { { "url", "redis://u@h" }, { "password-file", path },
                                     { NULL, NULL } };
    storer_env_t env = { .pool = pool, .api = &storer_api };
    options_t options;
    const char *errmsg = NULL;

    is_status(options_read(&options, list, &env, &errmsg), APR_SUCCESS, "a password-file");
    is_string(options.password, "s3cret word", "its first line is the password");
    ok(!strstr(options_uuid(&options, pool), "s3cret"), "which the UUID does not have");
    is_string(options_uuid(&options, pool), "h:6379/0/storer", "that is who it is");
    refuses(OPTIONS("url", "redis://u:p@h", "password-file", path), "a password in the url already");
    refuses(OPTIONS("password-file", "/nonexistent"), "password-file: /nonexistent");
    refuses(OPTIONS("password-file", empty), "has no password in it");
    (void)unlink(path);
    (void)unlink(empty);
}

/* ---- the breaker ---- */

static void test_breaker(void)
{
    breaker_t breaker;

    breaker_init(&breaker, 1000);
    is_int(breaker_allows(&breaker, 5), 1, "closed at first");
    is_int(breaker_succeeded(&breaker), 0, "a success changes nothing");
    is_int(breaker_failed(&breaker, 10), 1, "the first failure opens it");
    is_int(breaker_failed(&breaker, 20), 0, "another, of who was on his way, is no transition");
    is_int(breaker_allows(&breaker, 1019), 0, "open until the interval after the last is over");
    is_int(breaker_allows(&breaker, 1020), 1, "then one may try");
    is_int(breaker_allows(&breaker, 1020), 0, "and nobody else");
    is_int(breaker_allows(&breaker, 99999), 0, "however long it takes");
    is_int(breaker_failed(&breaker, 1100), 0, "it failed");
    is_int(breaker_allows(&breaker, 2099), 0, "open for another interval");
    is_int(breaker_allows(&breaker, 2100), 1, "one may try");
    breaker_skipped(&breaker);
    is_int(breaker_allows(&breaker, 2100), 1, "a turn that was not used is another's");
    is_int(breaker_succeeded(&breaker), 1, "a success closes it");
    is_int(breaker_is_closed(&breaker), 1, "for all");
    is_int(breaker_allows(&breaker, 2100) && breaker_allows(&breaker, 2100), 1, "at once");
    is_int(breaker_failed(&breaker, 3000), 1, "and it begins anew");
    is_int(breaker_succeeded(&breaker), 1, "who was on his way and succeeds closes it, too");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_urls();
    test_many_hosts();
    test_options();
    test_password_file();
    test_breaker();
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
