/* SPDX-License-Identifier: Apache-2.0
 *
 * forwarded.c - see forwarded.h.
 */
#include "forwarded.h"

#include <apr_cstr.h>

#include <string.h>

typedef enum forwarded_claim_e {
    CLAIM_NONE,
    CLAIM_HTTP,
    CLAIM_HTTPS,
    CLAIM_OTHER
} forwarded_claim_e;

/* To the letter: what an application makes of another spelling, or of a list, is not known. */
static forwarded_claim_e claim_of_word(const char *word, apr_size_t length)
{
    if (length == 4 && memcmp(word, "http", 4) == 0) {
        return CLAIM_HTTP;
    }
    return length == 5 && memcmp(word, "https", 5) == 0 ? CLAIM_HTTPS : CLAIM_OTHER;
}

static forwarded_claim_e claim_of_scheme(const char *value)
{
    return claim_of_word(value, strlen(value));
}

static forwarded_claim_e claim_of_switch(const char *value)
{
    if (apr_cstr_casecmp(value, "on") == 0 || strcmp(value, "1") == 0) {
        return CLAIM_HTTPS;
    }
    return apr_cstr_casecmp(value, "off") == 0 || strcmp(value, "0") == 0 ? CLAIM_HTTP : CLAIM_OTHER;
}

/* @return 0: the two contradict each other, or the second one is nothing that is known */
static int agree(forwarded_claim_e *known, forwarded_claim_e claim)
{
    if (claim == CLAIM_NONE) {
        return 1;
    }
    if (claim == CLAIM_OTHER || (*known != CLAIM_NONE && *known != claim)) {
        return 0;
    }
    *known = claim;
    return 1;
}

/* RFC 7239 section 4: an element for each proxy, of parameters in any order */
static forwarded_claim_e claim_of_forwarded(const char *value)
{
    static const char name[] = "proto=";
    forwarded_claim_e claim = CLAIM_NONE;

    while (*value) {
        apr_size_t length;

        value += strspn(value, " \t;,");
        length = strcspn(value, " \t;,");
        if (apr_cstr_casecmpn(value, name, sizeof(name) - 1) == 0
            && !agree(&claim, claim_of_word(value + sizeof(name) - 1, length - (sizeof(name) - 1)))) {
            return CLAIM_OTHER;
        }
        value += length;
    }
    return claim;
}

int forwarded_scheme(const char *https, const apr_table_t *fields, const char **scheme)
{
    static const struct {
        const char        *name;
        forwarded_claim_e (*read)(const char *value);
    } known[] = {
        { "X-Forwarded-Proto", claim_of_scheme },
        { "X-Forwarded-Scheme", claim_of_scheme },
        { "X-Url-Scheme", claim_of_scheme },
        { "CloudFront-Forwarded-Proto", claim_of_scheme },
        { "Forwarded", claim_of_forwarded },
        { "X-Forwarded-SSL", claim_of_switch },
        { "Front-End-Https", claim_of_switch },
    };
    forwarded_claim_e claim = CLAIM_NONE;
    apr_size_t i;

    if (https && claim_of_switch(https) == CLAIM_HTTPS) {
        claim = CLAIM_HTTPS;
    }
    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const char *value = apr_table_get(fields, known[i].name);

        if (value && !agree(&claim, known[i].read(value))) {
            return 0;
        }
    }
    if (claim != CLAIM_NONE) {
        *scheme = claim == CLAIM_HTTPS ? "https" : "http";
    }
    return 1;
}
