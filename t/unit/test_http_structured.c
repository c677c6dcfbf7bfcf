/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_structured.c - structured fields against the algorithms of RFC 9651 section 4, case by
 * case, and against its grammar (appendix C) by a regular expression.
 */
#include "http_fixture.h"
#include "mod_cache_storer/http/structured.h"
#include "tap.h"

#include <apr_strings.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#define LARGE 65536

/* ---- members as text: "a=i1 b=s<x>": key, type, and what is known of the value ---- */

static const char *member_text(const structured_member_t *member, apr_pool_t *pool)
{
    static const char letters[] = "idstybau(";
    char letter = letters[member->type];

    switch (member->type) {
    case STRUCTURED_INTEGER:
    case STRUCTURED_BOOLEAN:
    case STRUCTURED_DATE:
        return apr_psprintf(pool, "%s=%c%" APR_INT64_T_FMT "%s", member->key, letter,
                            member->integer, member->text ? " with text" : "");
    case STRUCTURED_STRING:
    case STRUCTURED_TOKEN:
        return apr_psprintf(pool, "%s=%c<%s>%s", member->key, letter, member->text,
                            member->integer ? " with an integer" : "");
    default:
        return apr_psprintf(pool, "%s=%c%s", member->key, letter,
                            member->integer || member->text ? " with a value" : "");
    }
}

static const char *dictionary_text(const char *text, apr_pool_t *pool)
{
    static apr_array_header_t untouched;
    apr_array_header_t *members = &untouched;
    const char *result = "";
    int i;

    if (structured_dictionary(http_exactly(text, pool), &members, pool) != APR_SUCCESS) {
        return members == &untouched ? NULL : "refused, but the output is written";
    }
    for (i = 0; i < members->nelts; i++) {
        result = apr_pstrcat(pool, result, i > 0 ? " " : "",
                             member_text(&APR_ARRAY_IDX(members, i, structured_member_t), pool),
                             NULL);
    }
    return result;
}

/* ---- by section ---- */

typedef struct case_t {
    const char *section, *text;
    const char *want;   /* NULL: refused as a whole */
} case_t;

static const case_t dictionaries[] = {
    /* white space: SP at the ends of the field, SP and HTAB around commas */
    { "4.2", "", "" },
    { "4.2", "   ", "" },
    { "4.2", "  a=1  ", "a=i1" },
    { "4.2", "\ta=1", NULL },
    { "4.2", "\t", NULL },
    { "4.2", "a=1\n", NULL },
    { "4.2", "a=1\r\n b=2", NULL },
    { "4.2", "a=1 b=2", NULL },
    { "4.2", "a=1;", NULL },
    { "4.2", "\xc3\xa4=1", NULL },
    { "4.2", "a=1\x80", NULL },
    { "4.2", "a=1\x7f", NULL },
    { "4.2", "a=1, b=2\x01", NULL },
    { "4.2", "a=1, b=!", NULL },

    { "4.2.2", "a", "a=b1" },
    { "4.2.2", "a,b,c", "a=b1 b=b1 c=b1" },
    { "4.2.2", "a=1 \t ,\t b=2", "a=i1 b=i2" },
    { "4.2.2", "a=1,b=2", "a=i1 b=i2" },
    { "4.2.2", "a=1, a=2", "a=i2" },
    { "4.2.2", "a=1, b=3, a=\"x\", c", "a=s<x> b=i3 c=b1" },
    { "4.2.2", "a=\"x\", a", "a=b1" },
    { "4.2.2", "a, a=?0", "a=b0" },
    { "4.2.2", "a=1, a=!", NULL },
    { "4.2.2", "a=1,", NULL },
    { "4.2.2", "a=1, ", NULL },
    { "4.2.2", "a=1,,b=2", NULL },
    { "4.2.2", ",a=1", NULL },
    { "4.2.2", ",", NULL },
    { "4.2.2", "a=", NULL },
    { "4.2.2", "a=,b", NULL },
    { "4.2.2", "a= 1", NULL },
    { "4.2.2", "a =1", NULL },
    { "4.2.2", "a==1", NULL },
    { "4.2.2", "=1", NULL },
    { "4.2.2", "a;b", "a=b1" },
    { "4.2.2", "a;b=1, c", "a=b1 c=b1" },

    { "4.2.3.3", "*=1", "*=i1" },
    { "4.2.3.3", "*a-b_c.d*9=1", "*a-b_c.d*9=i1" },
    { "4.2.3.3", "A=1", NULL },
    { "4.2.3.3", "aB=1", NULL },
    { "4.2.3.3", "1=1", NULL },
    { "4.2.3.3", "-a=1", NULL },
    { "4.2.3.3", "_a=1", NULL },
    { "4.2.3.3", ".a=1", NULL },
    { "4.2.3.3", "a/b=1", NULL },
    { "4.2.3.3", "\"a\"=1", NULL },

    { "4.2.1.2", "a=()", "a=(" },
    { "4.2.1.2", "a=(  )", "a=(" },
    { "4.2.1.2", "a=(1)", "a=(" },
    { "4.2.1.2", "a=( 1  \"x y)\" tok :YQ==: ?1 @1 %\"x\" 1.5 )", "a=(" },
    { "4.2.1.2", "a=(1;x 2;y=3);z, b=1", "a=( b=i1" },
    { "4.2.1.2", "a=1, a=(1 2)", "a=(" },
    { "4.2.1.2", "a=(1 2), a=1", "a=i1" },
    { "4.2.1.2", "a=(", NULL },
    { "4.2.1.2", "a=( ", NULL },
    { "4.2.1.2", "a=(1", NULL },
    { "4.2.1.2", "a=(1 ", NULL },
    { "4.2.1.2", "a=)", NULL },
    { "4.2.1.2", "a=(1))", NULL },
    { "4.2.1.2", "a=(1,2)", NULL },
    { "4.2.1.2", "a=(1\t2)", NULL },
    { "4.2.1.2", "a=(\"a\"\"b\")", NULL },
    { "4.2.1.2", "a=((1))", NULL },
    { "4.2.1.2", "a=(1 ();x)", NULL },
    { "4.2.1.2", "a;(1)", NULL },

    { "4.2.3.2", "a=1;b;c=2;*d=\"x;y\"", "a=i1" },
    { "4.2.3.2", "a=1;  b", "a=i1" },
    { "4.2.3.2", "a=1;b=1;b=2", "a=i1" },
    { "4.2.3.2", "a=1;b, c=2", "a=i1 c=i2" },
    { "4.2.3.2", "a=1 ;b", NULL },
    { "4.2.3.2", "a=1;\tb", NULL },
    { "4.2.3.2", "a=1;;b", NULL },
    { "4.2.3.2", "a=1;B", NULL },
    { "4.2.3.2", "a=1;b=", NULL },
    { "4.2.3.2", "a=1;b= 2", NULL },
    { "4.2.3.2", "a=1;b=(1)", NULL },
    { "4.2.3.2", "a=1;b=\"x", NULL },
    { "4.2.3.2", "a=1;=2", NULL },
};

static const case_t items[] = {
    /* "a=" goes before each */
    { "4.2.4", "0", "a=i0" },
    { "4.2.4", "-0", "a=i0" },
    { "4.2.4", "007", "a=i7" },
    { "4.2.4", "999999999999999", "a=i999999999999999" },
    { "4.2.4", "-999999999999999", "a=i-999999999999999" },
    { "4.2.4", "000000000000001", "a=i1" },
    { "4.2.4", "1000000000000000", NULL },
    { "4.2.4", "-1000000000000000", NULL },
    { "4.2.4", "0000000000000001", NULL },
    { "4.2.4", "99999999999999999999999999", NULL },
    { "4.2.4", "1.5", "a=d" },
    { "4.2.4", "-1.5", "a=d" },
    { "4.2.4", "1.000", "a=d" },
    { "4.2.4", "999999999999.999", "a=d" },
    { "4.2.4", "1000000000000.0", NULL },
    { "4.2.4", "999999999999999.9", NULL },
    { "4.2.4", "1.0000", NULL },
    { "4.2.4", "1.", NULL },
    { "4.2.4", "1.;x", NULL },
    { "4.2.4", ".5", NULL },
    { "4.2.4", "-.5", NULL },
    { "4.2.4", "1..5", NULL },
    { "4.2.4", "1.5.5", NULL },
    { "4.2.4", "-", NULL },
    { "4.2.4", "--1", NULL },
    { "4.2.4", "+1", NULL },
    { "4.2.4", "- 1", NULL },
    { "4.2.4", "-a", NULL },
    { "4.2.4", "1e3", NULL },
    { "4.2.4", "0x10", NULL },
    { "4.2.4", "1_000", NULL },

    { "4.2.5", "\"\"", "a=s<>" },
    { "4.2.5", "\"x y\"", "a=s<x y>" },
    { "4.2.5", "\" , ; = ( ) \"", "a=s< , ; = ( ) >" },
    { "4.2.5", "\"\\\"\\\\\"", "a=s<\"\\>" },
    { "4.2.5", "\"\x20\x7e\"", "a=s<\x20\x7e>" },
    { "4.2.5", "\"%41\"", "a=s<%41>" },
    { "4.2.5", "\"", NULL },
    { "4.2.5", "\"x", NULL },
    { "4.2.5", "\"x\\\"", NULL },
    { "4.2.5", "\"x\\", NULL },
    { "4.2.5", "\"\\x\"", NULL },
    { "4.2.5", "\"\\ \"", NULL },
    { "4.2.5", "\"x\"y", NULL },
    { "4.2.5", "\"\t\"", NULL },
    { "4.2.5", "\"\n\"", NULL },
    { "4.2.5", "\"\x01\"", NULL },
    { "4.2.5", "\"\x1f\"", NULL },
    { "4.2.5", "\"\x7f\"", NULL },
    { "4.2.5", "\"\x80\"", NULL },
    { "4.2.5", "\"\xc3\xa4\"", NULL },
    { "4.2.5", "\"\xff\"", NULL },
    { "4.2.5", "'x'", NULL },

    { "4.2.6", "tok", "a=t<tok>" },
    { "4.2.6", "Tok", "a=t<Tok>" },
    { "4.2.6", "*", "a=t<*>" },
    { "4.2.6", "a:b/c!#$%&'*+-.^_`|~9", "a=t<a:b/c!#$%&'*+-.^_`|~9>" },
    { "4.2.6", "a;b=c", "a=t<a>" },
    { "4.2.6", "!a", NULL },
    { "4.2.6", "/a", NULL },
    { "4.2.6", "a\"b", NULL },
    { "4.2.6", "a@b", NULL },
    { "4.2.6", "a{b", NULL },
    { "4.2.6", "a=b", NULL },
    { "4.2.6", "t\xc3\xa4", NULL },

    { "4.2.7", "::", "a=y" },
    { "4.2.7", ":aGVsbG8=:", "a=y" },
    { "4.2.7", ":YQ==:", "a=y" },
    { "4.2.7", ":YWJj:", "a=y" },
    { "4.2.7", ":+/+/:", "a=y" },
    { "4.2.7", ":iZ==:;x", "a=y" },  /* pad bits that are not zero: SHOULD NOT fail */
    { "4.2.7", ":aGVsbG8:", "a=y" }, /* padding is synthesized, all of it... */
    { "4.2.7", ":YQ:", "a=y" },
    { "4.2.7", ":YQ=:", "a=y" },     /* ...or what of it is missing */
    { "4.2.7", ":YQ===:", NULL },
    { "4.2.7", ":YWJj=:", NULL },
    { "4.2.7", ":YWI==:", NULL },
    { "4.2.7", ":=:", NULL },
    { "4.2.7", ":a:", NULL },        /* six bits are no byte */
    { "4.2.7", ":YWJjZ:", NULL },
    { "4.2.7", ":=aGVsbG8=:", NULL },
    { "4.2.7", ":a=GVsbG8=:", NULL },
    { "4.2.7", ":aGVs\tbG8=:", NULL },
    { "4.2.7", ":aGVs bG8=:", NULL },
    { "4.2.7", ":_-Ah:", NULL },
    { "4.2.7", ":aGVsbG8=", NULL },
    { "4.2.7", ":", NULL },
    { "4.2.7", ":\xc3\xa4YQ:", NULL },

    { "4.2.8", "?1", "a=b1" },
    { "4.2.8", "?0", "a=b0" },
    { "4.2.8", "?", NULL },
    { "4.2.8", "?2", NULL },
    { "4.2.8", "?01", NULL },
    { "4.2.8", "?T", NULL },
    { "4.2.8", "?-1", NULL },
    { "4.2.8", "? 1", NULL },

    { "4.2.9", "@0", "a=a0" },
    { "4.2.9", "@1659578233", "a=a1659578233" },
    { "4.2.9", "@-1659578233", "a=a-1659578233" },
    { "4.2.9", "@1.5", NULL },
    { "4.2.9", "@", NULL },
    { "4.2.9", "@x", NULL },
    { "4.2.9", "@@1", NULL },
    { "4.2.9", "@ 1", NULL },
    { "4.2.9", "@1000000000000000", NULL },

    { "4.2.10", "%\"\"", "a=u" },
    { "4.2.10", "%\"x y\\\"", "a=u" },
    { "4.2.10", "%\"%22%25%00\"", "a=u" },
    { "4.2.10", "%\"f%c3%bc\"", "a=u" },
    { "4.2.10", "%\"%c2%80 %df%bf %e0%a0%80 %ed%9f%bf %ee%80%80 %ef%bf%bf\"", "a=u" },
    { "4.2.10", "%\"%f0%90%80%80 %f4%8f%bf%bf\"", "a=u" },
    { "4.2.10", "%\"f%C3%BC\"", NULL },
    { "4.2.10", "%\"%c3\"", NULL },           /* bytes that are not UTF-8 */
    { "4.2.10", "%\"%c3x\"", NULL },
    { "4.2.10", "%\"%c3%28\"", NULL },
    { "4.2.10", "%\"%80\"", NULL },
    { "4.2.10", "%\"%c0%80\"", NULL },
    { "4.2.10", "%\"%c1%bf\"", NULL },
    { "4.2.10", "%\"%e0%9f%bf\"", NULL },
    { "4.2.10", "%\"%e2%82\"", NULL },
    { "4.2.10", "%\"%e2%82 %ac\"", NULL },
    { "4.2.10", "%\"%ed%a0%80\"", NULL },
    { "4.2.10", "%\"%f0%8f%bf%bf\"", NULL },
    { "4.2.10", "%\"%f4%90%80%80\"", NULL },
    { "4.2.10", "%\"%f5%80%80%80\"", NULL },
    { "4.2.10", "%\"%ff\"", NULL },
    { "4.2.10", "%\"\xc3\xbc\"", NULL },
    { "4.2.10", "%\"\t\"", NULL },
    { "4.2.10", "%\"\x7f\"", NULL },
    { "4.2.10", "%\"%", NULL },
    { "4.2.10", "%\"%a", NULL },
    { "4.2.10", "%\"%a\"", NULL },
    { "4.2.10", "%\"%4g\"", NULL },
    { "4.2.10", "%\"x", NULL },
    { "4.2.10", "%", NULL },
    { "4.2.10", "%x", NULL },
    { "4.2.10", "%'x'", NULL },

    { "4.2.3.1", "!", NULL },
    { "4.2.3.1", "[1]", NULL },
    { "4.2.3.1", "\x01", NULL },
    { "4.2.3.1", "\xe4", NULL },
};

static void test_sections(apr_pool_t *pool)
{
    int i;

    for (i = 0; i < HTTP_COUNT(dictionaries); i++) {
        const case_t *one = &dictionaries[i];

        is_string(dictionary_text(one->text, pool), one->want, "%s: dictionary %d", one->section, i);
    }
    for (i = 0; i < HTTP_COUNT(items); i++) {
        const case_t *one = &items[i];
        const char *refused = one->want ? "" : NULL;

        is_string(dictionary_text(apr_pstrcat(pool, "a=", one->text, NULL), pool), one->want,
                  "%s: item %d", one->section, i);
        /* in the other places of an item only whether it is one counts */
        is_string(dictionary_text(apr_pstrcat(pool, "a;b=", one->text, NULL), pool),
                  refused ? "a=b1" : NULL, "%s: item %d of a parameter", one->section, i);
        is_string(dictionary_text(apr_pstrcat(pool, "a=(1 ", one->text, ")", NULL), pool),
                  refused ? "a=(" : NULL, "%s: item %d of an inner list", one->section, i);
    }
}

/* Whatever a field holds, it ends at its first NUL, as all header values of httpd do. */
static void test_nul(apr_pool_t *pool)
{
    static const char inside[] = "a=1\0!, b=\"";

    is_string(dictionary_text(inside, pool), "a=i1", "a NUL ends the field");
}

/* ---- sizes ---- */

typedef struct large_t {
    const char *name, *begin, *repeated, *end;
    int         taken;
} large_t;

/* 64 KiB of each */
static const large_t larges[] = {
    { "a string", "a=\"", "x", "\"", 1 },
    { "a string of escapes", "a=\"", "\\\"", "\"", 1 },
    { "a string without an end", "a=\"", "x", "", 0 },
    { "a token", "a=t", "/", "", 1 },
    { "a key", "a", "-", "=1", 1 },
    { "bytes", "a=:", "YWJj", ":", 1 },
    { "a display string", "a=%\"", "%c3%bc", "\"", 1 },
    { "an integer", "a=1", "0", "", 0 },
    { "a fraction", "a=1.", "0", "", 0 },
    { "spaces", "a=1", " ", ", b", 1 },
    { "spaces in front", "", " ", "a", 1 },
    { "parameters", "a", ";b", "", 1 },
    { "parameters with strings", "a", ";b=\"\"", "", 1 },
    { "parameters with tokens", "a", ";b=c", "", 1 },
    { "an inner list", "a=(", "1 ", ")", 1 },
    { "an inner list of strings", "a=(", "\"\" ", ")", 1 },
    { "an inner list without an end", "a=(", "\"\" ", "", 0 },
    { "brackets", "a=", "(", "", 0 },
    { "one key again and again", "a", ",a=\"\"", "", 1 },
    { "commas", "a", ",", "", 0 },
};

static void test_sizes(apr_pool_t *parent)
{
    int i;

    for (i = 0; i < HTTP_COUNT(larges); i++) {
        const large_t *large = &larges[i];
        int count = LARGE / (int)strlen(large->repeated);
        apr_array_header_t *members = NULL;
        apr_size_t allocated;
        apr_pool_t *pool;
        const char *text;
        apr_status_t rv;

        apr_pool_create(&pool, parent);
        text = http_repeated(large->begin, large->repeated, count, large->end, pool);
        http_allocated();
        rv = structured_dictionary(text, &members, pool);
        allocated = http_allocated();
        is_status(rv, large->taken ? APR_SUCCESS : APR_EINVAL, "64 KB: %s", large->name);
        ok(allocated <= 2 * strlen(text), "64 KB: %s: takes %lu bytes", large->name,
           (unsigned long)allocated);
        apr_pool_destroy(pool);
    }
}

static const char *many_members(int count, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, (apr_size_t)count * 8 + 1), *to = text;
    int i;

    for (i = 0; i < count; i++) {
        to += apr_snprintf(to, 9, "%sk%05d", i > 0 ? "," : " ", i);
    }
    return text;
}

/* Section 3.2: at least 1024 members. More of them are refused, so that nobody can have them all
 * compared with each other. */
static void test_members(apr_pool_t *pool)
{
    apr_array_header_t *members = NULL;

    is_status(structured_dictionary(many_members(1024, pool), &members, pool), APR_SUCCESS,
              "3.2: 1024 members");
    is_int(members ? members->nelts : -1, 1024, "3.2: all of them are there");
    is_status(structured_dictionary(many_members(1025, pool), &members, pool), APR_EINVAL,
              "3.2: one more is refused");
    is_status(structured_dictionary(apr_pstrcat(pool, many_members(1024, pool), ", k00007=7", NULL),
                                    &members, pool), APR_SUCCESS, "3.2: a repeated key is no more");
    is_int(members ? APR_ARRAY_IDX(members, 7, structured_member_t).integer : -1, 7,
           "3.2: and the last one counts");
}

/* ---- the grammar ---- */

static const char grammar_pattern[] =
    "(?x) (?(DEFINE)"
    "(?<key>       [a-z*][a-z0-9_.*-]*+ )"
    "(?<integer>   -?[0-9]{1,15}(?![0-9.]) )"
    "(?<decimal>   -?[0-9]{1,12}\\.[0-9]{1,3}(?![0-9.]) )"
    "(?<string>    \"(?:[\\x20-\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\"\\\\])*+\" )"
    "(?<token>     [A-Za-z*][A-Za-z0-9!\\#$%&'*+.^_`|~:/-]*+ )"
    "(?<bytes>     :(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}={0,2}|[A-Za-z0-9+/]{3}=?)?: )"
    "(?<next>      %[89ab][0-9a-f] )"
    "(?<utf8>      %[0-7][0-9a-f] | %(?:c[2-9a-f]|d[0-9a-f])(?&next)"
    "              | %e0%[ab][0-9a-f](?&next) | %e[1-9abcef](?&next){2}"
    "              | %ed%[89][0-9a-f](?&next) | %f0%[9ab][0-9a-f](?&next){2}"
    "              | %f[123](?&next){3} | %f4%8[0-9a-f](?&next){2} )"
    "(?<display>   %\"(?:[\\x20-\\x21\\x23-\\x24\\x26-\\x7e]|(?&utf8))*+\" )"
    "(?<bare>      (?&decimal)|(?&integer)|(?&string)|(?&token)|(?&bytes)|\\?[01]|@(?&integer)"
    "              |(?&display) )"
    "(?<parameter> ;\\x20*+(?&key)(?:=(?&bare))?+ )"
    "(?<item>      (?&bare)(?&parameter)*+ )"
    "(?<inner>     \\(\\x20*+(?:(?&item)(?:\\x20++(?&item))*\\x20*+)?\\)(?&parameter)*+ )"
    "(?<member>    (?&key)(?:=(?:(?&inner)|(?&item))|(?!=)(?&parameter)*+) )"
    ") \\A\\x20*+(?:(?&member)(?:[\\x20\\t]*+,[\\x20\\t]*+(?&member))*[\\x20\\t]*+)?\\z";

typedef struct grammar_t {
    pcre2_code       *pattern;
    pcre2_match_data *match;
    int               taken;
} grammar_t;

static const char *by_grammar(void *baton, const char *input, apr_pool_t *pool)
{
    grammar_t *grammar = baton;
    apr_array_header_t *members = NULL;
    int taken = structured_dictionary(input, &members, pool) == APR_SUCCESS;
    int found = pcre2_match(grammar->pattern, (PCRE2_SPTR)input, strlen(input), 0, 0,
                            grammar->match, NULL);

    grammar->taken += taken;
    if (found < 0 && found != PCRE2_ERROR_NOMATCH) {
        return apr_psprintf(pool, "the pattern failed by itself: %d", found);
    }
    if (taken != (found >= 0)) {
        return taken ? "taken, against the grammar" : "refused, against the grammar";
    }
    return NULL;
}

static void test_grammar(apr_pool_t *pool)
{
    const char *seeds[HTTP_COUNT(dictionaries) + HTTP_COUNT(items)];
    PCRE2_SIZE offset;
    grammar_t grammar = { NULL, NULL, 0 };
    int i, error, count = 0;

    for (i = 0; i < HTTP_COUNT(dictionaries); i++) {
        seeds[count++] = dictionaries[i].text;
    }
    for (i = 0; i < HTTP_COUNT(items); i++) {
        seeds[count++] = apr_pstrcat(pool, "a=", items[i].text, NULL);
    }
    grammar.pattern = pcre2_compile((PCRE2_SPTR)grammar_pattern, PCRE2_ZERO_TERMINATED, 0, &error,
                                    &offset, NULL);
    if (!grammar.pattern) {
        bail_out("the pattern is wrong at %lu", (unsigned long)offset);
    }
    grammar.match = pcre2_match_data_create_from_pattern(grammar.pattern, NULL);
    http_fuzz("appendix C: takes what the grammar takes", seeds, count, by_grammar, &grammar);
    ok(grammar.taken > (tap_slow() ? 100 : 1000), "and that was some: %d", grammar.taken);
    pcre2_match_data_free(grammar.match);
    pcre2_code_free(grammar.pattern);
}

/* ---- written ---- */

static const case_t strings[] = {
    { "4.1.6", "", "\"\"" },
    { "4.1.6", "x y", "\"x y\"" },
    { "4.1.6", "\"\\", "\"\\\"\\\\\"" },
    { "4.1.6", "a\tb", "\"a%09b\"" },       /* our own way with what a string cannot hold */
    { "4.1.6", "\x7f\xc3\xa4\xff\x01", "\"%7F%C3%A4%FF%01\"" },
    { "4.1.6", "100%", "\"100%\"" },        /* so that is no encoding to decode again */
};

static const case_t names[] = {
    { "4.1.7", "storer", "storer" },
    { "4.1.7", "*a:b/c~", "*a:b/c~" },
    { "4.1.7", "", "\"\"" },
    { "4.1.7", "My cache", "\"My cache\"" },
    { "4.1.7", "1st", "\"1st\"" },
    { "4.1.7", ":a", "\":a\"" },
    { "4.1.7", "a,b", "\"a,b\"" },
    { "4.1.7", "a\xc3\xa4", "\"a%C3%A4\"" },
};

static const char *by_reading(void *baton, const char *input, apr_pool_t *pool)
{
    const char *text = structured_string(input, pool);
    const char *name = structured_token_or_string(input, pool);
    const char *read = dictionary_text(apr_pstrcat(pool, "a=", text, NULL), pool);
    const char *named = dictionary_text(apr_pstrcat(pool, "a=", name, NULL), pool);
    apr_size_t visible = 0;

    (void)baton;
    if (!read || !named) {
        return apr_pstrcat(pool, "cannot be read: ", read ? name : text, NULL);
    }
    while (input[visible] >= 0x20 && input[visible] <= 0x7e) {
        visible++;
    }
    if (!input[visible] && strcmp(read, apr_pstrcat(pool, "a=s<", input, ">", NULL)) != 0) {
        return apr_pstrcat(pool, "is read as ", read, NULL);
    }
    if (!input[visible]
        && strcmp(named, apr_psprintf(pool, "a=%c<%s>", *name == '"' ? 's' : 't', input)) != 0) {
        return apr_pstrcat(pool, "is read as ", named, NULL);
    }
    return NULL;
}

static void test_written(apr_pool_t *pool)
{
    const char *seeds[HTTP_COUNT(strings) + HTTP_COUNT(names)];
    int i, count = 0;

    for (i = 0; i < HTTP_COUNT(strings); i++) {
        is_string(structured_string(strings[i].text, pool), strings[i].want, "%s: string %d",
                  strings[i].section, i);
        seeds[count++] = strings[i].text;
    }
    for (i = 0; i < HTTP_COUNT(names); i++) {
        is_string(structured_token_or_string(names[i].text, pool), names[i].want,
                  "%s: token or string %d", names[i].section, i);
        seeds[count++] = names[i].text;
    }
    http_fuzz("4.1: what is written can be read again", seeds, count, by_reading, NULL);
}

int main(void)
{
    apr_pool_t *pool = http_pool();

    test_sections(pool);
    test_nul(pool);
    test_sizes(pool);
    test_members(pool);
    test_grammar(pool);
    test_written(pool);
    apr_pool_destroy(pool);
    return done_testing();
}
