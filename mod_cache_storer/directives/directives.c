/* SPDX-License-Identifier: Apache-2.0
 *
 * directives.c - the table of directives. Each row is all that there is to say about a directive but
 * its longer description in docs/reference.md; directive.h says what is made from it.
 *
 * To add a directive: a member of config_server_t (config.h), a row here, and a section in
 * docs/reference.md. values.h and settings.h have the functions that read the words.
 */
#include "directives.h"

#include "seen.h"
#include "settings.h"
#include "values.h"

#include "../access/rules.h"
#include "../config.h"

/* A member of config_server_t, or one of config_directory_t. */
#define SERVER(member)                                                                             \
    .offset = APR_OFFSETOF(config_server_t, member),                                               \
    .size = sizeof(((config_server_t *)NULL)->member)
#define DIRECTORY(setting)                                                                         \
    .offset = APR_OFFSETOF(config_directory_t, settings[setting]), .size = sizeof(int),            \
    .of_directory = 1

/* A row: httpd's command record, which points to the directive_t. httpd prints its text, the last
 * member, with `httpd -L` and in the pages of mod_info. Behind the help come members of directive_t. */
#define ROW(default_text, default_member, name_, syntax_, context, help, ...)                      \
    AP_INIT_TAKE_ARGV(name_, directive_take,                                                       \
                      ((void *)&(const directive_t){                                               \
                          .name = name_, .syntax = syntax_, .default_member = default_text,        \
                          __VA_ARGS__ }),                                                          \
                      context,                                                                     \
                      help " Syntax: " name_ " " syntax_ "; default: " default_text)

/* A directive that has a default: name, words, default, contexts, help, members of directive_t. */
#define DIRECTIVE(name, syntax, standard, context, help, ...)                                      \
    ROW(standard, by_default, name, syntax, context, help, __VA_ARGS__)

/* A directive without a default: in its place it is told what happens without the directive. */
#define OPTIONAL(name, syntax, without, context, help, ...)                                        \
    ROW(without, otherwise, name, syntax, context, help, __VA_ARGS__)

/* A directive of another module, which this one looks at. */
#define FOREIGN(name_, owner_, context, ...)                                                       \
    AP_INIT_TAKE_ARGV(name_, directive_see,                                                        \
                      ((void *)&(const directive_t){                                               \
                          .name = name_, .owner = owner_, __VA_ARGS__ }),                          \
                      context, "belongs to " owner_ "; mod_cache_storer looks at it as well")

static const directive_word_t compressions[] = {
    { "auto", CONFIG_COMPRESSION_AUTO },
    { "lz4", CONFIG_COMPRESSION_LZ4 },
    { "none", CONFIG_COMPRESSION_NONE },
    { NULL, 0 }
};

static const directive_word_t cookies[] = {
    { "decline", CONFIG_COOKIES_DECLINE },
    { "strip", CONFIG_COOKIES_STRIP },
    { "store", CONFIG_COOKIES_STORE },
    { NULL, 0 }
};

static const directive_word_t hosts[] = { { "named", 0 }, { "any", 1 }, { NULL, 0 } };
static const directive_word_t no_bytes[] = { { "off", 0 }, { NULL, 0 } };

/* 0 is: not set here. */
static const directive_word_t purges[] = {
    { "off", CONFIG_PURGE_OFF }, { "on", CONFIG_PURGE_ON }, { NULL, 0 }
};
static const directive_word_t accesses[] = {
    { "check", CONFIG_ACCESS_CHECK }, { "ignore", CONFIG_ACCESS_IGNORE }, { NULL, 0 }
};

const command_rec config_directives[] = {
    DIRECTIVE("CacheStorer", "ENGINE [OPTION=VALUE ...]", "memory size=64M", RSRC_CONF,
              "The store: a storage engine, and its options.",
              .parse = setting_storage, .once = 1, SERVER(storage)),
    DIRECTIVE("CacheStorerAccess", "check|ignore", "check", RSRC_CONF | ACCESS_CONF,
              "Whether a response is kept from clients that access control may refuse.",
              .parse = value_word, .most_words = 1, .words = accesses, DIRECTORY(CONFIG_ACCESS)),
    OPTIONAL("CacheStorerBypass", "EXPR", "no request is left out", RSRC_CONF,
             "Requests for which the expression is true are neither served from the cache nor stored.",
             .parse = setting_bypass, .most_words = 1, .repeats = 1, SERVER(bypass)),
    DIRECTIVE("CacheStorerCollapse", "on|off [TIME]", "on 5s", RSRC_CONF,
              "Whether a request for what is not cached waits for the response to another one, and how "
              "long.",
              .parse = setting_collapse, .most_words = 2, SERVER(collapse)),
    DIRECTIVE("CacheStorerCompression", "auto|lz4|none", "auto", RSRC_CONF,
              "How bodies are compressed in the store.",
              .parse = value_word, .most_words = 1, .words = compressions, SERVER(compression)),
    DIRECTIVE("CacheStorerFinishFill", "SIZE|off", "1M", RSRC_CONF,
              "How much of a body is fetched without a client that takes it, so that it can be stored.",
              .parse = value_size, .most_words = 1, .words = no_bytes, SERVER(finish_fill)),
    DIRECTIVE("CacheStorerHosts", "named|any", "named", RSRC_CONF,
              "Whether requests are cached whose Host is none of the names of a server that has a "
              "ServerName.",
              .parse = value_word, .most_words = 1, .words = hosts, SERVER(any_host)),
    OPTIONAL("CacheStorerKeyQuery", "[sort] [drop=GLOB,...|keep=GLOB,...]|none",
             "the query as the client sent it", RSRC_CONF,
             "The part of a URL's query by which its response is stored and found.",
             .parse = setting_query, SERVER(query)),
    OPTIONAL("CacheStorerMaxFileSize", "SIZE", "a quarter of the store", RSRC_CONF,
             "The largest body that is stored.",
             .parse = value_size, .most_words = 1, .least = 1, SERVER(max_body)),
    DIRECTIVE("CacheStorerMaxVariants", "NUMBER", "64", RSRC_CONF,
              "How many variants (Vary) of one URL are kept.",
              .parse = value_number, .most_words = 1, .least = 1, .most = 10000, SERVER(max_variants)),
    DIRECTIVE("CacheStorerMinFileSize", "SIZE", "0", RSRC_CONF,
              "The smallest body that is stored.",
              .parse = value_size, .most_words = 1, SERVER(min_body)),
    DIRECTIVE("CacheStorerNormalize", "HEADER ...|none", "Accept-Encoding", RSRC_CONF,
              "Request headers that are folded before Vary is matched.",
              .parse = value_words, .words = config_folded, SERVER(normalized)),
    DIRECTIVE("CacheStorerPurge", "on|off", "off", ACCESS_CONF,
              "The method PURGE, for clients that a Require lets in.",
              .parse = value_word, .most_words = 1, .words = purges, DIRECTORY(CONFIG_PURGE)),
    DIRECTIVE("CacheStorerPurgeHeader", "FIELD|none", "none", RSRC_CONF,
              "The field of the response to an unsafe request that names tags to purge.",
              .parse = value_field, .most_words = 1, SERVER(purge_field)),
    DIRECTIVE("CacheStorerSetCookie", "decline|strip|store", "decline", RSRC_CONF,
              "What happens to a response that sets a cookie.",
              .parse = value_word, .most_words = 1, .words = cookies, SERVER(cookies)),
    DIRECTIVE("CacheStorerStale", "TIME", "1d", RSRC_CONF,
              "How long past its freshness a response is kept for revalidation.",
              .parse = value_time, .most_words = 1, SERVER(stale)),
    DIRECTIVE("CacheStorerStaleIfError", "on|off|TIME", "on", RSRC_CONF,
              "Whether a stale response is served when the origin fails, and how long if the response "
              "does not say.",
              .parse = setting_grace, .most_words = 1, SERVER(if_error)),
    DIRECTIVE("CacheStorerStaleWhileRevalidate", "on|off|TIME", "on", RSRC_CONF,
              "Whether a stale response is served while it is refreshed, and how long if the response "
              "does not say.",
              .parse = setting_grace, .most_words = 1, SERVER(while_revalidate)),
    DIRECTIVE("CacheStorerStatus", "on|off [NAME] [key] [detail]", "on storer", RSRC_CONF,
              "The Cache-Status field of responses (RFC 9211).",
              .parse = setting_status, .most_words = 4, SERVER(status)),
    DIRECTIVE("CacheStorerTagHeader", "FIELD ...|none", "Surrogate-Key Cache-Tag", RSRC_CONF,
              "The response fields with the tags by which responses are purged together.",
              .parse = value_fields, SERVER(tags)),
    DIRECTIVE("CacheStorerTargetedControl", "FIELD ...|none", "CDN-Cache-Control", RSRC_CONF,
              "The response fields that replace Cache-Control and Expires for this cache (RFC 9213).",
              .parse = value_fields, SERVER(targeted)),
    OPTIONAL("CacheStorerTTL", "STATUS|TYPE TIME", "such a response is not stored", RSRC_CONF,
             "How long responses with a status or content type are fresh if they do not say so.",
             .parse = setting_ttl, .most_words = 2, .repeats = 1, SERVER(ttl)),

    FOREIGN("CacheEnable", "mod_cache", RSRC_CONF | ACCESS_CONF,
            .parse = seen_cache_enable, .merge = seen_cache_enable_merge, SERVER(prefixes)),
    FOREIGN("CacheKeyBaseURL", "mod_cache", RSRC_CONF, .parse = seen_key_base, SERVER(key_base)),
    FOREIGN("CacheIgnoreQueryString", "mod_cache", RSRC_CONF, .by_default = "off",
            .parse = value_word, .words = value_on_off, SERVER(ignore_query)),
    FOREIGN("CacheIgnoreURLSessionIdentifiers", "mod_cache", RSRC_CONF,
            .parse = seen_session_ids, SERVER(session_ids)),
    FOREIGN("CacheIgnoreCacheControl", "mod_cache", RSRC_CONF, .by_default = "off",
            .parse = value_word, .words = value_on_off, SERVER(ignore_control)),
    FOREIGN("CacheQuickHandler", "mod_cache", RSRC_CONF, .by_default = "on",
            .parse = value_word, .words = value_on_off, SERVER(quick)),
    FOREIGN("ServerName", "httpd", RSRC_CONF,
            .parse = seen_server_name, .merge = directive_keep_own, SERVER(named)),
    ACCESS_RULES_DIRECTIVES,
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL }
};

_Static_assert(sizeof(config_directives) / sizeof(config_directives[0]) <= DIRECTIVE_ROWS_MAX,
               "config_server_t has a place for each row");
