/* SPDX-License-Identifier: Apache-2.0
 *
 * date.c - see date.h.
 */
#include "date.h"

#include <string.h>
#include <strings.h>

static const char *const short_days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const long_days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
                                         "Friday", "Saturday" };
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
                                      "Oct", "Nov", "Dec" };

/* One of the words at the beginning of the text, which is moved behind it. -1: none. */
static int take_word(const char **text, const char *const *words, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        apr_size_t length = strlen(words[i]);

        if (strncasecmp(*text, words[i], length) == 0) {
            *text += length;
            return i;
        }
    }
    return -1;
}

static int take_text(const char **text, const char *wanted)
{
    apr_size_t length = strlen(wanted);

    if (strncasecmp(*text, wanted, length) != 0) {
        return 0;
    }
    *text += length;
    return 1;
}

static int take_number(const char **text, int digits, int *number)
{
    int i;

    *number = 0;
    for (i = 0; i < digits; i++) {
        if ((*text)[i] < '0' || (*text)[i] > '9') {
            return 0;
        }
        *number = *number * 10 + ((*text)[i] - '0');
    }
    *text += digits;
    return 1;
}

static int take_month(const char **text, apr_time_exp_t *parts)
{
    parts->tm_mon = take_word(text, months, 12);
    return parts->tm_mon >= 0;
}

static int take_year(const char **text, apr_time_exp_t *parts)
{
    int year;

    if (!take_number(text, 4, &year)) {
        return 0;
    }
    parts->tm_year = year - 1900;
    return 1;
}

static int take_time(const char **text, apr_time_exp_t *parts)
{
    return take_number(text, 2, &parts->tm_hour) && take_text(text, ":")
           && take_number(text, 2, &parts->tm_min) && take_text(text, ":")
           && take_number(text, 2, &parts->tm_sec);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static int take_fixdate(const char **text, apr_time_exp_t *parts)
{
    return take_word(text, short_days, 7) >= 0 && take_text(text, ", ")
           && take_number(text, 2, &parts->tm_mday) && take_text(text, " ")
           && take_month(text, parts) && take_text(text, " ") && take_year(text, parts)
           && take_text(text, " ") && take_time(text, parts) && take_text(text, " GMT");
}

static int year_of(apr_time_t now)
{
    apr_time_exp_t parts;

    return apr_time_exp_gmt(&parts, now) == APR_SUCCESS ? parts.tm_year : 70;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static int take_rfc850(const char **text, apr_time_t now, apr_time_exp_t *parts)
{
    int year, this_year = year_of(now);

    if (take_word(text, long_days, 7) < 0 || !take_text(text, ", ")
        || !take_number(text, 2, &parts->tm_mday) || !take_text(text, "-")
        || !take_month(text, parts) || !take_text(text, "-") || !take_number(text, 2, &year)
        || !take_text(text, " ") || !take_time(text, parts) || !take_text(text, " GMT")) {
        return 0;
    }
    year += this_year - this_year % 100;
    parts->tm_year = year > this_year + 50 ? year - 100 : year;
    return 1;
}

/* Sun Nov  6 08:49:37 1994 */
static int take_asctime(const char **text, apr_time_exp_t *parts)
{
    return take_word(text, short_days, 7) >= 0 && take_text(text, " ") && take_month(text, parts)
           && take_text(text, " ")
           && (take_text(text, " ") ? take_number(text, 1, &parts->tm_mday)
                                    : take_number(text, 2, &parts->tm_mday))
           && take_text(text, " ") && take_time(text, parts) && take_text(text, " ")
           && take_year(text, parts);
}

static int is_possible(const apr_time_exp_t *parts)
{
    return parts->tm_mday >= 1 && parts->tm_mday <= 31 && parts->tm_hour <= 23
           && parts->tm_min <= 59 && parts->tm_sec <= 60;
}

int date_read(const char *text, apr_time_t now, apr_time_t *time)
{
    apr_time_exp_t parts;
    const char *end = text;

    memset(&parts, 0, sizeof(parts));
    if (!take_fixdate(&end, &parts)) {
        end = text;
        if (!take_rfc850(&end, now, &parts)) {
            end = text;
            if (!take_asctime(&end, &parts)) {
                return 0;
            }
        }
    }
    return !*end && is_possible(&parts) && apr_time_exp_gmt_get(time, &parts) == APR_SUCCESS;
}
