/* SPDX-License-Identifier: Apache-2.0
 *
 * urls.c - see urls.h.
 *
 * A sitemap comes from a server that need not be the admin's own: its size after decompression, the
 * depth of sitemap indexes and the number of sitemaps are bounded, and a sitemap is read once even if
 * several indexes name it. libexpat, below apr_xml, bounds the expansion of entities.
 */
#include "urls.h"

#include "transfer.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_xml.h>
#include <zlib.h>

#include <stdlib.h>
#include <string.h>

#define TIMEOUT      60L
#define DEPTH_MAX    4       /* sitemaps.org allows one level of indexes; some sites have two */
#define SITEMAPS_MAX 50000   /* as many as sitemaps.org allows in one index */

typedef struct reader_t {
    const tool_t *tool;
    urls_t       *urls;
    apr_hash_t   *seen;      /* sources that have been read, or are being read */
} reader_t;

static tool_exit_e read_source(const reader_t *reader, const char *source, int depth);

static int is_url(const char *text)
{
    return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

/* ------------------------------------------------------------------------------------------------
 * The bytes of a source
 * --------------------------------------------------------------------------------------------- */

static tool_exit_e read_file(const char *path, transfer_text_t *text)
{
    FILE *file = fopen(path, "r");
    char buffer[65536];
    size_t got, taken;
    int failed;

    if (!file) {
        return tool_fail(TOOL_UNREACHABLE, "%s cannot be read", path);
    }
    do {
        got = fread(buffer, 1, sizeof(buffer), file);
        taken = transfer_take(buffer, 1, got, text);
    } while (got > 0 && taken == got);
    failed = ferror(file) || taken < got;
    fclose(file);
    return failed ? tool_fail(TOOL_UNREACHABLE, "%s cannot be read to its end", path) : TOOL_OK;
}

static tool_exit_e read_url(const tool_t *tool, const char *url, transfer_text_t *text)
{
    CURL *curl = transfer_open(tool, url, TIMEOUT, transfer_take, text);
    tool_exit_e result = TOOL_OK;
    CURLcode code;

    if (!curl) {
        return tool_fail(TOOL_FAILED, "libcurl does not start");
    }
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    code = curl_easy_perform(curl);
    if (code == CURLE_HTTP_RETURNED_ERROR) {
        long status = 0;

        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        result = tool_fail(TOOL_UNREACHABLE, "%s: the server answered %ld", url, status);
    }
    else if (code != CURLE_OK) {
        result = tool_fail(TOOL_UNREACHABLE, "%s: %s", url, curl_easy_strerror(code));
    }
    curl_easy_cleanup(curl);
    return result;
}

static int is_gzip(const transfer_text_t *text)
{
    return text->length > 2 && memcmp(text->data, "\x1f\x8b", 2) == 0;
}

/* RFC 1952; transfer_take() bounds the size. */
static tool_exit_e decompress(const char *source, transfer_text_t *text)
{
    transfer_text_t plain = { NULL, 0 };
    z_stream stream = { 0 };
    char buffer[65536];
    int code = inflateInit2(&stream, 15 + 16);

    stream.next_in = (Bytef *)text->data;
    stream.avail_in = (uInt)text->length;
    while (code == Z_OK) {
        size_t got;

        stream.next_out = (Bytef *)buffer;
        stream.avail_out = sizeof(buffer);
        code = inflate(&stream, Z_NO_FLUSH);
        got = sizeof(buffer) - stream.avail_out;
        if (transfer_take(buffer, 1, got, &plain) < got) {
            code = Z_BUF_ERROR;
        }
    }
    inflateEnd(&stream);
    free(text->data);
    *text = plain;
    return code == Z_STREAM_END ? TOOL_OK
           : tool_fail(TOOL_NO, "%s: cannot be decompressed, or is longer than %d MB", source,
                       (int)(TRANSFER_MAX >> 20));
}

static tool_exit_e read_bytes(const tool_t *tool, const char *source, transfer_text_t *text)
{
    tool_exit_e result = is_url(source) ? read_url(tool, source, text) : read_file(source, text);

    return result == TOOL_OK && is_gzip(text) ? decompress(source, text) : result;
}

/* ------------------------------------------------------------------------------------------------
 * URLs
 * --------------------------------------------------------------------------------------------- */

/* @return the absolute URL, in pool; NULL: it is none, or has another scheme than http and https */
static const char *resolve(const char *base, const char *reference, apr_pool_t *pool)
{
    CURLU *parts = curl_url();
    const char *url = NULL;
    char *text = NULL;

    if (parts && (!is_url(base) || curl_url_set(parts, CURLUPART_URL, base, 0) == CURLUE_OK)
        && curl_url_set(parts, CURLUPART_URL, reference, CURLU_URLENCODE) == CURLUE_OK
        && curl_url_get(parts, CURLUPART_URL, &text, 0) == CURLUE_OK && is_url(text)) {
        url = apr_pstrdup(pool, text);
    }
    curl_free(text);
    curl_url_cleanup(parts);
    return url;
}

/* The text without white space around it. */
static const char *trimmed(const char *text, apr_size_t length, apr_pool_t *pool)
{
    static const char space[] = " \t\r\n";

    while (length > 0 && strchr(space, text[length - 1])) {
        length--;
    }
    while (length > 0 && strchr(space, *text)) {
        text++;
        length--;
    }
    return apr_pstrmemdup(pool, text, length);
}

static void add(const reader_t *reader, const char *source, int line, const char *reference)
{
    apr_pool_t *pool = reader->tool->pool;
    const char *url = resolve(source, reference, pool);

    if (url) {
        APR_ARRAY_PUSH(reader->urls->urls, const char *) = url;
        return;
    }
    reader->urls->skipped++;
    (void)tool_fail(TOOL_NO, "%s%s: \"%s\" is not an http or https URL", source,
                    line ? apr_psprintf(pool, ", line %d", line) : "", reference);
}

/* ------------------------------------------------------------------------------------------------
 * Lists and sitemaps
 * --------------------------------------------------------------------------------------------- */

static void read_list(const reader_t *reader, const char *source, const char *text)
{
    int line;

    for (line = 1; *text; line++) {
        apr_size_t length = strcspn(text, "\n");
        const char *reference = trimmed(text, length, reader->tool->pool);

        if (*reference && *reference != '#') {
            add(reader, source, line, reference);
        }
        text += length + (text[length] == '\n');
    }
}

/* The text of the child <loc>; NULL: there is none. apr_xml joins text, CDATA and entities. */
static const char *location_of(const apr_xml_elem *entry, apr_pool_t *pool)
{
    const apr_xml_elem *child;
    const apr_text *part;
    const char *text = "";

    for (child = entry->first_child; child; child = child->next) {
        if (strcmp(child->name, "loc") == 0) {
            for (part = child->first_cdata.first; part; part = part->next) {
                text = apr_pstrcat(pool, text, part->text, NULL);
            }
            return trimmed(text, strlen(text), pool);
        }
    }
    return NULL;
}

static tool_exit_e read_index_entry(const reader_t *reader, const char *source,
                                    const char *location, int depth)
{
    const char *url = resolve(source, location, reader->tool->pool);

    if (!url) {
        reader->urls->skipped++;
        (void)tool_fail(TOOL_NO, "%s: \"%s\" is not the URL of a sitemap", source, location);
        return TOOL_OK;
    }
    if (depth >= DEPTH_MAX || apr_hash_count(reader->seen) >= SITEMAPS_MAX) {
        return tool_fail(TOOL_NO, "%s: more than %d levels of sitemap indexes, or %d sitemaps", source,
                         DEPTH_MAX, SITEMAPS_MAX);
    }
    /* one sitemap that cannot be read must not keep the URLs of the others from being fetched */
    if (read_source(reader, url, depth + 1) != TOOL_OK) {
        reader->urls->skipped++;
    }
    return TOOL_OK;
}

static tool_exit_e read_entries(const reader_t *reader, const char *source,
                                const apr_xml_elem *root, int is_index, int depth)
{
    const apr_xml_elem *entry;
    tool_exit_e result = TOOL_OK;

    for (entry = root->first_child; entry && result == TOOL_OK; entry = entry->next) {
        const char *location;

        if (strcmp(entry->name, is_index ? "sitemap" : "url") != 0) {
            continue; /* an extension of the protocol */
        }
        location = location_of(entry, reader->tool->pool);
        if (!location || !*location) {
            reader->urls->skipped++;
            (void)tool_fail(TOOL_NO, "%s: a <%s> has no <loc>", source, entry->name);
        }
        else if (is_index) {
            result = read_index_entry(reader, source, location, depth);
        }
        else {
            add(reader, source, 0, location);
        }
    }
    return result;
}

static tool_exit_e read_sitemap(const reader_t *reader, const char *source,
                                const transfer_text_t *text, int depth)
{
    apr_pool_t *pool = reader->tool->pool;
    apr_xml_parser *parser = apr_xml_parser_create(pool);
    apr_xml_doc *document = NULL;
    char reason[200];

    if (apr_xml_parser_feed(parser, text->data, text->length) != APR_SUCCESS
        || apr_xml_parser_done(parser, &document) != APR_SUCCESS) {
        return tool_fail(TOOL_NO, "%s: %s", source,
                         apr_xml_parser_geterror(parser, reason, sizeof(reason)));
    }
    if (strcmp(document->root->name, "sitemapindex") == 0) {
        return read_entries(reader, source, document->root, 1, depth);
    }
    if (strcmp(document->root->name, "urlset") == 0) {
        return read_entries(reader, source, document->root, 0, depth);
    }
    return tool_fail(TOOL_NO, "%s: expected a sitemap: <urlset> or <sitemapindex>, not <%s>", source,
                     document->root->name);
}

static tool_exit_e read_source(const reader_t *reader, const char *source, int depth)
{
    transfer_text_t text = { NULL, 0 };
    tool_exit_e result;

    if (apr_hash_get(reader->seen, source, APR_HASH_KEY_STRING)) {
        return TOOL_OK;
    }
    apr_hash_set(reader->seen, source, APR_HASH_KEY_STRING, source);
    result = read_bytes(reader->tool, source, &text);
    if (result == TOOL_OK && text.data) {
        const char *begin = text.data + (strncmp(text.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);

        if (begin[strspn(begin, " \t\r\n")] == '<') {
            result = read_sitemap(reader, source, &text, depth);
        }
        else {
            read_list(reader, source, begin);
        }
    }
    free(text.data);
    return result;
}

tool_exit_e urls_read(const tool_t *tool, const char *source, urls_t *urls)
{
    reader_t reader = { tool, urls, apr_hash_make(tool->pool) };

    urls->urls = apr_array_make(tool->pool, 64, sizeof(const char *));
    urls->skipped = 0;
    return read_source(&reader, source, 1);
}
