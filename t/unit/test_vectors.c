/* SPDX-License-Identifier: Apache-2.0
 *
 * test_vectors.c - what the Go code of darkweak/storages and Souin made of its input, against what
 * we make of it. Two sets: our own in t/unit/vectors, which says what we want, and the golden one,
 * real outputs, in the folder that STORER_VECTORS names (by default ../shared/vectors, seen from
 * the top of the sources). Where a file of the latter is absent it is left out.
 *
 * Where we differ from Go on purpose a rule below says so; what we give instead is worked out by
 * the function that runs the vector. A rule that makes no difference any more fails.
 */
#include "tap.h"
#include "vectors.h"

#include <apr_env.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

#include <string.h>

typedef struct rule_t {
    const char *file;
    const char *name;
    const char *reason;
} rule_t;

static const rule_t rules[] = {
    { "update.jsonl", "repair", "a damaged mapping is replaced by one with the new entry; Go refuses "
      "each update from then on, and the URL can't be stored any more" },
    { "update.jsonl", "prune", "what is past both its times goes with the next update; Go keeps it for "
      "ever" },
    { "update.jsonl", "one value", "a varied header is written as one value, all lines joined, which "
      "means the same to every reader; Go writes the first line, or a list" },
    { "elect.jsonl", "every line", "all lines of a request header are compared (RFC 9110 section 5.3); "
      "Go looks at the first" },
    { "elect.jsonl", "Vary always", "there is no switch to serve a response in spite of its Vary (RFC "
      "9111 section 4.1)" },
    { "elect.jsonl", "lists", "If-None-Match is a list (RFC 9110 section 13.1.2); Go takes a line for "
      "one tag" },
    { "elect.jsonl", "weak tags", "If-None-Match compares weakly (RFC 9110 section 8.8.3.2); Go "
      "compares bytes" },
    { "elect.jsonl", "If-Match", "a request's If-Match is honoured (RFC 9110 section 13.1.1); Go never "
      "reads it" },
    { "elect.jsonl", "304 is an output", "that a 304 may be sent follows from If-None-Match; Go's "
      "callers set it beforehand, and these did not" },
    { "etag.jsonl", "empty lists", "a field without a single tag is no condition; to Go it is one that "
      "nothing fulfils" },
    { "etag.jsonl", "tags without field", "tags are those of a field; Go counts tags of no "
      "field, too" },
    { "parse_request.jsonl", "lists", "empty elements of a list are dropped (RFC 9110 section "
      "5.6.1.2); Go keeps them" },
    { "parse_request.jsonl", "If-Match", "as above" },
    { "lz4.jsonl", "one frame", "a value is one frame, and what follows is ignored; Go reads on" },
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

typedef struct kind_t {
    const char *file;
    vector_fn  *run;
} kind_t;

static const kind_t kinds[] = {
    { "update.jsonl", vector_update }, { "decode.jsonl", vector_decode },
    { "elect.jsonl", vector_elect }, { "etag.jsonl", vector_etag },
    { "parse_request.jsonl", vector_parse_request }, { "lz4.jsonl", vector_lz4 }
};

typedef struct set_t {
    const char *folder;
    int         golden;
    unsigned    used[RULES];  /* vectors of which a rule made something else */
} set_t;

static int is_expected(const verdict_t *verdict)
{
    int i;

    for (i = 0; i < verdict->theirs->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(verdict->theirs, i, const char *), verdict->ours) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Is it the text, or does it begin with it where that ends in "..."? */
static int is_text(const char *text, const char *wanted)
{
    size_t length = strlen(wanted);

    return length >= 3 && strcmp(wanted + length - 3, "...") == 0
               ? strncmp(text, wanted, length - 3) == 0 : strcmp(text, wanted) == 0;
}

/* The rule that explains our result; RULES: there is none. */
static size_t find_rule(const char *file, const verdict_t *verdict)
{
    size_t rule = RULES;
    int i;

    for (i = 0; i < verdict->rulings->nelts && rule == RULES; i++) {
        const ruling_t *ruling = &APR_ARRAY_IDX(verdict->rulings, i, const ruling_t);

        for (rule = is_text(verdict->ours, ruling->text) ? 0 : RULES; rule < RULES; rule++) {
            if (strcmp(rules[rule].file, file) == 0 && strcmp(rules[rule].name, ruling->rule) == 0) {
                break;
            }
        }
    }
    return rule;
}

static void explain(const verdict_t *verdict)
{
    int i;

    diag("  ours   %.1500s", verdict->ours);
    for (i = 0; i < verdict->theirs->nelts && i < 8; i++) {
        diag("  theirs %.1500s", APR_ARRAY_IDX(verdict->theirs, i, const char *));
    }
    for (i = 0; i < verdict->rulings->nelts; i++) {
        diag("  rule %s %.1500s", APR_ARRAY_IDX(verdict->rulings, i, ruling_t).rule,
             APR_ARRAY_IDX(verdict->rulings, i, ruling_t).text);
    }
}

/* Our own set says what we want: no rules there. */
static void judge(set_t *set, const kind_t *kind, const vector_t *vector, const verdict_t *verdict)
{
    int expected = is_expected(verdict);
    size_t rule = set->golden && !expected ? find_rule(kind->file, verdict) : RULES;

    if (rule < RULES) {
        set->used[rule]++;
        ok(1, "%s: %s, by the rule \"%s\"", kind->file, vector->name, rules[rule].name);
    }
    else if (!ok(expected, "%s: %s", kind->file, vector->name)) {
        explain(verdict);
    }
}

static void run_line(set_t *set, const kind_t *kind, const char *line, size_t length,
                     apr_pool_t *parent)
{
    vector_t vector;
    verdict_t verdict = { NULL, NULL, NULL };
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    verdict.theirs = apr_array_make(pool, 4, sizeof(const char *));
    verdict.rulings = apr_array_make(pool, 4, sizeof(ruling_t));
    vector_read(&vector, line, length, pool);
    kind->run(&vector, &verdict);
    judge(set, kind, &vector, &verdict);
    apr_pool_destroy(pool);
}

/* The whole file, with a NUL behind it, or NULL where there is none. */
static char *read_file(const char *path, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_finfo_t info;
    char *text;

    if (apr_file_open(&file, path, APR_READ, APR_OS_DEFAULT, pool) != APR_SUCCESS) {
        return NULL;
    }
    if (apr_file_info_get(&info, APR_FINFO_SIZE, file) != APR_SUCCESS) {
        bail_out("can't look at %s", path);
    }
    text = apr_pcalloc(pool, (apr_size_t)info.size + 1);
    if (apr_file_read_full(file, text, (apr_size_t)info.size, NULL) != APR_SUCCESS) {
        bail_out("can't read %s", path);
    }
    apr_file_close(file);
    return text;
}

static void check_rules(const set_t *set, const char *file)
{
    size_t i;

    for (i = 0; i < RULES; i++) {
        if (strcmp(rules[i].file, file) == 0) {
            ok(set->used[i] > 0, "%s: the rule \"%s\" makes a difference (%u vectors): %s", file,
               rules[i].name, set->used[i], rules[i].reason);
        }
    }
}

static void run_file(set_t *set, const kind_t *kind, apr_pool_t *parent)
{
    char *text, *line, *end;
    apr_pool_t *pool;
    int count = 0;

    apr_pool_create(&pool, parent);
    text = read_file(apr_psprintf(pool, "%s/%s", set->folder, kind->file), pool);
    if (!text && set->golden) {
        skip("%s: not in %s (STORER_VECTORS names the folder)", kind->file, set->folder);
    }
    else if (!text) {
        ok(0, "our own %s is in %s", kind->file, set->folder);
    }
    for (line = text; line && *line; line = end + (*end == '\n')) {
        end = line + strcspn(line, "\n");
        if (end > line) {
            run_line(set, kind, line, (size_t)(end - line), pool);
            count++;
        }
    }
    if (text) {
        ok(count > 0, "%s: %d vectors", kind->file, count);
        if (set->golden) {
            check_rules(set, kind->file);
        }
    }
    apr_pool_destroy(pool);
}

static void run_set(const char *folder, int golden, apr_pool_t *pool)
{
    set_t set = { folder, golden, { 0 } };
    size_t i;

    note("%s", folder);
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        run_file(&set, &kinds[i], pool);
    }
}

int main(void)
{
    char *top = NULL, *golden = NULL;
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (apr_env_get(&top, "srcdir", pool) != APR_SUCCESS) {
        top = apr_pstrdup(pool, ".");
    }
    if (apr_env_get(&golden, "STORER_VECTORS", pool) != APR_SUCCESS) {
        golden = apr_pstrcat(pool, top, "/../shared/vectors", NULL);
    }
    run_set(apr_pstrcat(pool, top, "/t/unit/vectors", NULL), 0, pool);
    run_set(golden, 1, pool);
    apr_terminate();
    return done_testing();
}
