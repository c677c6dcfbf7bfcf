/* SPDX-License-Identifier: Apache-2.0
 *
 * address.h - where a server is, as connect() wants it. Names are looked up when a process starts,
 * not when a request waits.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "options.h"

#include <sys/socket.h>

#define ADDRESS_MAX 4  /**< of one name */

typedef struct address_t {
    struct sockaddr_storage socket[ADDRESS_MAX];
    socklen_t               length[ADDRESS_MAX];
    int                     count;   /**< 0: not known */
} address_t;

/**
 * @param numeric 1: an address in figures or a path only, so that nothing is looked up
 * @return APR_SUCCESS, or APR_NOTFOUND: no such name, or the look-up failed; *address is unchanged
 */
apr_status_t address_find(address_t *address, const char *name, int port, int numeric);

#endif /* ADDRESS_H */
