/* SPDX-License-Identifier: Apache-2.0
 *
 * accept.h - request headers in the forms in which Vary compares them: what means the same is the
 * same (RFC 9111 section 4.1).
 */
#ifndef ACCEPT_H
#define ACCEPT_H

#include <apr_pools.h>

/* ---- Accept-Encoding (RFC 9110 section 12.5.3) ---- */

/** Codings that make a difference to an origin, as bits of a set. */
#define ACCEPT_BR   1u
#define ACCEPT_GZIP 2u
#define ACCEPT_ZSTD 4u

typedef enum accept_coding_e {
    ACCEPT_CODING_IDENTITY,
    ACCEPT_CODING_BR,
    ACCEPT_CODING_GZIP,
    ACCEPT_CODING_ZSTD,
    ACCEPT_CODING_OTHER     /**< several, or one that is not in the set */
} accept_coding_e;

/** The set of codings that are acceptable, with whatever weight but 0; NULL: none. */
unsigned accept_codings(const char *accept_encoding);

/** "br, gzip": the set as a field value. Constant. */
const char *accept_codings_name(unsigned codings);

/** The coding of a response; NULL: it has no Content-Encoding. */
accept_coding_e accept_coding_of(const char *content_encoding);

/** Whether a client that accepts this set can read a response in this coding. It can read a
 * response without a coding, and of an unknown coding nobody can tell. */
int accept_coding_is_readable(accept_coding_e coding, unsigned codings);

/** "gzip", "identity". Constant. */
const char *accept_coding_name(accept_coding_e coding);

/** How a response in this coding is remembered that was made for a request with this set: "gzip of
 * br, gzip". In pool. The coding is not ACCEPT_CODING_OTHER. */
const char *accept_coding_remembered(accept_coding_e coding, unsigned offered, apr_pool_t *pool);

/**
 * Whether a response that is remembered so fits a request with this set: the same as was offered
 * then, or one that accepts the coding and offers nothing else than was offered then, so that the
 * origin would choose it again. What is not such a text fits nothing.
 */
int accept_coding_fits(const char *remembered, apr_size_t length, unsigned codings);

/* ---- others ---- */

/**
 * Whether white space around the commas of a request field means nothing: whether the field is a list
 * (RFC 9110 section 5.6.1). Fields that are known to be none are not: a cookie "a,b" is another
 * one than "a, b". A field that this module does not know counts as a list: RFC 9110 section 5.3
 * lets any recipient combine its lines with commas, and an origin that tells two such requests
 * apart would break.
 */
int accept_is_list(const char *name, apr_size_t length);

/** Accept-Language in lower case, heaviest first, those of equal weight in alphabetical order (the
 * field gives them none), without what is repeated: "de, en;q=0.5". In pool. */
const char *accept_languages(const char *accept_language, apr_pool_t *pool);

/** The language that weighs more than every other one, in lower case; NULL: there is none. In pool. */
const char *accept_language_preferred(const char *accept_language, apr_pool_t *pool);

/**
 * How a response in one language is remembered that was made for a request with these languages (as
 * accept_languages() has them, escaped): "{de}de, en". In pool. NULL: content_language is not one tag.
 */
const char *accept_language_remembered(const char *content_language, const char *languages,
                                       apr_pool_t *pool);

/**
 * Whether a response that is remembered so fits a request with these languages: the same ones, or one
 * that prefers the response's language to all others, so that the origin would choose it again.
 * @param preferred of the request; may be NULL
 */
int accept_language_fits(const char *remembered, apr_size_t length, const char *languages,
                         apr_size_t languages_length, const char *preferred);

/**
 * A class of User-Agent: "bot", "tablet", "mobile", "desktop" or "other". Constant; NULL: no such
 * header. A crawler is a bot, whatever device it claims to be; Android without "Mobile" is a tablet,
 * by the convention of its makers.
 */
const char *accept_agent_class(const char *user_agent);

/** Any other field: one space behind each comma and none before, none at the ends, empty members
 * dropped; quoted strings are left alone (RFC 9110 section 5.6). The same string where it is so
 * already, else in pool. */
const char *accept_list(const char *value, apr_pool_t *pool);

#endif /* ACCEPT_H */
