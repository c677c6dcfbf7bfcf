/* SPDX-License-Identifier: Apache-2.0
 *
 * info.c - see info.h.
 */
#include "info.h"

#include "http/control.h"

#include <string.h>

static apr_int64_t seconds(apr_int64_t value)
{
    if (value < 0) {
        return -1;
    }
    return value < CONTROL_SECONDS_MAX ? value : CONTROL_SECONDS_MAX;
}

void info_read(const cache_info *info, record_t *record)
{
    const cache_control_t *control = &info->control;
    freshness_t *freshness = &record->freshness;

    record->status = info->status;
    freshness->date = info->date;
    freshness->expires = info->expire;
    freshness->request_time = info->request_time;
    freshness->response_time = info->response_time;
    freshness->max_age = seconds(control->max_age_value);
    freshness->s_maxage = seconds(control->s_maxage_value);
    freshness->no_cache = control->no_cache;
    freshness->must_revalidate = control->must_revalidate;
    freshness->proxy_revalidate = control->proxy_revalidate;
    freshness->is_public = control->public;
}

void info_write(const record_t *record, cache_info *info)
{
    const freshness_t *freshness = &record->freshness;
    cache_control_t *control = &info->control;

    memset(info, 0, sizeof(*info));
    info->status = record->status;
    info->date = freshness->date;
    info->expire = freshness->expires;
    info->request_time = freshness->request_time;
    info->response_time = freshness->response_time;
    control->parsed = 1;
    control->cache_control = 1;
    control->max_age_value = freshness->max_age;
    control->max_age = freshness->max_age != -1;
    control->s_maxage_value = freshness->s_maxage;
    control->s_maxage = freshness->s_maxage != -1;
    control->max_stale_value = control->min_fresh_value = -1;
    control->no_cache = freshness->no_cache;
    control->must_revalidate = freshness->must_revalidate;
    control->proxy_revalidate = freshness->proxy_revalidate;
    control->public = freshness->is_public;
}
