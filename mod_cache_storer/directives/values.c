/* SPDX-License-Identifier: Apache-2.0
 *
 * values.c - see values.h.
 */
#include "values.h"

#include "../../storage/storer_host.h"

#include "apr_lib.h"
#include "apr_strings.h"

/* Longer times are refused, so that sums of them do not overflow. */
#define MAX_TIME (APR_INT64_C(100) * 365 * 86400 * APR_USEC_PER_SEC)

const directive_word_t value_on_off[] = { { "on", 1 }, { "off", 0 }, { NULL, 0 } };

const char *value_time(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    apr_interval_time_t time = 0;
    apr_status_t rv = storer_parse_duration(argv[0], &time);

    (void)argc;
    if (rv != APR_SUCCESS || time < 0) {
        return apr_psprintf(use->pool, "'%s' is not a time: a number with ms, s, min, h or d is "
                            "expected, as in 30s", argv[0]);
    }
    if (time > MAX_TIME) {
        return apr_psprintf(use->pool, "'%s' is longer than 100 years", argv[0]);
    }
    *(apr_interval_time_t *)member = time;
    return NULL;
}

static const directive_word_t *find_word(const directive_word_t *words, const char *text)
{
    for (; words && words->word; words++) {
        if (ap_cstr_casecmp(words->word, text) == 0) {
            return words;
        }
    }
    return NULL;
}

/* "neither on nor off", or "none of auto, lz4 and none" */
static const char *none_of(const directive_use_t *use)
{
    const directive_word_t *words = use->directive->words;
    const char *list = words[0].word;
    int i;

    if (words[1].word && !words[2].word) {
        return apr_psprintf(use->pool, "neither %s nor %s", words[0].word, words[1].word);
    }
    for (i = 1; words[i].word; i++) {
        list = apr_pstrcat(use->pool, list, words[i + 1].word ? ", " : " and ", words[i].word, NULL);
    }
    return apr_pstrcat(use->pool, "none of ", list, NULL);
}

const char *value_size(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    const directive_word_t *word = find_word(use->directive->words, argv[0]);
    apr_off_t size = word ? word->value : 0;
    apr_status_t rv = word ? APR_SUCCESS : storer_parse_size(argv[0], &size);

    (void)argc;
    if (rv == APR_SUCCESS && size >= 0 && size < use->directive->least) {
        return apr_psprintf(use->pool, "with '%s' no response would ever be stored; to cache nothing, "
                            "leave out CacheEnable, or use CacheDisable", argv[0]);
    }
    if (rv != APR_SUCCESS || size < 0) {
        return apr_psprintf(use->pool, "'%s' is not a size: a number of bytes is expected, with K, M "
                            "or G if wanted, as in 10M", argv[0]);
    }
    *(apr_off_t *)member = size;
    return NULL;
}

const char *value_number(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    const directive_t *directive = use->directive;
    char *end = NULL;
    apr_int64_t number = apr_isdigit(*argv[0]) ? apr_strtoi64(argv[0], &end, 10) : 0;

    (void)argc;
    if (!end || *end || number < directive->least || number > directive->most) {
        return apr_psprintf(use->pool, "'%s' is not a number from %d to %d", argv[0],
                            directive->least, directive->most);
    }
    *(int *)member = (int)number;
    return NULL;
}

const char *value_word(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    const directive_word_t *word = find_word(use->directive->words, argv[0]);

    (void)argc;
    if (!word) {
        return apr_psprintf(use->pool, "'%s' is %s", argv[0], none_of(use));
    }
    *(int *)member = word->value;
    return NULL;
}

static const char none_stands_alone[] = "'none' stands alone: remove it, or the names beside it";

static int is_none(int argc, char *const argv[])
{
    return argc == 1 && ap_cstr_casecmp(argv[0], "none") == 0;
}

const char *value_words(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    int i, bits = 0;

    for (i = 0; i < argc && !is_none(argc, argv); i++) {
        int bit = 0;
        const char *problem = value_word(use, 1, argv + i, &bit);

        if (problem) {
            return is_none(1, argv + i) ? none_stands_alone : problem;
        }
        bits |= bit;
    }
    *(int *)member = bits;
    return NULL;
}

/* What clients, and other caches, need to understand a response. */
static int is_needed(const char *name)
{
    static const char *const fields[] = {
        "Accept-Ranges", "Age", "Allow", "Cache-Control", "Connection", "Content-Disposition",
        "Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-Range",
        "Content-Security-Policy", "Content-Type", "Date", "ETag", "Expires", "Keep-Alive",
        "Last-Modified", "Link", "Location", "Pragma", "Proxy-Authenticate", "Retry-After", "Server",
        "Set-Cookie", "Strict-Transport-Security", "Trailer", "Transfer-Encoding", "Upgrade", "Vary",
        "Via", "WWW-Authenticate"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (ap_cstr_casecmp(fields[i], name) == 0) {
            return 1;
        }
    }
    return 0;
}

static const char *check_field(const directive_use_t *use, const char *name)
{
    const char *byte = name;

    if (is_needed(name)) {
        return apr_psprintf(use->pool, "'%s' is a field that clients need; name one that the origin "
                            "sends for caches only", name);
    }
    if (ap_cstr_casecmp(name, "none") == 0) {
        return none_stands_alone;
    }
    while (apr_isalnum(*byte) || *byte == '-' || *byte == '_') {
        byte++;
    }
    if (*byte || byte == name) {
        return apr_psprintf(use->pool, "'%s' is not the name of a header field", name);
    }
    return NULL;
}

const char *value_fields(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    apr_array_header_t *names = apr_array_make(use->pool, argc, sizeof(const char *));
    int i;

    for (i = 0; i < argc && !is_none(argc, argv); i++) {
        const char *problem = check_field(use, argv[i]);

        if (problem) {
            return problem;
        }
        APR_ARRAY_PUSH(names, const char *) = apr_pstrdup(use->pool, argv[i]);
    }
    *(const apr_array_header_t **)member = names;
    return NULL;
}

const char *value_field(const directive_use_t *use, int argc, char *const argv[], void *member)
{
    int none = is_none(argc, argv);
    const char *problem = none ? NULL : check_field(use, argv[0]);

    if (problem) {
        return problem;
    }
    *(const char **)member = none ? NULL : apr_pstrdup(use->pool, argv[0]);
    return NULL;
}
