/* SPDX-License-Identifier: Apache-2.0
 *
 * value.c - see value.h. Pure, but for the random bytes of a version.
 */
#include "value.h"

#include <apr_general.h>

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define TTL_MAX (INT64_C(10) * 365 * 86400 * 1000)

#define MAGIC_SIZE 4
static const char head_magic[MAGIC_SIZE] = { 'S', 'T', 'V', '1' };
static const char part_magic[MAGIC_SIZE] = { 'S', 'T', 'P', '1' };

static void put_u32(char *to, apr_uint32_t number)
{
    int i;

    for (i = 0; i < 4; i++) {
        to[i] = (char)(number >> (8 * i) & 0xff);
    }
}

static apr_uint32_t get_u32(const char *from)
{
    const unsigned char *bytes = (const unsigned char *)from;

    return bytes[0] | (apr_uint32_t)bytes[1] << 8 | (apr_uint32_t)bytes[2] << 16
           | (apr_uint32_t)bytes[3] << 24;
}

void value_put_u64(char *to, apr_uint64_t number)
{
    put_u32(to, (apr_uint32_t)(number & 0xffffffff));
    put_u32(to + 4, (apr_uint32_t)(number >> 32));
}

apr_uint64_t value_get_u64(const char *from)
{
    return get_u32(from) | (apr_uint64_t)get_u32(from + 4) << 32;
}

apr_uint64_t value_checksum(apr_uint64_t before, const void *bytes, apr_size_t len)
{
    return XXH3_64bits_withSeed(bytes, len, before);
}

apr_status_t value_init(value_t *value, storer_expiry_t expiry)
{
    memset(value, 0, sizeof(*value));
    value->expiry = expiry;
    value->part_size = VALUE_PART_MAX;
    return apr_generate_random_bytes(value->version, sizeof(value->version));
}

void value_set_length(value_t *value, apr_off_t length)
{
    apr_off_t size = value->part_size;

    value->length = length;
    value->parts = length > 0 ? (apr_uint32_t)((length + size - 1) / size) : 1;
    value->first_size = (apr_uint32_t)(length < size ? length : size);
}

static apr_uint64_t head_checksum(const char *head, storer_bytes_t key, storer_bytes_t first)
{
    apr_uint64_t sum = value_checksum(key.len, key.data, key.len);

    sum = value_checksum(sum, head, VALUE_HEAD_SIZE - 8);
    return value_checksum(sum, first.data, first.len);
}

void value_write_head(const value_t *value, storer_bytes_t key, storer_bytes_t first, char *to)
{
    memcpy(to, head_magic, MAGIC_SIZE);
    put_u32(to + 4, value->parts);
    value_put_u64(to + 8, (apr_uint64_t)value->length);
    value_put_u64(to + 16, (apr_uint64_t)value->expiry.fresh_until);
    value_put_u64(to + 24, (apr_uint64_t)value->expiry.stale_until);
    memcpy(to + 32, value->version, NAMES_VERSION_SIZE);
    put_u32(to + 48, value->part_size);
    put_u32(to + 52, value->first_size);
    value_put_u64(to + 56, head_checksum(to, key, first));
}

static apr_uint64_t part_checksum(const char *head, storer_bytes_t part)
{
    return value_checksum(value_checksum(0, head, VALUE_PART_HEAD - 8), part.data, part.len);
}

void value_write_part(const value_t *value, apr_uint32_t number, storer_bytes_t part, char *to)
{
    memcpy(to, part_magic, MAGIC_SIZE);
    put_u32(to + 4, number);
    put_u32(to + 8, (apr_uint32_t)part.len);
    put_u32(to + 12, 0);
    memcpy(to + 16, value->version, NAMES_VERSION_SIZE);
    value_put_u64(to + 32, part_checksum(to, part));
}

apr_status_t value_read_head(value_t *value, storer_bytes_t stored)
{
    const char *from = stored.data;
    value_t read, expected;
    apr_uint64_t length;

    if (!from || stored.len < VALUE_HEAD_SIZE || memcmp(from, head_magic, MAGIC_SIZE) != 0) {
        return APR_EINVAL;
    }
    memset(&read, 0, sizeof(read));
    length = value_get_u64(from + 8);
    read.parts = get_u32(from + 4);
    read.part_size = get_u32(from + 48);
    read.first_size = get_u32(from + 52);
    if (read.part_size < 1 || read.part_size > VALUE_PART_MAX
        || length > (apr_uint64_t)read.part_size * VALUE_PARTS_MAX) {
        return APR_EINVAL;
    }
    expected = read;
    value_set_length(&expected, (apr_off_t)length);
    if (read.parts != expected.parts || read.first_size != expected.first_size) {
        return APR_EINVAL;
    }
    expected.expiry.fresh_until = (apr_time_t)value_get_u64(from + 16);
    expected.expiry.stale_until = (apr_time_t)value_get_u64(from + 24);
    memcpy(expected.version, from + 32, NAMES_VERSION_SIZE);
    *value = expected;
    return APR_SUCCESS;
}

apr_status_t value_read(value_t *value, storer_bytes_t key, storer_bytes_t stored,
                        storer_bytes_t *first)
{
    storer_bytes_t rest;
    value_t read;
    apr_status_t rv;

    rv = value_read_head(&read, stored);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rest.data = stored.data + VALUE_HEAD_SIZE;
    rest.len = stored.len - VALUE_HEAD_SIZE;
    if (rest.len != read.first_size
        || value_get_u64(stored.data + 56) != head_checksum(stored.data, key, rest)) {
        return APR_EINVAL;
    }
    *value = read;
    *first = rest;
    return APR_SUCCESS;
}

/* The length of part `number`, which is not the first. */
static apr_size_t part_length(const value_t *value, apr_uint32_t number)
{
    apr_off_t before = (apr_off_t)number * value->part_size, rest = value->length - before;

    return rest < (apr_off_t)value->part_size ? (apr_size_t)rest : value->part_size;
}

apr_status_t value_read_part(const value_t *value, apr_uint32_t number, storer_bytes_t stored,
                             storer_bytes_t *part)
{
    storer_bytes_t rest;

    if (!stored.data || stored.len < VALUE_PART_HEAD
        || memcmp(stored.data, part_magic, MAGIC_SIZE) != 0) {
        return APR_EINVAL;
    }
    rest.data = stored.data + VALUE_PART_HEAD;
    rest.len = stored.len - VALUE_PART_HEAD;
    if (get_u32(stored.data + 4) != number || get_u32(stored.data + 8) != rest.len
        || rest.len != part_length(value, number)
        || memcmp(stored.data + 16, value->version, NAMES_VERSION_SIZE) != 0
        || value_get_u64(stored.data + 32) != part_checksum(stored.data, rest)) {
        return APR_EINVAL;
    }
    *part = rest;
    return APR_SUCCESS;
}

apr_time_t value_end(storer_expiry_t expiry)
{
    return expiry.fresh_until > expiry.stale_until ? expiry.fresh_until : expiry.stale_until;
}

apr_int64_t value_ttl(apr_time_t end, apr_time_t now)
{
    apr_int64_t left;

    if (end <= now) {
        return 0;
    }
    if (now < 0 && end > INT64_MAX + now) {
        return TTL_MAX;
    }
    left = end - now;
    if (left >= (TTL_MAX - VALUE_TTL_MORE) * 1000) {
        return TTL_MAX;
    }
    return (left + 999) / 1000 + VALUE_TTL_MORE;
}
