/* SPDX-License-Identifier: Apache-2.0
 *
 * log.c - translates the library's log lines to httpd's error log. Called from any thread.
 */
#include "log.h"

#include "http_main.h"

static int log_level(storer_log_level_e level)
{
    switch (level) {
    case STORER_LOG_ERROR:
        return APLOG_ERR;
    case STORER_LOG_WARNING:
        return APLOG_WARNING;
    case STORER_LOG_NOTICE:
        return APLOG_NOTICE;
    case STORER_LOG_INFO:
        return APLOG_INFO;
    case STORER_LOG_DEBUG:
        return APLOG_DEBUG;
    }
    return APLOG_ERR;
}

void log_sink(void *baton, storer_log_level_e level, apr_status_t rv, const char *message)
{
    (void)baton;
    /* the library knows no request; ap_log_error escapes what is in the message */
    ap_log_error(APLOG_MARK, log_level(level), rv, ap_server_conf, STORERNO(0100) "%s", message);
}
